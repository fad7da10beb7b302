from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from multidict import CIMultiDict
from standins.services_standin import KEY, VIDEO, World
from yarl import URL

from vidgend.http import auth
from vidgend.http.app import OPERATIONS, make_app
from vidgend.http.auth import LINK_LIFE_S
from vidgend.http.services import SERVICES

Client = TestClient[Any, Any]
NAMES = {"job_id": "job_1", "digest": "0" * 64, "name": "af_heart"}
"""What stands for the parts of a path that name a thing."""
ROUTES = (
    *((operation.method, operation.path.format_map(NAMES)) for operation in OPERATIONS),
    ("GET", "/no/such/path"),
    ("DELETE", "/mcp/jobs"),
)
OPEN = {operation.path for operation in OPERATIONS if operation.scope is None}


@pytest.fixture
async def closed(world: World, connect: Any) -> Client:
    """A server that wants a key."""
    client: Client = await connect(world.with_api_key())
    return client


TWICE = {
    "Authorization": (f"Bearer {KEY}", "Bearer vg_another"),
    "Content-Type": ("application/json", "text/plain"),
    "If-Match": ('"1"', '"2"'),
    "Idempotency-Key": ("order-1", "order-2"),
}


async def code_of(answer: Any) -> tuple[int, str | None]:
    body = await answer.json(content_type=None)
    return answer.status, body.get("code")


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_foreign_host_name_is_refused_on_every_route(client: Client, method: str, path: str) -> None:
    for host in (
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "10.9.8.7",
        "",
        "a b",
        "[::2]",
        "localhost@evil",
    ):
        answer = await client.request(method, path, headers={"Host": host})
        assert await code_of(answer) == (421, "host_not_allowed"), host
        assert "http.allowed_hosts" in (await answer.json(content_type=None))["hint"]


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:1", "127.0.0.1:99", "[::1]:8080", "vidgend.lan", "vidgend.lan.", "videos.example:8080"],
)
async def test_its_own_names_are_let_in(client: Client, host: str) -> None:
    assert (await client.get("/livez", headers={"Host": host})).status == 200


async def test_the_address_that_a_connection_came_in_on_is_its_own_name(world: World, aiohttp_server: Any) -> None:
    server = await aiohttp_server(make_app(world.services), host="127.0.0.9")
    async with TestClient(server) as client:
        assert (await client.get("/livez", headers={"Host": "127.0.0.9:80"})).status == 200
        assert (await client.get("/livez", headers={"Host": "127.0.0.8:80"})).status == 421


@pytest.mark.parametrize("name", TWICE)
async def test_which_of_two_headers_is_meant_is_not_guessed(closed: Client, name: str) -> None:
    usual = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    headers = CIMultiDict((key, value) for key, value in usual.items() if key != name)
    headers.extend((name, value) for value in TWICE[name])
    route = ("PATCH", "/mcp/storyboard/job_1") if name == "If-Match" else ("POST", "/mcp/generate")
    answer = await closed.request(*route, data=b'{"prompt": "p"}', headers=headers)
    assert answer.status == 400 and name in await answer.text()


async def test_a_request_without_or_with_two_hosts_is_refused(client: Client) -> None:
    for hosts in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(b"GET /livez HTTP/1.1\r\n" + hosts + b"\r\n")
        line = await asyncio.wait_for(reader.readline(), 5)
        assert b" 421 " in line or b" 400 " in line
        writer.close()


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_page_of_another_site_is_refused_on_every_route(client: Client, method: str, path: str) -> None:
    for origin in (
        "https://evil.example",
        "null",
        "file://",
        "http://localhost.evil.example",
        "chrome-extension://x",
        "",
    ):
        answer = await client.request(method, path, headers={"Origin": origin})
        assert await code_of(answer) == (403, "origin_not_allowed"), origin
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_page_of_its_own_is_let_in(client: Client) -> None:
    for origin in (f"http://{client.host}:{client.port}", "http://videos.example:8080"):
        assert (await client.get("/mcp/styles", headers={"Origin": origin})).status == 200


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_the_key_nothing_but_the_probes_and_the_docs_answers(
    closed: Client, method: str, path: str
) -> None:
    wrong = ("", KEY, "Bearer", "Bearer ", f"Bearer {KEY[:-1]}", f"Bearer {KEY}x", f"Basic {KEY}", "Bearer clé")
    for header in (None, *wrong):
        answer = await closed.request(method, path, headers={"Authorization": header} if header is not None else {})
        if path in OPEN:
            assert answer.status == 200
            continue
        assert await code_of(answer) == (401, "unauthorized"), header
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_with_the_key_everything_works(closed: Client) -> None:
    for scheme in ("Bearer", "bearer"):
        answer = await closed.post("/mcp/generate", json={"prompt": "p"}, headers={"Authorization": f"{scheme} {KEY}"})
        assert answer.status == 202


async def test_the_links_of_a_result_open_without_the_key(world: World, closed: Client) -> None:
    job, _ = await world.completed()
    head = {"Authorization": f"Bearer {KEY}"}
    result = await (await closed.get(f"/mcp/result/{job.id}", headers=head)).json()
    links = [result["video_url"], result["thumbnail_url"], *result["subtitles"].values()]
    for link in links:
        answer = await closed.get(URL(link).relative())
        assert answer.status == 200, link
        assert answer.headers["Cache-Control"].startswith("private,")
    assert await (await closed.get(URL(links[0]).relative())).read() == VIDEO
    expires = int(URL(links[0]).query["exp"])
    assert expires == pytest.approx(time.time() + LINK_LIFE_S, abs=60)
    assert (await closed.head(URL(links[0]).relative())).status == 200


async def test_a_link_that_was_changed_in_any_place_is_refused(world: World, closed: Client) -> None:
    _, result = await world.completed()
    key = closed.app[SERVICES].url_key if closed.app else b""
    digest, other = result.files["video"].digest, result.files["thumbnail"].digest
    path, now = f"/mcp/assets/{digest}", int(time.time())

    def sign(key: bytes, path: str, expires: int, owner: str = "") -> str:
        return auth.sign(key, path, owner=owner, expires=expires)

    good = sign(key, path, now + 60)
    assert (await closed.get(f"{path}?exp={now + 60}&sig={good}")).status == 200
    for link in (
        f"{path}?exp={now + 61}&sig={good}",
        f"/mcp/assets/{other}?exp={now + 60}&sig={good}",
        f"{path}?exp={now + 60}&sig={good[:-1]}{'0' if good[-1] != '0' else '1'}",
        f"{path}?exp={now + 60}&sig=",
        f"{path}?exp={now + 60}&sig=é",
        f"{path}?sig={good}",
        f"{path}?exp=-1&sig={sign(key, path, -1)}",
        f"{path}?exp={'9' * 40}&sig={good}",
        f"{path}?exp={now - 1}&sig={sign(key, path, now - 1)}",
        f"{path}?exp={now + 60}&sig={sign(b'another key', path, now + 60)}",
        f"{path}?exp={now + 60}&for=ann&sig={good}",
        f"{path}?exp={now + 60}&sig={sign(key, path, now + 60, 'ann')}",
        f"{path}?exp={now + 25 * 3600}&sig={sign(key, path, now + 25 * 3600)}",
    ):
        assert await code_of(await closed.get(link)) == (403, "signature_invalid"), link


async def test_a_link_is_for_reading_one_asset_and_nothing_else(closed: Client) -> None:
    now = int(time.time()) + 60
    key = closed.app[SERVICES].url_key if closed.app else b""
    for path in ("/mcp/jobs", "/mcp/voices"):
        assert (await closed.get(f"{path}?exp={now}&sig={auth.sign(key, path, owner='', expires=now)}")).status == 401
    path = f"/mcp/assets/{'0' * 64}"
    assert (await closed.delete(f"{path}?exp={now}&sig={auth.sign(key, path, owner='', expires=now)}")).status == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_answer_carries_the_guarding_headers(client: Client, method: str, path: str) -> None:
    answer = await client.request(method, path)
    head = answer.headers
    assert head["X-Content-Type-Options"] == "nosniff"
    assert head["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in head["Content-Security-Policy"]
    assert head["Cache-Control"] == "no-store"
    assert len(head["X-Request-Id"]) == 16
    assert head["Server"] == "vidgend"


async def test_a_request_keeps_the_id_that_its_sender_gave_it(client: Client) -> None:
    answer = await client.get("/livez", headers={"X-Request-Id": "mine-1.2_3"})
    assert answer.headers["X-Request-Id"] == "mine-1.2_3"


@pytest.mark.parametrize("told", ["a b", "x" * 65, 'a"b', "<script>", "a;b"])
async def test_one_that_is_not_fit_for_a_log_is_replaced(client: Client, told: str) -> None:
    answer = await client.get("/livez", headers={"X-Request-Id": told})
    assert len(answer.headers["X-Request-Id"]) == 16


async def test_a_wrong_method_of_an_open_path_is_told_without_a_key(closed: Client) -> None:
    for path in sorted(OPEN):
        answer = await closed.put(path)
        assert await code_of(answer) == (405, "method_not_allowed"), path
        assert answer.headers["Allow"] == "GET,HEAD"
