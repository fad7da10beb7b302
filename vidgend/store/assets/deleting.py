"""Many blobs deleted side by side."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from vidgend.errors import StorageUnavailable, VidgendError
from vidgend.store.assets.port import BlobStore

_log = logging.getLogger(__name__)
_AT_ONCE = 8
"""Deletions that a store on the network is asked for at once."""


class Deleting:
    """A batch of deletions, several at once. It ends early when it is told to, and when the store does not answer."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._stopped = False
        self._limit = asyncio.Semaphore(_AT_ONCE)
        self.deleted: list[str] = []
        self.freed_bytes = 0
        self.away: StorageUnavailable | None = None

    def stop(self) -> None:
        self._stopped = True

    async def run(self, sizes: Mapping[str, int]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for digest, size_bytes in sizes.items():
                tasks.create_task(self._delete(digest, size_bytes))

    async def _delete(self, digest: str, size_bytes: int) -> None:
        async with self._limit:
            if self._stopped or self.away is not None:
                return
            try:
                await self._blobs.delete(digest)
            except StorageUnavailable as error:
                self.away = error
                _log.warning("blob_not_deleted", extra={"digest": digest, "reason": str(error)})
            except (VidgendError, OSError) as error:
                _log.warning("blob_not_deleted", extra={"digest": digest, "reason": str(error)})
            else:
                self.deleted.append(digest)
                self.freed_bytes += size_bytes
