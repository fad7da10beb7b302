"""SQLite: one writer thread that runs each transaction whole, and aiosqlite for reads.

A write is a plain function of a connection. It runs from BEGIN IMMEDIATE to COMMIT on one dedicated thread
(`writer.py`) and cannot be cut in half by cancelling whoever waits for it: with aiosqlite a cancelled task left its
transaction open and another task's COMMIT published the half-written row (measured; docs/adr/0003). Reads use aiosqlite
on a `query_only` connection.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from vidgend.errors import DatabaseDamaged, DataDirLocked, StorageFull
from vidgend.store import schema
from vidgend.store.writer import BUSY_MS, Writer, WriterLimits, is_full

T = TypeVar("T")


class DataDir:
    """The lock on a data directory: one vidgend per directory, for the life of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.boot_id = secrets.token_hex(8)
        self._fd: int | None = None

    def acquire(self) -> None:
        """Create the directory (0700) and lock it. Raises: DataDirLocked."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(self.path / "vidgend.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(fd, 64, 0).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            raise DataDirLocked(f"{self.path} is in use by process {owner}") from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class Database:
    """Open with `await Database.open(path)`, close with `await close()`.

    Times in the database are seconds since the epoch, UTC (`clock`).

    A transaction function runs on the writer's thread, and it may run a second time (when the commit that it shared
    with others failed, or when space was made on a full disk): it has no effects but those on the connection. It leaves
    BEGIN, COMMIT and ROLLBACK alone.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.time,
        *,
        on_full: Callable[[], bool] | None = None,
        connect: Callable[[Path], sqlite3.Connection] = schema.connect,
        limits: WriterLimits | None = None,
        check_s: float = 0.5,
    ) -> None:
        self.path = path
        self.clock = clock

        def prepared() -> sqlite3.Connection:
            connection = connect(path)
            try:
                schema.prepare(connection, path, check_s=check_s)
            except BaseException:
                connection.close()
                raise
            return connection

        self._writer = Writer(path, prepared, on_full=on_full, limits=limits or WriterLimits())
        self._reader: aiosqlite.Connection | None = None
        self._closed = False

    @classmethod
    async def open(
        cls,
        path: Path,
        clock: Callable[[], float] = time.time,
        *,
        on_full: Callable[[], bool] | None = None,
        connect: Callable[[Path], sqlite3.Connection] = schema.connect,
        limits: WriterLimits | None = None,
        check_s: float = 0.5,
    ) -> Database:
        """Open the file or create it, and bring it to the newest schema.

        `on_full` is called on the writer's thread when the disk is full; if it answers True it has made space, and the
        transaction is run once more. `check_s` bounds the look for damage after a stop that was not clean.

        Raises: SchemaTooNew, DatabaseDamaged, StorageFull, sqlite3.Error.
        """
        database = cls(path, clock, on_full=on_full, connect=connect, limits=limits, check_s=check_s)
        database._writer.start()
        try:
            await asyncio.shield(asyncio.wrap_future(database._writer.opened))
            uri = f"{path.absolute().as_uri()}?mode=ro"
            database._reader = await aiosqlite.connect(uri, uri=True, isolation_level=None)
            for pragma in ("query_only = 1", f"busy_timeout = {BUSY_MS}", "wal_autocheckpoint = 0"):
                await database._reader.execute(f"PRAGMA {pragma}")
        except BaseException:
            await database.close()
            raise
        return database

    async def write(self, transaction: Callable[[sqlite3.Connection], T]) -> T:
        """Run `transaction` whole and wait until it is on the disk. It completes even if the caller is cancelled.

        Raises: StorageFull when the disk is full, DatabaseDamaged, sqlite3.Error otherwise.
        """
        if self._closed:
            raise sqlite3.ProgrammingError("the database is closed")
        answer: Future[T] = Future()
        answer.set_running_or_notify_cancel()  # from here on it cannot be cancelled any more
        self._writer.put(transaction, answer)
        try:
            return await asyncio.shield(asyncio.wrap_future(answer))
        except sqlite3.Error as error:
            if is_full(error):
                raise StorageFull("the database's file system is full") from error
            if schema.is_damaged(error):
                raise DatabaseDamaged(f"{self.path}: {error}") from error
            raise

    def post(self, transaction: Callable[[sqlite3.Connection], object]) -> None:
        """Run `transaction` without waiting for it: for bookkeeping that may get lost. An error is only logged."""
        if not self._closed:
            self._writer.put(transaction, None)

    async def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, as plain tuples. Raises: DatabaseDamaged, sqlite3.Error."""
        assert self._reader is not None
        try:
            async with self._reader.execute(sql, parameters) as cursor:
                return [tuple(row) for row in await cursor.fetchall()]
        except sqlite3.Error as error:
            if schema.is_damaged(error):
                raise DatabaseDamaged(f"{self.path}: {error}") from error
            raise

    @property
    def wal_bytes(self) -> int:
        """How large the write-ahead log is."""
        return self._writer.wal_bytes()

    @property
    def trouble(self) -> str | None:
        """The I/O error that the writer has not got over yet; until then no write is taken."""
        return self._writer.trouble

    async def close(self) -> None:
        """Finish what is queued, checkpoint, end the thread."""
        self._closed = True
        if self._reader is not None:
            await self._reader.close()
            self._reader = None
        self._writer.stop()
        await asyncio.to_thread(self._writer.join)
