"""The listening side: who may connect, for how long, and how it all ends."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from aiohttp import web

from vidgend.http.connections import Connections, Limits, counted_as
from vidgend.http.listeners import Listener
from vidgend.http.protocol import Connection
from vidgend.http.tls import Certificate

_log = logging.getLogger(__name__)

_ACCEPT_AT_ONCE = 16
"""Then those that are in get their turn: in a flood, too, a request that has come is read."""
_NO_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_OTHER_FILES = 512
"""Of the files that this process may have open, so many are for the database, assets, children and calls of its own."""


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """Seconds that a client has. None of them concerns one that sends and reads as fast as it can.

    `head_s`: for the head of a request. `handshake_s`: for TLS. `idle_s`: between two requests; longer than the
    proxies in front keep theirs, or they send a request into a connection that is being closed. `unread_s`: for what
    was sent to it, without taking a byte. `stop_s`: for what is under way when the server stops.
    """

    head_s: float = 15.0
    handshake_s: float = 10.0
    idle_s: float = 95.0
    unread_s: float = 120.0
    stop_s: float = 2.0


class Server:
    """An application on its sockets. `trusted` are proxies, whose connections are not bounded by address."""

    def __init__(
        self,
        app: web.Application,
        *,
        limits: Limits,
        trusted: Iterable[IPv4Network | IPv6Network] = (),
        certificate: Certificate | None = None,
        deadlines: Deadlines | None = None,
    ) -> None:
        self._deadlines = deadlines or Deadlines()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=self._deadlines.stop_s)
        self._certificate = certificate
        self.connections = Connections(limits, exempt=trusted)
        self._listeners: list[Listener] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._arriving: set[asyncio.Task[None]] = set()

    @property
    def scheme(self) -> str:
        return "http" if self._certificate is None else "https"

    async def start(self, listeners: Sequence[Listener]) -> None:
        """Answer on all of them; they are closed at the end."""
        await self._runner.setup()
        self._listeners = list(listeners)
        for listener in listeners:
            listener.socket.setblocking(False)
            if not listener.is_unix and hasattr(socket, "TCP_USER_TIMEOUT"):
                # The sockets of connections inherit it. It ends those whose client takes nothing, dead or alive.
                unread_ms = int(self._deadlines.unread_s * 1000)
                listener.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unread_ms)
            self._accepting.append(asyncio.create_task(self._accept(listener), name=f"accept {listener.port}"))

    async def join(self) -> None:
        """Wait until it no longer accepts, which is an error before the stop. Raises: that error."""
        await asyncio.gather(*self._accepting)

    async def end_streams(self) -> None:
        """Tell the answers without an end that the server is stopping (`closing.py`); all others go on."""
        await self._runner.shutdown()

    async def stop(self) -> None:
        """Let nobody in any more, give those who are in a little time, then close everything."""
        for task in [*self._accepting, *self._arriving]:
            task.cancel()
        await asyncio.gather(*self._accepting, *self._arriving, return_exceptions=True)
        for listener in self._listeners:
            await asyncio.to_thread(listener.close)
        await self._runner.cleanup()

    async def _accept(self, listener: Listener) -> None:
        loop = asyncio.get_running_loop()
        taken = 0
        while True:
            try:
                sock, name = await loop.sock_accept(listener.socket)
            except OSError as error:
                if error.errno in _NO_FILES:
                    _log.warning("no_files_for_connections", extra={"connections": len(self.connections)})
                    self.connections.drop_one()
                    await asyncio.sleep(0.1)
                else:  # a client that was gone before it was let in
                    await asyncio.sleep(0.01)
                continue
            self._let_in(sock, counted_as(name))
            taken += 1
            if taken % _ACCEPT_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _let_in(self, sock: socket.socket, address: str) -> None:
        arrival = _Arrival(sock)
        if not self.connections.add(arrival, address):
            sock.close()
            if self.connections.refused % 1000 == 1:
                _log.warning("connections_refused", extra={"client": address, "refused": self.connections.refused})
            return
        gone = partial(self.connections.remove, arrival, address)
        arrival.task = asyncio.create_task(self._welcome(arrival, sock, gone), name="let in")
        self._arriving.add(arrival.task)
        arrival.task.add_done_callback(self._arriving.discard)

    async def _welcome(self, arrival: _Arrival, sock: socket.socket, gone: Any) -> None:
        loop = asyncio.get_running_loop()
        manager = self._runner.server
        assert manager is not None
        deadlines = self._deadlines
        arrival.connection = Connection(
            manager, loop=loop, on_lost=gone, head_s=deadlines.head_s, idle_s=deadlines.idle_s
        )
        tls: dict[str, Any] = {}
        if self._certificate is not None and sock.family != socket.AF_UNIX:
            tls = {
                "ssl": self._certificate.context,
                "ssl_handshake_timeout": deadlines.handshake_s,
                "ssl_shutdown_timeout": deadlines.stop_s,
            }
        connection = arrival.connection
        try:
            await loop.connect_accepted_socket(lambda: connection, sock, **tls)
        except (OSError, ssl.SSLError, TimeoutError) as error:
            _log.debug("handshake_failed", extra={"reason": str(error) or type(error).__name__})
            gone()
        except asyncio.CancelledError:
            gone()
            raise


class _Arrival:
    """A connection from the moment that it is accepted, before TLS has been agreed upon."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.connection: Connection | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def spare(self) -> int | None:
        return 0 if self.connection is None else self.connection.spare

    def drop(self) -> None:
        if self.task is not None and not self.task.done():
            self.task.cancel()
        if self.connection is None:
            self._sock.close()
        else:
            self.connection.drop()


def files_for(connections: int) -> int:
    """Ask the system for enough open files for so many connections; for how many there are enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    enough = connections if soft == resource.RLIM_INFINITY else min(connections, max(soft - _OTHER_FILES, soft // 2))
    if enough < connections:
        _log.warning("few_open_files", extra={"connections": enough, "wanted": connections, "files": soft})
    return enough
