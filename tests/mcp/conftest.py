from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp_world import Connect, Mode, connected, served
from standins.services_standin import World, open_world


@pytest.fixture(params=["auto", "legacy"])
def mode(request: Any) -> Mode:
    """The newest revision, and the one before it."""
    mode: Mode = request.param
    return mode


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    async with served(world) as url:
        yield url


@pytest.fixture
def connect(url: str) -> Connect:
    """A client of the application over the world."""

    @asynccontextmanager
    async def connect(**options: Any) -> AsyncIterator[Client]:
        async with connected(url, **options) as client:
            yield client

    return connect
