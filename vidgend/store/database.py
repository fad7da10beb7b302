"""SQLite: one writer thread that runs each transaction whole, and aiosqlite for reads.

A write is a plain function of a connection. It runs from BEGIN IMMEDIATE to COMMIT on one dedicated thread and
cannot be cut in half by cancelling whoever waits for it: with aiosqlite a cancelled task left its transaction open
and another task's COMMIT published the half-written row (measured; docs/adr/0003). Reads use aiosqlite on
a `query_only` connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from vidgend.errors import DataDirLocked, SchemaTooNew, StorageFull

T = TypeVar("T")

_PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA busy_timeout = 30000;
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA temp_store = MEMORY;
PRAGMA wal_autocheckpoint = 1000;
PRAGMA journal_size_limit = 67108864;
"""


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


def _migrations() -> list[str]:
    folder = resources.files("vidgend.store") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text() for name in names]


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    scripts = _migrations()
    if version > len(scripts):
        raise SchemaTooNew(f"{path} has schema {version}; this vidgend knows up to {len(scripts)}")
    if 0 < version < len(scripts):
        copy = path.with_name(f"{path.name}.before-{len(scripts)}")
        copy.unlink(missing_ok=True)
        connection.execute("VACUUM INTO ?", (str(copy),))
    for number, script in enumerate(scripts[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in script.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


class Database:
    """Open with `await Database.open(path)`, close with `await close()`.

    Times in the database are seconds since the epoch, UTC (`clock`).
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.clock = clock
        self._work: queue.SimpleQueue[tuple[Callable[[sqlite3.Connection], Any], Future[Any]] | None]
        self._work = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._opened: Future[None] = Future()
        self._reader: aiosqlite.Connection | None = None
        self._closed = False

    @classmethod
    async def open(cls, path: Path, clock: Callable[[], float] = time.time) -> Database:
        """Raises: SchemaTooNew, sqlite3.DatabaseError."""
        database = cls(path, clock)
        database._thread.start()
        await asyncio.wrap_future(database._opened)
        reader = aiosqlite.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            database._reader = await reader
            await database._reader.execute("PRAGMA query_only = 1")
            await database._reader.execute("PRAGMA busy_timeout = 30000")
        except BaseException:
            await database.close()
            raise
        return database

    def _serve(self) -> None:
        try:
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            for pragma in _PRAGMAS.strip().splitlines():
                connection.execute(pragma).fetchall()
            _migrate(connection, self.path)
        except BaseException as error:  # noqa: BLE001  handed to whoever opens; this thread has no other voice
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        while (item := self._work.get()) is not None:
            job, answer = item
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    value = job(connection)
                except BaseException:
                    if connection.in_transaction:  # SQLite rolls back by itself when the disk is full
                        connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            except BaseException as error:  # noqa: BLE001  handed to the caller
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                answer.set_exception(error)
            else:
                answer.set_result(value)
        with contextlib.suppress(sqlite3.OperationalError):  # a full disk; the next start does it
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.close()

    async def write(self, transaction: Callable[[sqlite3.Connection], T]) -> T:
        """Run `transaction` whole and wait until it is on the disk. It completes even if the caller is cancelled.

        Raises: StorageFull when the disk is full, sqlite3.Error otherwise.
        """
        if self._closed:
            raise sqlite3.ProgrammingError("the database is closed")
        answer: Future[T] = Future()
        self._work.put((transaction, answer))
        try:
            return await asyncio.shield(asyncio.wrap_future(answer))
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise StorageFull("the database's file system is full") from error
            raise

    async def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, as plain tuples."""
        assert self._reader is not None
        async with self._reader.execute(sql, parameters) as cursor:
            return [tuple(row) for row in await cursor.fetchall()]

    async def close(self) -> None:
        """Finish what is queued, checkpoint, end the thread."""
        self._closed = True
        if self._reader is not None:
            await self._reader.close()
            self._reader = None
        self._work.put(None)
        await asyncio.to_thread(self._thread.join)
