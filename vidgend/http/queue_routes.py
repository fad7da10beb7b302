"""The queue as a whole: how much waits, and pausing it."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from vidgend.http.answers import json_answer, rfc3339
from vidgend.http.body import parameters, read_optional_body
from vidgend.http.jobs_routes import STATES
from vidgend.http.services import SERVICES, Services

routes = web.RouteTableDef()


class PauseBody(BaseModel):
    """The body of POST /mcp/pause, which may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True, pattern=r"^[^\x00]*$")] = ""


class NoBody(BaseModel):
    """Nothing, or {}."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@routes.get("/mcp/queue")
async def queue(request: web.Request) -> web.Response:
    parameters(request)
    services = request.app[SERVICES]
    counts = await services.jobs.counts()
    jobs = {state: counts.get(state, 0) for state in STATES}
    lacking_bytes = services.worker.lacking_bytes
    return json_answer(await _pause_view(services) | {"lacking_bytes": lacking_bytes, "jobs": jobs})


@routes.post("/mcp/pause")
async def pause(request: web.Request) -> web.Response:
    """Begin nothing until resume, over restarts too. What runs goes on, and jobs are still taken."""
    services = request.app[SERVICES]
    body = await read_optional_body(request, PauseBody)
    await services.jobs.pause(body.reason)
    return json_answer(await _pause_view(services))


@routes.post("/mcp/resume")
async def resume(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    await read_optional_body(request, NoBody)
    await services.jobs.resume()
    services.worker.wake()
    return json_answer(await _pause_view(services))


async def _pause_view(services: Services) -> dict[str, Any]:
    found = await services.jobs.paused()
    return {
        "paused": found is not None,
        "paused_at": rfc3339(found.paused_at) if found else None,
        "reason": found.reason if found else None,
    }
