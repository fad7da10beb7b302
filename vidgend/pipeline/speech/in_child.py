"""A speech engine whose model lives in a child process: the parent's half, the same for all of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from vidgend.children import JsonService
from vidgend.errors import SpeechFailed
from vidgend.models import Word
from vidgend.pipeline.model_ladder import ModelLadder, Rung
from vidgend.pipeline.speech.blend import parse_blend
from vidgend.pipeline.speech.port import Utterance, Voice

SLOWEST, FASTEST = 0.5, 2.0
SHORT_SYMBOLS = 100
"""In one call of a model, where memory is short: a quarter of the usual, some 0.2 GB less."""


class SpeechInChild:
    """Implements SpeechEngine over `python -m vidgend.pipeline.speech.child`.

    `on_cpu` are the options with which it runs where the memory of a GPU is not enough. The child starts with the first
    request and keeps its model. Cancelling a request ends it, as a model cannot be
    told to stop in the middle of its work; the next request starts a new one.
    """

    def __init__(
        self,
        *,
        name: str,
        identity: str,
        label: Literal["gpu", "cpu"],
        voices: Sequence[Voice],
        options: Sequence[str],
        on_cpu: Sequence[str] | None = None,
        blends: bool = False,
    ) -> None:
        self.name = name
        self.identity = f"{name}:{identity}"
        self.blends = blends
        self.label: Literal["gpu", "cpu"] = label
        self._voices = tuple(voices)
        argv = (sys.executable, "-m", "vidgend.pipeline.speech.child", name)
        ways = [(options, ""), ((*options, "--longest", str(SHORT_SYMBOLS)), "its memory was full: shorter pieces")]
        if on_cpu is not None:
            ways.append((on_cpu, "the memory of the GPU was full: on the CPU"))
        self._model = ModelLadder(
            [
                Rung(
                    service=JsonService((*argv, *more), name=f"speech engine {name}", failure=SpeechFailed),
                    reason=reason,
                )
                for more, reason in ways
            ]
        )

    def voices(self) -> tuple[Voice, ...]:
        return self._voices

    async def synthesize(
        self, text: str, *, voice: str, language: str, speed: float, path: Path, timeout_s: float
    ) -> Utterance:
        """See SpeechEngine. Raises: SpeechFailed, OutOfMemory, StepTimeout."""
        for name, _ in (parse_blend(voice) if self.blends else None) or ((voice, 1.0),):
            check_request(self.name, self._voices, text, voice=name, speed=speed)
        answer, reason = await self._model.request(
            {"text": text, "voice": voice, "language": language, "speed": speed, "path": str(path.absolute())},
            timeout_s=timeout_s,
        )
        written = text.split()
        spans = answer["spans"]
        if spans and len(spans) != len(written):
            raise SpeechFailed(f"{self.name} answered {len(spans)} word times for {len(written)} words")
        words = tuple(
            Word(text=word, start_s=start, end_s=end) for word, (start, end) in zip(written, spans or (), strict=False)
        )
        return Utterance(
            path=path,
            samples=answer["samples"],
            rate_hz=answer["rate_hz"],
            words=words,
            readable=answer["readable"],
            reason=reason,
        )

    async def aclose(self) -> None:
        await self._model.aclose()


def check_request(engine: str, voices: Sequence[Voice], text: str, *, voice: str, speed: float) -> None:
    """Raises: SpeechFailed for what no engine can do."""
    if not text.strip():
        raise SpeechFailed("there is no text to speak")
    if not SLOWEST <= speed <= FASTEST:
        raise SpeechFailed(f"speed {speed:g} is outside {SLOWEST:g} to {FASTEST:g}")
    if all(voice != known.id for known in voices):
        raise SpeechFailed(f"{engine} has no voice {voice!r}")
