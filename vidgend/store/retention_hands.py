"""What is done with the things that may go: they are deleted, or only counted."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vidgend.store.database import Database
from vidgend.store.doomed import doom_names
from vidgend.store.live import ENDED
from vidgend.store.reading import Reads
from vidgend.store.transitions import note

if TYPE_CHECKING:
    from vidgend.store.assets.store import AssetStore

BATCH_ROWS = 200
"""Rows that one transaction deletes."""
DELETED = "its files were deleted"
"""How the line begins that the log of a job has whose files are gone."""
_KEYS = {
    "steps": "key", "idempotency": "owner, key", "outbox": "id", "endpoints": "owner, url", "boots": "boot_id",
    "provider_calls": "id", "feed": "id", "usage_days": "owner, day, service", "usage_jobs": "job_id",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Freed:
    """How many files (or jobs), and the bytes that are free now."""

    count: int = 0
    bytes: int = 0

    def __add__(self, other: Freed) -> Freed:
        return Freed(count=self.count + other.count, bytes=self.bytes + other.bytes)


NOTHING = Freed()


class Hands(Protocol):
    """What is done with the finds. Each answers what it freed."""

    async def trim(self, lacking_bytes: int) -> int: ...

    async def expire(self, job_id: str, why: str) -> tuple[Freed, int]: ...

    async def discard(self, found: list[tuple[str, int]]) -> Freed: ...

    async def drop(self, table: str, where: str, value: float) -> int: ...


class Deleting:
    """Deletes. What was used after `used_since` stays."""

    def __init__(self, database: Database, assets: AssetStore, used_since: float) -> None:
        self._database = database
        self._assets = assets
        self._used_since = used_since

    async def trim(self, lacking_bytes: int) -> int:
        """Copies of what lies elsewhere go before anything is really deleted."""
        return await self._assets.trim(lacking_bytes, used_since=self._used_since)

    async def expire(self, job_id: str, why: str) -> tuple[Freed, int]:
        """Take the rows away and doom the named files, in one transaction, and then delete the blobs that nothing
        else needs: so there is never a result that names files which are gone, and none is forgotten.

        Answers what was freed, and the bytes that no result shows any more.
        """
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> dict[str, int]:
            if not connection.execute(f"SELECT 1 FROM jobs WHERE id = ? AND state IN ({ENDED})", (job_id,)).fetchone():
                return {}
            rows = connection.execute(
                "DELETE FROM published WHERE job_id = ? RETURNING digest, size_bytes", (job_id,)
            ).fetchall()
            if not rows:
                return {}
            note(connection, job_id, now, f"{DELETED} {why}")
            doom_names(connection, job_id, now)
            shared = "SELECT 1 FROM published WHERE digest = ?"
            return {digest: 0 if connection.execute(shared, (digest,)).fetchone() else size for digest, size in rows}

        files = await self._database.write(transaction)
        if not files:
            return Freed(), 0
        freed_bytes = await self._assets.discard(files, self._used_since)
        return Freed(count=1, bytes=freed_bytes), sum(files.values())

    async def discard(self, found: list[tuple[str, int]]) -> Freed:
        digests = [digest for digest, _ in found]
        freed_bytes = await self._assets.discard(digests, self._used_since)
        left = await self._database.read(
            "SELECT count(*) FROM assets WHERE digest IN (SELECT value FROM json_each(?))", (json.dumps(digests),)
        )
        return Freed(count=len(found) - left[0][0], bytes=freed_bytes)

    async def drop(self, table: str, where: str, value: float) -> int:
        names = _KEYS[table]
        by_key = " AND ".join(f"{name} = ?" for name in names.split(", "))

        def transaction(connection: sqlite3.Connection) -> int:
            found = f"SELECT {names} FROM {table} WHERE {where} LIMIT {BATCH_ROWS}"
            rows = connection.execute(found, (value,)).fetchall()
            connection.executemany(f"DELETE FROM {table} WHERE {by_key}", rows)
            if table == "steps":  # and what says that ended jobs used them
                connection.executemany("DELETE FROM job_steps WHERE key = ?", rows)
            return len(rows)

        dropped = 0
        while batch := await self._database.write(transaction):
            dropped += batch
        return dropped


class Counting:
    """Touches nothing, and answers what deleting would free."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def trim(self, lacking_bytes: int) -> int:
        return 0

    async def expire(self, job_id: str, why: str) -> tuple[Freed, int]:
        rows = await self._reads.read(
            "SELECT coalesce(sum(size_bytes), 0) FROM (SELECT digest, max(size_bytes) AS size_bytes "
            "FROM published WHERE job_id = ? GROUP BY digest)",
            (job_id,),
        )
        return Freed(count=1, bytes=rows[0][0]), rows[0][0]

    async def discard(self, found: list[tuple[str, int]]) -> Freed:
        return Freed(count=len(found), bytes=sum(size for _, size in found))

    async def drop(self, table: str, where: str, value: float) -> int:
        return int((await self._reads.read(f"SELECT count(*) FROM {table} WHERE {where}", (value,)))[0][0])
