"""Copies of remote blobs on this machine: at most so many bytes, the least recently used go first."""

from __future__ import annotations

import os
import time
from pathlib import Path

from vidgend.errors import NotFound
from vidgend.store.assets.local_files import LocalFiles, full_disk_is_named

IN_USE_S = 6 * 3600.0
"""A copy that was handed out is not removed before this: a step may still be reading it."""
_TRIM_TO = 0.9
"""A trim goes a little further than it has to, so that the next one is not due at once."""


class LocalCopies(LocalFiles):
    """When a copy was last used is its access time: it survives restarts and is set here, whatever the mount says."""

    def __init__(self, root: Path, *, max_bytes: int) -> None:
        super().__init__(root)
        self._max_bytes = max_bytes
        self._bytes = 0

    def prepare(self) -> None:
        super().prepare()
        self._bytes = sum(size for folder in self.folders() for _, size in self.sizes(folder))

    def hand_out(self, digest: str) -> Path:
        """The path of a copy, checked and safe from `trim`. Raises: NotFound, AssetDamaged."""
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
            self.trim()

    def trim(self) -> None:
        """Remove the copies that were not used for longest, until there is room; none that may be in use."""
        found = []
        for folder in self.folders():
            for digest, size_bytes in self.sizes(folder):
                path = folder / digest
                try:
                    found.append((path.stat().st_atime, size_bytes, path))
                except FileNotFoundError:
                    continue
        total = sum(size_bytes for _, size_bytes, _ in found)
        unused_since = time.time() - IN_USE_S
        for _, size_bytes, path in sorted(found):
            if total <= self._max_bytes * _TRIM_TO:
                break
            with self.moves:
                try:
                    if path.stat().st_atime >= unused_since:
                        continue
                    path.unlink()
                except FileNotFoundError:
                    continue
            total -= size_bytes
        self._bytes = total
