"""Voice -> text: what somebody said in a recording, each word with its time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from vidgend.models import Word
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.recording_to_voice import Voice
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.speech.voices import primary
from vidgend.pipeline.transcriber.port import Transcriber, Transcript
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import SAMPLE_RATE_HZ

KIND = "transcribe"
CODE = ("voice_to_text.py", "transcriber", "whisper")
_TRANSCRIPT = TypeAdapter(Transcript)


PART_S = (120.0, 240.0)
"""A recording is written down in parts of that length: the memory of a recogniser grows with what it hears at once."""


class TranscribeStep:
    """args: digest, language, parts ((start, end) in seconds) -> a Transcript"""

    def __init__(self, transcriber: Transcriber | None, assets: AssetStore) -> None:
        self._transcriber = transcriber
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        assert self._transcriber is not None, "nobody asks for it without one"
        path = await self._assets.local(args["digest"])
        words: list[Word] = []
        language, reason = args["language"], ""
        for number, (start_s, end_s) in enumerate(args["parts"], 1):
            timeout_s = _timeout_s(end_s - start_s)
            heard = await self._transcriber.transcribe(
                path, start_s=start_s, end_s=end_s, language=language, timeout_s=timeout_s
            )
            if heard.words:  # of silence no language can be told
                language, reason = heard.language, heard.reason
            words += heard.words
            run.progress(number / len(args["parts"]))
        transcript = Transcript(words=tuple(words), language=language or "en", reason=reason)
        return StepOutput(output=_TRANSCRIPT.dump_python(transcript, mode="json"))


def _timeout_s(length_s: float) -> float:
    """A large model on a slow machine takes several seconds for one of speech."""
    return 600 + 10 * length_s


def parts_of(
    length_s: float, pauses: Sequence[tuple[float, float]], hushes: Sequence[float]
) -> list[tuple[float, float]]:
    """A recording in parts of PART_S, cut in the middle of their longest pauses; where there is none, at the last of
    the quietest moments. Of these there is one in every minute (`hushes_of`), so one in every such part."""
    shortest_s, longest_s = PART_S
    edges = [0.0]
    while length_s - edges[-1] > longest_s:
        low_s, high_s = edges[-1] + shortest_s, edges[-1] + longest_s
        within = [(end - start, (start + end) / 2) for start, end in pauses if low_s <= start and end <= high_s]
        edges.append(max(within)[1] if within else max(at for at in hushes if at <= high_s))
    return list(itertools.pairwise([*edges, length_s]))


async def transcribe(run: JobRun, voice: Voice, transcriber: Transcriber, *, language: str | None) -> Transcript:
    """What is said in a voice; `language` None: as it is heard. Raises: StepError, StepTimeout."""
    length_s = voice.samples / SAMPLE_RATE_HZ
    parts = parts_of(length_s, voice.pauses, voice.hushes)
    # Everything else waits for it.
    spec = _spec(run, voice.digest, parts, transcriber, language=language, length_s=length_s, priority=1)
    heard = _TRANSCRIPT.validate_python(await run.step(spec, stage="planning"))
    return replace(heard, language=language or heard.language)


async def listen(
    run: JobRun, digest: str, length_s: float, transcriber: Transcriber, *, language: str, scene: int
) -> Transcript:
    """What is heard in a sentence that a voice spoke. Raises: StepError, StepTimeout."""
    parts = [(0.0, length_s)]
    spec = _spec(run, digest, parts, transcriber, language=language, length_s=length_s, priority=-scene)
    return _TRANSCRIPT.validate_python(await run.step(spec, stage="narrating", scene=scene))


def _asked(transcriber: Transcriber, language: str | None) -> str | None:
    """The language as a recogniser is asked for it: without the region, and the only one that it hears unnamed too. So
    the same words are not written down twice."""
    only = transcriber.languages
    if language is None:
        return only[0] if only is not None and len(only) == 1 else None
    return primary(language)


def _spec(
    run: JobRun,
    digest: str,
    parts: Sequence[tuple[float, float]],
    transcriber: Transcriber,
    *,
    language: str | None,
    length_s: float,
    priority: int,
) -> StepSpec:
    args: dict[str, Any] = {"digest": digest, "language": _asked(transcriber, language), "parts": parts}
    return StepSpec(
        key=run.key(KIND, args, CODE, transcriber.identity),
        kind=KIND,
        args={**args, "length_s": length_s},
        label=transcriber.label,
        priority=priority,
        timeout_s=_timeout_s(length_s) + 600,
        stall_s=0,  # within a part the recogniser does not say how far it is
        max_attempts=2,
    )
