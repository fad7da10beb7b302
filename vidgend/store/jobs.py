"""The job queue: rows in SQLite, one method per transition. Nothing else writes job states."""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
from functools import partial
from typing import Any

from pydantic import ValidationError

from vidgend.errors import Conflict, IdempotencyMismatch, NotFound, QueueFull, QueueQuotaExceeded
from vidgend.models import TERMINAL_STATES, Brief, JobState, PrefetchBrief, Result
from vidgend.observer import NOBODY, Observer
from vidgend.store.database import Database
from vidgend.store.doomed import doom_replaced, doom_result, spare
from vidgend.store.job_reads import JobReads
from vidgend.store.job_rows import BRIEFS, RESULT, Failure, Job, Pause, read_job
from vidgend.store.live import ACTIVE
from vidgend.store.next_job import take_next
from vidgend.store.recovery import Recovered, recover
from vidgend.store.storyboards import STORYBOARD, check_editable, keep_brief, version_exists
from vidgend.store.transitions import AGEING_S, HELD, claim_of, end_job, note, requeue, tell
from vidgend.store.uploads import hold, uploads_of_brief, uploads_of_storyboard

__all__ = ["Failure", "Job", "JobStore", "Pause"]
_log = logging.getLogger(__name__)


class JobStore(JobReads):
    """The queue of one boot. All methods are safe to call from anywhere on the loop. `queued_per_owner` is how many
    jobs of one owner may wait; 0: any number."""

    def __init__(
        self,
        database: Database,
        *,
        boot_id: str,
        max_queued: int,
        queued_per_owner: int = 0,
        observer: Observer = NOBODY,
    ) -> None:
        super().__init__(database)
        self._observer = observer
        self._boot_id = boot_id
        self._max_queued = max_queued
        self._queued_per_owner = queued_per_owner

    async def recover(self) -> Recovered:
        """Record this boot and put back what earlier ones left running."""
        now = self._database.clock()
        return await self._database.write(lambda connection: recover(connection, boot_id=self._boot_id, now=now))

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
        owner: str,
    ) -> tuple[str, bool]:
        """Accept a job; durable on return. Answers (job id, whether it is new).

        Raises: QueueFull, QueueQuotaExceeded, IdempotencyMismatch, UploadUnknown, StorageFull.
        """
        uploads = uploads_of_brief(brief) if isinstance(brief, Brief) else frozenset()
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
            self._check_queue(connection, owner)
            connection.execute(
                "INSERT INTO jobs (id, kind, state, owner, priority, rank, brief, metadata, callback_url, created_at, "
                "updated_at) VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job_id, kind, owner, priority, now - AGEING_S * priority, body, json.dumps(metadata or {}),
                    callback_url, now, now,
                ),
            )  # fmt: skip
            if uploads:
                hold(connection, job_id, uploads)
            note(connection, job_id, now, "accepted")
            if idempotency_key is not None:
                connection.execute(
                    "INSERT INTO idempotency (owner, key, body_sha256, job_id, created_at) VALUES (?, ?, ?, ?, ?)",
                    (owner, idempotency_key, body_sha256, job_id, now),
                )
            return job_id, True

        accepted = await self._database.write(transaction)
        if accepted[1]:
            self._observer.job_accepted(job_id, kind)
            _log.info("job_accepted", extra={"job": job_id, "kind": kind, "owner": owner})
        return accepted

    def _check_queue(self, connection: sqlite3.Connection, owner: str) -> None:
        """Raises: QueueFull, QueueQuotaExceeded."""
        waiting, own = connection.execute(
            "SELECT coalesce(sum(jobs), 0), coalesce(sum(jobs) FILTER (WHERE owner = ?), 0) FROM job_counts "
            "WHERE state = 'queued'",
            (owner,),
        ).fetchone()
        if waiting >= self._max_queued:
            raise QueueFull(f"{waiting} jobs are waiting; queue.max_queued is {self._max_queued}")
        if self._queued_per_owner and own >= self._queued_per_owner:
            raise QueueQuotaExceeded(
                f"{own} of your jobs are waiting; limits.queued_per_owner is {self._queued_per_owner}"
            )

    async def claim(self, only: frozenset[str] | None = None) -> Job | None:
        """Take the next job that may run now; `only` one of these if given, which then do not mind a pause.

        None also while the queue is paused, and while a job that is suspected of killing daemons has to run alone.
        """
        now = self._database.clock()
        take = partial(take_next, boot_id=self._boot_id, now=now, only=only)
        while (row := await self._database.write(take)) is not None:
            try:
                return read_job(row, strict=True)
            except ValidationError as error:  # written by another version; it must not stop the queue
                detail = f"this version cannot read the job: {error.error_count()} unknown or missing values"
                failure, line = Failure(code="brief_unreadable", detail=detail), f"failed: {detail}"
                await self._database.write(
                    partial(end_job, job_id=row[0], state="failed", now=now, line=line, failure=failure)
                )
        return None

    async def move(
        self, job: Job, state: JobState, *, progress: float, line: str, scenes: tuple[int, int] = (0, 0)
    ) -> None:
        """Record that a running job came to another stage."""
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> None:
            moved = connection.execute(
                "UPDATE jobs SET state = ?, progress = max(progress, ?), scenes_done = ?, scenes_total = ?, "
                f"updated_at = ? WHERE {HELD} RETURNING id",
                (state, progress, *scenes, now, *claim_of(job)),
            ).fetchall()
            if moved:
                note(connection, job.id, now, line)

        await self._database.write(transaction)

    async def reach(self, job: Job, *, progress: float, scenes: tuple[int, int]) -> None:
        """Remember how far a running job is; `progress` in percent. What runs here knows better."""
        await self._database.write(
            lambda connection: connection.execute(
                f"UPDATE jobs SET progress = max(progress, ?), scenes_done = ?, scenes_total = ? WHERE {HELD}",
                (progress, *scenes, *claim_of(job)),
            ).fetchall()
        )

    async def note(self, job_id: str, line: str) -> None:
        now = self._database.clock()
        await self._database.write(lambda connection: note(connection, job_id, now, line))

    async def complete(
        self, job: Job, result: Result | dict[str, Any], *, scenes: int, line: str, event: dict[str, Any]
    ) -> bool:
        """End a job with its result; False if the claim was lost, and then nothing is changed."""
        now = self._database.clock()
        body = RESULT.dump_json(result).decode() if isinstance(result, Result) else json.dumps(result)

        def transaction(connection: sqlite3.Connection) -> bool:
            if not end_job(connection, job.id, "completed", now=now, line=line, claim=job, result=body, event=event):
                return False
            connection.execute(
                "UPDATE jobs SET progress = 100, suspicion = 0, scenes_done = ?, scenes_total = ? WHERE id = ?",
                (scenes, scenes, job.id),
            )
            spare(connection, "names", [job.id])
            if isinstance(result, Result):
                doom_replaced(connection, job.id, [file.digest for file in result.files.values()], now)
                connection.executemany(
                    "INSERT OR REPLACE INTO published (digest, job_id, role, name, content_type, size_bytes) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        (file.digest, job.id, role, file.name, file.content_type, file.size_bytes)
                        for role, file in result.files.items()
                    ],
                )
            return True

        return await self._database.write(transaction)

    async def fail(self, job: Job, failure: Failure, *, progress: float, scenes: tuple[int, int] = (0, 0)) -> bool:
        """End a job with its error; it stays as it is until somebody retries or deletes it."""
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> bool:
            line = f"failed: {failure.detail}"
            if not end_job(connection, job.id, "failed", now=now, line=line, claim=job, failure=failure):
                return False
            connection.execute(
                "UPDATE jobs SET progress = max(progress, ?), scenes_done = ?, scenes_total = ? WHERE id = ?",
                (progress, *scenes, job.id),
            )
            return True

        return await self._database.write(transaction)

    async def park(self, job: Job, failure: Failure, *, wait_s: float, counts: bool = True) -> bool:
        """Put a job back, to be tried again in `wait_s`. `counts` says whether it failed or only has to wait."""
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> bool:
            parked = connection.execute(
                "UPDATE jobs SET state = 'queued', ready = 0, run_at = ?, wait_s = ?, failures = failures + ?, "
                "waits = waits + ?, error = ?, boot_id = NULL, token = NULL, updated_at = ? "
                f"WHERE {HELD} RETURNING cancel_requested",
                (now + wait_s, wait_s, int(counts), int(not counts), json.dumps(failure.__dict__), now, *claim_of(job)),
            ).fetchall()
            if parked and parked[0][0]:  # somebody wanted its end meanwhile
                end_job(connection, job.id, "cancelled", now=now, line="cancelled")
            elif parked:
                note(connection, job.id, now, f"will be tried again in {wait_s:.0f} s: {failure.detail}")
            return bool(parked)

        return await self._database.write(transaction)

    async def release(self, line: str) -> int:
        """Put every job that this boot still holds back, as if it had not been claimed: a clean stop costs no
        attempt, and the attempt goes on from as many percent. Those that were to be cancelled are.

        Returns how many went back.
        """
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> int:
            held = connection.execute(
                f"SELECT id, cancel_requested FROM jobs WHERE boot_id = ? AND state IN ({ACTIVE})", (self._boot_id,)
            ).fetchall()
            for job_id, cancel_requested in held:
                if cancel_requested:
                    end_job(connection, job_id, "cancelled", now=now, line="cancelled")
                    continue
                connection.execute(
                    "UPDATE jobs SET state = 'queued', attempt = attempt - 1, refunds = refunds + 1, interrupted = 1, "
                    "boot_id = NULL, token = NULL, updated_at = ? WHERE id = ?",
                    (now, job_id),
                )
                note(connection, job_id, now, line)
            return sum(not cancel_requested for _, cancel_requested in held)

        return await self._database.write(transaction)

    async def request_cancel(self, job_id: str) -> JobState:
        """Ask for the end of a job. Answers its state afterwards; a queued job is cancelled at once.

        Raises: NotFound.
        """
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> JobState:
            state = _state_of(connection, job_id)
            if state in TERMINAL_STATES:
                return state
            if state in ("queued", "awaiting_review"):
                end_job(connection, job_id, "cancelled", now=now, line="cancelled before it started")
                return "cancelled"
            connection.execute("UPDATE jobs SET cancel_requested = 1, updated_at = ? WHERE id = ?", (now, job_id))
            return state

        return await self._database.write(transaction)

    async def finish_cancel(self, job_id: str, *, claim: Job | None = None) -> None:
        """Record that a job was cancelled; with `claim` only if it has not been taken up again meanwhile."""
        now = self._database.clock()
        await self._database.write(
            lambda connection: end_job(connection, job_id, "cancelled", now=now, line="cancelled", claim=claim)
        )

    async def retry(self, job_id: str) -> Job:
        """Send a job again that failed, was cancelled, or whose files are gone: its counters begin anew, its finished
        steps are used again. Not one whose storyboard was edited since: it would be made as it was before.

        Raises: NotFound, Conflict, QueueFull, QueueQuotaExceeded.
        """
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> tuple[Any, ...]:
            state = _state_of(connection, job_id)
            kept = connection.execute("SELECT 1 FROM published WHERE job_id = ? LIMIT 1", (job_id,)).fetchone()
            if state not in ("failed", "cancelled") and not (state == "completed" and kept is None):
                raise Conflict(
                    f"the job is {state}; only one that failed, was cancelled or lost its files is sent again"
                )
            made, newest = connection.execute(
                "SELECT version, (SELECT max(version) FROM storyboards WHERE job_id = id) FROM jobs WHERE id = ?",
                (job_id,),
            ).fetchone()
            if newest is not None and newest > (made or 1):
                raise Conflict(
                    f"the storyboard was edited since: version {newest} is the newest, the job made {made or 1}",
                    hint="Have a version rendered: `vidgend render`, POST /mcp/render/<id>.",
                )
            self._check_queue(connection, _owner_of(connection, job_id))
            return requeue(connection, job_id, now=now, line="sent again by hand")

        return read_job(await self._database.write(transaction))

    async def render(self, job_id: str, *, version: int, brief: Brief) -> Job:
        """Make the video of a version of the storyboard, as `brief` asks for it; what is finished is used again. The
        video that there is stays until the new one is complete. Also approves a job that awaits review.

        Raises: NotFound, Conflict, QueueFull, QueueQuotaExceeded, UploadUnknown.
        """
        now = self._database.clock()
        rows = await self._database.read(
            "SELECT body FROM storyboards WHERE job_id = ? AND version = ?", (job_id, version)
        )
        uploads = uploads_of_storyboard(STORYBOARD.validate_json(rows[0][0]), brief) if rows else frozenset()
        body = BRIEFS["video"].dump_json(brief).decode()

        def transaction(connection: sqlite3.Connection) -> tuple[Any, ...]:
            check_editable(connection, job_id)
            if not version_exists(connection, job_id, version):
                raise NotFound(f"the storyboard has no version {version}")
            self._check_queue(connection, _owner_of(connection, job_id))
            hold(connection, job_id, uploads)
            keep_brief(connection, job_id)
            connection.execute("UPDATE jobs SET version = ?, brief = ? WHERE id = ?", (version, body, job_id))
            return requeue(connection, job_id, now=now, line=f"storyboard version {version} is to be rendered")

        return read_job(await self._database.write(transaction))

    async def await_review(self, job: Job, *, progress: float, scenes: int, line: str, event: dict[str, Any]) -> bool:
        """Lay a running job aside until somebody approves its storyboard (`render`); False if the claim was lost."""
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> bool:
            held = connection.execute(f"SELECT cancel_requested FROM jobs WHERE {HELD}", claim_of(job)).fetchone()
            if held is None:
                return False
            if held[0]:  # somebody wanted its end meanwhile
                return end_job(connection, job.id, "cancelled", now=now, line="cancelled")
            note(connection, job.id, now, line)  # first: see end_job
            connection.execute(
                "UPDATE jobs SET state = 'awaiting_review', boot_id = NULL, token = NULL, suspicion = 0, "
                "progress = max(progress, ?), scenes_done = 0, scenes_total = ?, updated_at = ? WHERE id = ?",
                (progress, scenes, now, job.id),
            )
            tell(connection, job.id, "awaiting_review", now=now, data=event)
            return True

        return await self._database.write(transaction)

    async def delete(self, job_id: str) -> None:
        """Forget an ended job and all that is known of it, and doom its files. Raises: NotFound, Conflict."""
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> None:
            state = _state_of(connection, job_id)
            if state not in TERMINAL_STATES:
                raise Conflict(f"the job is {state}; cancel it first")
            doom_result(connection, job_id, now)
            connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

        await self._database.write(transaction)

    async def pause(self, reason: str) -> None:
        """Begin nothing more until `resume`, over restarts too. What runs goes on."""
        now = self._database.clock()
        await self._database.write(
            lambda connection: connection.execute(
                "INSERT INTO pauses (name, paused_at, reason) VALUES ('queue', ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET reason = iif(excluded.reason = '', reason, excluded.reason)",
                (now, reason),
            )
        )

    async def resume(self) -> None:
        await self._database.write(lambda connection: connection.execute("DELETE FROM pauses WHERE name = 'queue'"))


def _state_of(connection: sqlite3.Connection, job_id: str) -> JobState:
    row = connection.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise NotFound(f"no job {job_id!r}")
    state: JobState = row[0]
    return state


def _owner_of(connection: sqlite3.Connection, job_id: str) -> str:
    owner: str = connection.execute("SELECT owner FROM jobs WHERE id = ?", (job_id,)).fetchone()[0]
    return owner
