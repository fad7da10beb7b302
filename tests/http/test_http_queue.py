"""Jobs that wait: for their turn, for another try, for an open queue; and sending them again or away."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.boots import leave
from standins.services_standin import World, open_world

from vidgend.http.views import current_step
from vidgend.models import Brief
from vidgend.store import job_reads
from vidgend.store.jobs import Failure
from vidgend.store.outbox import Outbox

Client = TestClient[Any, Any]
BRIEF = Brief(prompt="The sea")
FAILURE = Failure(code="provider_unavailable", detail="pexels did not answer", hint="Wait.", tail="HTTP 500")


async def call(client: Client, method: str, path: str, status: int = 200, **request: Any) -> dict[str, Any]:
    answer = await client.request(method, path, **request)
    assert answer.status == status, await answer.text()
    body: dict[str, Any] = await answer.json(content_type=None) if status != 204 else {}
    return body


async def test_a_parked_job_says_for_what_it_waits_and_how_long(world: World, client: Client) -> None:
    job = await world.running()
    assert await world.jobs.park(job, FAILURE, wait_s=37)
    body = await call(client, "GET", f"/mcp/status/{job.id}")
    assert (body["status"], body["failures"], body["crashes"], body["attempt"]) == ("queued", 1, 0, 1)
    assert re.fullmatch(r"waiting 3[67] s for another try: pexels did not answer", body["current_step"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["retry_at"])
    assert "queue_position" not in body, "its turn does not depend on others"
    assert body["error"] == FAILURE.__dict__
    assert (await call(client, "GET", "/mcp/jobs"))["jobs"][0]["error"] is None, "it has not failed for good"
    await world.jobs.pause("")
    body = await call(client, "GET", f"/mcp/status/{job.id}")
    assert body["current_step"].endswith("for another try: pexels did not answer; the queue is paused")


@pytest.mark.parametrize(
    ("wait_s", "text"), [(-1, "waiting for another try"), (600, "waiting 10 min for"), (80_000, "waiting 23 h for")]
)
async def test_a_wait_is_told_in_its_largest_unit(world: World, client: Client, wait_s: float, text: str) -> None:
    job = await world.running()
    await world.jobs.park(job, FAILURE, wait_s=wait_s)
    assert (await call(client, "GET", f"/mcp/status/{job.id}"))["current_step"].startswith(text)


async def test_a_job_that_is_tried_again_no_longer_shows_its_last_error(world: World, client: Client) -> None:
    job = await world.running()
    await world.jobs.park(job, FAILURE, wait_s=-1)
    again = await world.jobs.claim()
    assert again is not None and again.id == job.id
    body = await call(client, "GET", f"/mcp/status/{job.id}")
    assert (body["status"], body["attempt"], body["failures"]) == ("planning", 2, 1)
    assert "error" not in body and body["retry_at"] is None and "queue_paused" not in body


async def test_a_very_long_queue_is_not_counted_to_its_end(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (job_reads, current_step):
        monkeypatch.setattr(module, "POSITION_LIMIT", 3)
    for _ in range(4):
        await world.jobs.submit(BRIEF)
    job_id, _ = await world.jobs.submit(BRIEF)
    body = await call(client, "GET", f"/mcp/status/{job_id}")
    assert body["current_step"] == "waiting in the queue behind more than 3 others"
    assert body["queue_position"] == 4


async def test_a_paused_queue_begins_nothing_and_says_so_until_it_is_resumed(world: World, client: Client) -> None:
    running = await world.running()
    job_id, _ = await world.jobs.submit(BRIEF)
    body = await call(client, "POST", "/mcp/pause", json={"reason": " new disk "})
    assert (body["paused"], body["reason"]) == (True, "new disk")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["paused_at"])
    assert await world.jobs.claim() is None
    await world.jobs.move(running, "rendering", progress=50, line="goes on")
    status = await call(client, "GET", f"/mcp/status/{job_id}")
    assert (status["current_step"], status["queue_paused"]) == ("the queue is paused: new disk", True)
    assert (await call(client, "POST", "/mcp/generate", 202, json={"prompt": "p"}))["status"] == "accepted"
    answer = await call(client, "GET", "/mcp/queue")
    assert answer["paused_at"] == body["paused_at"]
    assert {state: count for state, count in answer["jobs"].items() if count} == {"queued": 2, "rendering": 1}
    assert answer["jobs"]["failed"] == 0, "every state is there"
    woken = world.worker.woken
    for _ in range(2):
        body = await call(client, "POST", "/mcp/resume")
        assert body == {"paused": False, "paused_at": None, "reason": None}
    assert world.worker.woken > woken
    assert (await call(client, "GET", f"/mcp/status/{job_id}"))["current_step"] == "waiting in the queue"
    claimed = await world.jobs.claim()
    assert claimed is not None and claimed.id == job_id


async def test_a_pause_outlives_the_daemon_and_needs_no_reason(tmp_path: Path, connect: Any) -> None:
    async with open_world(tmp_path) as world:
        client = await connect(world)
        await call(client, "POST", "/mcp/pause")
        await client.close()
        await leave(world)
    async with open_world(tmp_path) as world:
        client = await connect(world)
        body = await call(client, "GET", "/mcp/queue")
        assert (body["paused"], body["reason"]) == (True, "")
        job_id, _ = await world.jobs.submit(BRIEF)
        assert (await call(client, "GET", f"/mcp/status/{job_id}"))["current_step"] == "the queue is paused"


async def test_a_failed_job_is_sent_again_under_its_own_id(world: World, client: Client) -> None:
    job = await world.running()
    await world.jobs.fail(job, FAILURE, progress=50)
    woken = world.worker.woken
    answer = await client.post(f"/mcp/retry/{job.id}")
    body = await answer.json()
    assert (answer.status, answer.headers["Location"]) == (202, f"/mcp/status/{job.id}")
    assert (body["job_id"], body["status"]) == (job.id, "accepted")
    assert world.worker.woken == woken + 1
    status = await call(client, "GET", f"/mcp/status/{job.id}")
    assert (status["status"], status["overall_progress"], status["failures"]) == ("queued", 0, 0)
    assert "error" not in status and status["finished_at"] is None
    assert await world.jobs.claim() is not None


async def test_a_cancelled_job_can_be_sent_again_too(world: World, client: Client) -> None:
    job_id, _ = await world.jobs.submit(BRIEF)
    await call(client, "POST", f"/mcp/cancel/{job_id}")
    await call(client, "POST", f"/mcp/retry/{job_id}", 202)
    claimed = await world.jobs.claim()
    assert claimed is not None and not claimed.cancel_requested


async def test_what_has_not_failed_is_not_sent_again(world: World, client: Client) -> None:
    queued, _ = await world.jobs.submit(BRIEF, priority=-1)
    running = await world.running()
    done, _ = await world.completed(priority=9)
    for job_id, state in ((queued, "queued"), (running.id, "planning"), (done.id, "completed")):
        told = await call(client, "POST", f"/mcp/retry/{job_id}", 409)
        assert (told["code"], told["job_status"]) == ("conflict", state)


async def test_of_two_that_send_a_job_again_one_does(world: World, client: Client) -> None:
    job = await world.running()
    await world.jobs.fail(job, FAILURE, progress=50)
    answers = await asyncio.gather(*(client.post(f"/mcp/retry/{job.id}") for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [202] + [409] * 7


async def test_nothing_is_sent_again_while_stopping_or_out_of_space(world: World, client: Client) -> None:
    job = await world.running()
    await world.jobs.fail(job, FAILURE, progress=50)
    world.worker.draining = True
    assert (await call(client, "POST", f"/mcp/retry/{job.id}", 503))["code"] == "draining"
    world.worker.draining, world.worker.space = False, False
    assert (await call(client, "POST", f"/mcp/retry/{job.id}", 507))["code"] == "storage_full"
    assert (await world.jobs.get(job.id)).state == "failed"


async def test_a_deleted_job_is_gone(world: World, client: Client) -> None:
    job, _ = await world.completed(idempotency_key="k", body_sha256="x")
    answer = await client.delete(f"/mcp/jobs/{job.id}")
    assert (answer.status, await answer.read()) == (204, b"")
    assert "Content-Type" not in answer.headers or answer.headers["Content-Length"] == "0"
    for route in ("status", "result", "storyboard", "webhooks"):
        await call(client, "GET", f"/mcp/{route}/{job.id}", 404)
    assert (await call(client, "DELETE", f"/mcp/jobs/{job.id}", 404))["code"] == "not_found"
    assert (await call(client, "GET", "/mcp/jobs"))["jobs"] == []


async def test_a_job_that_waits_or_runs_is_not_deleted(world: World, client: Client) -> None:
    queued, _ = await world.jobs.submit(BRIEF, priority=-1)
    running = await world.running()
    for job_id, state in ((queued, "queued"), (running.id, "planning")):
        told = await call(client, "DELETE", f"/mcp/jobs/{job_id}", 409)
        assert (told["code"], told["job_status"]) == ("conflict", state)
        assert "Cancel it first" in told["hint"]
        await call(client, "POST", f"/mcp/cancel/{job_id}")
        await call(client, "DELETE", f"/mcp/jobs/{job_id}", 204)


async def test_the_events_of_a_job_are_listed_and_sent_again(world: World, connect: Any) -> None:
    woken: list[bool] = []
    client = await connect(world.with_services(wake_webhooks=lambda: woken.append(True)))
    job = await world.running(callback_url="https://x.example/hook")
    assert await call(client, "GET", f"/mcp/webhooks/{job.id}") == {"job_id": job.id, "events": []}
    path = f"/mcp/webhooks/{job.id}/redeliver"
    assert (await call(client, "POST", path, 409))["code"] == "conflict"
    await world.jobs.fail(job, FAILURE, progress=50)
    (event,) = (await call(client, "GET", f"/mcp/webhooks/{job.id}"))["events"]
    webhook_id = event["id"]
    assert event == {
        "id": webhook_id, "event": "job.failed", "url": "https://x.example/hook", "state": "pending", "attempts": 0,
        "last_error": None, "next_at": event["created_at"], "created_at": event["created_at"],
        "endpoint_disabled": False, "endpoint_reason": None, "attempt_log": [],
    }  # fmt: skip
    assert (await call(client, "POST", path, 409))["code"] == "conflict", "it is on its way"
    outbox = Outbox(world.database)
    (delivery,), _ = await outbox.due()
    await outbox.failed(delivery, "HTTP 410", gone=True)
    (event,) = (await call(client, "GET", f"/mcp/webhooks/{job.id}"))["events"]
    assert (event["state"], event["attempts"], event["last_error"]) == ("dead", 1, "HTTP 410")
    assert (event["next_at"], event["endpoint_disabled"]) == (None, True)
    assert event["endpoint_reason"] == "it said 410 Gone"
    assert woken == []
    for request in ({}, {"json": {}}, {"json": {"webhook_id": webhook_id}}):
        answer = await client.post(path, **request)
        assert (answer.status, answer.headers["Location"]) == (202, f"/mcp/webhooks/{job.id}")
        assert await answer.json() == {"job_id": job.id, "status": "accepted", "webhook_ids": [webhook_id]}
        (event,) = (await call(client, "GET", f"/mcp/webhooks/{job.id}"))["events"]
        assert (event["state"], event["attempts"], event["endpoint_disabled"]) == ("pending", 0, False)
        (delivery,), _ = await outbox.due()
        assert delivery.id == webhook_id
        await outbox.delivered(delivery)
    assert woken == [True] * 3
    assert (await call(client, "POST", path, 404, json={"webhook_id": "msg_other"}))["code"] == "not_found"
