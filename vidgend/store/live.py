"""Jobs that have not ended and the steps that they need, for the statements that must leave those alone."""

from __future__ import annotations

import sqlite3
from typing import get_args

from vidgend.models import ACTIVE_STATES, TERMINAL_STATES, JobState

ACTIVE = ", ".join(f"'{state}'" for state in ACTIVE_STATES)
LIVE = ", ".join(f"'{state}'" for state in get_args(JobState) if state not in TERMINAL_STATES)
ENDED = ", ".join(f"'{state}'" for state in TERMINAL_STATES)
LIVE_KEYS = (
    "SELECT s.key FROM jobs AS j INDEXED BY jobs_begun CROSS JOIN job_steps AS s ON s.job_id = j.id "
    f"WHERE j.finished_at IS NULL AND j.claimed_at IS NOT NULL AND j.state IN ({LIVE}) UNION ALL "
    "SELECT s.key FROM jobs AS j INDEXED BY jobs_prefetched CROSS JOIN job_steps AS s ON s.job_id = j.id "
    "WHERE j.kind = 'prefetch' AND j.state = 'completed'"
)
"""The steps of jobs that have not ended, and of prefetches: what they fetched stays until they are deleted. The joins
begin with the few of those that have been begun, and not with the million that only wait (150 ms on the writer); a step
may have many jobs that have ended."""
OLDEST_START = f"SELECT min(started_at) FROM jobs WHERE state IN ({ACTIVE})"
"""When the oldest job that is under way was begun first. What was used since may be in its hands."""


def forget_step(connection: sqlite3.Connection, key: str) -> int:
    """Delete a step, so that it runs again when it is wanted. A job that has not ended goes on needing it."""
    connection.execute(
        f"DELETE FROM job_steps WHERE key = ? AND job_id IN (SELECT id FROM jobs WHERE state IN ({ENDED}))", (key,)
    )
    return connection.execute("DELETE FROM steps WHERE key = ?", (key,)).rowcount


def forget_makers(connection: sqlite3.Connection, digest: str) -> int:
    """Delete the finished steps that gave these bytes. Returns how many there were."""
    makers = connection.execute("SELECT key FROM step_assets WHERE digest = ?", (digest,)).fetchall()
    return sum(forget_step(connection, key) for (key,) in makers)
