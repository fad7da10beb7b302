"""Blobs in an S3 bucket, with copies of those in use on this machine.

<prefix>/blobs/ab/abcdef...     bytes, named by their SHA-256
<prefix>/<job_id>/<name>        published files, with their type and name for browsers
<root>/copies/                  see local_copies.py

An object appears whole or not at all, so a put needs no temporary name. A published file is uploaded a second time,
not copied inside the bucket: S3's copy through obstore cannot set a type, and takes at most 5 GB. A lifecycle rule
that ends incomplete multipart uploads after a day is worth having: a process that is killed cannot clean up its own.
One prefix belongs to one data directory.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from weakref import WeakValueDictionary

from vidgend.errors import AssetDamaged, NotFound
from vidgend.store.assets.local_copies import LocalCopies
from vidgend.store.assets.local_files import fsync, full_disk_is_named, pieces
from vidgend.store.assets.meter import Meter
from vidgend.store.assets.port import CHUNK_BYTES, check_digest, check_name
from vidgend.store.assets.s3_client import S3Client
from vidgend.store.assets.to_the_end import in_thread

_BLOBS = "blobs"
_AHEAD_DOWNLOAD = 3
_AHEAD_READ = 1


class ObjectBlobs:
    scheme = "s3"

    def __init__(
        self,
        *,
        bucket: str,
        prefix: str,
        root: Path,
        endpoint: str = "",
        region: str = "us-east-1",
        access_key: str = "",
        secret_key: str = "",
        cache_bytes: int,
    ) -> None:
        """Without an `access_key` the environment and the machine's own role are asked, as other S3 programs do."""
        self.root = root
        self._meter = Meter()
        self._client = S3Client(
            bucket=bucket,
            endpoint=endpoint,
            region=region,
            access_key=access_key,
            secret_key=secret_key,
            meter=self._meter,
        )
        self._prefix = f"{prefix}/" if prefix else ""
        self._copies = LocalCopies(root / "copies", self._meter, max_bytes=cache_bytes)
        self._downloads: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def _key(self, digest: str) -> str:
        return f"{self._prefix}{_BLOBS}/{check_digest(digest)[:2]}/{digest}"

    def _folder(self, job_id: str) -> str:
        if job_id == _BLOBS:
            raise NotFound("no such job")
        return f"{self._prefix}{check_name(job_id)}"

    async def prepare(self) -> None:
        await asyncio.to_thread(self._copies.prepare)

    async def aclose(self) -> None:
        pass

    @property
    def moved_bytes(self) -> int:
        return self._meter.bytes

    async def check(self) -> None:
        """Raises: StorageUnavailable if the bucket cannot be reached or listed with the keys that were given."""
        async for _ in self._client.walk(f"{self._prefix}{_BLOBS}"):
            break

    def part(self, name: str) -> Path:
        return self._copies.part(name)

    async def put(self, path: Path, digest: str) -> None:
        key = self._key(digest)
        size_bytes = (await asyncio.to_thread(path.stat)).st_size
        if await self._remote_size(key) != size_bytes:
            await self._client.upload(key, path)
        await in_thread(self._copies.take, path, digest)

    async def _remote_size(self, key: str) -> int | None:
        try:
            return await self._client.size_bytes(key)
        except NotFound:
            return None

    async def has(self, digest: str) -> bool:
        if await asyncio.to_thread(self._copies.path(digest).exists):
            return True
        return await self._remote_size(self._key(digest)) is not None

    async def local(self, digest: str) -> Path:
        lock = self._downloads.setdefault(check_digest(digest), asyncio.Lock())
        async with lock:  # whoever comes second finds the copy
            with suppress(NotFound):  # a damaged copy has been put aside; the object may be whole
                return await in_thread(self._copies.hand_out, digest)
            await self._download(digest)
            return await in_thread(self._copies.hand_out, digest)

    async def _download(self, digest: str) -> None:
        key = self._key(digest)
        try:
            size_bytes = await self._client.size_bytes(key)
        except NotFound:
            raise NotFound(f"asset {digest} is gone") from None
        part = self._copies.part(digest)
        try:
            found = await self._fetch(key, size_bytes, part)
            if found != digest:  # once more, before a whole object is taken for a damaged one
                found = await self._fetch(key, size_bytes, part)
            if found == digest:
                await in_thread(self._place, part, digest)
                return
            await in_thread(self._copies.put_aside, part, digest, found)
        finally:
            await in_thread(part.unlink, True)
        await self._client.delete(key)
        raise AssetDamaged(f"asset {digest} was damaged in the S3 store and has been put aside")

    async def _fetch(self, key: str, size_bytes: int, part: Path) -> str:
        """Write the object to `part`; the digest of what came."""
        digest = hashlib.sha256()

        def append(piece: memoryview) -> None:
            digest.update(piece)
            with full_disk_is_named(), part.open("ab", buffering=0) as file:
                file.write(piece)

        await in_thread(part.write_bytes, b"")
        async with aclosing(self._client.read(key, 0, size_bytes, ahead=_AHEAD_DOWNLOAD)) as ranges:
            async for piece in ranges:
                await in_thread(append, piece)
        return digest.hexdigest()

    def _place(self, part: Path, digest: str) -> None:
        target = self._copies.path(digest)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        part.chmod(0o444)
        fsync(part)  # or a power cut would leave copies that look damaged
        self._copies.place(part, target)

    async def read(self, digest: str, *, first: int = 0, count: int | None = None) -> AsyncGenerator[bytes, None]:
        """From the copy if there is one, else range by range from the bucket, which trusts the store for the bytes."""
        with suppress(NotFound):
            await in_thread(self._copies.hand_out, digest)
            async with aclosing(pieces(self._copies, digest, first, count)) as found:
                async for piece in found:
                    yield piece
            return
        key = self._key(digest)
        size_bytes = await self._client.size_bytes(key)
        end = size_bytes if count is None else min(first + count, size_bytes)
        async with aclosing(self._client.read(key, first, end, ahead=_AHEAD_READ)) as ranges:
            async for view in ranges:
                for at in range(0, len(view), CHUNK_BYTES):
                    yield bytes(view[at : at + CHUNK_BYTES])

    async def delete(self, digest: str) -> None:
        await self._client.delete(self._key(digest))
        await in_thread(self._copies.delete, digest)

    async def list(self) -> AsyncIterator[tuple[str, int]]:
        async for key, size_bytes in self._client.walk(f"{self._prefix}{_BLOBS}"):
            with suppress(NotFound):
                yield check_digest(key.rpartition("/")[2]), size_bytes

    async def publish(self, digest: str, job_id: str, name: str, content_type: str) -> str:
        key = f"{self._folder(job_id)}/{check_name(name)}"
        attributes = {"Content-Type": content_type, "Content-Disposition": f'inline; filename="{name}"'}
        await self._client.upload(key, await self.local(digest), attributes)
        return f"s3://{self._client.bucket}/{key}"

    async def unpublish(self, job_id: str) -> None:
        async for key, _ in self._client.walk(self._folder(job_id)):
            await self._client.delete(key)

    async def published(self) -> AsyncIterator[str]:
        for folder in await self._client.folders(self._prefix.rstrip("/")):
            if (job_id := folder.rpartition("/")[2]) != _BLOBS:
                yield job_id

    async def link(self, job_id: str, name: str, life_s: float) -> str | None:
        return await self._client.sign(f"{self._folder(job_id)}/{check_name(name)}", life_s)

    async def trim(self, lacking_bytes: int, *, used_since: float | None = None) -> int:
        return await in_thread(self._copies.give_up, lacking_bytes, used_since)

    def free_bytes(self) -> int | None:
        return shutil.disk_usage(self.root).free
