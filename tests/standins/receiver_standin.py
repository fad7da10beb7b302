"""A webhook receiver: real HTTP, answers as it is told to, every delivery remembered."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Call:
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """`answers[path]` answers instead of a plain 204."""

    calls: list[Call] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    port: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def wait_for(self, count: int, within_s: float = 10) -> None:
        """Until so many deliveries have come."""
        async with asyncio.timeout(within_s), self.changed:
            await self.changed.wait_for(lambda: len(self.calls) >= count)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = Call(headers={name.lower(): value for name, value in request.headers.items()}, body=await request.read())
        async with self.changed:
            self.calls.append(call)
            self.changed.notify_all()
        answer = self.answers.get(request.path)
        return await answer(request) if answer else web.Response(status=204)


@asynccontextmanager
async def open_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver._serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


def verify(secret: str, call: Call) -> None:
    """As a receiver checks it: written from the Standard Webhooks specification alone."""
    key = base64.b64decode(secret[len("whsec_") :])
    signed = b".".join([call.headers["webhook-id"].encode(), call.headers["webhook-timestamp"].encode(), call.body])
    right = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert f"v1,{right}" in call.headers["webhook-signature"].split(" ")
