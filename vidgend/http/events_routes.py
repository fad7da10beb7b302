"""Server-sent events: what happens to a job, or to all jobs of the caller, as it happens (docs/events.md)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from pydantic import Field

from vidgend.errors import Draining, NotFound
from vidgend.http.body import checked_query, parameters
from vidgend.http.caller import CALLER, Caller
from vidgend.http.event_bus import BUS, PAGE, EventBus
from vidgend.http.event_listener import Listener
from vidgend.http.event_messages import ENDS, told
from vidgend.http.fields import Body
from vidgend.http.jobs_routes import job_id_of, status_of
from vidgend.http.operation import Call, Header, Media, Operations
from vidgend.http.problems import StreamsFull, TooManyStreams
from vidgend.http.services import SERVICES, Services
from vidgend.http.serving import call_of
from vidgend.http.sse import SSE_HEADERS, comment, event, retry
from vidgend.http.views.base import dump
from vidgend.http.views.jobs import summary_view
from vidgend.models import ACTIVE_STATES, JobState

operations = Operations("events")

HEARTBEAT_S = 15.0
"""Proxies take a connection for dead that has been silent for a minute, or half of one."""
RETRY_S = 2.0
WRITE_S = 30.0
"""A client that takes nothing for so long is cut off."""
MAX_LISTED = 50
"""Jobs of each state that the first event of a stream of all shows."""
_LIVE_STATES: tuple[JobState, ...] = ("queued", *ACTIVE_STATES, "awaiting_review")
_LAST_ID = Header(
    name="Last-Event-ID", description="The id of the last event that the client has seen.", pattern="^[0-9]{0,18}$"
)
_STREAM = (Media(content_type="text/event-stream", description="Server-sent events, until the job comes to rest."),)
_STREAM_OF_ALL = (Media(content_type="text/event-stream", description="Server-sent events, without an end."),)
_ERRORS = (TooManyStreams, StreamsFull, Draining)


def add_bus(app: web.Application) -> None:
    """Before `add_closing` or after it: the streams end when the server begins to stop."""
    services = app[SERVICES]

    async def status(job_id: str, owner: str) -> dict[str, Any] | None:
        try:
            return dump(await status_of(Call(services=services, caller=Caller(owner=owner), base_url=""), job_id))
        except NotFound:
            return None

    bus = app[BUS] = EventBus(services.database, status)

    async def close(_: web.Application) -> None:
        bus.close()

    app.on_shutdown.append(close)


class EventsQuery(Body):
    last_event_id: str | None = Field(
        None,
        pattern="^[0-9]{1,18}$",
        description="The same as the header Last-Event-ID, for clients that cannot set one.",
    )


@operations.raw(
    "GET", "/mcp/events/{job_id}", id="job_events", scope="read", answer=_STREAM, query=EventsQuery,
    headers=(_LAST_ID,),
    also={204: "The job has come to rest and the client has seen all of it: an EventSource then stops asking."},
    errors=(NotFound, *_ERRORS),
)  # fmt: skip
async def job_events(request: web.Request) -> web.StreamResponse:
    """Follow one job. First comes what the client missed (after Last-Event-ID), then a `snapshot`, which is the answer
    of GET /mcp/status, then each `status`, `log`, `storyboard` and `progress` as it happens. The stream ends when the
    job is completed, failed, cancelled, deleted or awaits review."""
    last, call, bus = _last_event_id(request), call_of(request), request.app[BUS]
    job_id = job_id_of(call)
    if request.method == "HEAD":
        await status_of(call, job_id)
        return web.Response(headers=SSE_HEADERS)
    async with bus.listen(call.caller.owner, job_id, request.transport) as listener:
        newest = await bus.feed.newest()
        snapshot = dump(await status_of(call, job_id))
        if last is not None and snapshot["status"] in ENDS and not await _missed(bus, last, job_id):
            return web.Response(status=204)
        stream = _Stream(request, bus, listener, newest, last)
        return await stream.run(snapshot, rests=snapshot["status"] in ENDS)


@operations.raw(
    "GET", "/mcp/events", id="events", scope="read", answer=_STREAM_OF_ALL, query=EventsQuery, headers=(_LAST_ID,),
    errors=_ERRORS,
)  # fmt: skip
async def all_events(request: web.Request) -> web.StreamResponse:
    """Follow all of one's jobs. First comes what the client missed (after Last-Event-ID), then a `snapshot` with the
    jobs that have not ended, as GET /mcp/jobs lists them, then what happens to any, also `deleted`. It has no end."""
    last = _last_event_id(request)
    owner, bus = request[CALLER].owner, request.app[BUS]
    if request.method == "HEAD":
        return web.Response(headers=SSE_HEADERS)
    async with bus.listen(owner, None, request.transport) as listener:
        newest = await bus.feed.newest()
        return await _Stream(request, bus, listener, newest, last).run(await _jobs(request.app[SERVICES], owner))


async def _missed(bus: EventBus, last: int, job_id: str) -> bool:
    return not await bus.feed.has_all_after(last) or bool(await bus.feed.after(last, job_id=job_id, limit=1))


def _last_event_id(request: web.Request) -> int | None:
    """Of the header, which browsers send by themselves, else of the query. Raises: InvalidFields."""
    given = parameters(request, "last_event_id")
    if told_by_header := request.headers.get("Last-Event-ID"):
        given = {"last_event_id": told_by_header}
    last = checked_query(given, EventsQuery).last_event_id
    return None if last is None else int(last)


class _Stream:
    """The answer to one client. `newest` is the number of the last event that the snapshot contains for certain."""

    def __init__(self, request: web.Request, bus: EventBus, listener: Listener, newest: int, last: int | None) -> None:
        self._request = request
        self._feed = bus.feed
        self._listener = listener
        self._newest = newest
        self._last = last
        self._answer = web.StreamResponse(headers=SSE_HEADERS)

    async def run(self, snapshot: dict[str, Any], *, rests: bool = False) -> web.StreamResponse:
        """`snapshot` has just been made. `rests`: the job of the stream has come to rest already."""
        self._listener.shown()
        with contextlib.suppress(ConnectionError):  # the client has gone, or was cut off
            await self._answer.prepare(self._request)
            await self._send(retry(RETRY_S))
            if self._last is not None:
                await self._make_up(self._last)
            await self._send(event("snapshot", snapshot, id=self._newest or None))
            if rests:
                async for data in self._kept(self._newest, None):
                    await self._send(data)
            else:
                await self._go_on()
            await self._send(comment("the server is stopping" if self._listener.over else "the end"))
        return self._answer

    async def _make_up(self, last: int) -> None:
        """What the client missed; the snapshot, which is newer, comes after it."""
        if not await self._feed.has_all_after(last):
            await self._send(event("reset", {"last_event_id": last, "detail": "what came after it is not kept"}))
            return
        async for data in self._kept(last, self._newest):
            await self._send(data)

    async def _kept(self, last: int, until: int | None) -> AsyncIterator[bytes]:
        """Events of the feed, a page at a time."""
        listener = self._listener
        which = {"owner": listener.owner} if listener.job_id is None else {"job_id": listener.job_id}
        while page := await self._feed.after(last, until=until, limit=PAGE, **which):
            yield b"".join(event(one.kind, told(one), id=one.id) for one in page)
            last = page[-1].id

    async def _go_on(self) -> None:
        while not self._listener.over:
            messages = await self._listener.take(HEARTBEAT_S)
            new = [one for one in messages if not one.id or one.id > self._newest]
            rest = next((number for number, one in enumerate(new) if one.last), None)
            if rest is not None and self._listener.job_id is not None:
                await self._send(b"".join(one.data for one in new[: rest + 1]))
                return
            await self._send(b"".join(one.data for one in new) or comment("still here"))

    async def _send(self, data: bytes) -> None:
        """Raises: ConnectionError when the client has gone, or takes nothing."""
        try:
            async with asyncio.timeout(WRITE_S):
                await self._answer.write(data)
        except TimeoutError:
            self._listener.cut()
            raise ConnectionAbortedError from None


async def _jobs(services: Services, owner: str) -> dict[str, Any]:
    """The jobs that have not ended, the newest of each state."""
    found = []
    for state in _LIVE_STATES:
        for job in await services.jobs.page(state=state, limit=MAX_LISTED, owner=owner):
            progress = services.worker.progress(job.id) if state in ACTIVE_STATES else None
            found.append(dump(summary_view(job, progress)))
    return {"jobs": found}
