"""A disk that forgets: SQLite runs over it, and at any moment one can ask what a power cut would leave.

Every write goes to a real file (what running processes see) and to a list of what is not synced yet. A sync makes a
file's list durable. A file's name is durable only when its directory was synced, which SQLite does with the first sync
of a journal and when it is told to delete one durably; until then a deleted file may come back and a new one may be gone.

`DiskConnection` looks like sqlite3's connection, so that the real `Database` and everything on top run over such a disk.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import apsw

_JOURNALS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
_SECTOR_BYTES = 512
_numbers = itertools.count()


@dataclass
class _Content:
    """A file's bytes on the medium, and what was done to it since the last sync."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """(offset, bytes), or (size, None) where it was cut to a size."""

    def sync(self) -> None:
        for change in self.pending:
            _apply(self.durable, change)
        self.pending.clear()


def _apply(content: bytearray, change: tuple[int, bytes | None]) -> None:
    at, data = change
    if data is None:
        del content[at:]
        return
    content.extend(bytes(max(0, at - len(content))))
    content[at : at + len(data)] = data


@dataclass(frozen=True)
class Cut:
    """What a power cut at one moment leaves, and what was promised by then."""

    files: dict[str, bytes]
    promised: int
    checkpoints: int

    def restore(self, folder: Path) -> None:
        folder.mkdir()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


class ForgetfulDisk(apsw.VFS):
    """One folder on such a disk. `before_change` is called on the writing thread before each change."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.seen: dict[str, _Content] = {}
        """What processes see in the folder."""
        self.kept: dict[str, _Content] = {}
        """What the folder on the medium lists."""
        self.before_change: Callable[[], None] = lambda: None
        self.syncs = 0
        self.checkpoints = 0
        """How often the database file itself was synced."""
        self.fail_sync: Callable[[int], bool] = lambda number: False
        self.on_failed_sync: Callable[[], None] = lambda: None
        self.synchronous = "FULL"
        self.name = f"forgetful-{next(_numbers)}"
        super().__init__(self.name, "unix")

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        assert path.parent == self.folder
        if path.name not in self.seen:
            assert not path.exists()
            self.before_change()
            self.seen[path.name] = _Content()
        return _File(self, path.name, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.before_change()
        super().xDelete(filename, syncdir)
        self.seen.pop(Path(filename).name, None)
        if syncdir:
            self.sync_folder()

    def sync_folder(self) -> None:
        self.kept = dict(self.seen)

    def cut(self, promised: int) -> Cut:
        """Either nothing that was not synced is left, or any part of it, in any order, torn at any sector."""
        mercy = self.random.random() < 0.5
        listed = dict(self.kept)
        if mercy:
            for name in self.kept.keys() | self.seen.keys():
                if self.random.random() < 0.5:
                    listed.pop(name, None)
                    if name in self.seen:
                        listed[name] = self.seen[name]
        files = {}
        for name, content in listed.items():
            left = bytearray(content.durable)
            for at, data in content.pending if mercy else ():
                if self.random.random() < 0.5:
                    continue
                if data is not None and self.random.random() < 0.3:
                    data = data[: self.random.randrange(0, len(data) + 1, _SECTOR_BYTES)]
                _apply(left, (at, data))
            files[name] = bytes(left)
        return Cut(files, promised, self.checkpoints)

    def after_a_kill(self, folder: Path) -> ForgetfulDisk:
        """The same disk for a new process: it sees everything that was written, although not all of it is durable."""
        shutil.copytree(self.folder, folder)
        other = ForgetfulDisk(folder, self.random.randrange(2**30))
        other.seen, other.kept = copy.deepcopy((self.seen, self.kept))
        return other

    def connect(self, path: Path) -> sqlite3.Connection:
        """For `Database.open(connect=...)`. Exclusive, because a shim has no shared memory for the log's index."""
        connection = DiskConnection(self, path)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        return cast("sqlite3.Connection", connection)


class _File(apsw.VFSFile):
    def __init__(self, disk: ForgetfulDisk, short: str, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._short = short
        self._content = disk.seen[short]
        self._names_too = bool(flags[0] & _JOURNALS and flags[0] & apsw.SQLITE_OPEN_CREATE)
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.before_change()
        super().xWrite(data, offset)
        self._content.pending.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        self._disk.before_change()
        super().xTruncate(newsize)
        self._content.pending.append((newsize, None))

    def xSync(self, flags: int) -> None:
        self._disk.before_change()
        self._disk.syncs += 1
        if self._disk.fail_sync(self._disk.syncs):
            # As Linux does it: the pages count as clean from now on, and the next sync will not write them.
            self._content.pending.clear()
            self._disk.on_failed_sync()
            error = apsw.IOError("the sync failed")
            error.extendedresult = apsw.SQLITE_IOERR_FSYNC  # type: ignore[attr-defined]
            raise error
        self._content.sync()
        if self._names_too:
            self._names_too = False
            self._disk.sync_folder()
        if "-" not in self._short:
            self._disk.checkpoints += 1


def _as_sqlite3(error: apsw.Error) -> sqlite3.Error:
    code: int = getattr(error, "extendedresult", 0) or getattr(error, "result", 0)
    kind: type[sqlite3.Error] = sqlite3.OperationalError
    if code & 0xFF == apsw.SQLITE_CONSTRAINT:
        kind = sqlite3.IntegrityError
    elif code & 0xFF in (apsw.SQLITE_CORRUPT, apsw.SQLITE_NOTADB):
        kind = sqlite3.DatabaseError
    twin = kind(str(error))
    twin.sqlite_errorcode = code
    return twin


class DiskCursor:
    def __init__(self, cursor: apsw.Cursor, rowcount: int, lastrowid: int) -> None:
        self._cursor = cursor
        self.rowcount = rowcount
        self.lastrowid = lastrowid

    def fetchone(self) -> Any:
        try:
            return self._cursor.fetchone()
        except apsw.Error as error:
            raise _as_sqlite3(error) from error

    def fetchall(self) -> list[Any]:
        try:
            return list(self._cursor.fetchall())
        except apsw.Error as error:
            raise _as_sqlite3(error) from error

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())


class DiskConnection:
    """As much of sqlite3.Connection as the store uses."""

    def __init__(self, disk: ForgetfulDisk, path: Path) -> None:
        self._disk = disk
        self._connection = apsw.Connection(str(path), vfs=disk.name)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> DiskCursor:
        if sql.startswith("PRAGMA synchronous"):
            sql = f"PRAGMA synchronous = {self._disk.synchronous}"
        try:
            cursor = self._connection.execute(sql, parameters)
            return DiskCursor(cursor, self._connection.changes(), self._connection.last_insert_rowid())
        except apsw.Error as error:
            raise _as_sqlite3(error) from error

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> DiskCursor:
        before = self._connection.total_changes()
        try:
            cursor = self._connection.executemany(sql, rows)
            return DiskCursor(cursor, self._connection.total_changes() - before, self._connection.last_insert_rowid())
        except apsw.Error as error:
            raise _as_sqlite3(error) from error

    def interrupt(self) -> None:
        self._connection.interrupt()

    def close(self) -> None:
        with contextlib.suppress(apsw.IOError):  # SQLite passes over a failed last checkpoint; apsw tells of it
            self._connection.close()
