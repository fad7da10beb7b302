"""A model that runs on the cores takes the place of an encode for as long as it is in memory.

Beside all the encodes it would want more cores than there are and, what is worse, its memory on top of theirs. So it
has one of their slots, between two sentences too, and after the last one until an encode wants it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from vidgend.pipeline.executor.slots import Slots

FIRST = 1_000_000
"""Before all encodes: what is said decides how long everything is, and the sound needs all of it."""

Unload = Callable[[], Awaitable[None]]


class Lodger:
    """`models` is the slot of the steps that run on a model (one at a time), `encodes` are those of which it takes one.
    `unload` removes it from memory; it is called while no such step runs, and the next one loads it again."""

    def __init__(self, models: Slots, encodes: Slots, unload: Unload) -> None:
        self._models = models
        self._encodes = encodes
        self._unload = unload
        self._in = False
        self.left = 0
        """How often it has left."""
        self._leaving: asyncio.Task[None] | None = None
        encodes.on_wait = self._make_way

    @asynccontextmanager
    async def hold(self, priority: int) -> AsyncIterator[None]:
        """Wait for a slot among the models, and for the place that they live in."""
        try:
            async with self._models.hold(priority):
                if not self._in:
                    await self._encodes.take(FIRST)
                    self._in = True
                yield
        finally:
            self._make_way()

    def _make_way(self) -> None:
        if self._unwanted and not self._models.held and (self._leaving is None or self._leaving.done()):
            self._leaving = asyncio.create_task(self._leave(), name="a model makes way")

    @property
    def _unwanted(self) -> bool:
        return self._in and self._encodes.queued > 0 and not self._models.queued

    async def _leave(self) -> None:
        async with self._models.hold(FIRST):
            if not self._unwanted:
                return
            try:
                await self._unload()
            finally:
                self._in = False
                self.left += 1
                self._encodes.give()

    async def aclose(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            await asyncio.wait([self._leaving])
