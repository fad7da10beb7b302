"""The bridge between aiohttp and ASGI, with applications that do what the SDK's does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from aiohttp import web
from standins.services_standin import World

from vidgend.http.app import make_app
from vidgend.http.closing import CLOSING
from vidgend.http.connections import Limits
from vidgend.http.listeners import open_listeners
from vidgend.http.server import Server
from vidgend.mcp.bridge import Asgi, handler_of_asgi
from vidgend.mcp.mount import add_mcp

Message = dict[str, Any]
Receive, Send = Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]
START = {"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"text/event-stream")]}


@asynccontextmanager
async def bridged(
    world: World, asgi: Any, mount: Callable[[web.Application], None] | None = None
) -> AsyncIterator[Any]:
    """The application with `asgi` at /asgi; its server and its address."""

    async def find() -> Asgi:
        found: Asgi = asgi
        return found

    app = make_app(world.services)
    app.router.add_route("*", "/asgi", handler_of_asgi(find))
    if mount is not None:
        mount(app)
    server = Server(app, limits=Limits(total=1000, per_address=1000))
    (listener,) = open_listeners(host="127.0.0.1", port=0, unix_socket=None, unix_mode=0)
    await server.start([listener])
    try:
        yield app, server, f"http://127.0.0.1:{listener.port}"
    finally:
        await server.stop()


class Stream:
    """Sends a piece, then watches for the client's leave in a loop, as the SDK does."""

    def __init__(self, *, late: bool = False) -> None:
        self.asked = 0
        self.left = asyncio.Event()
        self.late = late

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        await send(START)
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            self.asked += 1
        if self.late:
            for _ in range(3):
                await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        self.left.set()


@pytest.mark.parametrize("late", [False, True])
async def test_a_client_that_leaves_is_noticed_and_is_no_error(world: World, late: bool, caplog: Any) -> None:
    stream = Stream(late=late)
    async with bridged(world, stream) as (_, _, url), httpx2.AsyncClient() as http:
        async with http.stream("POST", f"{url}/asgi", content=b"body") as answer:
            assert await anext(answer.aiter_raw()) == b"one"
            assert (await http.get(f"{url}/livez")).status_code == 200  # the loop is free
        await asyncio.wait_for(stream.left.wait(), 5)
        assert stream.asked == 1  # the body, and then nothing until the leave
    assert not [one for one in caplog.records if one.levelname in ("ERROR", "CRITICAL")]


async def test_a_stop_ends_the_stream_first(world: World) -> None:
    stream = Stream()
    async with (
        bridged(world, stream) as (app, server, url),
        httpx2.AsyncClient() as http,
        http.stream("POST", f"{url}/asgi") as answer,
    ):
        assert await anext(answer.aiter_raw()) == b"one"
        began = time.monotonic()
        await server.stop()
        assert app[CLOSING].is_set() and stream.left.is_set()
        assert time.monotonic() - began < 1.5  # less than what the server gives to those who do not end


async def test_what_an_application_gets_and_gives(world: World) -> None:
    seen: list[Any] = []

    async def asgi(scope: Message, receive: Receive, send: Send) -> None:
        seen.extend([scope, await receive()])
        headers = [(b"X-One", b"1"), (b"x-one", b"2"), (b"Connection", b"close"), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    async with bridged(world, asgi) as (_, _, url), httpx2.AsyncClient() as http:
        answer = await http.post(f"{url}/asgi?a=%C3%A9&b", content=b"body", headers={"X-Two": "3"})
        head = await http.request("PUT", f"{url}/asgi")
    scope, message = seen[:2]
    assert message == {"type": "http.request", "body": b"body", "more_body": False}
    assert (scope["method"], scope["path"]) == ("POST", "/asgi")
    assert (b"x-two", b"3") in scope["headers"] and all(name == name.lower() for name, _ in scope["headers"])
    assert (answer.status_code, answer.content, answer.headers.get_list("x-one")) == (201, b"ok", ["1", "2"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["X-Request-Id"]
    assert head.status_code == 201


async def test_an_application_that_breaks_or_says_nothing_is_a_problem(world: World) -> None:
    async def breaks(scope: Message, receive: Receive, send: Send) -> None:
        raise RuntimeError("secret")

    async def silent(scope: Message, receive: Receive, send: Send) -> None:
        pass

    for asgi, status in ((breaks, 500), (silent, 400)):
        async with bridged(world, asgi) as (_, _, url), httpx2.AsyncClient() as http:
            answer = await http.post(f"{url}/asgi")
        assert answer.status_code == status and answer.json()["code"] and "secret" not in answer.text


async def test_a_server_that_cannot_be_built_is_an_error_each_time_and_stops_well(world: World) -> None:
    def build() -> Any:
        raise RuntimeError("broken")

    async with bridged(world, Stream(), lambda app: add_mcp(app, build)) as (_, _, url), httpx2.AsyncClient() as http:
        for _ in range(2):
            assert (await http.post(f"{url}/mcp", json={})).status_code == 500
        assert (await http.get(f"{url}/mcp/jobs")).status_code == 200
