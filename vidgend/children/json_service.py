"""A child that keeps a model loaded and answers one request after the other."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Sequence
from typing import Any

from vidgend.children.child import Child
from vidgend.errors import OutOfMemory, StepError, StepTimeout, StorageFull

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
