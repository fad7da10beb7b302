"""Start-up, idle memory, loop stalls and the second run of a job."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vidgend.http.wire import GenerateBody
from vidgend.runtime import Runtime
from vidgend.settings_sources import load_settings

STARTS = 5
BODY = GenerateBody(
    prompt="A beautiful sunset over the ocean with waves crashing on the beach",
    duration_target=12,
    resolution="1280x720",
)


def _memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def idle() -> None:
    starts, memory = [], []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            environ = {**os.environ, "VIDGEND_DATA_DIR": folder, "VIDGEND_HTTP__PORT": "0"}
            began = time.perf_counter()
            daemon = subprocess.Popen(
                [sys.executable, "-m", "vidgend", "serve"],
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            assert daemon.stdout is not None
            assert daemon.stdout.readline().startswith(b"vidgend ready on ")
            starts.append(time.perf_counter() - began)
            time.sleep(1)
            memory.append(_memory_mb(daemon.pid))
            daemon.terminate()
            daemon.wait(20)
    print(
        f"idle: ready after {statistics.median(starts):.2f} s (bound 1.5 s; worst {max(starts):.2f}), "
        f"{statistics.median(memory):.0f} MB (proportional set size)"
    )


async def _watch_loop(worst: list[float]) -> None:
    while True:
        asked = time.perf_counter()
        await asyncio.sleep(0.005)
        worst.append(time.perf_counter() - asked - 0.005)


async def _job(runtime: Runtime) -> float:
    began = time.perf_counter()
    job_id = await runtime.submit_generate(BODY)
    while not (job := await runtime.jobs.get(job_id)).ended:
        await asyncio.sleep(0.05)
    assert job.state == "completed", job.error
    return time.perf_counter() - began


async def stall_and_again() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(environ={"VIDGEND_DATA_DIR": folder})
        lags: list[float] = []
        async with Runtime.open(settings) as runtime:
            watch = asyncio.create_task(_watch_loop(lags), name="loop watch")
            first = await _job(runtime)
            lags_ms = sorted(lag * 1000 for lag in lags)
            second = await _job(runtime)
            watch.cancel()
        p99 = lags_ms[int(len(lags_ms) * 0.99)]
        print(
            f"stall: worst {lags_ms[-1]:.0f} ms (bound 100 ms), 99th percentile {p99:.0f} ms, over {len(lags_ms)} looks"
        )
        print(f"again: {first:.1f} s the first time, {second:.2f} s the second: {first / second:.0f} times faster")
