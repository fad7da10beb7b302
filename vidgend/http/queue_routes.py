"""The queue as a whole: how much waits, and pausing it."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from vidgend.http.fields import Body
from vidgend.http.operation import Call, Operations, Reply
from vidgend.http.views.queue import PauseView, QueueView, pause_view, queue_view
from vidgend.setting_types import NO_NUL

operations = Operations("queue")


class PauseBody(Body):
    """The body of POST /mcp/pause, which may be left out."""

    reason: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True, pattern=NO_NUL)] = ""


class NoBody(Body):
    """Nothing, or {}."""


@operations.json("GET", "/mcp/queue", id="queue", scope="read", answer=QueueView)
async def queue(call: Call) -> Reply:
    """How many jobs there are in each state, and whether the queue is paused. With the scope admin, of all owners."""
    services = call.services
    counts = await services.jobs.counts(owner=call.caller.sees)
    return Reply(view=queue_view(await services.jobs.paused(), counts, services.worker.lacking_bytes))


@operations.json("POST", "/mcp/pause", id="pause", scope="admin", body=PauseBody, body_optional=True, answer=PauseView)
async def pause(call: Call, body: PauseBody) -> Reply:
    """Begin nothing until resume, over restarts too. What runs goes on, and jobs are still taken."""
    await call.services.jobs.pause(body.reason)
    return Reply(view=pause_view(await call.services.jobs.paused()))


@operations.json("POST", "/mcp/resume", id="resume", scope="admin", body=NoBody, body_optional=True, answer=PauseView)
async def resume(call: Call, body: NoBody) -> Reply:
    """Begin jobs again."""
    services = call.services
    await services.jobs.resume()
    services.worker.wake()
    return Reply(view=pause_view(await services.jobs.paused()))
