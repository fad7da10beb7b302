"""Uploads over real HTTP, with real media and with files that are made to harm."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import media
import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient
from standins.services_standin import KEY, World

from vidgend.http import middlewares, uploads_routes
from vidgend.models import Brief, Scene, SceneBrief, Storyboard
from vidgend.pipeline import file_to_upload
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.store.assets.local_files import INCOMING

Client = TestClient[Any, Any]
LARGE = 30_000_000


@pytest.fixture(scope="module")
def files(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("own media")
    source = "testsrc2=size=160x90:rate=25"
    made = {
        "video": media.make(
            ffmpeg.path,
            ["-f", "lavfi", "-i", f"{source}:duration=2", "-c:v", "libx264", "-preset", "ultrafast", "-movflags",
             "+faststart", "-f", "mp4"],
            folder / "video",
        ),
        "live": media.make(
            ffmpeg.path, ["-f", "lavfi", "-i", f"{source}:duration=2", "-c:v", "libvpx", "-live", "1", "-f", "webm"],
            folder / "live",
        ),
        "photo": media.make(
            ffmpeg.path, ["-f", "lavfi", "-i", source, "-frames:v", "1", "-c:v", "png", "-f", "image2"], folder / "photo"
        ),
        "wav": media.tone(folder / "wav", seconds=1.5),
        "m4a": media.make(
            ffmpeg.path, ["-f", "lavfi", "-i", "sine=duration=2", "-c:a", "aac", "-brand", "isom", "-f", "mp4"],
            folder / "m4a",
        ),
        "short": media.tone(folder / "short", seconds=0.1),
    }  # fmt: skip
    return {name: path.read_bytes() for name, path in made.items()}


def hostile(files: dict[str, bytes]) -> dict[str, bytes]:
    video = files["video"]
    return {
        "a playlist": b"#EXTM3U\n#EXTINF:1.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "a playlist behind a video's first bytes": video[:40] + b"\n#EXTM3U\n#EXTINF:1.0,\nfile:///etc/passwd\n",
        "an ffconcat list": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        "an SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        "HTML": b"<!doctype html><script>alert(1)</script>",
        "a PDF": b"%PDF-1.7\n" + bytes(5000),
        "nothing": b"",
        "one byte": b"\0",
        "noise": hashlib.sha256(b"noise").digest() * 300,
        "a video that is cut off": video[: len(video) * 6 // 10],
        "a photo that is cut off": files["photo"][:60],
        "a sound of a tenth of a second": files["short"],
        "a sound without any": files["wav"][:44],
    }


def send(client: Client, content: bytes, **more: Any) -> Any:
    return client.post("/mcp/assets", data=content, **more)


async def upload(client: Client, content: bytes, name: str = "") -> dict[str, Any]:
    answer = await client.post("/mcp/assets", data=content, params={"name": name} if name else {})
    assert answer.status in (200, 201), await answer.text()
    told: dict[str, Any] = await answer.json()
    return told


async def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    told: dict[str, Any] = await answer.json(content_type="application/problem+json")
    assert (answer.status, told["code"]) == (status, code), told
    return told


async def left(world: World) -> dict[str, Any]:
    """Everything that an upload may leave: files, and rows."""
    root = world.folder / "assets"
    tables = ("uploads", "assets", "doomed", "steps", "published")
    rows = {table: await world.database.read(f"SELECT * FROM {table}") for table in tables}
    found = {path.name for folder in (root / "blobs", root / INCOMING) for path in folder.rglob("*") if path.is_file()}
    return {"files": found} | {table: found for table, found in rows.items() if found}


NOTHING: dict[str, Any] = {"files": set()}


async def ended(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Comes when a request has ended, whatever became of its client."""
    event = asyncio.Event()
    monkeypatch.setattr(middlewares._log, "log", lambda *_, **__: event.set())
    return event


# --- what is taken -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        (
            "video",
            {"kind": "video", "content_type": "video/mp4", "width": 160, "height": 90, "fps": 25.0, "duration": 2.0},
        ),
        ("photo", {"kind": "photo", "content_type": "image/png", "width": 160, "height": 90, "duration": None}),
        ("wav", {"kind": "audio", "content_type": "audio/wav", "duration": 1.5, "sample_rate": 48_000, "channels": 1}),
        ("m4a", {"kind": "audio", "content_type": "audio/mp4", "sample_rate": 44_100, "width": None}),
    ],
)
async def test_a_file_is_what_its_content_says(
    client: Client, files: dict[str, bytes], name: str, facts: dict[str, Any]
) -> None:
    content = files[name]
    answer = await send(client, content, headers={"Content-Type": "text/html"}, params={"name": "mine.xyz"})
    told = await answer.json()
    digest = hashlib.sha256(content).hexdigest()
    assert (answer.status, answer.headers["Location"]) == (201, f"/mcp/assets/{digest}")
    assert told["asset_id"] == digest and told["size_bytes"] == len(content) and told["name"] == "mine.xyz"
    assert {key: told[key] for key in facts} == facts
    shown = await client.get(answer.headers["Location"])
    assert (shown.status, await shown.read()) == (200, content)
    assert shown.headers["Content-Type"] == told["content_type"]
    part = await client.get(answer.headers["Location"], headers={"Range": "bytes=10-19"})
    assert (part.status, await part.read()) == (206, content[10:20])
    head = await client.head(answer.headers["Location"])
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(content)))


async def test_a_recording_that_does_not_say_its_length_is_measured(client: Client, files: dict[str, bytes]) -> None:
    assert abs((await upload(client, files["live"]))["duration"] - 2.0) < 0.1


async def test_the_same_bytes_again_are_the_same_upload(world: World, client: Client, files: dict[str, bytes]) -> None:
    first = await upload(client, files["photo"], "one.png")
    before = await left(world)
    answer = await send(client, files["photo"], params={"name": "two.png"})
    assert (answer.status, await answer.json()) == (200, first)
    after = await left(world)
    assert after["files"] == before["files"] == {first["asset_id"]}
    assert len(after["uploads"]) == 1 and "doomed" not in after


async def test_two_that_send_the_same_file_at_once_get_the_same_id(
    world: World, client: Client, files: dict[str, bytes]
) -> None:
    told = await asyncio.gather(*(upload(client, files["wav"]) for _ in range(4)))
    assert len({one["asset_id"] for one in told}) == 1
    assert (await left(world))["files"] == {told[0]["asset_id"]}


@pytest.mark.parametrize(
    ("headers", "query", "name"),
    [
        ({"Content-Disposition": "attachment; filename*=UTF-8''k%C3%A4se.mp4"}, {}, "käse.mp4"),
        ({}, {"name": ".."}, "upload.png"),
    ],
)
async def test_an_upload_is_called_what_it_was_called(
    client: Client, files: dict[str, bytes], headers: dict[str, str], query: dict[str, str], name: str
) -> None:
    answer = await send(client, files["photo"], headers=headers, params=query)
    assert (answer.status, (await answer.json())["name"]) == (201, name)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="my clip.mp4"', "my clip.mp4"),
        ("attachment; filename=plain.mp4", "plain.mp4"),
        ("attachment; filename*=x''%ff; ;;=", "ÿ"),
        ('attachment; filename="', '"'),
        ("\udcff\udcfe;=;filename*0*=''%;", "%"),
        ("inline", ""),
    ],
)
def test_a_header_may_hold_anything(header: str, name: str) -> None:
    assert file_to_upload.clean_name(uploads_routes._file_name(header)) == name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\sea\x00\r\n.mp4", "sea .mp4"),
        ("\u202egpj.exe", "gpj.exe"),
        ("é" * 300 + ".mov", "é" * 196 + ".mov"),
        ("a" * 300, "a" * 200),
        ("/", ""),
        ("...", ""),
        ("\udcff.mp4", "?.mp4"),
    ],
)
def test_the_name_for_people_is_only_a_name(given: str, name: str) -> None:
    assert file_to_upload.clean_name(given) == name


async def test_a_file_that_comes_packed_or_in_pieces_is_taken_as_what_it_is(
    client: Client, files: dict[str, bytes]
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(files["video"]), 1000):
            yield files["video"][at : at + 1000]

    digest = hashlib.sha256(files["video"]).hexdigest()
    answer = await client.post("/mcp/assets", data=pieces())
    assert (answer.status, (await answer.json())["asset_id"]) == (201, digest)
    answer = await client.post("/mcp/assets", data=files["video"], compress="gzip")
    assert (answer.status, (await answer.json())["code"]) == (415, "body_packed")


async def test_uploads_are_listed_newest_first_page_by_page(client: Client, files: dict[str, bytes]) -> None:
    ids = [(await upload(client, files[name], name))["asset_id"] for name in ("video", "photo", "wav")]
    seen: list[str] = []
    query: dict[str, str] = {"limit": "1"}
    while True:
        page = await (await client.get("/mcp/assets", params=query)).json()
        seen += [one["asset_id"] for one in page["assets"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == ids[::-1]
    one = await (await client.get("/mcp/assets", params={"id": ids[1]})).json()
    assert [entry["name"] for entry in one["assets"]] == ["photo"]
    for query in ({"limit": "0"}, {"cursor": "x"}, {"cursor": "AAAA"}, {"order": "up"}):
        await refused(await client.get("/mcp/assets", params=query), 422, "invalid_request")


# --- what is refused -----------------------------------------------------------------------------------------------


async def test_what_is_no_media_is_refused_with_a_reason_and_leaves_nothing(
    world: World, client: Client, files: dict[str, bytes]
) -> None:
    for what, content in hostile(files).items():
        answer = await send(client, content, headers={"Content-Type": "video/mp4"}, params={"name": "holiday.mp4"})
        told = await refused(answer, 415, "media_refused")
        assert told["detail"] and told["hint"], what
        if what == "a video that is cut off":
            assert "cut off: it says 2.0 s and ends after 1." in told["detail"]
        assert await left(world) == NOTHING, what


async def test_a_form_is_refused_with_the_way_to_do_it(world: World, client: Client, files: dict[str, bytes]) -> None:
    form = FormData()
    form.add_field("file", files["photo"], filename="a.png")
    told = await refused(await client.post("/mcp/assets", data=form), 415, "media_refused")
    assert "raw bytes" in told["hint"]


async def test_what_is_too_large_is_refused_before_and_while_it_comes(
    world: World, client: Client, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.services.intake, "_max_bytes", 200_000)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield files["video"][:5000]
        while sent < LARGE:
            sent += 50_000
            yield bytes(50_000)

    await refused(await send(client, files["video"][:100] + bytes(200_000)), 413, "upload_too_large")
    await refused(await client.post("/mcp/assets", data=endless()), 413, "upload_too_large")
    assert await left(world) == NOTHING


async def test_a_long_wrong_file_is_refused_at_its_first_bytes(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    monkeypatch.setattr(file_to_upload, "_write", lambda file, content: written.append(len(content)))
    await refused(await send(client, b"x" * 5_000_000), 415, "media_refused")
    assert written == []


async def raw(client: Client, head: str, body: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"POST /mcp/assets HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode() + body)
    await writer.drain()
    return reader, writer


async def test_nothing_is_left_of_an_upload_whose_connection_is_cut(
    world: World, client: Client, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiving = asyncio.Event()
    real = file_to_upload._write
    loop = asyncio.get_running_loop()

    def write(file: Any, content: bytes) -> None:
        real(file, content)
        loop.call_soon_threadsafe(receiving.set)

    monkeypatch.setattr(file_to_upload, "_write", write)
    over = await ended(monkeypatch)
    _, writer = await raw(client, f"Content-Length: {LARGE}\r\n", files["video"][:5000] + bytes(3_000_000))
    await asyncio.wait_for(receiving.wait(), 5)
    assert len((await left(world))["files"]) == 1, "it is on its way in"
    writer.close()
    await asyncio.wait_for(over.wait(), 5)
    assert await left(world) == NOTHING


async def test_a_client_that_stalls_is_cut_off(
    world: World, client: Client, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_routes, "STALL_S", 0.1)
    reader, writer = await raw(client, f"Content-Length: {LARGE}\r\n", files["video"][:5000])
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert head.startswith(b"HTTP/1.1 408 ")
    writer.close()
    assert await left(world) == NOTHING


async def test_a_client_that_asks_first_is_told_to_go_on_or_not(
    world: World, client: Client, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = "Expect: 100-continue\r\nContent-Length: {}\r\n"
    content = files["photo"]
    reader, writer = await raw(client, ask.format(len(content)))
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(content)
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).startswith(b"HTTP/1.1 201 ")
    writer.close()
    monkeypatch.setattr(world.services.intake, "_max_bytes", 10)
    reader, writer = await raw(client, ask.format(len(content)))
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 413 ")
    writer.close()
    reader, writer = await raw(client, "Expect: something\r\nContent-Length: 3\r\n")
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 417 ")
    writer.close()


async def test_without_the_key_nothing_is_taken_shown_or_deleted(
    world: World, connect: Any, files: dict[str, bytes]
) -> None:
    client = await connect(world.with_api_key())
    key = {"Authorization": f"Bearer {KEY}"}
    for answer in (
        await send(client, files["photo"]),
        await client.get("/mcp/assets"),
        await client.delete(f"/mcp/assets/{'a' * 64}"),
    ):
        await refused(answer, 401, "unauthorized")
    reader, writer = await raw(client, f"Expect: 100-continue\r\nContent-Length: {LARGE}\r\n")
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 401 ")
    writer.close()
    assert await left(world) == NOTHING
    told = await (await send(client, files["photo"], headers=key)).json()
    signed = told["url"].partition("/mcp/")[2]
    assert (await client.get(f"/mcp/{signed}")).status == 200, "the link opens without the key"
    assert (await client.delete(f"/mcp/{signed}")).status == 401


async def test_a_full_disk_takes_no_upload(
    world: World, client: Client, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = world.services.intake
    free_bytes, asked = 1_000_000, list[int]()
    monkeypatch.setattr(intake._space, "free_bytes", lambda: free_bytes)

    async def make_room(lacking_bytes: int) -> None:
        nonlocal free_bytes
        asked.append(lacking_bytes)
        if lacking_bytes < 2_000_000:
            free_bytes += lacking_bytes

    monkeypatch.setattr(intake, "_make_room", make_room)
    wide = files["video"] + bytes(5_000_000)
    await refused(await send(client, wide), 507, "storage_full")
    assert await left(world) == NOTHING
    assert asked == [len(wide) - 1_000_000], "the cache is asked first"
    free_bytes = 0
    assert (await upload(client, files["photo"]))["kind"] == "photo"
    assert intake._space._wanted == {}, "what was reserved is given back"


async def test_a_full_quota_takes_no_upload(
    world: World, client: Client, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.services.intake, "_quota_bytes", len(files["photo"]) + 100)
    await refused(await send(client, files["video"]), 507, "storage_full")
    told = await upload(client, files["photo"])
    await refused(await send(client, files["wav"]), 507, "storage_full")
    assert (await client.delete(f"/mcp/assets/{told['asset_id']}")).status == 204
    await upload(client, files["photo"])


async def test_a_daemon_that_stops_takes_no_upload(world: World, client: Client, files: dict[str, bytes]) -> None:
    world.worker.draining = True
    await refused(await send(client, files["photo"]), 503, "draining")


# --- in a request --------------------------------------------------------------------------------------------------


async def submitted(world: World, client: Client, body: dict[str, Any]) -> tuple[str, Brief]:
    answer = await client.post("/mcp/generate", json=body)
    assert answer.status == 202, await answer.text()
    job_id = (await answer.json())["job_id"]
    brief = (await world.jobs.get(job_id)).brief
    assert isinstance(brief, Brief)
    return job_id, brief


async def test_a_request_names_uploads_by_their_ids(world: World, client: Client, files: dict[str, bytes]) -> None:
    video, photo, sound = [(await upload(client, files[name], name))["asset_id"] for name in ("video", "photo", "wav")]
    _, brief = await submitted(
        world,
        client,
        {
            "scenes": [
                {"narration": "One.", "clip": {"asset": video, "in_point": 0.5}},
                {"narration": "Two.", "image": photo},
                {"narration": "Three.", "clip": video},
                {"narration": "Four."},
            ],
            "music": {"asset": sound},
        },
    )
    clips = [scene.clip for scene in brief.scenes]
    told = [(clip.provider, clip.digest, clip.kind, clip.in_point_s, clip.duration_s) for clip in clips if clip]
    assert told == [
        ("upload", video, "video", 0.5, 2.0), ("upload", photo, "photo", None, None), ("upload", video, "video", None, 2.0),
    ]  # fmt: skip
    assert clips[3] is None and brief.music.asset == sound
    assert clips[0] is not None and clips[0].scan is not None and clips[0].credit.author == ""


async def test_what_a_request_names_wrongly_is_told_place_by_place(client: Client, files: dict[str, bytes]) -> None:
    video, photo, sound = [(await upload(client, files[name]))["asset_id"] for name in ("video", "photo", "wav")]
    body = {
        "scenes": [
            {"narration": "One.", "clip": "0" * 64},
            {"narration": "Two.", "clip": photo},
            {"narration": "Three.", "image": {"asset": video}},
            {"narration": "Four.", "clip": {"asset": video, "in_point": 2.0}},
            {"narration": "Five.", "image": sound},
            {"narration": "Six.", "image": photo},
        ],
        "music": {"asset": video},
    }
    told = await refused(await client.post("/mcp/generate", json=body), 422, "invalid_request")
    assert [error["pointer"] for error in told["errors"]] == [
        "/scenes/0/clip", "/scenes/1/clip", "/scenes/2/image", "/scenes/3/clip/in_point", "/scenes/4/image",
        "/music/asset",
    ]  # fmt: skip
    assert "is a photo, which belongs into image" in told["errors"][1]["detail"]


async def test_a_storyboard_may_be_given_an_upload(world: World, client: Client, files: dict[str, bytes]) -> None:
    photo, sound = [(await upload(client, files[name]))["asset_id"] for name in ("photo", "wav")]
    job, _ = await world.completed(brief=Brief(prompt="", scenes=(SceneBrief(narration="One."),)))
    scene = Scene(index=0, narration="One.", queries=("sea",))
    board = Storyboard(title="Sea", language="en", planner="builtin", stretch=False, fps="30", scenes=(scene,))
    await world.services.storyboards.save(job.id, board)
    patch = {"scenes": [{"index": 1, "clip": {"asset": photo}}], "music": {"asset": sound}}
    answer = await client.patch(f"/mcp/storyboard/{job.id}", json=patch)
    told = await answer.json()
    assert answer.status == 200, told
    assert (told["scenes"][0]["clip"]["provider"], told["scenes"][0]["clip"]["id"]) == ("upload", photo)
    assert told["request"]["music"]["asset"] == sound
    wrong = {"music": {"asset": photo}}
    answer = await client.patch(f"/mcp/storyboard/{job.id}", json=wrong)
    assert (await refused(answer, 422, "invalid_request"))["errors"][0]["pointer"] == "/music/asset"


# --- deleting ------------------------------------------------------------------------------------------------------


async def test_a_deleted_upload_is_gone_with_its_bytes(world: World, client: Client, files: dict[str, bytes]) -> None:
    told = await upload(client, files["photo"])
    path = f"/mcp/assets/{told['asset_id']}"
    answer = await client.delete(path)
    assert (answer.status, await answer.read()) == (204, b"")
    assert await left(world) == NOTHING
    for again in (await client.delete(path), await client.get(path), await client.delete("/mcp/assets/x")):
        await refused(again, 404, "not_found")


async def test_what_a_live_job_needs_is_not_deleted(world: World, client: Client, files: dict[str, bytes]) -> None:
    video, sound, other = [(await upload(client, files[name]))["asset_id"] for name in ("video", "wav", "photo")]
    job_id, _ = await submitted(
        world, client, {"scenes": [{"narration": "One.", "clip": video}], "music": {"asset": sound}}
    )
    for asset in (video, sound):
        told = await refused(await client.delete(f"/mcp/assets/{asset}"), 409, "upload_in_use")
        assert job_id in told["detail"]
    assert (await client.delete(f"/mcp/assets/{other}")).status == 204
    job = await world.jobs.claim()
    assert job is not None
    await refused(await client.delete(f"/mcp/assets/{video}"), 409, "upload_in_use")
    assert (await client.post(f"/mcp/cancel/{job_id}")).status == 200
    for asset in (video, sound):
        assert (await client.delete(f"/mcp/assets/{asset}")).status == 204
    assert (await left(world))["files"] == set()


async def test_an_upload_that_is_deleted_while_a_request_is_checked_stops_the_request(
    world: World, client: Client, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = (await upload(client, files["photo"]))["asset_id"]

    async def between(*_: Any, **__: Any) -> None:
        await world.services.uploads.remove(photo)

    monkeypatch.setattr(world.worker, "check_room", between)
    answer = await client.post("/mcp/generate", json={"scenes": [{"narration": "One.", "image": photo}]})
    await refused(answer, 422, "upload_unknown")
    assert await world.jobs.page() == []


async def test_bytes_that_a_result_shows_outlive_the_upload(
    world: World, client: Client, files: dict[str, bytes]
) -> None:
    job, _ = await world.completed()
    told = await upload(client, files["photo"])
    digest = told["asset_id"]
    await world.database.write(
        lambda connection: connection.execute(
            "INSERT INTO published VALUES (?, ?, 'shown', 'shown.png', 'image/png', ?)",
            (digest, job.id, told["size_bytes"]),
        )
    )
    assert (await client.delete(f"/mcp/assets/{digest}")).status == 204
    assert (await client.get(f"/mcp/assets/{digest}")).status == 200
    assert not await world.database.read("SELECT * FROM doomed")
