"""A bounded number of slots, handed out by priority, then by age."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(order=True)
class _Waiting:
    order: tuple[int, int]
    places: int = field(compare=False)
    turn: asyncio.Future[None] = field(compare=False)


class Slots:
    """`count` slots. Of those that wait, the highest priority comes first, the oldest of equals; nobody overtakes one
    that needs more slots than are free yet, so that it gets them."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = count
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self.held = 0
        """How many hold some, those aside that only `take`."""
        self.on_wait: Callable[[], object] = lambda: None
        """Called when somebody has to wait."""

    @property
    def free(self) -> int:
        return self._free

    @property
    def queued(self) -> int:
        return sum(not one.turn.done() for one in self._waiting)

    async def take(self, priority: int = 0, places: int = 1) -> None:
        """Wait for `places` slots (all of them, if there are fewer), until they are given back. A cancelled wait takes
        none."""
        places = min(places, self._count)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Waiting((-priority, next(self._numbers)), places, turn))
        self._hand_out()
        if not turn.done():
            self.on_wait()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free += places  # it was our turn at the very moment
            self._hand_out()
            raise

    def give(self, places: int = 1) -> None:
        """Give back what was taken."""
        self._free += min(places, self._count)
        self._hand_out()

    @asynccontextmanager
    async def hold(self, priority: int = 0, places: int = 1) -> AsyncIterator[None]:
        """`take`, and `give` at the end."""
        await self.take(priority, places)
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1
            self.give(places)

    def _hand_out(self) -> None:
        while self._waiting:
            first = self._waiting[0]
            if not first.turn.done():
                if first.places > self._free:
                    return
                self._free -= first.places
                first.turn.set_result(None)
            heapq.heappop(self._waiting)
