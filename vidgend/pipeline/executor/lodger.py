"""A model stays in memory between two requests, until nobody used it for a while or others need its place.

One that runs on the cores takes the place of an encode for as long as it is in memory. Beside all the encodes it would
want more cores than there are and, what is worse, its memory on top of theirs. So it has one of their slots, between
two sentences too, and after the last one until an encode wants it. One on a GPU takes no such place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from vidgend.pipeline.executor.slots import Slots

FIRST = 1_000_000
"""Before all encodes: what is said decides how long everything is, and the sound needs all of it."""
ALL = 1_000_000
"""Of the slots."""

Unload = Callable[[], Awaitable[None]]


class Lodger:
    """`models` are the slots of the steps that run on a model, `encodes` are those of which it takes one, if any.
    `unload` removes it from memory; it is called while no such step runs, and the next one loads it again. Without use
    it stays for `idle_s`; 0: until its place is needed."""

    def __init__(self, models: Slots, encodes: Slots | None, unload: Unload, *, idle_s: float = 0.0) -> None:
        self._models = models
        self._encodes = encodes
        self._unload = unload
        self._idle_s = idle_s
        self._idle: asyncio.TimerHandle | None = None
        self._in = False
        self._entering = asyncio.Lock()
        self.left = 0
        """How often it has left."""
        self._leaving: asyncio.Task[None] | None = None
        if encodes is not None:
            encodes.on_wait = self._make_way

    @property
    def free(self) -> int:
        """How many slots a step would get at once: none where the model would have to wait for a place to live in."""
        has_place = self._in or self._encodes is None or self._encodes.free > 0
        return self._models.free if has_place else 0

    @asynccontextmanager
    async def hold(self, priority: int, places: int = 1) -> AsyncIterator[None]:
        """Wait for a slot among the models, and for the place that they live in."""
        try:
            async with self._models.hold(priority, places):
                async with self._entering:
                    if not self._in:
                        if self._encodes is not None:
                            await self._encodes.take(FIRST)
                        self._in = True
                yield
        finally:
            self._make_way()
            self._wait_idly()

    def _wait_idly(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._idle_s and self._in:
            self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._begin_to_leave, True)

    def _make_way(self) -> None:
        if self._in_the_way:
            self._begin_to_leave(False)

    def _begin_to_leave(self, idle: bool) -> None:
        if not self._models.held and (self._leaving is None or self._leaving.done()):
            self._leaving = asyncio.create_task(self._leave(idle), name="a model makes way")

    @property
    def _in_the_way(self) -> bool:
        return self._in and self._encodes is not None and self._encodes.queued > 0 and not self._models.queued

    async def _leave(self, idle: bool) -> None:
        async with self._models.hold(FIRST, ALL):
            if not self._in or not (self._in_the_way or (idle and not self._models.queued)):
                return
            try:
                await self._unload()
            finally:
                self._in = False
                self.left += 1
                if self._encodes is not None:
                    self._encodes.give()

    async def aclose(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._leaving is not None:
            self._leaving.cancel()
            await asyncio.wait([self._leaving])
