"""A running daemon keeps the library's index: killed in the middle it goes on, and a search needs no look."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import media
import pytest
from daemon_process import Daemon, follow, generate

from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.library_index import Counts, counts, reading

pytestmark = pytest.mark.process
CLIPS = 6


async def until(daemon: Daemon, wanted: Callable[[Counts], bool]) -> Counts:
    began = time.monotonic()
    while True:
        with reading(daemon.data / "library.sqlite") as index:
            found = counts(index) if index is not None else None
        if found is not None and wanted(found):
            return found
        assert time.monotonic() - began < 60, found
        await asyncio.sleep(0.02)


async def test_the_index_grows_beside_the_daemon_over_a_kill_and_serves_a_job(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(CLIPS):
        turned = ("-vf", f"rotate={number * 0.7:g}")
        media.clip(ffmpeg.path, folder / f"sea-{number}.mp4", seconds=4, size="640x360", extra=turned)
    (folder / "sea-broken.mp4").write_bytes((folder / "sea-0.mp4").read_bytes()[:2000])
    daemon = Daemon(
        folder=tmp_path,
        environ={"VIDGEND_FOOTAGE__LIBRARY__FOLDERS": json.dumps([str(folder)]), "TARGET_RESOLUTION": "640x360"},
    )
    await daemon.start()
    try:
        before = await until(daemon, lambda found: found.examined >= 2)
        daemon.kill()
        await daemon.nobody_left()
        await daemon.start()
        after = await until(daemon, lambda found: not found.waiting)
        assert after.examined == CLIPS >= before.examined and after.unusable == 1
        scenes = [{"narration": "The sea is calm.", "query": "sea"}, {"narration": "It is evening.", "query": "sea"}]
        async with aiohttp.ClientSession() as http:
            job_id = await generate(http, daemon.url, prompt="The calm sea", scenes=scenes)
            await follow(http, daemon.url, job_id, ("completed",))
            async with http.get(f"{daemon.url}/mcp/storyboard/{job_id}") as answer:
                shown = [scene["clip"] for scene in (await answer.json())["scenes"]]
        assert all(clip["provider"] == "library" and "broken" not in clip["id"] for clip in shown)
        assert len({clip["id"] for clip in shown}) == 2
    finally:
        assert await daemon.terminate() == 0
