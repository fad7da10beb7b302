"""The queue of one event stream, between the bus that fills it and the answer that sends it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass

MAX_WAITING = 1000
"""So many events wait for a stream whose client does not read: minutes of a busy queue. Then it is cut, and what
it missed is sent when it comes again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """An event as it is sent, to however many. `id` 0: not kept. `last`: with it the job has come to rest."""

    id: int
    job_id: str
    data: bytes
    last: bool = False


class Listener:
    """What one stream has still to send. `over`: nothing more comes."""

    def __init__(self, owner: str, job_id: str | None, transport: asyncio.Transport | None) -> None:
        self.owner = owner
        self.job_id = job_id
        self.over = False
        self._transport = transport
        self._waiting: deque[Message] = deque()
        self._live: dict[str, Message] = {}
        """The newest of each job: a slow client misses some, and has no more of them waiting than there are jobs."""
        self._wake = asyncio.Event()

    def put(self, message: Message) -> None:
        if message.id:
            self._waiting.append(message)
            self._live.pop(message.job_id, None)
        else:
            self._live[message.job_id] = message
        if len(self._waiting) > MAX_WAITING:
            self.cut()

    def shown(self) -> None:
        """A snapshot is there: how far jobs were before it is told no more, or they would seem to go back."""
        self._live.clear()

    def rouse(self) -> None:
        """Have what was put sent."""
        self._wake.set()

    async def take(self, within_s: float) -> list[Message]:
        """What there is to be sent, as soon as there is something; nothing if nothing came in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._wake.wait()
        self._wake.clear()
        found = [*self._waiting, *self._live.values()]
        self._waiting.clear()
        self._live.clear()
        return found

    @property
    def gone(self) -> bool:
        """Whether the client has closed the connection."""
        return self._transport is not None and self._transport.is_closing()

    def end(self) -> None:
        self.over = True
        self._wake.set()

    def cut(self) -> None:
        """Also where a write still waits for the client."""
        self.end()
        if self._transport is not None:
            self._transport.abort()
