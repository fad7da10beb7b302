"""Endpoints that are gone or have failed for days: no more calls, until somebody asks for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from standins.outbox_standin import Post
from standins.receiver_standin import Receiver

from vidgend.errors import Conflict, NotFound
from vidgend.store.outbox import DISABLE_AFTER_S, LONGEST_WAIT_S, events_of, redeliver

DAY_S = 86_400


async def endpoints(post: Post) -> list[tuple[Any, ...]]:
    return await post.database.read("SELECT failing_since, disabled_at, reason FROM endpoints")


def answer_with(receiver: Receiver, status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status)

    receiver.answers["/hook"] = answer


async def test_gone_means_never_again_for_every_event_of_the_endpoint(post: Post, receiver: Receiver) -> None:
    answer_with(receiver, 500)
    async with post.sending():
        await post.event(receiver.url())
        await post.event(receiver.url("/other"))
        await post.settled(2)
        answer_with(receiver, 410)
        gone = await post.event(receiver.url())
        rows = await post.settled(3)
        assert [row[:3] for row in rows] == [
            ("dead", 1, "disabled: it said 410 Gone"), ("delivered", 1, None), ("dead", 1, "HTTP 410"),
        ]  # fmt: skip
        calls = len(receiver.calls)
        later = await post.event(receiver.url())
        await post.event(receiver.url("/other"))
        await receiver.wait_for(calls + 1)
    assert (await post.rows())[3][:3] == ("dead", 0, "disabled: it said 410 Gone")
    assert len(receiver.calls) == calls + 1, "only the other endpoint was called"
    (event,) = await events_of(post.database, gone)
    assert (event.state, event.attempts, event.last_error, event.next_at) == ("dead", 1, "HTTP 410", None)
    assert event.disabled == "it said 410 Gone"
    (event,) = await events_of(post.database, later)
    assert (event.state, event.disabled) == ("dead", "it said 410 Gone")


async def tried(post: Post, attempts: int) -> str:
    """An event for an endpoint that fails, tried so often. Answers the state it is in then."""
    job_id = await post.event(URL)
    for _ in range(attempts):
        due, _ = await post.outbox.due(1000)
        (delivery,) = (each for each in due if each.job_id == job_id)
        wait_s = await post.outbox.failed(delivery, "HTTP 503")
        if wait_s is None:
            break
        post.clock.now_s += wait_s
    return str((await post.rows())[-1][0])


URL = "http://x.example/"


async def test_an_endpoint_that_was_tried_again_and_again_for_five_days_is_disabled(post: Post) -> None:
    began = post.clock.now_s
    while post.clock.now_s - began < DISABLE_AFTER_S:  # an event each day, each tried twice
        assert await tried(post, 2) == "pending"
        assert [row[1] for row in await endpoints(post)] == [None]
        post.clock.now_s += DAY_S
    assert await tried(post, 1) == "pending", "the first attempt of an event"
    assert await tried(post, 2) == "dead"
    reason = "nothing was delivered for 5 days; last: HTTP 503"
    assert {row[0] for row in await post.rows()} == {"dead"}
    assert {row[2] for row in await post.rows()} == {f"disabled: {reason}"}
    assert [row[1:] for row in await endpoints(post)] == [(post.clock.now_s, reason)]
    await post.event(URL)
    await post.event("http://x.example/other")
    assert [row[0] for row in (await post.rows())[-2:]] == ["dead", "pending"]


async def test_what_fails_for_one_owner_does_not_concern_another(post: Post) -> None:
    hers, his = [await post.event(URL, owner=owner) for owner in ("ann", "bob")]
    due = {delivery.owner: delivery for delivery in (await post.outbox.due())[0]}
    assert await post.outbox.failed(due["ann"], "HTTP 410", gone=True) is None
    await post.event(URL, owner="ann")
    later = await post.event(URL, owner="bob")
    assert [row[0] for row in await post.rows()] == ["dead", "pending", "dead", "pending"]
    await post.outbox.delivered(due["bob"])
    assert [(one.state, one.disabled) for one in await events_of(post.database, hers)] == [
        ("dead", "it said 410 Gone")
    ]  # fmt: skip
    await redeliver(post.database, his)
    await post.outbox.failed(due["bob"], "HTTP 410", gone=True)
    assert len(await endpoints(post)) == 2
    await redeliver(post.database, later)
    assert [row[0] for row in await post.rows()] == ["dead", "dead", "dead", "pending"]
    assert [one.disabled for one in await events_of(post.database, hers)] == ["it said 410 Gone"]


async def test_one_failure_long_ago_and_one_now_do_not_disable_an_endpoint(post: Post) -> None:
    assert await tried(post, 1) == "pending"
    await post.database.write(lambda connection: connection.execute("DELETE FROM jobs"))
    post.clock.now_s += 6 * DAY_S
    assert await tried(post, 3) == "pending"


async def test_after_an_event_died_and_a_quiet_week_the_next_one_has_all_its_attempts(post: Post) -> None:
    assert await tried(post, 10) == "dead"
    post.clock.now_s += 7 * DAY_S
    assert await tried(post, 9) == "pending"
    assert [row[1] for row in await endpoints(post)] == [None]


async def test_an_event_that_is_tried_at_the_longest_waits_counts_as_tried_all_the_time(post: Post) -> None:
    began = post.clock.now_s
    await post.event(URL)
    for _ in range(5):
        (delivery,), _ = await post.outbox.due()
        assert await post.outbox.failed(delivery, "HTTP 503", retry_after_s=9e9) == LONGEST_WAIT_S
        post.clock.now_s += LONGEST_WAIT_S
    (delivery,), _ = await post.outbox.due()
    assert await post.outbox.failed(delivery, "HTTP 503") is None
    assert post.clock.now_s - began > DISABLE_AFTER_S


async def test_one_success_clears_what_was_held_against_an_endpoint(post: Post, receiver: Receiver) -> None:
    answer_with(receiver, 500)
    async with post.sending():
        await post.event(receiver.url())
        await post.settled(1)
        post.clock.now_s += DISABLE_AFTER_S - 1
        answer_with(receiver, 200)
        await post.event(receiver.url())
        await post.settled(3)
        assert await endpoints(post) == []
        post.clock.now_s += 2
        answer_with(receiver, 500)
        await post.event(receiver.url())
        rows = await post.settled(4)
    assert [row[0] for row in rows] == ["delivered", "delivered", "pending"]
    assert await endpoints(post) == [(post.clock.now_s, None, None)]


async def test_a_clock_that_was_set_back_does_not_count_as_days_of_failing(post: Post, receiver: Receiver) -> None:
    answer_with(receiver, 500)
    async with post.sending():
        await post.event(receiver.url())
        await post.settled(1)
        post.clock.now_s -= 30 * DAY_S
        await post.event(receiver.url())
        await post.settled(2)
        assert await endpoints(post) == [(post.clock.now_s, None, None)]


async def test_a_redelivered_event_comes_with_its_old_id_and_enables_the_endpoint(
    post: Post, receiver: Receiver
) -> None:
    answer_with(receiver, 410)
    async with post.sending():
        job_id = await post.event(receiver.url())
        await post.settled(1)
        lost = await post.event(receiver.url())
        answer_with(receiver, 200)
        (webhook_id,) = await redeliver(post.database, job_id)
        post.wake.set()
        await receiver.wait_for(2)
        await post.settled(1)
        assert await endpoints(post) == []
        assert [call.id for call in receiver.calls] == [webhook_id] * 2
        assert len({call.body for call in receiver.calls}) == 1
        await post.event(receiver.url())
        await receiver.wait_for(3)
        (webhook_id,) = await redeliver(post.database, lost)
        post.wake.set()
        await receiver.wait_for(4)
        assert receiver.calls[-1].id == webhook_id
        await post.settled(3)
    assert {row[:2] for row in await post.rows()} == {("delivered", 1)}


async def test_a_redelivered_event_has_all_its_attempts_again(post: Post, receiver: Receiver) -> None:
    answer_with(receiver, 500)
    async with post.sending():
        job_id = await post.event(receiver.url())
        for attempt in range(1, 11):
            ((_, _, _, wait_s),) = await post.settled(attempt)
            post.clock.now_s += wait_s + 0.1
            post.wake.set()
        assert (await post.rows())[0][:2] == ("dead", 10)
        await redeliver(post.database, job_id)
        post.wake.set()
        await receiver.wait_for(11)
        ((state, attempt, _, wait_s),) = await post.settled(1)
    assert (state, attempt) == ("pending", 1) and 4 <= wait_s <= 6


async def test_only_what_is_not_on_its_way_is_redelivered(post: Post) -> None:
    job_id = await post.event("http://x.example/")
    (event,) = await events_of(post.database, job_id)
    with pytest.raises(Conflict):
        await redeliver(post.database, job_id)
    with pytest.raises(Conflict):
        await redeliver(post.database, job_id, event.id)
    with pytest.raises(NotFound):
        await redeliver(post.database, job_id, "msg_other")
    with pytest.raises(NotFound):
        await redeliver(post.database, "job_other")


async def test_an_answer_that_comes_after_the_end_of_an_endpoint_does_not_bring_its_event_back(post: Post) -> None:
    for _ in range(2):
        await post.event("http://x.example/")
    (first, second), _ = await post.outbox.due()
    assert await post.outbox.failed(first, "HTTP 410", gone=True) is None
    assert await post.outbox.failed(second, "HTTP 500") is None
    assert [row[:2] for row in await post.rows()] == [("dead", 1), ("dead", 0)]


@pytest.mark.parametrize("back_s", [7200.0, 30 * DAY_S])
async def test_a_clock_that_jumps_back_does_not_stall_an_event(post: Post, receiver: Receiver, back_s: float) -> None:
    answer_with(receiver, 500)
    async with post.sending():
        await post.event(receiver.url())
        ((_, _, _, wait_s),) = await post.settled(1)
        post.clock.now_s -= back_s
        post.wake.set()
        async with asyncio.timeout(10):
            while (await post.rows())[0][3] > 6:
                await post.tick()
        ((_, _, _, left_s),) = await post.rows()
        assert left_s == pytest.approx(wait_s, abs=0.01) and len(receiver.calls) == 1
        post.clock.now_s += left_s + 0.1
        post.wake.set()
        await receiver.wait_for(2)


async def test_a_clock_that_jumped_back_while_vidgend_was_down_does_not_stall_an_event(
    post: Post, receiver: Receiver
) -> None:
    await post.event(receiver.url())
    post.clock.now_s -= LONGEST_WAIT_S + 1
    async with post.sending():
        await receiver.wait_for(1)


async def test_nobody_can_ask_for_more_patience_than_the_longest_wait(post: Post) -> None:
    await post.event("http://x.example/")
    (delivery,), _ = await post.outbox.due()
    assert await post.outbox.failed(delivery, "HTTP 429", retry_after_s=9e9) == LONGEST_WAIT_S
    assert await post.outbox.due() == ([], pytest.approx(LONGEST_WAIT_S))
