from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World


async def test_alive_needs_neither_space_nor_database(
    world: World, client: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_database(world, monkeypatch)
    world.worker.space, world.worker.draining = False, True
    answer = await client.get("/livez")
    assert (answer.status, await answer.json()) == (200, {"status": "alive", "version": "1.2.3"})


async def test_a_probe_may_add_a_query_against_caches(client: TestClient[Any, Any]) -> None:
    for path in ("/livez", "/readyz"):
        assert (await client.get(f"{path}?x=1&x=2&=")).status == 200


async def test_ready_says_every_reason_why_not(
    world: World, client: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await client.get("/readyz")
    assert (answer.status, (await answer.json())["status"]) == (200, "ready")
    world.worker.draining = True
    await not_ready(client, ["draining"])
    world.worker.draining, world.worker.space = False, False
    await not_ready(client, ["storage_full"])
    break_database(world, monkeypatch)
    await not_ready(client, ["storage_full", "database"])


async def test_after_an_io_error_nothing_is_taken_until_the_disk_answers_again(
    world: World, client: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(type(world.database), "trouble", "disk I/O error")
        await not_ready(client, ["database"])
    assert (await client.get("/readyz")).status == 200


async def not_ready(client: TestClient[Any, Any], reasons: list[str]) -> None:
    answer = await client.get("/readyz")
    body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["code"], body["reasons"]) == (503, "not_ready", reasons)
    assert int(answer.headers["Retry-After"]) > 0


def break_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> dict[str, int]:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(world.jobs, "counts", broken)
