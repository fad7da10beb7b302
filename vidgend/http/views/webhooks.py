"""The webhook events of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from pydantic import Field

from vidgend.http.answers import rfc3339
from vidgend.http.views.base import Time, View
from vidgend.store.outbox import Event
from vidgend.store.webhook_attempts import Attempt

EventState = Literal["pending", "delivered", "dead"]


class AttemptView(View):
    at: Time | None = Field(description="When.")
    status: int | None = Field(description="The receiver's HTTP status; null where there was no answer.")
    duration_ms: int = Field(description="Milliseconds that it took.")
    error: str | None = Field(description="Why it failed; null where it was delivered.")


class EventView(View):
    id: str = Field(description="The `webhook-id` of its deliveries.")
    event: str = Field(description="What happened, such as `job.completed`.")
    url: str = Field(description="Where it is sent.")
    state: EventState = Field(description="`dead`: it was given up.")
    attempts: int = Field(description="How often it was sent.")
    last_error: str | None = Field(description="Why the last attempt failed.")
    next_at: Time | None = Field(description="When it is sent next; null unless it is pending.")
    created_at: Time | None = Field(description="When it happened.")
    endpoint_disabled: bool = Field(description="Whether nothing is sent to that URL any more.")
    endpoint_reason: str | None = Field(description="Why not.")
    attempt_log: list[AttemptView] = Field(description="The last attempts, oldest first.")


class WebhooksView(View):
    job_id: str = Field(description="The job.")
    events: list[EventView] = Field(description="Its events.")


class TestedView(View):
    url: str = Field(description="Where it was sent.")
    delivered: bool = Field(description="Whether the receiver took it: any answer of 2xx.")
    status: int | None = Field(description="The receiver's HTTP status; null where there was no answer.")
    duration_ms: int = Field(description="Milliseconds that it took.")
    error: str | None = Field(description="Why it was not delivered.")
    own_secret: bool = Field(description="Whether the receiver has a secret of its own; else webhooks.secret signed.")
    headers: dict[str, str] = Field(description="Those that a receiver verifies.")
    body: str = Field(description="What was sent, byte for byte.")


class RedeliverView(View):
    job_id: str = Field(description="The job.")
    status: Literal["accepted"] = Field(description="The events will be sent again.")
    webhook_ids: list[str] = Field(description="Which ones.")


def webhooks_view(job_id: str, events: Sequence[Event]) -> WebhooksView:
    return WebhooksView.model_construct(job_id=job_id, events=[event_view(event) for event in events])


def event_view(event: Event) -> EventView:
    return EventView.model_construct(
        id=event.id,
        event=event.event,
        url=event.url,
        state=cast(EventState, event.state),
        attempts=event.attempts,
        last_error=event.last_error,
        next_at=rfc3339(event.next_at),
        created_at=rfc3339(event.created_at),
        endpoint_disabled=event.disabled is not None,
        endpoint_reason=event.disabled,
        attempt_log=[attempt_view(attempt) for attempt in event.log],
    )


def attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView.model_construct(
        at=rfc3339(attempt.at), status=attempt.status, duration_ms=attempt.duration_ms, error=attempt.error
    )


def tested_view(told: Mapping[str, Any]) -> TestedView:
    """Of what `webhook_tester.told_of` says."""
    return TestedView.model_construct(**told)


def redeliver_view(job_id: str, webhook_ids: Sequence[str]) -> RedeliverView:
    return RedeliverView.model_construct(job_id=job_id, status="accepted", webhook_ids=list(webhook_ids))
