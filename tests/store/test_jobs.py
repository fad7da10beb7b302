import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vidgend.errors import IdempotencyMismatch, NotFound, QueueFull
from vidgend.models import Brief, PrefetchBrief, Scene, Storyboard
from vidgend.store.database import Database
from vidgend.store.jobs import MAX_CRASHES, Failure, JobStore
from vidgend.store.outbox import Outbox

BRIEF = Brief(prompt="the sea", voice="en-US-neutral")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(tmp_path / "db")
    yield database
    await database.close()


async def boot(database: Database, boot_id: str = "boot-1", *, max_queued: int = 100) -> JobStore:
    jobs = JobStore(database, boot_id=boot_id, max_queued=max_queued)
    await jobs.recover()
    return jobs


async def test_what_was_accepted_comes_back_as_it_was(database: Database) -> None:
    jobs = await boot(database)
    job_id, new = await jobs.submit(BRIEF, priority=3, metadata={"a": [1, "ü"]}, callback_url="https://x.example/")
    job = await jobs.get(job_id)
    assert new and job.state == "queued" and job.brief == BRIEF
    assert (job.priority, job.metadata, job.callback_url) == (3, {"a": [1, "ü"]}, "https://x.example/")


async def test_jobs_are_claimed_by_priority_then_age_and_only_once(database: Database) -> None:
    jobs = await boot(database)
    ids = [(await jobs.submit(BRIEF, priority=priority))[0] for priority in (0, 5, 0)]
    claimed = await asyncio.gather(*(jobs.claim() for _ in range(5)))
    assert [job.id for job in claimed if job] == [ids[1], ids[0], ids[2]]
    assert await jobs.claim() is None


async def test_the_same_idempotency_key_gives_the_same_job(database: Database) -> None:
    jobs = await boot(database)
    answers = await asyncio.gather(*(jobs.submit(BRIEF, idempotency_key="k", body_sha256="b") for _ in range(20)))
    assert len({job_id for job_id, _ in answers}) == 1
    assert sum(new for _, new in answers) == 1
    with pytest.raises(IdempotencyMismatch):
        await jobs.submit(BRIEF, idempotency_key="k", body_sha256="other")


async def test_a_full_queue_takes_no_more(database: Database) -> None:
    jobs = await boot(database, max_queued=1)
    await jobs.submit(BRIEF)
    with pytest.raises(QueueFull):
        await jobs.submit(BRIEF)


async def test_a_running_job_is_taken_up_again_after_a_crash(database: Database) -> None:
    jobs = await boot(database, "boot-1")
    job_id, _ = await jobs.submit(BRIEF)
    await jobs.claim()
    again = JobStore(database, boot_id="boot-2", max_queued=10)
    assert await again.recover() == (1, 0)
    job = await again.get(job_id)
    assert (job.state, job.crashes) == ("queued", 1)


async def test_a_job_that_kills_the_daemon_again_and_again_is_given_up(database: Database) -> None:
    jobs = await boot(database, "boot-0")
    job_id, _ = await jobs.submit(BRIEF)
    for number in range(1, MAX_CRASHES + 1):
        await jobs.claim()
        jobs = await boot(database, f"boot-{number}")
    job = await jobs.get(job_id)
    assert job.state == "failed" and job.error is not None and job.error.code == "crash_loop"


async def test_a_clean_stop_costs_no_attempt_and_no_crash(database: Database) -> None:
    jobs = await boot(database, "boot-1")
    job_id, _ = await jobs.submit(BRIEF)
    await jobs.claim()
    assert await jobs.release("stopping") == 1
    await jobs.mark_clean_stop()
    jobs = await boot(database, "boot-2")
    job = await jobs.get(job_id)
    assert (job.state, job.attempt, job.crashes) == ("queued", 0, 0)


async def test_a_stale_owner_cannot_move_or_requeue_a_job(database: Database) -> None:
    old = await boot(database, "boot-1")
    job_id, _ = await old.submit(BRIEF)
    await old.claim()
    new = await boot(database, "boot-2")
    await new.claim()
    assert await old.release("late") == 0
    await old.move(job_id, "publishing", progress=99, line="late")
    await old.fail(job_id, Failure(code="late", detail="late"), progress=1)
    assert not await old.complete(job_id, {"clips": []}, scenes=0, line="late", event={})
    assert (await new.get(job_id)).state == "planning"
    assert not [line for _, line in await new.logs(job_id) if "late" in line]


async def test_a_job_that_this_version_cannot_read_fails_and_lets_the_next_one_run(database: Database) -> None:
    jobs = await boot(database)
    odd, _ = await jobs.submit(BRIEF, priority=1)
    fine, _ = await jobs.submit(BRIEF)
    await database.write(lambda c: c.execute("UPDATE jobs SET brief = '{\"quality\": 7}' WHERE id = ?", (odd,)))
    job = await jobs.claim()
    assert job is not None and job.id == fine
    assert await database.read("SELECT state FROM jobs WHERE id = ?", (odd,)) == [("failed",)]


async def test_what_was_to_be_cancelled_is_not_put_back_by_a_stop(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF)
    await jobs.claim()
    await jobs.request_cancel(job_id)
    assert await jobs.release("stopping") == 0
    assert (await jobs.get(job_id)).state == "cancelled"


async def test_an_ended_job_never_changes_again(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF, callback_url="https://x.example/")
    await jobs.claim()
    await jobs.fail(job_id, Failure(code="timeout", detail="late"), progress=10)
    await jobs.finish_cancel(job_id)
    assert not await jobs.complete(job_id, {"clips": []}, scenes=1, line="", event={})
    job = await jobs.get(job_id)
    assert job.state == "failed" and job.error is not None and job.error.code == "timeout"
    due, _ = await Outbox(database).due()
    assert [delivery.event for delivery in due] == ["job.failed"]


async def test_a_queued_job_is_cancelled_at_once_and_a_running_one_on_request(database: Database) -> None:
    jobs = await boot(database)
    queued, _ = await jobs.submit(BRIEF)
    assert await jobs.request_cancel(queued) == "cancelled"
    assert await jobs.request_cancel(queued) == "cancelled"
    running, _ = await jobs.submit(BRIEF)
    await jobs.claim()
    assert await jobs.request_cancel(running) == "planning"
    assert (await jobs.get(running)).cancel_requested
    with pytest.raises(NotFound):
        await jobs.request_cancel("job_none")


async def test_a_cancel_that_was_cut_off_by_a_crash_is_kept(database: Database) -> None:
    jobs = await boot(database, "boot-1")
    job_id, _ = await jobs.submit(BRIEF)
    await jobs.claim()
    await jobs.request_cancel(job_id)
    jobs = await boot(database, "boot-2")
    assert (await jobs.get(job_id)).state == "cancelled"


async def test_the_event_is_written_with_the_end_of_the_job(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(
        PrefetchBrief(queries=("sea",), per_query=1, width_px=1920, height_px=1080),
        callback_url="https://x.example/hook",
        metadata={"mine": 1},
    )
    await jobs.claim()
    assert await jobs.complete(job_id, {"clips": []}, scenes=0, line="done", event={"clips": 0})
    (delivery,), _ = await Outbox(database).due()
    body = json.loads(delivery.body)
    assert body["type"] == "job.completed" and body["data"]["job_id"] == job_id
    assert body["data"]["metadata"] == {"mine": 1} and body["data"]["clips"] == 0


async def test_storyboards_have_versions(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF)
    scene = Scene(index=0, narration="The sea.", queries=("sea",))
    board = Storyboard(title="t", language="en", planner="builtin", stretch=False, fps="30", scenes=(scene,))
    assert await jobs.storyboard(job_id) is None
    assert await jobs.save_storyboard(job_id, board) == 1
    assert await jobs.save_storyboard(job_id, board) == 1
    assert await jobs.save_storyboard(job_id, board, new_version=True) == 2
    assert await jobs.storyboard(job_id) == (2, board)
    assert await jobs.storyboard(job_id, 1) == (1, board)


async def test_pages_go_from_new_to_old_without_gaps(database: Database) -> None:
    jobs = await boot(database)
    ids = [(await jobs.submit(BRIEF))[0] for _ in range(5)]
    first = await jobs.page(limit=2)
    rest = await jobs.page(limit=10, before=(first[-1].created_at, first[-1].id))
    assert {job.id for job in first + rest} == set(ids)
    assert len(first) + len(rest) == 5


async def test_a_failed_delivery_waits_longer_each_time_and_then_stops(database: Database) -> None:
    jobs = await boot(database)
    await jobs.submit(BRIEF, callback_url="https://x.example/")
    job = await jobs.claim()
    assert job is not None
    await jobs.fail(job.id, Failure(code="x", detail="x"), progress=0)
    outbox = Outbox(database)
    (delivery,), _ = await outbox.due()
    waits = []
    for attempt in range(10):
        wait_s = await outbox.failed(delivery.__class__(**{**delivery.__dict__, "attempt": attempt}), "503")
        waits.append(wait_s)
    assert waits[-1] is None
    kept = [wait_s for wait_s in waits if wait_s is not None]
    assert kept == sorted(kept) and 60 * 3600 < sum(kept) < 92 * 3600
