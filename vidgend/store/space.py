"""Disk space: what is left, what running jobs will still want, and the ballast that is given up when all is gone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from vidgend.store.ballast import Ballast


class Space:
    """Room for work below `data_dir` and where the assets lie (`assets_free_bytes`).

    Blocking calls: of the order of a stat, but a sick disk may take long over them.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        assets_free_bytes: Callable[[], int | None],
        ballast: Ballast | None,
        min_free_bytes: int,
    ) -> None:
        self._data_dir = data_dir
        self._assets_free_bytes = assets_free_bytes
        self._ballast = ballast
        self.min_free_bytes = min_free_bytes
        self._wanted: dict[str, float] = {}
        self.evictable_bytes = 0
        """What the cache would give up, as the last sweep saw it."""

    def free_bytes(self) -> int:
        """The least that is free on the file systems in use."""
        free = shutil.disk_usage(self._data_dir).free
        assets_free = self._assets_free_bytes()
        return free if assets_free is None else min(free, assets_free)

    def expect(self, job_id: str, more_bytes: float) -> None:
        """Say what a running job will still write; 0 or less when it is done."""
        if more_bytes > 0:
            self._wanted[job_id] = more_bytes
        else:
            self._wanted.pop(job_id, None)

    def lacking_bytes(self, more_bytes: int, *, with_cache: bool = False) -> int:
        """How many bytes are missing so that `more_bytes` fit beside what running jobs will still write, with the
        reserve left over; 0 if they fit. `with_cache` counts what could be deleted as free.

        Without its ballast the daemon could not record the next full disk, so it takes nothing on before that is back.
        """
        free = self.free_bytes() + (self.evictable_bytes if with_cache else 0)
        ballast_bytes = self._ballast.size_bytes if self._ballast is not None and not self._ballast.present else 0
        lacking = round(self.min_free_bytes + sum(self._wanted.values()) + more_bytes - free)
        if ballast_bytes and self._ballast is not None and not self._ballast.ensure(self.min_free_bytes):
            return max(lacking + ballast_bytes, 1)
        return max(lacking, 0)
