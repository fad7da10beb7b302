from __future__ import annotations

import asyncio
import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World, open_world

from vidgend.http import body as body_module
from vidgend.models import Brief, PrefetchBrief, Scene, Storyboard

Client = TestClient[Any, Any]
JSON = {"Content-Type": "application/json"}


async def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["code"]) == (status, code), body
    assert body["status"] == status
    return body


async def test_a_prompt_alone_is_a_job_with_every_default(world: World, client: Client) -> None:
    answer = await client.post("/mcp/generate", json={"prompt": "The sea at dawn"})
    body = await answer.json()
    assert answer.status == 202
    assert set(body) == {"job_id", "status", "message"}
    assert body["status"] == "accepted"
    assert answer.headers["Location"] == f"/mcp/status/{body['job_id']}"
    job = await world.jobs.get(body["job_id"])
    assert isinstance(job.brief, Brief)
    assert (job.state, job.brief.prompt, job.brief.style) == ("queued", "The sea at dawn", "cinematic")
    assert (job.brief.width_px, job.brief.height_px, job.brief.duration_s) == (1920, 1080, 60.0)
    assert world.worker.woken == 1


async def test_every_field_of_the_guide_reaches_the_job(world: World, connect: Any) -> None:
    client = await connect(world.with_services(allow_networks=(ip_network("10.0.0.0/8"),)))
    answer = await client.post(
        "/mcp/generate",
        json={
            "prompt": "p",
            "duration_target": 30,
            "style": "noir",
            "voice": "af_heart",
            "callback_url": "http://10.1.2.3/done",
            "aspect_ratio": "9:16",
            "priority": 7,
            "metadata": {"order": [1, None, "é"]},
            "fps": "29.97",
            "captions": False,
            "music": "none",
            "seed": 3,
            "credits_card": True,
        },
    )
    assert answer.status == 202, await answer.text()
    job = await world.jobs.get((await answer.json())["job_id"])
    assert isinstance(job.brief, Brief)
    assert (job.priority, job.metadata, job.callback_url) == (7, {"order": [1, None, "é"]}, "http://10.1.2.3/done")
    assert (job.brief.duration_s, job.brief.duration_given, job.brief.style) == (30.0, True, "noir")
    assert (job.brief.width_px, job.brief.height_px, job.brief.fps) == (1080, 1920, "30000/1001")
    assert (job.brief.captions.enabled, job.brief.music.enabled, job.brief.seed) == (False, False, 3)
    assert job.brief.credits_card


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "prompt_empty", None),
        ({"prompt": "  \n"}, "prompt_empty", None),
        ({"prompt": "x" * 10_001}, "invalid_request", "/prompt"),
        ({"prompt": "a\u0000b"}, "invalid_request", "/prompt"),
        ({"prompt": 5}, "invalid_request", "/prompt"),
        ({"prompt": "p", "colour": "red"}, "invalid_request", "/colour"),
        ({"prompt": "p", "a/b~c": 1}, "invalid_request", "/a~1b~0c"),
        ({"prompt": "p", "duration_target": 0}, "invalid_request", "/duration_target"),
        ({"prompt": "p", "duration_target": 10**400}, "invalid_request", "/duration_target"),
        ({"prompt": "p", "fps": "1e999999999"}, "invalid_request", "/fps"),
        ({"script": "<break/>"}, "prompt_empty", None),
        ({"prompt": "<speak><break time='2s'/></speak>"}, "prompt_empty", None),
        ({"prompt": "p", "scenes": [{"narration": "<break/>"}, {"narration": "..."}]}, "prompt_empty", None),
        ({"prompt": "p", "fps": "24/0"}, "invalid_request", "/fps"),
        ({"prompt": "p", "captions": {"position": "left"}}, "invalid_request", "/captions/position"),
        ({"prompt": "p", "captions": {"size": 3}}, "invalid_request", "/captions/size"),
        ({"prompt": "p", "captions": "loud"}, "invalid_request", "/captions"),
        ({"prompt": "p", "music": {"volume": 9}}, "invalid_request", "/music/volume"),
        ({"scenes": [{"narration": "a"}, {"query": "b"}]}, "invalid_request", "/scenes/1/narration"),
        ({"prompt": "p", "scenes": []}, "invalid_request", "/scenes"),
        ({"script": "a", "scenes": [{"narration": "b"}]}, "invalid_request", ""),
        ({"prompt": "p", "priority": 101}, "invalid_request", "/priority"),
        ({"prompt": "p", "metadata": []}, "invalid_request", "/metadata"),
        ({"prompt": "p", "style": "baroque"}, "style_unknown", None),
        ({"prompt": "p", "voice": "hal"}, "voice_unknown", None),
        ({"prompt": "p", "language": "tlh"}, "language_unsupported", None),
        ({"prompt": "p", "outputs": []}, "invalid_request", "/outputs"),
        ({"prompt": "p", "outputs": [{}] * 9}, "invalid_request", "/outputs"),
        ({"prompt": "p", "outputs": [{"aspect_ratio": "2:1"}]}, "invalid_request", "/outputs/0/aspect_ratio"),
        ({"prompt": "p", "outputs": [{"name": "../a"}]}, "invalid_request", "/outputs/0/name"),
        ({"prompt": "p", "outputs": [{"name": "A"}, {"name": "a"}]}, "invalid_request", "/outputs/1/name"),
        ({"prompt": "p", "outputs": [{}, {"voice": "hal"}]}, "voice_unknown", None),
        ({"prompt": "p", "outputs": [{}, {"narrations": ["a"]}]}, "invalid_request", "/outputs/1/narrations"),
        (
            {"scenes": [{"narration": "a"}], "outputs": [{}, {"narrations": ["a", "b"]}]},
            "invalid_request",
            "/outputs/1/narrations",
        ),
        (
            {"scenes": [{"narration": "a"}], "outputs": [{"narrations": [" "]}]},
            "invalid_request",
            "/outputs/0/narrations/0",
        ),
        ({"prompt": "p", "outputs": [{}, {"language": "de"}]}, "not_available", None),
        ({"script": "a", "language": "en", "outputs": [{"language": "de"}]}, "invalid_request", "/outputs/0/language"),
        ({"prompt": "p", "language": "en", "outputs": [{"language": "de"}]}, "not_available", None),
        ({"prompt": "p", "narration_audio": "asset_1"}, "invalid_request", "/narration_audio"),
        ({"prompt": "p", "transitions": "explode"}, "invalid_request", "/transitions"),
        ({"prompt": "p", "captions": {"font": "/etc/fonts/a.ttf"}}, "font_unknown", None),
        ({"prompt": "p", "captions": {"preset": "sparkle"}}, "caption_preset_unknown", None),
        ({"prompt": "p", "music": {"asset": "asset_1"}}, "invalid_request", "/music/asset"),
        ({"prompt": "p", "music": {"asset": "a" * 64, "mood": "calm"}}, "invalid_request", "/music"),
        ({"scenes": [{"narration": "a", "clip": "asset_1"}]}, "invalid_request", "/scenes/0/clip"),
        ({"scenes": [{"narration": "a", "clip": {"asset": "asset_1"}}]}, "invalid_request", "/scenes/0/clip/asset"),
        (
            {"scenes": [{"narration": "a", "image": {"asset": "a" * 64, "url": "x"}}]},
            "invalid_request",
            "/scenes/0/image/url",
        ),
        ({"scenes": [{"narration": "a", "image": "a" * 64, "clip": "b" * 64}]}, "invalid_request", "/scenes/0"),
        (
            {"scenes": [{"narration": "a", "clip": {"asset": "a" * 64, "in_point": -1}}]},
            "invalid_request",
            "/scenes/0/clip/in_point",
        ),
        ({"prompt": "p", "fps": "240001/2001"}, "invalid_request", "/fps"),
        ({"prompt": "p", "callback_url": "ftp://example.com/"}, "invalid_request", "/callback_url"),
        ({"prompt": "p", "callback_url": "https://user:pw@example.com/"}, "invalid_request", "/callback_url"),
        ({"prompt": "p", "callback_url": "https://"}, "invalid_request", "/callback_url"),
        ({"prompt": "p", "callback_url": "http://127.0.0.1:9/x"}, "callback_forbidden", None),
        ({"prompt": "p", "callback_url": "http://localhost/x"}, "callback_forbidden", None),
        ({"prompt": "p", "callback_url": "http://[::ffff:10.0.0.1]/x"}, "callback_forbidden", None),
        ({"prompt": "p", "callback_url": "http://2130706433/x"}, "callback_forbidden", None),
        ({"prompt": "p", "callback_url": "http://169.254.169.254/latest"}, "callback_forbidden", None),
    ],
)
async def test_what_is_wrong_with_a_body_is_told_field_by_field(
    world: World, client: Client, body: dict[str, Any], code: str, pointer: str | None
) -> None:
    told = await refused(await client.post("/mcp/generate", json=body), 422, code)
    if pointer is None:
        assert "errors" not in told
    else:
        assert [error["pointer"] for error in told["errors"]] == [pointer], told
        assert all(error["detail"] for error in told["errors"])
    assert await world.jobs.counts() == {}


@pytest.mark.parametrize(
    ("fps", "kept"),
    [
        (30, "30"), (25.0, "25"), ("30000/1001", "30000/1001"), (12.5, "25/2"), ("59.94", "60000/1001"),
        (23.976023976, "24000/1001"), (29.970000000000002, "30000/1001"), (59.94005994005994, "60000/1001"),
    ],
)  # fmt: skip
async def test_a_frame_rate_is_kept_as_the_fraction_that_it_means(
    world: World, client: Client, fps: Any, kept: str
) -> None:
    answer = await client.post("/mcp/generate", json={"prompt": "p", "fps": fps})
    job = await world.jobs.get((await answer.json())["job_id"])
    assert isinstance(job.brief, Brief)
    assert job.brief.fps == kept


async def test_what_is_the_default_anyway_may_be_said(world: World, client: Client) -> None:
    for none, enabled in ((True, False), (False, True)):
        body = {
            "prompt": "p", "transitions": "cut", "captions": {"preset": "karaoke", "font": "inter"},
            "music": {"none": none}, "review": False,
        }  # fmt: skip
        answer = await client.post("/mcp/generate", json=body)
        job = await world.jobs.get((await answer.json())["job_id"])
        assert isinstance(job.brief, Brief)
        assert job.brief.music.enabled is enabled


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"nonsense", b"[]", b'"text"', b"\xff\xfe{}", b'{"prompt": NaN}', b'{"metadata": {"a": -Infinity}}',
        b'{"metadata": {"a": 1e999}}', b'{"seed": ' + b"9" * 5000 + b"}", b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"prompt": "p", "metadata": {"a": ' + b"[" * 80 + b"]" * 80 + b"}}",
    ],
)  # fmt: skip
async def test_what_is_not_json_is_a_bad_request(client: Client, raw: bytes) -> None:
    await refused(await client.post("/mcp/generate", data=raw, headers=JSON), 400, "bad_json")


@pytest.mark.parametrize("raw", [rb'{"prompt": "\ud800"}', rb'{"prompt":"p","metadata":{"\udfff":1}}'])
async def test_half_a_surrogate_pair_is_refused(client: Client, raw: bytes) -> None:
    await refused(await client.post("/mcp/generate", data=raw, headers=JSON), 422, "invalid_request")


async def test_curl_without_a_content_type_is_told_which_header_to_send(client: Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    told = await refused(
        await client.post("/mcp/generate", data=b'{"prompt":"p"}', headers=form), 415, "unsupported_media_type"
    )
    assert "Content-Type: application/json" in told["hint"]


async def test_a_body_over_one_mebibyte_is_too_large_whatever_it_claims(client: Client) -> None:
    big = json.dumps({"prompt": "p", "script": "x" * (1 << 20)}).encode()
    await refused(await client.post("/mcp/generate", data=big, headers=JSON), 413, "body_too_large")

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 65536

    await refused(await client.post("/mcp/generate", data=chunks(), headers=JSON), 413, "body_too_large")


async def test_a_body_that_does_not_come_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "BODY_TIMEOUT_S", 0.05)
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        b"POST /mcp/generate HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    )
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def test_a_client_that_asks_first_is_told_that_its_body_is_too_large(client: Client) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    head = "POST /mcp/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: {}\r\n"
    writer.write(f"{head.format('100-continue')}Content-Length: 2000000\r\n\r\n".encode())
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"{head.format('100-continue')}Content-Length: 14\r\n\r\n".encode())
    assert b" 100 " in await asyncio.wait_for(reader.readline(), 5)
    writer.write(b'{"prompt":"p"}')
    assert await asyncio.wait_for(reader.readline(), 5) == b"\r\n"
    assert b" 202 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"{head.format('a-miracle')}Content-Length: 0\r\n\r\n".encode())
    assert b" 417 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def test_a_repeated_key_gives_the_same_job_even_all_at_once(world: World, client: Client) -> None:
    async def post(key: str, **body: Any) -> Any:
        return await client.post("/mcp/generate", json={"prompt": "p", **body}, headers={"Idempotency-Key": key})

    answers = await asyncio.gather(*(post('"order-1"') for _ in range(20)))
    ids = {(await answer.json())["job_id"] for answer in answers}
    assert len(ids) == 1 and {answer.status for answer in answers} == {202}
    assert {(await (await post("order-1")).json())["job_id"]} == ids, "quoted and bare are the same key"
    assert await world.jobs.counts() == {"queued": 1}
    await refused(await post("order-1", seed=2), 422, "idempotency_key_reused")


async def test_key_order_and_white_space_do_not_make_another_request(client: Client) -> None:
    head = {**JSON, "Idempotency-Key": "k"}
    first = await client.post("/mcp/generate", data=b'{"prompt":"p","seed":1}', headers=head)
    second = await client.post("/mcp/generate", data=b'{ "seed": 1, "prompt": "p" }', headers=head)
    assert (await first.json())["job_id"] == (await second.json())["job_id"]


async def test_one_key_for_two_routes_is_refused(client: Client) -> None:
    head = {"Idempotency-Key": "k"}
    assert (await client.post("/mcp/generate", json={"prompt": "sea"}, headers=head)).status == 202
    await refused(
        await client.post("/mcp/prefetch", json={"prompt": "sea"}, headers=head), 422, "idempotency_key_reused"
    )


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "clé"])
async def test_an_unusable_key_is_a_bad_request(client: Client, key: str) -> None:
    answer = await client.post("/mcp/generate", json={"prompt": "p"}, headers={"Idempotency-Key": key})
    await refused(answer, 400, "bad_request")


async def test_callbacks_are_refused_while_webhooks_are_off(world: World, connect: Any) -> None:
    client = await connect(world.with_services(webhooks_enabled=False))
    body = {"prompt": "p", "callback_url": "https://example.com/done"}
    await refused(await client.post("/mcp/generate", json=body), 422, "not_available")


@pytest.mark.parametrize("route", ["/mcp/generate", "/mcp/prefetch"])
async def test_nothing_is_taken_while_stopping_or_out_of_space(world: World, client: Client, route: str) -> None:
    world.worker.draining = True
    answer = await client.post(route, json={"prompt": "p"})
    await refused(answer, 503, "draining")
    assert int(answer.headers["Retry-After"]) > 0
    world.worker.draining, world.worker.space = False, False
    answer = await client.post(route, json={"prompt": "p"})
    await refused(answer, 507, "storage_full")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("route", ["/mcp/generate", "/mcp/prefetch"])
async def test_a_repeat_is_answered_even_while_nothing_new_is_taken(world: World, client: Client, route: str) -> None:
    async def post(prompt: str) -> Any:
        return await client.post(route, json={"prompt": prompt}, headers={"Idempotency-Key": "k"})

    first = await (await post("sea")).json()
    world.worker.draining, world.worker.space = True, False
    again = await post("sea")
    assert again.status == 202, await again.text()
    assert (await again.json())["job_id"] == first["job_id"]
    await refused(await post("sand"), 422, "idempotency_key_reused")
    assert await world.jobs.counts() == {"queued": 1}


async def test_a_full_queue_says_when_to_come_back(tmp_path: Path, connect: Any) -> None:
    async with open_world(tmp_path, max_queued=1) as world:
        client = await connect(world)
        head = {"Idempotency-Key": "first"}
        first = await client.post("/mcp/generate", json={"prompt": "p"}, headers=head)
        answer = await client.post("/mcp/generate", json={"prompt": "p"})
        await refused(answer, 503, "queue_full")
        assert int(answer.headers["Retry-After"]) > 0
        again = await client.post("/mcp/generate", json={"prompt": "p"}, headers=head)
        assert (await again.json())["job_id"] == (await first.json())["job_id"], "a repeat needs no place"


async def prefetched(world: World, client: Client, **body: Any) -> PrefetchBrief:
    answer = await client.post("/mcp/prefetch", json=body)
    assert answer.status == 202, await answer.text()
    job = await world.jobs.get((await answer.json())["job_id"])
    assert job.kind == "prefetch" and isinstance(job.brief, PrefetchBrief)
    return job.brief


async def test_a_prefetch_takes_queries(world: World, client: Client) -> None:
    brief = await prefetched(world, client, queries=["sea", " sand "], orientation="portrait", per_query=2)
    assert (brief.queries, brief.per_query, brief.brief) == (("sea", "sand"), 2, None)
    assert brief.width_px < brief.height_px
    assert (await prefetched(world, client, queries=["sea"])).per_query == 3


async def test_a_prefetch_takes_what_a_video_would_be_asked_for(world: World, client: Client) -> None:
    request = {"prompt": "storm clouds rising", "duration_target": 20, "aspect_ratio": "9:16", "style": "noir"}
    accepted = await (await client.post("/mcp/generate", json=request)).json()
    video = (await world.jobs.get(accepted["job_id"])).brief
    brief = await prefetched(world, client, video=request)
    assert brief.brief == video and brief.per_query == 1
    assert (brief.width_px, brief.height_px) == (video.width_px, video.height_px)
    brief = await prefetched(world, client, prompt="storm clouds rising", orientation="portrait", per_query=4)
    accepted = await (
        await client.post("/mcp/generate", json={"prompt": "storm clouds rising", "aspect_ratio": "9:16"})
    ).json()
    assert brief.brief == (await world.jobs.get(accepted["job_id"])).brief and brief.per_query == 4


async def test_a_prefetch_takes_the_newest_storyboard_of_a_job(world: World, client: Client) -> None:
    job_id = (await (await client.post("/mcp/generate", json={"prompt": "storm clouds rising"})).json())["job_id"]
    await refused(await client.post("/mcp/prefetch", json={"storyboard": job_id}), 404, "not_found")
    board = Storyboard(
        title="Storm", language="en", planner="builtin", stretch=False, fps="30",
        scenes=(Scene(index=0, narration="Storm.", queries=("storm",)),),
    )  # fmt: skip
    await world.services.storyboards.save(job_id, board)
    brief = await prefetched(world, client, storyboard=job_id)
    assert brief.storyboard == board and brief.brief == (await world.jobs.get(job_id)).brief


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"prompt": "???"}, "prompt_empty", None),
        ({}, "invalid_request", None),
        ({"queries": ["a", ""]}, "invalid_request", "/queries/1"),
        ({"queries": ["a", "\u200b\u2060"]}, "invalid_request", "/queries/1"),
        ({"queries": ["?!"]}, "invalid_request", "/queries/0"),
        (
            {"video": {"scenes": [{"narration": "a", "query": "\u202e"}]}},
            "invalid_request",
            "/video/scenes/0/query",
        ),
        ({"queries": ["a"], "prompt": "a"}, "invalid_request", None),
        ({"video": {"prompt": "sea"}, "orientation": "square"}, "invalid_request", None),
        ({"video": {"prompt": "sea", "style": "nope"}}, "style_unknown", None),
        ({"video": {"prompt": "sea", "speed": 2}}, "invalid_request", "/video/speed"),
    ],
)
async def test_a_prefetch_that_makes_no_sense_is_refused(
    client: Client, body: dict[str, Any], code: str, pointer: str | None
) -> None:
    told = await refused(await client.post("/mcp/prefetch", json=body), 422, code)
    assert pointer is None or told["errors"][0]["pointer"] == pointer


async def test_lists_are_told_in_plain_words(client: Client) -> None:
    told = await refused(await client.post("/mcp/prefetch", json={"queries": ["a"] * 2000}), 422, "invalid_request")
    assert told["errors"] == [{"pointer": "/queries", "detail": "at most 50 items, not 2000"}]
    told = await refused(await client.post("/mcp/prefetch", json={"queries": []}), 422, "invalid_request")
    assert told["errors"] == [{"pointer": "/queries", "detail": "must not be empty"}]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/mcp/generate"), ("POST", "/mcp/prefetch"), ("GET", "/mcp/storyboard/job_1/versions"),
        ("PATCH", "/mcp/storyboard/job_1"), ("POST", "/mcp/render/job_1"), ("GET", "/mcp/status/job_1"),
        ("GET", "/mcp/result/job_1"), ("POST", "/mcp/cancel/job_1"), ("POST", "/mcp/retry/job_1"),
        ("DELETE", "/mcp/jobs/job_1"), ("POST", "/mcp/pause"),
    ],
)  # fmt: skip
async def test_parameters_that_nobody_reads_are_refused(world: World, client: Client, method: str, path: str) -> None:
    body = {"json": {"prompt": "sea"}} if path in ("/mcp/generate", "/mcp/prefetch") else {}
    body = {"json": {"title": "Sea"}} if method == "PATCH" else body
    told = await refused(await client.request(method, f"{path}?foo=1", **body), 422, "invalid_request")
    assert told["errors"] == [{"parameter": "foo", "detail": "no such parameter"}]
    assert not await world.jobs.page(limit=1)


async def test_the_prompt_never_reaches_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="vidgend")
    await client.post("/mcp/generate", json={"prompt": "canary-prompt"}, headers={"Authorization": "Bearer canary-key"})
    await client.get("/mcp/assets/x?sig=canary-sig")
    lines = [record for record in caplog.records if record.getMessage() == "request"]
    assert [(line.route, line.status) for line in lines] == [("/mcp/generate", 202), ("/mcp/assets/{digest}", 404)]  # type: ignore[attr-defined]
    assert "canary" not in repr([record.__dict__ for record in caplog.records])


async def test_a_text_in_other_letters_than_its_language_has_is_refused(client: Client) -> None:
    body = {"script": "Солнце садится над морем.", "language": "en"}
    answer = await client.post("/mcp/generate", json=body)
    told = await answer.json(content_type=None)
    assert (answer.status, told["code"]) == (422, "language_unsupported") and "letters of ru" in told["detail"]


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({"fps": "30000/1001/1"}, "not a frame rate: '30000/1001/1'"),
        ({"fps": "1/0"}, "not a frame rate: '1/0'"),
        ({"fps": "fast"}, "not a frame rate: 'fast'"),
        ({"callback_url": "ftp://example.com/"}, "must be an http or https URL, without a user or password"),
        ({"callback_url": "http://u:p@example.com/"}, "must be an http or https URL, without a user or password"),
        ({"callback_url": "http://example.com:99999/"}, "must have a port from 1 to 65535, or none"),
        ({"callback_url": "http://example.com:0"}, "must have a port from 1 to 65535, or none"),
        ({"callback_url": "http://[::1]:0/"}, "must have a port from 1 to 65535, or none"),
    ],
)
async def test_what_is_said_of_a_field_is_what_is_wrong_with_it(
    client: Client, given: dict[str, Any], detail: str
) -> None:
    body = await refused(await client.post("/mcp/generate", json={"prompt": "p", **given}), 422, "invalid_request")
    assert [error["detail"] for error in body["errors"]] == [detail]


async def test_a_scheme_has_no_case(client: Client) -> None:
    for url, code in (("HTTP://127.0.0.1/", "callback_forbidden"), ("Https://[::1]/", "callback_forbidden")):
        await refused(await client.post("/mcp/generate", json={"prompt": "p", "callback_url": url}), 422, code)
    assert (await client.post("/mcp/generate", json={"prompt": "p", "callback_url": "HTTPS://8.8.8.8/"})).status == 202


@pytest.mark.parametrize(
    ("given", "pointer", "detail"),
    [
        ({"stlye": "noir"}, "/stlye", "no such field; did you mean style?"),
        ({"zzzzzz": 1}, "/zzzzzz", "no such field"),
        ({"scenes": [{"naration": "a"}]}, "/scenes/0/naration", "no such field; did you mean narration?"),
        ({"captions": {"prest": "a"}}, "/captions/prest", "no such field; did you mean preset?"),
    ],
)
async def test_an_unknown_field_is_answered_with_the_nearest(
    client: Client, given: dict[str, Any], pointer: str, detail: str
) -> None:
    body = await refused(await client.post("/mcp/generate", json={"prompt": "p", **given}), 422, "invalid_request")
    assert {"pointer": pointer, "detail": detail} in body["errors"]


async def test_scenes_without_words_are_named(client: Client) -> None:
    answer = await client.post("/mcp/generate", json={"scenes": [{"narration": ""}]})
    assert (await refused(answer, 422, "prompt_empty"))["detail"].startswith("/scenes/0/narration: ")
