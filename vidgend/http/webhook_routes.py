"""The webhook events of a job: what became of them, and sending them again; and test events."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from vidgend.errors import CallbackForbidden, Conflict, FeatureUnavailable, NotFound
from vidgend.http.fields import Body, CallbackUrl
from vidgend.http.jobs_routes import own_job
from vidgend.http.operation import Call, Operations, Reply
from vidgend.http.views.webhooks import (
    RedeliverView,
    TestedView,
    WebhooksView,
    redeliver_view,
    tested_view,
    webhooks_view,
)
from vidgend.http.webhook_tester import told_of
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


class ReceiverBody(Body):
    """The body of POST /mcp/webhooks/test."""

    url: CallbackUrl = Field(description="The receiver, as a callback_url.")


@operations.json(
    "POST", "/mcp/webhooks/test", id="test_webhook", scope="write", body=ReceiverBody, answer=TestedView,
    errors=(CallbackForbidden, FeatureUnavailable),
)  # fmt: skip
async def test_receiver(call: Call, body: ReceiverBody) -> Reply:
    """Send a signed test event to a receiver and tell what came of it. It is sent once, and 200 says that it was tried:
    `delivered` says whether it was taken."""
    if not call.services.webhooks_enabled:
        raise FeatureUnavailable("webhooks.enabled is off", hint="Ask whoever runs vidgend to set webhooks.enabled.")
    tested = await call.services.webhook_tester.send(body.url, owner=call.caller.owner)
    return Reply(view=tested_view(told_of(body.url, tested)))


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
