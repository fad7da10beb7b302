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

    def has_room(self, more_bytes: int = 0) -> bool:
        """Whether `more_bytes` fit beside what running jobs will still write, with the reserve left over.

        Without its ballast the daemon could not record the next full disk, so it takes nothing on before that is back.
        """
        if self._ballast is not None and not self._ballast.present and not self._ballast.ensure(self.min_free_bytes):
            return False
        return self.free_bytes() - sum(self._wanted.values()) - more_bytes >= self.min_free_bytes
