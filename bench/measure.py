"""CPU seconds, wall seconds and memory of everything that runs below this process."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 0.05


@dataclass(kw_only=True)
class Used:
    """What a piece of work took. `cpu_s` is user and system time of this process and of all children that ended."""

    cpu_s: float = 0.0
    wall_s: float = 0.0


def own_cpu_s() -> float:
    """Of this process and of all its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


@contextmanager
def used() -> Iterator[Used]:
    """Fills its value in when the block ends."""
    answer = Used()
    cpu_s, wall_s = own_cpu_s(), time.perf_counter()
    try:
        yield answer
    finally:
        answer.cpu_s, answer.wall_s = own_cpu_s() - cpu_s, time.perf_counter() - wall_s


def pss_bytes(pid: int) -> int:
    """Memory of a process, with what it shares divided among those that share it; 0 if it is gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass  # it has ended between the listing and the look
    return 0


def below(root: int) -> list[int]:
    """A process and all its descendants."""
    found, new = [root], [root]
    while new:
        children: list[int] = []
        for pid in new:
            for listing in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    children += [int(text) for text in listing.read_text().split()]
                except (FileNotFoundError, ProcessLookupError):
                    continue
        found += children
        new = children
    return found


class Tree:
    """The highest sum of the memory of a process and its descendants, looked at 20 times a second in a thread."""

    def __init__(self, root: int) -> None:
        self.peak_bytes = 0
        self.parts: dict[str, int] = {}
        """Of the moment of the peak, by program, in bytes."""
        self._root = root
        self._words = _words(root)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Tree:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(SAMPLE_S):
            sizes = [(pid, pss_bytes(pid)) for pid in below(self._root) if not self._shares_ours(pid)]
            if (total := sum(size for _, size in sizes)) > self.peak_bytes:
                self.peak_bytes = total
                self.parts = {}
                for number, (pid, size) in enumerate(sizes):
                    self.parts[f"{number} {_program(pid)}"] = size

    def _shares_ours(self, pid: int) -> bool:
        """Whether a child has not yet begun its own program: its memory is still the root's."""
        return pid != self._root and _words(pid) == self._words

    def describe(self) -> str:
        """The processes of the peak, largest first."""
        rows = sorted(self.parts.items(), key=lambda row: -row[1])
        return ", ".join(f"{name.split(' ', 1)[1]} {size / 1e6:.0f}" for name, size in rows if size > 1e6)


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _program(pid: int) -> str:
    """What a process is, for people: its program, or the module that Python runs."""
    words = _words(pid)
    if not words:
        return "gone"
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    return Path(words[0]).name.split("-")[0]
