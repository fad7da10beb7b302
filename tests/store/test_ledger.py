"""The ledger's sums, its pages, and what retention leaves of it."""

from __future__ import annotations

from pathlib import Path

from stock import DAY_S, NOW, Stock, stock

from vidgend.store import retention
from vidgend.store.ledger import Answer, Ledger, Sums
from vidgend.store.retention import CALLS_LIVE_S, Rules, collect

RULES = Rules(ttl_s=7 * DAY_S, cache_max_bytes=10**12, results_max_age_s=0, results_max_bytes=0)
TODAY = int(NOW // DAY_S)


async def made(
    store: Stock, ledger: Ledger, service: str, *, job: str = "", age_s: float = 0.0, **answer: float
) -> int:
    number = await ledger.begin(service, "search", "sea", job_id=job, at=NOW - age_s)
    ledger.end(number, service, Answer(**{"status": 200, "seconds": 0.1, **answer}))  # type: ignore[arg-type]
    await store.database.write(lambda _: None)
    return number


async def test_sums_are_kept_by_day_service_owner_and_job(tmp_path: Path) -> None:
    async with stock(tmp_path) as store:
        ledger = Ledger(store.database)
        job = await store.job("job_a", "queued")
        await store.database.write(lambda connection: connection.execute("UPDATE jobs SET owner = 'ann'"))
        await made(store, ledger, "pexels", job=job)
        await made(store, ledger, "llm", job=job, tokens_in=10, tokens_out=5, cost=0.5)
        await made(store, ledger, "llm", tokens_in=1, cost=0.25, age_s=DAY_S)
        await made(store, ledger, "pexels", status=429)
        await ledger.begin("pexels", "search", "sea", job_id=job, at=NOW)  # under way
        assert await ledger.totals(TODAY - 1, TODAY) == Sums(calls=5, failed=1, tokens_in=11, tokens_out=5, cost=0.75)
        assert await ledger.totals(TODAY, TODAY, owner="ann") == Sums(calls=3, tokens_in=10, tokens_out=5, cost=0.5)
        assert await ledger.totals(TODAY + 1, TODAY + 9) == Sums()
        days = await ledger.entries("day", TODAY - 9, TODAY)
        assert [(one.name, one.sums.calls, one.services) for one in days] == [
            (TODAY, 4, {"llm": 1, "pexels": 3}), (TODAY - 1, 1, {"llm": 1}),
        ]  # fmt: skip
        keys = await ledger.entries("key", TODAY - 9, TODAY)
        assert [(one.name, one.sums.calls) for one in keys] == [("", 2), ("ann", 3)]
        assert [one.name for one in await ledger.entries("service", TODAY, TODAY)] == ["llm", "pexels"]
        (entry,) = await ledger.jobs(TODAY, TODAY, limit=9)
        assert (entry.job_id, entry.owner, entry.sums.calls, entry.sums.cost) == (job, "ann", 3, 0.5)
        assert await ledger.jobs(TODAY, TODAY, limit=9, owner="bob") == []


async def test_jobs_come_newest_first_page_by_page(tmp_path: Path) -> None:
    async with stock(tmp_path) as store:
        ledger = Ledger(store.database)
        for number in range(7):
            await made(store, ledger, "pexels", job=f"job_{number}", age_s=number // 2)
        found, before = [], None
        while page := await ledger.jobs(TODAY - 1, TODAY, limit=2, before=before):
            found += [one.job_id for one in page]
            before = (page[-1].first_at, page[-1].job_id)
        assert found == ["job_1", "job_0", "job_3", "job_2", "job_5", "job_4", "job_6"]


async def test_old_calls_and_their_sums_go_and_above_the_cap_only_the_calls(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    async with stock(tmp_path) as store:
        ledger = Ledger(store.database)
        await made(store, ledger, "pexels", job="job_old", age_s=CALLS_LIVE_S + DAY_S)
        for number in range(6):
            await made(store, ledger, "pexels", job=f"job_{number}", age_s=DAY_S)
        gone = await collect(store.database, store.assets, RULES, used_since=NOW, lacking_bytes=0)
        assert gone.calls == 1 and (await ledger.totals(0, TODAY)).calls == 6
        assert len(await ledger.jobs(0, TODAY, limit=99)) == 6
        monkeypatch.setattr(retention, "CALLS_KEPT", 2)
        gone = await collect(store.database, store.assets, RULES, used_since=NOW, lacking_bytes=0)
        assert gone.calls == 4 and (await ledger.totals(0, TODAY)).calls == 6
        assert len(await ledger.sent("pexels", since=0, last=99)) == 2


async def test_numbers_go_on_after_all_old_calls_are_gone(tmp_path: Path) -> None:
    """What a later answer says counts more than what an earlier one said, and later is who has the larger number."""
    async with stock(tmp_path) as store:
        ledger = Ledger(store.database)
        for _ in range(3):
            await made(
                store, ledger, "pexels", quota_limit=9, quota_left=0, quota_reset_at=NOW + 5, age_s=CALLS_LIVE_S + 9
            )
        await collect(store.database, store.assets, RULES, used_since=NOW, lacking_bytes=0)
        await made(store, ledger, "pexels", quota_limit=9, quota_left=8, quota_reset_at=NOW + 5)
        assert (await ledger.states())["pexels"].quota_left == 8
