"""The real daemon as its users meet it: a process, HTTP, signals."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import media
import pytest
from aiohttp import web
from daemon_process import Daemon, follow, generate, workers
from standins.pexels_standin import PexelsStandin, StandinClip

from vidgend.children import Child
from vidgend.pipeline.ffmpeg import Ffmpeg

pytestmark = pytest.mark.process
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
SCENES = [
    {"narration": "The sea is calm today.", "query": "sea"},
    {"narration": "A boat comes in.", "query": "boat"},
]


@dataclass
class Receiver:
    url: str = ""
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=204)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def daemon(ffmpeg: Ffmpeg, tmp_path: Path) -> AsyncIterator[Daemon]:
    folder = tmp_path / "clips"
    folder.mkdir()
    names = ("calm-sea", "fishing-boat", "harbour-wall")
    for number, name in enumerate(names):
        turned = ("-g", "30", "-vf", f"rotate={number * 0.7:g}")  # alike, they would count as repeats
        media.clip(ffmpeg.path, folder / f"{name}.mp4", seconds=12, size="640x360", extra=turned)
    clips = [StandinClip(path=folder / f"{name}.mp4", width=640, height=360, duration_s=12) for name in names]
    async with PexelsStandin(clips=clips) as standin:
        daemon = Daemon(
            folder=tmp_path,
            environ={
                "PEXELS_API_KEY": standin.key, "VIDGEND_FOOTAGE__PEXELS__BASE_URL": standin.base_url,
                "TARGET_RESOLUTION": "640x360", "VIDGEND_EGRESS__ALLOW_NETWORKS": "127.0.0.0/8",
                "VIDGEND_WEBHOOKS__SECRET": SECRET,
            },
        )  # fmt: skip
        await daemon.start()
        yield daemon
        await daemon.terminate()


async def test_the_guides_six_routes_make_a_video(
    daemon: Daemon, receiver: Receiver, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    async with aiohttp.ClientSession() as http:
        job_id = await generate(
            http, daemon.url, prompt="The calm sea", scenes=SCENES, callback_url=receiver.url, metadata={"order": 7}
        )
        seen = await follow(http, daemon.url, job_id, ("completed",))
        words = list(dict.fromkeys(status["status"] for status in seen))
        order = ["queued", "planning", "retrieving", "narrating", "aligning", "rendering", "publishing", "completed"]
        assert words == [word for word in order if word in words] and "rendering" in words
        percents = [status["overall_progress"] for status in seen]
        assert percents == sorted(percents) and percents[-1] == 100
        assert seen[-1]["scenes_processed"] == seen[-1]["total_scenes"] == 2 and seen[-1]["logs"]

        async with http.get(f"{daemon.url}/mcp/result/{job_id}") as answer:
            result = await answer.json()
        assert result["status"] == "completed" and result["degraded"] == []
        async with http.get(result["video_url"]) as answer:
            assert answer.status == 200 and answer.content_type == "video/mp4"
            video = await answer.read()
        assert hashlib.sha256(video).hexdigest() == result["sha256"] and len(video) == result["size_bytes"]
        async with http.get(result["video_url"], headers={"Range": "bytes=0-99"}) as answer:
            assert answer.status == 206 and await answer.read() == video[:100]
        async with http.get(result["thumbnail_url"]) as answer:
            assert answer.content_type == "image/jpeg" and (await answer.read())[:2] == b"\xff\xd8"
        async with http.get(result["subtitles"]["words"]) as answer:
            spoken = json.loads(await answer.text())
        assert [word["word"] for word in spoken["words"]] == [
            "The",
            "sea",
            "is",
            "calm",
            "today.",
            "A",
            "boat",
            "comes",
            "in.",
        ]
        assert all(credit["licence"] for credit in result["credits"])
        (tmp_path / "v.mp4").write_bytes(video)
        assert media.gray(ffmpeg.path, tmp_path / "v.mp4")[30:-30].mean() > 20

        async with http.get(f"{daemon.url}/mcp/storyboard/{job_id}") as answer:
            board = await answer.json()
        assert [scene["clip"]["provider"] for scene in board["scenes"]] == ["pexels", "pexels"]
        assert len({scene["clip"]["id"] for scene in board["scenes"]}) == 2

        async with asyncio.timeout(10):
            while not receiver.calls:
                await asyncio.sleep(0.05)
        headers, body = receiver.calls[0]
        event = json.loads(body)
        assert event["type"] == "job.completed" and event["data"]["metadata"] == {"order": 7}
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"

        async with http.post(f"{daemon.url}/mcp/prefetch", json={"queries": ["harbour wall"]}) as answer:
            assert answer.status == 202
            prefetch_id = (await answer.json())["job_id"]
        await follow(http, daemon.url, prefetch_id, ("completed",))

        again = await generate(http, daemon.url, prompt="The calm sea", scenes=SCENES)
        began = time.monotonic()
        await follow(http, daemon.url, again, ("completed",))
        assert time.monotonic() - began < 3


async def test_a_killed_daemon_goes_on_where_it_was_and_leaves_no_children(daemon: Daemon) -> None:
    async with aiohttp.ClientSession() as http:
        waiting = await generate(http, daemon.url, scenes=SCENES, quality="high", resolution="1280x720")
        await follow(http, daemon.url, waiting, ("rendering",))
        daemon.kill()
        assert daemon.child is not None
        await daemon.child.wait()
        await daemon.nobody_left(within_s=1.0)
        await daemon.start()
        seen = await follow(http, daemon.url, waiting, ("completed",))
        assert seen[-1]["attempt"] == 2
        assert any("restarted" in line for line in seen[-1]["logs"])
        async with http.get(f"{daemon.url}/mcp/result/{waiting}") as answer:
            assert (await answer.json())["report"]["steps"]["reused"] >= 4


async def test_cancel_is_quick_and_a_stop_with_work_under_way_is_clean(daemon: Daemon, tmp_path: Path) -> None:
    long = {"scenes": [{"narration": "The sea is calm today.", "query": "sea", "duration": 6}], "quality": "high"}
    async with aiohttp.ClientSession() as http:
        job_id = await generate(http, daemon.url, resolution="1280x720", **long)
        await follow(http, daemon.url, job_id, ("rendering",))
        began = time.monotonic()
        async with http.post(f"{daemon.url}/mcp/cancel/{job_id}") as answer:
            assert (await answer.json()) == {"job_id": job_id, "status": "cancelled"}
        assert time.monotonic() - began < 1.0
        assert not [
            pid
            for pid in workers(tmp_path, daemon=daemon.pid)
            if b"ffmpeg" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

        job_id = await generate(http, daemon.url, resolution="1280x720", seed=1, **long)
        await follow(http, daemon.url, job_id, ("rendering",))
    began = time.monotonic()
    assert await daemon.terminate() == 0
    assert time.monotonic() - began < 10
    assert workers(tmp_path) == []
    await daemon.start()
    async with aiohttp.ClientSession() as http:
        seen = await follow(http, daemon.url, job_id, ("completed",))
        assert seen[-1]["attempt"] == 1


async def test_a_second_daemon_on_the_same_data_is_told_why_not(daemon: Daemon) -> None:
    other = await Child.spawn(
        [sys.executable, "-m", "vidgend", "serve"],
        env={"VIDGEND_DATA_DIR": str(daemon.folder / "data"), "VIDGEND_HTTP__PORT": "0"},
    )
    assert await asyncio.wait_for(other.wait(), 20) == 75
    assert "in use by process" in other.stderr_tail and "Traceback" not in other.stderr_tail
    taken = await Child.spawn(
        [sys.executable, "-m", "vidgend", "serve"],
        env={"VIDGEND_DATA_DIR": str(daemon.folder / "x"), "VIDGEND_HTTP__PORT": daemon.url.rsplit(":", 1)[1]},
    )
    assert await asyncio.wait_for(taken.wait(), 20) == 78
    assert "cannot listen" in taken.stderr_tail and "Traceback" not in taken.stderr_tail


async def test_systemd_is_told_that_it_is_ready_alive_and_stopping(daemon: Daemon) -> None:
    await daemon.terminate()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(daemon.folder / "notify"))
        manager.settimeout(10)
        daemon.environ |= {"NOTIFY_SOCKET": str(daemon.folder / "notify"), "WATCHDOG_USEC": "600000"}
        await daemon.start()
        told = [(await asyncio.to_thread(manager.recv, 100)).decode() for _ in range(3)]
        assert told == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
        assert await daemon.terminate() == 0
        while told[-1] == "WATCHDOG=1":
            told.append((await asyncio.to_thread(manager.recv, 100)).decode())
        assert told[-1] == "STOPPING=1"


async def test_a_bind_to_other_machines_needs_a_key(tmp_path: Path) -> None:
    child = await Child.spawn(
        [sys.executable, "-m", "vidgend", "serve"],
        env={"VIDGEND_DATA_DIR": str(tmp_path), "VIDGEND_HTTP__HOST": "0.0.0.0", "VIDGEND_HTTP__PORT": "0"},
    )
    assert await asyncio.wait_for(child.wait(), 20) == 78
    assert "vidgend keys create" in child.stderr_tail
