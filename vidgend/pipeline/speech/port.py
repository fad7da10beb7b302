"""The speech port: text in, a mono WAV and the engine's own word times out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from vidgend.models import Word


@dataclass(frozen=True, kw_only=True)
class Voice:
    """A voice that an engine can speak with. `id` is the engine's own name, `tags` the guide's forms for it."""

    id: str
    engine: str
    language: str
    """BCP-47, such as `en-US`."""
    gender: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """What an engine made: a WAV at `path`, mono, at the engine's own rate; `words` are the text's own words
    (split at white space, spelled as written) with times in seconds from the start, or () where it gives none."""

    path: Path
    samples: int
    rate_hz: int
    words: tuple[Word, ...]
    readable: bool = True
    """False: the text has letters, and none of them belongs to the language of the voice. Then this is silence."""
    reason: str = ""
    """Why it was not made as the engine should (on the CPU, since the GPU's memory is full), or ""."""


class SpeechEngine(Protocol):
    """One engine. `identity` names what changes its sound besides our own code (engine, model hash): it is part of the
    key under which finished speech is kept."""

    name: str
    identity: str
    blends: bool
    """Whether it speaks with mixtures of its voices (`blend.py`)."""

    @property
    def label(self) -> Literal["gpu", "cpu", "net"]:
        """What it works on, so which slots bound how much of it runs at once."""
        ...

    def voices(self) -> tuple[Voice, ...]:
        """All voices; no model is loaded for this."""
        ...

    async def synthesize(
        self, text: str, *, voice: str, language: str, speed: float, path: Path, timeout_s: float
    ) -> Utterance:
        """Speak `text` with the voice id `voice` into `path` (WAV, 16-bit PCM). `speed` 1.0 is normal, 0.5..2.

        Raises: SpeechFailed, StepTimeout.
        """
        ...

    async def aclose(self) -> None:
        """End what it keeps running and in memory. One that works on the `gpu` or `cpu` may be asked again."""
        ...
