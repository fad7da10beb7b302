"""Blobs on a local file system. Fsynced, renamed into place, folder fsynced; only then recorded.

<root>/blobs, .vidgend-incoming, quarantine    see local_files.py
<root>/videos/<job_id>/...                     published files (hard links to blobs)

Why not obstore's LocalStore, which would make both adapters one: its `put` copies the bytes into a new file, while here
a finished file is renamed and written once; and it syncs neither the file nor its folder (measured by counting the
calls), so that a row could outlive its bytes in a power cut.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from pathlib import Path

from vidgend.errors import NotFound
from vidgend.store.assets.local_files import LocalFiles, fsync, full_disk_is_named, pieces
from vidgend.store.assets.meter import Meter
from vidgend.store.assets.port import check_name
from vidgend.store.assets.to_the_end import in_thread

_NO_LINKS = (errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
"""A file system without hard links, or one name too many: ext4 allows 65 000 names for a file."""


class FilesystemBlobs:
    scheme = "file"

    def __init__(self, root: Path) -> None:
        self.root = root
        self._meter = Meter()
        self._files = LocalFiles(root, self._meter)
        self._videos = root / "videos"

    async def prepare(self) -> None:
        await asyncio.to_thread(self._prepare)

    def _prepare(self) -> None:
        self._files.prepare()
        self._videos.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def aclose(self) -> None:
        pass

    @property
    def moved_bytes(self) -> int:
        return self._meter.bytes

    def part(self, name: str) -> Path:
        return self._files.part(name)

    async def put(self, path: Path, digest: str) -> None:
        stop = threading.Event()
        await in_thread(self._files.take, path, digest, stop, on_cancel=stop.set)

    async def has(self, digest: str) -> bool:
        return await asyncio.to_thread(self._files.path(digest).exists)

    async def local(self, digest: str) -> Path:
        stop = threading.Event()
        return await in_thread(self._files.check, digest, stop, on_cancel=stop.set)

    def read(self, digest: str, *, first: int = 0, count: int | None = None) -> AsyncGenerator[bytes, None]:
        return pieces(self._files, digest, first, count)

    async def delete(self, digest: str) -> None:
        await in_thread(self._files.delete, digest)

    async def list(self) -> AsyncIterator[tuple[str, int]]:
        for folder in await asyncio.to_thread(self._files.folders):
            for entry in await asyncio.to_thread(self._files.sizes, folder):
                yield entry

    async def publish(self, digest: str, job_id: str, name: str, content_type: str) -> str:
        stop = threading.Event()
        return await in_thread(self._publish, digest, check_name(job_id), check_name(name), stop, on_cancel=stop.set)

    def _publish(self, digest: str, job_id: str, name: str, stop: threading.Event) -> str:
        blob = self._files.check(digest, stop)
        target = self._videos / job_id / name
        part = self._files.part(name)
        with full_disk_is_named():
            target.parent.mkdir(exist_ok=True, mode=0o700)
            fsync(self._videos)
            try:
                os.link(blob, part)
            except FileNotFoundError:
                raise NotFound(f"asset {digest} is gone") from None
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                try:
                    self._files.copy(blob, part, stop)
                except BaseException:
                    part.unlink(missing_ok=True)
                    raise
            try:
                part.replace(target)
            finally:
                # Renaming one name of a file onto another name of the same file does nothing at all.
                part.unlink(missing_ok=True)
            fsync(target.parent)
        return target.resolve().as_uri()

    async def unpublish(self, job_id: str) -> None:
        await in_thread(self._unpublish, self._videos / check_name(job_id))

    def _unpublish(self, folder: Path) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)

    async def published(self) -> AsyncIterator[str]:
        for job_id in await asyncio.to_thread(os.listdir, self._videos):
            yield job_id

    async def link(self, job_id: str, name: str, life_s: float) -> str | None:
        return None

    async def trim(self, lacking_bytes: int, *, used_since: float | None = None) -> int:
        return 0

    def free_bytes(self) -> int | None:
        return shutil.disk_usage(self.root).free
