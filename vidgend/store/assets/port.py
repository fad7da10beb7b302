"""The asset store port: immutable bytes named by their SHA-256, and step manifests named by their step's key.

A step is done when, and only when, its manifest exists. The first manifest of a key wins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol


class AssetStore(Protocol):
    async def put(self, path: Path) -> str:
        """Take the file at `path` into the store (it is moved) and return its digest, 64 hex digits.

        Durable on return. Raises: StorageFull.
        """
        ...

    async def local(self, digest: str) -> Path:
        """A local file with these bytes, for reading only. Raises: NotFound."""
        ...

    async def touch(self, digest: str) -> bool:
        """Say that these bytes are in use; False if they are not there (any more)."""
        ...

    async def size_bytes(self, digest: str) -> int: ...

    async def manifest(self, key: str) -> dict[str, Any] | None:
        """The output of the finished step `key`; None if it is not done or one of its blobs is gone."""
        ...

    async def put_manifest(self, key: str, output: dict[str, Any], blobs: tuple[str, ...]) -> dict[str, Any]:
        """Record that step `key` is done with `output`, made of `blobs`. Returns the manifest that won."""
        ...

    async def publish(self, digest: str, job_id: str, name: str) -> str:
        """Give the blob a stable name in the job's folder; the answer is its URI."""
        ...

    def free_bytes(self) -> int | None:
        """Free space where the store lies; None where that means nothing."""
        ...
