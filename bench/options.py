"""What the commands of the bench have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """`footage`: a folder of videos; None makes some. `pairs` is how often things are measured, `quick` says that
    sizes and lengths may be small."""

    footage: Path | None = None
    pairs: int = 5
    quick: bool = False
    moviepy: str = ""
    """A Python that has MoviePy; "" for the one that runs."""

    @property
    def quality_scenes(self) -> int:
        return 4 if self.quick else 10
