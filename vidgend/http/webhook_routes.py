"""The webhook events of a job: what became of them, and sending them again."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from vidgend.errors import Conflict, NotFound
from vidgend.http.fields import Body
from vidgend.http.jobs_routes import own_job
from vidgend.http.operation import Call, Operations, Reply
from vidgend.http.views.webhooks import RedeliverView, WebhooksView, redeliver_view, webhooks_view
from vidgend.setting_types import NO_NUL
from vidgend.store.outbox import events_of, redeliver

operations = Operations("webhooks")


class RedeliverBody(Body):
    """The body of POST /mcp/webhooks/<job_id>/redeliver, which may be left out."""

    webhook_id: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)] | None = None


@operations.json("GET", "/mcp/webhooks/{job_id}", id="webhooks", scope="read", answer=WebhooksView, errors=(NotFound,))
async def webhooks(call: Call) -> Reply:
    """The events of a job that were or will be sent to its callback_url, and how each went."""
    job = await own_job(call)
    return Reply(view=webhooks_view(job.id, await events_of(call.services.database, job.id)))


@operations.json(
    "POST", "/mcp/webhooks/{job_id}/redeliver", id="redeliver_webhooks", scope="write", status=202,
    body=RedeliverBody, body_optional=True, answer=RedeliverView, errors=(NotFound, Conflict),
)  # fmt: skip
async def redeliver_events(call: Call, body: RedeliverBody) -> Reply:
    """Send a job's events again, or one of them. They keep their ids."""
    services, job = call.services, await own_job(call)
    again = await redeliver(services.database, job.id, body.webhook_id)
    services.wake_webhooks()
    return Reply(view=redeliver_view(job.id, again), headers={"Location": f"/mcp/webhooks/{job.id}"})
