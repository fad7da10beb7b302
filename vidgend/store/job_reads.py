"""Looking at jobs. Nothing here writes."""

from __future__ import annotations

import json
from typing import Any

from vidgend.errors import NotFound
from vidgend.store.database import Database
from vidgend.store.job_rows import COLUMNS, Job, Pause, read_job

POSITION_LIMIT = 1000
"""A place in the queue is counted up to here: the exact one of a million would cost every look at it a scan."""


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

    async def get_with_logs(
        self, job_id: str, *, owner: str | None = None, last: int = 50
    ) -> tuple[Job, list[tuple[float, str]]]:
        """`get` and `logs` in one go, as of one moment. Raises: NotFound."""
        rows = await self._database.read(
            f"SELECT {COLUMNS}, (SELECT json_group_array(json_array(printf('%!.17g', at), line)) FROM "
            "(SELECT at, line FROM job_events WHERE job_id = ?1 ORDER BY seq DESC LIMIT ?3)) "
            "FROM jobs WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)",
            (job_id, owner, last),
        )
        if not rows:
            raise NotFound(f"no job {job_id!r}")
        return read_job(rows[0][:-1]), [(float(at), line) for at, line in reversed(json.loads(rows[0][-1]))]

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

    async def queue_position(self, job: Job) -> int:
        """The place of a queued job among its owner's, 1 is next; POSITION_LIMIT + 1 means that and more."""
        rows = await self._database.read(
            "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE state = 'queued' AND ready = 1 AND owner = ? "
            "AND rank < (SELECT rank FROM jobs WHERE id = ?) LIMIT ?)",
            (job.owner, job.id, POSITION_LIMIT),
        )
        return int(rows[0][0]) + 1

    async def logs(self, job_id: str, *, last: int = 50) -> list[tuple[float, str]]:
        """The newest `last` lines as (time, line), newest last."""
        rows = await self._database.read(
            "SELECT at, line FROM job_events WHERE job_id = ? ORDER BY seq DESC LIMIT ?", (job_id, last)
        )
        return [(row[0], row[1]) for row in reversed(rows)]

    async def counts(self, *, owner: str | None = None) -> dict[str, int]:
        """How many jobs there are in each state that has any; None: of all owners."""
        rows = await self._database.read(
            "SELECT state, sum(jobs) FROM job_counts WHERE ?1 IS NULL OR owner = ?1 GROUP BY state "
            "HAVING sum(jobs) > 0",
            (owner,),
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

    async def kept_bytes(self, owner: str = "") -> int:
        """How much the results and the uploads of one owner take."""
        rows = await self._database.read(
            "SELECT published_bytes + uploaded_bytes FROM owner_bytes WHERE owner = ?", (owner,)
        )
        return int(rows[0][0]) if rows else 0
