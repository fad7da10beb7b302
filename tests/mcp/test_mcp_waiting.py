"""Waiting for a video: progress while it is made, and a job that outlives whoever waited."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest
from mcp.client.client import Client
from mcp_types import ResourceLink
from mcp_world import Connect, Mode, call
from standins.services_standin import World

from vidgend.models import Brief
from vidgend.store.jobs import Failure, Job


@pytest.fixture(autouse=True)
def quick(monkeypatch: Any) -> None:
    monkeypatch.setattr("vidgend.mcp.waiting.POLL_S", 0.02)


async def claimed(world: World) -> Job:
    """The job that the tool has sent, once it is there."""
    async with asyncio.timeout(20):
        while (job := await world.jobs.claim()) is None:
            await asyncio.sleep(0.02)
    return job


class Told:
    """The progress that a client was told."""

    def __init__(self) -> None:
        self.lines: list[tuple[float, float | None, str | None]] = []

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        self.lines.append((progress, total, message))

    async def until(self, text: str) -> None:
        async with asyncio.timeout(20):
            while not any(text in (message or "") for _, _, message in self.lines):
                await asyncio.sleep(0.02)


async def waiting(client: Client, told: Told, **more: Any) -> Any:
    return await client.call_tool("generate_video", {"prompt": "The sea", "wait": True, **more}, progress_callback=told)


async def test_who_waits_is_told_how_far_it_is_and_gets_the_video(world: World, connect: Connect, mode: Mode) -> None:
    told = Told()
    async with connect(mode=mode) as client:
        task = asyncio.create_task(waiting(client, told))
        job = await claimed(world)
        await told.until("writing the storyboard")
        await world.jobs.move(job, "rendering", progress=50, scenes=(1, 2), line="rendering")
        await told.until("rendering the scenes")
        done, found = await world.completed()
        assert await world.jobs.complete(job, found, scenes=2, line="completed", event={})
        result = await task
    assert result.structured_content["sha256"] == found.files["video"].digest
    assert next(one.name for one in result.content if isinstance(one, ResourceLink)) == "output.mp4"
    numbers = [number for number, _, _ in told.lines]
    assert numbers == sorted(set(numbers)) and all(total == 100 for _, total, _ in told.lines)
    assert done.id != job.id


async def test_a_video_that_fails_is_an_error_with_its_reason(world: World, connect: Connect, mode: Mode) -> None:
    async with connect(mode=mode) as client:
        task = asyncio.create_task(waiting(client, Told()))
        job = await claimed(world)
        failure = Failure(code="footage_missing", detail="nothing was found", hint="Add a provider.", tail="")
        assert await world.jobs.fail(job, failure, progress=20)
        result = await task
    assert result.is_error and result.content[0].text == "footage_missing: nothing was found\nAdd a provider."
    assert result.structured_content["job_id"] == job.id


async def test_a_wait_ends_where_somebody_has_to_approve(world: World, connect: Connect) -> None:
    async with connect() as client:
        task = asyncio.create_task(waiting(client, Told(), review=True))
        job = await claimed(world)
        assert await world.jobs.await_review(job, progress=40, scenes=2, line="waiting", event={})
        result = await task
    assert not result.is_error and result.structured_content["status"] == "awaiting_review"


async def test_a_closed_stream_ends_the_call_and_not_the_job(
    world: World, connect: Connect, mode: Mode, monkeypatch: Any
) -> None:
    asked: list[str] = []
    look = world.jobs.look

    async def counted(job_id: str, **more: Any) -> Any:
        asked.append(job_id)
        return await look(job_id, **more)

    monkeypatch.setattr(world.jobs, "look", counted)
    async with connect(mode=mode) as client:
        told = Told()
        with anyio.move_on_after(20) as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(waiting, client, told)
                job = await claimed(world)
                await told.until("writing the storyboard")
                group.cancel_scope.cancel()
        assert not scope.cancelled_caught and asked
        await asyncio.sleep(0.8)  # the bridge looks each quarter of a second
        asked.clear()
        await asyncio.sleep(0.3)
        assert asked == []
        assert (await call(client, "get_video_status", job_id=job.id))["status"] == "planning"


async def test_a_job_in_the_queue_is_waited_for_too(world: World, connect: Connect) -> None:
    await world.jobs.submit(Brief(prompt="before"))
    async with connect() as client:
        told = Told()
        task = asyncio.create_task(waiting(client, told))
        await told.until("waiting in the queue behind 1 other job")
        task.cancel()
        await asyncio.wait({task})
