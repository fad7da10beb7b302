"""The real daemon with its assets on a real S3 server."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import media
import pytest
from daemon_process import Daemon, follow, generate
from standins.s3_standin import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, s3_server

from vidgend.children import Child
from vidgend.pipeline.ffmpeg import Ffmpeg

pytestmark = pytest.mark.process
BODY = {
    "prompt": "The sea",
    "duration_target": 4,
    "scenes": [{"narration": "", "query": "storm", "duration": 2}, {"narration": "", "query": "calm", "duration": 2}],
    "quality": "draft",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
async def daemon(server: S3Server, ffmpeg: Ffmpeg, tmp_path: Path) -> AsyncIterator[Daemon]:
    (tmp_path / "clips").mkdir()
    for name in ("storm", "calm"):
        media.clip(ffmpeg.path, tmp_path / "clips" / f"{name}.mp4", size="320x180")
    daemon = Daemon(
        folder=tmp_path,
        environ={
            "TARGET_RESOLUTION": "320x180", "VIDGEND_FOOTAGE__PROVIDERS": "library",
            "VIDGEND_FOOTAGE__LIBRARY__FOLDERS": str(tmp_path / "clips"), "VIDGEND_ASSETS__URL": f"s3://{BUCKET}/tv",
            "VIDGEND_ASSETS__ENDPOINT": server.endpoint, "VIDGEND_ASSETS__ACCESS_KEY": ACCESS_KEY,
            "VIDGEND_ASSETS__SECRET_KEY": SECRET_KEY,
        },
    )  # fmt: skip
    await daemon.start()
    yield daemon
    if daemon.process is not None and daemon.process.returncode is None:
        await daemon.terminate()


async def test_a_video_is_made_kept_and_served_from_s3_and_outlives_the_machines_own_disk(
    daemon: Daemon, server: S3Server
) -> None:
    async with aiohttp.ClientSession() as http:
        job_id = await generate(http, daemon.url, **BODY)
        await follow(http, daemon.url, job_id, ("completed",))
        async with http.get(f"{daemon.url}/mcp/result/{job_id}") as answer:
            result = await answer.json()
        assert result["storage_uri"] == f"s3://{BUCKET}/tv/{job_id}/output.mp4"
        assert result["video_url"].startswith(server.endpoint), "a link that the store has signed"
        async with http.get(result["video_url"], headers={"Range": "bytes=0-9"}) as answer:
            assert answer.status == 206 and answer.content_type == "video/mp4"
        async with http.get(result["video_url"]) as answer:
            assert hashlib.sha256(await answer.read()).hexdigest() == result["sha256"]
        await daemon.terminate()

        # The copies are a cache: without them everything is still there, and nothing is done again.
        shutil.rmtree(daemon.data / "assets")
        await daemon.start()
        async with http.get(f"{daemon.url}/mcp/assets/{result['sha256']}") as answer:
            assert hashlib.sha256(await answer.read()).hexdigest() == result["sha256"]
        again = await generate(http, daemon.url, **BODY)
        await follow(http, daemon.url, again, ("completed",))
        async with http.get(f"{daemon.url}/mcp/result/{again}") as answer:
            assert (await answer.json())["report"]["steps"]["run"] == 0
        async with http.delete(f"{daemon.url}/mcp/jobs/{again}") as answer:
            assert answer.status == 204
        assert not server.object(f"tv/{again}").exists() and server.object(f"tv/{job_id}/output.mp4").exists()
        assert await daemon.terminate() == 0
    fsck = await Child.spawn(
        [sys.executable, "-m", "vidgend", "fsck", "--deep"],
        env={"VIDGEND_DATA_DIR": str(daemon.data), **daemon.environ},
    )
    assert await asyncio.wait_for(fsck.wait(), 60) == 0, fsck.stderr_tail
    assert server.unfinished() == []


async def test_a_store_that_is_away_makes_jobs_wait_and_not_fail(daemon: Daemon, server: S3Server) -> None:
    bucket = server.object("")
    async with aiohttp.ClientSession() as http:
        away = bucket.with_name("away")
        bucket.rename(away)
        job_id = await generate(http, daemon.url, **{**BODY, "seed": 7})
        seen = await follow(http, daemon.url, job_id, ("completed", "failed", "queued"))
        while seen[-1].get("retry_at") is None and seen[-1]["status"] != "failed":
            seen = await follow(http, daemon.url, job_id, ("completed", "failed", "queued"))
        away.rename(bucket)
        assert seen[-1]["status"] == "queued" and seen[-1]["error"]["code"] == "storage_unavailable", seen[-1]
        await follow(http, daemon.url, job_id, ("completed",))
