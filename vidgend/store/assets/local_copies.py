"""Copies of remote blobs on this machine: at most so many bytes, the least recently used go first."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from vidgend.errors import NotFound
from vidgend.store.assets.local_files import LocalFiles, full_disk_is_named
from vidgend.store.assets.meter import Meter

IN_USE_S = 6 * 3600.0
"""A copy that was handed out is not removed before this: a step may still be reading it."""
_TRIM_TO = 0.9
"""A trim goes a little further than it has to, so that the next one is not due at once."""


class LocalCopies(LocalFiles):
    """When a copy was last used is its access time: it survives restarts and is set here, whatever the mount says."""

    def __init__(self, root: Path, meter: Meter, *, max_bytes: int) -> None:
        super().__init__(root, meter)
        self._max_bytes = max_bytes
        self._bytes = 0

    def prepare(self) -> None:
        super().prepare()
        self._bytes = sum(size for folder in self.folders() for _, size in self.sizes(folder))

    def hand_out(self, digest: str) -> Path:
        """The path of a copy, checked and safe from being removed. Raises: NotFound, AssetDamaged."""
        path = self.check(digest)
        try:
            with self.moves:
                stat = path.stat()
                os.utime(path, ns=(time.time_ns(), stat.st_mtime_ns))
        except FileNotFoundError:
            raise NotFound(f"the copy of {digest} is gone") from None
        return path

    def place(self, path: Path, target: Path) -> None:
        with full_disk_is_named():
            size_bytes = path.stat().st_size
            super().place(path, target)
        with self.moves:
            self._bytes += size_bytes
        if self._bytes > self._max_bytes:
            found = self._by_use()
            total = sum(size_bytes for _, size_bytes, _ in found)
            self._remove(found, total - self._max_bytes * _TRIM_TO, time.time() - IN_USE_S)

    def give_up(self, lacking_bytes: int, used_since: float | None = None) -> int:
        """Remove copies, the least recently used first, until so many bytes are freed; returns how many were.

        None that was handed out after `used_since` (a few hours ago if that is later): it may be in use.
        """
        return self._remove(self._by_use(), lacking_bytes, max(time.time() - IN_USE_S, used_since or 0.0))

    def _by_use(self) -> list[tuple[float, int, Path]]:
        """(last use, size in bytes, path) of all copies, the least recently used first."""
        found = []
        for folder in self.folders():
            for digest, size_bytes in self.sizes(folder):
                path = folder / digest
                with suppress(FileNotFoundError):
                    found.append((path.stat().st_atime, size_bytes, path))
        return sorted(found)

    def _remove(self, found: list[tuple[float, int, Path]], lacking_bytes: float, used_since: float) -> int:
        freed_bytes = 0
        for _, size_bytes, path in found:
            if freed_bytes >= lacking_bytes:
                break
            with self.moves:
                try:
                    if path.stat().st_atime >= used_since:
                        continue
                    path.unlink()
                except FileNotFoundError:
                    continue
            freed_bytes += size_bytes
        with self.moves:
            self._bytes = sum(size_bytes for _, size_bytes, _ in found) - freed_bytes
        return freed_bytes
