"""`vidgend keys` beside a real daemon: what it does counts at once, and is on the disk when it returns."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from daemon_process import Daemon, generate

from vidgend.children import Child

pytestmark = pytest.mark.process


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    daemon = Daemon(tmp_path, {"VIDGEND_FOOTAGE__PROVIDERS": '["generated"]'})
    await daemon.start()
    yield daemon
    daemon.kill()
    assert daemon.child is not None
    await daemon.child.wait()
    await daemon.nobody_left()


async def keys(daemon: Daemon, *args: str) -> Any:
    child = await Child.spawn(
        [sys.executable, "-m", "vidgend", "keys", *args, "--json"], env={"VIDGEND_DATA_DIR": str(daemon.data)}
    )
    assert child.process.stdout is not None
    told = await child.process.stdout.read()
    assert await child.wait() == 0, child.stderr_tail
    return json.loads(told)


async def test_keys_are_made_and_revoked_beside_a_running_daemon(daemon: Daemon) -> None:
    def jobs(head: dict[str, str] | None = None) -> Any:
        return http.get(f"{daemon.url}/mcp/jobs", headers=head)

    async with aiohttp.ClientSession() as http:
        async with jobs() as answer:
            assert answer.status == 200
        earlier = await generate(http, daemon.url, prompt="The sea", review=True)
        phone, other = [await keys(daemon, "create", name) for name in ("phone", "other")]
        head = {"Authorization": f"Bearer {phone['key']}"}
        async with jobs(head) as answer:
            assert (answer.status, (await answer.json())["jobs"]) == (200, []), "at once, and not another owner's"
        async with http.get(f"{daemon.url}/mcp/status/{earlier}", headers=head) as answer:
            assert answer.status == 404
        await asyncio.sleep(1.0)
        async with jobs() as answer:
            assert answer.status == 401, "from the first key on one is asked for"

        async with http.get(f"{daemon.url}/mcp/jobs", headers={"Authorization": f"Bearer {other['key']}"}) as answer:
            assert answer.status == 200
        await keys(daemon, "revoke", "other")
        began = time.monotonic()
        while True:
            async with http.get(
                f"{daemon.url}/mcp/jobs", headers={"Authorization": f"Bearer {other['key']}"}
            ) as answer:
                if answer.status == 401:
                    break
            assert time.monotonic() - began < 2
            await asyncio.sleep(0.05)

        last = await keys(daemon, "create", "last", "--owner", "default")
        daemon.kill()
        assert daemon.child is not None
        await daemon.child.wait()
        await daemon.start()
        head = {"Authorization": f"Bearer {last['key']}"}
        async with jobs(head) as answer:
            assert [job["job_id"] for job in (await answer.json())["jobs"]] == [earlier]
        listed = {key["name"]: key for key in (await keys(daemon, "list"))["keys"]}
        assert {name: key["state"] for name, key in listed.items()} == {
            "phone": "live", "other": "revoked", "last": "live",
        }  # fmt: skip
        assert all(key["last_used_at"] for key in listed.values())
