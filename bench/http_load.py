"""The surface under load, while two videos are being rendered: latencies by autocannon, loop lag and memory of the daemon.

Needs Node 20 (`npx autocannon` is fetched once). Latencies are corrected for coordinated omission. The streams follow the
two videos; `events` measures streams that each see all that happens.
"""

from __future__ import annotations

import asyncio
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

AUTOCANNON = "autocannon@9.0.0"
SUBMITS_PER_S, STATUSES_PER_S, STREAMS = 50, 500, 200
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
    if shutil.which("npx") is None:
        print("http: left out, for there is no Node (npx) to run autocannon with")
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
                _cannon(daemon.url + "/mcp/generate", rate=SUBMITS_PER_S, seconds=seconds, body=_small()),
                _cannon(f"{daemon.url}/mcp/status/{ids[0]}", rate=STATUSES_PER_S, seconds=seconds),
            )
            after = await asyncio.to_thread(daemon.lag)
            states = [await _state(daemon, one) for one in ids]
            for task in (*streams, memory):
                task.cancel()
        _tell("submit", submit, SUBMITS_PER_S)
        _tell("status", status, STATUSES_PER_S)
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
    """Jobs that wait behind the videos. autocannon puts an id of its own into each."""
    return json.dumps({"prompt": "A short walk by the sea [<id>]", "priority": -100})


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


async def _cannon(url: str, *, rate: int, seconds: int, body: str = "") -> dict[str, Any]:
    argv = ["npx", "--yes", AUTOCANNON, "--json", "-n", "-c", "20", "-R", str(rate), "-d", str(seconds)]
    if body:
        argv += ["-m", "POST", "-H", "Content-Type=application/json", "-I", "-b", body]
    process = await asyncio.create_subprocess_exec(
        *argv, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    raw = await process.stdout.read()
    await process.wait()
    found: dict[str, Any] = json.loads(raw)
    return found


def _tell(name: str, found: dict[str, Any], rate: int) -> None:
    latency, bad = found["latency"], found["non2xx"] + found["errors"] + found["timeouts"]
    print(
        f"http: {name}: {found['requests']['total']} at {found['requests']['average']:.0f} a second (wanted {rate}), "
        f"p50 {latency['p50']} ms, p99 {latency['p99']} ms (bound {BOUNDS_MS[name]:.0f}), {bad} failed"
    )


def _quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """The bound of the bucket that the quantile of what came between lies in."""
    counts = {bound: after[bound] - before.get(bound, 0.0) for bound in sorted(after)}
    total = max(counts.values(), default=0.0)
    return next((bound for bound, count in counts.items() if total and count >= share * total), float("inf"))
