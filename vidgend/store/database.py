"""SQLite: one writer thread that runs each transaction whole, and aiosqlite for reads.

A write is a plain function of a connection. It runs from BEGIN IMMEDIATE to COMMIT on one dedicated thread
(`writer.py`) and cannot be cut in half by cancelling whoever waits for it: with aiosqlite a cancelled task left its
transaction open and another task's COMMIT published the half-written row (measured; docs/adr/0003). Reads use aiosqlite
on a `query_only` connection.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from vidgend.errors import DataDirLocked, StorageFull
from vidgend.observer import NOBODY, Observer
from vidgend.store import schema
from vidgend.store.writer import BUSY_MS, Writer, WriterLimits, is_full

T = TypeVar("T")
_log = logging.getLogger(__name__)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class DataDir:
    """The lock on a data directory: one vidgend per directory, for the life of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.boot_id = secrets.token_hex(8)
        self._fd: int | None = None

    def acquire(self, on_full: Callable[[], bool] = lambda: False) -> None:
        """Create the directory (0700) and lock it.

        `on_full` is called when there is no space left even for that; if it answers True it has made some.

        Raises: DataDirLocked, StorageFull, OSError.
        """
        try:
            fd = self._open()
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            if not on_full():
                raise StorageFull(f"the file system of {self.path} is full") from error
            fd = self._open()
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(fd, 64, 0).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            raise DataDirLocked(f"{self.path} is in use by process {owner}") from None
        self._fd = fd
        pid = f"{os.getpid()}\n".encode()
        try:
            # Over the old one, which needs no space. The lock is what counts; the number is for people.
            os.pwrite(fd, pid, 0)
            os.ftruncate(fd, len(pid))
        except OSError as error:
            _log.warning("pid_not_written", extra={"error": str(error)})

    def _open(self) -> int:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(self.path / "vidgend.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

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

    def __init__(self, path: Path, clock: Callable[[], float], writer: Writer, observer: Observer = NOBODY) -> None:
        """For `open`."""
        self._observer = observer
        self.path = path
        self.clock = clock
        self._writer = writer
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
        observer: Observer = NOBODY,
    ) -> Database:
        """Open the file or create it, and bring it to the newest schema.

        `on_full` is called on the writer's thread when the disk is full; if it answers True it has made space, and the
        opening or the transaction is tried once more. `check_s` bounds the look for damage after a stop that was not
        clean.

        Raises: SchemaTooNew, DatabaseDamaged, StorageFull, DatabaseUnavailable; sqlite3.Error for a bug.
        """

        def prepared() -> sqlite3.Connection:
            connection = connect(path)
            try:
                schema.prepare(connection, path, check_s=check_s)
            except BaseException:
                connection.close()
                raise
            return connection

        def opened() -> sqlite3.Connection:
            try:
                return prepared()
            except sqlite3.Error as error:
                if not (is_full(error) and on_full is not None and on_full()):
                    raise
            return prepared()

        writer = Writer(path, opened, on_full=on_full, limits=limits or WriterLimits(), observer=observer)
        database = cls(path, clock, writer, observer)
        writer.start()
        try:
            await asyncio.shield(asyncio.wrap_future(writer.opened))
            uri = f"{path.absolute().as_uri()}?mode=ro"
            database._reader = await aiosqlite.connect(uri, uri=True, isolation_level=None)
            for pragma in ("query_only = 1", f"busy_timeout = {BUSY_MS}", "wal_autocheckpoint = 0"):
                await database._reader.execute(f"PRAGMA {pragma}")
        except BaseException as error:
            await database.close()
            if isinstance(error, sqlite3.Error):
                raise schema.named(error, path) from error
            raise
        return database

    async def write(self, transaction: Callable[[sqlite3.Connection], T], *, may_drop_ballast: bool = True) -> T:
        """Run `transaction` whole and wait until it is on the disk. It completes even if the caller is cancelled.

        The ballast can be given up only once. Work that can be done again later leaves it (`may_drop_ballast`) to
        those who say how a job ended.

        Raises: StorageFull, DatabaseDamaged, DatabaseUnavailable; sqlite3.Error for what the statement itself is to
        blame for.
        """
        if self._closed:
            raise sqlite3.ProgrammingError("the database is closed")
        answer: Future[T] = Future()
        answer.set_running_or_notify_cancel()  # from here on it cannot be cancelled any more
        self._writer.put(transaction, answer, may_drop_ballast=may_drop_ballast)
        try:
            return await asyncio.shield(asyncio.wrap_future(answer))
        except sqlite3.Error as error:
            raise schema.named(error, self.path) from error

    def post(self, transaction: Callable[[sqlite3.Connection], object]) -> None:
        """Run `transaction` without waiting for it: for bookkeeping that may get lost. An error is only logged."""
        if not self._closed:
            self._writer.put(transaction, None, may_drop_ballast=False)

    async def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, as plain tuples, with all that was written before it. Raises as `write` does.

        In one go on the reader's thread: a query that is still open when the next begins keeps that one, and whatever
        overlaps with it, at the state of the file that it began with itself.
        """
        assert self._reader is not None
        asked = time.monotonic()
        try:
            rows = [tuple(row) for row in await self._reader.execute_fetchall(sql, parameters)]
            self._observer.has_read(time.monotonic() - asked)
            return rows
        except sqlite3.Error as error:
            raise schema.named(error, self.path) from error

    @contextmanager
    def listening(self, told: Callable[[], None]) -> Iterator[None]:
        """While inside, `told` is called after every commit, on the writer's thread: it has to be quick."""
        self._writer.listeners += (told,)
        try:
            yield
        finally:
            self._writer.listeners = tuple(one for one in self._writer.listeners if one is not told)

    @property
    def wal_bytes(self) -> int:
        """How large the write-ahead log is."""
        return self._writer.wal_bytes()

    @property
    def queued_writes(self) -> int:
        """How many transactions wait for the writer."""
        return self._writer.queued

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
