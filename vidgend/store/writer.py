"""The one thread that writes to SQLite: whole transactions, many of them in one commit, and the log kept small.

What is queued while a commit waits for the disk goes into the next commit together, each transaction in its own
SAVEPOINT: a failing one is rolled back alone. Nobody is answered before COMMIT has returned. If the whole of it is
rolled back (a full disk does that), each is run again by itself, so that everyone gets the outcome that is their own.

After a failed write or sync nobody knows what is on the disk: Linux takes the lost pages for clean, and the next sync
says "done" without writing them. So the transactions of that commit are answered with the error and not tried again,
and the next one waits until a checkpoint has written the whole log into the database file, synced that, and emptied
the log. Only then are commits built on it. (An error means "not promised": if the process dies in that very moment,
the transaction may still be found afterwards.)
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidgend.observer import NOBODY, Commit, Observer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class WriterLimits:
    """How commits are grouped and how large the write-ahead log may get."""

    batch: int = 256
    """Transactions in one commit, at most."""
    idle_s: float = 2.0
    """After so long without a write, a log above `idle_wal_bytes` is emptied."""
    idle_wal_bytes: int = 4 * 2**20
    warn_wal_bytes: int = 256 * 2**20
    warn_every_s: float = 60.0
    checkpoint_busy_ms: int = 100
    """How long emptying the log may wait for a reader, and so hold up a write."""


BUSY_MS = 30_000
_LOOK_EVERY = 100
"""Commits between two looks at the log's size while it is never idle."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Item:
    transaction: Callable[[sqlite3.Connection], Any]
    answer: Future[Any] | None
    may_drop_ballast: bool
    asked_at: float

    def succeed(self, value: Any) -> None:
        if self.answer is not None:
            self.answer.set_result(value)

    def fail(self, error: BaseException) -> None:
        if self.answer is not None:
            self.answer.set_exception(error)
        else:
            _log.warning("database_post_failed", extra={"error": f"{type(error).__name__}: {error}"})


def is_full(error: BaseException) -> bool:
    """Whether there is no space left. The log's index file says so in words of its own."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE


def _is_io(error: BaseException) -> bool:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_IOERR and not is_full(error)


def empty_log(connection: sqlite3.Connection, busy_ms: int) -> bool:
    """Write the log into the database file, sync that, empty the log. False if a reader still needs the log."""
    connection.execute(f"PRAGMA busy_timeout = {busy_ms}").fetchall()
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}").fetchall()
    return not busy


class Writer:
    """Runs transactions one after the other on its own thread, which also opens and closes the connection."""

    def __init__(
        self,
        path: Path,
        connect: Callable[[], sqlite3.Connection],
        *,
        on_full: Callable[[], bool] | None,
        limits: WriterLimits,
        observer: Observer = NOBODY,
    ) -> None:
        self._observer = observer
        self._wal = path.with_name(f"{path.name}-wal")
        self._connect = connect
        self._on_full = on_full
        self._limits = limits
        self._work: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._warned_at = float("-inf")
        self._untidy = True
        self.opened: Future[None] = Future()
        self.listeners: tuple[Callable[[], None], ...] = ()
        """Called on this thread after every commit; they must be quick and raise nothing."""
        self.trouble: str | None = None
        """The I/O error after which the disk could not yet be trusted again."""

    def start(self) -> None:
        self.opened.set_running_or_notify_cancel()
        self._thread.start()

    def put(
        self,
        transaction: Callable[[sqlite3.Connection], Any],
        answer: Future[Any] | None,
        *,
        may_drop_ballast: bool,
    ) -> None:
        item = _Item(
            transaction=transaction, answer=answer, may_drop_ballast=may_drop_ballast, asked_at=time.monotonic()
        )
        self._work.put(item)

    def stop(self) -> None:
        """Ask the thread to end when everything that is queued is done."""
        self._work.put(None)

    def join(self) -> None:
        self._thread.join()

    @property
    def queued(self) -> int:
        """How many transactions wait."""
        return self._work.qsize()

    def wal_bytes(self) -> int:
        try:
            return self._wal.stat().st_size
        except FileNotFoundError:
            return 0

    def _serve(self) -> None:
        try:
            self._connection = connection = self._connect()
        except BaseException as error:  # noqa: BLE001  handed to whoever opens; this thread has no other voice
            self.opened.set_exception(error)
            return
        self.opened.set_result(None)
        for turn in itertools.count(1):
            if not (batch := self._take()):
                break
            self._untidy = True
            self._together(batch) if len(batch) > 1 else self._alone(batch[0])
            if turn % _LOOK_EVERY == 0:
                self._warn_if_large(self.wal_bytes())
        with contextlib.suppress(sqlite3.Error):  # a full disk; the next start does it
            empty_log(connection, self._limits.checkpoint_busy_ms)
        with contextlib.suppress(sqlite3.Error):
            connection.close()

    def _take(self) -> list[_Item]:
        """What is queued, at most `batch`; nothing when it is time to end. Waits, and tidies the log while idle."""
        while True:
            try:
                item = self._work.get(timeout=self._limits.idle_s if self._untidy else None)
                break
            except queue.Empty:
                self._tidy()
        batch: list[_Item] = []
        with contextlib.suppress(queue.Empty):
            while item is not None:
                batch.append(item)
                if len(batch) == self._limits.batch:
                    return batch
                item = self._work.get_nowait()
            if batch:
                self._work.put(None)  # end after this batch; nothing is queued behind the end
        return batch

    def _tidy(self) -> None:
        """Nothing was written for a while: empty the log if it is large, or if the disk is in doubt."""
        size_bytes = self.wal_bytes()
        self._warn_if_large(size_bytes)
        if size_bytes <= self._limits.idle_wal_bytes and self.trouble is None:
            self._untidy = False
            return
        with contextlib.suppress(sqlite3.Error):  # tried again after the next pause
            if empty_log(self._connection, self._limits.checkpoint_busy_ms):
                self._recovered()

    def _warn_if_large(self, size_bytes: int) -> None:
        if size_bytes <= self._limits.warn_wal_bytes:
            return
        now = time.monotonic()
        if now - self._warned_at >= self._limits.warn_every_s:
            self._warned_at = now
            _log.warning("wal_large", extra={"wal_bytes": size_bytes, "hint": "something reads without an end"})

    def _together(self, batch: list[_Item]) -> None:
        """Run a batch as one commit, or each by itself if that cannot be."""
        connection = self._connection
        outcomes: list[tuple[_Item, Any, BaseException | None]] = []
        began = time.monotonic()
        try:
            self._trust_the_disk()
            connection.execute("BEGIN IMMEDIATE")
            for item in batch:
                connection.execute("SAVEPOINT one")
                try:
                    value = item.transaction(connection)
                    connection.execute("RELEASE one")
                except BaseException as error:
                    if not connection.in_transaction or is_full(error) or _is_io(error):
                        raise
                    connection.execute("ROLLBACK TO one")
                    connection.execute("RELEASE one")
                    outcomes.append((item, None, error))
                else:
                    outcomes.append((item, value, None))
            self._commit(batch, began)
        except BaseException as error:  # noqa: BLE001  handed to the callers
            self._undo(error)
            for item in batch:
                if _is_io(error):
                    item.fail(error)
                else:
                    self._alone(item)
            return
        for item, value, failure in outcomes:
            if failure is None:
                item.succeed(value)
            else:
                item.fail(failure)

    def _alone(self, item: _Item) -> None:
        try:
            try:
                value = self._run(item)
            except sqlite3.Error as error:
                on_full = self._on_full if item.may_drop_ballast else None
                if not (is_full(error) and on_full is not None and on_full()):
                    raise
                value = self._run(item)
        except BaseException as error:  # noqa: BLE001  handed to the caller
            item.fail(error)
        else:
            item.succeed(value)

    def _run(self, item: _Item) -> Any:
        began = time.monotonic()
        try:
            self._trust_the_disk()
            self._connection.execute("BEGIN IMMEDIATE")
            value = item.transaction(self._connection)
            self._commit([item], began)
        except BaseException as error:
            self._undo(error)
            raise
        return value

    def _commit(self, batch: list[_Item], began: float) -> None:
        ran = time.monotonic()
        self._connection.execute("COMMIT")
        self._observer.committed(
            Commit(
                transactions=len(batch),
                waited_s=began - batch[0].asked_at,
                run_s=ran - began,
                commit_s=time.monotonic() - ran,
            )
        )
        for told in self.listeners:
            told()

    def _undo(self, error: BaseException) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:  # SQLite rolls back by itself when the disk is full
                self._connection.execute("ROLLBACK")
        if _is_io(error):
            self._observer.commit_failed()
            if self.trouble is None:
                _log.error("database_io_error", extra={"error": str(error), "hint": "the disk may be failing"})
            self.trouble = str(error)

    def _trust_the_disk(self) -> None:
        """After an I/O error: go on only when everything that was promised is in the database file and synced."""
        if self.trouble is None:
            return
        if not empty_log(self._connection, self._limits.checkpoint_busy_ms):
            raise sqlite3.OperationalError(f"the database waits for a reader to end, after: {self.trouble}")
        self._recovered()

    def _recovered(self) -> None:
        if self.trouble is not None:
            _log.warning("database_io_recovered", extra={"error": self.trouble})
            self.trouble = None
