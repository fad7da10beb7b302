"""Which parts of which tracks are heard when."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgend.pipeline.music.arrangement import LAST_S, Piece, arrange
from vidgend.pipeline.music.parts import TrackParts
from vidgend.timebase import SAMPLE_RATE_HZ as HZ


def track(length_s: float, *, parts: int = 1, beat_s: float | None = 0.5, tail_s: float = 1.0) -> TrackParts:
    cuts = tuple(round(length_s * number / parts * HZ) for number in range(parts + 1))
    last = cuts[-1] + round(tail_s * HZ)
    return TrackParts(first=0, last=last, cuts=cuts, beat=beat_s * HZ if beat_s else None)


def check_without_holes(pieces: tuple[Piece, ...], samples: int) -> None:
    assert pieces[0].at == 0 and pieces[0].fade == 0
    assert pieces[-1].until == samples
    for before, after in itertools.pairwise(pieces):
        assert after.at == before.until - after.fade
        assert before.fade + after.fade <= before.samples  # a piece does not fade out while it fades in
        assert after.fade <= after.samples


tracks_of_any_kind = st.lists(
    st.builds(
        track, st.floats(1, 200), parts=st.integers(1, 5), beat_s=st.one_of(st.none(), st.floats(0.33, 1.0)),
        tail_s=st.floats(0, 5),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(tracks_of_any_kind, st.floats(0.04, 1800), st.integers(0, 99))
def test_music_of_any_length_has_no_hole(tracks: list[TrackParts], length_s: float, seed: int) -> None:
    samples = max(1, round(length_s * HZ))
    check_without_holes(arrange(tracks, samples, seed=seed), samples)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(2, 4), st.integers(0, 99))
def test_no_part_comes_twice_in_a_row(count: int, parts: int, seed: int) -> None:
    """Nor with less than half of all others between."""
    tracks = [track(30.0 * parts, parts=parts) for _ in range(count)]
    pieces = arrange(tracks, 1800 * HZ, seed=seed)
    heard = parts_heard(pieces, tracks)
    assert len(heard) > 20
    assert all(one != other for one, other in itertools.pairwise(heard))
    apart = (count * parts) // 2
    heard = parts_heard(pieces[:-1], tracks)  # the last piece plays on to the end of the video
    for at, part in enumerate(heard):
        assert part not in heard[at + 1 : at + apart]


def parts_heard(pieces: tuple[Piece, ...], tracks: list[TrackParts]) -> list[tuple[int, int]]:
    """(track, part) in the order in which they begin."""
    heard = []
    for piece in pieces:
        for number, (start, end) in enumerate(itertools.pairwise(tracks[piece.track].cuts)):
            if piece.start <= start + HZ and piece.end >= min(end, start + 5 * HZ):
                heard.append((piece.track, number))
    return heard


def test_all_tracks_are_heard_once_before_any_comes_again() -> None:
    tracks = [track(30.0), track(40.0), track(25.0)]
    pieces = arrange(tracks, 200 * HZ, seed=4)
    assert [piece.track for piece in pieces[:3]] == [0, 1, 2]
    assert len(pieces) > 4


def test_a_long_track_goes_on_with_other_parts_and_not_from_the_start() -> None:
    long = track(180.0, parts=4)
    starts = {arrange([long], 600 * HZ, seed=seed)[1].start for seed in range(8)}
    assert len(starts) > 1
    assert all(start < long.cuts[2] for start in starts)  # what was heard last does not come next


def test_a_single_short_track_is_followed_by_its_beginning_in_time() -> None:
    first, again = arrange([track(30.0)], 55 * HZ, seed=0)
    assert (first.start, again.start) == (0, 0)
    assert again.at == first.until - again.fade
    assert again.fade % (0.5 * HZ) == 0  # whole beats


def test_a_video_shorter_than_the_track_hears_its_beginning() -> None:
    assert arrange([track(30.0)], 12 * HZ, seed=0) == (Piece(track=0, start=0, samples=12 * HZ, at=0),)


@pytest.mark.parametrize("length_s", [31.0, 33.5, 59.0, 61.0, 90.5, 95.0])
def test_no_piece_begins_just_before_the_end(length_s: float) -> None:
    pieces = arrange([track(30.0, tail_s=1.5), track(30.0, tail_s=1.5)], round(length_s * HZ), seed=1)
    check_without_holes(pieces, round(length_s * HZ))
    assert pieces[-1].samples >= LAST_S * HZ
