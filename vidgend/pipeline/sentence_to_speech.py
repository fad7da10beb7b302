"""One sentence -> speech: the engine speaks it, it is listened to, and spoken once more if it cannot be right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vidgend.errors import StepError
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.port import SpeechEngine, Utterance
from vidgend.pipeline.speech.speech_checks import flaw_of, letters_said, silence_limit_s
from vidgend.store.assets.store import AssetStore

KIND = "speech"
CODE = ("sentence_to_speech.py", "speech")
NUM2WORDS = version("num2words")
"""It says the numbers."""

KeyOf = Callable[[str, dict[str, Any], tuple[str, ...], str], str]
"""(kind, args, code, identity) -> the key of a step."""


def speech_spec(
    said: str,
    *,
    engine: SpeechEngine,
    voice: str,
    language: str,
    speed: float,
    priority: int,
    key_of: KeyOf,
    take: int = 1,
) -> StepSpec:
    """The step in which an engine says a sentence; for the second time, where `take` says so."""
    args: dict[str, Any] = {"engine": engine.name, "voice": voice, "language": language, "speed": speed, "text": said}
    if take > 1:
        args["take"] = take  # another key
    key = key_of(KIND, args, CODE, f"{engine.identity}/num2words {NUM2WORDS}")
    # Slow machines: 2 s of work for a second of speech, at about 14 characters a second, and all of it twice.
    args["timeout_s"] = 120.0 + len(said) / 14 * 6
    return StepSpec(
        key=key,
        kind=KIND,
        args=args,
        label=engine.label,
        timeout_s=2 * args["timeout_s"] + 600,
        max_attempts=2,
        priority=priority,
    )


@dataclass(frozen=True, kw_only=True)
class _Take:
    said: Utterance
    silent_s: float
    heard: bool
    flaw: str

    @property
    def worth(self) -> tuple[bool, bool]:
        return self.heard, not self.flaw


class SpeechStep:
    """args: engine, voice, language, speed, text (what is said) -> digest (WAV, mono, at the engine's rate_hz),
    samples, words (of what was said, [start_s, end_s, confidence] each, or none), the longest silence in s, readable
    and heard (or not), flaw (what is wrong with it, or nothing), reason (why it was not made as the engine should, or
    nothing)"""

    def __init__(self, engines: Sequence[SpeechEngine], assets: AssetStore) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        take = await self._speak(args, run.scratch / "first.wav")
        if take.flaw and take.said.readable:
            try:
                again = await self._speak(args, run.scratch / "second.wav")
                take = max(take, again, key=lambda one: one.worth)
            except StepError:
                if not take.heard:
                    raise
        said = take.said
        digest = await self._assets.put(said.path)
        output = {
            "digest": digest,
            "samples": said.samples,
            "rate_hz": said.rate_hz,
            "words": [[word.start_s, word.end_s, word.confidence] for word in said.words],
            "silent_s": take.silent_s,
            "readable": said.readable,
            "heard": take.heard,
            "flaw": take.flaw,
            "reason": said.reason,
        }
        return StepOutput(output=output, blobs=(digest,))

    async def _speak(self, args: dict[str, Any], path: Path) -> _Take:
        said = await self._engines[args["engine"]].synthesize(
            args["text"],
            voice=args["voice"],
            language=args["language"],
            speed=args["speed"],
            path=path,
            timeout_s=args["timeout_s"],
        )
        if not said.readable:
            return _Take(said=said, silent_s=0.0, heard=True, flaw="nothing in it is in the language of the voice")
        return await asyncio.to_thread(_listened, said, args)


def _listened(said: Utterance, args: dict[str, Any]) -> _Take:
    samples, rate_hz = sound.read_wav(said.path)
    silences = sound.pauses(samples, rate_hz, 0.0)
    silent_s = round(max(end_s - start_s for start_s, end_s in silences), 3)
    letters = letters_said(args["text"], args["language"])
    return _Take(
        said=said,
        silent_s=silent_s,
        heard=not letters or silent_s <= silence_limit_s(len(samples) / rate_hz),
        flaw=flaw_of(letters, samples, rate_hz, silent_s=silent_s, speed=args["speed"]),
    )
