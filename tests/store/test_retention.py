"""What retention may take, and above all what it may not."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stock import DAY_S, NOW, Stock, stock

from vidgend.errors import Conflict
from vidgend.models import ACTIVE_STATES
from vidgend.store.orphans import FEW, collect_orphans, find_orphans
from vidgend.store.retention import BATCH_ROWS, PAGE_ROWS, Collected, Freed, Rules, collect, foresee

ALL = Rules(ttl_s=7 * DAY_S, cache_max_bytes=10**12, results_max_age_s=0, results_max_bytes=0, min_free_bytes=0)
NOTHING_STAYS = replace(ALL, ttl_s=1, cache_max_bytes=0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Stock]:
    async with stock(tmp_path) as stocked:
        yield stocked


async def run(store: Stock, rules: Rules = ALL, *, used_since: float = NOW, low: bool = False) -> Collected:
    return await collect(store.database, store.assets, rules, used_since=used_since, low=low)


# --- the cache


async def test_what_was_not_used_for_the_ttl_goes_and_the_rest_stays(store: Stock) -> None:
    old, young = await store.blob(b"old", age_s=8 * DAY_S), await store.blob(b"young", age_s=6 * DAY_S)
    gone = await run(store)
    assert gone.unused == Freed(count=1, bytes=3) and gone.bytes == 3
    assert not store.path(old).exists() and store.path(young).exists()
    assert await store.database.read("SELECT digest FROM assets") == [(young,)]


async def test_above_the_limit_the_least_recently_used_go_until_it_fits(store: Stock) -> None:
    digests = [await store.blob(bytes([number]) * 1000, age_s=100 - number) for number in range(5)]
    shown = await store.result("job_a", b"v" * 5000, ended_s_ago=1000)  # a result is no cache
    gone = await run(store, replace(ALL, cache_max_bytes=2500))
    assert gone.cache_over_limit == Freed(count=3, bytes=3000)
    assert [store.path(digest).exists() for digest in digests] == [False, False, False, True, True]
    assert store.path(shown).exists()


async def test_low_space_takes_cache_until_enough_is_free(store: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = [await store.blob(bytes([number]) * 1000, age_s=100 - number) for number in range(4)]
    monkeypatch.setattr(
        store.blobs, "free_bytes", lambda: 10_000 + 1000 * sum(not store.path(digest).exists() for digest in digests)
    )
    rules = replace(ALL, min_free_bytes=12_000)
    assert await run(store, rules) == Collected(), "only when space is low"
    assert (await run(store, rules, low=True)).space_low == Freed(count=2, bytes=2000)
    assert [store.path(digest).exists() for digest in digests] == [False, False, True, True]


async def test_a_store_of_many_pages_is_gone_through_in_short_transactions(store: Stock) -> None:
    count = PAGE_ROWS * 2 + 7
    digests = [f"{number:064x}" for number in range(count)]
    await store.database.write(
        lambda connection: connection.executemany(
            "INSERT INTO assets (digest, size_bytes, content_type, stored_at, used_at) VALUES (?, 10, 'x', 1, ?)",
            [(digest, 5.0 + number % 3) for number, digest in enumerate(digests)],
        )
    )
    changes = []

    def note(connection: object, counted: int) -> None:
        changes.append(counted)

    write = store.database.write

    async def counting(transaction):  # type: ignore[no-untyped-def]
        def whole(connection):  # type: ignore[no-untyped-def]
            before = connection.total_changes
            value = transaction(connection)
            note(connection, connection.total_changes - before)
            return value

        return await write(whole)

    store.database.write = counting  # type: ignore[method-assign]
    gone = await run(store)
    assert gone.unused == Freed(count=count, bytes=10 * count)
    assert await store.count("assets") == 0
    assert max(changes) <= 2 * BATCH_ROWS and len(changes) > count / BATCH_ROWS


# --- protection


@pytest.mark.parametrize("state", ["queued", "awaiting_review", *ACTIVE_STATES])
async def test_what_a_job_that_has_not_ended_made_stays_however_old_it_is(store: Stock, state: str) -> None:
    digest = await store.blob(b"clip", age_s=400 * DAY_S)
    job = await store.job("job_a", state)
    key = await store.step("clip", digest, jobs=(job,), age_s=400 * DAY_S)
    assert await run(store, NOTHING_STAYS, low=True) == Collected()
    assert store.path(digest).exists()
    assert await store.database.read("SELECT key FROM steps") == [(key,)]


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled"])
async def test_when_the_last_job_has_ended_its_steps_are_cache(store: Stock, state: str) -> None:
    digest = await store.blob(b"clip", age_s=8 * DAY_S)
    await store.step("clip", digest, jobs=(await store.job("job_a", state),), age_s=8 * DAY_S)
    assert (await run(store)).unused == Freed(count=1, bytes=4)
    assert await store.count("steps") == 0 and await store.count("step_assets") == 0


async def test_a_step_that_an_ended_and_a_living_job_share_stays(store: Stock) -> None:
    digest = await store.blob(b"clip", age_s=8 * DAY_S)
    jobs = await store.job("job_a"), await store.job("job_b", "rendering")
    await store.step("clip", digest, jobs=jobs, age_s=8 * DAY_S)
    assert await run(store, NOTHING_STAYS, low=True) == Collected()


async def test_what_was_used_since_the_oldest_running_job_began_stays(store: Stock) -> None:
    before = await store.blob(b"before", age_s=200)
    since = await store.blob(b"since", age_s=100)
    key = await store.step("since", since, age_s=100)
    await run(store, NOTHING_STAYS, used_since=NOW - 150, low=True)
    assert not store.path(before).exists() and store.path(since).exists()
    assert await store.database.read("SELECT key FROM steps") == [(key,)]


async def test_what_a_result_shows_stays(store: Stock) -> None:
    digest = await store.result("job_a", b"video", ended_s_ago=400 * DAY_S)
    assert await run(store, NOTHING_STAYS, low=True) == Collected()
    assert store.path(digest).exists() and store.named("job_a").exists()


async def test_a_running_step_stays(store: Stock) -> None:
    await store.step("a", state="running", age_s=400 * DAY_S)
    for state in ("ready", "done", "failed"):
        await store.step(state, state=state, age_s=400 * DAY_S, jobs=(await store.job(f"job_{state}"),))
    assert (await run(store)).steps == 3
    assert await store.database.read("SELECT state FROM steps") == [("running",)]
    assert await store.count("job_steps") == 0 and await store.count("jobs") == 3


AGES = st.sampled_from([0, 50, 150, 8 * DAY_S])
STATES = st.sampled_from(["queued", "rendering", "completed", "failed"])


@given(
    blobs=st.lists(AGES, min_size=1, max_size=5),
    jobs=st.lists(st.tuples(STATES, st.lists(st.integers(0, 4), max_size=3), st.booleans()), max_size=4),
    limit=st.sampled_from([0, 10, 10**9]),
    low=st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_whatever_the_store_holds_nothing_that_is_needed_goes(
    blobs: list[float], jobs: list[tuple[str, list[int], bool]], limit: int, low: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with stock(Path(folder)) as store:
            digests = [await store.blob(b"%d" % number, age_s=age) for number, age in enumerate(blobs)]
            needed = {digest for digest, age in zip(digests, blobs, strict=True) if age < 100}
            for number, (state, wants, shows) in enumerate(jobs):
                job = await store.job(f"job_{number}", state)
                mine = [digests[want % len(digests)] for want in wants]
                await store.step(f"step {number}", *dict.fromkeys(mine), jobs=(job,), age_s=8 * DAY_S)
                if state in ("queued", "rendering"):
                    needed |= set(mine)
                elif shows and mine:
                    await store.publish(job, mine[0], 1)
                    needed.add(mine[0])
            rules = replace(ALL, cache_max_bytes=limit, min_free_bytes=2**62)
            foreseen = await foresee(store.database, rules, used_since=NOW - 100, low=low, free_bytes=0)
            gone = await run(store, rules, used_since=NOW - 100, low=low)
            left = {row[0] for row in await store.database.read("SELECT digest FROM assets")}
            assert needed <= left and all(store.path(digest).exists() for digest in left)
            assert {digest async for digest, _ in store.blobs.list()} == left
            if low or not limit:
                assert left == needed, "all that nothing protects went"
            # A dry run tells what will go; some steps go with their files, before they are counted.
            assert replace(gone, steps=foreseen.steps) == foreseen and gone.steps <= foreseen.steps


# --- results


async def test_results_are_kept_for_ever_if_nobody_says_otherwise(store: Stock) -> None:
    await store.result("job_a", b"video", ended_s_ago=5000 * DAY_S)
    assert await run(store) == Collected()


async def test_files_of_old_results_go_and_their_jobs_stay(store: Stock) -> None:
    old = await store.result("job_old", b"old", ended_s_ago=31 * DAY_S)
    step = await store.step("video", old, jobs=("job_old",), age_s=0)
    young = await store.result("job_young", b"young", ended_s_ago=29 * DAY_S)
    gone = await run(store, replace(ALL, results_max_age_s=30 * DAY_S))
    assert gone.old_results == Freed(count=1, bytes=3)
    assert not store.path(old).exists() and not store.named("job_old").exists()
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
    assert store.path(digest).exists() and store.named("job_young").exists() and not store.named("job_old").exists()


async def test_the_files_of_an_old_result_that_a_living_job_needs_stay_as_cache(store: Stock) -> None:
    digest = await store.result("job_old", b"part", ended_s_ago=31 * DAY_S)
    await store.step("part", digest, jobs=(await store.job("job_b", "queued"),), age_s=31 * DAY_S)
    await run(store, replace(ALL, results_max_age_s=30 * DAY_S))
    assert store.path(digest).exists() and await store.count("published") == 0


async def test_a_job_that_runs_again_keeps_its_files(store: Stock) -> None:
    await store.result("job_a", b"video", ended_s_ago=31 * DAY_S)
    await store.sql("UPDATE jobs SET state = 'queued'")
    assert await run(store, replace(ALL, results_max_age_s=1)) == Collected()


# --- rows


async def test_old_keys_events_and_boots_go(store: Stock) -> None:
    await store.job("job_a")
    for age in (6, 8):
        await store.sql(
            "INSERT INTO idempotency (owner, key, body_sha256, job_id, created_at) VALUES ('', ?, '', 'job_a', ?)",
            str(age), NOW - age * DAY_S,
        )  # fmt: skip
    for state in ("delivered", "dead", "pending"):
        for age in (29, 31):
            await store.sql(
                "INSERT INTO outbox (id, job_id, url, event, body, state, next_at, created_at) "
                "VALUES (?, 'job_a', 'https://x.example', 'job.completed', x'', ?, ?, ?)",
                f"{state} {age}", state, NOW - age * DAY_S, NOW - age * DAY_S,
            )  # fmt: skip
    for number in range(1003):
        await store.sql("INSERT INTO boots (boot_id, started_at) VALUES (?, ?)", str(number), float(number))
    gone = await run(store)
    assert (gone.idempotency_keys, gone.events, gone.boots) == (1, 1, 3)
    assert await store.database.read("SELECT key FROM idempotency") == [("6",)]
    assert await store.database.read("SELECT id FROM outbox WHERE state = 'delivered'") == [("delivered 29",)]
    assert await store.count("outbox") == 5
    assert await store.database.read("SELECT min(started_at), count(*) FROM boots") == [(3.0, 1000)]


# --- orphans


def put_blob(store: Stock, content: bytes) -> str:
    """A blob whose daemon died before its row."""
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    store.path(digest).parent.mkdir(exist_ok=True)
    store.path(digest).write_bytes(content)
    return digest


async def test_files_that_no_row_knows_are_deleted_and_the_others_are_not(store: Stock) -> None:
    orphan = put_blob(store, b"orphan")
    kept = await store.blob(b"kept", age_s=1)
    shown = await store.result("job_a", b"shown", ended_s_ago=1)
    unrecorded = await store.result("job_b", b"unrecorded", ended_s_ago=1)
    await store.sql("DELETE FROM assets WHERE digest = ?", unrecorded)
    assert await collect_orphans(store.database, store.assets) == Freed(count=1, bytes=6)
    assert not store.path(orphan).exists()
    assert all(store.path(digest).exists() for digest in (kept, shown, unrecorded))


async def test_named_files_without_a_result_are_removed_unless_their_job_is_under_way(store: Stock) -> None:
    digest = await store.blob(b"video")
    for job_id in ("job_gone", "job_live"):
        await store.blobs.publish(digest, job_id, "output.mp4", "video/mp4")
    await store.job("job_live", "publishing")
    await store.result("job_done", b"x", ended_s_ago=1)
    await collect_orphans(store.database, store.assets)
    assert not store.named("job_gone").exists()
    assert store.named("job_live").exists() and store.named("job_done").exists()


async def test_a_database_that_knows_almost_nothing_of_the_store_deletes_nothing(store: Stock) -> None:
    orphans = [put_blob(store, b"%d" % number) for number in range(FEW + 1)]
    with pytest.raises(Conflict, match=r"not know 51 files.*none of these is deleted"):
        await collect_orphans(store.database, store.assets)
    assert all(store.path(digest).exists() for digest in orphans)
    assert (await find_orphans(store.database, store.blobs)).doubt is not None
    assert (await collect_orphans(store.database, store.assets, even_if_doubtful=True)).count == FEW + 1
    assert not any(store.path(digest).exists() for digest in orphans)
