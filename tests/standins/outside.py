"""What lies outside: a network of names, listeners that must not be reached, and a witness of every connection."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

PUBLIC = "127.0.0.5"
"""Stands for an address on the internet: tests allow this one and no other."""
PUBLIC_NETWORK = (ip_network(f"{PUBLIC}/32"),)
PUBLIC_NAME = "public.example"

_seen: list[Any] = []
_watching = False


def _witness(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event == "socket.connect":
        _seen.append(arguments[1])


sys.addaudithook(_witness)


@contextmanager
def watch_connects() -> Iterator[list[Any]]:
    """Every address that this process connects to, seen by the interpreter itself below all libraries."""
    global _watching
    _seen.clear()
    _watching = True
    try:
        yield _seen
    finally:
        _watching = False


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer of 204 to any request without a body, or with a short one."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    await writer.drain()


@dataclass
class Outside:
    """`names` are what the name server says, one list after the other; the last one stays. `serve` answers at PUBLIC; what
    is at the port of the loopback addresses counts whoever reaches it."""

    port: int = 0
    reached: int = 0
    asked: int = 0
    names: dict[str, list[list[str]]] = field(default_factory=lambda: {PUBLIC_NAME: [[PUBLIC]]})
    serve: Serve = taken

    async def resolve(self, host: str, port: int) -> list[str]:
        """As the real resolver does it for what is no name."""
        answers = self.names.get(host.rstrip(".").lower())
        if answers is not None:
            return answers.pop(0) if len(answers) > 1 else answers[0]
        if host.lower().rstrip(".").endswith((".example", ".com")):
            raise socket.gaierror("no such name")
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [str(info[4][0]) for info in found]

    def url(self, path: str = "/hook", host: str = PUBLIC_NAME) -> str:
        return f"http://{host}:{self.port}{path}"

    async def _at_public(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        await self._served(self.serve, reader, writer)

    async def _inside(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reached += 1
        await self._served(taken, reader, writer)

    async def _served(self, serve: Serve, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # whoever called has left, or the test is over
        finally:
            writer.close()


@asynccontextmanager
async def open_outside() -> AsyncIterator[Outside]:
    """Listeners at PUBLIC, and at 127.0.0.1 and ::1 (where 0.0.0.0 and :: lead as well), all on one port."""
    outside = Outside()
    public = await asyncio.start_server(outside._at_public, PUBLIC, 0, limit=2**20)
    outside.port = public.sockets[0].getsockname()[1]
    inside = [await asyncio.start_server(outside._inside, host, outside.port) for host in ("127.0.0.1", "::1")]
    try:
        yield outside
    finally:
        for server in (public, *inside):
            server.close()
            await server.wait_closed()
