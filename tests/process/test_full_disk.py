"""A disk that fills up while the real daemon renders on it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from daemon_process import Daemon, follow, generate

from vidgend.store.database import Database

pytestmark = pytest.mark.process
DISK_MB = 512
LONG = {
    "prompt": "The sea",
    "duration_target": 8,
    "scenes": [{"narration": "", "query": "sea", "duration": 8}],
    "quality": "high",
    "resolution": "1280x720",
}
SHORT = {
    "prompt": "The sea",
    "duration_target": 1,
    "scenes": [{"narration": "", "query": "sea", "duration": 1}],
    "quality": "draft",
}


def can_mount() -> bool:
    return subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    """Over a tmpfs of its own, which ends with it."""
    if not can_mount():
        pytest.skip("mounting a small disk is not permitted here")
    (tmp_path / "data").mkdir()
    serve = f"mount -t tmpfs -o size={DISK_MB}m tmpfs {tmp_path}/data && exec {sys.executable} -m vidgend serve"
    daemon = Daemon(
        folder=tmp_path,
        argv=("unshare", "-m", "sh", "-c", serve),
        environ={
            "TARGET_RESOLUTION": "320x180", "VIDGEND_STORE__MIN_FREE_BYTES": "8000000",
            "VIDGEND_STORE__BALLAST_BYTES": "2000000", "VIDGEND_FOOTAGE__PROVIDERS": "generated",
        },
    )  # fmt: skip
    await daemon.start()
    yield daemon
    code = await daemon.terminate()
    assert code == 0, daemon.child.stderr_tail if daemon.child else ""


def disk(daemon: Daemon) -> Path:
    """The daemon's own view of its data directory."""
    return Path(f"/proc/{daemon.pid}/root{daemon.data}")


def fill(path: Path) -> None:
    """To the last byte."""
    with path.open("ab", buffering=0) as file:
        for block_bytes in (2**20, 4096, 1):
            try:
                while True:
                    file.write(bytes(block_bytes))
            except OSError:
                pass


async def problem(http: aiohttp.ClientSession, url: str, **body: Any) -> tuple[int, str, str]:
    async with http.post(f"{url}/mcp/generate", json=body) as answer:
        return answer.status, (await answer.json())["code"], answer.headers.get("Retry-After", "")


async def test_a_disk_that_fills_up_while_rendering_costs_nothing_but_time(daemon: Daemon) -> None:
    async with aiohttp.ClientSession() as http:
        before = await generate(http, daemon.url, **SHORT)
        await follow(http, daemon.url, before, ("completed",))
        job_id = await generate(http, daemon.url, **LONG)
        await follow(http, daemon.url, job_id, ("rendering",))
        filler = disk(daemon) / "filler"
        await asyncio.to_thread(fill, filler)

        # The job meets it, says so, and waits.
        async with asyncio.timeout(30):
            while (await follow(http, daemon.url, job_id, ("rendering", "queued", "planning")))[-1].get(
                "error"
            ) is None:
                await asyncio.to_thread(fill, filler)
        status = (await follow(http, daemon.url, job_id, ("queued", "planning")))[-1]
        assert status["error"]["code"] == "storage_full", status
        await asyncio.to_thread(fill, filler)
        assert not (disk(daemon) / "ballast").exists(), "the failure could only be recorded because of the ballast"

        # Nothing is taken, everything can be read.
        status_code, code, retry_after = await problem(http, daemon.url, **SHORT)
        assert (status_code, code) == (507, "storage_full") and int(retry_after) > 0
        async with http.get(f"{daemon.url}/readyz") as answer:
            assert answer.status == 503 and "storage_full" in (await answer.json())["reasons"]
        for path in (f"/mcp/status/{job_id}", f"/mcp/result/{before}", "/mcp/jobs", "/livez"):
            async with http.get(f"{daemon.url}{path}") as answer:
                assert answer.status == 200, path

        # Space returns: work goes on by itself, and jobs are taken again.
        filler.unlink()
        freed = time.monotonic()
        async with asyncio.timeout(30):
            while (await follow(http, daemon.url, job_id, ("queued", "planning", "rendering")))[-1][
                "status"
            ] == "queued":
                await asyncio.sleep(0.05)
        assert time.monotonic() - freed < 5
        assert (disk(daemon) / "ballast").stat().st_size == 2_000_000
        later = await generate(http, daemon.url, **SHORT, seed=5)
        for job in (job_id, later):
            await follow(http, daemon.url, job, ("completed",))
    daemon_db = disk(daemon) / "vidgend.db"
    copy = daemon.folder / "copy.db"
    for suffix in ("", "-wal"):
        if (whole := Path(f"{daemon_db}{suffix}")).exists():
            Path(f"{copy}{suffix}").write_bytes(whole.read_bytes())
    database = await Database.open(copy)
    assert await database.read("PRAGMA integrity_check") == [("ok",)]
    await database.close()


async def test_a_job_that_cannot_fit_is_refused_before_it_is_taken(daemon: Daemon) -> None:
    async with aiohttp.ClientSession() as http:
        huge = {
            "prompt": "The sea",
            "scenes": [{"narration": "", "query": "sea", "duration": 600}] * 3,
            "resolution": "3840x2160",
        }
        status, code, _ = await problem(http, daemon.url, **huge)
        assert (status, code) == (507, "storage_full")
        async with http.get(f"{daemon.url}/mcp/jobs") as answer:
            assert json.loads(await answer.read())["jobs"] == []
        await follow(http, daemon.url, await generate(http, daemon.url, **SHORT), ("completed",))
    assert list((disk(daemon) / "work").iterdir()) == []
