"""How a job changes its state. Every change goes through here or through jobs.py, inside one transaction.

    queued -> planning | retrieving | narrating | aligning | rendering | publishing -> completed | failed | cancelled

Whoever runs a job holds a claim, (token, attempt); what it writes says so and changes nothing once the claim is lost.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Literal

from vidgend.store.job_rows import Failure, Job
from vidgend.store.live import ACTIVE, ENDED
from vidgend.store.outbox import enqueue_event

MAX_SUSPICION = 3
"""So many crashes in a row without getting on: the job is failed, so that it cannot take the next daemon down."""
ALONE_FROM = 2
"""From so many on the job runs alone, so that those that died with it are cleared."""
AGEING_S = 600.0
"""A waiting job gains one priority in this time. `rank` says so once and for all: created_at - AGEING_S * priority."""
HELD = f"id = ? AND token = ? AND attempt = ? AND state IN ({ACTIVE})"
"""The fence: for `claim_of(job)`."""


def claim_of(job: Job) -> tuple[str, str | None, int]:
    return job.id, job.token, job.attempt


def note(connection: sqlite3.Connection, job_id: str, now: float, line: str) -> None:
    """Add a line to the job's log."""
    connection.execute(
        "INSERT INTO job_events (job_id, seq, at, line) "
        "SELECT ?, coalesce(max(seq), 0) + 1, ?, ? FROM job_events WHERE job_id = ?",
        (job_id, now, line, job_id),
    )


def mend_waits(connection: sqlite3.Connection, now: float) -> None:
    """Nobody waits longer than was meant because the clock was set back."""
    connection.execute(
        "UPDATE jobs INDEXED BY jobs_parked_since SET run_at = ?1 + wait_s "
        "WHERE state = 'queued' AND ready = 0 AND run_at - wait_s > ?1",
        (now,),
    )


def end_job(
    connection: sqlite3.Connection,
    job_id: str,
    state: Literal["completed", "failed", "cancelled"],
    *,
    now: float,
    line: str,
    claim: Job | None = None,
    failure: Failure | None = None,
    result: str | None = None,
    event: dict[str, Any] | None = None,
) -> bool:
    """End a job and write its webhook event; with `claim` only while that still holds. False if it did nothing."""
    fence: tuple[Any, ...] = (f"id = ? AND state NOT IN ({ENDED})", job_id)
    if claim is not None:
        fence = (HELD, *claim_of(claim))
    rows = connection.execute(
        "UPDATE jobs SET state = ?, finished_at = ?, updated_at = ?, error = ?, result = ?, boot_id = NULL, "
        "token = NULL, ready = 1, run_at = NULL, wait_s = NULL "
        f"WHERE {fence[0]} RETURNING callback_url, metadata",
        (state, now, now, json.dumps(failure.__dict__) if failure else None, result, *fence[1:]),
    ).fetchall()
    if not rows:
        return False
    note(connection, job_id, now, line)
    callback_url, metadata = rows[0]
    if callback_url:
        data: dict[str, Any] = {"job_id": job_id, "status": state, "metadata": json.loads(metadata)}
        if failure is not None:
            data["error"] = {"code": failure.code, "detail": failure.detail, "hint": failure.hint}
        enqueue_event(
            connection, job_id=job_id, url=callback_url, event=f"job.{state}", now=now, data=data | (event or {})
        )
    return True
