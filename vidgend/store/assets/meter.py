"""How much has been moved: a sign of life for whoever waits for a large file."""

from __future__ import annotations

import threading


class Meter:
    """Counts up. May be used from any thread."""

    def __init__(self) -> None:
        self.bytes = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self.bytes += count
