"""The transcriber port: a recording in, what is said in it out, with the time of every word.

Unlike an aligner it writes the text. So it is asked only where somebody speaks: in a voice-over.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vidgend.models import Word
from vidgend.pipeline.executor.port import Label


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """`words` as they are heard, with punctuation, monotonic and inside the recording; `glued` where no space is
    written before. `language` is a BCP-47 tag, the one that was asked for or the one that was heard. `reason` tells of
    a smaller model than was asked for, or is ""."""

    words: tuple[Word, ...]
    language: str
    reason: str = ""


class Transcriber(Protocol):
    name: str
    identity: str
    label: Label
    """The resource that it holds while it works: `gpu` or `cpu`."""
    languages: tuple[str, ...] | None
    """The only ones that it hears (primary subtags); None: it knows many and tells them apart."""

    def hears(self, language: str) -> bool:
        """Whether it knows this language (BCP-47)."""
        ...

    async def transcribe(
        self, wav: Path, *, start_s: float, end_s: float, language: str | None, timeout_s: float
    ) -> Transcript:
        """What is said from `start_s` to `end_s` of a mono 48 kHz PCM WAV; times count from the start of the file.

        `language` None: it is to be told by the sound. No words: nobody speaks.

        Raises: StepError, StepTimeout.
        """
        ...

    async def aclose(self) -> None:
        """End what it keeps running and in memory. It may be asked again."""
        ...
