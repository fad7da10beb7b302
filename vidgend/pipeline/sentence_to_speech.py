"""One sentence -> speech: the engine speaks it, it is listened to, and spoken once more if it cannot be right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidgend.models import Word
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.speech.speech_checks import flaw_of, silence_limit_s
from vidgend.store.assets.store import AssetStore

KIND = "speech"
CODE = ("sentence_to_speech.py", "speech")
TAKES = 2

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
    key = key_of(KIND, args, CODE, engine.identity)
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
    path: Path
    samples: int
    rate_hz: int
    words: tuple[Word, ...]
    silent_s: float
    heard: bool
    flaw: str
    reason: str


class SpeechStep:
    """args: engine, voice, language, speed, text (what is said) -> digest (WAV, mono, at the engine's rate_hz),
    samples, words (of what was said, [start_s, end_s, confidence] each, or none), the longest silence in s, heard (or
    not), flaw (what is wrong with it, or nothing), reason (why it was not made as the engine should, or nothing)"""

    def __init__(self, engines: Sequence[SpeechEngine], assets: AssetStore) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        take = await self._speak(args, run.scratch / "take-1.wav")
        for number in range(2, TAKES + 1):
            if not take.flaw:
                break
            again = await self._speak(args, run.scratch / f"take-{number}.wav")
            take = again if again.heard or not take.heard else take
        digest = await self._assets.put(take.path)
        output = {
            "digest": digest,
            "samples": take.samples,
            "rate_hz": take.rate_hz,
            "words": [[word.start_s, word.end_s, word.confidence] for word in take.words],
            "silent_s": take.silent_s,
            "heard": take.heard,
            "flaw": take.flaw,
            "reason": take.reason,
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
        silent_s, heard, flaw = await asyncio.to_thread(_listen, path, args)
        return _Take(
            path=path,
            samples=said.samples,
            rate_hz=said.rate_hz,
            words=said.words,
            silent_s=silent_s,
            heard=heard,
            flaw=flaw,
            reason=said.reason,
        )


def _listen(path: Path, args: dict[str, Any]) -> tuple[float, bool, str]:
    """The longest silence in seconds, whether it can be heard, and what is wrong."""
    samples, rate_hz = sound.read_wav(path)
    silences = sound.pauses(samples, rate_hz, 0.0)
    silent_s = round(max(end_s - start_s for start_s, end_s in silences), 3)
    heard = silent_s <= silence_limit_s(len(samples) / rate_hz) or not any(char.isalnum() for char in args["text"])
    flaw = flaw_of(args["text"], samples, rate_hz, silent_s=silent_s, speed=args["speed"])
    return silent_s, heard, flaw
