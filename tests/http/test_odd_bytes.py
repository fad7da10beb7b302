"""What is hardly HTTP, or meant to be read in two ways: a problem or a plain answer, never a traceback, and never a
second request out of the body of the first."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator

import pytest
from standins.raw_http import GET, Site, open_site
from standins.services_standin import World

from vidgend.http.app import make_app

POST = b"POST /mcp/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
BODY = b'{"prompt": "The sea"}'


@pytest.fixture
async def site(world: World, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Site]:
    async with open_site(make_app(world.services)) as site:
        yield site
    assert not [record for record in caplog.records if record.exc_info or record.levelname in ("ERROR", "WARNING")]


def sized(body: bytes, *headers: bytes) -> bytes:
    lines = (*headers, b"Content-Length: %d" % len(body))
    return POST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS to a port that has none
        b"GET /livez HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\n folded: yes\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"GET /livez HTTP/1.1\nHost: localhost\n\n",
        b"GET /li\x7fvez\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"G\xe9T /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 1e3\r\n\r\n",
        POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        POST + b"Content-Length: 5, 5\r\n\r\nabcde",
        CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        CHUNKED + b"\r\nzz\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"\r\n-1\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"\r\n0x3\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"\r\n" + b"f" * 17 + b"\r\nabc",
    ],
)  # fmt: skip
async def test_what_is_no_http_is_a_problem_and_the_end_of_the_connection(site: Site, raw: bytes) -> None:
    wire = await site.open()
    answer = await wire.ask(raw)
    assert answer.status == 400, answer
    assert answer.json["code"] == "bad_request"
    assert answer.header("content-type") == "application/problem+json"
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("server") == "vidgend"
    await wire.closed_after()
    assert (await site.ask(GET)).status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"y" * 9000 + b": x\r\n\r\n",
        b"GET /livez?" + b"y" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
    ids=["value", "name", "address", "headers"],
)
async def test_a_head_that_is_too_large_is_told_so(site: Site, raw: bytes) -> None:
    answer = await site.ask(raw)
    assert (answer.status, answer.json["code"]) == (431, "head_too_large")


async def test_a_head_without_end_is_not_kept(site: Site) -> None:
    wire = await site.open()
    try:
        for _ in range(100):
            await wire.send(b"y" * 65536)
    except ConnectionError:
        pass
    assert await wire.closed_after() < 1


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET http://localhost/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        (b"GET http://evil.example/livez HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET http://evil.example/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
        (b"GET http://localhost@evil.example/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
        (b"GET http://evil.example?/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
        (b"GET http://[::1]:8080/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        (b"GET /livez?a=http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"TRACE /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n", 200),
        (b"GET /livez HTTP/1.0\r\n\r\n", 421),
        (b"GET /livez HTTP/1.1\r\nHost: somebody@localhost\r\n\r\n", 421),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\r\n", 200),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"Origin: http://localhost\r\n" * 2 + b"\r\n", 403),
        (b"GET /livez HTTP/1.1\r\n\r\n", 400),
        (b"GET //livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /mcp/../livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200),
        (b"\r\n\r\n" + GET, 200),
    ],
)  # fmt: skip
async def test_rare_forms_of_a_request_line(site: Site, raw: bytes, status: int) -> None:
    assert (await site.ask(raw)).status == status


async def test_pipelined_requests_are_answered_in_order(site: Site) -> None:
    wire = await site.open()
    other = GET.replace(b"livez", b"nothing")
    await wire.send((GET + other) * 20)
    assert [(await wire.answer()).status for _ in range(40)] == [200, 404] * 20


async def test_an_old_client_is_answered_and_let_go(site: Site) -> None:
    wire = await site.open()
    assert (await wire.ask(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")).status == 200
    assert await wire.closed_after() < 0.2


@pytest.mark.parametrize(
    "body",
    [
        b'%x;ext=1;other="a b"\r\n%s\r\n0\r\n\r\n' % (len(BODY), BODY),
        b"%x\r\n%s\r\n0\r\nX-Trailer: a\r\n\r\n" % (len(BODY), BODY),
        b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n",
    ],
    ids=["extensions", "trailers", "a byte each"],
)
async def test_a_chunked_body_is_one_body(site: Site, body: bytes) -> None:
    assert (await site.ask(CHUNKED + b"\r\n" + body)).status == 202


async def test_what_follows_a_chunked_body_is_no_header_of_the_next_request(site: Site) -> None:
    """Behind a proxy that may be somebody else's: it would get the first one's key, address or origin."""
    trailer = b"0\r\nIdempotency-Key: a\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n"
    wire = await site.open()
    await wire.send(CHUNKED + b"\r\n%x\r\n%s\r\n" % (len(BODY), BODY) + trailer, GET)
    answer = await wire.answer()
    assert answer.status == 202 and answer.header("connection") == "close"
    with pytest.raises(ConnectionError):
        await wire.answer()


async def test_a_chunked_body_without_end_is_cut_off_at_its_size(site: Site) -> None:
    wire = await site.open()
    await wire.send(CHUNKED + b"\r\n")

    async def feed() -> None:
        while True:
            await wire.send(b"10000\r\n" + b" " * 65536 + b"\r\n")

    feeding = asyncio.create_task(feed())
    answer = await wire.answer()
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")
    feeding.cancel()


async def test_what_follows_a_refused_body_is_no_request(site: Site) -> None:
    wire = await site.open()
    await wire.send(CHUNKED + b"Content-Length: 6\r\n\r\n0\r\n\r\n" + GET)
    assert (await wire.answer()).status == 400
    with pytest.raises(ConnectionError):
        await wire.answer()


@pytest.mark.parametrize(
    "line", [b"GET /livez HTTP/2.0", b"GET /livez HTTP/0.9", b"GET /livez", b"GET /livez HTTP/1.7"]
)
async def test_another_version_of_http_is_refused_in_one_that_is_spoken(site: Site, line: bytes) -> None:
    wire = await site.open()
    await wire.send(line + b"\r\nHost: localhost\r\n\r\n")
    assert (await wire.reader.readline()).startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
    await wire.closed_after()


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zip", b"gzip, gzip", b"identity, gzip", b"\xff"])
async def test_a_packed_body_is_refused_and_not_unpacked(site: Site, coding: bytes) -> None:
    """It could hold the loop: the library unpacks before anybody is asked."""
    bomb = gzip.compress(bytes(100_000_000), 6) if coding == b"gzip" else BODY
    began = time.process_time()
    answer = await site.ask(sized(bomb, b"Content-Encoding: " + coding))
    assert (answer.status, answer.json["code"]) == (415, "body_packed")
    assert time.process_time() - began < 0.1
    assert answer.header("accept-encoding") == "identity"


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"Gzip,chunked", b"deflate , chunked"])
async def test_a_body_that_is_packed_on_the_way_is_refused_too(site: Site, coding: bytes) -> None:
    answer = await site.ask(
        POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    )
    assert (answer.status, answer.json["code"]) == (415, "body_packed")


async def test_a_body_may_say_that_it_is_not_packed(site: Site) -> None:
    assert (await site.ask(sized(BODY, b"Content-Encoding: identity"))).status == 202


@pytest.mark.parametrize("kind", [b"multipart/form-data; boundary=x", b"text/plain", b"application/json, text/plain"])
async def test_a_form_is_no_json(site: Site, kind: bytes) -> None:
    head = b"POST /mcp/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: 21\r\n\r\n" % kind
    answer = await site.ask(head + BODY)
    assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "line", [b"POST /mcp/generate", b"POST /no/such/path", b"PUT /mcp/generate", b"POST /mcp/assets"]
)
async def test_an_expectation_that_nobody_understands_is_a_problem_on_every_path(site: Site, line: bytes) -> None:
    wire = await site.open()
    answer = await wire.ask(line + b" HTTP/1.1\r\nHost: localhost\r\nExpect: a-miracle\r\nContent-Length: 0\r\n\r\n")
    assert (answer.status, answer.header("content-type")) == (417, "application/problem+json")
    assert answer.json["code"] == "expectation_failed"
    assert (await wire.ask(GET)).status == 200


async def test_an_old_client_is_not_told_to_go_on(site: Site) -> None:
    """HTTP/1.0 has one answer to a request: it would take `100 Continue` for that."""
    for line in (POST, POST.replace(b"generate", b"assets")):
        raw = line.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY)
        answer = await site.ask(raw + BODY)
        assert answer.status == (202 if b"generate" in line else 422), answer
