"""The aligner port: a spoken WAV and the script's words in, the words with times out."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from vidgend.models import Words


class Aligner(Protocol):
    name: str
    identity: str

    async def align(self, wav: Path, words: tuple[str, ...], *, language: str, timeout_s: float) -> Words:
        """Times for `words`, in order, monotonic and inside the audio. The spelling is never changed.

        `wav` is mono 48 kHz PCM. Raises: StepError, StepTimeout.
        """
        ...

    async def aclose(self) -> None: ...
