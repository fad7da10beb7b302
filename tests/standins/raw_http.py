"""Bytes straight onto a socket: what no client library would send, and how slowly."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from vidgend.http.connections import Limits
from vidgend.http.listeners import Listener, open_listeners
from vidgend.http.server import Deadlines, Server

PATIENCE_S = 5.0
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
QUICK = Deadlines(head_s=0.3, handshake_s=0.3, idle_s=1.2, unread_s=1.0, stop_s=0.2)
"""So far apart that a test can tell by which of them a connection was closed."""
PLENTY = Limits(total=2000, per_address=1000)


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def answer(self) -> Answer:
        """Raises: ConnectionError if the server closes without one."""
        async with asyncio.timeout(PATIENCE_S):
            line = await self.reader.readline()
            if not line:
                raise ConnectionError("closed")
            answer = Answer(int(line.split()[1]))
            while raw := (await self.reader.readline()).rstrip(b"\r\n"):
                name, _, value = raw.decode("latin-1").partition(":")
                answer.headers.append((name.lower(), value.strip()))
            length = answer.header("content-length")
            answer.body = await self.reader.readexactly(int(length)) if length else b""
            return answer

    async def ask(self, *parts: bytes) -> Answer:
        await self.send(*parts)
        return await self.answer()

    async def closed_after(self) -> float:
        """Seconds until the server closes; it may say something before."""
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(PATIENCE_S):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                pass
        return asyncio.get_running_loop().time() - began

    def close(self) -> None:
        self.writer.transport.abort()


@dataclass
class Site:
    """A running server."""

    server: Server
    listener: Listener
    wires: list[Wire] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.listener.port

    async def open(
        self, *, tls: ssl.SSLContext | None = None, name: str | None = None, source: str | None = None
    ) -> Wire:
        if self.listener.is_unix:
            pair = await asyncio.open_unix_connection(str(self.listener.path))
        else:
            local = (source, 0) if source else None
            pair = await asyncio.open_connection(
                "127.0.0.1", self.port, ssl=tls, server_hostname=name, local_addr=local
            )
        self.wires.append(Wire(*pair))
        return self.wires[-1]

    async def ask(self, *parts: bytes) -> Answer:
        return await (await self.open()).ask(*parts)


@asynccontextmanager
async def open_site(
    app: web.Application,
    *,
    unix_socket: Path | None = None,
    unix_mode: int = 0o600,
    limits: Limits = PLENTY,
    **more: Any,
) -> AsyncIterator[Site]:
    host = "" if unix_socket else "127.0.0.1"
    listeners = await asyncio.to_thread(open_listeners, host=host, port=0, unix_socket=unix_socket, unix_mode=unix_mode)
    server = Server(app, limits=limits, **{"deadlines": QUICK, **more})
    await server.start(listeners)
    site = Site(server, listeners[0])
    try:
        yield site
    finally:
        for wire in site.wires:
            wire.close()
        await server.stop()
