"""The one door for child processes. Nothing else in vidgend spawns.

Every child gets its own session, no terminal, a drained and bounded stderr, and dies with its parent
(`setpriv --pdeathsig KILL`, measured: after SIGKILL of the daemon no child is left). Stopping is
SIGTERM to the group, a short grace, SIGKILL to the group, reap; only then does the call return, so a slot
that is held around it is free when it says so. `Limits` bounds what one may take of the machine (docs/adr/0013).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import re
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from vidgend.errors import OutOfMemory, StepError, StepStalled, StepTimeout, StorageFull, ToolMissing
from vidgend.redaction import password_in

QUIET = {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "SVT_LOG": "1"}
"""onnxruntime keeps a store of events in the home folder and has an address to send them to; vidgend wants neither.
SVT-AV1 writes a page about itself to stderr, where ffmpeg's last words should be; 1 leaves its errors."""
STDERR_TAIL_BYTES = 64 * 1024
STOP_GRACE_S = 0.5
"""Between SIGTERM and SIGKILL. Short: partial output is thrown away, and a cancelled job must be still in 1 s."""


OOM_SCORE = 500
"""When memory runs out the kernel should take a child, which is run again, and not the daemon that holds the jobs."""

_SECRET = re.compile(r"^VIDGEND_|^CREDENTIALS_DIRECTORY$|KEY|TOKEN|SECRET|PASSW")


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
        prlimit = _prlimit()
        if prlimit is None:
            return ()
        return (prlimit, *(f"--{_LIMIT_NAMES[kind]}={value}" for kind, value in self.values().items()), "--")

    def apply(self, pid: int) -> None:
        """What can be set on a child that runs already."""
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/oom_score_adj").write_text(str(OOM_SCORE))
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, NICE)
        with contextlib.suppress(OSError):  # a session is scheduled as one where the kernel groups them: man 7 sched
            Path(f"/proc/{pid}/autogroup").write_text(str(NICE))
        if _prlimit() is None and sys.platform == "linux":
            for kind, value in self.values().items():
                with contextlib.suppress(OSError, ValueError):  # it may have ended already
                    resource.prlimit(pid, kind, (value, value))


_LIMIT_NAMES = {
    resource.RLIMIT_CORE: "core", resource.RLIMIT_CPU: "cpu", resource.RLIMIT_FSIZE: "fsize",
    resource.RLIMIT_NOFILE: "nofile", resource.RLIMIT_AS: "as",
}  # fmt: skip


NICE = 10
"""Work gives way to whoever asks about it: a status must not wait for a frame to be encoded."""


@cache
def _prlimit() -> str | None:
    return shutil.which("prlimit")


NO_LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A child that ended. `returncode` is negative for a signal, as in subprocess."""

    returncode: int
    stdout: bytes
    stderr_tail: str


@cache
def _wrapper() -> tuple[str, ...]:
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


def dies_with_parent() -> bool:
    """Whether children are tied to this process's life (util-linux's setpriv is installed)."""
    return bool(_wrapper())


def held() -> Literal["whole", "late", "loose"]:
    """How far children are held: they die with this process and have their limits from the start (`whole`), only from
    soon after it (`late`), or nothing ends them with this process (`loose`)."""
    if not dies_with_parent():
        return "loose"
    return "whole" if _prlimit() is not None else "late"


def _environment() -> dict[str, str]:
    """What a child sees of this process's: no key and no password, since none of them asks a service for anything."""
    return {name: value for name, value in os.environ.items() if not (_SECRET.search(name) or password_in(value))}


class Child:
    """A running child and its group. Use `run` unless the child serves many requests."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self.process = process
        self.name = name
        self._tail = bytearray()
        self._drain = asyncio.create_task(self._drain_stderr(), name=f"stderr of {name}")

    @classmethod
    async def spawn(
        cls,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        stdin: int = asyncio.subprocess.DEVNULL,
        stdout: int = asyncio.subprocess.PIPE,
        limits: Limits = NO_LIMITS,
    ) -> Child:
        """Start `argv`. Cancelling during the start waits for it and kills what was started.

        Raises: ToolMissing if the program does not exist.
        """
        if shutil.which(argv[0]) is None:
            raise ToolMissing(f"there is no program {argv[0]}")
        start = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *limits.wrapper(),
                *_wrapper(),
                *argv,
                cwd=cwd,
                env={**_environment(), **QUIET, **(env or {})},
                stdin=stdin,
                stdout=stdout,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                limit=1024 * 1024,
            )
        )
        try:
            process = await asyncio.shield(start)
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                orphan = cls(await start, argv[0])
                await orphan.stop()
            raise
        limits.apply(process.pid)
        return cls(process, Path(argv[0]).name)

    async def _drain_stderr(self) -> None:
        stream = self.process.stderr
        assert stream is not None
        while chunk := await stream.read(8192):
            self._tail += chunk
            del self._tail[:-STDERR_TAIL_BYTES]

    @property
    def stderr_tail(self) -> str:
        return self._tail.decode("utf-8", "replace").strip()

    async def wait(self) -> int:
        """Wait for the end and for the last of stderr."""
        code = await self.process.wait()
        await self._drain
        return code

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    async def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """SIGTERM, grace, SIGKILL, reap; finishes even if the caller is cancelled meanwhile."""
        stopping = asyncio.ensure_future(self._stop(grace_s))
        cancelled = False
        while not stopping.done():
            try:
                await asyncio.shield(stopping)
            except asyncio.CancelledError:
                cancelled = True
        stopping.result()
        if cancelled:
            raise asyncio.CancelledError

    async def _stop(self, grace_s: float) -> None:
        if self.process.returncode is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), grace_s)
        self._signal(signal.SIGKILL)
        await self.process.wait()
        await asyncio.wait({self._drain}, timeout=0.2)  # its last words, such as the end of a traceback
        transport = getattr(self.process, "_transport", None)
        if transport is not None:
            transport.close()
        self._drain.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._drain


async def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    timeout_s: float,
    stall_s: float | None = None,
    on_line: Callable[[str], bool | None] | None = None,
    feeder: Sequence[str] | None = None,
    max_stdout_bytes: int = 64 * 1024 * 1024,
    limits: Limits = NO_LIMITS,
) -> Finished:
    """Run a child to its end and return how it went; a non-zero code is not an error here.

    `on_line` receives stdout line by line and stdout is then not kept; it answers False for a line that is no sign
    of progress. `stall_s` kills a child that gives no sign on stdout for so long. `feeder` is a second child whose
    stdout becomes the first one's stdin; `limits` are for both.

    Raises: StepTimeout, StepStalled, ToolMissing, StepError (too much output, too large a file). Cancellation stops
    the group first.
    """
    read_end = write_end = -1
    upstream: Child | None = None
    child: Child | None = None
    try:
        if feeder is not None:
            read_end, write_end = os.pipe()
            upstream = await Child.spawn(feeder, cwd=cwd, stdout=write_end, limits=limits)
            os.close(write_end)
            write_end = -1
        stdin = read_end if read_end >= 0 else asyncio.subprocess.DEVNULL
        child = await Child.spawn(argv, cwd=cwd, stdin=stdin, limits=limits)
        if read_end >= 0:
            os.close(read_end)
            read_end = -1
        kept = bytearray()
        deadline = time.monotonic() + timeout_s
        stalls_at = None if stall_s is None else time.monotonic() + stall_s
        stdout = child.process.stdout
        assert stdout is not None
        while True:
            until = deadline if stalls_at is None else min(deadline, stalls_at)
            try:
                if until <= time.monotonic():  # a child that talks all the time gives the timeout no chance
                    raise TimeoutError
                async with asyncio.timeout(until - time.monotonic()):
                    chunk = await stdout.readline() if on_line else await stdout.read(65536)
            except TimeoutError:
                if until < deadline:
                    raise StepStalled(
                        f"{child.name}: no progress for {stall_s:g} s", tail=_tails(child, upstream)
                    ) from None
                raise _too_late(child, upstream, timeout_s) from None
            if not chunk:
                break
            moved = True
            if on_line is not None:
                moved = on_line(chunk.decode("utf-8", "replace").rstrip("\r\n")) is not False
            if moved and stall_s is not None:
                stalls_at = time.monotonic() + stall_s
            if on_line is not None:
                continue
            kept += chunk
            if len(kept) > max_stdout_bytes:
                raise StepError(f"{child.name} wrote more than {max_stdout_bytes} bytes")
        try:
            async with asyncio.timeout(max(1.0, deadline - time.monotonic())):
                code = await child.wait()
        except TimeoutError:
            raise _too_late(child, upstream, timeout_s) from None
        tail = child.stderr_tail
        if code == -signal.SIGXCPU or (code == -signal.SIGKILL and limits.cpu_s is not None):
            raise StepTimeout(f"{child.name} was killed: out of processor time or memory", tail=tail)
        if code == -signal.SIGXFSZ:
            raise StepError(f"{child.name} wrote a file of more than {limits.file_bytes} bytes", tail=tail)
        if upstream is not None:
            try:
                upstream_code = await asyncio.wait_for(upstream.wait(), 5)
            except TimeoutError:
                upstream_code = 0
            if code == 0 and upstream_code not in (0, -signal.SIGPIPE):
                code, tail = upstream_code, upstream.stderr_tail
            elif code != 0:
                tail = _tails(child, upstream)
        return Finished(returncode=code, stdout=bytes(kept), stderr_tail=tail)
    finally:
        for end in (read_end, write_end):
            if end >= 0:
                os.close(end)
        for process in (child, upstream):
            if process is not None:
                await process.stop()


def _too_late(child: Child, feeder: Child | None, timeout_s: float) -> StepTimeout:
    return StepTimeout(f"{child.name}: not finished after {timeout_s:g} s", tail=_tails(child, feeder))


def _tails(child: Child, feeder: Child | None) -> str:
    """The last words of a child, and of the one that feeds it."""
    if feeder is None or not feeder.stderr_tail:
        return child.stderr_tail
    return f"{child.stderr_tail}\n{feeder.name}: {feeder.stderr_tail}".strip()


_OUT_OF_MEMORY = ("MemoryError", "OutOfMemoryError")
"""Python's, and torch's for a GPU; CTranslate2 says it in words."""


class JsonService:
    """A child that stays: one JSON object a line in, one a line out, one request at a time.

    The child is started by the first request and restarted after a crash. An answer of
    `{"error": {"code": ..., "detail": ...}}` is raised as `failure(detail)`, or as OutOfMemory where it tells of that.
    Cancelling a request kills the child, since it cannot be told to stop in the middle of its work. After `idle_s`
    without a request it is ended; None: only by `aclose`.
    """

    def __init__(
        self, argv: Sequence[str], *, name: str, failure: type[StepError], idle_s: float | None = None
    ) -> None:
        self._argv = tuple(argv)
        self._name = name
        self._failure = failure
        self._idle_s = idle_s
        self._child: Child | None = None
        self._lock = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.process.returncode is None

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return self._lock.locked()

    async def request(self, message: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """Send `message`, return the answer. Raises: the failure class, OutOfMemory, StepTimeout, StorageFull,
        ToolMissing."""
        self._stay()
        try:
            return await self._ask(message, timeout_s=timeout_s)
        finally:
            self._stay()
            if self._idle_s is not None:
                self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._begin_to_end)

    def _stay(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _begin_to_end(self) -> None:
        self._ending = asyncio.create_task(self._end(), name=f"{self._name} was idle")

    async def _end(self) -> None:
        async with self._lock:
            await self._drop()

    async def _ask(self, message: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        async with self._lock:
            if not self.running:
                await self._drop()
                self._child = await Child.spawn(self._argv, stdin=asyncio.subprocess.PIPE)
            child = self._child
            assert child is not None and child.process.stdin and child.process.stdout
            done = False
            try:
                async with asyncio.timeout(timeout_s):
                    child.process.stdin.write(json.dumps(message).encode() + b"\n")
                    await child.process.stdin.drain()
                    line = await child.process.stdout.readline()
                done = bool(line)
            except TimeoutError:
                raise StepTimeout(
                    f"{self._name} did not answer within {timeout_s:g} s", tail=child.stderr_tail
                ) from None
            except (BrokenPipeError, ConnectionResetError, ValueError):
                line = b""
            finally:
                if not done:
                    tail = child.stderr_tail
                    await self._drop()
                    tail = child.stderr_tail or tail
        if not line:
            last = tail.splitlines()[-1] if tail else "no output"
            raise self._failure(f"{self._name} ended unexpectedly: {last}", tail=tail)
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:  # something else wrote to its output: its answers can no longer be told apart
            async with self._lock:
                await self._drop()
            raise self._failure(f"{self._name} answered {line[:80]!r}") from None
        if "error" in answer:
            detail = str(answer["error"].get("detail", "unknown error"))
            if answer["error"].get("code") in _OUT_OF_MEMORY or "out of memory" in detail.lower():
                raise OutOfMemory(f"{self._name}: {detail}")
            if f"[Errno {errno.ENOSPC}]" in detail:
                raise StorageFull(f"{self._name}: {detail}")
            raise self._failure(detail)
        return answer

    async def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def aclose(self) -> None:
        """Stop the child, if any."""
        self._stay()
        await self._drop()
        if self._ending is not None:
            await self._ending
