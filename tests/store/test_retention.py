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
from vidgend.store.outbox import DISABLED_LIVE_S, SILENCE_S
from vidgend.store.retention import PAGE_ROWS, Collected, Rules, collect, foresee
from vidgend.store.retention_hands import BATCH_ROWS, Freed

ALL = Rules(ttl_s=7 * DAY_S, cache_max_bytes=10**12, results_max_age_s=0, results_max_bytes=0)
NOTHING_STAYS = replace(ALL, ttl_s=1, cache_max_bytes=0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Stock]:
    async with stock(tmp_path) as stocked:
        yield stocked


async def run(store: Stock, rules: Rules = ALL, *, used_since: float = NOW, lacking_bytes: int = 0) -> Collected:
    return await collect(store.database, store.assets, rules, used_since=used_since, lacking_bytes=lacking_bytes)


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


async def test_what_is_lacking_is_taken_from_the_cache_and_no_more_than_that(store: Stock) -> None:
    digests = [await store.blob(bytes([number]) * 1000, age_s=100 - number) for number in range(4)]
    await store.blob(b"in use", age_s=0)
    assert await run(store, used_since=NOW - 50) == Collected(evictable_bytes=4000)
    foreseen = await foresee(store.database, ALL, used_since=NOW - 50, lacking_bytes=1500)
    gone = await run(store, used_since=NOW - 50, lacking_bytes=1500)
    assert gone == foreseen == Collected(space_low=Freed(count=2, bytes=2000), evictable_bytes=2000)
    assert [store.path(digest).exists() for digest in digests] == [False, False, True, True]
    gone = await run(store, used_since=NOW - 50, lacking_bytes=10**9)
    assert gone == Collected(space_low=Freed(count=2, bytes=2000))


async def test_what_the_rules_delete_counts_towards_what_is_lacking(store: Stock) -> None:
    await store.blob(b"o" * 1000, age_s=8 * DAY_S)
    young = await store.blob(b"y" * 1000, age_s=100)
    gone = await run(store, lacking_bytes=1000)
    assert gone == Collected(unused=Freed(count=1, bytes=1000), evictable_bytes=1000)
    assert store.path(young).exists()


async def test_copies_of_what_lies_elsewhere_are_given_up_before_anything_is_deleted(
    store: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.blob(b"y" * 1000, age_s=100)
    asked: list[tuple[int, float | None]] = []

    async def trim(lacking_bytes: int, *, used_since: float | None = None) -> int:
        asked.append((lacking_bytes, used_since))
        return 400

    monkeypatch.setattr(store.blobs, "trim", trim)
    assert await run(store) == Collected(evictable_bytes=1000) and asked == []
    assert (await run(store, lacking_bytes=400)).bytes == 0
    assert (await run(store, lacking_bytes=401)).bytes == 1000
    assert asked == [(400, NOW), (401, NOW)]


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
    assert await run(store, NOTHING_STAYS, lacking_bytes=2**60) == Collected()
    assert store.path(digest).exists()
    assert await store.database.read("SELECT key FROM steps") == [(key,)]


async def test_what_was_prefetched_stays_until_that_job_is_deleted(store: Stock) -> None:
    digest = await store.blob(b"clip", age_s=400 * DAY_S)
    job = await store.job("job_a", "completed")
    await store.database.write(lambda c: c.execute("UPDATE jobs SET kind = 'prefetch'"))
    await store.step("clip", digest, jobs=(job,), age_s=400 * DAY_S)
    assert await run(store, NOTHING_STAYS, lacking_bytes=2**60) == Collected()
    await store.database.write(lambda c: c.execute("DELETE FROM jobs"))
    assert (await run(store, NOTHING_STAYS)).unused == Freed(count=1, bytes=4)


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
    assert await run(store, NOTHING_STAYS, lacking_bytes=2**60) == Collected()


async def test_what_was_used_since_the_oldest_running_job_began_stays(store: Stock) -> None:
    before = await store.blob(b"before", age_s=200)
    since = await store.blob(b"since", age_s=100)
    key = await store.step("since", since, age_s=100)
    await run(store, NOTHING_STAYS, used_since=NOW - 150, lacking_bytes=2**60)
    assert not store.path(before).exists() and store.path(since).exists()
    assert await store.database.read("SELECT key FROM steps") == [(key,)]


async def test_what_a_result_shows_stays(store: Stock) -> None:
    digest = await store.result("job_a", b"video", ended_s_ago=400 * DAY_S)
    assert await run(store, NOTHING_STAYS, lacking_bytes=2**60) == Collected()
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
    lacking_bytes=st.sampled_from([0, 1, 2**60]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_whatever_the_store_holds_nothing_that_is_needed_goes(
    blobs: list[float], jobs: list[tuple[str, list[int], bool]], limit: int, lacking_bytes: int
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
            rules = replace(ALL, cache_max_bytes=limit)
            foreseen = await foresee(store.database, rules, used_since=NOW - 100, lacking_bytes=lacking_bytes)
            gone = await run(store, rules, used_since=NOW - 100, lacking_bytes=lacking_bytes)
            left = {row[0] for row in await store.database.read("SELECT digest FROM assets")}
            assert needed <= left and all(store.path(digest).exists() for digest in left)
            assert {digest async for digest, _ in store.blobs.list()} == left
            if lacking_bytes > 1 or not limit:
                assert left == needed, "all that nothing protects went"
            sizes = await store.database.read("SELECT digest, size_bytes FROM assets")
            assert gone.evictable_bytes == sum(size for digest, size in sizes if digest not in needed)
            assert not lacking_bytes or gone.bytes >= lacking_bytes or left == needed
            # A dry run tells what will go; some steps go with their files, before they are counted.
            assert replace(gone, steps=foreseen.steps) == foreseen and gone.steps <= foreseen.steps


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
        # This start's clock was set back by years: it is the newest all the same, and stays.
        at = float(number) if number < 1002 else -1.0
        await store.sql("INSERT INTO boots (boot_id, started_at) VALUES (?, ?)", str(number), at)
    gone = await run(store)
    assert (gone.idempotency_keys, gone.events, gone.boots) == (1, 1, 3)
    assert await store.database.read("SELECT key FROM idempotency") == [("6",)]
    assert await store.database.read("SELECT id FROM outbox WHERE state = 'delivered'") == [("delivered 29",)]
    assert await store.count("outbox") == 5
    boots = await store.database.read("SELECT boot_id FROM boots ORDER BY rowid")
    assert [boots[0], boots[-1], len(boots)] == [("3",), ("1002",), 1000]


async def test_endpoints_are_forgotten_when_they_say_nothing_any_more(store: Stock) -> None:
    for url, failed_s_ago, disabled in (
        ("long ago", SILENCE_S + 1, False), ("lately", SILENCE_S - 1, False),
        ("disabled", SILENCE_S + 1, True), ("disabled long ago", DISABLED_LIVE_S + 1, True),
    ):  # fmt: skip
        await store.sql(
            "INSERT INTO endpoints (owner, url, failing_since, last_failed_at, disabled_at) VALUES ('', ?, 1, ?, ?)",
            url, NOW - failed_s_ago, NOW - failed_s_ago if disabled else None,
        )  # fmt: skip
    assert (await run(store)).endpoints == 2
    assert await store.database.read("SELECT url FROM endpoints ORDER BY url") == [("disabled",), ("lately",)]


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
