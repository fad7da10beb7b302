"""The queue as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from pydantic import Field

from vidgend.http.answers import rfc3339
from vidgend.http.views.base import Time, View
from vidgend.models import JobState
from vidgend.store.jobs import Pause

_STATES: tuple[JobState, ...] = get_args(JobState)


class PauseView(View):
    paused: bool = Field(description="Whether nothing is begun. What runs goes on, and jobs are still taken.")
    paused_at: Time | None = Field(description="Since when.")
    reason: str | None = Field(description='Why, as who paused it said; "" if nothing was said.')


class QueueView(PauseView):
    lacking_bytes: int = Field(description="Disk space without which nothing is begun, in bytes; 0: there is enough.")
    jobs: dict[JobState, int] = Field(description="How many jobs are in each state.")


def pause_view(pause: Pause | None) -> PauseView:
    return PauseView.model_construct(
        paused=pause is not None,
        paused_at=rfc3339(pause.paused_at) if pause else None,
        reason=pause.reason if pause else None,
    )


def queue_view(pause: Pause | None, counts: Mapping[str, int], lacking_bytes: int) -> QueueView:
    """`counts`: by state; a state may be missing."""
    return QueueView.model_construct(
        paused=pause is not None,
        paused_at=rfc3339(pause.paused_at) if pause else None,
        reason=pause.reason if pause else None,
        lacking_bytes=lacking_bytes,
        jobs={state: counts.get(state, 0) for state in _STATES},
    )
