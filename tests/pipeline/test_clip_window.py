"""Which part of a clip is shown: pure choices."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgend.models import ClipScan
from vidgend.pipeline.bounce import frame_at
from vidgend.pipeline.clip_window import MARGIN_S, SLOWEST, Window, choose_window, crop_position, shorten_bounce


def scan(seconds: float, *, cuts: tuple[float, ...] = (), black: tuple[float, float] = (0, 0), shaky: tuple[float, float] = (0, 0),
         flat: tuple[float, float] = (0, 0)) -> ClipScan:  # fmt: skip
    times = [number / 2 for number in range(round(seconds * 2))]
    return ClipScan(
        start_s=0.0,
        step_s=0.5,
        brightness=tuple(5 if black[0] <= at < black[1] else 120 for at in times),
        detail=tuple(2 if flat[0] <= at < flat[1] else 40 for at in times),
        shake=tuple(2.5 if shaky[0] <= at < shaky[1] else 0.2 for at in times),
        cuts_s=cuts,
    )


def test_without_anything_against_it_a_part_after_the_first_moments_is_taken() -> None:
    window = choose_window(20.0, 4.0, scan(20.0))
    assert 0.5 <= window.start_s <= 15.0 and window.slow == 1.0 and not window.bounce_s
    assert choose_window(20.0, 4.0).start_s == pytest.approx(3.975)


def test_no_cut_is_shown_if_any_part_has_none() -> None:
    window = choose_window(12.0, 4.0, scan(12.0, cuts=(2.0, 4.5, 9.5)))
    assert window.start_s >= 4.5 and window.start_s + 4.0 <= 9.5


def test_a_shot_that_is_a_little_too_short_is_slowed_down_rather_than_cut() -> None:
    window = choose_window(9.0, 4.0, scan(9.0, cuts=(3.0, 6.2)))
    assert 1.0 < window.slow <= SLOWEST
    assert not any(window.start_s < cut < window.start_s + 4.0 / window.slow for cut in (3.0, 6.2))


def test_if_every_part_has_a_cut_the_one_with_the_fewest_is_taken() -> None:
    window = choose_window(10.0, 8.0, scan(10.0, cuts=(0.5, 2.5, 3.5, 4.5, 6.0)))
    assert window.start_s > 0.5 and window.slow == 1.0


@pytest.mark.parametrize("fault", ["black", "shaky", "flat"])
def test_black_flat_and_shaky_parts_are_avoided(fault: str) -> None:
    faulty = {fault: (0.0, 5.0)}
    window = choose_window(12.0, 4.0, scan(12.0, **faulty))
    assert window.start_s >= 5.0


def test_what_was_not_looked_at_is_used_only_when_there_is_nothing_better() -> None:
    seen = ClipScan(start_s=10.0, step_s=0.5, brightness=(120,) * 12, detail=(40,) * 12, shake=(0.1,) * 12)
    assert 10.0 <= choose_window(40.0, 4.0, seen).start_s <= 12.0


def test_a_short_clip_is_slowed_and_a_shorter_one_goes_back_and_forth() -> None:
    slowed = choose_window(3.0, 4.0)
    assert slowed.slow == pytest.approx(4.1 / 3.0) and slowed.start_s == slowed.bounce_s == 0.0
    assert choose_window(2.0, 4.0) == Window(slow=SLOWEST, bounce_s=2.0)


def test_a_part_that_would_take_too_much_room_unrolled_is_shortened_to_its_best() -> None:
    long = choose_window(6.0, 20.0)
    short = shorten_bounce(long, 2.0, scan(6.0, black=(0.0, 3.0)))
    assert short.bounce_s == 2.0 and short.start_s >= 3.0
    assert shorten_bounce(long, 10.0) == long


@given(
    duration_s=st.floats(0.2, 300), need_s=st.floats(0.1, 60), cuts=st.lists(st.floats(0, 300), max_size=6),
    covered=st.integers(0, 60),
)  # fmt: skip
def test_the_window_always_lies_in_the_clip(duration_s: float, need_s: float, cuts: list[float], covered: int) -> None:
    seen = ClipScan(
        start_s=0.0, step_s=0.5, brightness=(100,) * covered, detail=(30,) * covered, shake=(0.1,) * covered,
        cuts_s=tuple(sorted(cuts)),
    )  # fmt: skip
    window = choose_window(duration_s, need_s, seen)
    assert 1.0 <= window.slow <= SLOWEST and window.start_s >= 0
    if window.bounce_s:
        assert window.start_s + window.bounce_s <= duration_s + 1e-6
        assert duration_s * SLOWEST < need_s + MARGIN_S
    else:
        assert window.start_s + need_s / window.slow <= duration_s + 1e-6


def test_the_crop_follows_what_there_is_to_see_but_only_for_a_clear_gain() -> None:
    right = (2,) * 24 + (60,) * 8
    assert crop_position(right, 0.3) > 0.85
    assert crop_position(right[::-1], 0.3) < 0.15
    assert crop_position((10,) * 32, 0.3) == 0.5
    assert crop_position((10,) * 16 + (11,) * 16, 0.3) == 0.5
    assert crop_position(right, 0.99) == 0.5
    assert crop_position((), 0.3) == 0.5


@given(st.lists(st.integers(0, 1000), max_size=64), st.floats(0.01, 3.0))
def test_a_crop_position_is_always_inside(profile: list[int], share: float) -> None:
    assert 0.0 <= crop_position(profile, share) <= 1.0


@given(st.integers(2, 50), st.fractions(0, 1))
def test_there_and_back_never_jumps(count: int, step: Fraction) -> None:
    shown = [frame_at(number, count, step) for number in range(4 * count)]
    assert all(abs(one - two) <= 1 for one, two in itertools.pairwise(shown))
    assert all(0 <= one < count for one in shown)
