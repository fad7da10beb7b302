"""Footage that vidgend paints itself, for machines without stock footage: never fails, needs no network."""

from __future__ import annotations

from pathlib import Path

from vidgend.errors import ProviderError
from vidgend.models import Candidate, Credit
from vidgend.pipeline.footage.paint.words import VARIANTS, Lexicon
from vidgend.pipeline.footage.port import FootageQuery, SearchKind

LARGEST_AREA_PX = 1920 * 1088
"""Above this the picture is painted smaller and scaled up by the segment step: it is soft enough to bear it."""

_PALETTE_PHRASES = {
    "sunset": "at sunset", "sunrise": "at sunrise", "golden": "in golden light", "day": "by day", "night": "at night",
    "dusk": "at dusk", "storm": "in a storm", "winter": "in winter light", "autumn": "in autumn", "spring": "in spring",
    "fire": "in fiery light", "calm": "in calm colours", "mysterious": "in a mysterious light",
    "joyful": "in bright colours", "sad": "under a grey sky", "corporate": "in cool blue",
    "vintage": "in faded colours", "neutral": "in soft light", "tropical": "in tropical light",
}  # fmt: skip


class GeneratedFootage:
    """Offers paintings, best fit first, one for each composition of the theme that the query means.

    A candidate's recipe lacks `fps` and `frames`, which the segment step fills in; `width_px` and `height_px` are what
    the painter emits, at most 1920x1088 in area.
    """

    name = "generated"
    kinds: tuple[SearchKind, ...] = ("any",)
    identity = "generated"

    def __init__(self) -> None:
        self._lexicon = Lexicon()

    async def search(self, query: FootageQuery) -> tuple[Candidate, ...]:
        """At least one candidate, whatever the query: soft abstract colours where nothing else can be painted."""
        meaning = self._lexicon.read(
            query.text, context=query.context, setting=query.setting, mood=query.mood or "", seed=query.seed
        )
        width_px, height_px = emitted_size(query.width_px, query.height_px)
        found = []
        for variant in meaning.variants[: max(1, query.limit)]:
            seen, _ = VARIANTS[meaning.theme][variant]
            found.append(
                Candidate(
                    provider=self.name,
                    id=f"{meaning.theme}-{meaning.palette}-{variant}-{query.seed}",
                    kind="generated",
                    description=f"painted: {meaning.theme} {_PALETTE_PHRASES[meaning.palette]}, {seen}",
                    credit=Credit(provider=self.name, licence="no rights reserved: made by vidgend"),
                    recipe={
                        "theme": meaning.theme,
                        "palette": meaning.palette,
                        "variant": variant,
                        "seed": query.seed,
                        "style": query.style,
                        "width_px": width_px,
                        "height_px": height_px,
                    },
                )
            )
        return tuple(found)

    async def fetch(self, candidate: Candidate, *, width_px: int, height_px: int, path: Path) -> None:
        """There is no file to fetch. Raises: ProviderError."""
        raise ProviderError(f"{candidate.id} is painted while it is encoded; there is nothing to fetch")

    async def preview(self, candidate: Candidate, *, path: Path) -> Path:
        """There is no file to look at. Raises: ProviderError."""
        raise ProviderError(f"{candidate.id} is painted; there is nothing to fetch")

    async def aclose(self) -> None:
        return None


def emitted_size(width_px: int, height_px: int) -> tuple[int, int]:
    """The size the painter emits for a target: the same shape, even, not above LARGEST_AREA_PX."""
    shrink = 1
    while width_px * height_px > LARGEST_AREA_PX * shrink * shrink:
        shrink += 1
    return max(16, width_px // shrink // 2 * 2), max(16, height_px // shrink // 2 * 2)
