"""Recording -> storyboard: it is heard and written down, cut into scenes, and planned as a script is, word for word.

With a script the recogniser gives the times and the script the words; without a recogniser the times follow from the
pauses and the length of the words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vidgend.errors import NothingSaid, StepError
from vidgend.models import (
    Brief,
    Scene,
    SceneBrief,
    Speech,
    Storyboard,
    Substitution,
    VoiceOver,
    Word,
    Words,
    WordSource,
)
from vidgend.pipeline.aligner.map_words import spoken_length
from vidgend.pipeline.aligner.onsets import SHORTEST_PAUSE_S
from vidgend.pipeline.aligner.proportional import spread
from vidgend.pipeline.planner.builtin import brief_narrations
from vidgend.pipeline.planner.port import Planner
from vidgend.pipeline.planner.script import script_to_narrations
from vidgend.pipeline.prompt_to_storyboard import make_storyboard
from vidgend.pipeline.recording_to_voice import Voice, hear_recording
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.speech.markup import plain_brief
from vidgend.pipeline.speech.speakable import speakable
from vidgend.pipeline.text_language import brief_language, has_own_text
from vidgend.pipeline.transcriber.port import Transcriber, Transcript
from vidgend.pipeline.vocabulary import has_words
from vidgend.pipeline.voice_to_scenes import (
    Piece,
    cut,
    heard_share,
    script_times,
    text_with_pauses,
    without_pauses,
    words_of_scenes,
)
from vidgend.pipeline.voice_to_text import transcribe
from vidgend.timebase import SAMPLE_RATE_HZ

ENGINE = "recording"
"""What `Speech.engine` says of a piece of a voice-over."""
SCENE_S = 6.0
"""How long scenes turn out to be, while it is not known what is said."""
_HEARD_SHARE = 0.5
"""A recording in which less of its script is heard says something else."""


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What is said in each scene, and in which piece of the recording. `reason`: why it was not done better."""

    narrations: tuple[str, ...]
    pieces: tuple[Piece, ...]
    source: WordSource
    language: str
    reason: str = ""


async def make_recorded_storyboard(
    run: JobRun,
    brief: Brief,
    planners: Sequence[Planner],
    transcriber: Transcriber | None,
    *,
    encoding: Callable[[Brief], Mapping[str, Any]],
) -> Storyboard:
    """The storyboard of a request with a voice-over: every scene has its speech and its words. `encoding` gives what
    the segments' steps get.

    Raises: UploadLost, NothingSaid, StepError.
    """
    given = brief.narration_audio
    assert given is not None
    run.progress.plan_video(brief, guessed_storyboard(brief), encoding(brief), recording_s=given.duration_s)
    voice = await hear_recording(run, given)
    brief = plain_brief(brief)  # how it is to be spoken was decided by who spoke it
    said = await _hear(run, brief, voice, transcriber)
    if brief.duration_given:
        await run.substitute(
            Substitution(
                stage="planning", wanted="the duration_target", used="the length of the recording",
                reason="a voice-over decides how long its video is",
            )
        )  # fmt: skip
    scenes = brief.scenes or tuple(SceneBrief(narration=text) for text in said.narrations)
    asked = replace(
        brief, script=None, scenes=scenes, language=said.language, duration_given=False, narration_audio=None
    )
    storyboard = await make_storyboard(run, asked, planners)
    spoken = tuple(
        _spoken(scene, piece, voice, given, said) for scene, piece in zip(storyboard.scenes, said.pieces, strict=True)
    )
    return replace(storyboard, scenes=spoken, stretch=False)


async def found_again(run: JobRun, given: VoiceOver, speech: Speech) -> Speech:
    """The speech of a recorded scene with its file in the store, made anew if it had to be deleted.

    Raises: UploadLost, NothingSaid, StepError.
    """
    return replace(speech, digest=(await hear_recording(run, given)).digest)


def not_recorded(scene: Scene) -> Substitution:
    """What to tell of a scene that a voice had to speak, since its text was written after the recording."""
    assert scene.speech is not None
    return Substitution(
        stage="narrating", scene=scene.index + 1, wanted="the voice-over",
        used=f"{scene.speech.engine} {scene.speech.voice}", reason="the text of this scene is not what was recorded",
    )  # fmt: skip


def guessed_storyboard(brief: Brief) -> Storyboard:
    """About what a recording will become, before anybody has listened to it."""
    assert brief.narration_audio is not None
    length_s = brief.narration_audio.duration_s
    count = len(brief.scenes) or max(1, round(length_s / SCENE_S))
    samples = round(length_s * SAMPLE_RATE_HZ / count)
    speech = Speech(digest="", samples=samples, engine=ENGINE, voice="", start=0)
    scenes = tuple(Scene(index=index, narration="", queries=(), speech=speech) for index in range(count))
    return Storyboard(title="", language="", planner="", stretch=False, fps=brief.fps, scenes=scenes)


async def _hear(run: JobRun, brief: Brief, voice: Voice, transcriber: Transcriber | None) -> _Said:
    heard: Transcript | None = None
    own = has_own_text(brief)
    reason = "" if transcriber is not None else "there is no recogniser here"
    if transcriber is not None:
        try:
            heard = await transcribe(run, voice, transcriber, language=brief.language)
        except StepError as error:
            if not own:
                raise
            reason = error.detail
    if heard is not None and not any(has_words(word.text) for word in heard.words):
        reason = "the recogniser hears no words in the recording"
        if not own:
            raise NothingSaid(reason)
        heard = None
    if heard is None and not own:
        raise StepError("nobody can write down what is said in the recording", hint="Give its text as `script`.")
    said = await asyncio.to_thread(_cut, brief, voice, heard)
    reasons = [reason, said.reason, heard.reason if heard is not None else ""]
    if transcriber is not None and transcriber.languages and not own and brief.language is None:
        reasons.append(f"it hears {', '.join(transcriber.languages)} only, so that is what the recording was taken for")
    if told := "; ".join(filter(None, reasons)):
        wanted = transcriber.name if transcriber is not None else "whisper"
        wanted += " with the model that is set" if wanted == said.source else ""
        await run.substitute(Substitution(stage="planning", wanted=wanted, used=said.source, reason=told))
    return said


def _cut(brief: Brief, voice: Voice, heard: Transcript | None) -> _Said:
    """Blocks: a long text takes seconds."""
    length_s = voice.samples / SAMPLE_RATE_HZ
    language = heard.language if heard is not None else brief_language(brief)
    timed: Sequence[Word]
    reason = ""
    if has_own_text(brief):
        narrations, _ = brief_narrations(brief, language=language)
        if heard is None:
            timed = _by_length(narrations, voice, language)
        else:
            timed = script_times(narrations, heard.words, length_s, language=language)
            share = heard_share(timed)
            if share < _HEARD_SHARE:
                reason = f"only {share:.0%} of the script is heard in the recording, so times may be wrong"
    else:
        assert heard is not None
        narrations = script_to_narrations(text_with_pauses(heard.words, voice.pauses), language=language)
        timed = heard.words
    timed = without_pauses(timed, sounding=voice.sounding, pauses=voice.pauses, length_s=length_s)
    pieces = cut(
        words_of_scenes(narrations, timed),
        sounding=voice.sounding,
        pauses=voice.pauses,
        length=voice.samples,
        fps=brief.frame_rate,
    )
    return _Said(
        narrations=tuple(narrations),
        pieces=tuple(pieces),
        source="whisper" if heard is not None else "proportional",
        language=language,
        reason=reason,
    )


def _by_length(narrations: Sequence[str], voice: Voice, language: str) -> tuple[Word, ...]:
    """Times from the pauses and the words' lengths alone, over the whole recording."""
    words = [word for text in narrations for word in text.split()]
    said = [one.text for one in speakable(words, language)]
    start_s, end_s = voice.sounding
    inner = [(start, end) for start, end in voice.pauses if end - start >= SHORTEST_PAUSE_S]
    pauses = [(0.0, start_s), *inner, (end_s, voice.samples / SAMPLE_RATE_HZ)]
    return spread(words, [spoken_length(one) for one in said], pauses, voice.samples / SAMPLE_RATE_HZ)


def _spoken(scene: Scene, piece: Piece, voice: Voice, given: VoiceOver, said: _Said) -> Scene:
    speech = Speech(
        digest=voice.digest,
        samples=piece.samples,
        engine=ENGINE,
        voice=given.title,
        silent_s=piece.silent_s,
        start=piece.start,
    )
    words = Words(source=said.source, words=piece.words, reason=said.reason)
    return replace(scene, speech=speech, words=words)
