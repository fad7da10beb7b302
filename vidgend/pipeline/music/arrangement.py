"""Which parts of which tracks are heard when, so that music of any length has no hole and no seam. Pure.

First every track is played through, one after the other. After that come the parts that were heard longest ago, never
the one that was just heard while there is another.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vidgend.pipeline.music.parts import BAR_BEATS, TrackParts, halved
from vidgend.timebase import SAMPLE_RATE_HZ

FADE_S = 2.0
"""How long one piece fades into the next, about: a whole number of beats."""
SHORTEST_FADE_S, LONGEST_FADE_S = 1.2, 3.0
FREE_FADE_S = 3.0
"""The same where there is no beat to keep."""
LAST_S = 8.0
"""No piece begins closer to the end than this, if that can be helped."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """`samples` of track number `track` from its sample `start` on, heard from sample `at` on.

    Over its first `fade` samples it takes over from the piece before.
    """

    track: int
    start: int
    samples: int
    at: int
    fade: int = 0

    @property
    def end(self) -> int:
        """Where it stops in its track."""
        return self.start + self.samples

    @property
    def until(self) -> int:
        """Where it stops in the video."""
        return self.at + self.samples


@dataclass(frozen=True, kw_only=True)
class Run:
    """Parts of one track that follow each other in it."""

    track: int
    start: int
    end: int


def arrange(tracks: Sequence[TrackParts], samples: int, *, seed: int) -> tuple[Piece, ...]:
    """Music of exactly `samples`. All numbers are samples at 48 kHz; `tracks` are played in this order.

    Raises: ValueError without tracks.
    """
    if not tracks:
        raise ValueError("no tracks")
    if len(tracks) == 1:
        tracks = [halved(tracks[0])]
    pieces: list[Piece] = []
    for run in _runs(tracks, seed):
        if not pieces:
            start = tracks[run.track].first
            pieces.append(Piece(track=run.track, start=start, samples=max(1, run.end - start), at=0))
        else:
            pieces.append(_after(pieces[-1], run, tracks))
        if pieces[-1].until >= samples:
            break
        pieces[-1] = _before_the_end(pieces[-1], tracks[run.track], samples)
        if pieces[-1].until >= samples:
            break
    return (*pieces[:-1], replace(pieces[-1], samples=samples - pieces[-1].at))


def covered(tracks: Sequence[TrackParts]) -> int:
    """How many samples these tracks last until something has to be heard again."""
    return sum(track.cuts[-1] - track.cuts[0] - _fade(track, track) for track in tracks)


def _runs(tracks: Sequence[TrackParts], seed: int) -> Iterator[Run]:
    """Without end: runs of parts, in the order in which they are heard."""
    run: tuple[int, int, int] | None = None
    for track, part in _parts(tracks, seed):
        if run is not None and run[0] == track and run[2] == part:
            run = (track, run[1], part + 1)
            continue
        if run is not None:
            yield _run(tracks, *run)
        run = (track, part, part + 1)


def _run(tracks: Sequence[TrackParts], track: int, first: int, last: int) -> Run:
    cuts = tracks[track].cuts
    return Run(track=track, start=cuts[first], end=cuts[last])


def _parts(tracks: Sequence[TrackParts], seed: int) -> Iterator[tuple[int, int]]:
    """(track, part), without end."""
    chance = random.Random(seed)
    heard = [(track, part) for track, facts in enumerate(tracks) for part in range(len(facts.cuts) - 1)]
    yield from heard
    while True:
        # The older half, so that nothing comes again soon, and nobody can tell what comes.
        older = heard[: (len(heard) + 1) // 2 if len(heard) > 2 else 1]
        track, part = heard[-1]
        following = (track, part + 1)
        chosen = following if following in older else chance.choice(older)
        heard.remove(chosen)
        heard.append(chosen)
        yield chosen


def _after(before: Piece, run: Run, tracks: Sequence[TrackParts]) -> Piece:
    fade = min(_fade(tracks[before.track], tracks[run.track]), (before.samples - before.fade) // 2)
    fade = max(0, min(fade, (run.end - run.start) // 2))
    return Piece(track=run.track, start=run.start, samples=run.end - run.start, at=before.until - fade, fade=fade)


def _fade(before: TrackParts, after: TrackParts) -> int:
    """So many samples that the beats of both fall together: the cut at which `before` ends is on one of its beats."""
    if before.beat is None:
        return round((FREE_FADE_S if after.beat is None else FADE_S) * SAMPLE_RATE_HZ)
    beats = max(1, round(FADE_S * SAMPLE_RATE_HZ / before.beat))
    while beats > 1 and beats * before.beat > LONGEST_FADE_S * SAMPLE_RATE_HZ:
        beats -= 1
    while beats * before.beat < SHORTEST_FADE_S * SAMPLE_RATE_HZ:
        beats += 1
    return round(beats * before.beat)


def _before_the_end(piece: Piece, track: TrackParts, samples: int) -> Piece:
    """The piece before which the end is not far: it goes on if there is enough of its track, or else stops some bars
    earlier, so that what follows is long enough to be worth a change."""
    left = samples - piece.until
    if left >= LAST_S * SAMPLE_RATE_HZ:
        return piece
    if track.last - piece.end >= left:
        return replace(piece, samples=piece.samples + left)
    bar = BAR_BEATS * (track.beat or SAMPLE_RATE_HZ / 2)
    bars = -(-(LAST_S * SAMPLE_RATE_HZ - left) // bar)
    shorter = piece.samples - round(bars * bar)
    return replace(piece, samples=shorter) if shorter - piece.fade >= LAST_S * SAMPLE_RATE_HZ else piece
