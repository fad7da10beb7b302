"""From the feed to all streams: one reader for the whole process, and a small queue for each stream.

The reader is woken by commits, whoever made them, and looks by itself every LOOK_S should a wake get lost. How far jobs
are is not written down: it is looked at every TICK_S and told to whoever listens. Nothing runs while nobody does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from vidgend.errors import Draining, VidgendError
from vidgend.http.event_listener import Listener, Message
from vidgend.http.event_messages import ENDS, ends, live, told
from vidgend.http.problems import StreamsFull, TooManyStreams
from vidgend.http.sse import event
from vidgend.store.database import Database
from vidgend.store.feed import Feed, Happening

_log = logging.getLogger(__name__)

MAX_STREAMS = 400
"""Each is a connection, of which a process may often have no more than 1024 (`ulimit -n`), files included."""
MAX_STREAMS_OF_OWNER = 256
"""So that one owner cannot take all."""
LOOK_S = 1.5
GATHER_S, GATHER_MOST_S = 0.02, 0.25
GATHER_PER_STREAM_S = 0.001
"""Commits that follow each other are read together, the longer the more streams there are: what costs is a write to
each, however much there is in it. So 200 streams are 1000 writes a second at most."""
AT_ONCE = 20
"""So many streams are woken before others get their turn on the loop: some milliseconds."""
TICK_S = 0.5
WAITING_S = 2.0
"""How often it is looked at a job that waits, where something happened in the queue of its owner."""
STALE_S = 10.0
"""And where nothing did: the queue may have been paused, or the disk be full."""
PAGE = 200


class EventBus:
    """`status` gives the view of an owner's job as GET /mcp/status has it, None where there is none."""

    def __init__(self, database: Database, status: Callable[[str, str], Awaitable[Mapping[str, Any] | None]]) -> None:
        self.feed = Feed(database)
        self._database = database
        self._status = status
        self._listeners: set[Listener] = set()
        self._of_job: defaultdict[str, set[Listener]] = defaultdict(set)
        self._of_owner: defaultdict[str, set[Listener]] = defaultdict(set)
        self._open: Counter[str] = Counter()
        self._tasks: list[asyncio.Task[None]] = []
        self._started = asyncio.Event()
        self._wake = asyncio.Event()
        self._woken = False
        self._closed = False
        self._moves: Counter[str] = Counter()
        """By owner, how often a job of theirs has changed its state."""
        self._moved: set[str] = set()
        self._looked: dict[str, tuple[int, float]] = {}
        self._shown: dict[str, bytes] = {}

    @property
    def streams(self) -> int:
        return len(self._listeners)

    @asynccontextmanager
    async def listen(
        self, owner: str, job_id: str | None = None, transport: asyncio.Transport | None = None
    ) -> AsyncIterator[Listener]:
        """Hear what happens to one job or, without `job_id`, to all of an owner, from now on.

        `transport` is closed when its client does not keep up. Raises: TooManyStreams, StreamsFull, Draining.
        """
        if self._closed:
            raise Draining
        if self._open[owner] >= MAX_STREAMS_OF_OWNER:
            raise TooManyStreams(f"{MAX_STREAMS_OF_OWNER} streams of yours are open")
        if len(self._listeners) >= MAX_STREAMS:
            raise StreamsFull(f"{MAX_STREAMS} event streams are open")
        listener = Listener(owner, job_id, transport)
        among = self._of_owner[owner] if job_id is None else self._of_job[job_id]
        among.add(listener)
        self._listeners.add(listener)
        self._open[owner] += 1
        try:
            if not self._tasks:
                self._start()
            await self._started.wait()
            yield listener
        finally:
            among.discard(listener)
            self._listeners.discard(listener)
            self._open[owner] -= 1
            self._forget(owner, job_id)
            if not self._listeners:
                self._stop()

    def close(self) -> None:
        """End all streams; the server is about to stop."""
        self._closed = True
        self._started.set()
        for listener in self._listeners:
            listener.end()

    def _forget(self, owner: str, job_id: str | None) -> None:
        if not self._open[owner]:
            del self._open[owner]
            self._moves.pop(owner, None)
        if not self._of_owner.get(owner):
            self._of_owner.pop(owner, None)
        if job_id is not None and not self._of_job.get(job_id):
            self._of_job.pop(job_id, None)
            self._looked.pop(job_id, None)
            self._shown.pop(job_id, None)

    # --- the tasks ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._started = asyncio.Event()
        for name, work in (("event reader", self._read_all), ("event ticks", self._tick)):
            task = asyncio.create_task(work(self._started), name=name)
            task.add_done_callback(self._died)
            self._tasks.append(task)

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    def _died(self, task: asyncio.Task[None]) -> None:
        """By a bug: the streams end, and with the clients that come again it begins anew."""
        if task.cancelled() or task.exception() is None:
            return
        _log.error("events_died", exc_info=task.exception())
        if task in self._tasks:
            self._stop()
            self._started.set()
            for listener in self._listeners:
                listener.end()

    def _committed(self, loop: asyncio.AbstractEventLoop) -> None:
        """On the writer's thread. Many commits wake the reader once."""
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._wake.set)

    async def _read_all(self, started: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        self._woken = False
        last: int | None = None
        with self._database.listening(lambda: self._committed(loop)):
            while True:
                try:
                    if last is None:
                        last = await self.feed.newest()
                        started.set()
                    while page := await self.feed.after(last, limit=PAGE):
                        touched = set[Listener]()
                        for happening in page:
                            touched |= self._tell(happening)
                        last = page[-1].id
                        await _rouse(touched)
                        await asyncio.sleep(GATHER_S if len(page) == PAGE else 0)  # those who keep up send it meanwhile
                except (VidgendError, sqlite3.Error) as error:
                    _log.warning("events_unread", extra={"reason": str(error)})
                    await asyncio.sleep(LOOK_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._wake.wait()
                        gather_s = max(GATHER_S, GATHER_PER_STREAM_S * len(self._listeners))
                        await asyncio.sleep(min(gather_s, GATHER_MOST_S))
                self._woken = False  # before the look: what is committed from here on wakes it again
                self._wake.clear()

    def _tell(self, happening: Happening) -> set[Listener]:
        """Put an event into the queue of everybody who listens. Returns who that is."""
        if happening.kind == "status" and happening.owner in self._open:
            self._moves[happening.owner] += 1
            self._moved.add(happening.job_id)
        wanting = self._wanting(happening.job_id, happening.owner)
        if wanting:
            data = event(happening.kind, told(happening), id=happening.id)
            message = Message(id=happening.id, job_id=happening.job_id, data=data, last=ends(happening))
            for listener in wanting:
                listener.put(message)
        return wanting

    def _wanting(self, job_id: str, owner: str) -> set[Listener]:
        return self._of_job.get(job_id, set()) | self._of_owner.get(owner, set())

    async def _tick(self, started: asyncio.Event) -> None:
        await started.wait()
        loop = asyncio.get_running_loop()
        while True:
            self._moved.clear()
            for listener in [one for one in self._listeners if one.gone]:
                listener.end()
            try:
                held = await self.feed.held()
                for job_id, owner in held:
                    if self._wanting(job_id, owner):
                        await self._look(job_id, owner)
                running = {job_id for job_id, _ in held}
                for job_id, owner in self._waiting(running, loop.time()):
                    await self._look(job_id, owner)
                self._shown = {one: data for one, data in self._shown.items() if one in running or one in self._of_job}
            except (VidgendError, sqlite3.Error) as error:
                _log.warning("progress_unread", extra={"reason": str(error)})
            await asyncio.sleep(TICK_S)

    def _waiting(self, running: set[str], now_s: float) -> list[tuple[str, str]]:
        """The followed jobs that do not run, whose place in the queue may have changed."""
        due = []
        for job_id, listeners in self._of_job.items():
            owner = next(iter(listeners)).owner if listeners else ""
            moves, looked_s = self._looked.get(job_id, (-1, float("-inf")))
            wait_s = STALE_S if moves == self._moves[owner] else WAITING_S
            if listeners and job_id not in running and now_s - looked_s >= wait_s:
                self._looked[job_id] = (self._moves[owner], now_s)
                due.append((job_id, owner))
        return due

    async def _look(self, job_id: str, owner: str) -> None:
        """Tell how far a job is, if that has changed."""
        self._moved.clear()
        status = await self._status(job_id, owner)
        if status is None or status["status"] in ENDS or job_id in self._moved:
            return  # what it has come to is told, or is about to be
        data = event("progress", live(status))
        if data != self._shown.get(job_id):
            self._shown[job_id] = data
            wanting = self._wanting(job_id, owner)
            for listener in wanting:
                listener.put(Message(id=0, job_id=job_id, data=data))
            await _rouse(wanting)


async def _rouse(listeners: set[Listener]) -> None:
    for number, listener in enumerate(listeners, 1):
        listener.rouse()
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)


BUS: web.AppKey[EventBus] = web.AppKey("bus", EventBus)
