"""Mending what `fsck.check` found. It needs the data directory for itself: no daemon may run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from vidgend.errors import NotFound, VidgendError
from vidgend.store.assets.filesystem import FilesystemBlobs
from vidgend.store.assets.local_files import digest_of_file
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.fsck import Finding, named_file
from vidgend.store.live import forget_makers, forget_step
from vidgend.store.transitions import note

_ORDER = (
    "reference", "counts", "blob_unrecorded", "blob_damaged", "blob_missing", "blob_unknown", "step_without_asset",
    "result_unpublished", "name_unknown", "name_missing",
)  # fmt: skip
"""What makes rows and blobs agree comes before what is linked to them."""


@dataclass(frozen=True, kw_only=True)
class Mended:
    """`did` says what was done. `ok` is False where nothing could be."""

    finding: Finding
    did: str
    ok: bool = True


async def repair(database: Database, assets: AssetStore, findings: list[Finding], *, aside: Path) -> list[Mended]:
    """Mend what can be mended, in an order that makes sense. Damaged files are kept in the folder `aside`.

    Raises: StorageFull, sqlite3.Error; what was mended until then stays so.
    """
    mender = _Mender(database, assets, aside)
    mended = []
    for finding in sorted(findings, key=lambda finding: _ORDER.index(finding.kind) if finding.kind in _ORDER else 99):
        if finding.harmless:
            continue
        if not finding.mendable:
            mended.append(Mended(finding=finding, did="nothing", ok=False))
            continue
        try:
            mended.append(Mended(finding=finding, did=await mender.by_kind[finding.kind](finding.target)))
        except (VidgendError, OSError) as error:
            mended.append(Mended(finding=finding, did=f"nothing: {error}", ok=False))
    return mended


async def link_names(database: Database, assets: AssetStore, job_id: str) -> tuple[int, int]:
    """Give the files of a result their names again. Returns how many have one, and how many are gone."""
    linked = gone = 0
    rows = await database.read("SELECT digest, name, content_type FROM published WHERE job_id = ?", (job_id,))
    for digest, name, content_type in rows:
        try:
            await assets.publish(digest, job_id, name, content_type)
            linked += 1
        except NotFound:
            gone += 1
    return linked, gone


class _Mender:
    def __init__(self, database: Database, assets: AssetStore, aside: Path) -> None:
        self._database = database
        self._assets = assets
        self._aside = aside
        self.by_kind: dict[str, Callable[[str], Awaitable[str]]] = {
            "reference": self._reference, "counts": self._counts, "blob_unrecorded": self._unrecorded,
            "blob_damaged": self._damaged, "blob_missing": self._missing, "blob_unknown": self._unknown,
            "step_without_asset": self._step, "result_unpublished": self._result, "name_unknown": self._name_unknown,
            "name_missing": self._name_missing,
        }  # fmt: skip

    async def _reference(self, table: str) -> str:
        def transaction(connection: sqlite3.Connection) -> int:
            gone = 0
            for row in connection.execute(f"PRAGMA foreign_key_list({table})").fetchall():
                parent, column, key = row[2], row[3], row[4]
                gone += connection.execute(
                    f"DELETE FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT {key} FROM {parent})"
                ).rowcount
            return gone

        return f"deleted {await self._database.write(transaction)} rows"

    async def _counts(self, state: str) -> str:
        def transaction(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM job_counts WHERE state = ?", (state,))
            connection.execute(
                "INSERT INTO job_counts (state, owner, jobs) SELECT state, owner, count(*) FROM jobs WHERE state = ? "
                "GROUP BY owner",
                (state,),
            )

        await self._database.write(transaction)
        return "counted again"

    async def _unrecorded(self, digest: str) -> str:
        size_bytes = 0
        async for piece in self._assets.blobs.read(digest):
            size_bytes += len(piece)
        now = self._database.clock()
        await self._database.write(
            lambda connection: connection.execute(
                "INSERT OR IGNORE INTO assets (digest, size_bytes, content_type, stored_at, used_at) VALUES (?1, ?2, "
                "coalesce((SELECT content_type FROM published WHERE digest = ?1), "
                "(SELECT content_type FROM uploads WHERE digest = ?1), 'application/octet-stream'), ?3, ?3)",
                (digest, size_bytes, now),
            )
        )
        return "recorded"

    async def _damaged(self, digest: str) -> str:
        if await self._rescued(digest):
            return "replaced by another copy"
        kept = await self._keep_aside(digest)
        await self._assets.blobs.delete(digest)
        return f"{kept}; {await self._missing(digest)}"

    async def _keep_aside(self, digest: str) -> str:
        """The store puts damaged files of a disk aside itself when they are read; others are written down here."""
        self._aside.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self._aside / digest
        try:
            with target.open("wb") as file:
                async for piece in self._assets.blobs.read(digest):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        except (NotFound, OSError):
            if target.stat().st_size == 0:
                target.unlink()
                with contextlib.suppress(OSError):
                    self._aside.rmdir()
                return "the store has put it aside"
            return f"kept what could be read in {target}"
        return f"kept in {target}"

    async def _missing(self, digest: str) -> str:
        if await self._rescued(digest):
            return "taken from another copy"
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> tuple[int, set[str], list[str]]:
            steps = forget_makers(connection, digest)
            rows = connection.execute("DELETE FROM published WHERE digest = ? RETURNING job_id, name", (digest,))
            names = rows.fetchall()
            for job_id, name in names:
                note(connection, job_id, now, f"its file {name} was lost; `vidgend fsck` removed it from the result")
            connection.execute("DELETE FROM assets WHERE digest = ?", (digest,))
            given = connection.execute("DELETE FROM uploads WHERE digest = ? RETURNING name", (digest,)).fetchall()
            return steps, {job_id for job_id, _ in names}, [name for (name,) in given]

        steps, results, uploads = await self._database.write(transaction)
        for job_id in results:  # those that have lost their last file lose the empty names too
            await self._assets.unpublish(job_id)
        lost = f", the upload {uploads[0]} is lost" if uploads else ""
        return f"removed its rows ({steps} steps run again, {len(results)} results lack a file{lost})"

    async def _rescued(self, digest: str) -> bool:
        """Put right bytes back from where they may have outlived the blob: a named file is another name of the same
        bytes on a disk, and of what lies on S3 there may be a copy here."""
        blobs = self._assets.blobs
        here: list[Path] = []
        if isinstance(blobs, FilesystemBlobs):
            rows = await self._database.read("SELECT job_id, name FROM published WHERE digest = ?", (digest,))
            here = [path for job_id, name in rows if (path := named_file(blobs, job_id, name)) is not None]
        else:
            with contextlib.suppress(NotFound):
                here = [await blobs.local(digest)]
        self._aside.mkdir(parents=True, exist_ok=True, mode=0o700)
        copy = self._aside / f"{digest}.copy"
        try:
            for path in here:
                if await asyncio.to_thread(_copied, path, copy, digest):
                    await blobs.delete(digest)
                    await blobs.put(copy, digest)
                    return True
        finally:
            copy.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._aside.rmdir()
        return False

    async def _unknown(self, digest: str) -> str:
        await self._assets.discard([digest], 0.0)
        return "deleted" if not await self._assets.blobs.has(digest) else "kept: a row knows it by now"

    async def _step(self, key: str) -> str:
        await self._database.write(lambda connection: forget_step(connection, key))
        return "forgotten"

    async def _result(self, job_id: str) -> str:
        rows = await self._database.read("SELECT result FROM jobs WHERE id = ?", (job_id,))
        files = json.loads(rows[0][0])["files"]

        def transaction(connection: sqlite3.Connection) -> int:
            return connection.executemany(
                "INSERT OR IGNORE INTO published (digest, job_id, role, name, content_type, size_bytes) "
                "SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM assets WHERE digest = ?1)",
                [
                    (file["digest"], job_id, role, file["name"], file["content_type"], file["size_bytes"])
                    for role, file in files.items()
                ],
            ).rowcount

        await self._database.write(transaction)
        return await self._name_missing(job_id)

    async def _name_unknown(self, job_id: str) -> str:
        return (
            "removed" if await self._assets.unpublish(job_id) else "kept: the job is under way or has a result by now"
        )

    async def _name_missing(self, job_id: str) -> str:
        linked, gone = await link_names(self._database, self._assets, job_id)
        return f"linked {linked} files" + (f"; {gone} are gone" if gone else "")


def _copied(path: Path, copy: Path, digest: str) -> bool:
    """Copy a file if its content is `digest`."""
    try:
        shutil.copyfile(path, copy)
        return digest_of_file(copy) == digest
    except OSError:
        return False
