"""A child process: its start, its end, its last words."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from vidgend.children.limits import NO_LIMITS, Limits, prlimit
from vidgend.errors import StepError, StepStalled, StepTimeout, ToolMissing
from vidgend.redaction import password_in

QUIET = {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "SVT_LOG": "1"}
"""onnxruntime keeps a store of events in the home folder and has an address to send them to; vidgend wants neither.
SVT-AV1 writes a page about itself to stderr, where ffmpeg's last words should be; 1 leaves its errors."""
STDERR_TAIL_BYTES = 64 * 1024
STOP_GRACE_S = 0.5
"""Between SIGTERM and SIGKILL. Short: partial output is thrown away, and a cancelled job must be still in 1 s."""
_SECRET = re.compile(r"^VIDGEND_|^CREDENTIALS_DIRECTORY$|KEY|TOKEN|SECRET|PASSW")


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
    return "whole" if prlimit() is not None else "late"


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
