"""What happened to jobs, in the order in which it was written. Triggers write it (migrations/0007_events.sql), in the
transaction of the change itself; here it is only read.

The newest FEED_KEPT rows are kept (retention.py), and nothing of a deleted job but that it was deleted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from vidgend.store.database import Database
from vidgend.store.job_rows import Failure

FeedKind = Literal["status", "log", "storyboard", "deleted"]
FEED_KEPT = 100_000
"""About 20 MB; what some 2500 videos leave."""


_COLUMNS = "id, owner, job_id, kind, at, text, number, run_at, error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """One row. `id` grows over all jobs and is never given twice. `text` is the new state, the line of the log or who
    made the version, `number` which attempt or which version. `run_at` and `error`: of a job that was put back into the
    queue or failed, when it is tried again and why."""

    id: int
    owner: str
    job_id: str
    kind: FeedKind
    at: float
    text: str
    number: int
    run_at: float | None
    error: Failure | None


class Feed:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self) -> int:
        """The number that was given last; 0 if none was."""
        rows = await self._database.read("SELECT seq FROM sqlite_sequence WHERE name = 'feed'")
        return int(rows[0][0]) if rows else 0

    async def after(
        self, last: int, *, limit: int, owner: str | None = None, job_id: str | None = None, until: int | None = None
    ) -> list[Happening]:
        """What came after number `last`, in order, up to and with `until`; of one owner or one job if given."""
        where, parameters = ["id > ?"], list[Any]([last])
        for column, wanted in (("owner = ?", owner), ("job_id = ?", job_id), ("id <= ?", until)):
            if wanted is not None:
                where.append(column)
                parameters.append(wanted)
        rows = await self._database.read(
            f"SELECT {_COLUMNS} FROM feed WHERE {' AND '.join(where)} ORDER BY id LIMIT ?",
            [*parameters, limit],
        )
        return [_happening(row) for row in rows]

    async def has_all_after(self, last: int) -> bool:
        """Whether nothing that came after number `last` has been deleted, and there has been such a number at all:
        a database that was restored from a backup counts from where that was made."""
        rows = await self._database.read("SELECT min(id) FROM feed")
        newest = await self.newest()
        oldest = newest + 1 if rows[0][0] is None else int(rows[0][0])
        return oldest - 1 <= last <= newest

    async def held(self) -> list[tuple[str, str]]:
        """(id, owner) of the jobs that are being made now."""
        rows = await self._database.read("SELECT id, owner FROM jobs INDEXED BY jobs_held WHERE boot_id IS NOT NULL")
        return [(row[0], row[1]) for row in rows]


def _happening(row: tuple[Any, ...]) -> Happening:
    error = Failure(**json.loads(row[8])) if row[8] else None
    return Happening(
        id=row[0], owner=row[1], job_id=row[2], kind=row[3], at=row[4], text=row[5], number=row[6], run_at=row[7],
        error=error,
    )  # fmt: skip
