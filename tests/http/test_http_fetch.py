"""POST /mcp/assets with an address, and POST /mcp/webhooks/test, over real HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import media
import pytest
from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestClient
from standins.outbox_standin import LOOPBACK, SECRET
from standins.receiver_standin import Receiver, verify
from standins.services_standin import World

from vidgend.http import uploads_routes
from vidgend.http.fetch_media import MediaFetcher
from vidgend.http.webhook_signing import Signer
from vidgend.http.webhook_tester import WebhookTester

Client = TestClient[Any, Any]


@pytest.fixture
def song(tmp_path: Path) -> bytes:
    return media.tone(tmp_path / "tone.wav", seconds=1.5).read_bytes()


@pytest.fixture
def opened(world: World) -> World:
    """Where loopback is open for every purpose."""
    services = world.services
    return world.with_services(
        fetcher=MediaFetcher(intake=services.intake, allow_networks=LOOPBACK),
        webhook_tester=WebhookTester(signer=Signer(world.database, SECRET), allow_networks=LOOPBACK),
    )


@pytest.fixture
async def client(opened: World, connect: Any) -> Client:
    client: Client = await connect(opened)
    return client


async def problem_of(answer: Any) -> tuple[int, str]:
    return answer.status, (await answer.json(content_type=None))["code"]


def endless(receiver: Receiver) -> asyncio.Event:
    """A file that never ends; the event is set when whoever fetched it has gone."""
    gone = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        try:
            await stream.write(b"\x1aE\xdf\xa3" + bytes(100_000))
            while True:
                await stream.write(bytes(100_000))
                await asyncio.sleep(0.02)
        finally:
            gone.set()

    receiver.answers["/endless.webm"] = answer
    return gone


async def test_a_file_is_fetched_and_is_an_upload_like_any_other(
    client: Client, receiver: Receiver, song: bytes
) -> None:
    receiver.answers["/song.wav"] = lambda request: _bytes(song)
    answer = await client.post("/mcp/assets", json={"url": receiver.url("/song.wav?sig=1")})
    told = await answer.json()
    assert (answer.status, told["kind"], told["name"], told["size_bytes"]) == (201, "audio", "song.wav", len(song))
    assert answer.headers["Location"] == f"/mcp/assets/{told['asset_id']}"
    assert await (await client.get(f"/mcp/assets/{told['asset_id']}")).read() == song
    again = await client.post("/mcp/assets", json={"url": receiver.url("/song.wav"), "name": "other.wav"})
    assert (again.status, (await again.json())["asset_id"]) == (200, told["asset_id"])
    sent = await client.post("/mcp/assets", data=song)
    assert (sent.status, (await sent.json())["asset_id"]) == (200, told["asset_id"])
    with_expect = await client.post("/mcp/assets", json={"url": receiver.url("/song.wav")}, expect100=True)
    assert with_expect.status == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [({}, 422, "invalid_request"), ({"url": 1}, 422, "invalid_request"), ({"url": "x"}, 422, "invalid_request"),
     ({"url": "https://x.example", "more": 1}, 422, "invalid_request"), ({"url": "http://[::"}, 422, "invalid_request"),
     ({"url": "https://u:p@x.example"}, 422, "invalid_request"), ({"url": "http://x/" + "a" * 9000}, 422, "invalid_request"),
     ([], 400, "bad_json"), ({"url": "http://169.254.169.254/"}, 422, "target_forbidden"),
     ({"url": "http://10.0.0.1/"}, 422, "target_forbidden"), ({"url": "http://127.0.0.1:1/"}, 422, "fetch_failed")],
)  # fmt: skip
async def test_what_is_wrong_is_told(client: Client, body: Any, status: int, code: str) -> None:
    assert await problem_of(await client.post("/mcp/assets", json=body)) == (status, code)


async def test_the_hint_names_the_setting(client: Client) -> None:
    told = await (await client.post("/mcp/assets", json={"url": "http://10.0.0.1/"})).json(content_type=None)
    assert "egress.media_networks" in told["hint"]


async def test_whoever_leaves_ends_the_transfer(
    client: Client, receiver: Receiver, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_routes, "LOOK_S", 0.05)
    gone = endless(receiver)
    with pytest.raises(TimeoutError):
        await client.post("/mcp/assets", json={"url": receiver.url("/endless.webm")}, timeout=ClientTimeout(total=0.4))
    await asyncio.wait_for(gone.wait(), 5)
    async with asyncio.timeout(5):
        while [path for path in (world.folder / "assets").rglob("*") if path.is_file()]:
            await asyncio.sleep(0.02)


async def test_a_stop_ends_the_transfer(
    client: Client, receiver: Receiver, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_routes, "LOOK_S", 0.05)
    gone = endless(receiver)
    asked = asyncio.create_task(client.post("/mcp/assets", json={"url": receiver.url("/endless.webm")}))
    await receiver.wait_for(1)
    world.worker.draining = True
    assert await problem_of(await asked) == (503, "draining")
    await asyncio.wait_for(gone.wait(), 5)
    assert await problem_of(await client.post("/mcp/assets", json={"url": receiver.url()})) == (503, "draining")


async def test_a_test_event_is_sent_and_told_of(client: Client, receiver: Receiver) -> None:
    answer = await client.post("/mcp/webhooks/test", json={"url": receiver.url()})
    told = await answer.json()
    (call,) = receiver.calls
    verify(SECRET, call)
    assert (answer.status, told["delivered"], told["status"], told["error"], told["own_secret"]) == (
        200, True, 204, None, False,
    )  # fmt: skip
    assert told["body"].encode() == call.body and told["headers"]["webhook-id"] == call.id
    receiver.answers["/gone"] = lambda request: _bytes(b"what the inside says", status=500)
    answer = await client.post("/mcp/webhooks/test", json={"url": receiver.url("/gone")})
    told = await answer.json()
    assert (answer.status, told["delivered"], told["status"], told["error"]) == (200, False, 500, "HTTP 500")
    assert "inside" not in str(told)


@pytest.mark.parametrize(
    ("url", "code"),
    [("x", "invalid_request"), ("ftp://x.example", "invalid_request"), ("http://10.0.0.1/", "callback_forbidden"),
     ("http://169.254.169.254/", "callback_forbidden")],
)  # fmt: skip
async def test_a_test_event_goes_only_where_events_go(client: Client, url: str, code: str) -> None:
    assert await problem_of(await client.post("/mcp/webhooks/test", json={"url": url})) == (422, code)


async def test_where_webhooks_are_off_there_is_no_test(opened: World, connect: Any, receiver: Receiver) -> None:
    client: Client = await connect(opened.with_services(webhooks_enabled=False))
    answer = await client.post("/mcp/webhooks/test", json={"url": receiver.url()})
    assert await problem_of(answer) == (422, "not_available")
    assert receiver.calls == []


async def test_both_want_a_key(opened: World, connect: Any, receiver: Receiver) -> None:
    client: Client = await connect(opened.with_api_key())
    for path in ("/mcp/assets", "/mcp/webhooks/test"):
        assert (await client.post(path, json={"url": receiver.url()})).status == 401
    assert receiver.calls == []


async def _bytes(content: bytes, status: int = 200) -> web.Response:
    return web.Response(body=content, status=status)
