"""The webhook events of a job: what became of them, and sending them again."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from vidgend.http.answers import json_answer, rfc3339
from vidgend.http.body import parameters, read_optional_body
from vidgend.http.jobs_routes import job_id_of
from vidgend.http.services import SERVICES
from vidgend.store.outbox import Event, events_of, redeliver

routes = web.RouteTableDef()


class RedeliverBody(BaseModel):
    """The body of POST /mcp/webhooks/<job_id>/redeliver, which may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhook_id: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]*$")] | None = None


@routes.get("/mcp/webhooks/{job_id}")
async def webhooks(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    parameters(request)
    job = await services.jobs.get(job_id_of(request))
    events = await events_of(services.database, job.id)
    return json_answer({"job_id": job.id, "events": [_view(event) for event in events]})


@routes.post("/mcp/webhooks/{job_id}/redeliver")
async def redeliver_events(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    job_id = job_id_of(request)
    body = await read_optional_body(request, RedeliverBody)
    again = await redeliver(services.database, job_id, body.webhook_id)
    services.wake_webhooks()
    return json_answer(
        {"job_id": job_id, "status": "accepted", "webhook_ids": again},
        status=202,
        headers={"Location": f"/mcp/webhooks/{job_id}"},
    )


def _view(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "event": event.event,
        "url": event.url,
        "state": event.state,
        "attempts": event.attempts,
        "last_error": event.last_error,
        "next_at": rfc3339(event.next_at),
        "created_at": rfc3339(event.created_at),
        "endpoint_disabled": event.disabled is not None,
        "endpoint_reason": event.disabled,
    }
