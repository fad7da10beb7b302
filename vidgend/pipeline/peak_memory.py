"""How much memory this process and all of its children hold together, at most, while something runs.

Looked at every second, so a peak between two looks is missed; more rarely on a machine with so many processes that this
would cost more than a hundredth of a core. Resident memory is counted for each process, so
what several of them share (libraries) is counted several times.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from types import TracebackType

EVERY_S = 1.0
_PROC = Path("/proc")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def tree_bytes(pid: int, proc: Path = _PROC) -> int | None:
    """Resident memory of a process and all of its descendants; None where the system does not tell. Blocking."""
    parents: dict[int, list[int]] = {}
    sizes: dict[int, tuple[int, int]] = {}
    try:
        numbers = [int(folder.name) for folder in proc.iterdir() if folder.name.isdigit()]
    except OSError:
        return None
    for number in numbers:
        with contextlib.suppress(OSError, ValueError, IndexError):  # it has ended meanwhile
            # The name of the program, in brackets, may hold anything.
            fields = (proc / str(number) / "stat").read_text(errors="replace").rpartition(")")[2].split()
            sizes[number] = int(fields[20]), int(fields[21]) * _PAGE_BYTES  # all of it, and what is resident
            parents.setdefault(int(fields[1]), []).append(number)
    if pid not in sizes:
        return None
    total, left = 0, [pid]
    while left:
        number = left.pop()
        total += sizes[number][1]
        # A child that has not yet begun its own program still has its parent's memory, which is counted.
        left += [child for child in parents.get(number, ()) if sizes[child] != sizes[number]]
    return total


class PeakMemory:
    """Looks while it is open. `peak_bytes` is None until somebody could look."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self.peak_bytes: int | None = None
        self._every_s = every_s
        self._looked_s = 0.0
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> PeakMemory:
        self._looking = asyncio.create_task(self._look_again_and_again(), name="peak memory")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._looking is not None
        self._looking.cancel()
        await asyncio.wait([self._looking])

    async def look(self) -> None:
        """Once, now."""
        began = time.monotonic()
        found = await asyncio.to_thread(tree_bytes, os.getpid())
        self._looked_s = time.monotonic() - began
        if found is not None:
            self.peak_bytes = max(found, self.peak_bytes or 0)

    async def _look_again_and_again(self) -> None:
        while True:
            await self.look()
            if self.peak_bytes is None:
                return
            await asyncio.sleep(max(self._every_s, self._looked_s * 100))
