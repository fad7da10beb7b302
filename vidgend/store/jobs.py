"""The job queue: rows in SQLite, one function per transition. Nothing else writes job states.

    queued -> planning | retrieving | narrating | aligning | rendering | publishing -> completed | failed | cancelled

A job in an active state belongs to the boot that claimed it. At start every active row of another boot is an
orphan by construction (the data directory is locked) and goes back to the queue; its finished steps are found again
by their keys.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from vidgend.errors import IdempotencyMismatch, NotFound, QueueFull
from vidgend.models import (
    ACTIVE_STATES,
    TERMINAL_STATES,
    Brief,
    JobState,
    PrefetchBrief,
    Result,
    Storyboard,
)
from vidgend.store.database import Database
from vidgend.store.job_rows import BRIEFS, COLUMNS, RESULT, Failure, Job, read_job
from vidgend.store.outbox import enqueue_event

__all__ = ["MAX_CRASHES", "Failure", "Job", "JobStore"]

MAX_CRASHES = 3
"""A job that was running in so many dead daemons is failed, so that it cannot take the next one down."""

_STORYBOARD = TypeAdapter(Storyboard)
_ACTIVE = ", ".join(f"'{state}'" for state in ACTIVE_STATES)


def _note(connection: sqlite3.Connection, job_id: str, now: float, line: str) -> None:
    connection.execute(
        "INSERT INTO job_events (job_id, seq, at, line) "
        "SELECT ?, coalesce(max(seq), 0) + 1, ?, ? FROM job_events WHERE job_id = ?",
        (job_id, now, line, job_id),
    )


class JobStore:
    """The queue of one boot. All methods are safe to call from anywhere on the loop."""

    def __init__(self, database: Database, *, boot_id: str, max_queued: int) -> None:
        self._database = database
        self._boot_id = boot_id
        self._max_queued = max_queued

    async def recover(self) -> tuple[int, int]:
        """Record this boot and re-queue the orphans of earlier ones. Returns (re-queued, given up)."""
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> tuple[int, int]:
            clean = connection.execute(
                "SELECT clean_stop FROM boots ORDER BY started_at DESC, rowid DESC LIMIT 1"
            ).fetchone()
            connection.execute("INSERT INTO boots (boot_id, started_at) VALUES (?, ?)", (self._boot_id, now))
            orphans = connection.execute(
                f"SELECT id, crashes, cancel_requested FROM jobs WHERE state IN ({_ACTIVE}) AND boot_id <> ?",
                (self._boot_id,),
            ).fetchall()
            crashed = 0 if clean is not None and clean[0] else 1
            requeued = given_up = 0
            for job_id, crashes, cancel_requested in orphans:
                crashes += crashed
                if cancel_requested:
                    self._end(connection, job_id, "cancelled", now, "cancelled while vidgend was down")
                elif crashes >= MAX_CRASHES:
                    failure = Failure(
                        code="crash_loop",
                        detail=f"vidgend died {crashes} times while this job was running",
                        hint="Look into the daemon's log before you send it again.",
                    )
                    connection.execute("UPDATE jobs SET crashes = ? WHERE id = ?", (crashes, job_id))
                    self._end(connection, job_id, "failed", now, failure.detail, failure=failure)
                    given_up += 1
                else:
                    connection.execute(
                        "UPDATE jobs SET state = 'queued', crashes = ?, boot_id = NULL, updated_at = ? WHERE id = ?",
                        (crashes, now, job_id),
                    )
                    _note(connection, job_id, now, "vidgend was restarted; the job goes on where it was")
                    requeued += 1
            return requeued, given_up

        return await self._database.write(transaction)

    async def mark_clean_stop(self) -> None:
        await self._database.write(
            lambda connection: connection.execute("UPDATE boots SET clean_stop = 1 WHERE boot_id = ?", (self._boot_id,))
        )

    async def submit(
        self,
        brief: Brief | PrefetchBrief,
        *,
        priority: int = 0,
        metadata: dict[str, Any] | None = None,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        body_sha256: str = "",
        owner: str = "",
    ) -> tuple[str, bool]:
        """Accept a job; durable on return. Answers (job id, whether it is new).

        Raises: QueueFull, IdempotencyMismatch, StorageFull.
        """
        now = self._database.clock()
        job_id = f"job_{secrets.token_hex(10)}"
        kind = "video" if isinstance(brief, Brief) else "prefetch"
        body = BRIEFS[kind].dump_json(brief).decode()

        def transaction(connection: sqlite3.Connection) -> tuple[str, bool]:
            if idempotency_key is not None:
                known = connection.execute(
                    "SELECT job_id, body_sha256 FROM idempotency WHERE owner = ? AND key = ?",
                    (owner, idempotency_key),
                ).fetchone()
                if known is not None:
                    if known[1] != body_sha256:
                        raise IdempotencyMismatch
                    return known[0], False
            queued = connection.execute("SELECT count(*) FROM jobs WHERE state = 'queued'").fetchone()[0]
            if queued >= self._max_queued:
                raise QueueFull(f"{queued} jobs are waiting; queue.max_queued is {self._max_queued}")
            connection.execute(
                "INSERT INTO jobs (id, kind, state, priority, brief, metadata, callback_url, created_at, updated_at) "
                "VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?)",
                (job_id, kind, priority, body, json.dumps(metadata or {}), callback_url, now, now),
            )
            _note(connection, job_id, now, "accepted")
            if idempotency_key is not None:
                connection.execute(
                    "INSERT INTO idempotency (owner, key, body_sha256, job_id, created_at) VALUES (?, ?, ?, ?, ?)",
                    (owner, idempotency_key, body_sha256, job_id, now),
                )
            return job_id, True

        return await self._database.write(transaction)

    async def claim(self, only: frozenset[str] | None = None) -> Job | None:
        """Take the next queued job, highest priority first, oldest first; `only` one of these if given."""
        now = self._database.clock()
        among = json.dumps(sorted(only)) if only is not None else None

        def transaction(connection: sqlite3.Connection) -> tuple[Any, ...] | None:
            rows = connection.execute(
                "UPDATE jobs SET state = iif(kind = 'video', 'planning', 'retrieving'), boot_id = ?1, "
                "attempt = attempt + 1, started_at = coalesce(started_at, ?2), updated_at = ?3, progress = 0 "
                "WHERE id = (SELECT id FROM jobs WHERE state = 'queued' "
                "AND (?4 IS NULL OR id IN (SELECT value FROM json_each(?4))) "
                "ORDER BY priority DESC, created_at LIMIT 1) AND state = 'queued' "
                f"RETURNING {COLUMNS}",
                (self._boot_id, now, now, among),
            ).fetchall()
            return rows[0] if rows else None

        while (row := await self._database.write(transaction)) is not None:
            try:
                return read_job(row)
            except ValidationError as error:  # written by another version; it must not stop the queue
                detail = f"this version cannot read the job: {error.error_count()} unknown or missing values"
                await self.fail(row[0], Failure(code="brief_unreadable", detail=detail), progress=0)
        return None

    async def move(
        self, job_id: str, state: JobState, *, progress: float, line: str, scenes: tuple[int, int] = (0, 0)
    ) -> None:
        """Record that a running job of this boot came to another stage."""
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> None:
            moved = connection.execute(
                "UPDATE jobs SET state = ?, progress = max(progress, ?), scenes_done = ?, scenes_total = ?, "
                "updated_at = ? "
                f"WHERE id = ? AND boot_id = ? AND state IN ({_ACTIVE})",
                (state, progress, *scenes, now, job_id, self._boot_id),
            )
            if moved.rowcount:
                _note(connection, job_id, now, line)

        await self._database.write(transaction)

    async def note(self, job_id: str, line: str) -> None:
        now = self._database.clock()
        await self._database.write(lambda connection: _note(connection, job_id, now, line))

    async def complete(
        self, job_id: str, result: Result | dict[str, Any], *, scenes: int, line: str, event: dict[str, Any]
    ) -> bool:
        """End a job of this boot with its result; False if it is no longer running here."""
        now = self._database.clock()
        body = RESULT.dump_json(result).decode() if isinstance(result, Result) else json.dumps(result)

        def transaction(connection: sqlite3.Connection) -> bool:
            if not self._end(connection, job_id, "completed", now, line, mine=True, result=body, event=event):
                return False
            connection.execute(
                "UPDATE jobs SET progress = 100, scenes_done = ?, scenes_total = ? WHERE id = ?",
                (scenes, scenes, job_id),
            )
            if isinstance(result, Result):
                connection.executemany(
                    "INSERT OR REPLACE INTO published (digest, job_id, role, name, content_type, size_bytes) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        (file.digest, job_id, role, file.name, file.content_type, file.size_bytes)
                        for role, file in result.files.items()
                    ],
                )
            return True

        return await self._database.write(transaction)

    async def fail(self, job_id: str, failure: Failure, *, progress: float, scenes: tuple[int, int] = (0, 0)) -> None:
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> None:
            line = f"failed: {failure.detail}"
            if self._end(connection, job_id, "failed", now, line, mine=True, failure=failure):
                connection.execute(
                    "UPDATE jobs SET progress = ?, scenes_done = ?, scenes_total = ? WHERE id = ?",
                    (progress, *scenes, job_id),
                )

        await self._database.write(transaction)

    async def release(self, line: str) -> int:
        """Put every job that this boot still holds back, as if it had not been claimed: a clean stop costs no
        attempt. Those that were to be cancelled are. Returns how many went back."""
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> int:
            held = connection.execute(
                f"SELECT id, cancel_requested FROM jobs WHERE boot_id = ? AND state IN ({_ACTIVE})", (self._boot_id,)
            ).fetchall()
            for job_id, cancel_requested in held:
                if cancel_requested:
                    self._end(connection, job_id, "cancelled", now, "cancelled")
                    continue
                connection.execute(
                    "UPDATE jobs SET state = 'queued', attempt = attempt - 1, boot_id = NULL, updated_at = ? "
                    "WHERE id = ?",
                    (now, job_id),
                )
                _note(connection, job_id, now, line)
            return sum(not cancel_requested for _, cancel_requested in held)

        return await self._database.write(transaction)

    async def request_cancel(self, job_id: str) -> JobState:
        """Ask for the end of a job. Answers its state afterwards; a queued job is cancelled at once.

        Raises: NotFound.
        """
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> JobState:
            row = connection.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None:
                raise NotFound(f"no job {job_id!r}")
            state: JobState = row[0]
            if state in TERMINAL_STATES:
                return state
            if state in ("queued", "awaiting_review"):
                self._end(connection, job_id, "cancelled", now, "cancelled before it started")
                return "cancelled"
            connection.execute("UPDATE jobs SET cancel_requested = 1, updated_at = ? WHERE id = ?", (now, job_id))
            return state

        return await self._database.write(transaction)

    async def finish_cancel(self, job_id: str) -> None:
        now = self._database.clock()
        await self._database.write(lambda connection: self._end(connection, job_id, "cancelled", now, "cancelled"))

    def _end(
        self,
        connection: sqlite3.Connection,
        job_id: str,
        state: Literal["completed", "failed", "cancelled"],
        now: float,
        line: str,
        *,
        mine: bool = False,
        failure: Failure | None = None,
        result: str | None = None,
        event: dict[str, Any] | None = None,
    ) -> bool:
        error = json.dumps(failure.__dict__) if failure else None
        rows = connection.execute(
            "UPDATE jobs SET state = ?, finished_at = ?, updated_at = ?, error = ?, result = ?, boot_id = NULL "
            "WHERE id = ? AND state NOT IN ('completed', 'failed', 'cancelled') AND (? IS NULL OR boot_id = ?) "
            "RETURNING callback_url, metadata",
            (state, now, now, error, result, job_id, self._boot_id if mine else None, self._boot_id),
        ).fetchall()
        if not rows:
            return False
        _note(connection, job_id, now, line)
        callback_url, metadata = rows[0]
        if callback_url:
            data: dict[str, Any] = {"job_id": job_id, "status": state, "metadata": json.loads(metadata)}
            if failure is not None:
                data["error"] = {"code": failure.code, "detail": failure.detail, "hint": failure.hint}
            enqueue_event(
                connection, job_id=job_id, url=callback_url, event=f"job.{state}", now=now, data=data | (event or {})
            )
        return True

    async def get(self, job_id: str) -> Job:
        """Raises: NotFound."""
        rows = await self._database.read(f"SELECT {COLUMNS} FROM jobs WHERE id = ?", (job_id,))
        if not rows:
            raise NotFound(f"no job {job_id!r}")
        return read_job(rows[0])

    async def page(
        self, *, state: str | None = None, limit: int = 50, before: tuple[float, str] | None = None
    ) -> list[Job]:
        """Newest first; `before` is the (created_at, id) of the last one seen."""
        where, parameters = ["1"], list[Any]()
        if state is not None:
            where.append("state = ?")
            parameters.append(state)
        if before is not None:
            where.append("(created_at, id) < (?, ?)")
            parameters.extend(before)
        rows = await self._database.read(
            f"SELECT {COLUMNS} FROM jobs WHERE {' AND '.join(where)} ORDER BY created_at DESC, id DESC LIMIT ?",
            [*parameters, limit],
        )
        return [read_job(row) for row in rows]

    async def queue_position(self, job: Job) -> int:
        """How many queued jobs come up to and including this one; 1 is next."""
        rows = await self._database.read(
            "SELECT count(*) FROM jobs WHERE state = 'queued' AND (priority > ? OR (priority = ? AND created_at < ?))",
            (job.priority, job.priority, job.created_at),
        )
        return int(rows[0][0]) + 1

    async def logs(self, job_id: str, *, last: int = 50) -> list[tuple[float, str]]:
        """The newest `last` lines as (time, line), newest last."""
        rows = await self._database.read(
            "SELECT at, line FROM job_events WHERE job_id = ? ORDER BY seq DESC LIMIT ?", (job_id, last)
        )
        return [(row[0], row[1]) for row in reversed(rows)]

    async def counts(self) -> dict[str, int]:
        return dict(await self._database.read("SELECT state, count(*) FROM jobs GROUP BY state"))

    async def save_storyboard(self, job_id: str, storyboard: Storyboard, *, new_version: bool = False) -> int:
        """Keep the storyboard; the newest version is replaced unless `new_version`. Returns the version."""
        now = self._database.clock()
        body = _STORYBOARD.dump_json(storyboard).decode()

        def transaction(connection: sqlite3.Connection) -> int:
            newest = connection.execute("SELECT max(version) FROM storyboards WHERE job_id = ?", (job_id,)).fetchone()[
                0
            ]
            version: int = (newest or 0) + 1 if new_version or newest is None else newest
            connection.execute(
                "INSERT INTO storyboards (job_id, version, body, created_at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (job_id, version) DO UPDATE SET body = excluded.body",
                (job_id, version, body, now),
            )
            return version

        return await self._database.write(transaction)

    async def storyboard(self, job_id: str, version: int | None = None) -> tuple[int, Storyboard] | None:
        """(version, storyboard), the newest unless `version` is given; None if there is none (yet)."""
        rows = await self._database.read(
            "SELECT version, body FROM storyboards WHERE job_id = ? AND (? IS NULL OR version = ?) "
            "ORDER BY version DESC LIMIT 1",
            (job_id, version, version),
        )
        return (rows[0][0], _STORYBOARD.validate_json(rows[0][1])) if rows else None

    async def published(self, digest: str) -> tuple[str, str] | None:
        """(file name, content type) of a published asset."""
        rows = await self._database.read("SELECT name, content_type FROM published WHERE digest = ? LIMIT 1", (digest,))
        return (rows[0][0], rows[0][1]) if rows else None

    async def kept_digests(self) -> frozenset[str]:
        """Every digest that a finished job still shows."""
        return frozenset(row[0] for row in await self._database.read("SELECT DISTINCT digest FROM published"))
