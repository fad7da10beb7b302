"""What a child may take of the machine (docs/adr/0013)."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OOM_SCORE = 500
"""When memory runs out the kernel should take a child, which is run again, and not the daemon that holds the jobs."""
NICE = 10
"""Work gives way to whoever asks about it: a status must not wait for a frame to be encoded."""
_LIMIT_NAMES = {
    resource.RLIMIT_CORE: "core", resource.RLIMIT_CPU: "cpu", resource.RLIMIT_FSIZE: "fsize",
    resource.RLIMIT_NOFILE: "nofile", resource.RLIMIT_AS: "as",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a child may take, enforced by the kernel; it and all of its own children inherit it. None: no limit."""

    cpu_s: int | None = None
    file_bytes: int | None = None
    open_files: int | None = None
    address_bytes: int | None = None

    def values(self) -> dict[int, int]:
        """By kind of limit (RLIMIT_*), none above what this process may give."""
        wanted = {
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_CPU: self.cpu_s,
            resource.RLIMIT_FSIZE: self.file_bytes,
            resource.RLIMIT_NOFILE: self.open_files,
            resource.RLIMIT_AS: self.address_bytes,
        }
        allowed = {kind: resource.getrlimit(kind)[1] for kind in wanted}
        return {
            kind: value if allowed[kind] == resource.RLIM_INFINITY else min(value, allowed[kind])
            for kind, value in wanted.items()
            if value is not None
        }

    def wrapper(self) -> tuple[str, ...]:
        """A program that sets the limits and becomes the child, so that it never runs without them; () if there is
        none. Not `preexec_fn`: code between fork and exec is not safe in a process with threads."""
        program = prlimit()
        if program is None:
            return ()
        return (program, *(f"--{_LIMIT_NAMES[kind]}={value}" for kind, value in self.values().items()), "--")

    def apply(self, pid: int) -> None:
        """What can be set on a child that runs already."""
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/oom_score_adj").write_text(str(OOM_SCORE))
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, NICE)
        with contextlib.suppress(OSError):  # a session is scheduled as one where the kernel groups them: man 7 sched
            Path(f"/proc/{pid}/autogroup").write_text(str(NICE))
        if prlimit() is None and sys.platform == "linux":
            for kind, value in self.values().items():
                with contextlib.suppress(OSError, ValueError):  # it may have ended already
                    resource.prlimit(pid, kind, (value, value))


NO_LIMITS = Limits()


@cache
def prlimit() -> str | None:
    """Where util-linux's program is that sets limits and becomes another one; None if it is not installed."""
    return shutil.which("prlimit")
