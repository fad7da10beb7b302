"""What the triggers write about jobs, and what is kept of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nobodys import NobodysJobs
from ready_database import ready

from vidgend.models import Brief, Scene, Storyboard
from vidgend.store import retention
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.database import Database
from vidgend.store.feed import Feed, Happening
from vidgend.store.jobs import Failure, JobStore
from vidgend.store.storyboards import StoryboardStore

BRIEF = Brief(prompt="the sea")
PLAN = Storyboard(
    title="The sea", language="en", planner="fake", stretch=False, fps="30",
    scenes=(Scene(index=0, narration="Waves.", queries=("sea",)),),
)  # fmt: skip


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(ready(tmp_path / "db"))
    yield database
    await database.close()


async def boot(database: Database, boot_id: str = "boot-1") -> JobStore:
    jobs = NobodysJobs(database, boot_id=boot_id, max_queued=100)
    await jobs.recover()
    return jobs


async def everything(database: Database, **only: str) -> list[Happening]:
    return await Feed(database).after(0, limit=10_000, **only)


def said(found: list[Happening]) -> list[tuple[str, str, int]]:
    return [(one.kind, one.text, one.number) for one in found]


async def test_every_change_of_a_job_is_written_down_in_order(database: Database) -> None:
    jobs, storyboards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF, owner="ada")
    job = await jobs.claim()
    assert job is not None
    for state in ("narrating", "rendering", "rendering"):  # the last one is no change
        await jobs.move(job, state, progress=1.0, line=f"now {state}")
    await storyboards.save(job_id, PLAN)
    await storyboards.save(job_id, PLAN)  # the same version, filled in
    await jobs.park(job, Failure(code="quota_exceeded", detail="no more", tail="x" * 1000), wait_s=9)
    jobs = await boot(database, "boot-2")
    await jobs.request_cancel(job_id)
    await jobs.retry(job_id)
    found = await everything(database)
    assert said(found) == [
        ("status", "queued", 0), ("log", "accepted", 0), ("status", "planning", 1),
        ("status", "narrating", 1), ("log", "now narrating", 0), ("status", "rendering", 1), ("log", "now rendering", 0),
        ("log", "now rendering", 0), ("storyboard", "planner", 1), ("status", "queued", 1),
        ("log", "will be tried again in 9 s: no more", 0), ("log", "cancelled before it started", 0),
        ("status", "cancelled", 1), ("status", "queued", 1), ("log", "sent again by hand", 0),
    ]  # fmt: skip
    assert [one.id for one in found] == list(range(1, len(found) + 1))
    assert {(one.owner, one.job_id) for one in found} == {("ada", job_id)}
    parked = found[9]
    assert parked.error is not None and parked.error.code == "quota_exceeded" and parked.run_at == parked.at + 9
    assert all(one.error is None and one.run_at is None for one in found if one is not parked)


async def test_jobs_that_a_crash_left_running_are_told_as_well(database: Database) -> None:
    jobs = await boot(database)
    await jobs.submit(BRIEF)
    assert await jobs.claim()
    before = await Feed(database).newest()
    await boot(database, "boot-2")
    assert [one.text for one in await Feed(database).after(before, limit=9)] == [
        "queued", "vidgend was restarted; the job goes on where it was",
    ]  # fmt: skip


async def test_a_change_that_is_rolled_back_was_never_told(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF)

    def fails(connection):  # type: ignore[no-untyped-def]
        connection.execute("UPDATE jobs SET state = 'rendering' WHERE id = ?", (job_id,))
        raise ValueError

    with pytest.raises(ValueError):
        await database.write(fails)
    assert said(await everything(database))[-1][1] == "accepted"


async def test_what_was_told_of_a_deleted_job_goes_with_it_and_no_number_comes_back(database: Database) -> None:
    jobs, feed = await boot(database), Feed(database)
    job_id, _ = await jobs.submit(BRIEF, owner="ada")
    await jobs.request_cancel(job_id)
    newest = await feed.newest()
    await jobs.delete(job_id)
    assert [(one.kind, one.id, one.owner) for one in await everything(database)] == [("deleted", newest + 1, "ada")]
    await database.write(lambda connection: connection.execute("DELETE FROM feed"))
    assert await feed.newest() == newest + 1
    await jobs.submit(BRIEF)
    assert (await everything(database))[0].id == newest + 2


async def test_what_came_after_a_number_is_there_or_it_is_known_that_it_is_not(database: Database) -> None:
    jobs, feed = await boot(database), Feed(database)
    assert await feed.has_all_after(0) and not await feed.has_all_after(1)
    for _ in range(3):
        await jobs.submit(BRIEF)
    assert [await feed.has_all_after(last) for last in (0, 3, 6, 7)] == [True, True, True, False]
    await database.write(lambda connection: connection.execute("DELETE FROM feed WHERE id <= 2"))
    assert [await feed.has_all_after(last) for last in (0, 1, 2, 3)] == [False, False, True, True]
    await database.write(lambda connection: connection.execute("DELETE FROM feed"))
    assert [await feed.has_all_after(last) for last in (5, 6)] == [False, True]


async def test_the_feed_is_read_by_owner_by_job_and_in_pages(database: Database) -> None:
    jobs, feed = await boot(database), Feed(database)
    ids = [(await jobs.submit(BRIEF, owner=owner))[0] for owner in ("ada", "bob", "ada")]
    assert {one.job_id for one in await everything(database, owner="ada")} == {ids[0], ids[2]}
    assert {one.job_id for one in await everything(database, job_id=ids[1])} == {ids[1]}
    assert [one.id for one in await feed.after(1, limit=2)] == [2, 3]
    assert [one.id for one in await feed.after(1, limit=9, until=4)] == [2, 3, 4]


async def test_only_the_newest_are_kept(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "FEED_KEPT", 250)
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF)
    for number in range(700):
        database.post(lambda connection, line=number: connection.execute(  # type: ignore[misc]
            "INSERT INTO job_events VALUES (?, ?, 1, ?)", (job_id, line + 2, f"line {line}")
        ))  # fmt: skip
    assets = await open_filesystem_assets(database, tmp_path / "assets")
    rules = retention.Rules(ttl_s=1e9, cache_max_bytes=10**12, results_max_age_s=0, results_max_bytes=0)
    await retention.collect(database, assets, rules, used_since=database.clock(), lacking_bytes=0)
    found = await everything(database)
    assert (len(found), found[-1].text) == (250, "line 699")
    assert len(await jobs.logs(job_id, last=10_000)) == 701, "the job's own log stays whole"


async def test_listeners_hear_of_every_commit_and_of_nothing_else(database: Database) -> None:
    jobs, heard = await boot(database), list[int]()

    def fails(_: object) -> None:
        raise ValueError

    with database.listening(lambda: heard.append(1)):
        await jobs.submit(BRIEF)
        assert len(heard) == 1
        with pytest.raises(ValueError):
            await database.write(fails)
        assert len(heard) == 1
    await jobs.submit(BRIEF)
    assert len(heard) == 1
