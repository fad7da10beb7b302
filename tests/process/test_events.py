"""Event streams of the real daemon: over crashes, and when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import media
import pytest
from daemon_process import Daemon, follow, generate
from event_streams import Event, kept, open_stream

from vidgend.pipeline.ffmpeg import Ffmpeg

pytestmark = pytest.mark.process
KILLS = 2
"""One more in the same step condemns it, by design."""
STREAMS = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@pytest.fixture(scope="module")
def clips(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise, which makes slow encodes."""
    folder = tmp_path_factory.mktemp("clips")
    noise = "nullsrc=size=640x360:rate=30:duration=2,geq=random(1)*255:128:128"
    x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-f", "mp4"]
    media.make(ffmpeg.path, ["-f", "lavfi", "-i", noise, *x264], folder / "storm.mp4")
    return folder


@pytest.fixture
async def daemon(clips: Path, tmp_path: Path) -> AsyncIterator[Daemon]:
    """Always at the same port."""
    daemon = Daemon(
        folder=tmp_path,
        environ={
            "TARGET_RESOLUTION": "640x360", "VIDGEND_FOOTAGE__PROVIDERS": "library",
            "VIDGEND_FOOTAGE__LIBRARY__FOLDERS": str(clips), "VIDGEND_HTTP__PORT": str(free_port()),
        },
    )  # fmt: skip
    await daemon.start()
    yield daemon
    if daemon.process is not None and daemon.process.returncode is None:
        await daemon.terminate()


def scenes(count: int, seconds: float) -> list[dict[str, object]]:
    return [{"narration": "", "query": "storm", "duration": seconds} for _ in range(count)]


async def listen(url: str, job_id: str, seen: list[Event]) -> None:
    """Until the job has come to rest, however often the connection breaks."""
    last: int | None = None
    async with aiohttp.ClientSession() as http:
        while not (seen and seen[-1].data.get("status") in ("completed", "failed")):
            with contextlib.suppress(aiohttp.ClientError):
                async with open_stream(http, f"{url}/mcp/events/{job_id}", last=last) as stream:
                    while one := await stream.next(within_s=60):
                        seen.append(one)
                        last = one.id if one.id is not None else last
            await asyncio.sleep(0.05)


@pytest.mark.timeout(300)
async def test_no_kill_makes_a_stream_lose_or_repeat_an_event(daemon: Daemon, tmp_path: Path) -> None:
    moments = random.Random(7)
    async with aiohttp.ClientSession() as http:
        job_id = await generate(
            http, daemon.url, prompt="The sea", duration_target=6, scenes=scenes(3, 2), quality="standard", music="none"
        )
    url = daemon.url
    seen: list[Event] = []
    listening = asyncio.create_task(listen(url, job_id, seen))
    command = [sys.executable, "-m", "vidgend", "events", job_id, "--json", "--url", url]
    cli = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    for _ in range(KILLS):
        async with aiohttp.ClientSession() as http:
            await follow(http, url, job_id, ("rendering",))
        await asyncio.sleep(moments.uniform(0.1, 1.0))
        daemon.kill()
        assert daemon.child is not None
        await daemon.child.wait()
        await daemon.start()
    async with asyncio.timeout(180):
        await listening
        stdout, stderr = await cli.communicate()
    assert cli.returncode == 0, stderr.decode()

    database = sqlite3.connect(daemon.data / "vidgend.db")
    rows = database.execute("SELECT id, kind FROM feed WHERE job_id = ? ORDER BY id", (job_id,)).fetchall()
    restarts = database.execute(
        "SELECT count(*) FROM feed WHERE job_id = ? AND kind = 'log' AND text LIKE 'vidgend was restarted%'", (job_id,)
    ).fetchone()[0]
    database.close()
    assert restarts == KILLS, "the kills came while nothing ran"
    assert seen[-1].data["status"] == "completed"
    first = next(one.id for one in seen if one.name == "snapshot")
    assert first is not None
    assert [(one.id, one.name) for one in kept(seen)] == [row for row in rows if row[0] > first]
    assert sum(one.name == "snapshot" for one in seen) > KILLS
    assert any(one.name == "progress" for one in seen)

    printed = [json.loads(line) for line in stdout.decode().splitlines()]
    first = int(printed[0]["id"])
    durable = [(int(one["id"]), one["event"]) for one in printed if one["id"] and one["event"] != "snapshot"]
    assert printed[0]["event"] == "snapshot" and durable == [row for row in rows if row[0] > first]


async def test_it_stops_at_once_however_many_streams_are_open(daemon: Daemon) -> None:
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        streams = [
            await stack.enter_async_context(open_stream(http, f"{daemon.url}/mcp/events")) for _ in range(STREAMS)
        ]
        for stream in streams:
            await stream.upto("snapshot")
        began = time.monotonic()
        stopped = asyncio.create_task(daemon.terminate())
        for stream in streams:
            assert await stream.rest(within_s=10) == []
            assert stream.comments[-1] == "the server is stopping"
        ended_s = time.monotonic() - began
        assert await stopped == 0
        stopped_s = time.monotonic() - began
    print(f"{STREAMS} streams: ended after {ended_s:.2f} s, the daemon after {stopped_s:.2f} s")
    assert ended_s < 2 and stopped_s < 4  # a process takes a second to end on a busy machine


_HANGING = """
import asyncio
from vidgend.cli import main
from vidgend.http.webhooks import WebhookSender

async def run(self):
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.Event().wait()

WebhookSender.run = run
main()
"""
"""A daemon in which a side task hangs when it is cancelled."""


async def test_streams_are_told_of_the_stop_before_anything_else_has_ended(tmp_path: Path) -> None:
    daemon = Daemon(
        folder=tmp_path,
        environ={"VIDGEND_FOOTAGE__PROVIDERS": "generated"},
        argv=(sys.executable, "-c", _HANGING, "serve"),
    )
    await daemon.start()
    assert daemon.child is not None
    try:
        async with (
            aiohttp.ClientSession() as http,
            open_stream(http, f"{daemon.url}/mcp/events") as stream,
        ):
            await stream.upto("snapshot")
            os.kill(daemon.pid, signal.SIGTERM)
            assert await stream.rest() == []
            assert stream.comments[-1] == "the server is stopping"
            assert daemon.process is not None and daemon.process.returncode is None, "it hangs"
    finally:
        daemon.kill()
        await daemon.child.wait()


async def test_a_waiting_command_asks_three_times_where_it_asked_twice_a_second(daemon: Daemon, tmp_path: Path) -> None:
    environ = {"PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    (tmp_path / "scenes.json").write_text(json.dumps([{**scene, "narration": "The wind."} for scene in scenes(2, 2)]))
    command = [
        sys.executable, "-m", "vidgend", "generate", "--scenes", "scenes.json", "-o", "sea.mp4", "--url", daemon.url,
        "--quality", "draft",
    ]  # fmt: skip
    cli = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    began = time.monotonic()
    _, told = await asyncio.wait_for(cli.communicate(), 120)
    took_s = time.monotonic() - began
    assert cli.returncode == 0, told.decode()
    assert await daemon.terminate() == 0
    assert daemon.child is not None
    asked = [json.loads(line) for line in daemon.child.stderr_tail.splitlines() if '"request"' in line]
    routes = [one["route"] for one in asked if "status" in one["route"] or "events" in one["route"]]
    print(f"{len(routes)} requests in {took_s:.1f} s; asking twice a second takes {2 * took_s:.0f}")
    assert routes.count("/mcp/events/{job_id}") == 1 and routes.count("/mcp/status/{job_id}") == 2
    assert "[  0%]" in told.decode() and "rendering" in told.decode()
