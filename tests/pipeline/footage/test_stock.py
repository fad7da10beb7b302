"""Searches of stock services against real HTTP stand-ins: quota, refusals, budget. What is special about one of them is
in a file of its own, and so are downloads."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ready_database import ready
from standins.stock_services import STANDINS, content_of
from standins.stock_standin import StockStandin

from vidgend.errors import (
    BudgetSpent,
    ProviderError,
    ProviderGarbage,
    ProviderRateLimited,
    ProviderUnauthorized,
    StepError,
)
from vidgend.pipeline.budget.accounts import Accounts, Money
from vidgend.pipeline.budget.metered import Metered
from vidgend.pipeline.budget.port import Call, Quota
from vidgend.pipeline.footage.download import USER_AGENT
from vidgend.pipeline.footage.port import FootageQuery
from vidgend.pipeline.footage.stock import REFUSED_S, StockFootage
from vidgend.store.database import Database
from vidgend.store.ledger import Ledger as StoredLedger

Make = Callable[..., StockFootage]


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now_s = time.time()

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def budget(tmp_path: Path, clock: Clock) -> AsyncIterator[Metered]:
    """The real one, without quotas of its own and without patience."""
    database = await Database.open(ready(tmp_path / "ledger.db"), clock=clock)
    yield Metered(StoredLedger(database), Accounts(money=Money()), wait_s=0.0, clock=clock)
    await database.close()


class Ledger:
    """A budget that remembers what it was told."""

    def __init__(self, *, refuse: StepError | None = None) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.answers: list[tuple[int, int | None]] = []
        self.quota: Quota | None = None
        self.open = 0
        self.refuse = refuse

    @asynccontextmanager
    async def call(self, service: str, operation: str, subject: str) -> AsyncIterator[Call]:
        if self.refuse is not None:
            raise self.refuse
        self.calls.append((service, operation, subject))
        self.open += 1
        try:
            yield self
        finally:
            self.open -= 1

    def answered(self, status: int, *, quota: Quota | None = None, tokens_in: int = 0, tokens_out: int = 0) -> None:
        assert self.open == 1
        self.quota = quota
        self.answers.append((status, quota.remaining if quota else None))


def query(text: str = "storm", **options: Any) -> FootageQuery:
    return FootageQuery(text=text, **{"width_px": 1280, "height_px": 720, **options})


async def test_no_more_candidates_than_asked_for(standin: StockStandin, make: Make) -> None:
    assert len(await make(standin).search(query(limit=1))) == 1


async def test_nothing_found_is_an_empty_answer(standin: StockStandin, make: Make) -> None:
    standin.strict = True
    assert await make(standin).search(query("xylophone")) == ()


async def test_a_blank_search_finds_nothing_and_costs_nothing(standin: StockStandin, make: Make) -> None:
    assert await make(standin).search(query("  \n")) == ()
    assert standin.calls == 0


async def test_the_budget_hears_what_the_service_says_is_left(standin: StockStandin, make: Make) -> None:
    ledger = Ledger()
    await make(standin, budget=ledger).search(query())
    assert ledger.quota is not None
    assert (ledger.quota.limit, ledger.quota.remaining) == (standin.limit, standin.limit - 1)


async def test_an_empty_quota_stops_requests_until_the_reset(
    standin: StockStandin, make: Make, clock: Clock, budget: Metered, name: str
) -> None:
    stock = make(standin, clock=clock, budget=budget)
    standin._left = 1
    await stock.search(query())
    told = budget.accounts.allowance(name).told
    assert told is not None and told.left == 0
    clock.now_s = told.reset_s - 20
    with pytest.raises(ProviderRateLimited) as caught:
        await stock.search(query())
    assert caught.value.retry_after_s == pytest.approx(20)
    assert standin.calls == 1
    clock.now_s = told.reset_s + 1
    standin._left = 200
    assert await stock.search(query())
    assert standin.calls == 2


@pytest.mark.parametrize(
    ("mode", "retry_after", "expected_s"), [("limited", "7", 7), ("limited_bare", None, 60), ("limited_bare", "9", 60)]
)
async def test_a_refusal_for_quota_says_how_long_and_is_obeyed(
    standin: StockStandin, make: Make, clock: Clock, budget: Metered, mode: str, retry_after: str | None,
    expected_s: float,
) -> None:  # fmt: skip
    standin.mode = mode  # type: ignore[assignment]
    standin.retry_after_s = retry_after
    stock = make(standin, clock=clock, budget=budget)
    for _ in range(2):
        with pytest.raises(ProviderRateLimited) as caught:
            await stock.search(query())
        assert caught.value.retry_after_s == pytest.approx(expected_s, abs=5)
    assert standin.calls == 1
    standin.mode = "ok"
    clock.now_s += expected_s + 5
    assert await stock.search(query())


def is_refusal(name: str, error: ProviderError) -> bool:
    """Openverse has no key that could be wrong."""
    return (type(error) is ProviderError and not error.retryable) or (
        name != "openverse" and isinstance(error, ProviderUnauthorized)
    )


async def test_a_refused_key_is_remembered_for_a_while(
    standin: StockStandin, make: Make, name: str, clock: Clock
) -> None:
    secret = standin.key = "a-key-that-is-wrong"
    stock = make(standin, clock=clock)
    standin.mode = "unauthorized"
    for _ in range(3):
        with pytest.raises(ProviderError) as caught:
            await stock.search(query())
        assert is_refusal(name, caught.value)
        assert secret not in caught.value.detail
    assert standin.calls == 1
    standin.mode, standin.key = "ok", standin.keys_seen[0] or ""
    clock.now_s += REFUSED_S + 1
    assert await stock.search(query())


async def test_a_key_that_is_revoked_in_the_middle_is_told_at_once_and_not_used_again(
    standin: StockStandin, make: Make, name: str
) -> None:
    standin.revoke_after = 2
    stock = make(standin)
    assert await stock.search(query("storm")) and await stock.search(query("sea"))
    for _ in range(3):
        with pytest.raises(ProviderError) as caught:
            await stock.search(query("tower"))
        assert is_refusal(name, caught.value)
    assert standin.calls == 3


async def test_a_browser_check_is_told_as_such(standin: StockStandin, make: Make) -> None:
    standin.mode = "challenge"
    stock = make(standin)
    with pytest.raises(ProviderError, match="browsers") as caught:
        await stock.search(query())
    assert type(caught.value) is ProviderError and not caught.value.retryable
    assert standin.calls == 1


async def test_an_empty_answer_is_no_match(standin: StockStandin, make: Make) -> None:
    standin.mode = "empty"
    assert await make(standin).search(query()) == ()


async def test_a_search_names_vidgend_and_asks_once(standin: StockStandin, make: Make) -> None:
    await make(standin).search(query(limit=60))
    assert standin.agents_seen == [USER_AGENT]


async def test_each_request_passes_through_the_budget_repeated_ones_too(
    standin: StockStandin, make: Make, name: str
) -> None:
    ledger = Ledger()
    standin.mode, standin.times = "error", 2
    stock = make(standin, budget=ledger)
    found = await stock.search(query("dark  storm"))
    operation = "photo_search" if name == "openverse" else "video_search"
    assert ledger.calls == [(name, operation, "dark storm")] * 3
    assert ledger.answers == [(503, None), (503, None), (200, standin.limit - 1)]
    assert ledger.open == 0
    standin.picture = content_of("openverse")
    assert found[0].preview_url is not None
    await stock.preview(found[0], path=standin.clips[0].path.with_name("preview"))
    assert len(ledger.calls) == 3, "pictures and files are not counted"


async def test_a_request_that_breaks_off_is_noted_without_an_answer(standin: StockStandin, make: Make) -> None:
    ledger = Ledger()
    standin.mode = "drop"
    with pytest.raises(ProviderError):
        await make(standin, budget=ledger).search(query())
    assert len(ledger.calls) == 3 and ledger.answers == [] and ledger.open == 0


@pytest.mark.parametrize("refusal", [ProviderRateLimited("spent", retry_after_s=9), BudgetSpent("spent")])
async def test_what_the_budget_refuses_is_not_sent(standin: StockStandin, make: Make, refusal: ProviderError) -> None:
    with pytest.raises(type(refusal)):
        await make(standin, budget=Ledger(refuse=refusal)).search(query())
    assert standin.calls == 0


async def test_a_kind_that_the_service_does_not_have_is_no_match_and_costs_nothing(
    standin: StockStandin, make: Make
) -> None:
    stock = make(standin)
    missing = {"video", "photo"} - set(stock.kinds)
    for kind in missing:
        assert await stock.search(query(kind=kind)) == ()
    assert standin.calls == 0


async def test_each_kind_is_one_search_and_its_files_can_be_fetched(
    standin: StockStandin, make: Make, tmp_path: Path
) -> None:
    stock = make(standin)
    ids: list[str] = []
    for number, kind in enumerate(stock.kinds, start=1):
        found = await stock.search(query("storm sea", kind=kind))
        assert standin.calls == number and found
        assert {item.kind for item in found} == {kind}
        assert all(item.width_px and item.height_px and item.credit.licence for item in found)
        assert all(item.credit.licence_url.startswith("https://") and item.credit.title for item in found)
        ids += [item.id for item in found]
        await stock.fetch(found[0], width_px=640, height_px=360, path=tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == content_of("openverse" if kind == "photo" else name_of(stock))
    assert len(set(ids)) == len(ids), "one number may mean a video and a photo"


def name_of(stock: StockFootage) -> str:
    return stock.name


@pytest.mark.parametrize("mode", ["error", "drop"])
async def test_passing_trouble_is_tried_again(standin: StockStandin, make: Make, mode: str) -> None:
    standin.mode = mode  # type: ignore[assignment]
    standin.times = 2
    assert await make(standin).search(query())
    assert standin.calls == 3


@pytest.mark.parametrize("mode", ["error", "drop"])
async def test_lasting_trouble_is_a_provider_error_after_three_tries(
    standin: StockStandin, make: Make, mode: str
) -> None:
    standin.mode = mode  # type: ignore[assignment]
    with pytest.raises(ProviderError) as caught:
        await make(standin).search(query())
    assert type(caught.value) is ProviderError
    assert standin.calls == 3
    assert "127.0.0.1" not in caught.value.detail


@pytest.mark.parametrize("mode", ["garbage", "wrong_shape"])
async def test_an_answer_that_makes_no_sense_is_garbage(standin: StockStandin, make: Make, mode: str) -> None:
    standin.mode = mode  # type: ignore[assignment]
    with pytest.raises(ProviderGarbage):
        await make(standin).search(query())
    assert standin.calls == 1


async def test_a_silent_server_ends_in_a_provider_error(standin: StockStandin, make: Make) -> None:
    standin.mode = "slow"
    with pytest.raises(ProviderError, match="in time"):
        await make(standin, search_timeout_s=0.05).search(query())


async def test_an_answer_that_drips_ends_in_a_provider_error(standin: StockStandin, make: Make) -> None:
    standin.mode = "drip"
    with pytest.raises(ProviderError, match="in time"):
        await make(standin, search_timeout_s=0.2).search(query())


async def test_no_server_is_a_provider_error(make: Make, name: str) -> None:
    async with STANDINS[name]() as gone:
        stock = make(gone)
    with pytest.raises(ProviderError, match="no connection"):
        await stock.search(query())
