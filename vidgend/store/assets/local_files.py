"""Files named by their SHA-256 in one folder: handed in whole, checked before they are handed out.

<root>/blobs/ab/abcdef...   the bytes, read-only
<root>/.vidgend-incoming/   on its way in; emptied at start
<root>/quarantine/          what did not match its name, kept for looking at
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import shutil
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from vidgend.errors import AssetDamaged, NotFound, StorageFull
from vidgend.store.assets.meter import Meter
from vidgend.store.assets.port import CHUNK_BYTES, check_digest
from vidgend.store.assets.to_the_end import in_thread

_log = logging.getLogger(__name__)

INCOMING = ".vidgend-incoming"
"""The root may be a folder of the user's, so what is emptied has a name that cannot be anyone else's."""
_HASH_BYTES = 1024 * 1024
_MAX_CHECKED = 50_000
"""How many files are remembered as checked. A few hundred bytes each; after that all are checked anew."""
_DAMAGE = (errno.EIO, errno.EILSEQ, getattr(errno, "EUCLEAN", errno.EIO))


class Stopped(Exception):
    """Whoever wanted this has gone."""


@contextmanager
def full_disk_is_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("the asset store's file system is full") from error
        raise


def fsync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _check(stop: threading.Event | None) -> None:
    if stop is not None and stop.is_set():
        raise Stopped


def digest_of(file: FileIO, stop: threading.Event | None = None, meter: Meter | None = None) -> str:
    """SHA-256 of the whole file, in flat memory. Raises: Stopped."""
    file.seek(0)
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_HASH_BYTES))
    while count := file.readinto(buffer):
        digest.update(buffer[:count])
        if meter is not None:
            meter.add(count)
        _check(stop)
    return digest.hexdigest()


def digest_of_file(path: Path) -> str:
    """Raises: OSError."""
    with path.open("rb", buffering=0) as file:
        return digest_of(file)


class LocalFiles:
    """Everything here blocks; it is called in threads, from several at once."""

    def __init__(self, root: Path, meter: Meter) -> None:
        self.root = root
        self.meter = meter
        self.blobs = root / "blobs"
        self.incoming = root / INCOMING
        self.quarantine = root / "quarantine"
        self._checked: dict[str, tuple[int, int, int]] = {}
        self._synced: set[str] = set()
        """Folders whose own names are known to be on the disk."""
        self.moves = threading.Lock()
        """Held while a name gets or loses its file, never while bytes are read or written."""

    def prepare(self) -> None:
        shutil.rmtree(self.incoming, ignore_errors=True)
        for folder in (self.blobs, self.incoming):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fsync(self.root)

    def path(self, digest: str) -> Path:
        """Raises: NotFound if this is no digest."""
        return self.blobs / check_digest(digest)[:2] / digest

    def part(self, name: str) -> Path:
        """A fresh name for something on its way in."""
        return self.incoming / f"{name}.{threading.get_ident()}.{time.monotonic_ns()}.part"

    def take(self, path: Path, digest: str, stop: threading.Event | None = None) -> None:
        """Move a file in whose content is known to be `digest`. Raises: StorageFull, Stopped."""
        target = self.path(digest)
        with full_disk_is_named():
            self._make(target.parent)
            if self.holds(digest, stop):
                fsync(target.parent)  # whoever put it may have died before
                path.unlink()
                return
            fsync(path)
            _check(stop)
            path.chmod(0o444)
            try:
                self.place(path, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                part = self.part(digest)
                try:
                    self.copy(path, part, stop)
                    self.place(part, target)
                finally:
                    part.unlink(missing_ok=True)
                path.unlink()

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            if folder.name in self._synced:
                return
        fsync(self.blobs)
        self._synced.add(folder.name)

    def place(self, path: Path, target: Path) -> None:
        """Rename a file whose content is known into its name."""
        with self.moves:
            path.replace(target)
            self._remember(target.name, target.stat())
        fsync(target.parent)

    def copy(self, path: Path, part: Path, stop: threading.Event | None = None) -> None:
        """Write the same bytes to a new file, durably and read-only. Raises: Stopped."""
        with path.open("rb") as source, part.open("xb") as copy:
            while piece := source.read(_HASH_BYTES):
                copy.write(piece)
                self.meter.add(len(piece))
                _check(stop)
            copy.flush()
            os.fsync(copy.fileno())
        part.chmod(0o444)

    def holds(self, digest: str, stop: threading.Event | None = None) -> bool:
        """Whether the bytes are there and right. Damaged ones are put aside first."""
        try:
            self.check(digest, stop)
        except NotFound:
            return False
        return True

    def check(self, digest: str, stop: threading.Event | None = None) -> Path:
        """The path of the file, after its content was checked. Raises as `open` does."""
        self.open(digest, stop).close()
        return self.path(digest)

    def open(self, digest: str, stop: threading.Event | None = None) -> FileIO:
        """The file, opened after its content was checked: once per process and file.

        Raises: NotFound, AssetDamaged, Stopped.
        """
        path = self.path(digest)
        try:
            file = path.open("rb", buffering=0)
        except FileNotFoundError:
            raise NotFound(f"asset {digest} is gone") from None
        try:
            stat = os.fstat(file.fileno())
            if self._checked.get(digest) == _identity(stat):
                return file
            try:
                found = digest_of(file, stop, self.meter)
            except OSError as error:
                if error.errno not in _DAMAGE:
                    raise
                found = f"unreadable ({error.strerror})"
            if found != digest:
                self._put_aside(path, stat, found)
                raise AssetDamaged(f"asset {digest} was damaged and has been put aside")
            self._remember(digest, stat)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def _put_aside(self, path: Path, stat: os.stat_result, found: str) -> None:
        with self.moves:
            try:
                if _identity(path.stat()) != _identity(stat):  # another one lies there by now
                    return
            except FileNotFoundError:
                return
            self.put_aside(path, path.name, found)

    def put_aside(self, path: Path, digest: str, found: str) -> None:
        """Keep a file that is not what its name says for looking at."""
        self.quarantine.mkdir(exist_ok=True, mode=0o700)
        size_bytes = path.stat().st_size
        path.replace(self.quarantine / f"{digest}.{time.time_ns()}")
        _log.error("asset_damaged", extra={"digest": digest, "found": found, "size_bytes": size_bytes})

    def _remember(self, digest: str, stat: os.stat_result) -> None:
        if len(self._checked) >= _MAX_CHECKED:
            self._checked.clear()
        self._checked[digest] = _identity(stat)

    def folders(self) -> list[Path]:
        return [folder for folder in self.blobs.iterdir() if folder.is_dir()]

    @staticmethod
    def sizes(folder: Path) -> list[tuple[str, int]]:
        """(digest, size in bytes) of the blobs in one folder."""
        found = []
        for path in folder.iterdir():
            with suppress(NotFound, FileNotFoundError):
                found.append((check_digest(path.name), path.stat().st_size))
        return found

    def delete(self, digest: str) -> None:
        with self.moves:
            self.path(digest).unlink(missing_ok=True)
            self._checked.pop(digest, None)


def _identity(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


async def pieces(files: LocalFiles, digest: str, first: int, count: int | None) -> AsyncGenerator[bytes, None]:
    """The bytes of a checked file, read in threads. Raises: NotFound, AssetDamaged."""
    stop = threading.Event()
    opened: list[FileIO] = []
    try:
        await in_thread(lambda: opened.append(files.open(digest, stop)), on_cancel=stop.set)
        [file] = opened
        await asyncio.to_thread(file.seek, first)
        while count is None or count > 0:
            piece = await in_thread(file.read, CHUNK_BYTES if count is None else min(CHUNK_BYTES, count))
            if not piece:
                break
            files.meter.add(len(piece))
            if count is not None:
                count -= len(piece)
            yield piece
    finally:
        for file in opened:
            file.close()
