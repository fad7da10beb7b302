"""A real database and a real asset store, stocked row by row with what a test needs. Time stands still until told."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ready_database import ready

from vidgend.store.assets.filesystem import FilesystemBlobs
from vidgend.store.assets.port import BlobStore
from vidgend.store.assets.store import AssetStore
from vidgend.store.backup import Backup, back_up
from vidgend.store.database import Database
from vidgend.store.restore import Restored, restore

DAY_S = 86_400.0
NOW = 1_800_000_000.0


class Stock:
    def __init__(self, database: Database, assets: AssetStore, folder: Path) -> None:
        self.database = database
        self.assets = assets
        self.folder = folder
        self.blobs = assets.blobs

    async def sql(self, sql: str, *parameters: Any) -> None:
        await self.database.write(lambda connection: connection.execute(sql, parameters))

    async def count(self, table: str) -> int:
        return int((await self.database.read(f"SELECT count(*) FROM {table}"))[0][0])

    async def blob(self, content: bytes, *, age_s: float = 0.0) -> str:
        """A stored file, last used `age_s` ago."""
        path = self.folder / "incoming"
        path.write_bytes(content)
        digest = await self.assets.put(path)
        await self.sql("UPDATE assets SET used_at = ? WHERE digest = ?", NOW - age_s, digest)
        return digest

    def path(self, digest: str) -> Path:
        return self.folder / "assets" / "blobs" / digest[:2] / digest

    def named(self, job_id: str, name: str = "output.mp4") -> Path:
        return self.folder / "assets" / "videos" / job_id / name

    async def job(self, job_id: str, state: str = "completed", *, ended_s_ago: float | None = 0.0) -> str:
        ended = state in ("completed", "failed", "cancelled")
        await self.sql(
            "INSERT INTO jobs (id, kind, state, brief, created_at, updated_at, claimed_at, finished_at) "
            "VALUES (?, 'video', ?, '{}', ?, ?, ?, ?)",
            job_id, state, NOW - 90 * DAY_S, NOW, NOW - 90 * DAY_S, NOW - (ended_s_ago or 0.0) if ended else None,
        )  # fmt: skip
        return job_id

    async def step(
        self, name: str, *digests: str, jobs: tuple[str, ...] = (), state: str = "done", age_s: float = 0.0
    ) -> str:
        key = hashlib.sha256(name.encode()).hexdigest()
        await self.sql(
            "INSERT INTO steps (key, kind, label, state, used_at) VALUES (?, 'clip', 'io', ?, ?)",
            key, state, NOW - age_s,
        )  # fmt: skip
        for digest in digests:
            await self.sql("INSERT INTO step_assets (key, digest) VALUES (?, ?)", key, digest)
        for job_id in jobs:
            await self.sql("INSERT INTO job_steps (job_id, key) VALUES (?, ?)", job_id, key)
        return key

    async def result(self, job_id: str, content: bytes, *, ended_s_ago: float, name: str = "output.mp4") -> str:
        """A completed job with one published file, last used when it ended."""
        await self.job(job_id, ended_s_ago=ended_s_ago)
        return await self.publish(job_id, await self.blob(content, age_s=ended_s_ago), len(content), name=name)

    async def publish(self, job_id: str, digest: str, size_bytes: int, *, name: str = "output.mp4") -> str:
        uri = await self.blobs.publish(digest, job_id, name, "video/mp4")
        file = {
            "name": name, "digest": digest, "content_type": "video/mp4", "size_bytes": size_bytes, "uri": uri,
        }  # fmt: skip
        await self.sql(
            "UPDATE jobs SET result = json_set(coalesce(result, '{\"files\": {}}'), '$.files.' || ?, json(?)) WHERE id = ?",
            name.split(".")[0], json.dumps(file), job_id,
        )  # fmt: skip
        await self.sql(
            "INSERT INTO published (digest, job_id, role, name, content_type, size_bytes) VALUES (?, ?, ?, ?, 'video/mp4', ?)",
            digest, job_id, name.split(".")[0], name, size_bytes,
        )  # fmt: skip
        return digest

    async def log(self, job_id: str) -> list[str]:
        return [row[0] for row in await self.database.read("SELECT line FROM job_events WHERE job_id = ?", (job_id,))]


@asynccontextmanager
async def stock(folder: Path, blobs: BlobStore | None = None) -> AsyncIterator[Stock]:
    """`blobs`: other than on this disk."""
    database = await Database.open(ready(folder / "vidgend.db"), clock=lambda: NOW)
    try:
        assets = AssetStore(database, blobs or FilesystemBlobs(folder / "assets"))
        await assets.prepare()
        yield Stock(database, assets, folder)
    finally:
        await database.close()


async def make_backup(store: Stock, folder: Path, *, with_cache: bool = False) -> Backup:
    return await asyncio.to_thread(back_up, store.folder, store.folder / "assets", folder, with_cache=with_cache)


async def bring_back(made: Path, data_dir: Path, *, force: bool = False) -> Restored:
    return await asyncio.to_thread(restore, made, data_dir, data_dir / "assets", force=force)


def no_links(monkeypatch: pytest.MonkeyPatch, store: Stock) -> list[str]:
    """Links out of the store fail, as they do between file systems."""
    tried: list[str] = []
    link = os.link

    def refuse(source: Path, target: Path) -> None:
        if Path(source).is_relative_to(store.folder):
            tried.append(str(source))
            raise OSError(errno.EXDEV, "another file system")
        link(source, target)

    monkeypatch.setattr(os, "link", refuse)
    return tried
