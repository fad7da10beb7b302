"""Pages of other origins: refused, unless the settings name them."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pydantic import TypeAdapter, ValidationError
from standins.services_standin import KEY, World

from vidgend.setting_types import Origin
from vidgend.settings.server import Http

Client = TestClient[Any, Any]
PAGE = "https://n8n.lan"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
PATHS = ("/mcp/generate", "/mcp/jobs", "/mcp/assets", "/mcp/status/job_1", "/livez", "/no/such/path")


@pytest.fixture
async def opened(world: World, connect: Any) -> Client:
    client: Client = await connect(world.with_api_key().with_services(cors_origins=(PAGE,)))
    return client


def allowed(answer: Any) -> str | None:
    return answer.headers.get("Access-Control-Allow-Origin")


async def test_an_allowed_page_may_read_every_answer(opened: Client) -> None:
    for path, status in (("/livez", 200), ("/mcp/jobs", 401), ("/no/such/path", 401)):
        answer = await opened.get(path, headers={"Origin": PAGE})
        assert (answer.status, allowed(answer)) == (status, PAGE)
        assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_caches_are_told_that_answers_differ_by_origin(opened: Client) -> None:
    answer = await opened.get("/livez")
    assert answer.headers["Vary"] == "Origin" and allowed(answer) is None
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_caches_are_still_told_what_else_an_answer_differs_by(opened: Client) -> None:
    """Or one that lies between gives a packed script to a client that cannot unpack it."""
    for path, by in (("/docs/scalar.js", "Accept-Encoding"), ("/docs/errors.md", "Accept")):
        assert (await opened.get(path)).headers.getall("Vary") == [f"{by}, Origin"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/mcp/generate", {"POST"}), ("/mcp/assets", {"GET", "HEAD", "POST"}), ("/mcp/jobs/job_1", {"DELETE"}),
     ("/mcp/storyboard/job_1", {"GET", "HEAD", "PATCH"})],
)  # fmt: skip
async def test_a_preflight_needs_no_key_and_tells_what_the_path_has(
    opened: Client, path: str, methods: set[str]
) -> None:
    answer = await opened.options(path, headers=PREFLIGHT)
    assert (answer.status, allowed(answer)) == (204, PAGE)
    assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) == methods
    for name in ("Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Last-Event-ID", "Mcp-Session-Id"):
        assert name in answer.headers["Access-Control-Allow-Headers"]
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert "Access-Control-Allow-Private-Network" not in answer.headers


async def test_a_preflight_into_a_private_network_is_answered(opened: Client) -> None:
    answer = await opened.options("/livez", headers={**PREFLIGHT, "Access-Control-Request-Private-Network": "true"})
    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"


async def test_a_preflight_to_nothing_finds_nothing(opened: Client) -> None:
    assert (await opened.options("/no/such/path", headers=PREFLIGHT)).status == 404


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://n8n.lan", "https://n8n.lan:8443", "https://n8n.lan.evil.example", "null",
     "https://N8N.lan.", "file://", "https://n8n.lan, https://n8n.lan", "*", "", "localhost"],
)  # fmt: skip
async def test_any_other_page_is_refused_on_every_path(opened: Client, origin: str) -> None:
    for path, (method, more) in product(PATHS, (("GET", {}), ("POST", {}), ("OPTIONS", PREFLIGHT))):
        answer = await opened.request(method, path, headers={**more, "Origin": origin})
        assert (answer.status, allowed(answer)) == (403, None), (method, path)
        assert (await answer.json(content_type=None))["code"] == "origin_not_allowed"


async def test_without_the_setting_there_is_no_cors(client: Client) -> None:
    answer = await client.get("/livez")
    assert "Vary" not in answer.headers and allowed(answer) is None
    assert (await client.options("/livez", headers=PREFLIGHT)).status == 403


async def test_every_page_may_if_the_settings_say_so(world: World, connect: Any) -> None:
    client = await connect(world.with_api_key().with_services(cors_origins=("*",)))
    for origin in (PAGE, "http://anything:1", "null"):
        answer = await client.get("/livez", headers={"Origin": origin})
        assert (answer.status, allowed(answer)) == (200, "*")
        assert (await client.options("/mcp/jobs", headers={**PREFLIGHT, "Origin": origin})).status == 204


async def test_the_servers_own_pages_may_call_it(client: Client) -> None:
    for origin in (f"http://{client.host}:{client.port}", "http://videos.example:8080"):
        assert (await client.get("/livez", headers={"Origin": origin})).status == 200


async def test_another_program_of_this_machine_is_another_origin(client: Client) -> None:
    for origin in ("http://localhost:3000", f"http://{client.host}", f"http://{client.host}:{client.port + 1}"):
        assert (await client.get("/livez", headers={"Origin": origin})).status == 403, origin


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_change_that_comes_from_another_site_needs_an_origin(opened: Client, site: str) -> None:
    key = {"Authorization": f"Bearer {KEY}", "Sec-Fetch-Site": site}
    answer = await opened.post("/mcp/cancel/job_1", headers=key)
    assert (answer.status, (await answer.json())["code"]) == (403, "origin_not_allowed")
    assert (await opened.post("/mcp/cancel/job_1", headers={**key, "Origin": PAGE})).status == 404
    assert (await opened.get("/mcp/jobs", headers=key)).status == 200  # a link that was followed
    for own in ("same-origin", "none"):
        assert (await opened.post("/mcp/cancel/job_1", headers={**key, "Sec-Fetch-Site": own})).status == 404


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://N8N.lan", "https://n8n.lan"),
        ("https://n8n.lan:443/", "https://n8n.lan"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://192.168.1.5:80", "http://192.168.1.5"),
        ("*", "*"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(text: str, origin: str) -> None:
    assert TypeAdapter(Origin).validate_python(text) == origin


@pytest.mark.parametrize(
    "text", ["n8n.lan", "null", "https://n8n.lan/path", "https://user@n8n.lan", "ftp://n8n.lan", "https://*.lan", ""]
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="give an origin"):
        TypeAdapter(Origin).validate_python(text)


def test_a_star_stands_alone() -> None:
    with pytest.raises(ValidationError, match="stands alone"):
        Http(cors_origins=("*", PAGE))
