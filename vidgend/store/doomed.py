"""What lies in the asset store without a row that keeps it: the table `doomed`.

Before a file gets there its name is written down here, and the transaction that gives it a row strikes it out. The
transaction that takes the row away writes it down again. So a crash at any moment leaves a list of what to delete, and
nobody has to guess from a listing of the store whose files those are.

    blob     a digest. Goes, unless it has a row by now.
    names    the named files of a job. Go, unless the job is under way or has a result.
    result   a digest that a deleted result showed, or a deleted upload. Goes with its row when nothing else needs it
             any more.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vidgend.errors import NotFound, StorageUnavailable
from vidgend.store.database import Database
from vidgend.store.live import LIVE, OLDEST_START
from vidgend.store.reading import Reads

if TYPE_CHECKING:
    from vidgend.store.assets.store import AssetStore

_log = logging.getLogger(__name__)

Kind = Literal["blob", "names", "result"]
_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What is to be deleted yet. `bytes` of named files are those of their blobs, so they are not counted."""

    count: int
    bytes: int


# --- inside a transaction ------------------------------------------------------------------------------------------


def doom_blob(connection: sqlite3.Connection, digest: str, size_bytes: int, now: float) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO doomed (kind, name, since, size_bytes) VALUES ('blob', ?, ?, ?)",
        (digest, now, size_bytes),
    )


def doom_names(connection: sqlite3.Connection, job_id: str, now: float) -> None:
    connection.execute("INSERT OR IGNORE INTO doomed (kind, name, since) VALUES ('names', ?, ?)", (job_id, now))


_NO_SEGMENTS = (
    "NOT EXISTS (SELECT 1 FROM step_assets AS t JOIN steps AS s ON s.key = t.key "
    "WHERE t.digest = published.digest AND s.kind = 'segment' AND s.state = 'done')"
)
"""The poster of a video is that of one of its segments, which would be encoded anew without it. The cache's own rules
say when that goes."""


def doom_result(connection: sqlite3.Connection, job_id: str, now: float) -> None:
    """Write down all files of a job. For the transaction that deletes it or its `published` rows, before it does."""
    doom_names(connection, job_id, now)
    connection.execute(
        "INSERT OR IGNORE INTO doomed (kind, name, since, size_bytes) "
        f"SELECT 'result', digest, ?, max(size_bytes) FROM published WHERE job_id = ? AND {_NO_SEGMENTS} "
        "GROUP BY digest",
        (now, job_id),
    )


def doom_replaced(connection: sqlite3.Connection, job_id: str, digests: Iterable[str], now: float) -> None:
    """Take away the files that a job showed until now, but those with these digests. For the transaction that
    publishes the new ones."""
    kept = json.dumps(list(digests))
    others = "job_id = ? AND digest NOT IN (SELECT value FROM json_each(?))"
    connection.execute(
        "INSERT OR IGNORE INTO doomed (kind, name, since, size_bytes) "
        f"SELECT 'result', digest, ?, max(size_bytes) FROM published WHERE {others} AND {_NO_SEGMENTS} GROUP BY digest",
        (now, job_id, kept),
    )
    connection.execute(f"DELETE FROM published WHERE {others}", (job_id, kept))


def doom_unneeded(connection: sqlite3.Connection, digest: str, size_bytes: int, now: float) -> None:
    """Write down that what kept these bytes is gone: they go when nothing else needs them."""
    connection.execute(
        "INSERT OR IGNORE INTO doomed (kind, name, since, size_bytes) VALUES ('result', ?, ?, ?)",
        (digest, now, size_bytes),
    )


def spare(connection: sqlite3.Connection, kind: Kind, names: Iterable[str]) -> None:
    """Strike out: the row that keeps it is written in the same transaction, or it is gone."""
    connection.executemany("DELETE FROM doomed WHERE kind = ? AND name = ?", [(kind, name) for name in names])


def spare_blob_with_row(connection: sqlite3.Connection, digest: str) -> bool:
    """Strike out a blob that has a row after all. Answers whether it may be deleted."""
    has_row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM assets WHERE digest = ?1) OR EXISTS (SELECT 1 FROM published WHERE digest = ?1)",
        (digest,),
    ).fetchone()[0]
    if has_row:
        spare(connection, "blob", [digest])
    return not has_row


def spare_names_of_result(connection: sqlite3.Connection, job_id: str) -> bool:
    """Strike out the names of a job that has a result. Answers whether they may be taken away: it has none, and is
    not under way."""
    shown, live = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM published WHERE job_id = ?1), "
        f"EXISTS (SELECT 1 FROM jobs WHERE id = ?1 AND state IN ({LIVE}))",
        (job_id,),
    ).fetchone()
    if shown:
        spare(connection, "names", [job_id])
    return not shown and not live


# --- deleting ------------------------------------------------------------------------------------------------------


async def waiting(reads: Reads) -> Waiting:
    rows = await reads.read("SELECT count(*), coalesce(sum(size_bytes), 0) FROM doomed")
    return Waiting(count=rows[0][0], bytes=rows[0][1])


async def work_off(database: Database, assets: AssetStore) -> int:
    """Delete what is doomed and not in use right now; bytes freed. What the store refuses is left for the next time.

    Raises: what the database raises.
    """
    freed = 0
    try:
        for job_id in await _names(database, "names"):
            await _without_names(assets, job_id)
        freed = await _results(database, assets)
        blobs = await _names(database, "blob")
        for at in range(0, len(blobs), _PAGE):
            freed += await assets.delete_doomed(blobs[at : at + _PAGE])
    except StorageUnavailable as error:
        _log.warning("doomed_left", extra={"reason": str(error)})
    return freed


async def _without_names(assets: AssetStore, job_id: str) -> None:
    try:
        await assets.unpublish(job_id)
    except (NotFound, OSError) as error:
        _log.warning("names_not_deleted", extra={"job": job_id, "reason": str(error)})


async def _results(database: Database, assets: AssetStore) -> int:
    """What a deleted result showed, or a deleted upload, turns into a doomed blob as soon as nothing else needs it."""
    digests = await _names(database, "result")
    if not digests:
        return 0
    now = database.clock()
    [[oldest_start]] = await database.read(OLDEST_START)
    freed = await assets.discard(digests, now if oldest_start is None else min(now, oldest_start))

    def strike_out(connection: sqlite3.Connection) -> None:
        connection.execute(
            "DELETE FROM doomed WHERE kind = 'result' AND (name NOT IN (SELECT digest FROM assets) "
            "OR name IN (SELECT digest FROM published) OR name IN (SELECT digest FROM uploads))"
        )

    await database.write(strike_out)
    return freed


async def _names(database: Database, kind: Kind) -> list[str]:
    return [row[0] for row in await database.read("SELECT name FROM doomed WHERE kind = ? ORDER BY name", (kind,))]
