"""The budget over a real ledger: nothing is sent that does not fit, whoever asks, whenever the process ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from nobodys import NobodysJobs
from ready_database import ready
from standins.time_standin import FakeTime

from vidgend.errors import BudgetSpent, ProviderRateLimited, StorageFull
from vidgend.models import Brief
from vidgend.pipeline.budget.accounts import Accounts, Money
from vidgend.pipeline.budget.allowance import Window
from vidgend.pipeline.budget.metered import MAX_TOKENS, Metered
from vidgend.pipeline.budget.port import JOB, Quota
from vidgend.store.database import Database
from vidgend.store.ledger import DAY_S, LLM, Ledger, OwnerLimits

HOUR = Window(limit=20, length_s=3600.0)
MONEY = Money(price_in=1.0, price_out=10.0, monthly_cap=1.0, currency="EUR")
COLUMNS = "service, operation, subject, job_id, status, tokens_in, tokens_out, cost, quota_left"


@pytest.fixture
async def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def database(tmp_path: Path, time: FakeTime) -> AsyncIterator[Database]:
    database = await Database.open(ready(tmp_path / "db"), clock=time.clock)
    yield database
    await database.close()


async def boot(database: Database, time: FakeTime, *, wait_s: float = 0.0, money: Money = MONEY) -> Metered:
    """As a fresh process does it."""
    ledger = Ledger(database)
    accounts = await Accounts.read(ledger, quotas={"pexels": (HOUR,)}, money=money, now=time.now)
    return Metered(ledger, accounts, wait_s=wait_s, clock=time.clock, sleep=time.sleep)


async def send(budget: Metered, service: str = "pexels", **answer: Any) -> None:
    async with budget.call(service, "video_search", "sea") as call:
        call.answered(200, **answer)


async def rows(database: Database, columns: str = COLUMNS) -> list[tuple[Any, ...]]:
    await database.write(lambda _: None)  # after all that was posted
    return await database.read(f"SELECT {columns} FROM provider_calls ORDER BY id")


async def test_a_call_is_on_the_disk_before_it_is_sent_and_its_answer_after(database: Database, time: FakeTime) -> None:
    jobs = NobodysJobs(database, boot_id="boot", max_queued=9)
    await jobs.recover()
    job_id, _ = await jobs.submit(Brief(prompt="sea"))
    await database.write(lambda connection: connection.execute("UPDATE jobs SET owner = 'ann'"))
    JOB.set(job_id)
    budget = await boot(database, time)
    async with budget.call("pexels", "video_search", "sea\0 \ud800" + "x" * 999) as call:
        ((subject, status, seconds, owner),) = await rows(database, "subject, status, seconds, owner")
        assert (len(subject), status, seconds, owner) == (200, None, None, "ann")
        call.answered(200, quota=Quota(limit=20, remaining=7, reset_s=time.now + 60))
    ((_, _, _, job, *more),) = await rows(database)
    assert (job, more) == (job_id, [200, 0, 0, 0.0, 7])
    await jobs.request_cancel(job_id)
    await jobs.delete(job_id)
    assert len(await rows(database)) == 1, "the row outlives its job"


async def test_a_call_that_fails_is_noted_as_not_answered(database: Database, time: FakeTime) -> None:
    budget = await boot(database, time)
    with pytest.raises(ConnectionError):
        async with budget.call("pexels", "video_search", "sea"):
            raise ConnectionError
    ((status, seconds),) = await rows(database, "status, seconds")
    assert status is None and seconds is not None
    assert await database.read("SELECT calls, failed FROM usage_days") == [(1, 1)]


async def test_200_callers_at_once_never_overshoot_and_are_served_in_turn(database: Database, time: FakeTime) -> None:
    budget = await boot(database, time, wait_s=1e9)
    sent: list[tuple[int, float]] = []

    async def one(number: int) -> None:
        async with budget.call("pexels", "video_search", "sea") as call:
            sent.append((number, time.now))
            call.answered(200)

    assert await time.run(one(number) for number in range(200)) == [None] * 200
    times = [at for _, at in sent]
    assert [at for (at,) in await rows(database, "at")] == sorted(times)
    assert max(sum(at <= other <= at + 3600 for other in times) for at in times) == 19
    assert max(times.count(at) for at in times) == 10, "half of it at once"
    late = [number for number, at in sent if at > times[0]]
    assert late == sorted(late), "first come first served"


async def test_who_would_wait_too_long_is_told_why_and_until_when(database: Database, time: FakeTime) -> None:
    budget = await boot(database, time, wait_s=400.0)
    found = await time.run(send(budget) for _ in range(200))
    refused = [error for error in found if isinstance(error, ProviderRateLimited)]
    assert found.count(None) == 11, "the burst, and the one that fits within the patience"
    assert len(refused) == 189
    assert refused[0].detail.startswith("Pexels: 11 of 20 requests of this hour are used, and the others are spread")
    assert "the next request fits at 2027-01-15 08:12:00 UTC" in refused[0].detail
    assert refused[0].retry_after_s == pytest.approx(720.4, abs=0.1)
    assert len(await rows(database)) == 11


async def test_cancelling_who_waits_loses_and_leaks_no_place(database: Database, time: FakeTime) -> None:
    budget = await boot(database, time, wait_s=1e9)
    await time.run(send(budget) for _ in range(10))
    free_at = budget.accounts.allowance("pexels").fit(time.now).at
    waiting = [asyncio.ensure_future(send(budget)) for _ in range(5)]
    await time.until_asleep(5)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert all(task.cancelled() for task in waiting)
    assert budget.accounts.allowance("pexels").fit(time.now).at == free_at
    await time.run([send(budget)])
    assert time.now == free_at and len(await rows(database)) == 11


async def test_what_cannot_be_written_down_is_not_sent_and_takes_no_place(
    database: Database, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = await boot(database, time)

    async def full(*_: Any, **__: Any) -> None:
        raise StorageFull("the disk is full")

    with monkeypatch.context() as patch, pytest.raises(StorageFull):
        patch.setattr(database, "write", full)
        await send(budget)
    assert budget.accounts.allowance("pexels").used(HOUR, time.now) == 0


async def test_a_restart_forgets_nothing_not_even_what_was_under_way(database: Database, time: FakeTime) -> None:
    budget = await boot(database, time)
    for _ in range(9):
        await send(budget)
    dying = budget.call("pexels", "video_search", "sea")
    await dying.__aenter__()  # the process is killed here
    again = await boot(database, time)
    with pytest.raises(ProviderRateLimited, match="10 of 20 requests of this hour"):
        await send(again)
    time.now += 361
    await send(again)
    with pytest.raises(ProviderRateLimited):
        await send(again)


async def test_what_the_service_said_is_known_after_a_restart(database: Database, time: FakeTime) -> None:
    budget = await boot(database, time)
    await send(budget, quota=Quota(limit=200, remaining=2, reset_s=time.now + 900))
    await send(budget)
    await database.write(lambda _: None)
    again = await boot(database, time)
    await send(again)
    with pytest.raises(ProviderRateLimited, match="it says itself that all of its 200 requests are used") as refused:
        await send(again)
    assert refused.value.retry_after_s == pytest.approx(900)
    time.now += 900
    await send(again)


async def test_a_429_holds_the_service_until_it_wants_to_be_asked_again(database: Database, time: FakeTime) -> None:
    budget = await boot(database, time, wait_s=30.0)
    async with budget.call("pexels", "video_search", "sea") as call:
        call.answered(429, retry_after_s=100.0)
    with pytest.raises(ProviderRateLimited, match="Pexels: it asked for a pause") as refused:
        await send(budget)
    assert refused.value.retry_after_s == 100.0
    await database.write(lambda _: None)
    again = await boot(database, time, wait_s=30.0)
    with pytest.raises(ProviderRateLimited):
        await send(again)
    time.now += 80
    began = time.now
    await time.run([send(again)])
    assert time.now == began + 20, "a short rest of it is waited for"
    assert (await rows(database, "status, retry_at"))[0] == (429, began + 20)


async def test_another_model_does_not_keep_the_pause_that_the_one_before_asked_for(
    database: Database, time: FakeTime
) -> None:
    budget = await boot(database, time)
    async with budget.call("llm", "plan", "large") as call:
        call.answered(429, retry_after_s=86_400.0)
    with pytest.raises(ProviderRateLimited, match="the language model: it asked for a pause"):
        await send(budget, "llm")
    await database.write(lambda _: None)
    await send(await boot(database, time), "llm")


async def test_who_waits_notices_that_the_service_stopped_meanwhile(database: Database, time: FakeTime) -> None:
    budget = await boot(database, time, wait_s=400.0)
    slow = budget.call("pexels", "video_search", "slow")
    call = await slow.__aenter__()
    await time.run(send(budget) for _ in range(9))
    waiting = asyncio.ensure_future(send(budget))
    await time.until_asleep(1)
    call.answered(429, retry_after_s=5000.0)
    await slow.__aexit__(None, None, None)
    time.pass_to_the_next()
    with pytest.raises(ProviderRateLimited, match="asked for a pause"):
        await waiting
    assert len(await rows(database)) == 10


async def test_what_is_being_written_down_is_not_forgotten_when_an_answer_says_what_is_left(
    database: Database, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = await boot(database, time)
    first = budget.call("pexels", "video_search", "sea")
    call = await first.__aenter__()
    writing, go_on = asyncio.Event(), asyncio.Event()
    real = budget._ledger.begin

    async def slowly(*given: Any, **more: Any) -> int:
        writing.set()
        await go_on.wait()
        return await real(*given, **more)

    monkeypatch.setattr(budget._ledger, "begin", slowly)
    second = asyncio.ensure_future(send(budget))
    await writing.wait()
    call.answered(200, quota=Quota(limit=20, remaining=1, reset_s=time.now + 900))
    await first.__aexit__(None, None, None)
    assert budget.accounts.allowance("pexels").at_once(time.now) == 0, "the one that is left is taken"
    go_on.set()
    await second
    assert len(await rows(database)) == 2


@pytest.mark.parametrize("back_s", [1.0, 20.0, 7200.0, 4e8])
async def test_a_clock_that_is_set_back_keeps_nobody_waiting_for_long(
    database: Database, time: FakeTime, back_s: float
) -> None:
    budget = await boot(database, time, wait_s=400.0)
    await time.run(send(budget) for _ in range(10))
    waiting = asyncio.ensure_future(send(budget))
    await time.until_asleep(1)
    time.pass_to_the_next()
    time.now -= back_s
    began = time.now
    await time.run([waiting])
    assert time.now - began <= 400.0


async def test_a_clock_that_was_wrong_by_years_leaves_no_pause_of_years(database: Database, time: FakeTime) -> None:
    right = time.now
    time.now += 4e8
    budget = await boot(database, time)
    await send(budget, quota=Quota(limit=20, remaining=0, reset_s=time.now + 900), retry_after_s=1000.0)
    await database.write(lambda _: None)
    time.now = right
    for one in (budget, await boot(database, time)):
        assert not one.accounts.allowance("pexels").fit(time.now).reason
        await send(one)


# --- money


async def test_a_clock_that_is_set_loses_nothing_that_was_spent(database: Database, time: FakeTime) -> None:
    right = time.now
    await send(await boot(database, time), "llm", tokens_out=100_000)
    await database.write(lambda _: None)
    time.now = 0.0  # no battery
    budget = await boot(database, time)
    budget.check_money()
    for at in (right, right + 4e8, right - 32 * 86_400, right):
        time.now = at
        if at == right:
            with pytest.raises(BudgetSpent):
                budget.check_money()
        else:
            budget.check_money()


async def test_tokens_cost_what_the_settings_say_until_the_cap(database: Database, time: FakeTime) -> None:
    budget = await boot(database, time)
    await send(budget, "llm", tokens_in=400_000, tokens_out=50_000)
    assert (await rows(database))[0][4:8] == (200, 400_000, 50_000, pytest.approx(0.9))
    budget.check_money()
    await send(budget, "llm", tokens_in=100_000)
    with pytest.raises(
        BudgetSpent, match=r"has cost 1.00 EUR this month, .* is 1.00 EUR; .* begins on 2027-02-01"
    ) as e:
        await send(budget, "llm")
    assert e.value.retry_after_s == pytest.approx(16 * 86_400 + 16 * 3600, abs=86_400)
    await send(budget)  # footage costs nothing
    again = await boot(database, time)
    with pytest.raises(BudgetSpent):
        again.check_money()
    assert len(await rows(database)) == 3, "nothing was sent"
    time.now += 17 * 86_400
    again.check_money()
    (await boot(database, time)).check_money()


async def test_without_a_cap_nothing_is_refused_and_hostile_counts_are_cut(database: Database, time: FakeTime) -> None:
    budget = await boot(database, time, money=Money(price_out=1.0))
    await send(budget, "llm", tokens_in=-5, tokens_out=10**30)
    await send(budget, quota=Quota(limit=10**40, remaining=10**39, reset_s=time.now + 5))
    await send(budget, quota=Quota(limit=5, remaining=4, reset_s=float("inf")))
    budget.check_money()
    (llm, huge, endless) = await rows(database)
    assert llm[5:8] == (0, MAX_TOKENS, pytest.approx(1000)) and huge[8] == 2**53 and endless[8] is None


async def job_of(database: Database, owner: str) -> str:
    job_id, _ = await NobodysJobs(database, boot_id="boot", max_queued=9).submit(Brief(prompt="sea"), owner=owner)
    return job_id


async def test_an_owners_day_is_bounded_and_the_others_go_on(database: Database, time: FakeTime) -> None:
    accounts = Accounts(money=MONEY)
    budget = Metered(
        Ledger(database, OwnerLimits(calls_per_day=2)), accounts, wait_s=0.0, clock=time.clock, sleep=time.sleep
    )
    ann, bob = await job_of(database, "ann"), await job_of(database, "bob")
    JOB.set(ann)
    await send(budget)
    await send(budget, "pixabay")
    await send(budget, LLM)
    for service in ("pexels", "pixabay"):
        with pytest.raises(ProviderRateLimited, match=r"all 2 requests .*limits.provider_calls_per_day") as caught:
            await send(budget, service)
        left_s = DAY_S - time.now % DAY_S
        assert caught.value.retry_after_s == pytest.approx(left_s)
    await send(budget, LLM)
    JOB.set(bob)
    await send(budget)
    JOB.set(ann)
    time.now += left_s
    await send(budget)
    assert len(await rows(database)) == 6, "what was refused was not sent"


async def test_a_refused_request_leaves_its_place_to_others(database: Database, time: FakeTime) -> None:
    accounts = await Accounts.read(Ledger(database), quotas={"pexels": (HOUR,)}, money=MONEY, now=time.now)
    budget = Metered(
        Ledger(database, OwnerLimits(calls_per_day=1)), accounts, wait_s=0.0, clock=time.clock, sleep=time.sleep
    )
    JOB.set(await job_of(database, "ann"))
    await send(budget)
    for _ in range(HOUR.limit):
        with pytest.raises(ProviderRateLimited, match="provider_calls_per_day"):
            await send(budget)
    assert accounts.allowance("pexels").used(HOUR, time.now) == 1


async def test_an_owners_month_may_cost_so_much(database: Database, time: FakeTime) -> None:
    budget = Metered(
        Ledger(database, OwnerLimits(cost_per_month=0.5)),
        Accounts(money=MONEY), wait_s=0.0, clock=time.clock, sleep=time.sleep,
    )  # fmt: skip
    JOB.set(await job_of(database, "ann"))
    await send(budget, LLM, tokens_in=500_000)
    with pytest.raises(BudgetSpent, match=r"has cost 0.50 for this owner .* begins on 2027-02-01"):
        await send(budget, LLM)
    await send(budget)
    JOB.set(await job_of(database, "bob"))
    await send(budget, LLM)
