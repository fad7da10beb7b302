"""Time that passes only when everybody waits for it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Iterable
from typing import Any


class FakeTime:
    """`clock` and `sleep` are to be handed in; `run` lets time pass until all of some coroutines have ended."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._changed = asyncio.Event()

    def clock(self) -> float:
        return self.now

    @property
    def sleeping(self) -> int:
        return sum(not sleeper[2].done() for sleeper in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), future))
        self._changed.set()
        await future

    async def until_asleep(self, count: int, tasks: Iterable[asyncio.Task[Any]] = ()) -> None:
        """Wait until `count` sleep, of `tasks` those not counted that have ended."""
        tasks = list(tasks)
        while self.sleeping + sum(task.done() for task in tasks) < count:
            self._changed.clear()
            await self._changed.wait()

    def pass_to_the_next(self) -> None:
        """Wake whoever sleeps the least long."""
        while True:
            due, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                self.now = max(self.now, due)
                future.set_result(None)
                return

    async def run(self, work: Iterable[Awaitable[Any]]) -> list[Any]:
        """What they return or raise, in their order."""
        tasks = [asyncio.ensure_future(one) for one in work]
        for task in tasks:
            task.add_done_callback(lambda _: self._changed.set())
        while not all(task.done() for task in tasks):
            await self.until_asleep(len(tasks), tasks)
            if not all(task.done() for task in tasks):
                self.pass_to_the_next()
        return await asyncio.gather(*tasks, return_exceptions=True)
