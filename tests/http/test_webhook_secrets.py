"""Secrets of single endpoints and their rotation, and the log of attempts; verified by the public package."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError
from standins.outbox_standin import LOOPBACK, SECRET, Clock, Post, open_post
from standins.receiver_standin import Call, Receiver

from vidgend.errors import CallbackForbidden, NotFound
from vidgend.http.problems import InvalidFields
from vidgend.http.webhook_signing import Signer, endpoint_of, new_secret
from vidgend.http.webhook_tester import WebhookTester
from vidgend.models import Brief
from vidgend.store.beside import writing_beside
from vidgend.store.outbox import events_of, redeliver
from vidgend.store.webhook_attempts import ATTEMPTS_KEPT
from vidgend.store.webhook_secrets import ROTATION_S, EndpointSecret, forget_secret, keep_secret


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """With the time that it is, which the package wants."""
    async with open_post(tmp_path, Clock(now_s=time.time())) as post:
        yield post


def keep(post: Post, url: str, *, owner: str = "", rotate: bool = False, ago_s: float = 0.0) -> EndpointSecret:
    """As the command line does it, beside the daemon."""
    with writing_beside(post.database.path) as rows:
        found, _ = keep_secret(
            rows, owner=owner, endpoint=endpoint_of(url), fresh=new_secret(), now=time.time() - ago_s, rotate=rotate
        )
    return found


async def send(post: Post, receiver: Receiver, url: str, *, owner: str = "") -> Call:
    """The call that a job's end makes."""
    calls = len(receiver.calls)
    job_id, _ = await post.jobs.submit(Brief(prompt="p"), callback_url=url, owner=owner)
    await post.jobs.request_cancel(job_id)
    post.wake.set()
    await receiver.wait_for(calls + 1)
    return receiver.calls[calls]


def verifies(secret: str, call: Call) -> bool:
    try:
        Webhook(secret).verify(call.body, call.headers)
    except WebhookVerificationError:
        return False
    return True


def count(call: Call) -> int:
    return len(call.headers["webhook-signature"].split(" "))


async def test_an_endpoint_with_a_secret_of_its_own_is_signed_for_with_that(post: Post, receiver: Receiver) -> None:
    own = keep(post, receiver.url("/own"), ago_s=ROTATION_S + 1).secret
    async with post.sending():
        call = await send(post, receiver, receiver.url("/own"))
        assert (verifies(own, call), verifies(SECRET, call), count(call)) == (True, False, 1)
        call = await send(post, receiver, receiver.url("/own?job=7#x"))
        assert verifies(own, call), "the query does not matter"
        for other in ("/other", "/own/er", "/"):
            assert verifies(SECRET, await send(post, receiver, receiver.url(other)))


async def test_the_first_secret_of_its_own_does_not_break_a_receiver_that_knows_the_old_one(
    post: Post, receiver: Receiver
) -> None:
    async with post.sending():
        own = keep(post, receiver.url()).secret
        call = await send(post, receiver, receiver.url())
        assert (verifies(own, call), verifies(SECRET, call), count(call)) == (True, True, 2)


async def test_for_a_day_after_a_rotation_both_secrets_sign(post: Post, receiver: Receiver) -> None:
    async with post.sending():
        first = keep(post, receiver.url(), ago_s=10 * ROTATION_S).secret
        assert keep(post, receiver.url()).secret == first, "looking changes nothing"
        second = keep(post, receiver.url(), rotate=True, ago_s=ROTATION_S - 60).secret
        call = await send(post, receiver, receiver.url())
        assert [verifies(secret, call) for secret in (first, second, SECRET)] == [True, True, False]
        assert call.headers["webhook-signature"].startswith("v1,") and count(call) == 2
        third = keep(post, receiver.url(), rotate=True, ago_s=ROTATION_S + 1).secret
        call = await send(post, receiver, receiver.url())
        assert [verifies(secret, call) for secret in (first, second, third)] == [False, False, True]
        with writing_beside(post.database.path) as rows:
            assert forget_secret(rows, owner="", endpoint=endpoint_of(receiver.url()))
        call = await send(post, receiver, receiver.url())
        assert (verifies(SECRET, call), verifies(third, call)) == (True, False)


async def test_each_owner_has_secrets_of_their_own(post: Post, receiver: Receiver) -> None:
    mine = keep(post, receiver.url(), owner="ann", ago_s=ROTATION_S + 1).secret
    other = keep(post, receiver.url(), owner="bob", ago_s=ROTATION_S + 1).secret
    assert mine != other
    async with post.sending():
        for owner, secret in (("ann", mine), ("bob", other), ("", SECRET)):
            call = await send(post, receiver, receiver.url(), owner=owner)
            assert [verifies(each, call) for each in (mine, other, SECRET)] == [
                secret == each for each in (mine, other, SECRET)
            ]


@pytest.mark.parametrize(
    ("url", "same"),
    [("HTTPS://Hooks.Example:443/a?b#c", "https://hooks.example/a"), ("http://x.example", "http://x.example/"),
     ("http://x.example:8080/a%20b", "http://x.example:8080/a%20b"), ("https://bücher.example/", "https://xn--bcher-kva.example/")],
)  # fmt: skip
def test_an_endpoint_is_an_address_without_what_differs_from_job_to_job(url: str, same: str) -> None:
    assert endpoint_of(url) == endpoint_of(same) and "?" not in endpoint_of(url)


async def test_a_secret_that_somebody_broke_keeps_nobody_else_waiting(post: Post, receiver: Receiver) -> None:
    keep(post, receiver.url("/broken"))
    await post.database.write(lambda rows: rows.execute("UPDATE webhook_secrets SET secret = 'x'"))
    async with post.sending():
        await post.event(receiver.url("/broken"))
        await send(post, receiver, receiver.url("/fine"))
        rows = await post.settled(2)
    assert [row[0] for row in rows] == ["pending", "delivered"] and "whsec_" in rows[0][2]


def test_beside_no_database_there_is_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(NotFound), writing_beside(tmp_path / "vidgend.db"):
        pass
    assert [*tmp_path.iterdir()] == []


async def test_every_attempt_is_in_the_log(post: Post, receiver: Receiver) -> None:
    answers = [500, 302, 204]

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=answers.pop(0), text="SECRET of the receiver")

    receiver.answers["/hook"] = answer
    began = post.clock.now_s
    async with post.sending():
        job_id = await post.event(receiver.url())
        for attempt in (1, 2, 3):
            await post.settled(attempt)
            post.clock.now_s += 400
            post.wake.set()
    (event,) = await events_of(post.database, job_id)
    assert [(one.status, one.error) for one in event.log] == [(500, "HTTP 500"), (302, "HTTP 302"), (204, None)]
    assert [round(one.at - began) for one in event.log] == [0, 400, 800]
    assert all(0 <= one.duration_ms < 5000 for one in event.log)
    await post.jobs.delete(job_id)
    assert await post.database.read("SELECT count(*) FROM webhook_attempts") == [(0,)]


async def test_an_attempt_without_an_answer_and_the_last_few_of_many(post: Post, receiver: Receiver) -> None:
    job_id = await post.event("http://127.0.0.1:1/nobody")
    async with post.sending():
        for attempt in range(1, ATTEMPTS_KEPT + 6):
            while True:
                (event,) = await events_of(post.database, job_id)
                if event.attempts:
                    break
                await post.tick()
            assert len(event.log) == min(attempt, ATTEMPTS_KEPT)
            await redeliver(post.database, job_id)
            post.wake.set()
    assert {(one.status, (one.error or "")[:13]) for one in event.log} == {(None, "no connection")}


async def test_a_test_event_is_signed_as_the_real_ones_are(post: Post, receiver: Receiver) -> None:
    tester = WebhookTester(signer=Signer(post.database, SECRET), allow_networks=LOOPBACK)
    tested = await tester.send(receiver.url(), owner="")
    (call,) = receiver.calls
    assert (tested.outcome.status, tested.outcome.reason, tested.own_secret) == (204, "", False)
    assert verifies(SECRET, call) and call.event["type"] == "webhook.test"
    assert tested.body.encode() == call.body
    assert tested.headers == {name: value for name, value in call.headers.items() if name.startswith("webhook-")}
    own = keep(post, receiver.url(), ago_s=ROTATION_S + 1).secret
    assert (await tester.send(receiver.url(), owner="")).own_secret
    assert verifies(own, receiver.calls[1])
    assert await post.rows() == [], "it is in no outbox"


@pytest.mark.parametrize(("status", "reason"), [(200, ""), (302, "HTTP 302"), (410, "HTTP 410"), (500, "HTTP 500")])
async def test_a_test_event_tells_what_came_of_it(post: Post, receiver: Receiver, status: int, reason: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    receiver.answers["/hook"] = answer
    tester = WebhookTester(signer=Signer(post.database, SECRET), allow_networks=LOOPBACK)
    outcome = (await tester.send(receiver.url(), owner="")).outcome
    assert (outcome.status, outcome.reason, len(receiver.calls)) == (status, reason, 1)
    assert await post.database.read("SELECT * FROM endpoints") == []


async def test_a_test_event_to_a_closed_network_is_refused(post: Post, receiver: Receiver) -> None:
    tester = WebhookTester(signer=Signer(post.database, SECRET))
    with pytest.raises(CallbackForbidden):
        await tester.send(receiver.url(), owner="")
    with pytest.raises(InvalidFields) as refusal:
        await tester.send("nowhere", owner="")
    assert refusal.value.errors[0]["pointer"] == "/url"
    assert receiver.calls == []
