"""Rows and bytes together: nothing that is needed is deleted, nothing that is gone is believed."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from vidgend.errors import AssetDamaged, NotFound, StorageUnavailable
from vidgend.store.assets.filesystem import FilesystemBlobs
from vidgend.store.assets.store import USE_NOTED_S, AssetStore
from vidgend.store.database import Database

STEP = "a" * 64
LATER = 1e12
"""A `used_since` that protects nothing."""


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class SlowBlobs(FilesystemBlobs):
    """A store whose puts and deletions wait until they may, and can fail."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.may_put, self.may_delete = asyncio.Event(), asyncio.Event()
        self.putting, self.deleting = asyncio.Event(), asyncio.Event()
        self.may_put.set()
        self.may_delete.set()
        self.error: Exception | None = None

    async def put(self, path: Path, digest: str) -> None:
        self.putting.set()
        await self.may_put.wait()
        if self.error:
            raise self.error
        await super().put(path, digest)

    async def delete(self, digest: str) -> None:
        self.deleting.set()
        await self.may_delete.wait()
        if self.error:
            raise self.error
        await super().delete(digest)


class World:
    def __init__(self, database: Database, blobs: SlowBlobs, clock: Clock, folder: Path) -> None:
        self.database, self.blobs, self.clock, self.folder = database, blobs, clock, folder
        self.assets = AssetStore(database, blobs)

    def made(self, content: bytes = b"sea") -> Path:
        path = self.folder / "made"
        path.write_bytes(content)
        return path

    async def put(self, content: bytes = b"sea") -> str:
        return await self.assets.put(self.made(content))

    async def execute(self, sql: str, *values: Any) -> None:
        await self.database.write(lambda connection: connection.execute(sql, values).fetchall())

    async def job(self, state: str) -> None:
        await self.execute(
            "INSERT INTO jobs (id, kind, state, brief, created_at, updated_at, claimed_at) VALUES ('job_1', 'video', ?, '{}', 1, 1, 1)",
            state,
        )

    async def step(self, digest: str) -> None:
        """A finished step that gave these bytes."""
        await self.execute(
            "INSERT INTO steps (key, kind, label, state, output, used_at) VALUES (?, 'fetch', 'net', 'done', '{}', 1)",
            STEP,
        )
        await self.execute("INSERT INTO step_assets (key, digest) VALUES (?, ?)", STEP, digest)

    async def rows(self, table: str) -> list[Any]:
        return [row[0] for row in await self.database.read(f"SELECT * FROM {table}")]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = Clock()
    database = await Database.open(tmp_path / "vidgend.db", clock)
    world = World(database, SlowBlobs(tmp_path / "assets"), clock, tmp_path)
    await world.assets.prepare()
    yield world
    await world.assets.aclose()
    await database.close()


async def test_a_file_that_is_put_has_a_row(world: World) -> None:
    digest = await world.assets.put(world.made(), "image/png")
    assert digest == hashlib.sha256(b"sea").hexdigest()
    now = world.clock.now
    assert await world.database.read("SELECT * FROM assets") == [(digest, 3, "image/png", now, now)]
    assert await world.assets.has(digest) and await world.assets.size_bytes(digest) == 3
    assert b"".join([piece async for piece in world.assets.read(digest, first=1)]) == b"ea"
    world.clock.now += 10
    assert await world.put() == digest
    assert await world.database.read("SELECT * FROM assets") == [(digest, 3, "image/png", now, now + 10)]


async def test_the_bytes_come_before_the_row(world: World) -> None:
    world.blobs.may_put.clear()
    putting = asyncio.create_task(world.put())
    await world.blobs.putting.wait()
    assert await world.rows("assets") == []
    world.blobs.error = StorageUnavailable("away")
    world.blobs.may_put.set()
    with pytest.raises(StorageUnavailable):
        await putting
    assert await world.rows("assets") == []
    world.blobs.error = None
    assert await world.rows("assets") == [] and await world.put() in await world.rows("assets")


async def test_what_nothing_needs_is_deleted_with_the_steps_that_gave_it(world: World) -> None:
    digest, other = await world.put(), await world.put(b"other")
    await world.step(digest)
    await world.job("completed")
    await world.execute("INSERT INTO job_steps (job_id, key) VALUES ('job_1', ?)", STEP)
    assert await world.assets.discard([digest, digest], LATER) == 3
    assert not await world.assets.has(digest)
    assert await world.rows("assets") == [other]
    assert await world.rows("steps") == await world.rows("step_assets") == []


@pytest.mark.parametrize("reason", ["published", "a live job's step", "used since", "being put"])
async def test_what_is_needed_is_never_deleted(world: World, reason: str) -> None:
    digest = await world.put()
    await world.step(digest)
    used_since, putting = LATER, None
    if reason == "published":
        await world.job("completed")
        await world.execute("INSERT INTO published VALUES (?, 'job_1', 'video', 'a.mp4', 'video/mp4', 3)", digest)
    elif reason == "a live job's step":
        await world.job("queued")
        await world.execute("INSERT INTO job_steps (job_id, key) VALUES ('job_1', ?)", STEP)
    elif reason == "used since":
        used_since = world.clock.now
    else:
        world.blobs.may_put.clear()
        world.blobs.putting.clear()
        putting = asyncio.create_task(world.put())
        await world.blobs.putting.wait()
    assert await world.assets.discard([digest], used_since) == 0
    world.blobs.may_put.set()
    if putting is not None:
        await putting
    assert await world.assets.has(digest) and await world.rows("assets") == [digest]
    assert await world.rows("steps") == [STEP]


async def test_what_is_touched_before_the_deletion_is_decided_stays(world: World) -> None:
    digest = await world.put()
    world.clock.now += 1000
    began = world.clock.now
    assert await world.assets.touch(digest)
    assert await world.assets.discard([digest], began) == 0
    assert await world.assets.has(digest)


async def test_a_put_of_bytes_that_are_being_deleted_waits_and_stores_them_again(world: World) -> None:
    digest = await world.put()
    world.blobs.may_delete.clear()
    discarding = asyncio.create_task(world.assets.discard([digest], LATER))
    await world.blobs.deleting.wait()
    world.blobs.putting.clear()
    putting, touching = asyncio.create_task(world.put()), asyncio.create_task(world.assets.touch(digest))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(world.blobs.putting.wait(), 0.2)
    assert not touching.done()
    world.blobs.may_delete.set()
    assert await discarding == 3
    assert await putting == digest
    await touching
    assert await world.assets.has(digest) and await world.rows("assets") == [digest]


async def test_a_cancelled_discard_is_seen_through(world: World) -> None:
    digest = await world.put()
    world.blobs.may_delete.clear()
    discarding = asyncio.create_task(world.assets.discard([digest], LATER))
    await world.blobs.deleting.wait()
    discarding.cancel()
    asyncio.get_running_loop().call_soon(world.blobs.may_delete.set)
    with pytest.raises(asyncio.CancelledError):
        await discarding
    assert not await world.assets.has(digest) and await world.rows("assets") == []
    assert await world.put() == digest
    assert await world.assets.has(digest) and await world.rows("assets") == [digest]


async def test_bytes_that_cannot_be_deleted_lose_their_row_and_are_not_counted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    digest = await world.put()
    world.blobs.error = StorageUnavailable("the store is away")
    assert await world.assets.discard([digest], LATER) == 0
    assert await world.rows("assets") == []
    assert "blob_not_deleted" in caplog.text
    world.blobs.error = None
    await world.assets.discard([digest], LATER)  # a blob without a row goes too
    assert not await world.assets.has(digest)


async def test_many_are_discarded_at_once(world: World) -> None:
    digests = [await world.put(b"%d" % number) for number in range(230)]
    assert await world.assets.discard(digests, LATER) == sum(len(str(number)) for number in range(230))
    assert await world.rows("assets") == []


async def test_damaged_bytes_make_their_step_run_again(world: World) -> None:
    digest = await world.put()
    await world.step(digest)
    path = await world.assets.local(digest)
    path.chmod(0o644)
    path.write_bytes(b"see")
    with pytest.raises(AssetDamaged):
        await world.assets.local(digest)
    assert await world.rows("assets") == await world.rows("steps") == []
    assert not await world.assets.touch(digest)
    await world.put()
    assert (await world.assets.local(digest)).read_bytes() == b"sea"


@pytest.mark.parametrize("asked", ["touch", "local", "read", "publish"])
async def test_bytes_that_somebody_removed_make_their_step_run_again(
    world: World, asked: str, caplog: pytest.LogCaptureFixture
) -> None:
    digest = await world.put()
    await world.step(digest)
    (await world.assets.local(digest)).unlink()
    with caplog.at_level(logging.ERROR):
        if asked == "touch":
            assert not await world.assets.touch(digest)
        else:
            with pytest.raises(NotFound):
                if asked == "local":
                    await world.assets.local(digest)
                elif asked == "read":
                    await anext(world.assets.read(digest))
                else:
                    await world.assets.publish(digest, "job_1", "a.mp4", "video/mp4")
    assert "asset_missing" in caplog.text
    assert await world.rows("assets") == await world.rows("steps") == []
    with pytest.raises(NotFound):
        await world.assets.size_bytes(digest)


async def test_a_step_that_ends_while_its_bytes_are_missed_is_not_undone(world: World) -> None:
    digest = await world.put()
    (await world.assets.local(digest)).unlink()
    world.blobs.may_put.clear()
    world.blobs.putting.clear()
    putting = asyncio.create_task(world.put())
    await world.blobs.putting.wait()
    assert not await world.assets.touch(digest)  # not there yet
    world.blobs.may_put.set()
    await putting
    assert await world.rows("assets") == [digest] and await world.assets.touch(digest)


async def test_an_answer_that_is_too_old_undoes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = await world.put()
    await world.step(digest)
    answers, has = [False], world.blobs.has

    async def late(digest: str) -> bool:
        return answers.pop() if answers else await has(digest)

    monkeypatch.setattr(world.blobs, "has", late)
    assert not await world.assets.touch(digest)  # the put ended after the store was asked
    assert await world.rows("assets") == [digest] and await world.rows("steps") == [STEP]


async def test_uses_are_written_down_at_most_once_a_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = await world.put()
    posted, post = [], world.database.post

    def count(transaction: Any) -> None:
        posted.append(transaction)
        post(transaction)

    monkeypatch.setattr(world.database, "post", count)
    began = world.clock.now
    for second in range(130):
        world.clock.now = began + second
        assert await world.assets.touch(digest)
        [[used_at]] = await world.database.read("SELECT used_at FROM assets")
    await world.database.write(lambda connection: None)
    [[used_at]] = await world.database.read("SELECT used_at FROM assets")
    assert world.clock.now <= used_at <= world.clock.now + USE_NOTED_S
    assert len(posted) == 3


async def test_moving_bytes_is_a_sign_of_life(world: World) -> None:
    digest = await world.put(b"sea" * 1000)
    hashed = world.assets.moved_bytes
    assert hashed >= 3000
    assert [piece async for piece in world.assets.read(digest)]
    assert world.assets.moved_bytes >= hashed + 3000


async def test_a_forgotten_step_is_forgotten_by_the_jobs_that_have_ended(world: World) -> None:
    digest = await world.put()
    await world.step(digest)
    await world.job("completed")
    await world.execute("INSERT INTO job_steps (job_id, key) VALUES ('job_1', ?)", STEP)
    assert await world.assets.discard([digest], LATER) == 3
    assert await world.rows("job_steps") == []


async def test_a_step_that_lost_its_bytes_is_still_needed_by_a_job_that_has_not_ended(world: World) -> None:
    digest = await world.put()
    await world.step(digest)
    await world.job("rendering")
    await world.execute("INSERT INTO job_steps (job_id, key) VALUES ('job_1', ?)", STEP)
    (await world.assets.local(digest)).unlink()
    assert not await world.assets.touch(digest)
    assert await world.rows("steps") == [] and await world.rows("job_steps") == ["job_1"]


@pytest.mark.parametrize("digest", ["", "../x", "A" * 64])
async def test_what_is_no_digest_is_not_found(world: World, digest: str) -> None:
    for call in (world.assets.has, world.assets.touch, world.assets.local, world.assets.size_bytes):
        with pytest.raises(NotFound):
            await call(digest)
    known = await world.put()
    with pytest.raises(NotFound):
        await world.assets.discard([known, digest], LATER)
    assert await world.assets.discard([known], LATER) == 3
