"""Threads and cancellation: a cancelled `asyncio.to_thread` leaves its thread at work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(
    work: Coroutine[Any, Any, T], *, on_cancel: Callable[[], None] = lambda: None, patience_s: float | None = None
) -> T:
    """Await `work` and see it through: whoever is cancelled meanwhile is cancelled when it has ended.

    `on_cancel` may tell it to hurry up; after `patience_s` more it is cancelled itself.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled():
            raise
        on_cancel()
        loop = asyncio.get_running_loop()
        hurry = loop.call_later(patience_s, task.cancel) if patience_s is not None else None
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                continue
        if hurry is not None:
            hurry.cancel()
        if not task.cancelled():
            task.exception()  # looked at, so that nobody warns; the cancellation is what counts
        raise


async def in_thread(function: Callable[..., T], *arguments: Any, on_cancel: Callable[[], None] = lambda: None) -> T:
    """`asyncio.to_thread`, seen through to its end."""
    return await to_the_end(asyncio.to_thread(function, *arguments), on_cancel=on_cancel)
