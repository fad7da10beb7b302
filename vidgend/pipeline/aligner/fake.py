"""An aligner for tests: equal slots over the whole sound. Deterministic, never a default."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

from vidgend.errors import StepError
from vidgend.models import Word, Words
from vidgend.pipeline.executor.port import Label


class FakeAligner:
    """Every word gets the same time. With `fail` each request raises StepError with that detail; `requests` counts.
    With `english_only` it is not to be asked about other languages."""

    name = "fake"
    identity = "fake"
    label: Label = "io"

    def __init__(self, *, fail: str = "", english_only: bool = False) -> None:
        self.requests = 0
        self._fail = fail
        self._english_only = english_only

    def hears(self, language: str) -> bool:
        return not self._english_only or language.startswith("en")

    async def align(self, wav: Path, words: tuple[str, ...], *, language: str, timeout_s: float) -> Words:
        """See Aligner. Raises: StepError."""
        self.requests += 1
        if self._fail:
            raise StepError(self._fail)
        length_s = await asyncio.to_thread(_length_s, wav)
        slot_s = length_s / max(1, len(words))
        return Words(
            source="whisper",
            words=tuple(
                Word(text=word, start_s=index * slot_s, end_s=min(length_s, (index + 1) * slot_s))
                for index, word in enumerate(words)
            ),
        )

    async def aclose(self) -> None:
        """Nothing to close."""


def _length_s(wav: Path) -> float:
    with wave.open(str(wav), "rb") as file:
        return file.getnframes() / file.getframerate()
