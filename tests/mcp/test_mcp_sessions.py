"""Many clients at once, of both revisions, and what happens to sessions that nobody ends."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from mcp_types import ElicitResult
from mcp_world import OWNER, Connect, Mode, awaiting_review, call, connected, served
from standins.services_standin import World

from vidgend.mcp.sessions import Sessions

CLIENTS = 40 if os.environ.get("LONG_TESTS") == "1" else 10
INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
    },
}  # fmt: skip
PING = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
ACCEPT = {"Accept": "application/json, text/event-stream"}
MOST = 5


async def begin(http: httpx2.AsyncClient, url: str, owner: str) -> dict[str, str]:
    answer = await http.post(f"{url}/mcp", json=INITIALIZE, headers=ACCEPT | {OWNER: owner})
    assert answer.status_code == 200, answer.text
    return {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"], "Mcp-Protocol-Version": "2025-11-25", OWNER: owner}


async def ping(http: httpx2.AsyncClient, url: str, session: dict[str, str]) -> int:
    return (await http.post(f"{url}/mcp", json=PING, headers=ACCEPT | session)).status_code


async def test_nobody_takes_all_sessions_and_nobody_locks_himself_out(world: World, url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("vidgend.mcp.mount.MAX_SESSIONS", 2 * MOST)
    monkeypatch.setattr("vidgend.mcp.mount.MOST_OF_CALLER", MOST)
    async with httpx2.AsyncClient() as http:
        mine = [await begin(http, url, "ann") for _ in range(MOST)]
        assert await ping(http, url, mine[0]) == 200
        for _ in range(3 * MOST):
            await begin(http, url, "ann")
        others = await begin(http, url, "ben")
        assert [await ping(http, url, one) for one in mine] == [404] * MOST
        assert await ping(http, url, others) == 200


async def test_the_session_that_was_used_longest_ago_goes_first(url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("vidgend.mcp.mount.MOST_OF_CALLER", 2)
    async with httpx2.AsyncClient() as http:
        first, second = await begin(http, url, "ann"), await begin(http, url, "ann")
        assert await ping(http, url, first) == 200
        await begin(http, url, "ann")
        assert [await ping(http, url, one) for one in (first, second)] == [200, 404]


async def test_many_that_begin_at_once_end_each_old_one_once() -> None:
    """While one old session ends, another request finds the same ones too many."""
    begun: list[bytes] = []
    ended: list[bytes] = []
    all_begun = asyncio.Event()

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "DELETE":
            ended.append(scope["headers"][0][1])
            await asyncio.sleep(0)
            return
        begun.append(b"%d" % len(begun))
        headers = [(b"mcp-session-id", begun[-1])]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if len(begun) == MOST:
            all_begun.set()
        await all_begun.wait()

    async def hear(message: Any) -> None: ...

    sessions = Sessions(serve, idle_s=60, most=1)
    caller = SimpleNamespace(access_token=SimpleNamespace(client_id="ann"))
    await asyncio.gather(
        *(sessions({"method": "POST", "headers": [], "user": caller}, hear, hear) for _ in range(MOST))  # type: ignore[arg-type]
    )
    assert sorted(ended) == begun[:-1] and len(sessions) == 1


async def test_a_session_with_a_request_under_way_stays(url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("vidgend.mcp.mount.MOST_OF_CALLER", 2)
    async with httpx2.AsyncClient() as http:
        listening, idle = await begin(http, url, "ann"), await begin(http, url, "ann")
        async with http.stream("GET", f"{url}/mcp", headers=ACCEPT | listening) as stream:
            assert stream.status_code == 200
            assert await ping(http, url, idle) == 200
            await begin(http, url, "ann")
            assert [await ping(http, url, one) for one in (listening, idle)] == [200, 404]


async def test_what_ended_takes_no_place(url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("vidgend.mcp.mount.MOST_OF_CALLER", 2)
    async with httpx2.AsyncClient() as http:
        first = await begin(http, url, "ann")
        for _ in range(4):
            other = await begin(http, url, "ann")
            assert (await http.delete(f"{url}/mcp", headers=other)).status_code == 200
        assert await ping(http, url, first) == 200


async def test_many_clients_of_both_revisions_at_once(world: World, url: str, connect: Connect) -> None:
    """While a job runs each sees its own jobs, and nothing is left behind."""
    running = await world.running()
    before = len(asyncio.all_tasks())

    async def one(number: int) -> None:
        owner, mode = f"owner{number % 5}", "legacy" if number % 2 else "auto"
        async with connected(url, mode=mode, headers={OWNER: owner}) as client:
            job_id = (await call(client, "generate_video", prompt=f"The sea {number}"))["job_id"]
            for _ in range(5):
                status = await call(client, "get_video_status", job_id=job_id)
                assert status["status"] == "queued"
            assert (await client.call_tool("get_video_status", {"job_id": running.id})).is_error
            assert job_id in {job["job_id"] for job in (await call(client, "list_videos", limit=200))["jobs"]}

    async with AsyncExitStack() as stack:
        for mode in ("auto", "legacy"):
            await stack.enter_async_context(connect(mode=mode))
        await asyncio.gather(*map(one, range(CLIENTS)))
    assert (await world.jobs.get(running.id)).state == "planning"
    assert {job.owner for job in await world.jobs.page(limit=50)} == {"", *(f"owner{n}" for n in range(5))}
    async with asyncio.timeout(5):
        while len(asyncio.all_tasks()) > before + 2:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("vanish", [True, False])
@pytest.mark.parametrize("tool", ["render_video", "generate_video"])
async def test_a_stop_is_quick_whatever_clients_wait_for(world: World, mode: Mode, tool: str, vanish: bool) -> None:
    """For the answer of a user who went to lunch, or for a video; and where the client has gone meanwhile."""
    job_id, asked = await awaiting_review(world), asyncio.Event()
    arguments = {"job_id": job_id} if tool == "render_video" else {"prompt": "The sea", "wait": True}

    async def user(context: Any, params: Any) -> ElicitResult:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async def told(progress: float, total: float | None, message: str | None) -> None:
        asked.set()

    async def client(url: str) -> None:
        async with connected(url, mode=mode, elicitation_callback=user) as client:
            await client.call_tool(tool, arguments, progress_callback=told)

    async with served(world) as url:
        task = asyncio.create_task(client(url))
        await asyncio.wait_for(asked.wait(), 20)
        if vanish:
            task.cancel()
            await asyncio.wait([task])
        began = time.monotonic()
    assert time.monotonic() - began < 3
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await world.jobs.get(job_id)).state == "awaiting_review"
