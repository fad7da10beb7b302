"""The music port: a mood in, tracks out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Track:
    """A music file."""

    path: Path
    place: str
    """Where it is in the library, whatever that itself is: "calm/waves.mp3"."""
    title: str
    mood: str
    licence: str
    author: str = ""
    page_url: str = ""
    licence_url: str = ""
    fits: bool = True
    """Whether it is of the mood that was asked for, not just of the nearest one."""


class MusicLibrary(Protocol):
    name: str

    def moods(self) -> tuple[str, ...]: ...

    def tracks(self, mood: str, *, seed: int) -> tuple[Track, ...]:
        """All tracks of that mood, else of the nearest one, in the order in which `seed` has them played; () if there
        is no music at all."""
        ...
