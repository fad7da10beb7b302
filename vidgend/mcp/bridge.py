"""An ASGI application as a handler of aiohttp: the SDK's transport in this server, without another one beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from vidgend.http.body import BODY_TIMEOUT_S
from vidgend.http.closing import CLOSING
from vidgend.http.problems import BadRequest, RequestTimeout

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]
LOOK_S = 0.25
"""How often it is looked whether the client is still there: aiohttp tells nobody."""
_UNSUPPORTED = b"last-event-id"
"""No events are kept. The SDK would answer nothing at all where a client wants to go on in them; it may begin anew."""
_HOP_BY_HOP = ("connection", "transfer-encoding", "server", "date")


def handler_of_asgi(
    find: Callable[[], Awaitable[Asgi]], extra: Callable[[web.Request], Mapping[str, Any]] = lambda request: {}
) -> Handler:
    """What aiohttp runs. `extra` is put into the scope of each request.

    The handler raises: BadRequest, RequestTimeout; aiohttp raises on a body that is too large.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        exchange = _Exchange(request, await _whole_body(request))
        try:
            await (await find())(_scope(request) | dict(extra(request)), exchange.receive, exchange.send)
        finally:
            exchange.finished.set()
        return exchange.answered()

    return handle


async def _whole_body(request: web.Request) -> bytes:
    """It is small, so nobody waits in the transport for a client that sends slowly."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError:
        raise RequestTimeout from None
    except (web.RequestPayloadError, ConnectionError) as error:
        raise BadRequest("the body is broken or broke off") from error


def _scope(request: web.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.raw_path.encode("utf-8", "surrogateescape"),
        "query_string": request.query_string.encode("utf-8", "surrogateescape"),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.raw_headers if name.lower() != _UNSUPPORTED],
        "client": (request.remote or "", 0),
        "server": None,
    }


class _Exchange:
    """One request and its answer."""

    def __init__(self, request: web.Request, body: bytes) -> None:
        self._request = request
        self._body: bytes | None = body
        self._answer: web.StreamResponse | None = None
        self._closing = request.app[CLOSING]
        self.finished = asyncio.Event()

    def _gone(self) -> bool:
        transport = self._request.transport
        return transport is None or transport.is_closing() or self._closing.is_set()

    async def receive(self) -> Message:
        """The body, once. Then nothing until the exchange is over, the client is gone, or the server stops: whoever
        reads on in a loop must not get an answer at once, or the loop would never give way."""
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        while not (self.finished.is_set() or self._gone()):
            try:
                async with asyncio.timeout(LOOK_S):
                    await self.finished.wait()
            except TimeoutError:
                continue
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """A client that left is no error: it closes the stream as soon as it has what it wants."""
        try:
            if message["type"] == "http.response.start":
                await self._start(message)
            elif message["type"] == "http.response.body" and self._answer is not None:
                if body := message.get("body"):
                    await self._answer.write(body)
                if not message.get("more_body"):
                    await self._answer.write_eof()
                    self.finished.set()
        except ConnectionError:
            self.finished.set()

    async def _start(self, message: Message) -> None:
        answer = web.StreamResponse(status=message["status"])
        for name, value in message.get("headers", ()):
            if (text := name.decode("latin-1")).lower() not in _HOP_BY_HOP:
                answer.headers.add(text, value.decode("latin-1"))
        self._answer = answer
        await answer.prepare(self._request)

    def answered(self) -> web.StreamResponse:
        """Raises: BadRequest where nothing was answered, which happens when the client is gone."""
        if self._answer is None:
            raise BadRequest("the client went away")
        return self._answer
