from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import web
from standins.outbox_standin import SECRET, Post
from standins.receiver_standin import Receiver, verify

from vidgend import __version__
from vidgend.errors import DatabaseUnavailable, SettingsInvalid, StorageFull
from vidgend.http import webhook_call, webhooks
from vidgend.http.webhook_signing import new_secret, secret_bytes


@contextmanager
def short_timeout() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(webhook_call, "TOTAL_TIMEOUT_S", 0.2)
        yield


async def test_an_event_arrives_signed_and_says_what_happened(post: Post, receiver: Receiver) -> None:
    async with post.sending():
        job_id = await post.event(receiver.url())
        await receiver.wait_for(1)
        assert [row[:3] for row in await post.settled()] == [("delivered", 1, None)]
    (call,) = receiver.calls
    verify(SECRET, call)
    assert re.fullmatch(r"msg_[0-9a-f]{24}", call.id)
    assert call.headers["webhook-timestamp"] == str(int(post.clock.now_s))
    assert call.headers["content-type"] == "application/json"
    assert call.headers["user-agent"] == f"vidgend/{__version__}"
    assert call.event["type"] == "job.cancelled"
    assert call.event["data"] == {"job_id": job_id, "status": "cancelled", "metadata": {"order": 7}}


async def test_an_event_from_before_the_start_is_delivered(post: Post, receiver: Receiver) -> None:
    await post.event(receiver.url())
    post.wake.clear()
    async with post.sending():
        await receiver.wait_for(1)


async def test_a_failed_attempt_comes_again_with_the_same_id_and_body(post: Post, receiver: Receiver) -> None:
    async def fail_twice(request: web.Request) -> web.Response:
        return web.Response(status=500 if len(receiver.calls) <= 2 else 200)

    receiver.answers["/hook"] = fail_twice
    async with post.sending():
        await post.event(receiver.url())
        (row,) = await post.settled(1)
        assert row[:3] == ("pending", 1, "HTTP 500") and 4 <= row[3] <= 6
        post.clock.now_s += 7
        post.wake.set()
        (row,) = await post.settled(2)
        assert row[:3] == ("pending", 2, "HTTP 500") and 240 <= row[3] <= 360
        post.clock.now_s += 361
        post.wake.set()
        assert [row[:3] for row in await post.settled(3)] == [("delivered", 3, None)]
    assert len({call.id for call in receiver.calls}) == len({call.body for call in receiver.calls}) == 1
    assert len({call.headers["webhook-timestamp"] for call in receiver.calls}) == 3
    for call in receiver.calls:
        verify(SECRET, call)


async def test_after_ten_attempts_an_event_is_given_up(post: Post, receiver: Receiver) -> None:
    receiver.answers["/hook"] = lambda request: _answer(500)
    async with post.sending():
        await post.event(receiver.url())
        began = post.clock.now_s
        for attempt in range(1, 11):
            ((state, _, _, wait_s),) = await post.settled(attempt)
            assert state == ("pending" if attempt < 10 else "dead")
            post.clock.now_s += wait_s + 0.1
            post.wake.set()
    assert len(receiver.calls) == 10
    assert 0.8 * 75 <= (post.clock.now_s - began) / 3600 <= 1.2 * 77


async def test_a_redirect_is_a_failure_and_not_followed(post: Post, receiver: Receiver) -> None:
    receiver.answers["/hook"] = lambda request: _answer(307, Location="/elsewhere")
    async with post.sending():
        await post.event(receiver.url())
        assert [row[:3] for row in await post.settled()] == [("pending", 1, "HTTP 307")]
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(
    ("status", "retry_after", "least_s", "most_s"),
    [(429, "1000", 1000, 1000), (503, "1000", 1000, 1000), (503, "1", 4, 6), (429, "999999999", 86_400, 86_400),
     (429, "soon", 4, 6), (429, "-5", 4, 6), (500, "1000", 4, 6)],
)  # fmt: skip
async def test_retry_after_is_honoured_within_reason(
    post: Post, receiver: Receiver, status: int, retry_after: str, least_s: float, most_s: float
) -> None:
    receiver.answers["/hook"] = lambda request: _answer(status, **{"Retry-After": retry_after})
    async with post.sending():
        await post.event(receiver.url())
        ((_, _, _, wait_s),) = await post.settled()
        assert least_s <= wait_s <= most_s


async def test_a_receiver_that_hangs_is_left_after_the_deadline(post: Post, receiver: Receiver) -> None:
    receiver.answers["/hook"] = _hang
    with short_timeout():
        async with post.sending():
            await post.event(receiver.url())
            assert [row[:3] for row in await post.settled()] == [("pending", 1, "no answer within 0.2 s")]


async def test_an_endless_or_dripping_answer_does_not_undo_success(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_call, "_DRAIN_S", 0.05)

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x" * 65536)

    async def dripping(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"x")
        return await _hang(request)

    receiver.answers |= {"/endless": endless, "/dripping": dripping}
    async with post.sending():
        await post.event(receiver.url("/endless"))
        await post.event(receiver.url("/dripping"))
        assert [row[0] for row in await post.settled(2)] == ["delivered", "delivered"]


async def test_slow_receivers_do_not_keep_others_waiting(post: Post, receiver: Receiver) -> None:
    receiver.answers["/slow"] = _hang
    for _ in range(40):
        await post.event(receiver.url("/slow", host="127.0.0.2"))
    await post.event(receiver.url("/fast"))

    async def to_loopback(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with post.sending(resolve=to_loopback):
        await receiver.wait_for(3)
        rows = await post.settled(1)
    assert [row[0] for row in rows] == ["pending"] * 40 + ["delivered"]
    assert len(receiver.calls) == 3, "two at a time go to one host"


async def test_at_most_sixteen_go_out_at_once(post: Post, receiver: Receiver) -> None:
    go = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await go.wait()
        return await _answer(204)

    receiver.answers["/slow"] = slow
    for number in range(20):
        await post.event(receiver.url("/slow", host=f"host{number}.example"))

    async def to_loopback(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with post.sending(resolve=to_loopback):
        await receiver.wait_for(16)
        await asyncio.sleep(0.2)
        assert len(receiver.calls) == 16
        go.set()
        await receiver.wait_for(20)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/", "127.0.0.1 is in a network that is not allowed"),
        ("http://2130706433:1/", "127.0.0.1 is in a network that is not allowed"),
        ("http://localhost:1/", "is in a network that is not allowed"),
        ("http://169.254.169.254/", "169.254.169.254 is in a network that is not allowed"),
    ],
)
async def test_private_targets_are_refused_when_the_call_is_made(post: Post, url: str, reason: str) -> None:
    async with post.sending(allow_networks=()):
        await post.event(url)
        ((state, _, error, _),) = await post.settled()
    assert state == "pending" and error.endswith(reason)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://127.0.0.1:70000/",
        "http://[::1/",
        "ftp://127.0.0.1/",
        "nonsense",
        "http://" + "a" * 300 + ".example/",
        "http://a..b/",
        "http://127.0.0.1:1/\u2028é",
    ],
)
async def test_a_target_that_cannot_be_called_is_a_failed_attempt_and_no_more(
    post: Post, receiver: Receiver, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    async with post.sending() as task:
        await post.event(url)
        await post.settled(1)
        await post.event(receiver.url())
        await receiver.wait_for(1)
        assert not task.done()
    assert "webhook_crashed" not in [record.getMessage() for record in caplog.records]


async def test_a_bug_on_the_way_out_is_one_failed_attempt_and_is_logged(
    post: Post, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(host: str, port: int) -> list[str]:
        raise RuntimeError("surprise")

    async with post.sending(resolve=broken) as task:
        await post.event(receiver.url())
        ((state, attempt, error, _),) = await post.settled()
        assert (state, attempt, error) == ("pending", 1, "a bug in vidgend: RuntimeError")
        assert not task.done()
    assert "webhook_crashed" in [record.getMessage() for record in caplog.records]


async def test_what_a_stop_interrupts_is_sent_again(post: Post, receiver: Receiver) -> None:
    receiver.answers["/hook"] = _hang
    async with post.sending():
        await post.event(receiver.url())
        await receiver.wait_for(1)
    assert [row[:2] for row in await post.rows()] == [("pending", 0)]
    del receiver.answers["/hook"]
    async with post.sending():
        await receiver.wait_for(2)
    assert receiver.calls[0].id == receiver.calls[1].id


async def test_a_database_that_is_broken_stops_the_sender_loudly(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("disk I/O error")

    monkeypatch.setattr(post.outbox, "delivered", broken)
    async with post.sending() as task:
        await post.event(receiver.url())
        with pytest.raises(ExceptionGroup):
            await asyncio.wait_for(asyncio.shield(task), 5)


@pytest.mark.parametrize("error", [StorageFull("full"), DatabaseUnavailable("disk I/O error")])
async def test_a_disk_that_falters_for_a_while_does_not_stop_the_sender(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(webhooks, "_LONGEST_WAIT_S", 0.02)
    kept = post.outbox.due, post.outbox.delivered
    raised = []

    def faltering(method: Any) -> Any:
        async def falter(*args: Any, **more: Any) -> Any:
            if raised.count(method) < 2:
                raised.append(method)
                raise error
            return await method(*args, **more)

        return falter

    monkeypatch.setattr(post.outbox, "due", faltering(kept[0]))
    monkeypatch.setattr(post.outbox, "delivered", faltering(kept[1]))
    async with post.sending():
        await post.event(receiver.url())
        assert [row[0] for row in await post.settled(1)] == ["delivered"]
    assert len(raised) == 4
    assert len(receiver.calls) == 3 and len({call.id for call in receiver.calls}) == 1


async def test_neither_secret_nor_address_reaches_the_log(
    post: Post, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="vidgend")
    async with post.sending():
        await post.event(receiver.url("/hook?token=canary-token"))
        await post.settled(1)
    told = repr([record.__dict__ for record in caplog.records if record.name.startswith("vidgend")])
    assert "webhook_delivered" in told
    assert "canary-token" not in told and SECRET[6:] not in told


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_short", SECRET[6:], "whsec_" + "A" * 20, "whsec_" + "A" * 400, "whsec_!!"]
)
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(SettingsInvalid):
        secret_bytes(secret)


def test_a_new_secret_is_a_good_one() -> None:
    assert len(secret_bytes(new_secret())) == 32
    assert new_secret() != new_secret()


async def _answer(status: int, **headers: str) -> web.Response:
    return web.Response(status=status, headers=headers)


async def _hang(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError
