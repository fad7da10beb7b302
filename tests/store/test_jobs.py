import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from nobodys import NobodysJobs
from ready_database import ready

from vidgend.errors import Conflict, IdempotencyMismatch, NotFound, QueueFull, QueueQuotaExceeded
from vidgend.models import Brief, PrefetchBrief
from vidgend.store.database import Database
from vidgend.store.feed import Feed
from vidgend.store.jobs import Failure, Job, JobStore
from vidgend.store.outbox import RETRY_AFTER_S, Outbox

BRIEF = Brief(prompt="the sea", voice="en-US-neutral")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(ready(tmp_path / "db"))
    yield database
    await database.close()


async def boot(database: Database, boot_id: str = "boot-1", *, max_queued: int = 100) -> JobStore:
    jobs = NobodysJobs(database, boot_id=boot_id, max_queued=max_queued)
    await jobs.recover()
    return jobs


async def claimed(jobs: JobStore) -> Job:
    job = await jobs.claim()
    assert job is not None
    return job


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


async def test_a_clean_stop_costs_no_attempt_and_no_crash(database: Database) -> None:
    jobs = await boot(database, "boot-1")
    job_id, _ = await jobs.submit(BRIEF)
    await jobs.claim()
    assert await jobs.release("stopping") == 1
    await jobs.mark_clean_stop()
    jobs = await boot(database, "boot-2")
    job = await jobs.get(job_id)
    assert (job.state, job.attempt, job.crashes) == ("queued", 0, 0)


async def test_after_a_clean_stop_an_attempt_goes_on_from_as_many_percent_and_another_begins_at_none(
    database: Database,
) -> None:
    jobs = await boot(database, "boot-1")
    await jobs.submit(BRIEF)
    await jobs.reach(await claimed(jobs), progress=33.5, scenes=(2, 5))
    await jobs.release("stopping")
    await jobs.mark_clean_stop()
    jobs = await boot(database, "boot-2")
    job = await claimed(jobs)
    assert (job.attempt, job.progress) == (1, 33.5)
    await jobs.move(job, "rendering", progress=10, line="rendering")
    assert (await jobs.get(job.id)).progress == 33.5
    await jobs.park(job, Failure(code="x", detail="x"), wait_s=0)
    job = await claimed(jobs)
    assert (job.attempt, job.progress) == (2, 0)


async def test_a_lost_claim_changes_nothing(database: Database) -> None:
    old = await boot(database, "boot-1")
    job_id, _ = await old.submit(BRIEF, callback_url="https://x.example/")
    stale = await claimed(old)
    new = await boot(database, "boot-2")
    fresh = await claimed(new)
    assert await old.release("late") == 0
    await old.move(stale, "publishing", progress=99, line="late")
    await old.reach(stale, progress=99, scenes=(1, 1))
    assert not await old.fail(stale, Failure(code="late", detail="late"), progress=1)
    assert not await old.park(stale, Failure(code="late", detail="late"), wait_s=1)
    assert not await old.complete(stale, {"clips": []}, scenes=0, line="late", event={})
    assert (await new.get(job_id)).state == "planning"
    assert not [line for _, line in await new.logs(job_id) if "late" in line]
    assert await database.read("SELECT count(*) FROM outbox") == [(0,)]
    assert await new.complete(fresh, {"clips": []}, scenes=0, line="done", event={})


async def test_an_earlier_attempt_of_the_same_boot_cannot_end_the_next_one(database: Database) -> None:
    jobs = await boot(database)
    await jobs.submit(BRIEF)
    first = await claimed(jobs)
    await jobs.park(first, Failure(code="x", detail="x"), wait_s=0)
    second = await claimed(jobs)
    assert not await jobs.complete(first, {"clips": []}, scenes=0, line="late", event={})
    assert await jobs.complete(second, {"clips": []}, scenes=0, line="done", event={})


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
    job = await claimed(jobs)
    await jobs.fail(job, Failure(code="timeout", detail="late"), progress=10)
    await jobs.finish_cancel(job_id)
    assert not await jobs.complete(job, {"clips": []}, scenes=1, line="", event={})
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
    job = await claimed(jobs)
    assert await jobs.complete(job, {"clips": []}, scenes=0, line="done", event={"clips": 0})
    (delivery,), _ = await Outbox(database).due()
    body = json.loads(delivery.body)
    assert body["type"] == "job.completed" and body["data"]["job_id"] == job_id
    assert body["data"]["metadata"] == {"mine": 1} and body["data"]["clips"] == 0


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
    await jobs.fail(await claimed(jobs), Failure(code="x", detail="x"), progress=0)
    outbox = Outbox(database)
    (delivery,), _ = await outbox.due()
    waits = []
    for attempt in range(10):
        wait_s = await outbox.failed(delivery.__class__(**{**delivery.__dict__, "attempt": attempt}), "503")
        waits.append(wait_s)
    assert waits[-1] is None
    kept = [wait_s for wait_s in waits if wait_s is not None]
    assert all(0.8 * planned <= wait_s <= 1.2 * planned for wait_s, planned in zip(kept, RETRY_AFTER_S, strict=True))


async def test_owners_take_turns_however_many_jobs_one_of_them_has(database: Database) -> None:
    jobs = await boot(database, max_queued=1000)
    for number in range(200):
        await jobs.submit(BRIEF, owner="a", priority=number % 3)
    for _ in range(10):
        await jobs.submit(BRIEF, owner="b")
    order = []
    for _ in range(24):
        job = await claimed(jobs)
        order.append(job.owner)
        await jobs.complete(job, {}, scenes=0, line="done", event={})
    assert all(order[: 2 * number].count("b") >= number for number in range(1, 11)), order
    assert order.count("a") == 14


async def test_an_owner_with_running_jobs_stands_behind_one_with_none(database: Database) -> None:
    jobs = await boot(database)
    for owner in "aab":
        await jobs.submit(BRIEF, owner=owner)
    assert [(await claimed(jobs)).owner for _ in range(3)] == ["a", "b", "a"]


async def test_a_job_gains_a_priority_every_ten_minutes(tmp_path: Path) -> None:
    now = 1_000_000.0
    database = await Database.open(ready(tmp_path / "aged"), clock=lambda: now)
    jobs = await boot(database)
    old, _ = await jobs.submit(BRIEF)
    now += 3 * 600 + 1
    await jobs.submit(BRIEF, priority=3)
    urgent, _ = await jobs.submit(BRIEF, priority=4)
    assert [(await claimed(jobs)).id for _ in range(2)] == [urgent, old]
    await database.close()


async def test_a_job_to_be_tried_again_waits_its_time_and_says_why(tmp_path: Path) -> None:
    now = 1_000_000.0
    database = await Database.open(ready(tmp_path / "parked"), clock=lambda: now)
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF)
    await jobs.park(await claimed(jobs), Failure(code="provider_unavailable", detail="no answer"), wait_s=40)
    assert await jobs.claim() is None and await jobs.next_due_s() == 40
    job = await jobs.get(job_id)
    assert (job.state, job.ready, job.failures, job.run_at) == ("queued", False, 1, now + 40)
    assert job.error is not None and job.error.detail == "no answer"
    now += 40
    job = await claimed(jobs)
    assert (job.attempt, job.failures) == (2, 1) and await jobs.next_due_s() is None
    await database.close()


async def test_a_clock_that_is_set_back_lets_no_job_wait_longer_than_was_meant(tmp_path: Path) -> None:
    now = 1_000_000.0
    database = await Database.open(ready(tmp_path / "jump"), clock=lambda: now)
    jobs = await boot(database)
    await jobs.submit(BRIEF)
    await jobs.park(await claimed(jobs), Failure(code="x", detail="x"), wait_s=40)
    now -= 7200
    assert await jobs.claim() is None
    assert await jobs.next_due_s() == 40
    now -= 7200  # and again, over a restart
    jobs = await boot(database, "boot-2")
    assert await jobs.next_due_s() == 40
    now += 40
    await claimed(jobs)
    await database.close()


async def test_a_paused_queue_begins_nothing_and_remembers_it(database: Database) -> None:
    jobs = await boot(database, "boot-1")
    await jobs.submit(BRIEF)
    await jobs.pause("holiday")
    jobs = await boot(database, "boot-2")
    assert await jobs.claim() is None
    paused = await jobs.paused()
    assert paused is not None and paused.reason == "holiday"
    await jobs.resume()
    await claimed(jobs)
    assert await jobs.paused() is None


async def test_a_failed_job_can_be_sent_again_with_new_counters_and_ends_with_its_own_event(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF, callback_url="https://x.example/")
    with pytest.raises(Conflict, match="queued"):
        await jobs.retry(job_id)
    await jobs.park(await claimed(jobs), Failure(code="x", detail="x"), wait_s=0)
    await jobs.fail(await claimed(jobs), Failure(code="x", detail="x", tail="ffmpeg: no"), progress=10)
    assert (await jobs.get(job_id)).error == Failure(code="x", detail="x", tail="ffmpeg: no")
    job = await jobs.retry(job_id)
    assert (job.state, job.failures, job.error, job.attempt) == ("queued", 0, None, 2)
    await jobs.complete(await claimed(jobs), {"clips": []}, scenes=0, line="done", event={})
    await database.write(lambda c: c.execute("INSERT INTO published VALUES ('d', ?, 'video', 'v', 't', 1)", (job_id,)))
    with pytest.raises(Conflict, match="completed"):
        await jobs.retry(job_id)
    due, _ = await Outbox(database).due()
    assert sorted(delivery.event for delivery in due) == ["job.completed", "job.failed"]


async def test_a_job_whose_files_are_gone_can_be_sent_again(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF)
    await jobs.complete(await claimed(jobs), {"clips": []}, scenes=0, line="done", event={})
    job = await jobs.retry(job_id)
    assert (job.state, job.result) == ("queued", None)


async def test_only_an_ended_job_can_be_deleted_and_then_nothing_is_left(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF, callback_url="https://x.example/", idempotency_key="k", body_sha256="b")
    with pytest.raises(Conflict, match="cancel it first"):
        await jobs.delete(job_id)
    await jobs.request_cancel(job_id)
    await jobs.delete(job_id)
    with pytest.raises(NotFound):
        await jobs.get(job_id)
    for table in ("jobs", "job_events", "outbox", "idempotency"):
        assert await database.read(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert await jobs.counts() == {}


async def test_the_counts_are_kept_with_every_change(database: Database) -> None:
    jobs = await boot(database)
    for _ in range(3):
        await jobs.submit(BRIEF)
    await claimed(jobs)
    assert await jobs.counts() == {"queued": 2, "planning": 1}
    assert await database.read("SELECT state, count(*) FROM jobs GROUP BY state ORDER BY 1") == [
        ("planning", 1), ("queued", 2),
    ]  # fmt: skip


async def test_a_job_of_another_version_can_still_be_listed_and_deleted(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF)
    await database.write(lambda c: c.execute("UPDATE jobs SET brief = '{\"quality\": 7}'"))
    assert await jobs.claim() is None
    (job,) = await jobs.page()
    assert job.error is not None and job.error.code == "brief_unreadable"
    await jobs.delete(job_id)


async def test_a_cancel_that_is_written_late_does_not_end_the_job_that_was_sent_again(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF)
    first = await claimed(jobs)
    await jobs.request_cancel(job_id)
    await jobs.finish_cancel(job_id)
    await jobs.retry(job_id)
    await jobs.finish_cancel(job_id, claim=first)
    assert (await jobs.get(job_id)).state == "queued"


async def test_a_full_queue_takes_no_retry_either(database: Database) -> None:
    jobs = await boot(database, max_queued=1)
    job_id, _ = await jobs.submit(BRIEF)
    await jobs.request_cancel(job_id)
    await jobs.submit(BRIEF)
    with pytest.raises(QueueFull):
        await jobs.retry(job_id)


async def test_a_pause_does_not_make_due_jobs_look_due_for_ever(tmp_path: Path) -> None:
    now = 1_000_000.0
    database = await Database.open(ready(tmp_path / "paused"), clock=lambda: now)
    jobs = await boot(database)
    await jobs.submit(BRIEF)
    await jobs.park(await claimed(jobs), Failure(code="x", detail="x"), wait_s=5)
    await jobs.pause("")
    now += 60
    assert await jobs.claim() is None
    assert await jobs.next_due_s() is None
    await database.close()


async def test_a_job_that_was_to_be_cancelled_is_not_put_back_by_a_failure(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF, callback_url="https://x.example/")
    job = await claimed(jobs)
    await jobs.request_cancel(job_id)
    await jobs.park(job, Failure(code="x", detail="x"), wait_s=0)
    assert (await jobs.get(job_id)).state == "cancelled"
    assert [delivery.event for delivery in (await Outbox(database).due())[0]] == ["job.cancelled"]


async def test_a_clock_that_went_forth_and_back_between_two_claims_delays_nobody(tmp_path: Path) -> None:
    now = 1_000_000.0
    database = await Database.open(ready(tmp_path / "jump"), clock=lambda: now)
    jobs = await boot(database)
    await jobs.submit(BRIEF)
    job = await claimed(jobs)
    now += 7200
    await jobs.park(job, Failure(code="x", detail="x"), wait_s=40)
    now -= 7200
    assert await jobs.claim() is None and await jobs.next_due_s() == 40
    await database.close()


async def test_no_query_of_the_queue_looks_at_every_queued_job(database: Database) -> None:
    seen: list[str] = []
    await database.write(lambda c: c.set_trace_callback(seen.append))
    jobs = await boot(database)
    await jobs.submit(BRIEF)
    await jobs.park(await claimed(jobs), Failure(code="x", detail="x"), wait_s=9)
    await jobs.claim()
    await database.write(lambda c: c.set_trace_callback(None))
    looked = [sql for sql in seen if sql.lstrip().startswith(("WITH", "SELECT", "UPDATE", "INSERT"))]
    assert len(looked) > 10
    for sql in looked:
        plan = " / ".join(row[3] for row in await database.read(f"EXPLAIN QUERY PLAN {sql}"))
        small = re.sub(r"SCAN jobs USING (COVERING )?INDEX jobs_held", "", plan)  # only those that run
        assert "SCAN jobs" not in small, f"{sql}: {plan}"
        assert "jobs_by_state (state=?)" not in plan, f"{sql}: {plan}"


async def test_a_job_is_read_with_its_newest_lines_as_they_were_written(database: Database) -> None:
    jobs = await boot(database)
    job_id, _ = await jobs.submit(BRIEF, owner="ada")
    for line in ("b", 'c "quoted" \\ \U0001f30a', "d"):
        await jobs.note(job_id, line)
    look = await jobs.look(job_id, owner="ada", last=3)
    assert (look.job, look.logs) == (await jobs.get(job_id), await jobs.logs(job_id, last=3))
    assert [line for _, line in look.logs] == ["b", 'c "quoted" \\ \U0001f30a', "d"]
    with pytest.raises(NotFound):
        await jobs.look(job_id, owner="bob")


async def test_a_look_at_a_job_says_its_place_among_its_owners_and_whether_the_queue_is_paused(
    database: Database,
) -> None:
    jobs = await boot(database)
    running = (await jobs.submit(BRIEF, owner="ada"))[0]
    await claimed(jobs)
    first, second = [(await jobs.submit(BRIEF, owner="ada"))[0] for _ in range(2)]
    others = (await jobs.submit(BRIEF, owner="bob"))[0]
    looks = [await jobs.look(one) for one in (running, first, second, others)]
    assert [one.queue_position for one in looks] == [None, 1, 2, 1] and {one.pause for one in looks} == {None}
    await jobs.pause("holiday")
    pause = (await jobs.look(second)).pause
    assert pause is not None and pause == await jobs.paused()
    await jobs.resume()
    await jobs.park(await claimed(jobs), Failure(code="x", detail="x"), wait_s=9)  # bob's turn
    assert (await jobs.look(others)).queue_position is None, "it waits for a time, not for its turn"


async def test_what_one_owner_sees_is_found_without_looking_at_what_others_have(database: Database) -> None:
    jobs, asked = await boot(database), list[tuple[str, Sequence[Any]]]()

    class Noted(Database):
        async def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
            asked.append((sql, parameters))
            return await database.read(sql, parameters)

    noted = Noted(database.path, database.clock, database._writer)
    reads, feed = NobodysJobs(noted, boot_id="x", max_queued=9), Feed(noted)
    job_id, _ = await jobs.submit(BRIEF, owner="ada")
    for state in (None, "completed"):
        for before in (None, (1.0, "job_a")):
            await reads.page(owner="ada", state=state, before=before)
    await feed.after(0, owner="ada", limit=9)
    await feed.after(0, owner="ada", until=9, limit=9)
    await reads.get(job_id, owner="ada")
    await reads.look(job_id, owner="ada")
    assert len(asked) == 8
    for sql, parameters in asked:
        plan = " / ".join(row[3] for row in await database.read(f"EXPLAIN QUERY PLAN {sql}", parameters))
        assert "owner=?" in plan or "(id=?)" in plan, f"{sql}: {plan}"
        assert "TEMP B-TREE" not in plan, f"{sql}: {plan}"


async def test_an_owner_may_have_so_many_waiting_and_no_more(database: Database) -> None:
    jobs = NobodysJobs(database, boot_id="boot", max_queued=100, queued_per_owner=2)
    first, _ = await jobs.submit(BRIEF, owner="ann", idempotency_key="a")
    await jobs.submit(BRIEF, owner="ann")
    with pytest.raises(QueueQuotaExceeded, match=r"2 of your jobs .*queued_per_owner is 2"):
        await jobs.submit(BRIEF, owner="ann")
    assert await jobs.submit(BRIEF, owner="ann", idempotency_key="a") == (first, False), "no new one"
    other, _ = await jobs.submit(BRIEF, owner="bob")
    await jobs.request_cancel(first)
    assert await jobs.counts(owner="ann") == {"cancelled": 1, "queued": 1}
    await jobs.submit(BRIEF, owner="ann")
    with pytest.raises(QueueQuotaExceeded):
        await jobs.retry(first)
    await jobs.request_cancel(other)
    await jobs.retry(other)
    assert await jobs.counts() == {"cancelled": 1, "queued": 3}
    assert await jobs.counts(owner="bob") == {"queued": 1} and await jobs.counts(owner="carl") == {}
