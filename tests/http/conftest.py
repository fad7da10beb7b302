from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from blockbuster import blockbuster_ctx
from standins.outbox_standin import Post, open_post
from standins.receiver_standin import Receiver, open_receiver
from standins.services_standin import World, open_world

from vidgend.http import app as app_module
from vidgend.http.app import make_app
from vidgend.http.openapi import documented_errors
from vidgend.http.operation import Operation

Connect = Callable[..., Awaitable[TestClient[Any, Any]]]


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[None]:
    """A blocking call on the loop in our own code fails the test. Starting a child does a few that take no time."""
    with blockbuster_ctx("vidgend.http") as guard:
        for function in guard.functions.values():
            function.can_block_in("vidgend/children/child.py", "spawn")
            function.can_block_in("vidgend/children/limits.py", "apply")
            function.can_block_in("vidgend/pipeline/ffmpeg.py", "find_ffmpeg")
        yield


@pytest.fixture(autouse=True)
def only_documented_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An answer whose status or code the document does not have fails the test, whatever the test is about."""
    undocumented: set[tuple[str, int, str]] = set()
    finish = app_module.finish_headers

    async def look(request: web.Request, answer: web.StreamResponse) -> None:
        await finish(request, answer)
        resource = request.match_info.route.resource
        key = (request.method.replace("HEAD", "GET"), resource.canonical if resource is not None else "")
        if key in DOCUMENTED and (found := (answer.status, _code(answer))) not in DOCUMENTED[key]:
            undocumented.add((" ".join(key), *found))

    monkeypatch.setattr(app_module, "finish_headers", look)
    yield
    assert not undocumented


def _documented(operation: Operation) -> set[tuple[int, str]]:
    errors = {(status, error.code) for status, error in documented_errors(operation)}
    return errors | {(status, "") for status in (operation.status, *operation.also)} | {(500, "internal")}


DOCUMENTED = {(operation.method, operation.path): _documented(operation) for operation in app_module.OPERATIONS}
"""By method and path: each status with the code of its problem; a success has none. A bug is no part of the document."""


def _code(answer: web.StreamResponse) -> str:
    if answer.content_type != "application/problem+json":
        return ""
    assert isinstance(answer, web.Response) and isinstance(answer.body, bytes)
    return str(json.loads(answer.body)["code"])


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
