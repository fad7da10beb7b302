"""Which of a candidate's files to take."""

from __future__ import annotations

from collections.abc import Iterable

from vidgend.models import Rendition


def smallest_cover(renditions: Iterable[Rendition], *, width_px: int, height_px: int) -> Rendition | None:
    """The smallest rendition that fills width_px x height_px by cropping alone, else the largest, else None.

    Scaling up is the only loss that shows, and larger files cost time and bytes: never 4K to render 1080p.
    """
    known = sorted(renditions, key=lambda item: item.width_px * item.height_px)
    for item in known:
        if item.width_px >= width_px and item.height_px >= height_px:
            return item
    return known[-1] if known else None
