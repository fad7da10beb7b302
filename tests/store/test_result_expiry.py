"""Old results: their rows go at once, their files when nothing needs them; and what an owner's results take."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from stock import DAY_S, NOW, Stock, stock

from vidgend.store.doomed import work_off
from vidgend.store.retention import PAGE_ROWS, Collected, Rules, collect, foresee, published_bytes
from vidgend.store.retention_hands import Freed

ALL = Rules(ttl_s=7 * DAY_S, cache_max_bytes=10**12, results_max_age_s=0, results_max_bytes=0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Stock]:
    async with stock(tmp_path) as stocked:
        yield stocked


async def run(store: Stock, rules: Rules = ALL, *, lacking_bytes: int = 0) -> Collected:
    return await collect(store.database, store.assets, rules, used_since=NOW, lacking_bytes=lacking_bytes)


async def test_results_are_kept_for_ever_if_nobody_says_otherwise(store: Stock) -> None:
    await store.result("job_a", b"video", ended_s_ago=5000 * DAY_S)
    assert await run(store) == Collected()


async def test_files_of_old_results_go_and_their_jobs_stay(store: Stock) -> None:
    old = await store.result("job_old", b"old", ended_s_ago=31 * DAY_S)
    step = await store.step("video", old, jobs=("job_old",), age_s=0)
    young = await store.result("job_young", b"young", ended_s_ago=29 * DAY_S)
    gone = await run(store, replace(ALL, results_max_age_s=30 * DAY_S))
    assert gone.old_results == Freed(count=1, bytes=3)
    assert await store.database.read("SELECT kind, name FROM doomed") == [("names", "job_old")]
    await work_off(store.database, store.assets)
    assert not store.path(old).exists() and not store.named("job_old").exists() and not await store.count("doomed")
    assert store.path(young).exists() and store.named("job_young").exists()
    assert await store.count("jobs") == 2
    assert await store.database.read("SELECT job_id FROM published") == [("job_young",)]
    assert await store.log("job_old") == ["its files were deleted after 30 days"]
    assert await store.database.read("SELECT 1 FROM steps WHERE key = ?", (step,)) == []


async def test_above_the_limit_the_oldest_results_go(store: Stock) -> None:
    digests = [await store.result(f"job_{n}", bytes([n]) * 1000, ended_s_ago=100 - n) for n in range(4)]
    gone = await run(store, replace(ALL, results_max_bytes=2500))
    assert gone.results_over_limit == Freed(count=2, bytes=2000)
    assert [store.path(digest).exists() for digest in digests] == [False, False, True, True]
    assert await store.log("job_0") == ["its files were deleted to keep results under 2,500 bytes"]


async def test_a_file_that_a_younger_result_shows_too_stays(store: Stock) -> None:
    digest = await store.result("job_old", b"same", ended_s_ago=31 * DAY_S)
    await store.result("job_young", b"same", ended_s_ago=1)
    gone = await run(store, replace(ALL, results_max_age_s=30 * DAY_S, results_max_bytes=4))
    assert gone.old_results == Freed(count=1, bytes=0)
    await work_off(store.database, store.assets)
    assert store.path(digest).exists() and store.named("job_young").exists() and not store.named("job_old").exists()


async def test_the_files_of_an_old_result_that_a_living_job_needs_stay_as_cache(store: Stock) -> None:
    digest = await store.result("job_old", b"part", ended_s_ago=31 * DAY_S)
    await store.step("part", digest, jobs=(await store.job("job_b", "queued"),), age_s=31 * DAY_S)
    gone = await run(store, replace(ALL, results_max_age_s=30 * DAY_S))
    await work_off(store.database, store.assets)
    assert store.path(digest).exists() and await store.count("published") == 0
    assert gone.old_results == Freed(count=1, bytes=0), "nothing was freed yet"
    assert not store.named("job_old").exists()
    await store.sql("UPDATE jobs SET state = 'cancelled' WHERE id = 'job_b'")
    assert (await run(store, lacking_bytes=1)).bytes == 4 and not store.path(digest).exists()


async def test_a_crash_right_after_the_rows_went_leaves_the_named_files_written_down(
    store: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = await store.result("job_old", b"old", ended_s_ago=31 * DAY_S)

    async def dies(*_: object) -> int:
        raise OSError("the daemon dies here")

    with monkeypatch.context() as patched:
        patched.setattr(store.assets, "discard", dies)
        with pytest.raises(OSError, match="dies here"):
            await run(store, replace(ALL, results_max_age_s=30 * DAY_S))
    await work_off(store.database, store.assets)
    assert not store.named("job_old").exists()
    assert (await run(store)).unused == Freed(count=1, bytes=3) and not store.path(digest).exists()


async def test_results_of_many_pages_are_gone_through_by_an_index_that_history_does_not_lengthen(store: Stock) -> None:
    jobs = 2 * PAGE_ROWS + 3
    await store.database.write(
        lambda connection: connection.executemany(
            "INSERT INTO jobs (id, kind, state, brief, created_at, updated_at, finished_at) "
            "VALUES (?, 'video', 'completed', '{}', 1, 1, ?)",
            [(f"job_{number}", 5.0 + number % 7) for number in range(2 * jobs)],
        )
    )
    await store.database.write(
        lambda connection: connection.executemany(
            "INSERT INTO published (digest, job_id, role, name, content_type, size_bytes) VALUES (?, ?, 'v', 'v', '', 10)",
            [(f"{number:064x}", f"job_{number}") for number in range(jobs)],
        )
    )
    assert await published_bytes(store.database) == 10 * jobs
    foreseen = await foresee(store.database, replace(ALL, results_max_bytes=5), used_since=NOW)
    assert foreseen.results_over_limit == Freed(count=jobs, bytes=10 * jobs)
    plan = await store.database.read(
        "EXPLAIN QUERY PLAN SELECT id FROM jobs INDEXED BY jobs_with_files WHERE published_bytes IS NOT NULL "
        "AND state IN ('completed') AND (finished_at, id) > (1, '') ORDER BY finished_at, id LIMIT 9"
    )
    assert len(plan) == 1 and plan[0][3].startswith("SEARCH jobs USING INDEX jobs_with_files"), "nothing is sorted"


async def test_the_bytes_of_an_owner_are_counted_whatever_happens_to_them(store: Stock) -> None:
    async def counted() -> list[tuple[object, ...]]:
        summed = await store.database.read(
            "SELECT owner, coalesce((SELECT sum(size_bytes) FROM published AS p JOIN jobs AS j ON j.id = p.job_id "
            "WHERE j.owner = o.owner), 0) FROM owner_bytes AS o ORDER BY owner"
        )
        kept = await store.database.read("SELECT owner, published_bytes FROM owner_bytes ORDER BY owner")
        assert kept == summed
        return kept

    for number in range(4):
        await store.job(f"job_{number}")
        await store.sql("UPDATE jobs SET owner = ? WHERE id = ?", f"owner {number % 2}", f"job_{number}")
        await store.publish(f"job_{number}", await store.blob(b"%d" % number * 10), 10, name="a.mp4")
        await store.publish(f"job_{number}", await store.blob(b"%d" % number * 7), 7, name="b.mp4")
    assert await counted() == [("owner 0", 34), ("owner 1", 34)]
    await store.sql("INSERT OR REPLACE INTO published SELECT * FROM published WHERE job_id = 'job_0'")
    assert await counted() == [("owner 0", 34), ("owner 1", 34)]
    await store.sql("UPDATE published SET size_bytes = 8 WHERE job_id = 'job_0' AND role = 'b'")
    await store.sql("DELETE FROM published WHERE job_id = 'job_1' AND role = 'a'")
    assert await counted() == [("owner 0", 35), ("owner 1", 24)]
    await store.sql("DELETE FROM jobs WHERE id = 'job_0'")
    await store.sql("DELETE FROM published WHERE job_id IN ('job_1', 'job_2')")
    await store.sql("DELETE FROM jobs WHERE id = 'job_2'")
    assert await counted() == [("owner 0", 0), ("owner 1", 17)]


async def test_a_job_that_runs_again_keeps_its_files(store: Stock) -> None:
    await store.result("job_a", b"video", ended_s_ago=31 * DAY_S)
    await store.sql("UPDATE jobs SET state = 'queued'")
    assert await run(store, replace(ALL, results_max_age_s=1)) == Collected()
