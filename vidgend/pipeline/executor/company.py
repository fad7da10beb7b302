"""Who runs beside whom: a step that is suspected to kill the daemon runs alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Company:
    """Many hold it together, or one alone. While somebody waits to be alone nobody else comes in."""

    def __init__(self) -> None:
        self._inside = 0
        self._door = asyncio.Lock()
        self._empty = asyncio.Event()
        self._empty.set()

    @asynccontextmanager
    async def hold(self, *, alone: bool) -> AsyncIterator[None]:
        """Wait until there is room. A cancelled wait leaves nothing behind."""
        async with self._door:
            if alone:
                await self._empty.wait()
                yield
                return
            self._inside += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()
