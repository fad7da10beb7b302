"""Candidates -> their order for a scene, each with what speaks for and against it. Pure but for the similarity."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vidgend.models import Candidate
from vidgend.pipeline.footage.renditions import smallest_cover
from vidgend.pipeline.relevance.port import FLOOR, MAX_TEXT_CHARS, Ranked, TextSimilarity, Wish, described

NARRATION = 0.6
"""Of the fit; the rest is the best of the searches. Measured on bench/relevance (dev): the searches of the built-in
planner alone find the right clip half as often, the narration alone is led astray by figures of speech. A planner that
writes good searches loses nothing: they say the same."""
QUERY_WORTH = (1.0, 0.95, 0.85)
"""Of a scene's searches, in their order; the later ones are wider."""
SHOWN_CHARS = 60


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Points besides the fit, whose own range is 0..1. Small: they decide between clips that fit about as well."""

    video: float = 0.03
    """A photo moves only by what is done to it."""
    painted: float = -0.10
    """A painting is held against clips only where none fits; one that fits as well is better than a painting."""
    cropped: float = -0.10
    """For all of the picture cut away to fill the frame; a portrait clip in a landscape frame loses two thirds."""
    enlarged: float = -0.12
    """For all of its sharpness lost by scaling up; 540 lines for 1080 lose half of it."""
    wasteful: float = -0.01
    """A file of more than four times the pixels that are shown, if there is no smaller one: it is slow to fetch."""
    short: float = -0.10
    """For all of the time that is missing; what is missing is slowed down or shown again."""
    colour: float = 0.03
    """From -1 for the opposite of the clips beside it to 1 for the same."""
    recent: float = -0.25
    """Shown in the owner's last video: an equal clip is preferred, a worse one that fits as well."""
    order: float = 0.02
    """For the first of the provider's answer, falling to 0: it knows its pictures, of which we only see the titles."""


WEIGHTS = Weights()
_WASTE = 4.0
_RGB = re.compile(r"#[0-9a-fA-F]{6}")
_FAR_LAB = 50.0
"""A distance in CIELAB at which two colours have nothing in common: half of that from black to white."""

Name = tuple[str, str]


async def rank(
    similarity: TextSimilarity, wish: Wish, candidates: Sequence[tuple[str, Candidate]], *, weights: Weights = WEIGHTS
) -> tuple[Ranked, ...]:
    """The candidates of all searches of a scene, each as (search, candidate), in the order of the answers; best first.

    A candidate that several searches found is ranked once. Among equals the order of the answers counts. Asks the
    similarity once. Raises: what it raises.
    """
    distinct: dict[Name, Candidate] = {}
    for _, candidate in candidates:
        distinct.setdefault((candidate.provider, candidate.id), candidate)
    if not distinct:
        return ()
    found = tuple(distinct.values())
    first = _first_search(candidates)
    searches = searches_of(wish)
    wanted = wanted_of(wish)
    rows = await similarity.compare(wanted, [described(candidate) for candidate in found]) if wanted else []
    places = _places(candidates)
    ranked = []
    for number, candidate in enumerate(found):
        column = [row[number] for row in rows]
        fit, place = mixed_fit(column[: len(searches)], column[len(searches) :])
        name = (candidate.provider, candidate.id)
        parts = [("words", fit), *_points(candidate, wish, weights), ("provider's order", weights.order * places[name])]
        shown = sorted((part for part in parts if round(part[1], 4)), key=lambda part: -abs(part[1]))
        ranked.append(
            Ranked(
                candidate=candidate,
                query=searches[place] if searches else first[name],
                score=round(sum(points for _, points in parts), 4),
                fit=round(fit, 4),
                parts=tuple((reason, round(points, 4)) for reason, points in shown),
            )
        )
    return tuple(sorted(ranked, key=lambda one: -one.score))


def searches_of(wish: Wish) -> tuple[str, ...]:
    """The searches of a scene, each once."""
    return tuple(dict.fromkeys(filter(None, (query.strip() for query in wish.queries))))


def wanted_of(wish: Wish) -> list[str]:
    """The texts that candidates are held against: the searches, then the narration if there is one."""
    return [_within(wish.about, text) for text in (*searches_of(wish), wish.narration) if text.strip()]


def _within(about: str, text: str) -> str:
    """A text in the light of what the video is about. The text comes first, so that it is not what is cut."""
    parts = (" ".join(part.split()).rstrip(". ") for part in (text, about))
    return ". ".join(filter(None, parts))[:MAX_TEXT_CHARS]


def mixed_fit(queries: Sequence[float], narration: Sequence[float]) -> tuple[float, int]:
    """How well all fits, of the fits to the searches and to the narration, and the number of the best search."""
    worth = [fit * QUERY_WORTH[min(number, len(QUERY_WORTH) - 1)] for number, fit in enumerate(queries)]
    place = max(range(len(worth)), key=worth.__getitem__, default=0)
    if not narration:
        return max(worth, default=0.0), place
    if not worth:
        return narration[0], place
    return NARRATION * narration[0] + (1 - NARRATION) * worth[place], place


def _first_search(candidates: Iterable[tuple[str, Candidate]]) -> dict[Name, str]:
    found: dict[Name, str] = {}
    for query, candidate in candidates:
        found.setdefault((candidate.provider, candidate.id), query)
    return found


def _places(candidates: Sequence[tuple[str, Candidate]]) -> dict[Name, float]:
    """Where each stood in the best of its answers: 1 for the first, falling to 0."""
    lengths = Counter((query, candidate.provider) for query, candidate in candidates)
    seen: Counter[tuple[str, str]] = Counter()
    places: dict[Name, float] = {}
    for query, candidate in candidates:
        answer = (query, candidate.provider)
        place = 1 - seen[answer] / lengths[answer]
        seen[answer] += 1
        name = (candidate.provider, candidate.id)
        places[name] = max(place, places.get(name, 0.0))
    return places


def _points(candidate: Candidate, wish: Wish, weights: Weights) -> list[tuple[str, float]]:
    points = []
    if candidate.kind == "video":
        points.append(("it moves", weights.video))
    elif candidate.kind == "generated":
        points.append(("painted", weights.painted))
    width_px, height_px = _size(candidate)
    if width_px and height_px and wish.width_px and wish.height_px:
        kept = (width_px / height_px) / (wish.width_px / wish.height_px)
        points.append(("cut to the frame", weights.cropped * (1 - min(kept, 1 / kept))))
        enlarged = max(wish.width_px / width_px, wish.height_px / height_px)
        points.append(("too few pixels", weights.enlarged * (1 - min(1.0, 1 / enlarged))))
        taken = smallest_cover(candidate.renditions, width_px=wish.width_px, height_px=wish.height_px)
        area = (taken.width_px * taken.height_px if taken else 0) / (wish.width_px * wish.height_px)
        points.append(("a larger file than needed", weights.wasteful if area > _WASTE else 0.0))
    if candidate.kind == "video" and candidate.duration_s is not None and wish.need_s > 0:
        missing = max(0.0, 1 - candidate.duration_s / wish.need_s)
        points.append(("too short", weights.short * missing))
    points.append(
        ("colour beside its neighbours", weights.colour * _continuity(candidate.average_rgb, wish.beside_rgb))
    )
    lately = (wish.recent or {}).get((candidate.provider, candidate.id), 0.0)
    points.append(("shown lately", weights.recent * min(1.0, max(0.0, lately))))
    return points


def _size(candidate: Candidate) -> tuple[int, int]:
    """As shown, of the largest file; (0, 0) where nobody knows."""
    if candidate.width_px and candidate.height_px:
        return candidate.width_px, candidate.height_px
    largest = max(candidate.renditions, key=lambda item: item.width_px * item.height_px, default=None)
    return (largest.width_px, largest.height_px) if largest is not None else (0, 0)


def _continuity(colour: str | None, beside: Iterable[str]) -> float:
    """-1..1: how near an average colour is to those beside it; 0 where that is not known."""
    if colour is None or not _RGB.fullmatch(colour):
        return 0.0
    own = lab_of(colour)
    distances = [math.dist(own, lab_of(rgb)) for rgb in beside if _RGB.fullmatch(rgb)]
    if not distances:
        return 0.0
    return 1 - 2 * min(1.0, sum(distances) / len(distances) / _FAR_LAB)


def lab_of(rgb: str) -> tuple[float, float, float]:
    """CIELAB (D65) of an sRGB colour `#rrggbb`: equal distances look about equally large.

    Source: IEC 61966-2-1 for sRGB, CIE 15 for L*a*b*.
    """
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (int(rgb[at : at + 2], 16) / 255 for at in (1, 3, 5))
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116 for value in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def explain(ranked: Sequence[Ranked], *, by: str) -> str:
    """One sentence: why the first one, and what came second and third. `by` is the similarity's name."""
    if not ranked:
        return "nothing was found"
    best, others = ranked[0], ranked[1:3]
    verb = "fits" if best.fits else f"is the nearest to be had, below {FLOOR:g}, for"
    text = f'{_shown(best)} {verb} "{_cut(best.query)}" {best.fit:.2f} ({by})'
    against = [f"{reason} {points:+.2f}" for reason, points in best.parts if reason != "words" and abs(points) >= 0.03]
    if against:
        text += f", {', '.join(against)}"
    for place, other in zip(("second", "third"), others, strict=False):
        text += f"; {place}: {_shown(other)} {other.fit:.2f}"
        if other.fit > best.fit and (reason := min(other.parts, key=lambda part: part[1]))[1] < 0:
            text += f", {reason[0]} {reason[1]:+.2f}"
    return text


def _shown(ranked: Ranked) -> str:
    candidate = ranked.candidate
    return f'{candidate.provider} {_cut(candidate.id)} "{_cut(candidate.description)}"'


def _cut(text: str) -> str:
    """On one line and short: it comes from outside."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= SHOWN_CHARS else f"{line[: SHOWN_CHARS - 1]}…"
