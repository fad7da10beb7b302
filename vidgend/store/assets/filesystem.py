"""The asset store on a local file system. Written as `.part`, fsynced, renamed, then recorded.

<root>/blobs/ab/abcdef...      bytes, named by their SHA-256
<root>/steps/ab/abcdef....json manifests, named by their step's key
<root>/videos/<job_id>/...     published files (hard links to blobs)
<root>/tmp/                    on its way in; emptied at start
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vidgend.errors import NotFound, StorageFull

_DIGEST = re.compile(r"[0-9a-f]{64}")


@contextmanager
def _full_disk_is_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("the asset store's file system is full") from error
        raise


def _fsync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class FilesystemAssets:
    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "blobs"
        self._steps = root / "steps"
        self._videos = root / "videos"
        self._tmp = root / "tmp"

    def prepare(self) -> None:
        """Create the folders and empty `tmp`. Blocking; called once before the loop starts work."""
        shutil.rmtree(self._tmp, ignore_errors=True)
        for folder in (self._blobs, self._steps, self._videos, self._tmp):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _blob(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise NotFound(f"no such asset: {digest[:80]!r}")
        return self._blobs / digest[:2] / digest

    def _manifest(self, key: str) -> Path:
        assert _DIGEST.fullmatch(key), key
        return self._steps / key[:2] / f"{key}.json"

    async def put(self, path: Path) -> str:
        return await asyncio.to_thread(self._put, path)

    def _put(self, path: Path) -> str:
        with _full_disk_is_named():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                os.fsync(file.fileno())
            target = self._blob(digest)
            if self._touch(target):
                path.unlink()
                return digest
            if not target.parent.exists():
                target.parent.mkdir(exist_ok=True, mode=0o700)
                _fsync(self._blobs)
            try:
                path.replace(target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                part = self._tmp / f"{digest}.{time.monotonic_ns()}.part"
                shutil.copyfile(path, part)
                _fsync(part)
                part.replace(target)
                path.unlink()
            target.chmod(0o444)
            _fsync(target.parent)
            return digest

    @staticmethod
    def _touch(path: Path) -> bool:
        """Say that a blob is in use, which keeps it from the sweep; False if it is not there."""
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    async def touch(self, digest: str) -> bool:
        return await asyncio.to_thread(self._touch, self._blob(digest))

    async def local(self, digest: str) -> Path:
        path = self._blob(digest)
        if not await asyncio.to_thread(path.exists):
            raise NotFound(f"asset {digest} is gone")
        return path

    async def size_bytes(self, digest: str) -> int:
        return (await asyncio.to_thread(self._blob(digest).stat)).st_size

    async def manifest(self, key: str) -> dict[str, Any] | None:
        return await asyncio.to_thread(self._read_manifest, key)

    def _read_manifest(self, key: str) -> dict[str, Any] | None:
        path = self._manifest(key)
        try:
            body = json.loads(path.read_bytes())
            output: dict[str, Any] = body["output"]
            blobs = [self._blob(digest) for digest in body["blobs"]]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, NotFound):  # torn by something that is not us: the step is not done
            path.unlink(missing_ok=True)
            return None
        if not all([self._touch(blob) for blob in (path, *blobs)]):
            path.unlink(missing_ok=True)
            return None
        return output

    async def put_manifest(self, key: str, output: dict[str, Any], blobs: tuple[str, ...]) -> dict[str, Any]:
        return await asyncio.to_thread(self._put_manifest, key, output, blobs)

    def _put_manifest(self, key: str, output: dict[str, Any], blobs: tuple[str, ...]) -> dict[str, Any]:
        with _full_disk_is_named():
            final = self._manifest(key)
            final.parent.mkdir(exist_ok=True, mode=0o700)
            part = self._tmp / f"{key}.{os.getpid()}.{time.monotonic_ns()}"
            with part.open("w") as file:
                json.dump({"output": output, "blobs": blobs}, file)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(part, final)
            except FileExistsError:
                won = self._read_manifest(key)
                if won is not None:
                    return won
                os.link(part, final)
            finally:
                part.unlink()
            _fsync(final.parent)
        return output

    async def publish(self, digest: str, job_id: str, name: str) -> str:
        return await asyncio.to_thread(self._publish, digest, job_id, name)

    def _publish(self, digest: str, job_id: str, name: str) -> str:
        with _full_disk_is_named():
            folder = self._videos / job_id
            folder.mkdir(exist_ok=True, mode=0o700)
            target = folder / name
            target.unlink(missing_ok=True)
            os.link(self._blob(digest), target)
            _fsync(folder)
            return target.resolve().as_uri()

    def free_bytes(self) -> int | None:
        return shutil.disk_usage(self.root).free

    async def sweep(
        self, *, keep: frozenset[str], max_bytes: int, max_age_s: float, min_free_bytes: int, used_since: float
    ) -> int:
        """Delete what was not used for `max_age_s`, then the least recently used blobs until at most `max_bytes` are
        cached and `min_free_bytes` are free.

        What is in `keep`, or was used after `used_since` (seconds since the epoch), is never touched. Returns the bytes
        freed.
        """
        return await asyncio.to_thread(self._sweep, keep, max_bytes, max_age_s, min_free_bytes, used_since)

    def _sweep(
        self, keep: frozenset[str], max_bytes: int, max_age_s: float, min_free_bytes: int, used_since: float
    ) -> int:
        now = time.time()
        entries = [(path.stat(), path) for path in self._blobs.glob("??/*") if path.name not in keep]
        to_free = sum(stat.st_size for stat, _ in entries) - max_bytes
        to_free = max(to_free, min_free_bytes - (self.free_bytes() or 0) if min_free_bytes else 0)
        freed = 0
        for stat, path in sorted(entries, key=lambda entry: entry[0].st_mtime):
            if stat.st_mtime >= used_since:
                break
            if now - stat.st_mtime > max_age_s or freed < to_free:
                path.unlink(missing_ok=True)
                freed += stat.st_size
        for path in self._steps.glob("??/*.json"):
            if now - path.stat().st_mtime > max_age_s:
                path.unlink(missing_ok=True)
        return freed
