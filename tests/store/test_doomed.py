"""A crash between a file and its row leaves a list of what to delete, and only that is ever deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from stock import NOW, Stock, stock

from vidgend.errors import StorageUnavailable
from vidgend.store import doomed
from vidgend.store.doomed import doom_result, work_off

LATER = 1e12
"""A `used_since` that protects nothing."""


class Died(BaseException):
    """The process is killed here."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Stock]:
    async with stock(tmp_path) as store:
        yield store


class Dying:
    """Kills the caller at the `at`-th call of `method` of `target`, before it or after it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, target: Any, method: str, *, at: int = 1, after: bool) -> None:
        self._patched = monkeypatch
        self._call: Callable[..., Any] = getattr(target, method)
        self._left, self._after = at, after
        self.died = False
        monkeypatch.setattr(target, method, self._run)

    async def _run(self, *given: Any, **named: Any) -> Any:
        self._left -= 1
        if self._left == 0 and not self._after:
            self.died = True
            raise Died
        answer = await self._call(*given, **named)
        if self._left == 0:
            self.died = True
            raise Died
        return answer

    def undo(self) -> None:
        assert self.died
        self._patched.undo()


async def marked(store: Stock) -> list[tuple[Any, ...]]:
    return await store.database.read("SELECT kind, name FROM doomed ORDER BY kind, name")


async def blobs(store: Stock) -> list[str]:
    return [digest async for digest, _ in store.blobs.list()]


async def named(store: Stock) -> list[str]:
    return [job_id async for job_id in store.blobs.published()]


async def delete_job(store: Stock, job_id: str) -> None:
    def transaction(connection: Any) -> None:
        doom_result(connection, job_id, NOW)
        connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    await store.database.write(transaction)


async def test_what_is_put_in_peace_is_not_doomed(store: Stock) -> None:
    digest = await store.blob(b"sea")
    assert await marked(store) == []
    assert await work_off(store.database, store.assets) == 0
    assert await blobs(store) == [digest]


@pytest.mark.parametrize(("method", "at"), [("put", 1), ("write", 2)])
@pytest.mark.parametrize("after", [False, True])
async def test_a_put_that_dies_anywhere_leaves_a_row_or_nothing(
    store: Stock, monkeypatch: pytest.MonkeyPatch, method: str, at: int, after: bool
) -> None:
    dying = Dying(monkeypatch, store.blobs if method == "put" else store.database, method, at=at, after=after)
    with pytest.raises(Died):
        await store.blob(b"sea")
    dying.undo()
    left = await blobs(store)
    recorded = (method, after) == ("write", True)
    assert len(left) == (0 if (method, after) == ("put", False) else 1)
    assert len(await marked(store)) == (0 if recorded else 1)
    assert await work_off(store.database, store.assets) == (0 if recorded else 3)
    assert await marked(store) == []
    assert await blobs(store) == (left if recorded else [])
    assert await store.count("assets") == len(await blobs(store))


async def test_a_put_that_is_cancelled_before_its_row_leaves_nothing(
    store: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, is_there = store.blobs.put, asyncio.Event()

    async def slow(path: Path, digest: str) -> None:
        await put(path, digest)
        is_there.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(store.blobs, "put", slow)
    putting = asyncio.create_task(store.blob(b"sea"))
    await is_there.wait()
    assert await work_off(store.database, store.assets) == 0 and len(await blobs(store)) == 1  # it is being put
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert await work_off(store.database, store.assets) == 3
    assert await blobs(store) == [] and await marked(store) == []


async def test_a_blob_that_was_put_again_is_spared(store: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = Dying(monkeypatch, store.blobs, "put", after=True)
    with pytest.raises(Died):
        await store.blob(b"sea")
    dying.undo()
    digest = await store.blob(b"sea")
    assert await marked(store) == []
    await store.sql("INSERT INTO doomed (kind, name, since) VALUES ('blob', ?, 1)", digest)  # struck out too late
    assert await work_off(store.database, store.assets) == 0
    assert await blobs(store) == [digest] and await marked(store) == []


@pytest.mark.parametrize("after", [False, True])
async def test_a_deletion_that_dies_is_finished_later(
    store: Stock, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    digest = await store.blob(b"sea")
    dying = Dying(monkeypatch, store.blobs, "delete", after=after)
    with pytest.raises(BaseException) as caught:
        await store.assets.discard([digest], LATER)
    assert caught.group_contains(Died) if isinstance(caught.value, BaseExceptionGroup) else caught.type is Died
    dying.undo()
    assert await store.count("assets") == 0 and await marked(store) == [("blob", digest)]
    await work_off(store.database, store.assets)
    assert await blobs(store) == [] and await marked(store) == []


async def test_a_store_that_is_away_is_asked_once_and_again_the_next_time(
    store: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = [await store.blob(b"%03d" % number) for number in range(250)]
    asked = []

    async def away(digest: str) -> None:
        asked.append(digest)
        raise StorageUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(store.blobs, "delete", away)
        assert await store.assets.discard(digests, LATER) == 0
        assert len(asked) <= 8 and await store.count("assets") == 150  # the rest keeps its rows
        asked.clear()
        assert await work_off(store.database, store.assets) == 0
        assert 1 <= len(asked) <= 8 and await store.count("doomed") == 100
    assert await work_off(store.database, store.assets) == 300
    assert len(await blobs(store)) == 150 and await marked(store) == []


async def test_a_stop_does_not_wait_for_deletions_that_have_not_begun(
    store: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = [await store.blob(b"%03d" % number) for number in range(100)]
    hanging, asked = asyncio.Event(), []

    async def hang(digest: str) -> None:
        asked.append(digest)
        hanging.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(store.blobs, "delete", hang)
        patched.setattr("vidgend.store.assets.store._PATIENCE_S", 0.05)
        discarding = asyncio.create_task(store.assets.discard(digests, LATER))
        await hanging.wait()
        discarding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(discarding, 10)
        assert 1 <= len(asked) <= 8
    assert await work_off(store.database, store.assets) == 300
    assert await blobs(store) == [] and await marked(store) == []


# --- named files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "stays"), [("publishing", True), ("queued", True), ("failed", False), ("cancelled", False)]
)
async def test_names_without_a_result_go_unless_their_job_may_still_get_one(
    store: Stock, state: str, stays: bool
) -> None:
    digest = await store.blob(b"sea")
    await store.job("job_a", state)
    await store.assets.publish(digest, "job_a", "output.mp4", "video/mp4")
    assert await marked(store) == [("names", "job_a")]
    await work_off(store.database, store.assets)
    assert await named(store) == (["job_a"] if stays else [])
    assert await marked(store) == ([("names", "job_a")] if stays else [])
    assert await blobs(store) == [digest]


async def test_names_of_a_result_are_spared(store: Stock) -> None:
    await store.result("job_a", b"sea", ended_s_ago=0)
    await store.sql("INSERT INTO doomed (kind, name, since) VALUES ('names', 'job_a', 1)")
    await work_off(store.database, store.assets)
    assert store.named("job_a").exists() and await marked(store) == []
    assert not await store.assets.unpublish("job_a") and store.named("job_a").exists()


async def test_a_failed_job_that_is_sent_again_meanwhile_keeps_its_names(
    store: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = await store.blob(b"sea")
    for job_id in ("job_a", "job_b"):
        await store.job(job_id, "failed")
        await store.assets.publish(digest, job_id, "output.mp4", "video/mp4")
    unpublish = store.blobs.unpublish

    async def slow(job_id: str) -> None:
        await store.sql("UPDATE jobs SET state = 'queued' WHERE id = 'job_b'")
        await unpublish(job_id)

    monkeypatch.setattr(store.blobs, "unpublish", slow)
    await work_off(store.database, store.assets)
    assert await named(store) == ["job_b"]


async def test_names_are_not_given_while_they_are_taken_away(store: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = await store.blob(b"sea")
    await store.job("job_a", "failed")
    await store.assets.publish(digest, "job_a", "output.mp4", "video/mp4")
    unpublish, began, may_end = store.blobs.unpublish, asyncio.Event(), asyncio.Event()

    async def slow(job_id: str) -> None:
        began.set()
        await may_end.wait()
        await unpublish(job_id)

    monkeypatch.setattr(store.blobs, "unpublish", slow)
    removing = asyncio.create_task(work_off(store.database, store.assets))
    await began.wait()
    await store.sql("UPDATE jobs SET state = 'publishing' WHERE id = 'job_a'")
    publishing = asyncio.create_task(store.assets.publish(digest, "job_a", "output.mp4", "video/mp4"))
    asyncio.get_running_loop().call_later(0.05, may_end.set)
    await asyncio.gather(removing, publishing)
    assert store.named("job_a").exists()
    assert await marked(store) == [("names", "job_a")]


async def test_names_that_cannot_be_removed_are_tried_again(store: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.result("job_a", b"sea", ended_s_ago=9)
    await delete_job(store, "job_a")

    async def refuse(job_id: str) -> None:
        raise PermissionError("not allowed")

    with monkeypatch.context() as patched:
        patched.setattr(store.blobs, "unpublish", refuse)
        await work_off(store.database, store.assets)
    assert await named(store) == ["job_a"]
    await work_off(store.database, store.assets)
    assert await named(store) == []


# --- results that were deleted -------------------------------------------------------------------------------------


async def test_the_files_of_a_deleted_job_are_gone_for_good(store: Stock) -> None:
    await store.result("job_a", b"sea", ended_s_ago=9)
    await delete_job(store, "job_a")
    assert await doomed.waiting(store.database) == doomed.Waiting(count=2, bytes=3)
    assert await work_off(store.database, store.assets) == 3
    assert await blobs(store) == [] and await named(store) == [] and await marked(store) == []


async def test_what_another_result_shows_stays(store: Stock) -> None:
    digest = await store.result("job_a", b"sea", ended_s_ago=9)
    await store.job("job_b")
    await store.publish("job_b", digest, 3)
    await delete_job(store, "job_a")
    assert await work_off(store.database, store.assets) == 0
    assert await blobs(store) == [digest] and await named(store) == ["job_b"] and await marked(store) == []


@pytest.mark.parametrize("why", ["its step", "used since"])
async def test_what_a_running_job_needs_stays_until_that_has_ended(store: Stock, why: str) -> None:
    digest = await store.result("job_a", b"sea", ended_s_ago=9)
    await store.job("job_b", "rendering")
    await store.sql("UPDATE jobs SET started_at = ? WHERE id = 'job_b'", NOW - (5 if why == "its step" else 20))
    if why == "its step":
        await store.step("clip", digest, jobs=("job_b",))
    await delete_job(store, "job_a")
    assert await work_off(store.database, store.assets) == 0
    assert await blobs(store) == [digest] and await marked(store) == [("result", digest)]
    await store.sql("UPDATE jobs SET state = 'failed' WHERE id = 'job_b'")
    assert await work_off(store.database, store.assets) == 3
    assert await blobs(store) == [] and await marked(store) == []
