"""What of a search answer can be used at all. Which of it fits best is not decided here."""

from __future__ import annotations

from collections.abc import Sequence

from vidgend.models import Candidate
from vidgend.pipeline.footage.port import FootageQuery

MOST_ENLARGED = 4.0
"""A picture that would have to be blown up more than this is none: 480x270 still serves Full HD, badly."""
LEAST_S = 1.0


def usable(candidates: Sequence[Candidate], query: FootageQuery) -> tuple[Candidate, ...]:
    """In the service's own order, but the wished shape first, and of one shape those that last long enough; without
    what is far too small or shorter than a second."""
    fit = [one for one in candidates if _enlarged(one, query) <= MOST_ENLARGED and not _blink(one)]
    return tuple(sorted(fit, key=lambda one: (_shape(one) != query.orientation, _short(one, query))))


def _enlarged(candidate: Candidate, query: FootageQuery) -> float:
    """How many times the largest file is enlarged to fill the picture; 0 where its size is not known."""
    if not candidate.width_px or not candidate.height_px:
        return 0.0
    return max(query.width_px / candidate.width_px, query.height_px / candidate.height_px)


def _blink(candidate: Candidate) -> bool:
    return candidate.duration_s is not None and candidate.duration_s < LEAST_S


def _short(candidate: Candidate, query: FootageQuery) -> bool:
    return candidate.duration_s is not None and candidate.duration_s < query.duration_s


def _shape(candidate: Candidate) -> str:
    if candidate.width_px == candidate.height_px:
        return "square"
    return "landscape" if candidate.width_px > candidate.height_px else "portrait"
