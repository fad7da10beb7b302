"""A backup: the database, the files of the results, the secrets, and an index of it all. Whole, or not there.

<folder>/vidgend-2026-11-26T03-30-00Z/
  vidgend.db                      a copy of one moment
  assets/blobs/ab/abcdef...       what the results show and what users gave (or everything that the store has)
  webhook.secret, url.key         if there are any
  index.jsonl                     what belongs to it, with sizes and SHA-256; the last line closes it

It is made beside a running daemon: the copy is taken inside one read transaction. Files in the store never change, so
on the same file system they are linked, not copied; on another one those of the backup before are.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from vidgend import __version__
from vidgend.errors import AssetDamaged, Conflict, DatabaseDamaged, NotFound, StorageFull
from vidgend.store.assets.local_files import digest_of_file, fsync
from vidgend.store.reading import open_read_only
from vidgend.store.secret_files import SECRETS, write_secret
from vidgend.store.writer import is_full

FORMAT = 1
INDEX = "index.jsonl"
DATABASE = "vidgend.db"
NAME = re.compile(r"vidgend-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(?:-\d+)?")
_PART = re.compile(r"\.vidgend-.*\.part")
_CHUNK_BYTES = 1024 * 1024

TellCount = Callable[[int, int], None]
"""Is told (files done, files in all) now and then."""


@dataclass(frozen=True, kw_only=True)
class Backup:
    """`expired` were deleted by the daemon meanwhile; `lost` should be in the store and are not. `with_files` is False
    where the files lie on S3 and stay there."""

    path: Path
    database_bytes: int
    files: int
    file_bytes: int
    copied_bytes: int
    with_files: bool
    with_cache: bool
    expired: tuple[str, ...]
    lost: tuple[str, ...]


def back_up(
    data_dir: Path,
    assets_root: Path | None,
    folder: Path,
    *,
    with_cache: bool = False,
    clock: Callable[[], float] = time.time,
    progress: TellCount = lambda done, total: None,
) -> Backup:
    """Make a backup inside `folder`. `assets_root` is None where the files lie on S3.

    Raises: NotFound (no database), Conflict (another backup is being made there), StorageFull, DatabaseDamaged,
    OSError, sqlite3.Error. Nothing is left in `folder` then.
    """
    if not (data_dir / DATABASE).is_file():
        raise NotFound(f"there is no database in {data_dir}", hint="Give the daemon's --data-dir.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone_in(folder), _full_disk_is_named(data_dir, folder):
        final = _free_name(folder, clock())
        part = folder / f".{final.name}.part"
        part.mkdir(mode=0o700)
        try:
            writing = _Writing(data_dir, assets_root, part, earlier=newest(folder), progress=progress)
            made = writing.run(final, with_cache=with_cache, now=clock())
            part.replace(final)
            fsync(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    return made


def backups(folder: Path) -> list[Path]:
    """The backups in a folder, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(
        (path for path in folder.iterdir() if NAME.fullmatch(path.name) and (path / INDEX).is_file()), key=_order
    )


def _order(path: Path) -> tuple[str, int]:
    stamp, _, number = path.name.partition("Z")
    return stamp, int(number[1:] or 0)


def newest(folder: Path) -> Path | None:
    found = backups(folder)
    return found[-1] if found else None


def keep_newest(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` backups of a folder; answers what went. Raises: Conflict, OSError."""
    with _alone_in(folder):
        old = backups(folder)[: -keep if keep else None]
        for path in old:
            part = path.with_name(f".{path.name}.part")
            path.replace(part)
            shutil.rmtree(part)
        fsync(folder)
    return old


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One backup at a time in a folder; what a dead one left is removed."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"another backup is being made in {folder}", hint="Wait until it is done.") from None
        for path in folder.iterdir():
            if _PART.fullmatch(path.name):
                shutil.rmtree(path)
        yield
    finally:
        os.close(fd)


@contextmanager
def _full_disk_is_named(data_dir: Path, folder: Path) -> Iterator[None]:
    hint = "Free some space there, or keep fewer backups (--keep)."
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull(f"the file system of {folder} is full", hint=hint) from error
    except sqlite3.OperationalError as error:
        if not is_full(error):
            raise
        if error.sqlite_errorcode == sqlite3.SQLITE_IOERR_SHMSIZE:  # the daemon's log has an index; the copy has none
            raise StorageFull(f"the file system of {data_dir} is full") from error
        raise StorageFull(f"the file system of {folder} is full", hint=hint) from error


def _free_name(folder: Path, now: float) -> Path:
    stamp = datetime.fromtimestamp(now, UTC).strftime("vidgend-%Y-%m-%dT%H-%M-%SZ")
    path, number = folder / stamp, 1
    while path.exists():
        number += 1
        path = folder / f"{stamp}-{number}"
    return path


class _Index:
    """Written line by line, so that a million files need no memory. Its last line counts and hashes those before."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self._lines = 0

    def add(self, line: dict[str, Any]) -> None:
        text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        self._file.write(text)
        self._sha256.update(text)
        self._lines += 1

    def close(self) -> None:
        self.add({"end": self._lines, "sha256": self._sha256.hexdigest()})
        self._file.flush()
        os.fsync(self._file.fileno())


class _Writing:
    def __init__(
        self, data_dir: Path, assets_root: Path | None, part: Path, *, earlier: Path | None, progress: TellCount
    ) -> None:
        self._data_dir = data_dir
        self._root = assets_root
        self._part = part
        self._earlier = earlier
        self._progress = progress
        self._files = self._file_bytes = self._copied_bytes = 0
        self._expired: list[str] = []
        self._lost: list[str] = []
        self._folders: set[Path] = set()

    def run(self, final: Path, *, with_cache: bool, now: float) -> Backup:
        database = self._part / DATABASE
        self._copy_database(database)
        with (self._part / INDEX).open("xb") as file:
            index = _Index(file)
            index.add(
                {
                    "format": FORMAT, "vidgend": __version__, "made_at": now, "files": self._root is not None,
                    "cache": with_cache and self._root is not None,
                }
            )  # fmt: skip
            index.add({"path": DATABASE, "size_bytes": database.stat().st_size, "sha256": digest_of_file(database)})
            for name in SECRETS:
                with contextlib.suppress(FileNotFoundError):
                    path = self._part / name
                    write_secret(path, (self._data_dir / name).read_bytes())
                    index.add({"path": name, "size_bytes": path.stat().st_size, "sha256": digest_of_file(path)})
            if self._root is not None:
                self._take_files(database, index, with_cache)
            index.close()
        for folder in sorted(self._folders, reverse=True):
            fsync(folder)
        fsync(self._part)
        return Backup(
            path=final, database_bytes=database.stat().st_size, files=self._files, file_bytes=self._file_bytes,
            copied_bytes=self._copied_bytes, with_files=self._root is not None, with_cache=with_cache,
            expired=tuple(self._expired), lost=tuple(self._lost),
        )  # fmt: skip

    def _copy_database(self, target: Path) -> None:
        """All pages in one step, so inside one read transaction. VACUUM INTO would do, but on a connection that only
        reads SQLite 3.40 trips over generated columns."""
        source = open_read_only(self._data_dir / DATABASE)
        copy = sqlite3.connect(target, isolation_level=None)
        try:
            source.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file, without a log beside it
            answer = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
        finally:
            copy.close()
            source.close()
        if answer != "ok":
            raise DatabaseDamaged(f"{self._data_dir / DATABASE}: {answer}")
        target.chmod(0o600)
        fsync(target)

    def _take_files(self, database: Path, index: _Index, with_cache: bool) -> None:
        copy = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            wanted = "SELECT digest, size_bytes FROM published"
            if _has_table(copy, "uploads"):
                wanted += " UNION SELECT digest, size_bytes FROM uploads"
            if with_cache and _has_table(copy, "assets"):
                wanted += " UNION SELECT digest, size_bytes FROM assets"
            total = copy.execute(f"SELECT count(DISTINCT digest) FROM ({wanted})").fetchone()[0]
            rows = copy.execute(f"SELECT digest, max(size_bytes) FROM ({wanted}) GROUP BY digest")
            for number, (digest, size_bytes) in enumerate(rows):
                if number % 100 == 0:
                    self._progress(number, total)
                self._take(digest, size_bytes, index)
            self._progress(total, total)
        finally:
            copy.close()

    def _take(self, digest: str, size_bytes: int, index: _Index) -> None:
        place = Path("assets") / "blobs" / digest[:2] / digest
        target = self._part / place
        for folder in reversed(list(target.relative_to(self._part).parents)[:-1]):
            if (path := self._part / folder) not in self._folders:
                path.mkdir(mode=0o700)
                self._folders.add(path)
        assert self._root is not None
        try:
            copied = take_blob(
                self._root / "blobs" / digest[:2] / digest,
                target,
                size_bytes,
                self._earlier / place if self._earlier else None,
            )
        except (FileNotFoundError, AssetDamaged) as error:
            lost = isinstance(error, AssetDamaged) or self._has_row(digest)
            (self._lost if lost else self._expired).append(digest)
            index.add({"missing": digest, "lost": lost})
            return
        index.add({"path": str(place), "size_bytes": size_bytes, "sha256": digest})
        self._files += 1
        self._file_bytes += size_bytes
        self._copied_bytes += size_bytes if copied else 0

    def _has_row(self, digest: str) -> bool:
        """Whether the database of this moment still says that the file is there. Rows go before files do."""
        live = open_read_only(self._data_dir / DATABASE)
        try:
            return any(
                live.execute(f"SELECT 1 FROM {table} WHERE digest = ?", (digest,)).fetchone()
                for table in ("published", "assets", "uploads")
                if _has_table(live, table)
            )
        finally:
            live.close()


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    """A backup is also made before an upgrade; earlier schemas lacked some."""
    return bool(connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (name,)).fetchone())


def take_blob(source: Path, target: Path, size_bytes: int, earlier: Path | None = None) -> bool:
    """Link a file that never changes, else link the earlier copy, else copy it. Answers whether it was copied.

    Raises: FileNotFoundError when there is no source, AssetDamaged when it has another size or content than its name
    says: a backup that links to damaged bytes would be found out when it is needed.
    """
    found = source.stat().st_size
    if found != size_bytes:
        raise AssetDamaged(f"{source} has {found} bytes, not {size_bytes}")
    for known in (source, earlier):
        if known is None:
            continue
        with contextlib.suppress(OSError):
            if known.stat().st_size == size_bytes and digest_of_file(known) == source.name:
                os.link(known, target)
                return False
    sha256 = hashlib.sha256()
    with source.open("rb") as original, target.open("xb") as copy:
        while piece := original.read(_CHUNK_BYTES):
            sha256.update(piece)
            copy.write(piece)
        copy.flush()
        os.fsync(copy.fileno())
    if sha256.hexdigest() != source.name:
        target.unlink()
        raise AssetDamaged(f"{source} is damaged")
    target.chmod(0o444)
    return True
