"""SIGTERM at random moments: everything is put back, nothing is left, no attempt is used up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import media
import pytest
from daemon_process import Daemon, follow, generate, workers

from vidgend.pipeline.ffmpeg import Ffmpeg

pytestmark = pytest.mark.process
STOPS = int(os.environ.get("TEST_STOPS", "3"))
STREAMS = 20
BUDGET_S = 25.0


@pytest.fixture
async def daemon(ffmpeg: Ffmpeg, tmp_path: Path) -> AsyncIterator[Daemon]:
    """Its footage is noise, which makes large files and slow encodes."""
    (tmp_path / "clips").mkdir()
    noise = "nullsrc=size=640x360:rate=30:duration=4,geq=random(1)*255:128:128"
    x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-f", "mp4"]
    media.make(ffmpeg.path, ["-f", "lavfi", "-i", noise, *x264], tmp_path / "clips" / "storm.mp4")
    daemon = Daemon(
        folder=tmp_path,
        environ={
            "TARGET_RESOLUTION": "640x360", "VIDGEND_FOOTAGE__PROVIDERS": "library", "MAX_CONCURRENT_JOBS": "3",
            "VIDGEND_FOOTAGE__LIBRARY__FOLDERS": str(tmp_path / "clips"),
        },
    )  # fmt: skip
    await daemon.start()
    yield daemon
    if daemon.process is not None and daemon.process.returncode is None:
        await daemon.terminate()


def scene(seconds: float, query: str = "storm") -> dict[str, object]:
    return {"narration": "", "query": query, "duration": seconds}


async def download_slowly(url: str) -> asyncio.StreamWriter:
    """A client that has asked for a video and reads nothing of it."""
    parts = urlsplit(url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (parts.hostname, parts.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    assert b"200 OK" in await reader.readuntil(b"\r\n")
    return writer


async def test_stopping_at_any_moment_is_clean_quick_and_costs_nothing(daemon: Daemon, tmp_path: Path) -> None:
    rng = random.Random(20)
    worst_s = 0.0
    interrupted = 0
    async with aiohttp.ClientSession() as http:
        shown = await generate(
            http, daemon.url, prompt="The sea", duration_target=3, scenes=[scene(3)], quality="draft"
        )
        await follow(http, daemon.url, shown, ("completed",))
        long = [
            await generate(
                http, daemon.url, prompt="The sea", duration_target=40, scenes=[scene(20), scene(20)], quality="high", seed=seed,
                resolution="1280x720",
            )
            for seed in (1, 2)
        ]  # fmt: skip
    for _ in range(STOPS):
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{daemon.url}/mcp/result/{shown}") as answer:
                result = await answer.json()
            assert result["size_bytes"] > 2_000_000, "too small to keep a slow client waiting"
            streams = await asyncio.gather(*(download_slowly(result["video_url"]) for _ in range(STREAMS)))
            await asyncio.sleep(rng.uniform(0.0, 1.2))
        rendering = len(workers(tmp_path, daemon.pid))
        began = time.monotonic()
        assert await daemon.terminate() == 0
        worst_s = max(worst_s, time.monotonic() - began)
        assert workers(tmp_path) == []
        for stream in streams:
            stream.close()
        interrupted += rendering > 0
        await daemon.start()
    assert worst_s < BUDGET_S
    assert interrupted > STOPS // 2, f"only {interrupted} of {STOPS} stops came while there was work under way"
    await daemon.terminate()
    database = sqlite3.connect(daemon.data / "vidgend.db")
    jobs = database.execute(
        f"SELECT state, attempt, crashes, failures FROM jobs WHERE id IN ('{long[0]}', '{long[1]}')"
    ).fetchall()
    assert set(jobs) == {("queued", 0, 0, 0)}
    running = database.execute("SELECT count(*) FROM steps WHERE state = 'running' OR crashes > 0").fetchone()
    assert running == (0,)
    database.close()
    print(f"{STOPS} stops with {STREAMS} open streams, {interrupted} with children at work: worst {worst_s:.2f} s")


async def test_while_jobs_are_put_back_whoever_comes_is_told_so(daemon: Daemon) -> None:
    body = {"prompt": "The sea", "scenes": [scene(20)], "quality": "high", "resolution": "1280x720"}
    connector = aiohttp.TCPConnector(force_close=True)  # each request comes on a connection of its own
    async with aiohttp.ClientSession(daemon.url, connector=connector) as http:
        job_id = await generate(http, daemon.url, **body)
        await follow(http, daemon.url, job_id, ("rendering",))
        os.kill(daemon.pid, signal.SIGTERM)
        status = 200
        while status == 200:
            async with http.get("/readyz") as answer:
                status = answer.status
        assert status == 503
        async with http.post("/mcp/generate", json=body) as answer:
            told = await answer.json(content_type=None)
            assert (answer.status, told["code"]) == (503, "draining")
            assert int(answer.headers["Retry-After"]) > 0 and answer.headers["Connection"] == "close"
    assert daemon.child is not None
    assert await asyncio.wait_for(daemon.child.wait(), BUDGET_S) == 0


async def test_a_second_sigterm_means_at_once(daemon: Daemon, tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:
        job_id = await generate(
            http,
            daemon.url,
            prompt="The sea",
            duration_target=20,
            scenes=[scene(20)],
            quality="high",
            resolution="1280x720",
        )
        await follow(http, daemon.url, job_id, ("rendering",))
    assert daemon.child is not None
    os.kill(daemon.pid, signal.SIGTERM)
    await asyncio.sleep(0.1)  # two of a kind that wait to be delivered are one
    os.kill(daemon.pid, signal.SIGTERM)
    began = time.monotonic()
    await asyncio.wait_for(daemon.child.wait(), 2)
    assert time.monotonic() - began < 1
    await daemon.nobody_left(within_s=1.0)


async def test_a_closed_terminal_is_a_stop_and_no_crash(daemon: Daemon) -> None:
    """A job that was running in two crashes is suspected of having caused them."""
    async with aiohttp.ClientSession() as http:
        job_id = await generate(
            http, daemon.url, prompt="The sea", scenes=[scene(20)], quality="high", resolution="1280x720"
        )
        await follow(http, daemon.url, job_id, ("rendering",))
    assert daemon.child is not None
    os.kill(daemon.pid, signal.SIGHUP)
    await asyncio.sleep(0.1)  # two of a kind that wait to be delivered are one
    with contextlib.suppress(ProcessLookupError):
        os.kill(daemon.pid, signal.SIGHUP)  # the kernel tells the processes of a terminal, and so does the shell
    assert await asyncio.wait_for(daemon.child.wait(), BUDGET_S) == 0
    await daemon.start()
    await daemon.terminate()
    database = sqlite3.connect(daemon.data / "vidgend.db")
    assert database.execute("SELECT state, crashes FROM jobs").fetchall() == [("queued", 0)]
    database.close()
