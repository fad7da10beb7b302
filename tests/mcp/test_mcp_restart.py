"""A daemon that is begun anew, or an answer that gets lost, while an agent works through `vidgend mcp`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from mcp_world import Mode, awaiting_review, served
from standins.services_standin import World
from test_mcp_stdio import on_stdio
from test_mcp_waiting import Told, claimed, waiting

from vidgend.errors import DaemonUnreachable
from vidgend.mcp.remote import RemoteBackend


@asynccontextmanager
async def losing(url: str, count: int) -> AsyncIterator[str]:
    """Another address of `url`, whose first `count` answers get lost after the daemon has done what was asked."""
    left = [count]

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        try:
            while asked := await reader.read(65_536):
                to_there.write(asked)
                answer = await there.read(65_536)
                if left[0]:
                    left[0] -= 1
                    return
                writer.write(answer)
        finally:
            to_there.close()
            writer.close()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def quick(monkeypatch: Any) -> None:
    monkeypatch.setattr("vidgend.mcp.remote.AGAIN_S", 0.01)


@pytest.mark.usefixtures("quick")
async def test_an_answer_that_gets_lost_makes_no_second_job(world: World) -> None:
    async with served(world) as url, losing(url, 2) as lossy, RemoteBackend(lossy) as backend:
        accepted = await backend.call("generate", body={"prompt": "The sea"})
        assert (await backend.call("status", path={"job_id": accepted["job_id"]}))["status"] == "queued"
        other = await backend.call("generate", body={"prompt": "The sea"})
    assert {job.id for job in await world.jobs.page()} == {accepted["job_id"], other["job_id"]}
    assert accepted["job_id"] != other["job_id"]


@pytest.mark.usefixtures("quick")
async def test_what_must_not_be_done_twice_is_not_tried_twice(world: World) -> None:
    job_id = await awaiting_review(world)
    async with served(world) as url, losing(url, 1) as lossy, RemoteBackend(lossy) as backend:
        with pytest.raises(DaemonUnreachable):
            await backend.call("edit_storyboard", path={"job_id": job_id}, body={"style": "noir"})
        board = await backend.call("storyboard", path={"job_id": job_id})
    assert board["version"] == 2


async def test_who_waits_gets_the_video_over_a_restart(world: World, tmp_path: Path, mode: Mode) -> None:
    told = Told()
    async with served(world) as url:
        port = urlsplit(url).port or 0
    async with on_stdio(tmp_path, url, mode=mode) as client:
        async with served(world, port=port):
            task = asyncio.create_task(waiting(client, told))
            job = await claimed(world)
            await told.until("")  # anything
        await asyncio.sleep(2)
        _, found = await world.completed()
        assert await world.jobs.complete(job, found, scenes=2, line="completed", event={})
        async with served(world, port=port), asyncio.timeout(20):
            result = await task
    assert not result.is_error, result
    assert result.structured_content["sha256"] == found.files["video"].digest


@pytest.mark.usefixtures("quick")
async def test_a_password_in_the_address_is_not_told_to_the_model() -> None:
    async with RemoteBackend("http://me:hunter22@127.0.0.1:1/") as backend:
        with pytest.raises(DaemonUnreachable, match=r"http://me:\*\*\*@127\.0\.0\.1:1:"):
            await backend.call("voices")
