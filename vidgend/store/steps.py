"""Steps: what was computed once and is never computed again, for whichever job.

    ready -> running -> done | failed;   running -> ready: a clean stop or a cancel (refunded), or the daemon died
    done -> running -> done: made anew since it was too old; if that fails it keeps what it had

A step is done when its row says so and every asset that it gave is still there. Whoever runs it holds a lease, (token,
attempt); an end that comes under a lost lease changes nothing, and the first end wins.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

from vidgend.errors import StepPoisoned
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database

MAX_CRASHES = 3
"""So many daemons died of a step: no job may begin it again, but one that is sent again by hand."""
SUSPECT_FROM = 2
"""From so many on a step runs alone: the next crash is the step's, and nobody else is blamed for it."""
BACK = "iif(output IS NULL, 'ready', 'done')"
"""The state of a step whose run came to nothing: one that was only to be made anew still has what it had."""
OUTLIVED_S = 10.0
"""How much longer than before its crashes a job has to run to be cleared of them."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to end one run of a step."""

    key: str
    token: str
    attempt: int


class StepStore:
    def __init__(self, database: Database, assets: AssetStore, *, boot_id: str) -> None:
        self._database = database
        self._assets = assets
        self._boot_id = boot_id

    async def finished(self, key: str, job_id: str, *, max_age_s: float | None = None) -> dict[str, Any] | None:
        """The output of a step that is done, which then is in use by the job; None if it has to be run (again), also
        because it ended more than `max_age_s` ago."""
        rows = await self._database.read("SELECT output, ended_at FROM steps WHERE key = ? AND state = 'done'", (key,))
        if not rows or (max_age_s is not None and self._database.clock() - (rows[0][1] or 0.0) > max_age_s):
            return None
        digests = await self._database.read("SELECT digest FROM step_assets WHERE key = ?", (key,))
        for (digest,) in digests:
            if not await self._assets.touch(digest):
                return None
        now = self._database.clock()

        def use(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE steps SET used_at = ? WHERE key = ?", (now, key))
            _link(connection, job_id, key)

        self._database.post(use)
        output: dict[str, Any] = json.loads(rows[0][0])
        return output

    async def is_done(self, key: str) -> bool:
        """Whether a step's output is there. It is not taken into use by that."""
        done = await self._database.read("SELECT 1 FROM steps WHERE key = ? AND state = 'done'", (key,))
        digests = await self._database.read("SELECT digest FROM step_assets WHERE key = ?", (key,)) if done else []
        return bool(done) and all([await self._assets.has(digest) for (digest,) in digests])

    async def is_suspect(self, key: str) -> bool:
        """Whether nothing may run beside this step, so that it is known whether the daemon dies of it."""
        rows = await self._database.read("SELECT 1 FROM steps WHERE key = ? AND crashes >= ?", (key, SUSPECT_FROM))
        return bool(rows)

    async def begin(self, key: str, *, kind: str, label: str, job_id: str, keep: bool = False) -> Lease:
        """Record that a step is being run, before it is: if the daemon dies of it, the next one knows.

        `keep`: an output that is there stays until there is a new one. If there will be none, it is done as before.

        Raises: StepPoisoned if it has killed too many already.
        """
        now = self._database.clock()
        token = secrets.token_hex(8)

        def transaction(connection: sqlite3.Connection) -> int:
            row = connection.execute("SELECT crashes FROM steps WHERE key = ?", (key,)).fetchone()
            if row is not None and row[0] >= MAX_CRASHES:
                raise StepPoisoned(f"vidgend died {row[0]} times in a row while it did this step ({kind})")
            attempt: int = connection.execute(
                "INSERT INTO steps (key, kind, label, state, attempt, boot_id, token, began_at, used_at) "
                "VALUES (?1, ?2, ?3, 'running', 1, ?4, ?5, ?6, ?6) ON CONFLICT (key) DO UPDATE SET state = 'running', "
                "attempt = attempt + 1, boot_id = ?4, token = ?5, began_at = ?6, used_at = ?6, error = NULL, "
                "output = iif(?7, output, NULL), ended_at = iif(?7, ended_at, NULL) RETURNING attempt",
                (key, kind, label, self._boot_id, token, now, keep),
            ).fetchall()[0][0]
            if not keep:
                connection.execute("DELETE FROM step_assets WHERE key = ?", (key,))
            _link(connection, job_id, key)
            return attempt

        return Lease(key=key, token=token, attempt=await self._database.write(transaction, may_drop_ballast=False))

    def join(self, key: str, job_id: str) -> None:
        """Another job waits for a step that is under way."""
        self._database.post(lambda connection: _link(connection, job_id, key))

    async def finish(
        self, lease: Lease, output: dict[str, Any], digests: tuple[str, ...], *, seconds: float
    ) -> dict[str, Any] | None:
        """Record the output; durable on return. Answers the output that counts: the first one. None if the lease was
        lost and nobody else has ended the step."""
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> dict[str, Any] | None:
            if not _ended(connection, lease, "done", now, seconds, output=json.dumps(output)):
                row = connection.execute(
                    "SELECT output FROM steps WHERE key = ? AND state = 'done'", (lease.key,)
                ).fetchone()
                return json.loads(row[0]) if row else None
            connection.execute("DELETE FROM step_assets WHERE key = ?", (lease.key,))
            connection.executemany(
                "INSERT OR IGNORE INTO step_assets (key, digest) VALUES (?, ?)",
                [(lease.key, digest) for digest in digests],
            )
            _clear_of_suspicion(connection, lease.key, now)
            return output

        return await self._database.write(transaction, may_drop_ballast=False)

    async def fail(self, lease: Lease, reason: str, *, seconds: float) -> None:
        """Record a handled failure. The step may be begun again."""
        now = self._database.clock()
        await self._database.write(
            lambda connection: _ended(connection, lease, "failed", now, seconds, error=reason[:2000]),
            may_drop_ballast=False,
        )

    async def release(self, lease: Lease) -> None:
        """Give the step back: it was cancelled or cut short, which costs no attempt."""
        await self._database.write(
            lambda connection: connection.execute(
                f"UPDATE steps SET state = {BACK}, attempt = attempt - 1, refunds = refunds + 1, boot_id = NULL, "
                "token = NULL WHERE key = ? AND state = 'running' AND token = ? AND attempt = ?",
                (lease.key, lease.token, lease.attempt),
            )
        )


def _link(connection: sqlite3.Connection, job_id: str, key: str) -> None:
    # The job may be gone by now: what is posted comes late.
    connection.execute(
        "INSERT OR IGNORE INTO job_steps (job_id, key) SELECT id, ? FROM jobs WHERE id = ?",
        (key, job_id),
    )


def _clear_of_suspicion(connection: sqlite3.Connection, key: str, now: float) -> None:
    """The jobs that use a step that was just done got on. They are suspects no more, unless a step of theirs that was
    under way at the crash is still to come; but when they have outlived their last lives, it will not come any more."""
    connection.execute(
        "UPDATE jobs SET suspicion = 0, probation_s = 0 WHERE suspicion > 0 AND finished_at IS NULL "
        "AND id IN (SELECT job_id FROM job_steps WHERE key = ?1) AND (?2 - claimed_at > probation_s + ?3 OR NOT EXISTS "
        "(SELECT 1 FROM job_steps AS j JOIN steps AS s ON s.key = j.key WHERE j.job_id = jobs.id AND s.crashes > 0))",
        (key, now, OUTLIVED_S),
    )


def _ended(
    connection: sqlite3.Connection,
    lease: Lease,
    state: str,
    now: float,
    seconds: float,
    *,
    output: str | None = None,
    error: str | None = None,
) -> bool:
    rows = connection.execute(
        "UPDATE steps SET state = iif(?2 IS NULL AND output IS NOT NULL, 'done', ?1), output = coalesce(?2, output), "
        "error = ?3, seconds = ?4, ended_at = iif(?2 IS NULL AND output IS NOT NULL, ended_at, ?5), used_at = ?5, "
        "boot_id = NULL, token = NULL, crashes = iif(?1 = 'done', 0, crashes), failures = failures + (?1 = 'failed') "
        "WHERE key = ?6 AND state = 'running' AND token = ?7 AND attempt = ?8 RETURNING key",
        (state, output, error, round(seconds, 3), now, lease.key, lease.token, lease.attempt),
    ).fetchall()
    return bool(rows)
