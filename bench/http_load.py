"""The surface under load, while two videos are being rendered: latencies by `hey`, loop lag and memory of the daemon.

Needs `hey` (apt install hey), a load generator that sends at an even rate. The streams follow the two videos; `events` measures streams that each see all that happens.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import shutil
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.options import Options
from vidgend.pipeline.ffmpeg import Ffmpeg

SUBMITS_PER_S, STATUSES_PER_S, STREAMS = 50, 500, 200
REQUESTS_OF_WORKER = {SUBMITS_PER_S: 25, STATUSES_PER_S: 100}
"""How many a second one client sends, at even intervals. All clients of `hey` send in the same moment, so few of them."""
BOUNDS_MS = {"submit": 50.0, "status": 20.0, "lag": 50.0}
NARRATION = "The tide comes in over the flat sand, and the light of the morning lies on the water for a long while."
LAG = re.compile(r'vidgend_event_loop_lag_seconds_bucket\{le="([^"]+)"\} ([0-9.e+]+)')


@dataclass(kw_only=True)
class Daemon:
    url: str
    process: asyncio.subprocess.Process
    memory_mb: list[float] = field(default_factory=list)

    def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def lag(self) -> dict[float, float]:
        """How many looks at the loop were at most so late, in seconds."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        return {float(bound): float(count) for bound, count in LAG.findall(text)}

    def rss_mb(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0


async def bench(ffmpeg: Ffmpeg, options: Options) -> None:
    if shutil.which("hey") is None:
        print("http: left out, for there is no `hey` (apt install hey)")
        return
    seconds = 20 if options.quick else 60
    async with _daemon() as daemon:
        videos = [await asyncio.to_thread(daemon.call, "/mcp/generate", _video(number)) for number in range(2)]
        ids = [str(video["job_id"]) for video in videos]
        async with asyncio.timeout(600):
            while {await _state(daemon, one) for one in ids} != {"rendering"}:
                await asyncio.sleep(0.5)
        watched: list[int] = [0]
        async with asyncio.TaskGroup() as group:
            streams = [group.create_task(_stream(daemon.url, ids[number % 2], watched)) for number in range(STREAMS)]
            await asyncio.sleep(2)
            before = await asyncio.to_thread(daemon.lag)
            memory = group.create_task(_watch_memory(daemon))
            submit, status = await asyncio.gather(
                _hey(daemon.url + "/mcp/generate", rate=SUBMITS_PER_S, seconds=seconds, body=_small()),
                _hey(f"{daemon.url}/mcp/status/{ids[0]}", rate=STATUSES_PER_S, seconds=seconds),
            )
            after = await asyncio.to_thread(daemon.lag)
            states = [await _state(daemon, one) for one in ids]
            for task in (*streams, memory):
                task.cancel()
        _tell("submit", submit, SUBMITS_PER_S, seconds)
        _tell("status", status, STATUSES_PER_S, seconds)
        lag_ms = _quantile(before, after, 0.99) * 1000
        print(f"http: loop lag p99 at most {lag_ms:.0f} ms (bound {BOUNDS_MS['lag']:.0f})")
        third = max(1, len(daemon.memory_mb) // 3)
        first, last = sum(daemon.memory_mb[:third]) / third, sum(daemon.memory_mb[-third:]) / third
        print(f"http: memory {first:.0f} MB in the first third, {last:.0f} MB in the last, ratio {last / first:.2f}")
        print(f"http: {STREAMS} streams saw {watched[0]} events; the two videos are {' and '.join(states)} at the end")


@asynccontextmanager
async def _daemon() -> AsyncIterator[Daemon]:
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            **os.environ, "VIDGEND_DATA_DIR": folder, "VIDGEND_HTTP__PORT": "0", "VIDGEND_QUEUE__MAX_QUEUED": "1000000",
            "VIDGEND_QUEUE__MAX_CONCURRENT_JOBS": "2", "VIDGEND_FOOTAGE__PROVIDERS": '["generated"]',
            "VIDGEND_LOG__LEVEL": "warning",
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vidgend", "serve", env=environ, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        try:
            yield Daemon(url=line.rpartition(" ")[2].strip(), process=process)
        finally:
            process.terminate()
            await process.wait()


def _video(number: int) -> dict[str, Any]:
    """Long enough to be rendered for more than a minute of load."""
    scenes = [{"narration": f"Scene {place + 1} of film {number + 1}. {NARRATION}"} for place in range(40)]
    return {"scenes": scenes, "resolution": "1920x1080", "priority": 100, "music": "none"}


def _small() -> str:
    """A job that waits behind the videos."""
    return json.dumps({"prompt": "A short walk by the sea", "priority": -100})


async def _state(daemon: Daemon, job_id: str) -> str:
    return str((await asyncio.to_thread(daemon.call, f"/mcp/status/{job_id}"))["status"])


async def _stream(url: str, job_id: str, watched: list[int]) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"GET /mcp/events/{job_id} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: text/event-stream\r\n\r\n"
    writer.write(head.encode())
    try:
        while line := await reader.readline():
            watched[0] += line.startswith(b"event:")
        raise RuntimeError("a stream was ended")
    finally:
        writer.close()


async def _watch_memory(daemon: Daemon) -> None:
    while True:
        daemon.memory_mb.append(daemon.rss_mb())
        await asyncio.sleep(1)


async def _hey(url: str, *, rate: int, seconds: int, body: str = "") -> list[tuple[float, int]]:
    """(latency in seconds, HTTP status) of every request."""
    each = REQUESTS_OF_WORKER[rate]
    argv = ["hey", "-o", "csv", "-c", str(rate // each), "-q", str(each), "-z", f"{seconds}s"]
    if body:
        argv += ["-m", "POST", "-T", "application/json", "-d", body]
    process = await asyncio.create_subprocess_exec(*argv, url, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    lines = (await process.stdout.read()).decode().splitlines()
    await process.wait()
    return [(float(row["response-time"]), int(row["status-code"])) for row in csv.DictReader(lines)]


def _tell(name: str, found: list[tuple[float, int]], rate: int, seconds: int) -> None:
    took_ms = sorted(latency_s * 1000 for latency_s, _ in found)
    bad = sum(status >= 400 for _, status in found)
    p50, p99 = (took_ms[int(share * (len(took_ms) - 1))] for share in (0.5, 0.99))
    print(
        f"http: {name}: {len(found)} at {len(found) / seconds:.0f} a second (wanted {rate}), p50 {p50:.1f} ms, "
        f"p99 {p99:.1f} ms (bound {BOUNDS_MS[name]:.0f}), worst {took_ms[-1]:.0f} ms, {bad} failed"
    )


def _quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """The bound of the bucket that the quantile of what came between lies in."""
    counts = {bound: after[bound] - before.get(bound, 0.0) for bound in sorted(after)}
    total = max(counts.values(), default=0.0)
    return next((bound for bound, count in counts.items() if total and count >= share * total), float("inf"))
