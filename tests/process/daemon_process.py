"""The real daemon as a process, and what its clients do: shared by all tests that start one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from vidgend.children import Child

READY = re.compile(r"vidgend ready on (https?://\S+)")
START_S = 20.0
MARK = "TESTED_DAEMON_IN"


@dataclass
class Daemon:
    """`vidgend serve` (or `argv`) over `folder`/data. It may be started, killed and started again."""

    folder: Path
    environ: dict[str, str]
    argv: tuple[str, ...] = (sys.executable, "-m", "vidgend", "serve")
    process: asyncio.subprocess.Process | None = None
    url: str = ""
    child: Child | None = None
    began: float = 0.0
    ready_after_s: list[float] = field(default_factory=list)
    """From the start of each process to its READY line."""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def spawn(self) -> None:
        """Start it without waiting until it answers."""
        self.began = time.monotonic()
        self.url = ""
        self.child = await Child.spawn(
            self.argv,
            cwd=self.folder,
            env={
                "VIDGEND_DATA_DIR": str(self.data),
                "VIDGEND_HTTP__PORT": "0",
                MARK: str(self.data),
                **self.environ,
            },
        )
        self.process = self.child.process

    async def ready(self) -> None:
        """Wait until it answers."""
        assert self.process is not None and self.process.stdout is not None and self.child is not None
        line = (await asyncio.wait_for(self.process.stdout.readline(), START_S)).decode()
        found = READY.match(line)
        assert found, line + self.child.stderr_tail
        self.ready_after_s.append(time.monotonic() - self.began)
        self.url = found[1]

    async def start(self) -> None:
        await self.spawn()
        await self.ready()
        assert self.ready_after_s[-1] < 15

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):  # killed before, and reaped
            os.kill(self.pid, signal.SIGKILL)

    async def terminate(self) -> int:
        assert self.child is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        return await asyncio.wait_for(self.child.wait(), 25)

    async def nobody_left(self, within_s: float = 1.0) -> float:
        """Wait until all children of the dead daemon are gone; how long that took. Fails after `within_s`."""
        began = time.monotonic()
        while left := workers(self.folder):
            assert time.monotonic() - began < within_s, [_told(pid) for pid in left]
            await asyncio.sleep(0.02)
        return time.monotonic() - began


def workers(folder: Path, daemon: int | None = None) -> list[int]:
    """Processes that were started, however far down, by the daemon over `folder`/data; not itself (pid `daemon`).

    Told by a mark in their environment, which children inherit (its settings they do not), so that none is missed for
    want of a telling argument.
    """
    mark = f"{MARK}={folder / 'data'}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in (os.getpid(), daemon):
            continue
        try:
            belongs = mark in (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if belongs and state != "Z":
            found.append(int(entry.name))
    return found


def _told(pid: int) -> str:
    with contextlib.suppress(OSError):
        return f"{pid} {(Path('/proc') / str(pid) / 'cmdline').read_bytes().replace(bytes(1), b' ').decode()}"
    return str(pid)


async def generate(http: aiohttp.ClientSession, url: str, **body: Any) -> str:
    """Send a job; its id."""
    async with http.post(f"{url}/mcp/generate", json=body) as answer:
        assert answer.status == 202, await answer.text()
        accepted = await answer.json()
    assert accepted["status"] == "accepted" and accepted["message"]
    return str(accepted["job_id"])


async def follow(http: aiohttp.ClientSession, url: str, job_id: str, until: tuple[str, ...]) -> list[dict[str, Any]]:
    """Ask for the status again and again until it is one of `until`; every answer."""
    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(240):
        while not seen or seen[-1]["status"] not in until:
            async with http.get(f"{url}/mcp/status/{job_id}") as answer:
                assert answer.status == 200
                seen.append(await answer.json())
            assert seen[-1]["status"] != "failed" or "failed" in until, seen[-1]
            await asyncio.sleep(0.05)
    return seen
