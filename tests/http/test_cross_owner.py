"""Another owner's things are answered as things that do not exist, by every operation; no list shows them.

Each operation of the table has its cases here. One that is new fails the first test until it has some.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import VIDEO, World
from test_http_thumbnails import JPEG, made, reviewed

from vidgend.http.app import OPERATIONS
from vidgend.http.operation import Operation
from vidgend.models import Brief
from vidgend.store.ledger import Answer, Ledger
from vidgend.store.outbox import events_of

Client = TestClient[Any, Any]
BY_ID = {operation.id: operation for operation in OPERATIONS}
NO_JOB, NO_DIGEST, NO_EVENT = "job_00000000000000000000", "0" * 64, "msg_none"
CLIP = {
    "duration_s": 8.0, "width_px": 320, "height_px": 180, "kind": "video", "frame_rate": 25.0,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Things:
    """What one owner has."""

    head: dict[str, str]
    done: str
    """A job with a published video and a webhook event."""
    review: str
    """A job whose storyboard can be edited and shows a thumbnail."""
    failed: str
    video: str
    thumbnail: str
    clip: str
    sound: str
    event: str


NOTHING = Things(
    head={}, done=NO_JOB, review=NO_JOB, failed=NO_JOB, video=NO_DIGEST, thumbnail=NO_DIGEST, clip=NO_DIGEST,
    sound=NO_DIGEST, event=NO_EVENT,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is sent. `status` is the answer for what is not there; `theirs` whether its owner is answered otherwise."""

    path: dict[str, str] = field(default_factory=dict)
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 404


Case = Callable[[Things, Things], Ask]
"""Of the things that are named in the request, and of the caller's own."""


def of_job(name: str, body: Any = None) -> Case:
    return lambda named, _: Ask(path={"job_id": getattr(named, name)}, body=body)


def generate(**fields: Callable[[Things], Any]) -> Case:
    return lambda named, _: Ask(
        body={"prompt": "The sea", **{name: value(named) for name, value in fields.items()}}, status=422
    )


CASES: dict[str, tuple[Case, ...]] = {
    "generate": (
        generate(scenes=lambda named: [{"narration": "The sea.", "clip": {"asset": named.clip}}]),
        generate(music=lambda named: {"asset": named.sound}),
        generate(narration_audio=lambda named: {"asset": named.sound}, script=lambda _: "Waves roll in."),
    ),
    "prefetch": (
        lambda named, _: Ask(body={"storyboard": named.review}),
        lambda named, _: Ask(body={"video": {"prompt": "x", "music": {"asset": named.sound}}}, status=422),
    ),
    "status": (of_job("done"),),
    "result": (of_job("done"),),
    "cancel": (of_job("review"),),
    "job_events": (of_job("done"),),
    "retry": (of_job("failed"),),
    "delete_job": (of_job("failed"),),
    "storyboard": (of_job("review"),),
    "storyboard_versions": (of_job("review"),),
    "edit_storyboard": (
        of_job("review", {"style": "noir"}),
        lambda named, own: Ask(
            path={"job_id": own.review}, body={"scenes": [{"index": 1, "clip": {"asset": named.clip}}]}, status=422
        ),
        lambda named, own: Ask(path={"job_id": own.review}, body={"music": {"asset": named.sound}}, status=422),
    ),
    "revert_storyboard": (of_job("review", {"version": 1}),),
    "render": (of_job("review"),),
    "thumbnail": (
        lambda named, _: Ask(path={"job_id": named.review, "digest": named.thumbnail}),
        lambda named, own: Ask(path={"job_id": own.review, "digest": named.thumbnail}),
    ),
    "webhooks": (of_job("done"),),
    "redeliver_webhooks": (
        of_job("done"),
        lambda named, own: Ask(path={"job_id": own.done}, body={"webhook_id": named.event}),
    ),
    "uploads": (lambda named, _: Ask(query={"id": named.clip}, status=200),),
    "asset": (
        lambda named, _: Ask(path={"digest": named.video}),
        lambda named, _: Ask(path={"digest": named.clip}),
    ),
    "delete_upload": (lambda named, _: Ask(path={"digest": named.sound}),),
}
LISTS = {"jobs", "uploads", "usage", "queue", "events"}
NAMES_NOTHING = {
    "upload", "test_webhook", "metrics", "pause", "resume", "voices", "voice_sample", "styles", "errors", "openapi",
    "docs", "docs_script", "livez", "readyz",
}  # fmt: skip
"""These know of no owner's things."""


def test_every_operation_is_looked_at() -> None:
    assert CASES.keys() | LISTS | NAMES_NOTHING == BY_ID.keys()
    for operation in OPERATIONS:
        named = {part for part in ("{job_id}", "{digest}", "{id}", "{webhook_id}") if part in operation.path}
        assert not named or operation.id in CASES, operation.id


async def things(world: World, name: str) -> Things:
    head = await world.key(name)
    job, result = await world.completed(owner=name, callback_url="https://x.example/hook")
    review, _ = await reviewed(world, owner=name)
    own = await made(world, review, JPEG + name.encode())
    version = await world.storyboards.get(review)
    assert version is not None
    scene = version.storyboard.scenes[0]
    shown = replace(scene.thumbnails[0], digest=own)
    board = replace(version.storyboard, scenes=(replace(scene, thumbnails=(shown,)),))
    await world.storyboards.save(review, board)
    await world.jobs.request_cancel(review)
    await world.jobs.finish_cancel(review)
    failed, _ = await world.jobs.submit(Brief(prompt="x"), owner=name)
    await world.jobs.request_cancel(failed)
    digests = []
    for kind, content_type in (("video", "video/mp4"), ("audio", "audio/wav")):
        path = world.folder / f"{name}-{kind}"
        path.write_bytes(path.name.encode())
        upload, _ = await world.services.uploads.add(
            path, kind=kind, name=path.name, content_type=content_type, facts={**CLIP, "sound_s": 8.0}, owner=name
        )
        digests.append(upload.digest)
    ledger = Ledger(world.database)
    ledger.end(
        await ledger.begin("pexels", "search", "sea", job_id=job.id, at=world.database.clock()), "pexels", Answer()
    )
    (event,) = await events_of(world.database, job.id)
    return Things(
        head=head, done=job.id, review=review, failed=failed, video=result.files["video"].digest, thumbnail=own,
        clip=digests[0], sound=digests[1], event=event.id,
    )  # fmt: skip


@pytest.fixture
async def ann(world: World, monkeypatch: pytest.MonkeyPatch) -> Things:
    monkeypatch.setattr("standins.services_standin.VIDEO", VIDEO + b"ann")
    return await things(world, "ann")


@pytest.fixture
async def bob(world: World, ann: Things, monkeypatch: pytest.MonkeyPatch) -> Things:
    monkeypatch.setattr("standins.services_standin.VIDEO", VIDEO + b"bob")
    return await things(world, "bob")


async def send(client: Client, operation: Operation, ask: Ask, head: dict[str, str]) -> tuple[int, str]:
    """Status and body, with what is different for each request put out of it."""
    answer = await client.request(
        operation.method, operation.path.format_map(ask.path), params=ask.query, headers={**head, **ask.headers},
        **({} if ask.body is None else {"json": ask.body}),
    )  # fmt: skip
    return answer.status, await answer.text() if answer.content_type.endswith("json") else ""


def anonymous(text: str, *all_things: Things) -> str:
    """Without the ids, whole or cut."""
    for one in all_things:
        for name in ("done", "review", "failed", "video", "thumbnail", "clip", "sound", "event"):
            text = text.replace(getattr(one, name), "ID").replace(f"{getattr(one, name)[:12]}…", "ID")
    return text


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, cases in CASES.items() for number in range(len(cases))]
)
async def test_anothers_thing_is_answered_as_one_that_does_not_exist(
    world: World, client: Client, ann: Things, bob: Things, name: str, number: int
) -> None:
    operation, case = BY_ID[name], CASES[name][number]
    theirs = case(ann, bob)
    status, text = await send(client, operation, theirs, bob.head)
    unknown = await send(client, operation, case(NOTHING, bob), bob.head)
    assert status == unknown[0] == theirs.status, (text, unknown)
    assert anonymous(text, ann, NOTHING) == anonymous(unknown[1], ann, NOTHING)
    mine = await send(client, operation, case(ann, ann), ann.head)
    assert anonymous(mine[1], ann) != anonymous(text, ann) or mine[0] != status, "the case names nothing that is there"
    assert mine[0] not in (404, 422), mine


async def test_no_list_shows_anothers_things(client: Client, ann: Things, bob: Things) -> None:
    ids = [getattr(ann, name) for name in ("done", "review", "failed", "clip", "sound")]
    shown = {}
    for who, head in (("bob", bob.head), ("ann", ann.head)):
        texts = []
        for path in ("/mcp/jobs", "/mcp/assets", "/mcp/usage?by=job", "/mcp/usage?by=key"):
            answer = await client.get(path, headers=head)
            assert answer.status == 200
            texts.append(await answer.text())
        shown[who] = "".join(texts)
    assert all(one in shown["ann"] for one in ids), "what is not shown to anybody shows nothing"
    assert not any(one in shown["bob"] for one in (*ids, '"ann"', ann.event))


async def test_a_stream_of_events_shows_ones_own_alone(client: Client, ann: Things, bob: Things) -> None:
    async with client.get("/mcp/events", headers={**bob.head, "Last-Event-ID": "0"}) as stream:
        jobs = {}
        for who, head in (("ann", ann.head), ("bob", bob.head)):
            answer = await client.post("/mcp/generate", json={"prompt": "The sea"}, headers=head)
            jobs[who] = (await answer.json())["job_id"]
        seen = b""
        async with asyncio.timeout(10):
            while jobs["bob"].encode() not in seen:
                seen += await stream.content.readany()
    text = seen.decode()
    assert all(one in text for one in (bob.done, bob.review, bob.failed)), "from the beginning on"
    assert not any(one in text for one in (jobs["ann"], ann.done, ann.review, ann.failed))


async def test_the_queue_and_the_calls_are_ones_own_unless_one_is_admin(
    world: World, client: Client, ann: Things, bob: Things
) -> None:
    async def jobs(head: dict[str, str]) -> int:
        found = await (await client.get("/mcp/queue", headers=head)).json()
        return sum(found["jobs"].values())

    async def calls(head: dict[str, str]) -> int:
        return int((await (await client.get("/mcp/usage", headers=head)).json())["totals"]["calls"])

    assert (await jobs(ann.head), await calls(ann.head)) == (3, 1)
    operator = await world.key("operator", scopes=["admin"])
    assert (await jobs(operator), await calls(operator)) == (6, 2)
    listed = await (await client.get("/mcp/jobs", headers=operator)).json()
    assert listed["jobs"] == [], "an operator does not look at other people's videos"


async def test_cursors_open_nothing(client: Client, ann: Things, bob: Things) -> None:
    for path, items in (("/mcp/jobs", "jobs"), ("/mcp/assets", "assets"), ("/mcp/usage?by=job", "entries")):
        separator = "&" if "?" in path else "?"
        first = await (await client.get(f"{path}{separator}limit=1", headers=ann.head)).json()
        cursor = first["next_cursor"]
        if cursor is None:
            assert path.startswith("/mcp/usage")
            continue
        answer = await client.get(f"{path}{separator}cursor={cursor}", headers=bob.head)
        assert answer.status == 200
        text = json.dumps((await answer.json())[items])
        assert not any(getattr(ann, name) in text for name in ("done", "review", "failed", "clip", "sound"))


async def test_an_idempotency_key_is_its_owners(client: Client, ann: Things, bob: Things) -> None:
    found = []
    for head, prompt in ((ann.head, "The sea"), (bob.head, "The sea"), (bob.head, "The sea"), (ann.head, "The sea")):
        answer = await client.post(
            "/mcp/generate", json={"prompt": prompt}, headers={**head, "Idempotency-Key": "monday"}
        )
        assert answer.status == 202
        found.append((await answer.json())["job_id"])
    assert found[0] == found[3] != found[1] == found[2]
    other = await client.post("/mcp/generate", json={"prompt": "B"}, headers={**bob.head, "Idempotency-Key": "monday"})
    assert other.status == 422
    unused = await client.post(
        "/mcp/generate", json={"prompt": "B"}, headers={**bob.head, "Idempotency-Key": "tuesday"}
    )
    assert unused.status == 202


async def test_the_same_file_of_two_owners_is_each_ones_own(world: World, client: Client) -> None:
    ann, bob = await world.key("ann"), await world.key("bob")
    mine, result = await world.completed(owner="ann")
    path = f"/mcp/assets/{result.files['video'].digest}"
    assert (await client.get(path, headers=bob)).status == 404
    theirs, _ = await world.completed(owner="bob")
    assert (await client.get(path, headers=bob)).status == 200
    assert (await client.delete(f"/mcp/jobs/{theirs.id}", headers=bob)).status == 204
    assert (await client.get(path, headers=bob)).status == 404
    assert (await client.get(path, headers=ann)).status == 200
    assert (await client.get(f"/mcp/result/{mine.id}", headers=ann)).status == 200
