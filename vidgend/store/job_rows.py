"""A row of the table `jobs` and the value it stands for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from vidgend.models import TERMINAL_STATES, Brief, JobState, PrefetchBrief, Result

BRIEFS: dict[str, TypeAdapter[Any]] = {"video": TypeAdapter(Brief), "prefetch": TypeAdapter(PrefetchBrief)}
RESULT = TypeAdapter(Result)
UNREADABLE = "(written by another version of vidgend)"
COLUMNS = (
    "id, kind, state, priority, brief, metadata, callback_url, created_at, updated_at, started_at, finished_at, "
    "attempt, crashes, cancel_requested, progress, scenes_done, scenes_total, error, result, owner, failures, "
    "refunds, suspicion, ready, run_at, token, waits, version"
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a job failed, as the API shows it."""

    code: str
    detail: str
    hint: str = ""
    tail: str = ""


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Since when nothing is begun, and why."""

    paused_at: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row. Times in seconds since the epoch; `progress` 0..100.

    `attempt` counts the times it was begun, `failures` those that it failed and was put back for another try,
    `crashes` those that the daemon died under it, `refunds` those that a clean stop cut short (no attempt).
    `waits` counts those that it was put back without having failed, for a provider's quota or a store that was away.
    `suspicion` is the number of crashes in a row without anything done between them. A queued job that is not `ready`
    waits until `run_at`; `error` is then why. `token` and `attempt` name the claim under which it runs. `version` is
    that of the storyboard which it renders, or has rendered; None before there is one.
    """

    id: str
    kind: Literal["video", "prefetch"]
    state: JobState
    priority: int
    brief: Brief | PrefetchBrief
    metadata: dict[str, Any]
    callback_url: str | None
    created_at: float
    updated_at: float
    started_at: float | None
    finished_at: float | None
    attempt: int
    crashes: int
    cancel_requested: bool
    progress: float
    scenes_done: int
    scenes_total: int
    error: Failure | None
    result: Result | dict[str, Any] | None
    owner: str
    failures: int = 0
    refunds: int = 0
    suspicion: int = 0
    ready: bool = True
    run_at: float | None = None
    token: str | None = None
    waits: int = 0
    version: int | None = None

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL_STATES


def read_job(row: tuple[Any, ...], *, strict: bool = False) -> Job:
    """The value of a row. What another version wrote and this one cannot read is shown as unreadable, so that the job
    can still be listed and deleted; `strict` raises instead. Raises: ValidationError."""
    kind = row[1]
    result: Result | dict[str, Any] | None = None
    try:
        brief: Brief | PrefetchBrief = BRIEFS[kind].validate_json(row[4])
        if row[18] is not None:
            result = RESULT.validate_json(row[18]) if kind == "video" else json.loads(row[18])
    except ValidationError:
        if strict:
            raise
        brief = Brief(prompt=UNREADABLE)
    return Job(
        id=row[0], kind=kind, state=row[2], priority=row[3], brief=brief,
        metadata=json.loads(row[5]), callback_url=row[6], created_at=row[7], updated_at=row[8], started_at=row[9],
        finished_at=row[10], attempt=row[11], crashes=row[12], cancel_requested=bool(row[13]), progress=row[14],
        scenes_done=row[15], scenes_total=row[16], error=Failure(**json.loads(row[17])) if row[17] else None,
        result=result, owner=row[19], failures=row[20], refunds=row[21], suspicion=row[22], ready=bool(row[23]),
        run_at=row[24], token=row[25], waits=row[26], version=row[27],
    )  # fmt: skip
