from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from standins.services_standin import World, open_world

from vidgend.http.app import make_app

Serve = Callable[[World], Awaitable[str]]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    folder = tmp_path / "world"
    folder.mkdir()
    async with open_world(folder) as world:
        yield world


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves the application over a world on a real socket, and tells where."""
    servers: list[TestServer] = []

    async def serve(world: World) -> str:
        servers.append(TestServer(make_app(world.services)))
        await servers[-1].start_server()
        return str(servers[-1].make_url("")).rstrip("/")

    yield serve
    for server in servers:
        await server.close()


@pytest.fixture
async def url(world: World, serve: Serve) -> str:
    return await serve(world)
