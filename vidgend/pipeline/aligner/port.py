"""The aligner port: a spoken WAV and the script's words in, the words with times out."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from vidgend.models import Words
from vidgend.pipeline.executor.port import Label


class Aligner(Protocol):
    name: str
    identity: str
    label: Label
    """The resource that it holds while it works: `gpu`, `cpu`, or `io` where it costs nothing."""

    def hears(self, language: str) -> bool:
        """Whether it is worth asking for this language."""
        ...

    async def align(self, wav: Path, words: tuple[str, ...], *, language: str, timeout_s: float) -> Words:
        """Times for `words`, in order, monotonic and inside the audio. The spelling is never changed.

        `wav` is mono 48 kHz PCM. Raises: StepError, StepTimeout.
        """
        ...

    async def aclose(self) -> None:
        """End what it keeps running and in memory. One that works on the `gpu` or `cpu` may be asked again."""
        ...
