"""The stores as tests use them: what names no owner is nobody's. The program always says whose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vidgend.store.jobs import JobStore
from vidgend.store.uploads import Upload, UploadStore


class NobodysJobs(JobStore):
    async def submit(self, brief: Any, *, owner: str = "", **more: Any) -> tuple[str, bool]:
        return await super().submit(brief, owner=owner, **more)

    async def kept_bytes(self, owner: str = "") -> int:
        return await super().kept_bytes(owner)


class NobodysUploads(UploadStore):
    async def add(self, path: Any, *, owner: str = "", **more: Any) -> tuple[Upload, bool]:
        return await super().add(path, owner=owner, **more)

    async def get(self, digest: str, *, owner: str = "") -> Upload:
        return await super().get(digest, owner=owner)

    async def find(self, digests: Iterable[str], *, owner: str = "") -> dict[str, Upload]:
        return await super().find(digests, owner=owner)

    async def page(self, *, owner: str = "", **more: Any) -> list[Upload]:
        return await super().page(owner=owner, **more)

    async def remove(self, digest: str, *, owner: str = "") -> None:
        await super().remove(digest, owner=owner)
