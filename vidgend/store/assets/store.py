"""The asset store that everyone uses: bytes in a BlobStore, what is known about them in the table `assets`.

A blob is written before its row and deleted after it, so a crash can leave a blob without a row, never a row without
its bytes. What has no row, or is about to lose it, is in the table `doomed` meanwhile. Nothing that is needed is
deleted: what a result shows, what a user gave, what a finished step of a job that has not ended gave, what was used
since the oldest running job began, and what is being put right now.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from weakref import WeakValueDictionary

from vidgend.errors import AssetDamaged, NotFound, StorageUnavailable
from vidgend.store import doomed
from vidgend.store.assets.deleting import Deleting
from vidgend.store.assets.local_files import digest_of
from vidgend.store.assets.meter import Meter
from vidgend.store.assets.port import BlobStore, check_digest
from vidgend.store.assets.to_the_end import to_the_end
from vidgend.store.database import Database
from vidgend.store.live import LIVE_KEYS, forget_makers

_log = logging.getLogger(__name__)

USE_NOTED_S = 60.0
"""A use is written at most this often per digest, so `used_at` may be this far ahead: it holds until then."""
_BATCH = 100
"""Digests per deleting transaction: the writer is never held long."""
_PATIENCE_S = 5.0
"""How long deletions that are under way may take when nobody waits for them any more. The rest stays doomed."""
AlsoRecord = Callable[[sqlite3.Connection, str, int], None]
"""Writes rows about a digest of so many bytes."""


def _protected(connection: sqlite3.Connection, digest: str, used_since: float, live_keys: set[str]) -> bool:
    kept_or_used = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM published WHERE digest = ?1) OR EXISTS (SELECT 1 FROM uploads WHERE digest = ?1) "
        "OR EXISTS (SELECT 1 FROM assets WHERE digest = ?1 AND used_at >= ?2)",
        (digest, used_since),
    ).fetchone()[0]
    makers = connection.execute("SELECT key FROM step_assets WHERE digest = ?", (digest,))
    return bool(kept_or_used) or any(key in live_keys for (key,) in makers)


def _forget(connection: sqlite3.Connection, digest: str) -> int:
    """Delete the row and the finished steps that gave these bytes, so that they run again. Returns the size."""
    forget_makers(connection, digest)
    rows = connection.execute("DELETE FROM assets WHERE digest = ? RETURNING size_bytes", (digest,)).fetchall()
    return sum(size for (size,) in rows)


def _digest_and_size(path: Path, meter: Meter) -> tuple[str, int]:
    with path.open("rb", buffering=0) as file:
        digest = digest_of(file, meter=meter)
        return digest, file.tell()


class AssetStore:
    """`blobs` is for looking at what lies there; to change something, use the methods here."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self.blobs = blobs
        self._database = database
        self._incoming: Counter[str] = Counter()
        """Digests that are being put."""
        self._condemned: dict[str, asyncio.Event] = {}
        """Digests whose rows and bytes are being deleted; the event comes when that is over."""
        self._noted: dict[str, float] = {}
        """Until when the use of a digest is written down."""
        self._naming: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By job: its names are given or taken away, never both at once."""
        self._hashed = Meter()

    async def prepare(self) -> None:
        await self.blobs.prepare()

    async def aclose(self) -> None:
        await self.blobs.aclose()

    @property
    def moved_bytes(self) -> int:
        """Grows with every piece of a file that is sent, received, copied or checked: a sign of life."""
        return self._hashed.bytes + self.blobs.moved_bytes

    def incoming(self) -> Path:
        """A fresh name on the store's own disk for a file that is to be `put`. What is left there goes at the next
        start."""
        return self.blobs.part("upload")

    async def put(
        self, path: Path, content_type: str = "application/octet-stream", *, also: AlsoRecord | None = None
    ) -> str:
        """Take the file at `path` into the store (it is moved) and return its digest, 64 hex digits.

        `also` writes what else is to be recorded, in the transaction that gives the bytes their row.
        Durable on return. Raises: StorageFull, StorageUnavailable.
        """
        digest, size_bytes = await asyncio.to_thread(_digest_and_size, path, self._hashed)
        await self._not_condemned(digest)
        self._incoming[digest] += 1
        try:
            await self._database.write(
                lambda connection: self._expect(connection, digest, size_bytes), may_drop_ballast=False
            )
            await self.blobs.put(path, digest)

            def record(connection: sqlite3.Connection) -> None:
                self._record(connection, digest, size_bytes, content_type)
                if also is not None:
                    also(connection, digest, size_bytes)

            await self._database.write(record, may_drop_ballast=False)
        finally:
            self._incoming[digest] -= 1
            if not self._incoming[digest]:
                del self._incoming[digest]
        return digest

    def _expect(self, connection: sqlite3.Connection, digest: str, size_bytes: int) -> None:
        if doomed.spare_blob_with_row(connection, digest):
            doomed.doom_blob(connection, digest, size_bytes, self._database.clock())

    def _record(self, connection: sqlite3.Connection, digest: str, size_bytes: int, content_type: str) -> None:
        connection.execute(
            "INSERT INTO assets (digest, size_bytes, content_type, stored_at, used_at) "
            "VALUES (:digest, :size, :type, :now, :now) "
            "ON CONFLICT (digest) DO UPDATE SET used_at = max(used_at, excluded.used_at)",
            {"digest": digest, "size": size_bytes, "type": content_type, "now": self._database.clock()},
        )
        doomed.spare(connection, "blob", [digest])

    async def has(self, digest: str) -> bool:
        await self._not_condemned(digest)
        return await self.blobs.has(digest)

    async def touch(self, digest: str) -> bool:
        """Say that these bytes are in use, which keeps them; False if they are not there (any more)."""
        await self._not_condemned(digest)
        self._note_use(digest)
        if await self.blobs.has(digest):
            return True
        await self._lost(digest)
        return False

    def _note_use(self, digest: str) -> None:
        now = self._database.clock()
        if now <= self._noted.get(digest, 0.0) <= now + USE_NOTED_S:
            return
        until = now + USE_NOTED_S
        self._noted = {known: noted for known, noted in self._noted.items() if noted > now} | {digest: until}
        self._database.post(
            lambda connection: connection.execute(
                "UPDATE assets SET used_at = max(used_at, ?) WHERE digest = ?", (until, digest)
            )
        )

    async def local(self, digest: str) -> Path:
        """A local file with these bytes, for reading only.

        Raises: NotFound, AssetDamaged, StorageFull, StorageUnavailable.
        """
        await self._not_condemned(digest)
        self._note_use(digest)
        try:
            return await self.blobs.local(digest)
        except NotFound as error:
            await self._lost(digest, damaged=isinstance(error, AssetDamaged))
            raise

    async def read(self, digest: str, *, first: int = 0, count: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from `first` on, `count` of them or all. Raises as `local` does, at the first piece."""
        await self._not_condemned(digest)
        try:
            async with aclosing(self.blobs.read(digest, first=first, count=count)) as pieces:
                async for piece in pieces:
                    yield piece
        except NotFound as error:
            await self._lost(digest, damaged=isinstance(error, AssetDamaged))
            raise

    async def size_bytes(self, digest: str) -> int:
        """Raises: NotFound."""
        rows = await self._database.read("SELECT size_bytes FROM assets WHERE digest = ?", (digest,))
        if not rows:
            raise NotFound(f"asset {digest[:80]} is gone")
        size: int = rows[0][0]
        return size

    async def publish(self, digest: str, job_id: str, name: str, content_type: str) -> str:
        """Give the bytes a stable name in the job's folder; the answer is its URI. Raises as `local` does.

        The names are doomed until the job has a result.
        """
        await self._not_condemned(digest)
        self._note_use(digest)

        def expect(connection: sqlite3.Connection) -> None:
            if not connection.execute("SELECT 1 FROM published WHERE job_id = ?", (job_id,)).fetchone():
                doomed.doom_names(connection, job_id, self._database.clock())

        try:
            async with self._naming.setdefault(job_id, asyncio.Lock()):
                await self._database.write(expect, may_drop_ballast=False)
                return await self.blobs.publish(digest, job_id, name, content_type)
        except NotFound as error:
            await self._lost(digest, damaged=isinstance(error, AssetDamaged))
            raise

    async def unpublish(self, job_id: str) -> bool:
        """Take away the names of a job that has no result and is not under way; False if it has or is.

        Raises: StorageUnavailable, OSError; then the names stay doomed.
        """

        def choose(connection: sqlite3.Connection) -> bool:
            chosen = doomed.spare_names_of_result(connection, job_id)
            if chosen:
                doomed.doom_names(connection, job_id, self._database.clock())
            return chosen

        async with self._naming.setdefault(job_id, asyncio.Lock()):
            if not await self._database.write(choose):
                return False
            await self.blobs.unpublish(job_id)
            await self._database.write(lambda connection: doomed.spare(connection, "names", [job_id]))
            return True

    async def link(self, job_id: str, name: str, life_s: float) -> str | None:
        """A URL of the store's own that opens a published file for `life_s`; None where it has no such thing."""
        return await self.blobs.link(job_id, name, life_s)

    def free_bytes(self) -> int | None:
        return self.blobs.free_bytes()

    async def trim(self, lacking_bytes: int, *, used_since: float | None = None) -> int:
        """Give up copies on this machine of what lies elsewhere, as `BlobStore.trim` does; bytes freed."""
        return await self.blobs.trim(lacking_bytes, used_since=used_since)

    async def discard(self, digests: Iterable[str], used_since: float) -> int:
        """Delete those of `digests` that nothing protects, with the finished steps that gave them; bytes freed.

        That nothing protects them is looked at again inside the deleting transaction. A digest that no row knows is
        deleted as well. `used_since` is in seconds since the epoch: what was used after it stays. When the store does
        not answer, or nobody waits any more, what has lost its row stays doomed and the rest stays.
        """

        def forget(connection: sqlite3.Connection, chosen: Sequence[str]) -> dict[str, int]:
            live_keys = {key for (key,) in connection.execute(LIVE_KEYS)}
            gone = {
                digest: _forget(connection, digest)
                for digest in chosen
                if not _protected(connection, digest, used_since, live_keys)
            }
            for digest, size_bytes in gone.items():
                doomed.doom_blob(connection, digest, size_bytes, self._database.clock())
            return gone

        freed, wanted = 0, list(dict.fromkeys(digests))
        for at in range(0, len(wanted), _BATCH):
            batch_freed, stopped = await self._delete_chosen(wanted[at : at + _BATCH], forget)
            freed += batch_freed
            if stopped:
                break
        return freed

    async def delete_doomed(self, digests: Sequence[str]) -> int:
        """Delete those that are doomed, have no row and are not being put; bytes freed. What has a row is spared.

        Raises: StorageUnavailable; what was not deleted stays doomed.
        """

        def choose(connection: sqlite3.Connection, chosen: Sequence[str]) -> dict[str, int]:
            sizes = "SELECT size_bytes FROM doomed WHERE kind = 'blob' AND name = ?"
            left = [digest for digest in chosen if doomed.spare_blob_with_row(connection, digest)]
            found = {digest: connection.execute(sizes, (digest,)).fetchone() for digest in left}
            return {digest: row[0] for digest, row in found.items() if row}

        freed, stopped = await self._delete_chosen(digests, choose)
        if stopped is not None:
            raise stopped
        return freed

    async def _delete_chosen(
        self, digests: Sequence[str], choose: Callable[[sqlite3.Connection, Sequence[str]], dict[str, int]]
    ) -> tuple[int, StorageUnavailable | None]:
        """Delete the bytes that `choose` answers, with their sizes: they have no row and are doomed.

        Returns the bytes freed, and why the rest was left.
        """
        deleting = Deleting(self.blobs)

        async def work() -> None:
            chosen = self._condemn(digests)
            try:
                gone = await self._database.write(lambda connection: choose(connection, chosen))
                try:
                    await deleting.run(gone)
                finally:
                    if deleting.deleted:
                        await self._database.write(
                            lambda connection: doomed.spare(connection, "blob", deleting.deleted)
                        )
            finally:
                self._release(chosen)

        await to_the_end(work(), on_cancel=deleting.stop, patience_s=_PATIENCE_S)
        return deleting.freed_bytes, deleting.away

    async def _lost(self, digest: str, *, damaged: bool = False) -> None:
        """The bytes are not there although they may have a row: the steps that gave them have to run again."""
        await to_the_end(self._forget_lost(digest, damaged))

    async def _forget_lost(self, digest: str, damaged: bool) -> None:
        chosen = self._condemn([digest])
        if not chosen:  # someone is putting or deleting it right now
            return
        try:
            if await self.blobs.has(digest):  # it came back meanwhile
                return
            if await self._database.write(lambda connection: _forget(connection, digest)) and not damaged:
                _log.error("asset_missing", extra={"digest": digest})
        finally:
            self._release(chosen)

    def _condemn(self, digests: Iterable[str]) -> list[str]:
        """Those of `digests` that nobody puts or deletes; until they are released nobody can begin to use them."""
        free = [check_digest(digest) for digest in digests]
        free = [digest for digest in free if digest not in self._incoming and digest not in self._condemned]
        self._condemned |= {digest: asyncio.Event() for digest in free}
        return free

    def _release(self, digests: Iterable[str]) -> None:
        for digest in digests:
            self._condemned.pop(digest).set()
            self._noted.pop(digest, None)

    async def _not_condemned(self, digest: str) -> None:
        check_digest(digest)
        while (over := self._condemned.get(digest)) is not None:
            await over.wait()
