"""A receiver that fails half of the time, in every way a receiver can: nothing is lost, and everything verifies."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from aiohttp import web
from standardwebhooks import Webhook
from standins.outbox_standin import SECRET, Clock, open_post
from standins.receiver_standin import Receiver

from vidgend.http import webhook_call
from vidgend.models import Brief
from vidgend.store import outbox
from vidgend.store.job_rows import Failure

JOBS = 90
FAULTS = ("500", "503", "reset", "reset after it was taken", "silence")
MOST_FAULTS = 6
"""For one event; there are ten attempts, and a fault of the dice is not to be one of the daemon."""


class RealClock(Clock):
    def __call__(self) -> float:
        return time.time()


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule of milliseconds, and short patience."""
    monkeypatch.setattr(outbox, "RETRY_AFTER_S", (0.01,) * 9)
    monkeypatch.setattr(webhook_call, "TOTAL_TIMEOUT_S", 0.25)


@pytest.mark.usefixtures("hurry")
async def test_every_event_arrives_whatever_the_receiver_does(tmp_path: Path, receiver: Receiver) -> None:
    dice = Random(7)
    fired: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    taken: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        webhook_id = request.headers["webhook-id"]
        if dice.random() < 0.5 or faults[webhook_id] >= MOST_FAULTS:
            taken.append(webhook_id)
            return web.Response(status=dice.choice((200, 202, 204)))
        fault = dice.choice(FAULTS)
        fired[fault] += 1
        faults[webhook_id] += 1
        if fault == "silence":
            await asyncio.Event().wait()
        if fault.startswith("reset"):
            if fault != "reset":
                taken.append(webhook_id)
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=int(fault) if fault.isdigit() else 200, headers={"Retry-After": "0"})

    receiver.answers["/hook"] = answer
    async with open_post(tmp_path, RealClock()) as post:
        expected: dict[str, str] = {}

        async def end_jobs(ends: tuple[str, ...]) -> None:
            for number, end in enumerate(ends):
                url = receiver.url(host=f"127.0.0.{1 + number % 4}")
                job_id, _ = await post.jobs.submit(Brief(prompt="p"), callback_url=url)
                expected[job_id] = f"job.{end}"
                if end == "cancelled":
                    await post.jobs.request_cancel(job_id)
                else:
                    job = await post.jobs.claim()
                    assert job is not None and job.id == job_id
                    if end == "failed":
                        await post.jobs.fail(job, Failure(code="timeout", detail="late"), progress=1)
                    else:
                        assert await post.jobs.complete(job, {"clips": []}, scenes=0, line="done", event={})
                post.wake.set()

        async def all_delivered() -> None:
            async with asyncio.timeout(60):
                while {row[0] for row in await post.rows()} != {"delivered"}:
                    await post.tick()

        async def to_loopback(host: str, port: int) -> list[str]:
            return ["127.0.0.1"]

        ends = ("completed", "failed", "cancelled") * (JOBS // 3)
        async with post.sending(resolve=to_loopback):
            await end_jobs(ends[: JOBS // 2])  # is cut off in the middle of it
        async with post.sending(resolve=to_loopback):
            await end_jobs(ends[JOBS // 2 :])
            await all_delivered()
        rows = await post.database.read("SELECT id, job_id, event FROM outbox")

    assert {job_id: event for _, job_id, event in rows} == expected and len(rows) == JOBS
    assert set(taken) == {webhook_id for webhook_id, _, _ in rows}, "every event was taken, and no other"
    judge = Webhook(SECRET)
    for call in receiver.calls:
        event = judge.verify(call.body, call.headers)
        assert expected[event["data"]["job_id"]] == event["type"]
    bodies = {(call.id, call.body) for call in receiver.calls}
    assert len(bodies) == JOBS, "one body for each id"
    assert set(fired) == set(FAULTS) and fired.total() > JOBS / 2, "the faults did fire"
    assert len(taken) > JOBS, "some came twice: at least once is what was promised"
