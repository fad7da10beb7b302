"""Looking at jobs. Nothing here writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from vidgend.errors import NotFound
from vidgend.store.database import Database
from vidgend.store.job_rows import COLUMNS, Job, Pause, read_job

POSITION_LIMIT = 1000
"""A place in the queue is counted up to here: the exact one of a million would cost every look at it a scan."""


@dataclass(frozen=True, kw_only=True)
class JobLook:
    """A job with its newest lines as (time, line), newest last, and how the queue stands.

    `queue_position` is its place among its owner's, 1 is next; POSITION_LIMIT + 1 means that and more; None unless it
    waits for its turn.
    """

    job: Job
    logs: list[tuple[float, str]]
    queue_position: int | None
    pause: Pause | None


class JobReads:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, job_id: str, *, owner: str | None = None) -> Job:
        """`owner`: only if it is theirs; None looks at everybody's. Raises: NotFound."""
        rows = await self._database.read(
            f"SELECT {COLUMNS} FROM jobs WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)", (job_id, owner)
        )
        if not rows:
            raise NotFound(f"no job {job_id!r}")
        return read_job(rows[0])

    async def look(self, job_id: str, *, owner: str | None = None, last: int = 50) -> JobLook:
        """`get` with the newest `last` lines and the queue's state: one query, as of one moment. Raises: NotFound."""
        rows = await self._database.read(
            f"SELECT {COLUMNS}, (SELECT json_group_array(json_array(printf('%!.17g', at), line)) FROM "
            "(SELECT at, line FROM job_events WHERE job_id = ?1 ORDER BY seq DESC LIMIT ?3)), "
            "iif(state = 'queued' AND ready = 1, (SELECT count(*) FROM (SELECT 1 FROM jobs AS before "
            "WHERE state = 'queued' AND ready = 1 AND owner = mine.owner AND rank < mine.rank LIMIT ?4)), NULL), "
            "paused_at, reason "
            "FROM jobs AS mine LEFT JOIN pauses AS queue ON name = 'queue' "
            "WHERE mine.id = ?1 AND (?2 IS NULL OR mine.owner = ?2)",
            (job_id, owner, last, POSITION_LIMIT),
        )
        if not rows:
            raise NotFound(f"no job {job_id!r}")
        *row, logs, before, paused_at, reason = rows[0]
        return JobLook(
            job=read_job(tuple(row)),
            logs=[(float(at), line) for at, line in reversed(json.loads(logs))],
            queue_position=None if before is None else before + 1,
            pause=None if paused_at is None else Pause(paused_at=paused_at, reason=reason),
        )

    async def page(
        self,
        *,
        state: str | None = None,
        limit: int = 50,
        before: tuple[float, str] | None = None,
        owner: str | None = None,
    ) -> list[Job]:
        """Newest first; `before` is the (created_at, id) of the last one seen. `owner` None: everybody's."""
        where, parameters = ["1"], list[Any]()
        if owner is not None:
            where.append("owner = ?")
            parameters.append(owner)
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

    async def logs(self, job_id: str, *, last: int = 50) -> list[tuple[float, str]]:
        """The newest `last` lines as (time, line), newest last."""
        rows = await self._database.read(
            "SELECT at, line FROM job_events WHERE job_id = ? ORDER BY seq DESC LIMIT ?", (job_id, last)
        )
        return [(row[0], row[1]) for row in reversed(rows)]

    async def counts(self, *, owner: str | None = None) -> dict[str, int]:
        """How many jobs there are in each state that has any; None: of all owners."""
        rows = await self._database.read(
            "SELECT state, sum(jobs) FROM job_counts WHERE ?1 IS NULL OR owner = ?1 GROUP BY state", (owner,)
        )
        return dict(rows)

    async def next_due_s(self) -> float | None:
        """Seconds until the first parked job is to be tried again; None if there is none."""
        rows = await self._database.read(
            "SELECT min(run_at) FROM jobs INDEXED BY jobs_parked WHERE state = 'queued' AND ready = 0"
        )
        return None if rows[0][0] is None else max(0.0, rows[0][0] - self._database.clock())

    async def paused(self) -> Pause | None:
        rows = await self._database.read("SELECT paused_at, reason FROM pauses WHERE name = 'queue'")
        return Pause(paused_at=rows[0][0], reason=rows[0][1]) if rows else None

    async def published(self, digest: str, *, owner: str) -> tuple[str, str] | None:
        """(file name, content type) of an asset that a job of this owner published."""
        rows = await self._database.read(
            "SELECT p.name, p.content_type FROM published AS p JOIN jobs AS j ON j.id = p.job_id "
            "WHERE p.digest = ? AND j.owner = ? LIMIT 1",
            (digest, owner),
        )
        return (rows[0][0], rows[0][1]) if rows else None

    async def has_files(self, job_id: str) -> bool:
        """Whether the results of a job are still kept."""
        return bool(await self._database.read("SELECT 1 FROM published WHERE job_id = ? LIMIT 1", (job_id,)))

    async def kept_bytes(self, owner: str) -> int:
        """How much the results and the uploads of one owner take."""
        rows = await self._database.read(
            "SELECT published_bytes + uploaded_bytes FROM owner_bytes WHERE owner = ?", (owner,)
        )
        return int(rows[0][0]) if rows else 0
