"""GET /mcp/usage, and a request that the month's budget does not allow."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World

from vidgend.pipeline.budget.accounts import Accounts, Money, date_of
from vidgend.pipeline.budget.allowance import Window
from vidgend.pipeline.budget.metered import Metered
from vidgend.pipeline.budget.port import JOB, Quota
from vidgend.store.ledger import DAY_S, Answer, Ledger, OwnerLimits

TODAY = int(time.time() // DAY_S)
MONEY = Money(price_in=1.0, price_out=2.0, monthly_cap=3.0, currency="EUR")
QUOTAS = {"pexels": (Window(limit=4, length_s=3600.0), Window(limit=100, length_s=31 * 86_400.0))}


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


async def metered(world: World, limits: OwnerLimits | None = None) -> tuple[World, Metered]:
    """The world with quotas and prices."""
    ledger = Ledger(world.database, limits)
    accounts = await Accounts.read(ledger, quotas=QUOTAS, money=MONEY, now=time.time())
    budget = Metered(ledger, accounts, wait_s=0)
    return world.with_services(ledger=ledger, accounts=accounts, check_money=budget.check_money_of), budget


async def noted(world: World, *, days_ago: int, service: str = "pexels", job: str = "", **answer: Any) -> None:
    ledger = Ledger(world.database)
    number = await ledger.begin(service, "search", "sea", job_id=job, at=(TODAY - days_ago) * DAY_S + 60.0)
    ledger.end(number, service, Answer(**{"status": 200, "seconds": 0.1, **answer}))
    await world.database.write(lambda _: None)


async def get(client: TestClient[Any, Any], **parameters: str | int) -> dict[str, Any]:
    answer = await client.get("/mcp/usage", params=parameters)
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def test_without_calls_there_is_nothing_to_tell(client: TestClient[Any, Any]) -> None:
    assert await get(client) == {
        "from": date_of(TODAY - 29), "to": date_of(TODAY), "by": "day", "currency": "USD",
        "totals": {"calls": 0, "failed": 0, "tokens_in": 0, "tokens_out": 0, "cost": 0},
        "month": {"month": date_of(TODAY)[:7], "cost": 0.0, "cap": None, "left": None},
        "quotas": [], "entries": [], "next_cursor": None,
    }  # fmt: skip


async def test_calls_quotas_and_cost_are_told(world: World, connect: Any) -> None:
    world, budget = await metered(world)
    job_id = (await world.running()).id
    JOB.set(job_id)
    async with budget.call("pexels", "video_search", "sea") as call:
        call.answered(200, quota=Quota(limit=200, remaining=1, reset_s=time.time() + 900))
    async with budget.call("pexels", "video_search", "sky") as call:
        call.answered(500)
    async with budget.call("llm", "plan", "a-model") as call:
        call.answered(200, tokens_in=500_000, tokens_out=100_000)
    await world.database.write(lambda _: None)
    client = await connect(world)
    found = await get(client)
    assert found["totals"] == {"calls": 3, "failed": 1, "tokens_in": 500_000, "tokens_out": 100_000, "cost": 0.7}
    assert found["month"] == {"month": date_of(TODAY)[:7], "cost": 0.7, "cap": 3.0, "left": 2.3}
    (entry,) = found["entries"]
    assert (entry["day"], entry["calls"], entry["services"]) == (date_of(TODAY), 3, {"llm": 1, "pexels": 2})
    (quota,) = found["quotas"]
    assert quota["service"] == "pexels" and quota["at_once"] == 0
    assert quota["windows"] == [
        {"span": "hour", "seconds": 3600.0, "limit": 4, "used": 2, "left": 2},
        {"span": "month", "seconds": 31 * 86_400.0, "limit": 100, "used": 2, "left": 98},
    ]
    assert quota["told"]["limit"] == 200 and quota["told"]["left"] == 0
    assert quota["next_request_at"] > quota["told"]["at"] and quota["waits_for"]
    (by_job,) = (await get(client, by="job"))["entries"]
    assert (by_job["job"], by_job["calls"], by_job["cost"]) == (job_id, 3, 0.7)
    (by_key,) = (await get(client, by="key"))["entries"]
    assert (by_key["key"], by_key["calls"]) == ("", 3)
    assert [one["service"] for one in (await get(client, by="service"))["entries"]] == ["llm", "pexels"]


async def test_only_the_days_that_were_asked_for_count(world: World, client: TestClient[Any, Any]) -> None:
    for days_ago in (0, 1, 5, 40):
        await noted(world, days_ago=days_ago, job=f"job_{days_ago}")
    assert (await get(client))["totals"]["calls"] == 3
    span = {"from": date_of(TODAY - 5), "to": date_of(TODAY - 1)}
    assert [one["day"] for one in (await get(client, **span))["entries"]] == [date_of(TODAY - 1), date_of(TODAY - 5)]
    assert [one["job"] for one in (await get(client, by="job", **span))["entries"]] == ["job_1", "job_5"]
    assert (await get(client, to=date_of(TODAY - 30)))["from"] == date_of(TODAY - 59)


@pytest.mark.parametrize("by", ["day", "job", "service"])
async def test_many_entries_come_in_pages(world: World, client: TestClient[Any, Any], by: str) -> None:
    for number in range(5):
        await noted(world, days_ago=number, job=f"job_{number}", service=f"service_{number}")
    whole = (await get(client, by=by))["entries"]
    assert len(whole) == 5
    pages, cursor = list[Any](), dict[str, str]()
    while True:
        page = await get(client, by=by, limit=2, **cursor)
        pages += page["entries"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert pages == whole


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [
        ({"from": "yesterday"}, "from"), ({"to": "2026-02-30"}, "to"), ({"to": "20260227"}, "to"),
        ({"from": "1969-12-31"}, "from"), ({"from": "2026-02-02", "to": "2026-02-01"}, "from"), ({"by": "week"}, "by"),
        ({"days": "3"}, "days"), ({"limit": "0"}, "limit"), ({"cursor": "x"}, "cursor"), ({"cursor": "W10"}, "cursor"),
        ({"cursor": encoded('["a"]')}, "cursor"), ({"by": "job", "cursor": encoded('[NaN, "a"]')}, "cursor"),
        ({"cursor": encoded("[" * 2000)}, "cursor"), ({"from": "٢٠٢٦-٠١-٠١"}, "from"),
        ({"cursor": encoded("[1e30]")}, "cursor"), ({"cursor": encoded(f"[{10**30}]")}, "cursor"),
        ({"by": "key", "cursor": encoded('["\\ud800"]')}, "cursor"), ({"cursor": encoded("[true]")}, "cursor"),
        ({"by": "job", "cursor": encoded('[1e999, "a"]')}, "cursor"),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_is_a_problem(
    client: TestClient[Any, Any], parameters: dict[str, str], parameter: str
) -> None:
    answer = await client.get("/mcp/usage", params=parameters)
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (422, "invalid_request")
    assert [error["parameter"] for error in problem["errors"]] == [parameter]


async def test_what_only_the_model_can_do_is_refused_when_the_month_is_spent(world: World, connect: Any) -> None:
    world, budget = await metered(world.with_services(can_translate=True))
    client = await connect(world)
    outputs = [{"language": "en"}, {"language": "en-GB"}]
    body = {"prompt": "The sea at dawn.", "outputs": outputs}
    async with budget.call("llm", "plan", "a-model") as call:
        call.answered(200, tokens_in=3_000_000)
    assert (await client.post("/mcp/generate", json=body)).status == 202, "nothing is translated"
    scenes = [{"narration": "The sea."}]
    foreign = {"scenes": scenes, "outputs": [{"language": "en"}, {"language": "fr", "voice": "af_heart"}]}
    answer = await client.post("/mcp/generate", json=foreign)
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (429, "budget_spent")
    assert "has cost 3.00 EUR this month" in problem["detail"] and "usage.monthly_cap" in problem["hint"]
    assert 0 < int(answer.headers["Retry-After"]) <= 31 * 86_400


async def test_so_it_is_when_the_owner_has_spent_what_one_may(world: World, connect: Any) -> None:
    world, budget = await metered(world.with_services(can_translate=True), OwnerLimits(cost_per_month=1.0))
    client = await connect(world)
    ann, bob = await world.key("ann"), await world.key("bob")
    made = await client.post("/mcp/generate", json={"prompt": "The sea at dawn."}, headers=ann)
    JOB.set((await made.json())["job_id"])
    async with budget.call("llm", "plan", "a-model") as call:
        call.answered(200, tokens_in=1_000_000)
    scenes = [{"narration": "The sea."}]
    foreign = {"scenes": scenes, "outputs": [{"language": "en"}, {"language": "fr", "voice": "af_heart"}]}
    answer = await client.post("/mcp/generate", json=foreign, headers=ann)
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (429, "budget_spent")
    assert "limits.cost_per_month" in problem["hint"] and 0 < int(answer.headers["Retry-After"]) <= 31 * 86_400
    answer = await client.post("/mcp/generate", json=foreign, headers=bob)
    assert (await answer.json()).get("code") != "budget_spent"
