"""Does the database say what is on the disk, and the disk what is in the database? `check` looks, `repair` mends.

`check` only reads, so it runs beside a daemon. What a running job changes meanwhile is looked at twice before it is
told. One exception: bytes that turn out to be damaged are put aside by the store as soon as anyone reads them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from vidgend.errors import AssetDamaged, DatabaseDamaged, NotFound
from vidgend.store.assets.filesystem import FilesystemBlobs
from vidgend.store.assets.port import BlobStore
from vidgend.store.doomed import waiting
from vidgend.store.live import ACTIVE
from vidgend.store.orphans import FEW, Orphans, find_orphans
from vidgend.store.reading import Reads
from vidgend.store.retention_hands import DELETED

Kind = Literal[
    "database",
    "reference",
    "store_missing",
    "blob_missing",
    "blob_damaged",
    "blob_unrecorded",
    "blob_unknown",
    "name_missing",
    "name_unknown",
    "step_without_asset",
    "result_unpublished",
    "counts",
    "interrupted",
    "doomed",
]
LOOK_AGAIN_S = 1.0
"""A blob comes before its row, so one without a row is looked up again after this."""
_PAGE = 500
_GONE = "is gone"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`what` is wrong and how it can be mended. `target` is what it is about: a digest, a job, a step, a table.

    `harmless`: nothing has to be done about it.
    """

    kind: Kind
    what: str
    mend: str
    target: str = ""
    mendable: bool = True
    harmless: bool = False


TellLine = Callable[[str], None]


async def check(
    database: Reads,
    blobs: BlobStore,
    *,
    deep: bool,
    alone: bool,
    even_if_most_are_lost: bool = False,
    progress: TellLine = lambda line: None,
) -> list[Finding]:
    """All that is wrong. `deep` reads every file and compares its SHA-256; `alone` says that no daemon runs here.

    A store that has lost most of its files is told as one thing that cannot be mended, since its disk may just not be
    mounted; `even_if_most_are_lost` says that they are gone for good.

    Raises: sqlite3.Error, OSError, StorageUnavailable when the database or the store cannot be read at all.
    """
    progress("the database")
    damage = await _database(database)
    if damage:  # nothing that such a database says can be trusted
        return damage
    found = await _references(database)
    found += await _counts(database)
    if alone:
        found += await _interrupted(database)
        found += await _doomed(database)
    progress("files without a row")
    orphans = await find_orphans(database, blobs)
    if orphans.blobs and not alone:
        await asyncio.sleep(LOOK_AGAIN_S)
        orphans = await _still(database, orphans)
    found += _unknown(orphans)
    progress("rows without a file")
    of_files = await _blobs(database, blobs, deep=deep, alone=alone, progress=progress)
    lost = sum(finding.kind == "blob_missing" for finding in of_files)
    if lost > FEW and not even_if_most_are_lost:
        rows = (await database.read("SELECT count(*) FROM assets"))[0][0]
        if lost > rows - lost:
            return [*found, _most_lost(lost, rows)]
    found += of_files
    found += await _steps(database, blobs)
    progress("results")
    found += await _results(database)
    found += await _names(database, blobs)
    return found


# --- the database alone --------------------------------------------------------------------------------------------


async def _database(database: Reads) -> list[Finding]:
    try:
        lines = [str(row[0]) for row in await database.read("PRAGMA integrity_check(20)")]
    except DatabaseDamaged as error:
        lines = [error.detail]
    return [damaged_database(line) for line in lines if line != "ok"]


def damaged_database(reason: str) -> Finding:
    mend = "`vidgend restore` brings the newest backup back; keep the damaged file until you know why"
    return Finding(kind="database", what=f"the database is damaged: {reason}", mend=mend, mendable=False)


async def _references(database: Reads) -> list[Finding]:
    tables: dict[str, int] = {}
    for table, *_ in await database.read("PRAGMA foreign_key_check"):
        tables[table] = tables.get(table, 0) + 1
    return [
        Finding(kind="reference", what=f"{count} rows of {table} belong to nothing", mend="are deleted", target=table)
        for table, count in tables.items()
    ]


async def _counts(database: Reads) -> list[Finding]:
    rows = await database.read(
        "SELECT state, sum(counted), sum(there) FROM (SELECT state, sum(counted) AS counted, sum(there) AS there FROM "
        "(SELECT state, owner, jobs AS counted, 0 AS there FROM job_counts "
        "UNION ALL SELECT state, owner, 0, count(*) FROM jobs GROUP BY state, owner) GROUP BY state, owner "
        "HAVING sum(counted) <> sum(there)) GROUP BY state"
    )
    return [
        Finding(
            kind="counts", what=f"{counted} jobs are counted as {state}; there are {there}", mend="is counted again",
            target=state,
        )
        for state, counted, there in rows
    ]  # fmt: skip


async def _interrupted(database: Reads) -> list[Finding]:
    rows = await database.read(
        f"SELECT 'job', count(*) FROM jobs WHERE state IN ({ACTIVE}) "
        "UNION ALL SELECT 'step', count(*) FROM steps WHERE state = 'running'"
    )
    return [
        Finding(
            kind="interrupted", what=f"under way when vidgend stopped: {count} {name}{'s' if count > 1 else ''}",
            mend="the next start takes them up again", target=name, harmless=True,
        )
        for name, count in rows
        if count
    ]  # fmt: skip


async def _doomed(database: Reads) -> list[Finding]:
    left = await waiting(database)
    if not left.count:
        return []
    what = f"files that are to be deleted yet: {left.count}"
    return [Finding(kind="doomed", what=what, mend="the next start deletes them", harmless=True)]


# --- the database and the store ------------------------------------------------------------------------------------


async def _still(database: Reads, orphans: Orphans) -> Orphans:
    """Those that have no row yet."""
    rows = await database.read(
        "SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM assets WHERE digest = value)",
        (json.dumps([digest for digest, _ in orphans.blobs]),),
    )
    left = {row[0] for row in rows}
    return replace(orphans, blobs=tuple(entry for entry in orphans.blobs if entry[0] in left))


def _unknown(orphans: Orphans) -> list[Finding]:
    if orphans.doubt is not None:
        doubt = orphans.doubt
        return [Finding(kind="blob_unknown", what=doubt.detail, mend=doubt.hint, mendable=False)]
    named = [(job_id, f"there are named files of {job_id}, which has no result") for job_id in orphans.jobs]
    blobs = [(digest, f"no row knows the file {digest} ({size} bytes)") for digest, size in orphans.blobs]
    return [
        *(Finding(kind="name_unknown", what=what, mend="are removed", target=target) for target, what in named),
        *(Finding(kind="blob_unknown", what=what, mend="is deleted", target=target) for target, what in blobs),
    ]


async def _blobs(database: Reads, blobs: BlobStore, *, deep: bool, alone: bool, progress: TellLine) -> list[Finding]:
    """Every row's file: there, as long as the row says, and, if `deep`, of the right content."""
    read = 0
    sizes = {bytes.fromhex(digest): size async for digest, size in blobs.list()}
    found: list[Finding] = []
    async for digest, size_bytes in _rows(database):
        size = sizes.get(bytes.fromhex(digest))
        if size is None:
            if alone or (not await blobs.has(digest) and await _has_row(database, digest)):
                found.append(_missing(digest))
        elif size_bytes is None:
            mend = "is recorded again"
            found.append(
                Finding(kind="blob_unrecorded", what=f"the file {digest} has no row", mend=mend, target=digest)
            )
        elif size != size_bytes:
            found.append(_damaged(digest, f"has {size} bytes, not {size_bytes}"))
        elif deep:
            if read % 100 == 0:
                progress(f"the content of the files: {read} of {len(sizes)}")
            read += 1
            wrong = await _read(blobs, digest)
            if wrong == _GONE:
                found += [_missing(digest)] if await _has_row(database, digest) else []
            elif wrong:
                found.append(_damaged(digest, wrong))
    return found


def _most_lost(lost: int, rows: int) -> Finding:
    what = f"{lost} of the {rows} files that the database knows are not in the store"
    mend = "is the disk of the store mounted, and `assets.url` right? If they are gone, `vidgend fsck --repair --lost`"
    return Finding(kind="store_missing", what=what, mend=mend, mendable=False)


def _missing(digest: str) -> Finding:
    mend = (
        "is taken from the result's named file, else its rows are removed: steps run again, results answer 410, "
        "uploads have to be sent again"
    )
    return Finding(kind="blob_missing", what=f"the file {digest} is gone", mend=mend, target=digest)


def _damaged(digest: str, how: str) -> Finding:
    mend = "is moved aside and its rows are removed: steps run again, results answer 410, uploads have to be sent again"
    return Finding(kind="blob_damaged", what=f"the file {digest} {how}", mend=mend, target=digest)


async def _rows(database: Reads) -> AsyncIterator[tuple[str, int | None]]:
    """(digest, size in bytes) of all assets and, with None, of published and uploaded ones that are not among them."""
    after = ""
    while True:
        page = await database.read(
            "SELECT digest, size_bytes FROM assets WHERE digest > ? ORDER BY digest LIMIT ?", (after, _PAGE)
        )
        for digest, size_bytes in page:
            yield digest, size_bytes
        if len(page) < _PAGE:
            break
        after = page[-1][0]
    for (digest,) in await database.read(
        "SELECT digest FROM (SELECT digest FROM published UNION SELECT digest FROM uploads) "
        "WHERE digest NOT IN (SELECT digest FROM assets)"
    ):
        yield digest, None


async def _has_row(database: Reads, digest: str) -> bool:
    rows = await database.read(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM assets WHERE digest = ?1) "
        "OR EXISTS (SELECT 1 FROM published WHERE digest = ?1) OR EXISTS (SELECT 1 FROM uploads WHERE digest = ?1)",
        (digest,),
    )
    return bool(rows)


async def _read(blobs: BlobStore, digest: str) -> str:
    """What is wrong with the content; empty if nothing is."""
    sha256 = hashlib.sha256()
    try:
        async for piece in blobs.read(digest):
            await asyncio.to_thread(sha256.update, piece)
    except AssetDamaged as error:
        return f"is damaged: {error.detail}"
    except NotFound:
        return _GONE
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return "" if sha256.hexdigest() == digest else f"has other content: its SHA-256 is {sha256.hexdigest()}"


async def _steps(database: Reads, blobs: BlobStore) -> list[Finding]:
    rows = await database.read(
        "SELECT s.key, s.kind, min(a.digest) FROM steps AS s JOIN step_assets AS a ON a.key = s.key "
        "WHERE s.state = 'done' AND NOT EXISTS (SELECT 1 FROM assets WHERE digest = a.digest) GROUP BY s.key"
    )
    return [
        Finding(
            kind="step_without_asset", what=f"a finished step ({kind}) gave {digest}, which is not in the store",
            mend="is forgotten and runs again when it is wanted", target=key,
        )
        for key, kind, digest in rows
    ]  # fmt: skip


# --- results -------------------------------------------------------------------------------------------------------


async def _results(database: Reads) -> list[Finding]:
    """Files that a result names, that are still there and that are not published. Those that were deleted are not."""
    rows = await database.read(
        "SELECT DISTINCT j.id FROM jobs AS j, json_each(j.result, '$.files') AS f "
        "WHERE j.state = 'completed' AND j.kind = 'video' AND json_valid(j.result) "
        "AND EXISTS (SELECT 1 FROM assets WHERE digest = json_extract(f.value, '$.digest')) "
        "AND NOT EXISTS (SELECT 1 FROM published AS p WHERE p.job_id = j.id AND p.role = f.key "
        "AND p.digest = json_extract(f.value, '$.digest')) "
        "AND NOT EXISTS (SELECT 1 FROM job_events AS e WHERE e.job_id = j.id AND e.line LIKE ? || '%')",
        (DELETED,),
    )
    return [
        Finding(
            kind="result_unpublished", what=f"the result of {job_id} names files that are not published",
            mend="are published again", target=job_id,
        )
        for (job_id,) in rows
    ]  # fmt: skip


async def _names(database: Reads, blobs: BlobStore) -> list[Finding]:
    """Results whose files lack their names. On a disk each name is looked at, on S3 only whether there are any."""
    have = {job_id async for job_id in blobs.published()}
    lacking: dict[str, list[str]] = {}
    after = ""
    while page := await database.read(
        "SELECT job_id, json_group_array(name) FROM published WHERE job_id > ? GROUP BY job_id ORDER BY job_id LIMIT ?",
        (after, _PAGE),
    ):
        for job_id, names in page:
            missing = await asyncio.to_thread(_absent, blobs, job_id, json.loads(names), job_id in have)
            if missing:
                lacking[job_id] = missing
        after = page[-1][0]
    found = []
    for job_id, missing in lacking.items():
        if await database.read("SELECT 1 FROM published WHERE job_id = ? LIMIT 1", (job_id,)):
            what = f"{job_id} lacks its named files: {', '.join(missing)}"
            found.append(Finding(kind="name_missing", what=what, mend="are linked again", target=job_id))
    return found


def _absent(blobs: BlobStore, job_id: str, names: Iterable[str], has_some: bool) -> list[str]:
    if not has_some:
        return sorted(names)
    return sorted(name for name in names if (path := named_file(blobs, job_id, name)) is not None and not path.exists())


def named_file(blobs: BlobStore, job_id: str, name: str) -> Path | None:
    """Where a published file lies on this machine; None if the store is not on it."""
    return blobs.root / "videos" / job_id / name if isinstance(blobs, FilesystemBlobs) else None
