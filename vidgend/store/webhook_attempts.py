"""The log of webhook deliveries: each call, when it was, what came of it. The last few of every event are kept."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from vidgend.store.reading import Reads

ATTEMPTS_KEPT = 20
"""Of each event: two rounds of the whole schedule."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One call. `status` None: there was no answer; `error` None: it was delivered."""

    at: float
    status: int | None
    duration_ms: int
    error: str | None = None


def log_attempt(connection: sqlite3.Connection, webhook_id: str, attempt: Attempt) -> None:
    """Inside the caller's transaction."""
    connection.execute(
        "INSERT INTO webhook_attempts (webhook_id, seq, at, status, duration_ms, error) "
        "SELECT id, 1 + coalesce((SELECT max(seq) FROM webhook_attempts WHERE webhook_id = ?1), 0), ?2, ?3, ?4, ?5 "
        "FROM outbox WHERE id = ?1",  # it may have been deleted meanwhile
        (webhook_id, attempt.at, attempt.status, attempt.duration_ms, attempt.error and attempt.error[:500]),
    )
    connection.execute(
        "DELETE FROM webhook_attempts WHERE webhook_id = ?1 "
        "AND seq <= (SELECT max(seq) FROM webhook_attempts WHERE webhook_id = ?1) - ?2",
        (webhook_id, ATTEMPTS_KEPT),
    )


async def attempts_of(database: Reads, job_id: str) -> dict[str, list[Attempt]]:
    """Those of a job's events, by the event's id, oldest first."""
    found: dict[str, list[Attempt]] = {}
    for webhook_id, at, status, duration_ms, error in await database.read(
        "SELECT a.webhook_id, a.at, a.status, a.duration_ms, a.error FROM outbox AS o "
        "JOIN webhook_attempts AS a ON a.webhook_id = o.id WHERE o.job_id = ? ORDER BY a.webhook_id, a.seq",
        (job_id,),
    ):
        attempt = Attempt(at=at, status=status, duration_ms=duration_ms, error=error)
        found.setdefault(webhook_id, []).append(attempt)
    return found
