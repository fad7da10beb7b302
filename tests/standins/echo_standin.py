"""A server that refuses everything and says back all that it was sent: address, headers and body, in its own headers too.

Half of its answers are refusals and half are failures of its own, so that whoever asks goes through both.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Echo:
    url: str = ""
    said: list[str] = field(default_factory=list)
    """What it has sent back."""
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = itertools.count()

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        self.paths.append(request.path)
        heard = [str(request.url), *(f"{name}: {value}" for name, value in request.headers.items())]
        text = json.dumps(
            {"error": {"message": f"you sent {heard}", "headers": heard, "body": body.decode(errors="replace")}}
        )
        self.said.append(text)
        status = (401, 500)[next(self._numbers) % 2]
        shown = request.headers.get("Authorization", "none").encode("ascii", "replace").decode()[:500]
        return web.Response(
            text=text, status=status, content_type="application/json",
            headers={"WWW-Authenticate": f"Bearer given={shown}", "Location": str(request.url), "Server": shown},
        )  # fmt: skip


@asynccontextmanager
async def open_echo() -> AsyncIterator[Echo]:
    echo = Echo()
    app = web.Application(client_max_size=10**8)
    app.router.add_route("*", "/{path:.*}", echo.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        echo.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield echo
    finally:
        await runner.cleanup()
