"""The port for bytes: blobs named by their SHA-256, and files published under a job's name.

An adapter only keeps bytes. Their sizes, types and when they were used are rows (store.py).
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Protocol

from vidgend.errors import NotFound

CHUNK_BYTES = 512 * 1024
"""What a read hands out at once."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,128}")


def check_digest(digest: str) -> str:
    """Raises: NotFound for anything that cannot be a digest, so that it is never part of a path or key."""
    if not _DIGEST.fullmatch(digest):
        raise NotFound(f"no such asset: {digest[:80]!r}")
    return digest


def check_name(name: str) -> str:
    """A job's id or a published file's name. Raises: NotFound for what could lead out of its folder."""
    if not _NAME.fullmatch(name):
        raise NotFound(f"no such name: {name[:80]!r}")
    return name


class BlobStore(Protocol):
    """When a call ends, however it ends, nothing of it goes on behind the caller's back; a cancelled one too."""

    scheme: str
    """"file" or "s3"."""

    @property
    def moved_bytes(self) -> int:
        """Grows with every piece that is sent, received, copied or checked."""
        ...

    def part(self, name: str) -> Path:
        """A fresh name, on the disk where files lie on this machine, for something on its way in. What is left there
        goes at the next start."""
        ...

    async def put(self, path: Path, digest: str) -> None:
        """Take the file at `path`, whose SHA-256 is `digest`, into the store (it is moved).

        Durable on return. If these bytes are there already, only the file goes away.
        Raises: StorageFull, StorageUnavailable.
        """
        ...

    async def has(self, digest: str) -> bool: ...

    async def local(self, digest: str) -> Path:
        """A local file with these bytes, for reading only. Its content is checked once per process and file.

        Raises: NotFound, AssetDamaged (what was there has been put aside), StorageFull, StorageUnavailable.
        """
        ...

    def read(self, digest: str, *, first: int = 0, count: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from `first` on, `count` of them or all, in pieces. Raises as `local` does, at the first piece."""
        ...

    async def delete(self, digest: str) -> None:
        """Nothing happens if it is not there."""
        ...

    def list(self) -> AsyncIterator[tuple[str, int]]:
        """(digest, size in bytes) of every blob."""
        ...

    async def publish(self, digest: str, job_id: str, name: str, content_type: str) -> str:
        """Give the blob a name in the job's folder; the answer is its URI. Raises as `local` does."""
        ...

    async def unpublish(self, job_id: str) -> None:
        """Take away all names of a job. Raises: StorageUnavailable, OSError; then some may be left."""
        ...

    def published(self) -> AsyncIterator[str]:
        """The ids of jobs that have named files."""
        ...

    async def link(self, job_id: str, name: str, life_s: float) -> str | None:
        """A URL that opens a published file without a key for `life_s`; None where the store has no such thing."""
        ...

    async def trim(self, lacking_bytes: int, *, used_since: float | None = None) -> int:
        """Give up copies on this machine of what lies elsewhere, until so many bytes are freed; returns how many were.

        None that may be in use: handed out since `used_since` (seconds since the epoch), or a few hours ago.
        """
        ...

    def free_bytes(self) -> int | None:
        """Free space where files lie on this machine; None where that means nothing."""
        ...

    async def prepare(self) -> None:
        """Once, before anything else: folders are made, what a crash left behind is removed."""
        ...

    async def aclose(self) -> None: ...
