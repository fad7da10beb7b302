"""A step that shows no sign of life is stopped."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from vidgend.errors import StepStalled
from vidgend.pipeline.executor.port import StepOutput


async def watched(
    work: Coroutine[Any, Any, StepOutput], *, name: str, stall_s: float, sign: Callable[[], object]
) -> StepOutput:
    """`work`, stopped when its sign of life does not change for `stall_s` (0: never). It has ended on return."""
    task = asyncio.create_task(work, name=name)
    last, since = None, time.monotonic()
    try:
        while not (await asyncio.wait({task}, timeout=min(stall_s / 4, 15.0) or None))[0]:
            now = await asyncio.to_thread(sign)
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since >= stall_s:
                raise StepStalled(f"{name} made no progress for {stall_s:g} s and was stopped")
        return task.result()
    finally:
        await _end(task)


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel and wait until it has ended, whoever cancels us meanwhile: its slot is not free before."""
    task.cancel()
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


def written(folder: Path) -> tuple[int, int]:
    """(bytes, latest change in ns) of the files in a scratch folder: what grows there is alive."""
    size_bytes = latest_ns = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                stat = entry.stat(follow_symlinks=False)
                size_bytes += stat.st_size
                latest_ns = max(latest_ns, stat.st_mtime_ns)
    except FileNotFoundError:
        pass  # it is being tidied up
    return size_bytes, latest_ns
