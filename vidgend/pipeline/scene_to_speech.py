"""Narration -> speech: sentence by sentence by the chosen engine, joined to one sound of 48 kHz with its word times."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vidgend.errors import LanguageUnsupported, SpeechFailed, StepError, ToolMissing, UnknownVoice
from vidgend.models import Scene, Speech, Substitution, Word
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.run import JobRun, first_cause
from vidgend.pipeline.sentence_to_speech import KeyOf, speech_spec
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.speech.pronunciation import as_written
from vidgend.pipeline.speech.sentences import Narrated, Sentence, sentences
from vidgend.pipeline.speech.voices import Resolved, resolve
from vidgend.pipeline.transcriber.port import Transcriber
from vidgend.pipeline.vocabulary import has_words
from vidgend.pipeline.voice_to_scenes import heard_share, script_times
from vidgend.pipeline.voice_to_text import listen
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import SAMPLE_RATE_HZ

LEAST_HEARD = 0.6
"""Of the words of a sentence, by a recogniser that may mishear some."""

KIND = "narration"
CODE = ("scene_to_speech.py", "speech")


class NarrationStep:
    """args: parts (digest of a WAV, pause_s before it), end_s of silence -> digest (48 kHz, mono), samples"""

    def __init__(self, ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        paths = [await self._assets.local(part["digest"]) for part in args["parts"]]

        pauses_s = [part["pause_s"] for part in args["parts"]]
        try:
            await asyncio.to_thread(sound.join_wavs, paths, pauses_s, args["end_s"], run.scratch / "said.wav")
        except (ValueError, wave.Error) as error:
            raise SpeechFailed(str(error)) from error
        ffmpeg = await self._ffmpeg.get()
        await ffmpeg.run(
            [
                "-f", "wav", "-i", "said.wav", "-ac", "1", "-ar", str(SAMPLE_RATE_HZ), "-c:a", "pcm_s16le",
                "-map_metadata", "-1", "-fflags", "+bitexact", "speech.wav", "-y",
            ],
            cwd=run.scratch,
            timeout_s=120,
        )  # fmt: skip
        samples = await asyncio.to_thread(sound.wav_samples, run.scratch / "speech.wav")
        digest = await self._assets.put(run.scratch / "speech.wav")
        return StepOutput(output={"digest": digest, "samples": samples}, blobs=(digest,))


def narration_spec(parts: Sequence[Mapping[str, Any]], *, end_s: float, priority: int, key_of: KeyOf) -> StepSpec:
    """The step that joins sentences; `parts` and `end_s` as `NarrationStep` has them."""
    args = {"parts": [dict(part) for part in parts], "end_s": end_s}
    key = key_of(KIND, args, CODE, "")
    return StepSpec(key=key, kind=KIND, args=args, label="io", timeout_s=300, priority=priority)


@dataclass(frozen=True, kw_only=True)
class Voicing:
    """How a narration is to be spoken. `language` None: the voice's own. `pronunciations` says how some words are to be
    said."""

    voice: str
    language: str | None
    speed: float
    pronunciations: Mapping[str, str]
    listener: Transcriber | None = None
    """Who writes down what was spoken, if that is wanted."""


async def speak(run: JobRun, scene: Scene, voicing: Voicing, engines: Sequence[SpeechEngine]) -> Speech:
    """Speak the scene with the best engine that has the voice; the next one takes over if it fails or cannot be heard.

    Raises: the last engine's error; UnknownVoice, LanguageUnsupported, ToolMissing.
    """
    if not engines:
        raise ToolMissing("no speech engine is installed")
    left = list(engines)
    failed: StepError | None = None
    unheard: Speech | None = None
    while left:
        try:
            chosen = resolve(voicing.voice, voicing.language, left)
        except (UnknownVoice, LanguageUnsupported):
            if failed is None:
                raise
            break
        engine, reason = chosen.engine, failed.detail if failed is not None else chosen.reason
        try:
            speech, heard = await _speak_with(run, scene, chosen, voicing)
        except StepError as error:
            failed = error
            left.remove(engine)
            continue
        if heard:
            if reason:
                used = f"{engine.name} {chosen.voice.id}"
                where = scene.index + 1 if failed is not None else None  # what did not fail here is so for all
                await run.substitute(
                    Substitution(
                        stage="narrating", scene=where, wanted=f"voice {voicing.voice}", used=used, reason=reason
                    )
                )
            return speech
        unheard, failed = unheard or speech, SpeechFailed(f"{engine.name} cannot be heard, twice")
        left.remove(engine)
    if unheard is not None:
        return unheard
    assert failed is not None
    raise failed


async def _speak_with(run: JobRun, scene: Scene, chosen: Resolved, voicing: Voicing) -> tuple[Speech, bool]:
    """The speech, and whether all of it can be heard."""
    language = voicing.language or chosen.voice.language
    spoken = await asyncio.to_thread(sentences, scene.written, language=language, pronunciations=voicing.pronunciations)
    try:
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(_speak_sentence(run, scene, one, chosen, language, voicing))
                for one in spoken.sentences
            ]
    except BaseExceptionGroup as failed:
        raise first_cause(failed) from failed
    outputs = [task.result() for task in asked]
    sayable = [output for one, output in zip(spoken.sentences, outputs, strict=True) if has_words(one.said)]
    if sayable and not any(output["readable"] for output in sayable):
        raise SpeechFailed("nothing in this text can be read in the language of the voice")
    for output in outputs:
        await _tell(run, scene, chosen, output)
    lead_s, pauses_s = _pauses_s(spoken, voicing.speed)
    parts = [
        {"digest": output["digest"], "pause_s": pause_s}
        for output, pause_s in zip(outputs, [lead_s, *pauses_s], strict=False)
    ]
    spec = narration_spec(parts, end_s=pauses_s[-1], priority=-scene.index, key_of=run.key)
    joined = await run.step(spec, stage="narrating", scene=scene.index)
    speech = Speech(
        digest=joined["digest"],
        samples=joined["samples"],
        engine=chosen.engine.name,
        voice=chosen.voice.id,
        words=_words(spoken, outputs, lead_s, pauses_s),
        silent_s=max((output["silent_s"] for output in sayable), default=0.0),
        pause_s=max([lead_s, *(one.pause_s for one in spoken.sentences if one.pause_kind == "asked")]),
    )
    return speech, all(output["heard"] for output in outputs)


async def _speak_sentence(
    run: JobRun, scene: Scene, sentence: Sentence, chosen: Resolved, language: str, voicing: Voicing
) -> dict[str, Any]:
    output: dict[str, Any] = {}
    for take in (1, 2):
        spec = speech_spec(
            sentence.said,
            engine=chosen.engine,
            voice=chosen.voice.id,
            language=language,
            speed=voicing.speed,
            take=take,
            priority=-scene.index,
            key_of=run.key,
        )
        output = await run.step(spec, stage="narrating", scene=scene.index)
        if output["flaw"] or voicing.listener is None or not has_words(sentence.said):
            break
        flaw = await _misheard(run, scene, sentence, output, language, voicing.listener)
        if not flaw:
            break
        output = {**output, "flaw": flaw}
    return output


async def _misheard(
    run: JobRun, scene: Scene, sentence: Sentence, output: Mapping[str, Any], language: str, listener: Transcriber
) -> str:
    """What is wrong with a sentence by what is heard in it; "" for nothing, or if it cannot be told."""
    if not listener.hears(language):
        return ""
    length_s = output["samples"] / output["rate_hz"]
    try:
        heard = await listen(run, output["digest"], length_s, listener, language=language, scene=scene.index)
    except StepError as error:
        await run.note(f"scene {scene.index + 1}: nobody could listen to a sentence: {error.detail}")
        return ""
    share = heard_share(script_times([sentence.said], heard.words, length_s, language=language))
    return f"only {share:.0%} of its words are heard in it" if share < LEAST_HEARD else ""


async def _tell(run: JobRun, scene: Scene, chosen: Resolved, output: Mapping[str, Any]) -> None:
    """What is not as it should be with a sentence."""
    if output["reason"]:
        used = f"{chosen.engine.name} as far as it went"
        await run.substitute(
            Substitution(stage="narrating", wanted=chosen.engine.name, used=used, reason=output["reason"])
        )
    if output["flaw"]:
        await run.substitute(
            Substitution(
                stage="narrating", scene=scene.index + 1, wanted="a sentence that sounds right", used="the best of two",
                reason=output["flaw"],
            )
        )  # fmt: skip


def _pauses_s(spoken: Narrated, speed: float) -> tuple[float, list[float]]:
    """The silence before the first sentence, and those after each."""
    pauses = [round(one.pause_s / speed if one.pause_kind == "calm" else one.pause_s, 4) for one in spoken.sentences]
    return spoken.lead_s, pauses


def _words(
    spoken: Narrated, outputs: Sequence[Mapping[str, Any]], lead_s: float, pauses_s: Sequence[float]
) -> tuple[Word, ...]:
    """The times of all words as they are written; () if the engine gave none for a sentence."""
    found: list[Word] = []
    at_s = lead_s
    for sentence, output, pause_s in zip(spoken.sentences, outputs, pauses_s, strict=True):
        said = [
            Word(text="", start_s=at_s + start_s, end_s=at_s + end_s, confidence=confidence)
            for start_s, end_s, confidence in output["words"]
        ]
        written = as_written(said, sentence.words, sentence.counts, glued=sentence.glued)
        if not written:
            return ()
        found += written
        at_s += output["samples"] / output["rate_hz"] + pause_s
    return tuple(replace(word, start_s=round(word.start_s, 4), end_s=round(word.end_s, 4)) for word in found)
