"""SIGKILL while calls are under way: they are in the ledger, and the next daemon counts them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from daemon_process import Daemon
from standins.pexels_standin import PexelsStandin

pytestmark = pytest.mark.process


async def prefetch(url: str, queries: list[str]) -> str:
    body = {"queries": queries, "per_query": 1}
    async with aiohttp.ClientSession(url) as http, http.post("/mcp/prefetch", json=body) as answer:
        assert answer.status == 202, await answer.text()
        return str((await answer.json())["job_id"])


async def get(url: str, path: str) -> dict[str, Any]:
    async with aiohttp.ClientSession(url) as http, http.get(path) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def searches(pexels: PexelsStandin, count: int) -> None:
    """Wait until so many have come."""
    async with asyncio.timeout(30):
        while pexels.calls < count:
            pexels.arrived.clear()
            await pexels.arrived.wait()


def rows(data: Path) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(data / "vidgend.db")
    try:
        return connection.execute("SELECT subject, status, seconds FROM provider_calls ORDER BY id").fetchall()
    finally:
        connection.close()


async def test_calls_under_way_at_a_kill_count_in_the_next_life(tmp_path: Path) -> None:
    async with PexelsStandin(mode="slow") as pexels:
        daemon = Daemon(
            folder=tmp_path,
            environ={
                "PEXELS_API_KEY": pexels.key, "VIDGEND_FOOTAGE__PEXELS__BASE_URL": pexels.base_url,
                "VIDGEND_FOOTAGE__PROVIDERS": "pexels", "VIDGEND_SLOTS__NET": "8",
                "VIDGEND_FOOTAGE__PEXELS__HOURLY_QUOTA": "10", "VIDGEND_FOOTAGE__QUOTA_WAIT_S": "0",
            },
        )  # fmt: skip
        await daemon.start()
        job_id = await prefetch(daemon.url, ["one", "two", "three"])
        await searches(pexels, 3)
        daemon.kill()
        assert daemon.child is not None
        await daemon.child.wait()
        before = await asyncio.to_thread(rows, daemon.data)
        assert sorted(subject for subject, *_ in before) == ["one", "three", "two"]
        assert all(status is None and seconds is None for _, status, seconds in before), "no answer is made up"

        pexels.mode = "ok"
        await daemon.start()
        async with asyncio.timeout(60):
            while not (status := await get(daemon.url, f"/mcp/status/{job_id}")).get("error"):
                await asyncio.sleep(0.05)
        found = await get(daemon.url, "/mcp/usage")
        assert await daemon.terminate() == 0
    assert pexels.calls == 5, "half of the quota at once, in both lives together"
    assert found["totals"]["calls"] == 5 and found["quotas"][0]["windows"][0]["used"] == 5
    assert found["quotas"][0]["next_request_at"] is not None
    assert "5 of 10 requests of this hour are used" in str(status["error"])
    after = await asyncio.to_thread(rows, daemon.data)
    assert after[:3] == before and [status for _, status, _ in after[3:]] == [200, 200]
