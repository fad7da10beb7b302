"""Token buckets: no window holds more than burst and refill, and memory is bounded whoever asks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgend.errors import RateLimited
from vidgend.http.limits import Buckets, Rate, address_name


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(buckets: Buckets, name: str, cost: int = 1) -> bool:
    try:
        buckets.take(name, cost)
    except RateLimited:
        return False
    return True


@given(st.lists(st.floats(0, 3), min_size=1, max_size=200), st.integers(1, 20), st.floats(0.5, 50))
def test_no_window_holds_more_than_the_burst_and_what_flows_in(gaps: list[float], burst: int, per_s: float) -> None:
    clock = Clock()
    buckets = Buckets("key", Rate(per_s=per_s, burst=burst), clock=clock)
    times = []
    for gap in gaps:
        clock.now += gap
        if taken(buckets, "a"):
            times.append(clock.now)
    for first, begin in enumerate(times):
        for last, end in enumerate(times[first:], first):
            assert last - first + 1 <= burst + (end - begin) * per_s + 1e-3


def test_who_waits_as_told_is_let_in() -> None:
    clock = Clock()
    buckets = Buckets("key", Rate(per_s=10, burst=5), clock=clock)
    assert [taken(buckets, "a") for _ in range(6)] == [True] * 5 + [False]
    with pytest.raises(RateLimited) as caught:
        buckets.take("a")
    assert caught.value.retry_after_s == pytest.approx(0.1)
    assert caught.value.headers == {"RateLimit-Policy": '"key";q=5;w=1', "RateLimit": '"key";r=0;t=1'}
    assert taken(buckets, "b"), "others have their own"
    clock.now += 0.1001
    assert taken(buckets, "a") and not taken(buckets, "a")


def test_what_is_charged_is_owed_up_to_one_bucket() -> None:
    clock = Clock()
    buckets = Buckets("address", Rate(per_s=20, burst=100), clock=clock)
    for _ in range(1000):
        buckets.charge("a", 10)
    assert buckets.wait_s("a") == pytest.approx(1 / 20)
    with pytest.raises(RateLimited):
        buckets.check("a")
    clock.now += 5.01
    assert taken(buckets, "a", 100)


def test_no_limit_is_none() -> None:
    buckets = Buckets("key", Rate(per_s=0, burst=1))
    assert all(taken(buckets, "a") for _ in range(10_000)) and len(buckets) == 0


def test_memory_is_bounded_and_the_busiest_are_not_forgotten() -> None:
    clock = Clock()
    buckets = Buckets("address", Rate(per_s=1, burst=10), clock=clock, most=100)
    for number in range(10_000):
        buckets.charge(f"10.0.{number}", 1)
        clock.now += 0.0001
        buckets.charge("busy", 10)
    assert len(buckets) == 100 and not taken(buckets, "busy")
    clock.now += 1000
    assert taken(buckets, "busy") and len(buckets) == 1, "full ones are like none"


def test_an_ipv6_network_is_one_client() -> None:
    assert address_name("2001:db8:1:2::9") == address_name("2001:db8:1:2:ffff::1") != address_name("2001:db8:1:3::9")
    assert address_name("::ffff:10.1.2.3") == address_name("10.1.2.3") == "10.1.2.3"
    assert address_name("fe80::1%eth0") == "fe80::/64"
    assert address_name("") == address_name("unix:") == "unknown"
