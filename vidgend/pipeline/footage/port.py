"""The footage port: a search in, candidates out; a candidate in, its file out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from vidgend.models import Candidate

SearchKind = Literal["any", "video", "photo"]


@dataclass(frozen=True, kw_only=True)
class FootageQuery:
    """What a scene needs. `text` is a search in the field's sense (a few words). The rest is for painted pictures:
    `context` is the scene's narration, `setting` what the whole video is about, `mood` and `style` give the colours;
    `seed` makes two equal queries differ."""

    text: str
    kind: SearchKind = "any"
    """One of the provider's `kinds`."""
    language: str = "en"
    """Of `text`, BCP-47. Stock sites describe their clips in English and find other languages by translation."""
    width_px: int
    height_px: int
    duration_s: float = 0.0
    context: str = ""
    setting: str = ""
    mood: str | None = None
    style: str = ""
    seed: int = 0
    limit: int = 15

    @property
    def orientation(self) -> Literal["landscape", "portrait", "square"]:
        if self.width_px == self.height_px:
            return "square"
        return "landscape" if self.width_px > self.height_px else "portrait"


class FootageProvider(Protocol):
    name: str
    identity: str
    """Part of the key under which search answers are kept: the provider and its address or folders."""
    kinds: tuple[SearchKind, ...]
    """What it can be asked for, one request each, what fits a video best first; `any` is all that it has at once."""

    async def search(self, query: FootageQuery) -> tuple[Candidate, ...]:
        """Candidates, best first; () if there is no match.

        Raises: ProviderUnauthorized, ProviderRateLimited, ProviderError, ProviderGarbage.
        """
        ...

    async def fetch(self, candidate: Candidate, *, width_px: int, height_px: int, path: Path) -> None:
        """Write the smallest rendition that covers width_px x height_px (cover-crop) to `path`, whole or not at all.

        Never called for generated candidates. Raises: ProviderError and its kin.
        """
        ...

    async def preview(self, candidate: Candidate, *, path: Path) -> Path:
        """A picture or video that shows what the candidate is, without fetching it: written to `path`, or a file that
        lies here anyway, which is only to be read. Nobody has looked into it.

        Never called for generated candidates. Raises: ProviderError and its kin, also if there is none.
        """
        ...

    async def aclose(self) -> None: ...
