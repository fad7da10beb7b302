from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from blockbuster import blockbuster_ctx
from standins.outbox_standin import Post, open_post
from standins.receiver_standin import Receiver, open_receiver
from standins.services_standin import World, open_world

from vidgend.http.app import make_app

Connect = Callable[..., Awaitable[TestClient[Any, Any]]]


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[None]:
    """A blocking call on the loop in our own code fails the test. Starting a child does a few that take no time."""
    with blockbuster_ctx("vidgend.http") as guard:
        for function in guard.functions.values():
            function.can_block_in("vidgend/children.py", {"spawn", "apply"})
            function.can_block_in("vidgend/pipeline/ffmpeg.py", "find_ffmpeg")
        yield


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
def connect(aiohttp_client: Any) -> Connect:
    """A client of the application over a world."""

    async def connect(world: World) -> TestClient[Any, Any]:
        client: TestClient[Any, Any] = await aiohttp_client(make_app(world.services))
        return client

    return connect


@pytest.fixture
async def client(world: World, connect: Connect) -> TestClient[Any, Any]:
    return await connect(world)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with open_post(tmp_path) as post:
        yield post


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as receiver:
        yield receiver
