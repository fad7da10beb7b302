from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from aiohttp import web
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from standins.services_standin import World, open_world

from vidgend.http.app import make_app
from vidgend.mcp.here import add_own_mcp

Mode = Literal["auto", "legacy"]
Serve = Callable[..., Awaitable[str]]
Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture(params=["auto", "legacy"])
def mode(request: Any) -> Mode:
    """The newest revision, and the one before it."""
    return request.param


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """The address of the application over a world, served as the daemon serves it (a TestServer cancels handlers)."""
    runners: list[web.AppRunner] = []

    async def serve(world: World) -> str:
        app = make_app(world.services)
        add_own_mcp(app)
        runners.append(web.AppRunner(app, access_log=None, shutdown_timeout=2))
        await runners[-1].setup()
        site = web.TCPSite(runners[-1], "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runners[-1].addresses[0][1]}"

    yield serve
    for runner in runners:
        await runner.cleanup()


@asynccontextmanager
async def connected(url: str, *, key: str = "", **options: Any) -> AsyncIterator[Client]:
    """A client of the SDK at /mcp of `url`."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(30, read=300)) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), **options) as client,
    ):
        yield client


@pytest.fixture
def connect(world: World, serve: Serve) -> Connect:
    """A client of the application over the world."""

    @asynccontextmanager
    async def connect(**options: Any) -> AsyncIterator[Client]:
        async with connected(await serve(world), **options) as client:
            yield client

    return connect
