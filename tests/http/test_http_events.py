"""Event streams over a real store."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import time
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient
from event_streams import Event, kept, open_stream, words
from standins.raw_http import open_site
from standins.services_standin import World

from vidgend.errors import DatabaseUnavailable
from vidgend.http import event_bus, event_listener, events_routes
from vidgend.http.app import make_app
from vidgend.http.event_bus import BUS
from vidgend.http.event_listener import Message
from vidgend.http.sse import event
from vidgend.models import Brief, Scene, Storyboard
from vidgend.pipeline.progress import Progress
from vidgend.store.feed import Feed
from vidgend.store.jobs import Failure, Job

SEA = Brief(prompt="The sea at dawn")
PLAN = Storyboard(
    title="The sea", language="en", planner="fake", stretch=False, fps="30",
    scenes=(Scene(index=0, narration="Waves.", queries=("sea",)),),
)  # fmt: skip
Client = TestClient[Any, Any]


def at(client: Client) -> Any:
    return client.server.app  # type: ignore[attr-defined]


async def nobody_listens(client: Client, within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while at(client)[BUS].streams:
            await asyncio.sleep(0.02)


async def finish(world: World, job: Job) -> None:
    assert await world.jobs.complete(job, {"clips": []}, scenes=1, line="completed: 3.0 s of video", event={})


async def test_a_job_is_followed_from_the_queue_to_its_end_in_order(world: World, client: Client) -> None:
    job_id, _ = await world.jobs.submit(SEA)
    async with open_stream(client, f"/mcp/events/{job_id}") as stream:
        first = await stream.next()
        assert first is not None and first.name == "snapshot" and first.id is not None
        async with client.get(f"/mcp/status/{job_id}") as answer:
            assert first.data == await answer.json()
        job = await world.jobs.claim()
        assert job is not None
        await world.jobs.move(job, "rendering", progress=40.0, line="rendering 2 scenes")
        await world.storyboards.save(job_id, PLAN)
        await world.jobs.note(job_id, "a line\nof two lines\rand odd letters \u2028 \x00 é")
        await finish(world, job)
        found = await stream.rest()
    assert words(found) == [
        "status planning", "status rendering", "log rendering 2 scenes", "storyboard 1",
        "log a line\nof two lines\rand odd letters \u2028 \x00 é", "log completed: 3.0 s of video", "status completed",
    ]  # fmt: skip
    ids = [one.id for one in kept(found)]
    assert ids == sorted(set(ids)) and ids[0] == first.id + 1
    assert {one.data["job_id"] for one in found} == {job_id}
    assert (stream.retry_ms, stream.comments) == (2000, ["the end"])
    headers = stream.answer.headers
    assert headers["Cache-Control"] == "no-store" and headers["X-Accel-Buffering"] == "no"
    await nobody_listens(client)


async def test_who_comes_again_gets_what_was_missed_once(world: World, client: Client) -> None:
    job = await world.running()
    async with open_stream(client, f"/mcp/events/{job.id}") as stream:
        await stream.upto("snapshot")
        await world.jobs.note(job.id, "seen")
        seen = await stream.upto("log", line="seen")
    for number in range(600):
        await world.jobs.note(job.id, f"missed {number}")
    async with open_stream(client, f"/mcp/events/{job.id}", last=seen[-1].id) as stream:
        made_up = await stream.upto("snapshot")
        await finish(world, job)
        found = [*made_up, *await stream.rest()]
    assert words(found) == [
        *(f"log missed {number}" for number in range(600)), "log completed: 3.0 s of video", "status completed",
    ]  # fmt: skip
    path = f"/mcp/events/{job.id}?last_event_id={seen[-1].id}"
    async with open_stream(client, path) as stream:
        assert words(await stream.rest()) == words(found)


async def test_progress_that_is_older_than_the_snapshot_does_not_come_after_it(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, bus, status_of = await world.running(), at(client)[BUS], events_routes.status_of
    stale = Message(id=0, job_id=job.id, data=event("progress", {"job_id": job.id, "overall_progress": -1}))
    left = [stale]

    async def a_tick_before(call: Any, job_id: str) -> Any:
        for listener in bus._listeners if left else ():
            listener.put(left.pop())
            listener.rouse()
        return await status_of(call, job_id)

    monkeypatch.setattr(events_routes, "status_of", a_tick_before)
    async with open_stream(client, f"/mcp/events/{job.id}") as stream:
        await stream.upto("snapshot")
        await world.jobs.note(job.id, "seen")
        found = await stream.upto("log", line="seen")
    assert not left and -1 not in [one.data.get("overall_progress") for one in found]


async def test_a_stream_of_a_job_that_has_ended_ends_and_is_not_asked_for_again(world: World, client: Client) -> None:
    job, _ = await world.completed()
    async with open_stream(client, f"/mcp/events/{job.id}") as stream:
        found = await stream.rest()
    assert [(one.name, one.data["status"]) for one in found] == [("snapshot", "completed")]
    async with client.get(f"/mcp/events/{job.id}", headers={"Last-Event-ID": stream.last_id}) as answer:
        assert answer.status == 204 and await answer.read() == b""
    async with open_stream(client, f"/mcp/events/{job.id}", last=0) as stream:
        found = await stream.rest()
    assert words(found)[-1] == "status completed" and found[-1].name == "snapshot"


@pytest.mark.parametrize("how", ["failed", "cancelled", "awaiting_review", "deleted"])
async def test_every_way_to_come_to_rest_ends_the_stream(world: World, client: Client, how: str) -> None:
    job = await world.running()
    async with open_stream(client, f"/mcp/events/{job.id}") as stream:
        await stream.upto("snapshot")
        if how == "failed":
            await world.jobs.fail(job, Failure(code="timeout", detail="late", hint="wait", tail="t" * 500), progress=3)
        elif how == "awaiting_review":
            await world.jobs.await_review(job, progress=30.0, scenes=2, line="ready to be reviewed", event={})
        else:
            await world.jobs.finish_cancel(job.id)
        if how == "deleted":
            await world.jobs.delete(job.id)
        found = await stream.rest()
    last = found[-1].data
    assert last["status"] == how if how != "deleted" else found[-1].name == "deleted" or last["status"] == "cancelled"
    if how == "failed":
        assert last["error"] == {"code": "timeout", "detail": "late", "hint": "wait"} and "retry_at" not in last


async def test_a_job_that_is_put_back_says_why_and_until_when(world: World, client: Client) -> None:
    job = await world.running()
    async with open_stream(client, f"/mcp/events/{job.id}") as stream:
        await stream.upto("snapshot")
        await world.jobs.park(job, Failure(code="quota_exceeded", detail="no more today"), wait_s=60)
        told = (await stream.upto("status", status="queued"))[-1].data
    assert told["error"]["code"] == "quota_exceeded" and told["attempt"] == 1 and told["retry_at"] > told["at"]


async def test_all_jobs_of_the_owner_are_in_one_stream_without_an_end(world: World, client: Client) -> None:
    await world.jobs.submit(SEA, owner="somebody else")
    running = await world.running()
    if running.owner:
        running = await world.running()
    mine, _ = await world.jobs.submit(SEA)
    ended, _ = await world.completed()
    async with open_stream(client, "/mcp/events") as stream:
        first = (await stream.upto("snapshot"))[-1]
        listed = {one["job_id"]: one["status"] for one in first.data["jobs"]}
        assert mine in listed and ended.id not in listed and set(listed.values()) <= {"queued", "planning"}
        other, _ = await world.jobs.submit(SEA, owner="somebody else")
        await world.jobs.note(other, "a secret")
        await world.jobs.request_cancel(mine)
        found = await stream.upto("status", status="cancelled")
        await world.jobs.delete(mine)
        await world.jobs.submit(SEA)
        found += await stream.upto("log", line="accepted")
        assert words(found) == ["log cancelled before it started", "status cancelled", "deleted", "status queued",
                                "log accepted"]  # fmt: skip
    async with open_stream(client, "/mcp/events", last=first.id) as stream:
        again = await stream.upto("snapshot")
        assert words(again) == words(found)[2:], "nothing but its end is left of a deleted job"


async def test_another_owners_job_is_one_that_does_not_exist(world: World, client: Client) -> None:
    job_id, _ = await world.jobs.submit(SEA, owner="somebody else")
    answers = []
    for path in (job_id, "job_unknown", "job%00", "x" * 200):
        async with client.get(f"/mcp/events/{path}") as answer:
            assert answer.status == 404
            answers.append((await answer.text()).replace(path, "that"))
    assert all('"code":"not_found"' in one for one in answers) and answers[0] == answers[1]
    await nobody_listens(client)


@pytest.mark.parametrize("odd", ["-1", "x", "1.5", "9" * 19, "²", "1 2"])
async def test_an_id_that_is_none_is_refused(world: World, client: Client, odd: str) -> None:
    async with client.get("/mcp/events", params={"last_event_id": odd}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (422, "invalid_request")


async def test_a_head_request_gets_a_head(world: World, client: Client) -> None:
    job = await world.running()
    for path in ("/mcp/events", f"/mcp/events/{job.id}"):
        async with client.head(path) as answer:
            assert (answer.status, answer.content_type, await answer.read()) == (200, "text/event-stream", b"")
    assert not at(client)[BUS].streams


async def test_who_was_away_for_too_long_is_told(world: World, client: Client) -> None:
    job = await world.running()
    await world.database.write(lambda connection: connection.execute("DELETE FROM feed WHERE id <= 2"))
    for last, resets in ((1, True), (2, False), (10**17, True)):
        async with open_stream(client, f"/mcp/events/{job.id}", last=last) as stream:
            found = await stream.upto("snapshot")
        assert [one.data["last_event_id"] for one in found if one.name == "reset"] == ([last] if resets else [])
        assert ("status planning" in words(found)) is not resets


class _Moving(Progress):
    """Gets on by 5 percent whenever somebody looks."""

    @property
    def percent(self) -> float:
        self._percent += 5
        return self._percent

    def eta_s(self) -> float | None:
        return 100 - self._percent


async def test_progress_comes_twice_a_second_and_is_not_kept(world: World, client: Client) -> None:
    job = await world.running()
    await world.jobs.move(job, "rendering", progress=0.0, line="rendering")
    world.worker.live[job.id] = _Moving(scenes_done=1, scenes_total=4)
    async with open_stream(client, f"/mcp/events/{job.id}") as stream, open_stream(client, "/mcp/events") as of_all:
        await stream.upto("snapshot")
        await of_all.upto("snapshot")
        began = time.monotonic()
        found = [await stream.next() for _ in range(4)]
        took_s = time.monotonic() - began
        beside = [await of_all.next() for _ in range(3)]
        await world.jobs.note(job.id, "done")
        line = (await stream.upto("log"))[-1]
    assert 0.9 < took_s < 4
    percents = [one.data["overall_progress"] for one in found if one is not None]
    assert [one.name for one in found if one is not None] == ["progress"] * 4 and percents == sorted(set(percents))
    assert all(one is not None and one.id is None for one in found)
    assert {one.data["overall_progress"] for one in beside if one is not None} & set(percents), (
        "looked at once for both"
    )
    data = found[0].data if found[0] is not None else {}
    assert (
        data["status"] == "rendering"
        and data["eta_s"] > 0
        and (data["scenes_processed"], data["total_scenes"]) == (1, 4)
    )
    assert data.keys() < (await (await client.get(f"/mcp/status/{job.id}")).json()).keys() and "logs" not in data
    assert line.id is not None


async def test_a_job_that_waits_hears_of_its_place(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_bus, "WAITING_S", 0.1)
    ids = [(await world.jobs.submit(SEA))[0] for _ in range(3)]
    async with open_stream(client, f"/mcp/events/{ids[2]}") as stream:
        first = (await stream.upto("snapshot"))[-1]
        assert first.data["queue_position"] == 3
        await world.jobs.claim()
        await stream.upto("progress", queue_position=2, status="queued")
        await world.jobs.request_cancel(ids[1])
        await stream.upto("progress", queue_position=1)


async def test_silence_is_broken_by_heartbeats(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_routes, "HEARTBEAT_S", 0.1)
    async with open_stream(client, "/mcp/events") as stream:
        await stream.upto("snapshot")
        with contextlib.suppress(TimeoutError):
            await stream.next(0.55)
        assert 3 <= len(stream.comments) <= 5 and set(stream.comments) == {"still here"}


async def test_what_is_written_behind_the_daemons_back_comes_as_well(world: World, client: Client) -> None:
    """Another connection wakes nobody."""
    job = await world.running()
    async with open_stream(client, f"/mcp/events/{job.id}") as stream:
        await stream.upto("snapshot")

        def write() -> None:
            other = sqlite3.connect(world.database.path)
            with other:
                other.execute("INSERT INTO job_events VALUES (?, 99, 1, 'by another hand')", (job.id,))
            other.close()

        await asyncio.to_thread(write)
        await stream.upto("log", line="by another hand", within_s=3)


async def test_a_commit_is_told_at_once(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_bus, "LOOK_S", 60)
    job = await world.running()
    async with open_stream(client, f"/mcp/events/{job.id}") as stream:
        await stream.upto("snapshot")
        waits = []
        for number in range(20):
            began = time.monotonic()
            await world.jobs.note(job.id, str(number))
            await stream.upto("log", line=str(number))
            waits.append(time.monotonic() - began)
    assert sorted(waits)[10] < 0.2, waits


async def test_a_database_that_cannot_be_read_for_a_while_loses_nothing(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_bus, "LOOK_S", 0.1)
    job = await world.running()
    async with open_stream(client, f"/mcp/events/{job.id}") as stream:
        await stream.upto("snapshot")
        real, failures = at(client)[BUS].feed.after, [DatabaseUnavailable("the disk is away")] * 3

        async def after(*args: Any, **more: Any) -> Any:
            if failures:
                raise failures.pop()
            return await real(*args, **more)

        monkeypatch.setattr(at(client)[BUS].feed, "after", after)
        await world.jobs.note(job.id, "written meanwhile")
        await stream.upto("log", line="written meanwhile")
        assert not failures


async def test_a_bug_ends_the_streams_and_the_next_ones_work(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await world.running()
    async with open_stream(client, f"/mcp/events/{job.id}") as stream:
        await stream.upto("snapshot")
        with monkeypatch.context() as patch:
            patch.setattr(event_bus, "told", None)
            await world.jobs.note(job.id, "that nobody can tell")
            assert kept(await stream.rest()) == []
    async with open_stream(client, f"/mcp/events/{job.id}", last=stream.last_id) as stream:
        assert words(await stream.upto("snapshot")) == ["log that nobody can tell"]
        await world.jobs.note(job.id, "the next")
        await stream.upto("log", line="the next")


async def slow_client(client: Client, path: str) -> socket.socket:
    """Asks for a stream and reads nothing of it."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, (client.host, client.port))
    await loop.sock_sendall(sock, f"GET {path} HTTP/1.1\r\nHost: {client.host}:{client.port}\r\n\r\n".encode())
    return sock


async def test_a_client_that_reads_nothing_is_cut_off_and_others_are_not(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_listener, "MAX_WAITING", 50)
    job = await world.running()
    sock = await slow_client(client, f"/mcp/events/{job.id}")
    async with open_stream(client, f"/mcp/events/{job.id}") as quick:
        await quick.upto("snapshot")
        async with asyncio.timeout(5):
            while at(client)[BUS].streams < 2:
                await asyncio.sleep(0.01)
        sent = 0
        async with asyncio.timeout(30):
            while at(client)[BUS].streams == 2:
                await world.jobs.note(job.id, f"{sent} " + "x" * 100_000)
                await quick.upto("log")
                sent += 1
        await world.jobs.note(job.id, "the quick one is still there")
        await quick.upto("log", line="the quick one is still there")
    sock.close()
    assert sent > 50


async def test_a_burst_cuts_nobody_off_who_reads(world: World, client: Client) -> None:
    job = await world.running()
    rows = [(job.id, 100 + number, 1.0, f"line {number}") for number in range(5000)]
    async with contextlib.AsyncExitStack() as stack:
        paths = ["/mcp/events", f"/mcp/events/{job.id}"] * 3
        streams = [await stack.enter_async_context(open_stream(client, path)) for path in paths]
        for stream in streams:
            await stream.upto("snapshot")
        reading = [asyncio.create_task(stream.upto("log", line="line 4999", within_s=60)) for stream in streams]
        insert = "INSERT INTO job_events (job_id, seq, at, line) VALUES (?, ?, ?, ?)"
        await world.database.write(lambda connection: connection.executemany(insert, rows))
        for task in reading:
            assert words(await task) == [f"log line {number}" for number in range(5000)]


async def test_a_client_that_has_gone_is_noticed(world: World, client: Client) -> None:
    sock = await slow_client(client, "/mcp/events")
    async with asyncio.timeout(5):
        while not at(client)[BUS].streams:
            await asyncio.sleep(0.01)
    sock.close()
    await nobody_listens(client, within_s=3)


async def test_there_is_a_limit_of_streams(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, status, code in (
        ("MAX_STREAMS_OF_OWNER", 429, "too_many_streams"), ("MAX_STREAMS", 503, "streams_full"),
    ):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(event_bus, name, 1)
            async with open_stream(client, "/mcp/events") as stream:
                await stream.upto("snapshot")
                async with client.get("/mcp/events") as answer:
                    assert (answer.status, (await answer.json())["code"]) == (status, code)
                    assert answer.headers["Retry-After"] == "15"
            await nobody_listens(client)
    async with open_stream(client, "/mcp/events") as stream:
        await stream.upto("snapshot")


async def test_open_streams_end_first_when_the_server_stops(world: World, client: Client) -> None:
    job = await world.running()
    async with contextlib.AsyncExitStack() as stack:
        paths = ["/mcp/events", f"/mcp/events/{job.id}"] * 10
        streams = [await stack.enter_async_context(open_stream(client, path)) for path in paths]
        for stream in streams:
            await stream.upto("snapshot")
        began = time.monotonic()
        closing = asyncio.create_task(client.server.close())
        for stream in streams:
            assert kept(await stream.rest()) == []
            assert stream.comments[-1] == "the server is stopping"
        await closing
        assert time.monotonic() - began < 2


async def test_a_proxy_that_speaks_http_1_0_gets_a_stream(world: World, client: Client) -> None:
    job = await world.running()
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"GET /mcp/events/{job.id} HTTP/1.0\r\nHost: {client.host}:{client.port}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head and b"chunked" not in head.lower() and b"content-length" not in head.lower()
    await asyncio.wait_for(reader.readuntil(b"event: snapshot\n"), 5)
    await finish(world, job)
    rest = await asyncio.wait_for(reader.read(), 5)
    assert b'"status":"completed"' in rest and rest.endswith(b": the end\n\n")
    writer.close()


async def test_two_hundred_streams_cost_little(world: World, client: Client) -> None:
    """Half of them follow the busy job, half all jobs; each event reaches every one of them, and the loop goes on."""
    job = await world.running()
    lags: list[float] = []

    async def watch() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            lags.append(time.monotonic() - began - 0.005)

    async def follow(path: str) -> list[Event]:
        async with open_stream(http, str(client.make_url(path))) as stream:
            await stream.upto("snapshot", within_s=30)
            ready.append(path)
            return await stream.upto("status", status="completed", within_s=60)

    ready: list[str] = []
    paths = ["/mcp/events", f"/mcp/events/{job.id}"] * 100
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as tasks:
        following = [tasks.create_task(follow(path)) for path in paths]
        while len(ready) < len(paths):
            await asyncio.sleep(0.05)
        watching = tasks.create_task(watch())
        for number in range(40):
            await world.jobs.note(job.id, str(number))
            await asyncio.sleep(0.02)
        await finish(world, job)
        await asyncio.wait(following)
        watching.cancel()
    expected = [*(f"log {number}" for number in range(40)), "log completed: 3.0 s of video", "status completed"]
    assert all(words(task.result()) == expected for task in following)
    lags.sort()
    print(f"loop lag beside 200 streams and their clients: p50 {lags[len(lags) // 2] * 1000:.1f} ms, "
          f"p99 {lags[int(len(lags) * 0.99)] * 1000:.1f} ms")  # fmt: skip


@pytest.mark.parametrize("error", [DatabaseUnavailable("away"), RuntimeError("a bug")], ids=["database", "bug"])
async def test_a_stream_that_fails_ends_early_and_no_second_answer_comes_in_it(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    async def broken(*_: Any) -> bool:
        raise error

    monkeypatch.setattr(Feed, "has_all_after", broken)
    async with open_site(make_app(world.services)) as site:
        wire = await site.open()
        await wire.send(b"GET /mcp/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 0\r\n\r\n")
        raw = await asyncio.wait_for(wire.reader.read(), 5)
    assert raw.startswith(b"HTTP/1.1 200 ") and raw.count(b"HTTP/1.1") == 1
    assert b"retry: " in raw and not raw.endswith(b"0\r\n\r\n"), "a client can tell that it is not all"
    assert [one.exc_info[1] for one in caplog.records if one.exc_info] == [error]
