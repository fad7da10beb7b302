"""The music port: a mood in, a track out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Track:
    """A music file."""

    path: Path
    title: str
    mood: str
    licence: str


class MusicLibrary(Protocol):
    name: str

    def moods(self) -> tuple[str, ...]: ...

    def pick(self, mood: str, *, seed: int) -> Track | None:
        """A track of that mood, else of the nearest one, chosen by `seed`; None if there is no music at all."""
        ...
