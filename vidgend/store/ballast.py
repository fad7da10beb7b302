"""A file that holds some disk space back, so that a full disk still lets the database say what happened.

When the disk is full even a small UPDATE fails, and so a job could not be recorded as failed. Then the ballast is
deleted and the update is run again. It is made anew when there is space.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from pathlib import Path

_log = logging.getLogger(__name__)


class Ballast:
    """`ensure` when there is space, `drop` when there is none. Both may be called from any thread."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self.size_bytes = size_bytes
        self._lock = threading.Lock()

    @property
    def present(self) -> bool:
        return self._path.exists()

    def ensure(self, min_free_bytes: int) -> bool:
        """Make the file if afterwards `min_free_bytes` are still free. Answers whether it is there now."""
        with self._lock:
            if self._is_whole():
                return True
            self._path.unlink(missing_ok=True)
            space = os.statvfs(self._path.parent)
            if self.size_bytes <= 0 or space.f_bavail * space.f_frsize - self.size_bytes < min_free_bytes:
                return False
            try:
                self._make()
            except OSError as error:
                _log.warning("ballast_failed", extra={"error": str(error)})
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)
                return False
            return True

    def drop(self) -> bool:
        """Give the space back. Answers whether there was any to give."""
        with self._lock:
            try:
                freed_bytes = self._path.stat().st_size
                self._path.unlink()
            except FileNotFoundError:
                return False
            _log.warning("ballast_dropped", extra={"freed_bytes": freed_bytes})
            return True

    def _is_whole(self) -> bool:
        """A file of another size is of other settings, or a crash cut it off."""
        try:
            return self._path.stat().st_size == self.size_bytes > 0
        except FileNotFoundError:
            return False

    def _make(self) -> None:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(fd, 0, self.size_bytes)
            os.fsync(fd)
        finally:
            os.close(fd)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
