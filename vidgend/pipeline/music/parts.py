"""What a music file is made of: where it can be heard, where it is at full strength, where it can be cut in time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from vidgend.pipeline.music.beats import RATE_HZ, Array, Beats, find_beats
from vidgend.timebase import SAMPLE_RATE_HZ

SCALE = SAMPLE_RATE_HZ // RATE_HZ
FRAME = RATE_HZ // 20
"""Samples of one level: 50 ms."""
FRAME_S = FRAME / RATE_HZ
QUIET_DB = -45.0
"""Below the loud parts of a track: silence around it, and noise of old tapes."""
SILENT_DB = -60.0
"""In dBFS; below this nothing is music."""
STEADY_S = 2.0
JOINED_S = 3.5
"""No hole may be closer to where music is joined on: a little longer than the longest fade."""
WEAK_DB = -3.0
"""Below the track's usual level, over STEADY_S: a fade-in or a fade-out, where no other music may be joined on."""
MOST_WEAK = 0.3
"""Share of a track that may be left out at either end for being weak; music that swells is left as it is."""
PART_S = 45.0
"""Longer tracks are cut into parts of about this length; shorter ones are one part, and two only if played alone."""
MOST_PARTS = 12
SHORTEST_PART_S = 8.0
BAR_BEATS = 4
_HOLE = 8
"""Levels over which a hole is looked for: 0.4 s, as loudness meters do."""
UNNOTICED_DB = 5.0
"""Music is never of one level; a hole is deeper than this."""


@dataclass(frozen=True, kw_only=True)
class TrackParts:
    """A track, in samples at 48 kHz. It is heard from `first` to `last`; its parts lie between neighbours in `cuts`.

    `beat` is from beat to beat, None without a clear beat; then `cuts` are not on any.
    """

    first: int
    last: int
    cuts: tuple[int, ...]
    beat: float | None


def find_parts(blocks: Callable[[], Iterator[Array]]) -> TrackParts | None:
    """`blocks` gives the sound from its beginning, mono at RATE_HZ, -1..1, each time it is called. None for silence."""
    levels_db = _levels(blocks())
    if not len(levels_db):
        return None
    loud_db = float(np.percentile(levels_db, 95))
    heard = np.flatnonzero(levels_db > max(SILENT_DB, loud_db + QUIET_DB))
    if not len(heard):
        return None
    first_s, last_s = heard[0] * FRAME_S, (heard[-1] + 1) * FRAME_S
    body = _body(levels_db[heard[0] : heard[-1] + 1])
    beats = find_beats(blocks())
    places = _cuts(first_s + body[0], first_s + body[1], beats, _Steadiness(levels_db))
    return TrackParts(
        first=round(first_s * SAMPLE_RATE_HZ),
        last=round(last_s * SAMPLE_RATE_HZ),
        cuts=tuple(round(place * SAMPLE_RATE_HZ) for place in places),
        beat=beats.period_s * SAMPLE_RATE_HZ if beats else None,
    )


def _levels(blocks: Iterator[Array]) -> Array:
    """The level of each FRAME, in dBFS."""
    rest = np.zeros(0, np.float32)
    found: list[Array] = []
    for block in blocks:
        rest = np.concatenate([rest, block])
        count = len(rest) // FRAME
        frames = rest[: count * FRAME].reshape(count, FRAME)
        found.append((10 * np.log10((frames**2).mean(axis=1) + 1e-12)).astype(np.float32))
        rest = rest[count * FRAME :].copy()
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def _body(levels_db: Array) -> tuple[float, float]:
    """From where to where a track is at full strength, in seconds from where it can be heard."""
    wide = round(STEADY_S / FRAME_S)
    length_s = len(levels_db) * FRAME_S
    if len(levels_db) < 4 * wide:
        return 0.0, length_s
    power = np.convolve(10 ** (levels_db / 10), np.ones(wide) / wide, "valid")
    strong = np.flatnonzero(power >= np.median(power) * 10 ** (WEAK_DB / 10))
    start_s = float(strong[0]) * FRAME_S
    end_s = float(strong[-1] + wide) * FRAME_S
    return (
        start_s if start_s <= MOST_WEAK * length_s else 0.0,
        end_s if end_s >= (1 - MOST_WEAK) * length_s else length_s,
    )


class _Steadiness:
    """How deep the holes are in the levels around a place: where music is joined on, there should be none."""

    def __init__(self, levels_db: Array) -> None:
        power = np.convolve(10 ** (levels_db / 10), np.ones(_HOLE) / _HOLE, "same")
        self._levels_db = 10 * np.log10(power + 1e-12)
        self._usual_db = float(np.median(self._levels_db))

    def holes_db(self, from_s: float, to_s: float) -> float:
        """The deepest one, below what is usual in the track; 0 if there is none that would be noticed."""
        first = max(0, round(from_s / FRAME_S) + _HOLE // 2)
        here = self._levels_db[first : max(first + 1, round(to_s / FRAME_S) - _HOLE // 2)]
        depth_db = self._usual_db - float(here.min()) if len(here) else 0.0
        return depth_db if depth_db > UNNOTICED_DB else 0.0


def _cuts(start_s: float, end_s: float, beats: Beats | None, steadiness: _Steadiness) -> list[float]:
    """Where to cut, in seconds, from `start_s` to `end_s` as near as whole bars and holes in the music allow."""
    step_s = beats.period_s * BAR_BEATS if beats else 1.0
    tries = range(1 + min(4, int((end_s - start_s) / 4 / step_s)))

    def start_at(number: int) -> float:
        if beats is None:
            return start_s + number * step_s
        first_s = beats.nearest(start_s)
        return first_s + (beats.period_s if first_s < start_s else 0.0) + number * step_s

    from_s = min((start_at(number) for number in tries), key=lambda s: steadiness.holes_db(s, s + JOINED_S))

    def place(at_s: float) -> float:
        """The last bar line that is not after a place, if there are any."""
        if beats is None:
            return at_s
        there = beats.nearest(from_s + round((at_s - from_s) / step_s) * step_s)
        return there if there <= at_s else beats.nearest(there - step_s)

    last_s = place(end_s)
    to_s = min(
        (place(last_s - number * step_s + 0.01) if beats else last_s - number * step_s for number in tries),
        key=lambda s: steadiness.holes_db(s - JOINED_S, s),
    )
    count = min(MOST_PARTS, max(1, round((to_s - from_s) / PART_S)))
    inner = [place(from_s + (to_s - from_s) * number / count) for number in range(1, count)]
    found = [from_s, *inner, to_s]
    if all(later - earlier >= SHORTEST_PART_S for earlier, later in itertools.pairwise(found)):
        return found
    return [start_s, end_s]


def halved(track: TrackParts) -> TrackParts:
    """A track of one part as two, if it is long enough: so that its end is followed by its beginning as by another
    part, and not by itself."""
    cuts = track.cuts
    length = cuts[-1] - cuts[0]
    if len(cuts) > 2 or length < 2 * SHORTEST_PART_S * SAMPLE_RATE_HZ:
        return track
    middle = length / 2
    if track.beat:
        bar = BAR_BEATS * track.beat
        middle = round(middle / bar) * bar
    return TrackParts(
        first=track.first, last=track.last, cuts=(cuts[0], cuts[0] + round(middle), cuts[1]), beat=track.beat
    )
