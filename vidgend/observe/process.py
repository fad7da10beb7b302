"""This process and its children, as /proc has them. Blocking, of the order of a millisecond."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class ProcessFacts:
    """Numbers are 0 where the system does not tell."""

    began_at: float
    cpu_s: float
    rss_bytes: int
    open_fds: int
    max_fds: int
    threads: int
    children: int
    children_rss_bytes: int


_BEGAN_AT = time.time()


def process_facts() -> ProcessFacts:
    times = os.times()
    children = _descendants(os.getpid())
    return ProcessFacts(
        began_at=_BEGAN_AT,
        cpu_s=times.user + times.system,
        rss_bytes=_rss_bytes(os.getpid()) or _most_rss_bytes(),
        open_fds=_open_fds(),
        max_fds=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        threads=threading.active_count(),
        children=len(children),
        children_rss_bytes=sum(map(_rss_bytes, children)),
    )


def _open_fds() -> int:
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  names only
    return 0


def _rss_bytes(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * resource.getpagesize()
    return 0


def _most_rss_bytes() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _descendants(pid: int) -> set[int]:
    """However far down."""
    found: set[int] = set()
    left = [pid]
    while left and len(found) < 1000:
        for told in _children_of(left.pop()):
            if told not in found:
                found.add(told)
                left.append(told)
    return found


def _children_of(pid: int) -> list[int]:
    children: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        for task in (_PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                children += map(int, (task / "children").read_text().split())
    return children
