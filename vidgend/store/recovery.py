"""What a start makes of what an earlier boot left running.

The data directory is locked, so everything that another boot holds is an orphan by construction: it is put back at
once, without waiting for any lease to run out.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from vidgend.store.job_rows import Failure
from vidgend.store.steps import BACK, SUSPECT_FROM
from vidgend.store.transitions import ALONE_FROM, MAX_SUSPICION, end_job, mend_waits, note


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """How many jobs went back into the queue, and how many were given up. `clean` is how the last boot ended."""

    requeued: int
    given_up: int
    clean: bool


def recover(connection: sqlite3.Connection, *, boot_id: str, now: float) -> Recovered:
    """Record this boot; put steps and jobs of earlier ones back. Runs inside one transaction.

    A crash is counted against every job that was running, since nobody can know which one it was. A job that was
    running in MAX_SUSPICION crashes without getting on in between is failed. It is counted against every step that
    was running as well, but those that were not alone come no further than to be suspects (`SUSPECT_FROM`): many jobs
    may share a step, and none of them is to fail for what ran beside it.
    """
    row = connection.execute("SELECT clean_stop FROM boots ORDER BY rowid DESC LIMIT 1").fetchone()
    clean = row is None or bool(row[0])
    connection.execute("INSERT INTO boots (boot_id, started_at) VALUES (?, ?)", (boot_id, now))
    if not clean:
        _remember_lives(connection, boot_id)
    _put_steps_back(connection, boot_id, clean=clean)
    orphans = connection.execute(
        "SELECT id, crashes, suspicion, cancel_requested FROM jobs WHERE boot_id IS NOT NULL AND boot_id <> ?",
        (boot_id,),
    ).fetchall()
    requeued = given_up = 0
    for job_id, crashes, suspicion, cancel_requested in orphans:
        if not clean:
            crashes, suspicion = crashes + 1, suspicion + 1
        connection.execute("UPDATE jobs SET crashes = ?, suspicion = ? WHERE id = ?", (crashes, suspicion, job_id))
        if cancel_requested:
            end_job(connection, job_id, "cancelled", now=now, line="cancelled while vidgend was down")
        elif suspicion >= MAX_SUSPICION:
            _give_up(connection, job_id, suspicion, now)
            given_up += 1
        else:
            connection.execute(
                "UPDATE jobs SET state = 'queued', ready = 1, boot_id = NULL, token = NULL, updated_at = ? "
                "WHERE id = ?",
                (now, job_id),
            )
            alone = "; it will run alone, to clear the others" if suspicion >= ALONE_FROM else ""
            note(connection, job_id, now, f"vidgend was restarted; the job goes on where it was{alone}")
            requeued += 1
    mend_waits(connection, now)
    return Recovered(requeued=requeued, given_up=given_up, clean=clean)


def _put_steps_back(connection: sqlite3.Connection, boot_id: str, *, clean: bool) -> None:
    orphans = "state = 'running' AND boot_id <> ?"
    (running,) = connection.execute(f"SELECT count(*) FROM steps WHERE {orphans}", (boot_id,)).fetchone()
    if clean:
        counted = "refunds = refunds + 1, attempt = attempt - 1"
    elif running == 1:
        counted = "crashes = crashes + 1"
    else:
        counted = f"crashes = max(crashes, min(crashes + 1, {SUSPECT_FROM}))"
    connection.execute(
        f"UPDATE steps SET state = {BACK}, boot_id = NULL, token = NULL, {counted} WHERE {orphans}", (boot_id,)
    )


def _remember_lives(connection: sqlite3.Connection, boot_id: str) -> None:
    """How long each job had been running when the daemon died, as far as its rows tell: a lower bound."""
    connection.execute(
        "UPDATE jobs SET probation_s = max(probation_s, max(updated_at, coalesce("
        "(SELECT max(coalesce(s.ended_at, s.began_at)) FROM job_steps AS j JOIN steps AS s ON s.key = j.key "
        "WHERE j.job_id = jobs.id), 0)) - coalesce(claimed_at, updated_at)) "
        "WHERE boot_id IS NOT NULL AND boot_id <> ?",
        (boot_id,),
    )


def _give_up(connection: sqlite3.Connection, job_id: str, times: int, now: float) -> None:
    under_way = connection.execute(
        "SELECT s.kind FROM job_steps AS j JOIN steps AS s ON s.key = j.key "
        "WHERE j.job_id = ? AND s.crashes > 0 ORDER BY s.crashes DESC LIMIT 1",
        (job_id,),
    ).fetchone()
    doing = f" ({under_way[0]})" if under_way else ""
    failure = Failure(
        code="crash_loop",
        detail=f"vidgend died {times} times in a row while this job was running{doing}",
        hint="Look into the daemon's log before you send it again (`vidgend retry`).",
    )
    end_job(connection, job_id, "failed", now=now, line=failure.detail, failure=failure)
