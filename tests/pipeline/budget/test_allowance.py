"""No sliding window ever holds more requests than its quota, and a burst is never more than half of it."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vidgend.pipeline.budget.allowance import SLACK_S, Allowance, Window
from vidgend.pipeline.budget.port import Quota

NOW = 1_800_000_000.0
HOUR = Window(limit=200, length_s=3600.0)


def most_in(times: list[float], length_s: float) -> int:
    """The most of them in any closed interval of that length."""
    ends = sorted(times)
    return max((bisect_right(ends, at + length_s) - start for start, at in enumerate(ends)), default=0)


windows = st.lists(
    st.builds(Window, limit=st.integers(1, 30), length_s=st.sampled_from([60.0, 3600.0, 86_400.0])),
    min_size=1, max_size=3,
)  # fmt: skip
pauses = st.lists(st.one_of(st.just(0.0), st.floats(0, 5), st.floats(0, 5000)), max_size=150)


@given(windows=windows, pauses=pauses, greedy=st.booleans())
def test_no_sliding_window_holds_more_than_its_quota(windows: list[Window], pauses: list[float], greedy: bool) -> None:
    """Requests at any times; the greedy ones wait for the first moment that they fit, the others give up."""
    allowance, now, sent = Allowance("pexels", windows), NOW, list[float]()
    for pause in pauses:
        now += pause
        fit = allowance.fit(now)
        if fit.at > now and not greedy:
            assert fit.reason
            continue
        now = max(now, fit.at)
        allowance.take(now)
        sent.append(now)
    for window in windows:
        assert most_in(sent, window.length_s) <= window.limit
        assert most_in(sent, 0.0) <= max(1, window.limit // 2)


@given(windows=windows, pauses=pauses, cut=st.integers(0, 150))
def test_what_another_process_sent_counts_as_its_own(windows: list[Window], pauses: list[float], cut: int) -> None:
    """After a restart at any point, and with other settings before it, the quotas hold all the same."""
    now, sent = NOW, list[float]()
    allowance = Allowance("pexels", [Window(limit=1000, length_s=60.0)])
    for number, pause in enumerate(pauses):
        now += pause
        if number == cut:
            allowance = Allowance("pexels", windows, sent=sent)
        fit = allowance.fit(now)
        if number >= cut:
            now = max(now, fit.at)
        allowance.take(now)
        sent.append(now)
    for window in windows:
        for at in sent[cut:]:
            assert sum(at - window.length_s <= one <= at for one in sent) <= window.limit


def test_half_goes_at_once_and_the_rest_comes_back_evenly() -> None:
    allowance, sent = Allowance("pexels", [HOUR]), list[float]()
    now = NOW
    for _ in range(300):
        now = max(now, allowance.fit(now).at)
        allowance.take(now)
        sent.append(now)
    assert sent[:100] == [NOW] * 100 and sent[100] > NOW
    steps = {round(after - before, 2) for before, after in pairwise(sent[99:])}
    assert steps == {round((3600 + SLACK_S) / 100, 2)}
    assert most_in(sent, 3600.0) == 199, "the slack costs one"
    assert allowance.at_once(now) == 0
    assert allowance.at_once(now + 40) == 1 and allowance.at_once(now + 4000) == 100


def test_a_promised_place_is_kept_and_a_withdrawn_one_is_given_back() -> None:
    allowance = Allowance("pexels", [Window(limit=2, length_s=60.0)])
    allowance.take(NOW)
    first = allowance.fit(NOW).at
    allowance.promise(first)
    second = allowance.fit(NOW).at
    assert NOW < first < second
    allowance.promise(second)
    assert allowance.used(allowance.windows[0], NOW) == 3
    allowance.withdraw(second)
    assert allowance.fit(NOW).at == second
    allowance.withdraw(first)
    assert allowance.fit(NOW).at == first


def test_what_the_service_says_counts_if_it_leaves_less() -> None:
    allowance = Allowance("pexels", [HOUR])
    allowance.take(NOW)
    allowance.hear(1, Quota(limit=20_000, remaining=3, reset_s=NOW + 500), now=NOW, under_way=1)
    assert allowance.at_once(NOW) == 2
    allowance.take(NOW)
    allowance.take(NOW)
    fit = allowance.fit(NOW)
    assert fit.at == NOW + 500 and "says itself" in fit.reason and allowance.stopped(NOW)
    assert allowance.fit(NOW + 500).at == NOW + 500, "from then on it says something else"
    allowance.hear(0, Quota(limit=20_000, remaining=9, reset_s=NOW + 500), now=NOW, under_way=0)
    assert allowance.fit(NOW).at == NOW + 500, "what an older request was told is no news"
    allowance.hear(4, Quota(limit=20_000, remaining=9, reset_s=NOW + 500), now=NOW, under_way=0)
    assert allowance.fit(NOW).at == NOW


def test_what_a_service_cannot_mean_is_not_believed() -> None:
    allowance = Allowance("pexels", [HOUR])
    for quota in (
        Quota(limit=0, remaining=0, reset_s=NOW + 10), Quota(limit=9, remaining=0, reset_s=NOW + 10**9),
        Quota(limit=9, remaining=0, reset_s=NOW - 1), Quota(limit=9, remaining=0, reset_s=float("nan")),
    ):  # fmt: skip
        allowance.hear(1, quota, now=NOW, under_way=0)
        assert allowance.told is None
    allowance.hear(1, Quota(limit=9, remaining=-5, reset_s=NOW + 10), now=NOW, under_way=0)
    assert allowance.at_once(NOW) == 0


def test_a_clock_that_was_set_back_costs_two_windows_and_no_year() -> None:
    allowance = Allowance("pexels", [Window(limit=4, length_s=60.0)], sent=[NOW + 31_536_000.0 + n for n in range(4)])
    assert NOW < allowance.fit(NOW).at <= NOW + 2 * 60


def test_a_pause_that_was_asked_for_is_kept() -> None:
    allowance = Allowance("llm", [])
    assert allowance.fit(NOW).at == NOW and allowance.at_once(NOW) is None
    allowance.hold(NOW + 7)
    assert allowance.fit(NOW).at == NOW + 7 and allowance.stopped(NOW) and allowance.at_once(NOW) == 0
    assert not allowance.stopped(NOW + 7)
