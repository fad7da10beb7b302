"""When the next request to a service fits: its quotas over sliding windows, and what it said itself. No I/O, no clock.

A quota of Q requests in W seconds is kept as a token bucket (GCRA, the "virtual scheduling" of ITU-T I.371): half of it
may go at once, the other half comes back evenly over W. So a burst never takes all of it, and no window of W seconds,
wherever it begins, holds more than burst + refill = Q. That is checked by counting as well, since the settings may have
been others when the requests before were sent.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

from vidgend.pipeline.budget.port import Quota

SLACK_S = 2.0
"""A request reaches the service later than it was written down here, and not each as much later as the next."""
ROUNDING_S = 0.001
"""Sums of intervals are not exact; what is counted below is."""
LONGEST_TOLD_S = 32 * 86_400.0
"""A month and a bit. What a service says that it will not do for longer than this is not believed."""
SPANS = {60.0: "minute", 3600.0: "hour", 86_400.0: "day", 31 * 86_400.0: "month"}


@dataclass(frozen=True, kw_only=True)
class Window:
    """At most `limit` (1 or more) requests within any `length_s` seconds."""

    limit: int
    length_s: float

    @property
    def span(self) -> str:
        """What the length is called: `hour`."""
        return SPANS.get(self.length_s, f"{self.length_s:g} s")

    @property
    def burst(self) -> int:
        """Requests that may go at once after a quiet time."""
        return max(1, self.limit // 2)

    @property
    def interval_s(self) -> float:
        """Seconds after which one more may go."""
        return (self.length_s + SLACK_S) / max(1, self.limit - self.burst)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the service said last, `at` which time (seconds since 1970). `left` counts what was sent since as used."""

    limit: int
    left: int
    reset_s: float
    at: float


@dataclass(frozen=True, kw_only=True)
class Fit:
    """From when on the next request may go, and what it waits for ("" if it need not)."""

    at: float
    reason: str


class Allowance:
    """The requests of one service, those that were sent and those that have a time to go at. Times in seconds since
    1970, `sent` oldest first; `now` never goes back for long (see `fit`)."""

    def __init__(
        self,
        service: str,
        windows: Sequence[Window],
        *,
        sent: Sequence[float] = (),
        told: Told | None = None,
        held_until: float = 0.0,
    ) -> None:
        self.service = service
        self.windows = tuple(windows)
        self.told = told
        self.held_until = held_until
        self._told_by = 0
        self._most = max((window.limit for window in windows), default=0)
        self._sent = list(sent[-self._most :]) if self._most else []
        self._promised: list[float] = []
        self._replay()

    # --- asking

    def fit(self, now: float) -> Fit:
        """For one more request, behind all that have been promised a time."""
        self._mind_the_clock(now)
        at, reason = max([now, *self._promised[-1:]]), "" if not self._promised else "others wait for it too"
        for window, free in zip(self.windows, self._tats(self._promised), strict=True):
            free -= (window.burst - 1) * window.interval_s + ROUNDING_S
            if window.limit <= len(self._sent) + len(self._promised):
                free = max(free, self._nth_last(window.limit) + window.length_s + SLACK_S)
            if free > at:
                used = self.used(window, now)
                at, reason = free, f"{used} of {window.limit} requests of this {window.span} are used"
                reason += "" if used >= window.limit else ", and the others are spread over it"
        told = self.told
        if told is not None and told.left <= 0 and told.reset_s > at:
            at, reason = told.reset_s, f"it says itself that all of its {told.limit} requests are used"
        if self.held_until > at:
            at, reason = self.held_until, "it asked for a pause"
        return Fit(at=at, reason=reason)

    def _mind_the_clock(self, now: float) -> None:
        """Where it was set back: what it calls future was just sent, and nobody has asked for a pause of years."""
        if self._sent and self._sent[-1] > now + 1.0:
            self._sent = [min(at, now) for at in self._sent]
            self._replay()
        if self.told is not None and self.told.reset_s > now + LONGEST_TOLD_S:
            self.told = None
        if self.held_until > now + LONGEST_TOLD_S:
            self.held_until = 0.0

    def stopped(self, now: float) -> bool:
        """Whether the service itself wants nothing now."""
        return now < self.held_until or (self.told is not None and self.told.left <= 0 and now < self.told.reset_s)

    def used(self, window: Window, now: float) -> int:
        """Requests in the last `window`, those included that have a time to go at."""
        return len(self._sent) - bisect_right(self._sent, now - window.length_s) + len(self._promised)

    def at_once(self, now: float) -> int | None:
        """How many may go right now, one after the other; None where nothing bounds it."""
        if self.stopped(now):
            return 0
        found = [] if self.told is None or now >= self.told.reset_s else [self.told.left]
        for window, tat in zip(self.windows, self._tats(self._promised), strict=True):
            tokens = window.burst - math.ceil(max(0.0, tat - now) / window.interval_s)
            found.append(min(tokens, window.limit - self.used(window, now)))
        return max(0, min(found)) if found else None

    # --- taking

    def take(self, now: float) -> None:
        """One request goes now."""
        self._count(-1)
        if not self.windows:
            return
        insort(self._sent, now)
        self._tat = self._tats((now,))
        if len(self._sent) > 2 * self._most:
            del self._sent[: -self._most]

    def untake(self, at: float) -> None:
        """The request that took a place at that time was not sent after all."""
        self._count(+1)
        if at in self._sent:
            self._sent.remove(at)
            self._replay()

    def promise(self, at: float) -> None:
        """One request will go at that time, which `fit` named."""
        self._promised.append(at)
        self._count(-1)

    def withdraw(self, at: float) -> None:
        """A promised request will not go, or goes now (`take`)."""
        self._promised.remove(at)
        self._count(+1)

    # --- hearing

    def hear(self, number: int, quota: Quota, *, now: float, under_way: int) -> None:
        """What the answer to request `number` says is left, while `under_way` others have no answer yet. These may
        or may not be counted in it, so they are taken off. What an older request is told is no news."""
        if number < self._told_by or quota.limit < 1 or not now < quota.reset_s <= now + LONGEST_TOLD_S:
            return
        self._told_by = number
        left = max(0, quota.remaining) - under_way - len(self._promised)
        self.told = Told(limit=quota.limit, left=left, reset_s=quota.reset_s, at=now)

    def hold(self, until: float) -> None:
        """The service wants no request until then."""
        self.held_until = max(self.held_until, until)

    # --- counting

    def _count(self, more: int) -> None:
        if (told := self.told) is not None:
            self.told = Told(limit=told.limit, left=told.left + more, reset_s=told.reset_s, at=told.at)

    def _replay(self) -> None:
        self._tat = (float("-inf"),) * len(self.windows)
        self._tat = self._tats(self._sent)

    def _tats(self, times: Sequence[float]) -> tuple[float, ...]:
        """When each bucket is full again (the theoretical arrival time of GCRA), if requests go at `times` too."""
        found = []
        for window, tat in zip(self.windows, self._tat, strict=True):
            interval_s = window.interval_s
            for at in times:
                tat = max(tat, at) + interval_s
            found.append(tat)
        return tuple(found)

    def _nth_last(self, count: int) -> float:
        promised = len(self._promised)
        return self._promised[-count] if count <= promised else self._sent[promised - count]
