"""Which job is the next one, and taking it: the transaction of a claim.

Fair: the owner whose turn was longest ago comes first. Among one owner's jobs a higher priority comes first, and one
that has waited gains a priority every ten minutes, so that none waits for ever.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from typing import Any

from vidgend.store.job_rows import COLUMNS
from vidgend.store.transitions import ALONE_FROM, mend_waits

# One seek per owner, however many jobs each has: a loose scan over the index jobs_ready. SQLite by itself would take
# jobs_by_state and look at every queued job (468 ms at a million), so it is told.
_NEXT = """
WITH RECURSIVE waiting (owner) AS (
  SELECT min(owner) FROM jobs INDEXED BY jobs_ready WHERE state = 'queued' AND ready = 1
  UNION ALL
  SELECT (SELECT min(owner) FROM jobs INDEXED BY jobs_ready
          WHERE state = 'queued' AND ready = 1 AND owner > waiting.owner)
  FROM waiting WHERE waiting.owner IS NOT NULL
)
SELECT (SELECT id FROM jobs WHERE state = 'queued' AND ready = 1 AND owner = waiting.owner ORDER BY rank LIMIT 1)
FROM waiting LEFT JOIN owners USING (owner) WHERE waiting.owner IS NOT NULL
ORDER BY (SELECT count(*) FROM jobs WHERE boot_id IS NOT NULL AND owner = waiting.owner), coalesce(owners.served, 0),
  waiting.owner
LIMIT 1
"""
_NEXT_OF_THESE = """
SELECT id FROM jobs WHERE state = 'queued' AND ready = 1 AND id IN (SELECT value FROM json_each(?))
ORDER BY rank LIMIT 1
"""


def take_next(
    connection: sqlite3.Connection, *, boot_id: str, now: float, only: frozenset[str] | None
) -> tuple[Any, ...] | None:
    """Claim the next job that may run now for `boot_id`, and answer its row; see `JobStore.claim`."""
    _unpark(connection, now)
    if only is None:
        if connection.execute("SELECT 1 FROM pauses WHERE name = 'queue'").fetchone():
            return None
        found = connection.execute(_NEXT).fetchone()
    else:
        found = connection.execute(_NEXT_OF_THESE, (json.dumps(sorted(only)),)).fetchone()
    if found is None:
        return None
    held, suspect = connection.execute(
        "SELECT count(*), coalesce(max(suspicion), 0) FROM jobs WHERE boot_id IS NOT NULL"
    ).fetchone()
    suspicion = connection.execute("SELECT suspicion FROM jobs WHERE id = ?", found).fetchone()[0]
    if held and max(suspect, suspicion) >= ALONE_FROM:
        return None
    row: tuple[Any, ...] = connection.execute(
        "UPDATE jobs SET state = iif(kind = 'video', 'planning', 'retrieving'), boot_id = ?1, token = ?2, "
        "attempt = attempt + 1, started_at = coalesce(started_at, ?3), claimed_at = ?3, updated_at = ?3, "
        "progress = iif(interrupted, progress, 0), interrupted = 0 "
        f"WHERE id = ?4 RETURNING {COLUMNS}",
        (boot_id, secrets.token_hex(8), now, found[0]),
    ).fetchall()[0]
    connection.execute(
        "INSERT INTO owners (owner, served) SELECT owner, (SELECT coalesce(max(served), 0) + 1 FROM owners) FROM jobs "
        "WHERE id = ? ON CONFLICT (owner) DO UPDATE SET served = excluded.served",
        found,
    )
    return row


def _unpark(connection: sqlite3.Connection, now: float) -> None:
    """Make those that have waited long enough claimable."""
    mend_waits(connection, now)
    connection.execute(
        "UPDATE jobs INDEXED BY jobs_parked SET ready = 1, run_at = NULL, wait_s = NULL "
        "WHERE state = 'queued' AND ready = 0 AND run_at <= ?",
        (now,),
    )
