"""One key, one job: at the same time, again, and after a restart."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from standins.boots import leave
from standins.services_standin import World, open_world

from vidgend.http.app import make_app

TWINS = 200
BODIES = {"/mcp/generate": {"prompt": "The sea"}, "/mcp/prefetch": {"queries": ["sea", "sand"]}}
OTHERS = {"/mcp/generate": {"prompt": "The land"}, "/mcp/prefetch": {"queries": ["sea"]}}


async def post(session: aiohttp.ClientSession, url: str, body: Any, key: str) -> tuple[int, bytes, str | None]:
    async with session.post(url, json=body, headers={"Idempotency-Key": key}) as answer:
        return answer.status, await answer.read(), answer.headers.get("Location")


async def jobs_of(world: World) -> int:
    return sum((await world.jobs.counts()).values())


@pytest.mark.parametrize("route", BODIES)
async def test_two_hundred_twins_at_once_are_one_job_over_real_connections(world: World, route: str) -> None:
    async with TestServer(make_app(world.services)) as server:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            url = str(server.make_url(route))
            answers = await asyncio.gather(*(post(session, url, BODIES[route], "order-1") for _ in range(TWINS)))
            assert len(set(answers)) == 1, Counter(answers)
            assert answers[0][0] == 202
            assert await jobs_of(world) == 1
            mixed = await asyncio.gather(
                *(
                    post(session, url, (BODIES if n % 2 else OTHERS)[route], f"order-{2 + n // 20}")
                    for n in range(TWINS)
                )
            )
    assert Counter(status for status, _, _ in mixed) == {202: TWINS // 2, 422: TWINS // 2}
    assert all(b'"idempotency_key_reused"' in body for status, body, _ in mixed if status == 422)
    assert len({body for status, body, _ in mixed if status == 202}) == TWINS // 20
    assert await jobs_of(world) == 1 + TWINS // 20


@pytest.mark.parametrize("route", BODIES)
async def test_a_key_outlives_the_daemon(tmp_path: Path, connect: Any, route: str) -> None:
    answers = []
    for _ in range(2):
        async with open_world(tmp_path) as world:
            client = await connect(world)
            answer = await client.post(route, json=BODIES[route], headers={"Idempotency-Key": "order-1"})
            answers.append((answer.status, await answer.read()))
            other = await client.post(route, json=OTHERS[route], headers={"Idempotency-Key": "order-1"})
            assert (other.status, (await other.json(content_type=None))["code"]) == (422, "idempotency_key_reused")
            assert await jobs_of(world) == 1
            await client.close()
            await leave(world)
    assert answers[0] == answers[1] and answers[0][0] == 202


async def test_a_repeat_gets_its_job_whatever_has_become_of_it(world: World, client: Any) -> None:
    head = {"Idempotency-Key": "order-1"}
    first = await client.post("/mcp/generate", json={"prompt": "p"}, headers=head)
    job_id = (await first.json())["job_id"]
    await client.post(f"/mcp/cancel/{job_id}")
    again = await client.post("/mcp/generate", json={"prompt": "p"}, headers=head)
    assert (await again.json(), again.status) == (await first.json(), 202)
    await client.delete(f"/mcp/jobs/{job_id}")
    new = await client.post("/mcp/generate", json={"prompt": "p"}, headers=head)
    assert (await new.json())["job_id"] != job_id, "nobody remembers what was deleted"
