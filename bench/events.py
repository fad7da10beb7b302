"""Two hundred event streams beside fifty submits a second: what the loop, the memory and whoever submits feel of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.options import Options
from vidgend.daemon import serve
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.settings_sources import load_settings

STREAMS = 200
SUBMITS_PER_S = 50
SECONDS, QUICK_SECONDS = 30, 8
LAG_MS = 50.0


async def bench(_: Ffmpeg, options: Options) -> None:
    seconds = QUICK_SECONDS if options.quick else SECONDS
    with tempfile.TemporaryDirectory() as folder:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port = sock.getsockname()[1]
        settings = load_settings(environ={"VIDGEND_DATA_DIR": folder, "VIDGEND_HTTP__PORT": str(port)})
        settings = settings.model_copy(update={"log": settings.log.model_copy(update={"level": "warning"})})
        serving = asyncio.create_task(serve(settings))
        alone = await _clients(port, streams=0, seconds=seconds)
        before_mb, before_s = _memory_mb(), time.process_time()
        beside = await _clients(port, streams=STREAMS, seconds=seconds)
        after_mb, spent_s = _memory_mb(), time.process_time() - before_s
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
    print(
        f"events: {STREAMS} streams, {SUBMITS_PER_S} submits/s for {seconds} s: {beside['events']} of "
        f"{beside['expected']} events came, after {beside['delay_p50_ms']:.0f} ms (p99 {beside['delay_p99_ms']:.0f}); "
        f"loop lag p99 {beside['lag_p99_ms']:.1f} ms (bound {LAG_MS:.0f}; without streams {alone['lag_p99_ms']:.1f}); "
        f"submit p99 {beside['submit_p99_ms']:.0f} ms (without {alone['submit_p99_ms']:.0f}); "
        f"{spent_s / seconds:.2f} cores; memory {before_mb:.0f} -> {after_mb:.0f} MB"
    )


async def _clients(port: int, *, streams: int, seconds: int) -> dict[str, Any]:
    """In a process of their own."""
    arguments = [sys.executable, "-m", "bench.event_clients", str(port), str(streams), str(SUBMITS_PER_S), str(seconds)]
    lags: list[float] = []
    watch = asyncio.create_task(_watch_loop(lags))
    clients = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    stdout, _ = await clients.communicate()
    watch.cancel()
    lags.sort()
    found: dict[str, Any] = json.loads(stdout)
    return found | {"lag_p99_ms": 1000 * lags[int(len(lags) * 0.99)]}


def _memory_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def _watch_loop(lags: list[float]) -> None:
    while True:
        asked = time.perf_counter()
        await asyncio.sleep(0.005)
        lags.append(time.perf_counter() - asked - 0.005)
