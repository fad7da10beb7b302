"""Clients that send slowly, or nothing, or do not read: they are cut off, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from standins.raw_http import GET, QUICK, Site, Wire, open_site
from standins.services_standin import World

from vidgend.http import body as body_module
from vidgend.http.app import make_app
from vidgend.http.connections import Limits
from vidgend.http.server import Deadlines, files_for

SLACK_S = 0.4
HALF = b"GET /livez HTTP/1.1\r\nHost: local"


@pytest.fixture
async def site(world: World) -> AsyncIterator[Site]:
    async with open_site(make_app(world.services)) as site:
        yield site


async def dribble(wire: Wire, data: bytes, every_s: float = 0.02) -> None:
    for byte in data:
        await wire.send(bytes([byte]))
        await asyncio.sleep(every_s)


@pytest.mark.parametrize("first", [b"", b"G", HALF], ids=["nothing", "a letter", "half a head"])
async def test_a_head_that_does_not_come_ends_the_connection(site: Site, first: bytes) -> None:
    wire = await site.open()
    await wire.send(first)
    assert QUICK.head_s / 2 < await wire.closed_after() < QUICK.head_s + SLACK_S


async def test_a_byte_at_a_time_buys_no_more_time(site: Site) -> None:
    wire = await site.open()
    feeding = asyncio.create_task(dribble(wire, HALF * 5))
    assert await wire.closed_after() < QUICK.head_s + SLACK_S
    feeding.cancel()


async def test_a_connection_may_rest_between_requests_for_longer_than_a_head_may_take(site: Site) -> None:
    wire = await site.open()
    for _ in range(2):
        assert (await wire.ask(GET)).status == 200
        await asyncio.sleep(QUICK.head_s + 0.1)
    assert (await wire.ask(GET)).status == 200
    assert QUICK.idle_s / 2 < await wire.closed_after() < QUICK.idle_s + SLACK_S


async def test_half_a_head_on_a_used_connection_has_the_same_deadline(site: Site) -> None:
    wire = await site.open()
    assert (await wire.ask(GET)).status == 200
    await wire.send(HALF)
    assert QUICK.head_s / 2 < await wire.closed_after() < QUICK.head_s + SLACK_S


async def test_a_head_in_pieces_is_answered_and_its_deadline_forgotten(site: Site) -> None:
    wire = await site.open()
    for _ in range(3):
        assert (await wire.ask(GET[:9], GET[9:20], GET[20:])).status == 200
        await asyncio.sleep(QUICK.head_s / 2)
        await wire.send(GET[:5])
        await asyncio.sleep(0.02)
        assert (await wire.ask(GET[5:])).status == 200
        await asyncio.sleep(QUICK.head_s / 2)


async def test_a_body_that_does_not_come_is_a_timeout(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "BODY_TIMEOUT_S", 0.3)
    wire = await site.open()
    head = b"POST /mcp/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    answer = await wire.ask(head + b"Content-Length: 1000\r\n\r\n", b"{")
    assert (answer.status, answer.json["code"]) == (408, "request_timeout")


async def test_a_client_that_reads_nothing_is_let_go(world: World) -> None:
    ended = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(bytes(65536))
        finally:
            ended.set()

    app = web.Application()
    app.router.add_get("/", endless)
    async with open_site(app) as site:
        sock = socket.create_connection(("127.0.0.1", site.port))
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        began = time.monotonic()
        async with asyncio.timeout(10):
            await ended.wait()
        assert time.monotonic() - began < 3 * QUICK.unread_s + SLACK_S
        sock.close()


async def test_500_half_open_connections_and_a_stream_keep_no_request_waiting(world: World) -> None:
    """From one address, with a limit below their number; the stream was there first and outlives them all."""

    async def stream(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b": still here\n\n")
            await asyncio.sleep(0.05)

    app = make_app(world.services)
    app.router.add_get("/stream", stream)
    deadlines = Deadlines(stop_s=0.1)
    async with open_site(app, limits=Limits(total=2000, per_address=300), deadlines=deadlines) as site:
        streams = [await site.open() for _ in range(20)]
        for wire in streams:
            await wire.send(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert await wire.reader.readuntil(b"still here")
        for _ in range(500):
            await (await site.open()).send(HALF)
        began = time.monotonic()
        assert (await site.ask(GET)).status == 200
        assert time.monotonic() - began < 1
        assert len(site.server.connections) <= 300
        assert site.server.connections.dropped >= 220
        for wire in streams:
            assert await asyncio.wait_for(wire.reader.readuntil(b"still here"), 1)
            assert await asyncio.wait_for(wire.reader.readuntil(b"still here"), 1)


async def test_who_works_is_never_cut_off_for_a_newcomer(world: World) -> None:
    going = asyncio.Event()

    async def busy(request: web.Request) -> web.Response:
        await going.wait()
        return web.Response()

    app = web.Application()
    app.router.add_get("/", busy)
    async with open_site(app, limits=Limits(total=100, per_address=3)) as site:
        workers = [await site.open() for _ in range(3)]
        for wire in workers:
            await wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.sleep(0.05)
        assert await (await site.open()).closed_after() < 0.2
        assert site.server.connections.refused == 1
        other = await site.open(source="127.0.0.2")  # of another address
        await other.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        going.set()
        assert [(await wire.answer()).status for wire in [*workers, other]] == [200] * 4


async def test_a_closed_connection_counts_no_more(site: Site) -> None:
    for _ in range(5):
        wire = await site.open()
        assert (await wire.ask(GET)).status == 200
        wire.close()
    await asyncio.sleep(0.05)
    assert len(site.server.connections) == 0


async def test_a_stop_ends_within_its_time_whatever_clients_do(world: World) -> None:
    began = time.monotonic()
    async with open_site(make_app(world.services)) as site:
        await site.open()
        await (await site.open()).send(HALF)
        assert (await site.ask(GET)).status == 200
        began = time.monotonic()
    assert time.monotonic() - began < 2 * QUICK.stop_s + SLACK_S


def test_open_files_are_asked_for_and_bound_what_may_connect() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (400, before[1]))
        assert files_for(600) == 600
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 600 + 512
        assert files_for(10_000_000) < 10_000_000
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
