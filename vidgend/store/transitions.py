"""How a job changes its state. Every change goes through here, jobs.py or next_job.py, inside one transaction.

    queued -> planning | retrieving | narrating | aligning | rendering | publishing -> completed | failed | cancelled
    narrating | aligning -> awaiting_review;   awaiting_review, and what has ended, -> queued when it is sent again

Whoever runs a job holds a claim, (token, attempt); what it writes says so and changes nothing once the claim is lost.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Literal

from vidgend.models import JobState
from vidgend.store.job_rows import COLUMNS, Failure, Job
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
    if not connection.execute(f"SELECT 1 FROM jobs WHERE {fence[0]}", fence[1:]).fetchone():
        return False
    note(connection, job_id, now, line)  # first, so that whoever follows the job has the line before the end
    connection.execute(
        "UPDATE jobs SET state = ?, finished_at = ?, updated_at = ?, error = ?, result = coalesce(?, result), "
        "boot_id = NULL, token = NULL, ready = 1, run_at = NULL, wait_s = NULL WHERE id = ?",
        (state, now, now, json.dumps(failure.__dict__) if failure else None, result, job_id),
    )
    data = event or {}
    if failure is not None:
        data = {"error": {"code": failure.code, "detail": failure.detail, "hint": failure.hint}} | data
    tell(connection, job_id, state, now=now, data=data)
    return True


def tell(connection: sqlite3.Connection, job_id: str, state: JobState, *, now: float, data: dict[str, Any]) -> None:
    """Write the webhook event for a job's new state, if anybody wants to hear of it."""
    url, metadata, owner = connection.execute(
        "SELECT callback_url, metadata, owner FROM jobs WHERE id = ?", (job_id,)
    ).fetchone()
    if url:
        told = {"job_id": job_id, "status": state, "metadata": json.loads(metadata)} | data
        enqueue_event(connection, job_id=job_id, owner=owner, url=url, event=f"job.{state}", now=now, data=told)


def requeue(connection: sqlite3.Connection, job_id: str, *, now: float, line: str) -> tuple[Any, ...]:
    """Put a job back as if it had never run, behind those that wait already, and nobody's suspect any more. Its result
    stays as long as its files are there. Answers its row."""
    rows = connection.execute(
        "UPDATE jobs SET state = 'queued', ready = 1, run_at = NULL, wait_s = NULL, rank = ?1 - ?2 * priority, "
        "failures = 0, waits = 0, crashes = 0, refunds = 0, suspicion = 0, probation_s = 0, cancel_requested = 0, "
        "error = NULL, result = iif(published_bytes IS NULL, NULL, result), finished_at = NULL, started_at = NULL, "
        "progress = 0, interrupted = 0, scenes_done = 0, scenes_total = 0, updated_at = ?1 "
        f"WHERE id = ?3 RETURNING {COLUMNS}",
        (now, AGEING_S, job_id),
    ).fetchall()
    connection.execute(
        "UPDATE steps SET crashes = 0, failures = 0 WHERE state <> 'done' AND key IN "
        "(SELECT key FROM job_steps WHERE job_id = ?)",
        (job_id,),
    )
    note(connection, job_id, now, line)
    row: tuple[Any, ...] = rows[0]
    return row
