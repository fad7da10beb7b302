"""MCP in the real daemon: nothing is loaded before somebody asks, a video is made, and a stop does not wait."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import media
import pytest
from daemon_process import Daemon, follow
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ImageContent, ResourceLink

from vidgend.pipeline.ffmpeg import Ffmpeg

pytestmark = pytest.mark.process
LOADED = "cryptography/hazmat/bindings"
"""A library that only the SDK brings along."""


@pytest.fixture
async def daemon(ffmpeg: Ffmpeg, tmp_path: Path) -> AsyncIterator[Daemon]:
    (tmp_path / "clips").mkdir()
    media.clip(ffmpeg.path, tmp_path / "clips" / "storm.mp4", seconds=4)
    daemon = Daemon(
        folder=tmp_path,
        environ={
            "TARGET_RESOLUTION": "320x180", "VIDGEND_FOOTAGE__PROVIDERS": "library",
            "VIDGEND_FOOTAGE__LIBRARY__FOLDERS": str(tmp_path / "clips"),
        },
    )  # fmt: skip
    await daemon.start()
    yield daemon
    if daemon.process is not None and daemon.process.returncode is None:
        await daemon.terminate()


@asynccontextmanager
async def connected(daemon: Daemon, **options: Any) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(timeout=httpx2.Timeout(30, read=300)) as http,
        Client(streamable_http_client(f"{daemon.url}/mcp", http_client=http), **options) as client,
    ):
        yield client


def scenes(seconds: float) -> dict[str, Any]:
    return {
        "prompt": "A storm", "scenes": [{"narration": "", "query": "storm", "duration": seconds}], "music": "none",
        "quality": "draft",
    }  # fmt: skip


def maps(daemon: Daemon) -> str:
    return (Path("/proc") / str(daemon.pid) / "maps").read_text()


def memory_kb(daemon: Daemon) -> int:
    status = (Path("/proc") / str(daemon.pid) / "status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


async def test_a_video_is_made_while_its_client_waits(daemon: Daemon) -> None:
    assert LOADED not in maps(daemon)
    before = memory_kb(daemon)
    async with connected(daemon) as client:
        await client.list_tools()
        assert LOADED in maps(daemon)
        assert memory_kb(daemon) - before < 100_000
    await make_video(daemon, mode="auto", seconds=3)
    await make_video(daemon, mode="legacy", seconds=4)


async def make_video(daemon: Daemon, *, mode: Any, seconds: float) -> None:
    lines: list[tuple[float, str | None]] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        lines.append((progress, message))

    async with connected(daemon, mode=mode) as client:
        result = await client.call_tool("generate_video", {**scenes(seconds), "wait": True}, progress_callback=told)
        assert not result.is_error, result.content
        assert [type(one) for one in result.content[1:3]] == [ResourceLink, ImageContent]
        assert result.structured_content is not None and result.structured_content["duration"] >= seconds
        assert len(lines) >= 2 and [one for one, _ in lines] == sorted({one for one, _ in lines})
        video = result.content[1]
        assert isinstance(video, ResourceLink)
        async with httpx2.AsyncClient() as http:
            assert len((await http.get(video.uri)).content) == video.size


async def test_a_stop_does_not_wait_for_an_open_stream_and_the_job_goes_on_afterwards(daemon: Daemon) -> None:
    async def wait_for_it(mode: Any, begun: asyncio.Event) -> None:
        async def told(progress: float, total: float | None, message: str | None) -> None:
            begun.set()

        async with connected(daemon, mode=mode) as client:
            await client.call_tool("generate_video", {**scenes(60), "wait": True}, progress_callback=told)

    waiting = []
    for mode in ("auto", "legacy"):
        begun = asyncio.Event()
        waiting.append(asyncio.create_task(wait_for_it(mode, begun)))
        await asyncio.wait_for(begun.wait(), 30)
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{daemon.url}/mcp/jobs") as answer:
            jobs = (await answer.json())["jobs"]
        assert len(jobs) == 2
        # The streams hold nobody up.
        worst = 0.0
        for _ in range(20):
            asked = time.monotonic()
            async with http.get(f"{daemon.url}/livez") as answer:
                assert answer.status == 200
            worst = max(worst, time.monotonic() - asked)
        assert worst < 1, worst
        stopped = time.monotonic()
        assert await daemon.terminate() == 0
        took_s = time.monotonic() - stopped
        await asyncio.wait(waiting, timeout=30)
        assert all(one.done() and one.exception() is not None for one in waiting)
        await daemon.start()
        await follow(http, daemon.url, jobs[-1]["job_id"], ("rendering", "completed"))
    assert took_s < 8, took_s
    for mode, job in zip(("auto", "legacy"), jobs, strict=True):
        async with connected(daemon, mode=mode) as client:
            await client.call_tool("cancel_video", {"job_id": job["job_id"]})


async def test_a_stop_with_nothing_but_an_open_stream_takes_no_time(daemon: Daemon) -> None:
    """The stream of the older revision, on which a server could say something of its own accord. A busy machine is
    given as long as it takes without a stream."""
    stopped = time.monotonic()
    assert await daemon.terminate() == 0
    usual_s = time.monotonic() - stopped
    await daemon.start()
    async with httpx2.AsyncClient(timeout=30) as http:
        headers = {"Accept": "application/json, text/event-stream"}
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
        begun = await http.post(
            f"{daemon.url}/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
            headers=headers,
        )
        headers |= {"Mcp-Session-Id": begun.headers["Mcp-Session-Id"], "Mcp-Protocol-Version": "2025-11-25"}
        async with http.stream("GET", f"{daemon.url}/mcp", headers=headers) as stream:
            assert stream.status_code == 200
            stopped = time.monotonic()
            assert await daemon.terminate() == 0
            took_s = time.monotonic() - stopped
    assert took_s < max(1.5, usual_s * 3), (took_s, usual_s)


async def test_on_stdio_a_desktop_host_makes_a_video(daemon: Daemon) -> None:
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "vidgend", "mcp", "--url", daemon.url],
        env={**os.environ, "VIDGEND_DATA_DIR": str(daemon.folder / "none")}, cwd=daemon.folder,
    )  # fmt: skip
    async with Client(server) as client:
        result = await client.call_tool("generate_video", {**scenes(3), "wait": True})
        assert not result.is_error, result.content
        assert [type(one) for one in result.content[1:3]] == [ResourceLink, ImageContent]
