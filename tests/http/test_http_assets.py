from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from aiohttp import ClientPayloadError
from aiohttp.test_utils import TestClient
from standins.s3_standin import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, s3_server
from standins.services_standin import VIDEO, World

from vidgend.http import assets_routes, middlewares
from vidgend.http.asset_links import result_urls
from vidgend.http.caller import ANYBODY, Caller
from vidgend.models import Published
from vidgend.store.assets.select import select_blobs
from vidgend.store.assets.store import AssetStore

Client = TestClient[Any, Any]
SIZE = len(VIDEO)


@pytest.fixture
async def video(world: World) -> str:
    """The path of a published video."""
    _, result = await world.completed()
    return f"/mcp/assets/{result.files['video'].digest}"


async def test_a_video_opens_in_a_browser_and_may_be_kept_for_ever(client: Client, video: str) -> None:
    answer = await client.get(video)
    assert (answer.status, await answer.read()) == (200, VIDEO)
    head = answer.headers
    assert head["Content-Type"] == "video/mp4"
    assert head["Content-Length"] == str(SIZE)
    assert head["Content-Disposition"] == 'inline; filename="output.mp4"'
    assert head["ETag"] == f'"{video.rpartition("/")[2]}"'
    assert head["Accept-Ranges"] == "bytes"
    assert head["Cache-Control"] == "public, max-age=31536000, immutable"
    assert head["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in head["Content-Security-Policy"]


async def test_head_tells_the_same_without_the_bytes(client: Client, video: str) -> None:
    whole, head = await client.get(video), await client.head(video, headers={"Range": "bytes=0-1"})
    assert (head.status, await head.read()) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control", "Accept-Ranges"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=5000-", 5000, SIZE - 1),
        ("bytes=5000-999999999999", 5000, SIZE - 1),
        (f"bytes=0-{'9' * 30}", 0, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
        (f"bytes=-{SIZE + 5}", 0, SIZE - 1),
        ("bytes=-7", SIZE - 7, SIZE - 1),
        ("bytes= 10-19 ", 10, 19),
        ("BYTES=10-19", 10, 19),
    ],
)
async def test_one_range_is_sent_alone(client: Client, video: str, asked: str, first: int, last: int) -> None:
    answer = await client.get(video, headers={"Range": asked})
    assert (answer.status, await answer.read()) == (206, VIDEO[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "lines=1-2", "bytes", ""])
async def test_what_needs_no_part_gets_the_whole(client: Client, video: str, asked: str) -> None:
    answer = await client.get(video, headers={"Range": asked})
    assert (answer.status, await answer.read()) == (200, VIDEO)


@pytest.mark.parametrize(
    "asked",
    [
        f"bytes={SIZE}-",
        "bytes=5-2",
        "bytes=-0",
        "bytes=-",
        "bytes=a-b",
        "bytes=1-2-3",
        "bytes=" + "9" * 400 + "-",
        "bytes=٣-",
    ],
)
async def test_a_range_that_is_not_there_is_refused_with_the_size(client: Client, video: str, asked: str) -> None:
    answer = await client.get(video, headers={"Range": asked})
    body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


async def test_conditional_requests_follow_the_digest(client: Client, video: str) -> None:
    etag = f'"{video.rpartition("/")[2]}"'
    for value in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await client.get(video, headers={"If-None-Match": value})
        assert (answer.status, await answer.read()) == (304, b"")
        assert answer.headers["ETag"] == etag
    assert (await client.get(video, headers={"If-None-Match": '"other"'})).status == 200
    assert (await client.get(video, headers={"If-Match": '"other"'})).status == 412
    assert (await client.get(video, headers={"If-Match": etag})).status == 200
    assert (await client.get(video, headers={"If-Match": f'"other", {etag}'})).status == 200
    assert (await client.get(video, headers={"If-Match": f"W/{etag}"})).status == 412  # it compares strongly
    lines = [("If-None-Match", '"other"'), ("If-None-Match", etag)]
    assert (await client.get(video, headers=lines)).status == 304
    part = {"Range": "bytes=0-1"}
    assert (await client.get(video, headers={**part, "If-Range": etag})).status == 206
    assert (await client.get(video, headers={**part, "If-Range": '"other"'})).status == 200


@pytest.mark.parametrize(
    ("role", "content_type"),
    [
        ("thumbnail", "image/jpeg"),
        ("srt", "application/x-subrip"),
        ("vtt", "text/vtt; charset=utf-8"),
        ("words", "application/json"),
    ],
)
async def test_every_file_of_a_result_has_its_type(world: World, client: Client, role: str, content_type: str) -> None:
    _, result = await world.completed()
    answer = await client.get(f"/mcp/assets/{result.files[role].digest}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)


async def test_a_type_that_could_run_in_a_browser_is_only_saved(world: World, client: Client) -> None:
    job, _ = await world.completed()
    digest = await world.store(b"<script>alert(1)</script>")
    await world.database.write(
        lambda connection: connection.execute(
            "INSERT INTO published VALUES (?, ?, 'page', ?, 'text/html', 25)", (digest, job.id, 'a"\r\nX: y.html')
        )
    )
    answer = await client.get(f"/mcp/assets/{digest}")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a___X_ y.html"'


async def test_only_what_was_published_is_served(world: World, client: Client) -> None:
    private = await world.store(b"a cached clip that nobody published")
    for path in (private, "0" * 64, private.upper(), "x", "%2e%2e%2fvidgend.db", "..%5c..", "%00", f"{private}.gz"):
        answer = await client.get(f"/mcp/assets/{path}")
        body = await answer.json(content_type="application/problem+json")
        assert (answer.status, body["code"]) == (404, "not_found")


async def test_two_jobs_with_the_same_file_share_it(world: World, client: Client) -> None:
    (one, first), (two, second) = await world.completed(), await world.completed()
    assert one.id != two.id and first.files["video"].digest == second.files["video"].digest
    assert (await client.get(f"/mcp/assets/{first.files['video'].digest}")).status == 200


async def test_a_client_that_leaves_half_way_is_no_error(
    world: World, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    job, _ = await world.completed()
    digest = await world.store(b"v" * (16 << 20))
    await world.database.write(
        lambda connection: connection.execute(
            "INSERT INTO published VALUES (?, ?, 'big', 'big.mp4', 'video/mp4', 1)", (digest, job.id)
        )
    )
    answer = await client.get(f"/mcp/assets/{digest}")
    await answer.content.readexactly(1000)
    answer.close()
    assert (await client.get("/livez")).status == 200
    await client.close()
    assert [record for record in caplog.records if record.levelname in ("ERROR", "WARNING")] == []


async def test_a_client_that_never_reads_is_let_go(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets_routes, "STALL_S", 0.05)
    job, _ = await world.completed()
    digest = await world.store(bytes(32 << 20))
    await world.database.write(
        lambda connection: connection.execute(
            "INSERT INTO published VALUES (?, ?, 'big', 'big.mp4', 'video/mp4', 1)", (digest, job.id)
        )
    )
    ended = asyncio.Event()
    monkeypatch.setattr(middlewares._log, "log", lambda *_, **__: ended.set())
    _, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"GET /mcp/assets/{digest} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    try:
        await asyncio.wait_for(ended.wait(), 5)
    finally:
        writer.close()


async def test_damaged_bytes_are_never_served(world: World, client: Client, video: str) -> None:
    path = await world.assets.local(video.rpartition("/")[2])
    path.chmod(0o644)
    path.write_bytes(b"x" * SIZE)
    told = []
    for headers in ({}, {"Range": "bytes=0-1"}):
        answer = await client.get(video, headers=headers)
        told.append((answer.status, (await answer.json(content_type="application/problem+json"))["code"]))
    assert told == [(404, "asset_damaged"), (410, "result_expired")], "put aside when it is found, and then gone"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


async def on_s3(world: World, server: S3Server, copies: str) -> World:
    """The same world with its assets in a bucket, on a machine whose copies lie in the folder `copies`."""
    blobs = select_blobs(
        f"s3://{BUCKET}/{world.folder.name}",
        root=world.folder / copies,
        endpoint=server.endpoint,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
    )
    assets = AssetStore(world.database, blobs)
    await assets.prepare()
    return World(**{**vars(world.with_services(assets=assets)), "assets": assets})


async def big_video(world: World, content: bytes) -> str:
    job, _ = await world.completed()
    digest = await world.store(content)
    await world.database.write(
        lambda connection: connection.execute(
            "INSERT INTO published VALUES (?, ?, 'big', 'big.mp4', 'video/mp4', ?)", (digest, job.id, len(content))
        )
    )
    return digest


async def test_a_video_on_s3_is_served_by_parts_without_fetching_it_first(
    world: World, server: S3Server, connect: Any
) -> None:
    content = bytes(range(256)) * 40_000
    digest = await big_video(await on_s3(world, server, "here"), content)
    client = await connect(await on_s3(world, server, "elsewhere"))
    whole = await client.get(f"/mcp/assets/{digest}")
    assert (whole.status, hashlib.sha256(await whole.read()).hexdigest()) == (200, digest)
    assert whole.headers["Content-Type"] == "video/mp4"
    part = await client.get(f"/mcp/assets/{digest}", headers={"Range": "bytes=-7"})
    assert (part.status, await part.read()) == (206, content[-7:])
    head = await client.head(f"/mcp/assets/{digest}")
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(content)))
    assert list((world.folder / "elsewhere" / "copies" / "blobs").iterdir()) == []


async def test_a_video_that_ends_early_breaks_the_connection(
    world: World, server: S3Server, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    digest = await big_video(await on_s3(world, server, "here"), bytes(10_000_000))
    path = server.object(f"{world.folder.name}/blobs/{digest[:2]}/{digest}")
    path.write_bytes(bytes(6_000_000))
    client = await connect(await on_s3(world, server, "elsewhere"))
    answer = await client.get(f"/mcp/assets/{digest}")
    assert answer.status == 200
    with pytest.raises(ClientPayloadError):
        await answer.read()
    assert "asset_unreadable" in caplog.text


async def test_a_store_that_is_away_is_told_as_such(world: World, server: S3Server, connect: Any) -> None:
    digest = await big_video(await on_s3(world, server, "here"), b"video")
    away = await on_s3(world, S3Server(endpoint="http://127.0.0.1:1", data=server.data), "elsewhere")
    answer = await (await connect(away)).get(f"/mcp/assets/{digest}")
    body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["code"]) == (503, "storage_unavailable")


async def test_results_on_s3_are_linked_to_directly_if_that_is_wanted(world: World, server: S3Server) -> None:
    there = await on_s3(world, server, "here")
    job, result = await there.completed()
    direct = await result_urls(
        there.with_services(presign=True).services, job.id, result.files, caller=ANYBODY, base_url="http://v"
    )
    assert set(direct) == set(result.files)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(direct["video"], headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (206, VIDEO[:10])
    assert answer.headers["Content-Type"] == "video/mp4"
    through = await result_urls(
        there.with_services(presign=False).services, job.id, result.files, caller=ANYBODY, base_url="http://v"
    )
    assert through["video"] == f"http://v/mcp/assets/{result.files['video'].digest}"


async def test_a_store_without_links_of_its_own_is_linked_to_through_vidgend(world: World) -> None:
    services = world.with_services(presign=True).services
    file = Published(name="a.mp4", digest="d" * 64, content_type="video/mp4", size_bytes=1, uri="file:///a.mp4")
    caller = Caller(owner="ann", key_id="1")
    urls = await result_urls(services, "job_1", {"video": file}, caller=caller, base_url="http://v")
    assert urls["video"].startswith(f"http://v/mcp/assets/{'d' * 64}?exp=") and "&for=ann&sig=" in urls["video"]
