"""How many requests a key, or an address, may make: token buckets, of which no more are kept than fit into memory.

A bucket is one number, the time at which it will be full again (GCRA). One that is full is like none at all, so what is
forgotten first is what counts least.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from vidgend.errors import RateLimited
from vidgend.http.connections import site_of

WRONG_KEY_COST = 10
"""As many requests as a wrong key counts for."""
_ROUNDING_S = 1e-6
_MOST = 20_000
"""Buckets that are kept, of each kind."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """`per_s` requests a second, `burst` of them at once after a quiet time. `per_s` 0: any number."""

    per_s: float
    burst: int

    @property
    def window_s(self) -> float:
        """The time after which an empty bucket is full."""
        return self.burst / self.per_s


class Buckets:
    """One bucket for each name. Times by `clock`, in seconds."""

    def __init__(
        self, kind: str, rate: Rate, *, clock: Callable[[], float] = time.monotonic, most: int = _MOST
    ) -> None:
        self.rate = rate
        self._kind = kind
        self._clock = clock
        self._most = most
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, name: str, cost: int = 1) -> None:
        """Raises: RateLimited if there is not that much left; then nothing is taken."""
        wait_s = self.wait_s(name, cost)
        if wait_s > 0:
            raise self._limited(wait_s)
        self.charge(name, cost)

    def check(self, name: str) -> None:
        """Raises: RateLimited if there is nothing left."""
        wait_s = self.wait_s(name)
        if wait_s > 0:
            raise self._limited(wait_s)

    def wait_s(self, name: str, cost: int = 1) -> float:
        """Seconds until there is that much again; 0 if there is."""
        if not self.rate.per_s:
            return 0.0
        now = self._clock()
        after = max(now, self._full_at.get(name, now)) + cost / self.rate.per_s
        wait_s = after - now - self.rate.window_s
        return wait_s if wait_s > _ROUNDING_S else 0.0

    def charge(self, name: str, cost: int) -> None:
        """Take it, whether it is there or not; never more than a bucket holds is owed."""
        if not self.rate.per_s:
            return
        now = self._clock()
        full_at = max(now, self._full_at.get(name, now)) + cost / self.rate.per_s
        self._full_at[name] = min(full_at, now + self.rate.window_s)
        self._full_at.move_to_end(name)
        while len(self._full_at) > self._most or (
            self._full_at and next(iter(self._full_at.values())) <= now and len(self._full_at) > 1
        ):
            self._full_at.popitem(last=False)

    def _limited(self, wait_s: float) -> RateLimited:
        rate = self.rate
        error = RateLimited(f"one {self._kind} may make {rate.per_s:g} requests a second, {rate.burst} at once")
        error.retry_after_s = wait_s
        # draft-ietf-httpapi-ratelimit-headers-10
        error.headers = {
            "RateLimit-Policy": f'"{self._kind}";q={rate.burst};w={max(1, round(rate.window_s))}',
            "RateLimit": f'"{self._kind}";r=0;t={max(1, round(wait_s))}',
        }
        return error


def address_name(address: str) -> str:
    """Whose bucket a request from there is counted in; all that is no address shares one."""
    try:
        return site_of(address)
    except ValueError:
        return "unknown"


class Limits:
    """`keys` for what has a valid key, `links` for signed links, by address; `anonymous` for all else, where a key is
    asked for."""

    def __init__(self, *, keyed: Rate, anonymous: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self.keys = Buckets("key", keyed, clock=clock)
        self.links = Buckets("address", keyed, clock=clock)
        self.anonymous = Buckets("address", anonymous, clock=clock)
