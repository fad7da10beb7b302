"""How late the event loop runs what is due: a sleep that is measured."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from vidgend.observer import NOBODY, Observer

EVERY_S = 0.1
KEPT = 300
"""Half a minute."""


class LoopLag:
    """Run `run` as a task."""

    def __init__(self, observer: Observer = NOBODY, *, every_s: float = EVERY_S) -> None:
        self._observer = observer
        self._every_s = every_s
        self._latest: deque[float] = deque(maxlen=KEPT)

    @property
    def typical_s(self) -> float:
        """A lag that one in twenty of the last half minute was above; 0 before there are some."""
        ordered = sorted(self._latest)
        return ordered[int(len(ordered) * 0.95)] if ordered else 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            asked = time.monotonic()
            await asyncio.sleep(self._every_s)
            lag_s = max(0.0, time.monotonic() - asked - self._every_s)
            self._latest.append(lag_s)
            self._observer.loop_lagged(lag_s)
