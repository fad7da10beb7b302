"""The door: keys, scopes, signed links and limits on the real routes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from aiohttp import ClientError
from aiohttp.test_utils import TestClient
from standins.services_standin import KEY, World
from yarl import URL

from vidgend.http.app import OPERATIONS
from vidgend.http.auth import signed_url
from vidgend.http.caller import Caller
from vidgend.http.limits import Limits, Rate
from vidgend.store.keys import forget_keys, revoke_key

Client = TestClient[Any, Any]
SLOW = Rate(per_s=0.001, burst=20)
"""That flows in too slowly to matter within a test."""
ANY = Rate(per_s=0, burst=1)


async def code(answer: Any) -> tuple[int, str]:
    return answer.status, (await answer.json(content_type=None)).get("code", "")


async def test_where_there_is_no_key_none_is_asked_for(client: Client) -> None:
    assert (await client.get("/mcp/jobs")).status == 200
    assert (await client.get("/mcp/jobs", headers={"Authorization": "Bearer what"})).status == 200


async def test_from_the_first_key_on_one_is_asked_for(world: World, client: Client) -> None:
    ann = await world.key("ann")
    made = await client.post("/mcp/generate", json={"prompt": "The sea"}, headers=ann)
    job_id = (await made.json())["job_id"]
    assert (await world.jobs.get(job_id)).owner == "ann"
    assert await code(await client.get("/mcp/jobs")) == (401, "unauthorized")
    assert await code(await client.get("/mcp/jobs", headers={"Authorization": "Bearer what"})) == (401, "unauthorized")
    assert (await client.get("/livez")).status == 200


async def test_a_key_that_was_made_this_moment_counts_before_it_is_known_that_one_is_asked_for(
    world: World, client: Client
) -> None:
    assert (await client.get("/mcp/jobs")).status == 200  # from here it is remembered that there is none
    made = await client.post("/mcp/generate", json={"prompt": "The sea"}, headers=await world.key("ann"))
    assert (await world.jobs.get((await made.json())["job_id"])).owner == "ann"


async def test_the_end_of_the_last_key_opens_nothing(world: World, client: Client) -> None:
    ann = await world.key("ann")
    now = world.database.clock()
    await world.database.write(lambda connection: revoke_key(connection, "ann", now=now))
    answer = await client.get("/mcp/jobs", headers=ann)
    assert (
        await code(answer) == (401, "unauthorized")
        and "was revoked" in (await answer.json(content_type=None))["detail"]
    )
    assert await code(await client.get("/mcp/jobs")) == (401, "unauthorized")
    await world.database.write(lambda connection: forget_keys(connection, now=now + 1))


@pytest.mark.parametrize("scope", ["read", "write", "admin"])
async def test_a_key_does_what_its_scope_says_and_no_more(world: World, client: Client, scope: str) -> None:
    """Every operation, by what is answered to a request that is wrong in all else."""
    head = await world.key("ann", scopes=[scope])
    allowed = ("read", "write", "admin")[: ("read", "write", "admin").index(scope) + 1]
    for operation in OPERATIONS:
        path = operation.path.format(job_id="job_none", digest="0" * 64, name="none", webhook_id="none", version="1")
        answer = await client.request(operation.method, path, headers={**head, "Content-Type": "application/json"})
        refused = answer.status == 403
        assert refused == (operation.scope is not None and operation.scope not in allowed), operation.id
        if refused:
            assert await code(answer) == (403, "forbidden_scope")


async def test_a_link_is_its_owners_and_outlives_the_key(world: World, client: Client) -> None:
    ann, bob = await world.key("ann"), await world.key("bob+co")
    job, result = await world.completed(owner="bob+co")
    shown = await (await client.get(f"/mcp/result/{job.id}", headers=bob)).json()
    link = URL(shown["video_url"]).relative()
    assert link.query["for"] == "bob+co"
    assert (await client.get(f"/mcp/result/{job.id}", headers=ann)).status == 404
    assert (await client.get(link.with_query(None), headers=ann)).status == 404
    assert (await client.get(link)).status == 200
    now = world.database.clock()
    await world.database.write(lambda connection: revoke_key(connection, "bob+co", now=now))
    assert (await client.get(link)).status == 200
    for whose in ("ann", ""):
        changed = link.update_query({"for": whose}) if whose else link.with_query(
            {name: value for name, value in link.query.items() if name != "for"}
        )  # fmt: skip
        assert await code(await client.get(changed)) == (403, "signature_invalid")
    path = f"/mcp/assets/{result.files['video'].digest}"
    caller = Caller(owner="ann", key_id="1")
    url = signed_url("", path, caller=caller, url_key=world.services.url_key, now_s=time.time())
    assert (await client.get(url)).status == 404, "ann has no such file"


async def test_one_key_makes_no_more_requests_than_the_limit(world: World, connect: Any) -> None:
    world = world.with_services(limits=Limits(keyed=SLOW, anonymous=ANY))
    client, ann, bob = await connect(world), await world.key("ann"), await world.key("bob")
    statuses = [(await client.get("/mcp/jobs", headers=ann)).status for _ in range(22)]
    assert statuses == [200] * 20 + [429] * 2
    answer = await client.post("/mcp/generate", data=b"x" * 900_000, headers=ann)
    assert await code(answer) == (429, "rate_limited"), "before the body is looked at"
    assert 1 <= int(answer.headers["Retry-After"]) <= 1000
    assert (
        answer.headers["RateLimit-Policy"].startswith('"key";q=20;w=') and '"key";r=0;t=' in answer.headers["RateLimit"]
    )
    assert (await client.get("/mcp/jobs", headers=bob)).status == 200
    assert (await client.get("/livez")).status == 200


async def test_who_guesses_is_stopped_and_who_has_a_key_is_not(world: World, connect: Any) -> None:
    world = world.with_api_key(KEY).with_services(limits=Limits(keyed=ANY, anonymous=SLOW))
    client, ann, late = await connect(world), await world.key("ann"), await world.key("late")
    assert (await client.get("/mcp/jobs", headers=ann)).status == 200
    wrong = {"Authorization": "Bearer guess"}
    assert [(await client.get("/mcp/jobs", headers=wrong)).status for _ in range(3)] == [401, 401, 429]
    owns = {"Authorization": f"Bearer {KEY}"}
    assert await code(await client.get("/mcp/jobs", headers=owns)) == (429, "rate_limited"), "nor is a right guess told"
    assert (await client.get("/mcp/jobs", headers=late)).status == 429
    assert (await client.get("/mcp/jobs", headers=ann)).status == 200
    assert (await client.get("/mcp/jobs")).status == 429
    assert (await client.get("/readyz")).status in (200, 503)


async def test_clients_behind_a_trusted_proxy_are_told_apart(world: World, connect: Any) -> None:
    from test_http_links import LOOPBACK

    world = world.with_api_key(KEY).with_services(limits=Limits(keyed=ANY, anonymous=SLOW), trusted_proxies=LOOPBACK)
    client = await connect(world)
    guesser = {"Authorization": "Bearer guess", "X-Forwarded-For": "203.0.113.9"}
    assert [(await client.get("/mcp/jobs", headers=guesser)).status for _ in range(3)] == [401, 401, 429]
    other = {"Authorization": f"Bearer {KEY}", "X-Forwarded-For": "203.0.113.10"}
    assert (await client.get("/mcp/jobs", headers=other)).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_signed_links_are_counted_and_who_guesses_signatures_is_stopped(
    world: World, connect: Any, method: str
) -> None:
    job, _ = await world.completed()
    world = world.with_api_key(KEY)
    counted = await connect(world.with_services(limits=Limits(keyed=SLOW, anonymous=ANY)))
    shown = await (await counted.get(f"/mcp/result/{job.id}", headers={"Authorization": f"Bearer {KEY}"})).json()
    link = URL(shown["video_url"]).relative()
    statuses = [(await counted.request(method, link)).status for _ in range(21)]
    assert statuses == [200] * 20 + [429]

    guarded = await connect(world.with_services(limits=Limits(keyed=ANY, anonymous=SLOW)))
    guess = link.update_query(sig="0" * 64)
    assert (await guarded.request(method, link)).status == 200
    assert [(await guarded.request(method, guess)).status for _ in range(3)] == [403, 403, 429]
    assert (await guarded.request(method, link)).status == 429, "nor is a right guess told"


async def test_where_no_key_is_asked_for_nothing_is_counted(world: World, connect: Any) -> None:
    client = await connect(world.with_services(limits=Limits(keyed=SLOW, anonymous=SLOW)))
    assert {(await client.get("/mcp/styles")).status for _ in range(60)} == {200}


async def test_the_queue_quota_is_told_over_http(world: World, client: Client) -> None:
    world.jobs._queued_per_owner = 1
    ann, bob = await world.key("ann"), await world.key("bob")
    assert (await client.post("/mcp/generate", json={"prompt": "p"}, headers=ann)).status == 202
    answer = await client.post("/mcp/generate", json={"prompt": "p"}, headers=ann)
    assert await code(answer) == (429, "queue_quota_exceeded") and int(answer.headers["Retry-After"]) == 30
    assert (await client.post("/mcp/generate", json={"prompt": "p"}, headers=bob)).status == 202


async def test_what_a_key_has_open_ends_with_it(world: World, client: Client) -> None:
    ann, bob = await world.key("ann"), await world.key("bob")
    async with (
        client.get("/mcp/events", headers=ann) as hers,
        client.get("/mcp/events", headers=bob) as his,
    ):
        now = world.database.clock()
        await world.database.write(lambda connection: revoke_key(connection, "ann", now=now))
        with pytest.raises(ClientError):
            async with asyncio.timeout(2):
                while True:
                    await hers.content.readany()
        made = await client.post("/mcp/generate", json={"prompt": "p"}, headers=bob)
        job_id, seen = (await made.json())["job_id"], b""
        async with asyncio.timeout(5):
            while job_id.encode() not in seen:
                seen += await his.content.readany()


async def test_what_is_open_without_a_key_ends_when_the_first_is_made(world: World, client: Client) -> None:
    async with client.get("/mcp/events") as stream:
        await stream.content.readany()
        await world.key("ann")
        with pytest.raises(ClientError):
            async with asyncio.timeout(4):
                while True:
                    await stream.content.readany()
