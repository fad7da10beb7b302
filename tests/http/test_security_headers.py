"""What every answer tells browsers, whatever it is and however it went."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World

from vidgend.http.security_headers import complete

Client = TestClient[Any, Any]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/livez", {}, 200),
        ("GET", "/mcp/jobs", {}, 200),
        ("GET", "/mcp/nothing", {}, 404),
        ("DELETE", "/mcp/jobs", {}, 405),
        ("GET", "/livez", {"Host": "evil.example"}, 421),
        ("GET", "/livez", {"Origin": "http://evil.example"}, 403),
        ("GET", "/mcp/jobs?x=1", {}, 422),
        ("GET", "/mcp/jobs", {"Expect": "a miracle"}, 417),
        ("GET", "/docs/errors.md", {}, 200),
    ],
)
async def test_every_answer_has_them(
    client: Client, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await client.request(method, path, headers=headers)
    assert answer.status == status
    got = answer.headers
    assert got["X-Content-Type-Options"] == "nosniff"
    assert got["Referrer-Policy"] == "no-referrer"
    assert got["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in got["Content-Security-Policy"] or got["Content-Type"].startswith("text/html")
    assert "frame-ancestors 'none'" in got["Content-Security-Policy"]
    assert got["Cross-Origin-Resource-Policy"] == "same-origin"
    assert got["Cache-Control"] == "no-store"
    assert got["Server"] == "vidgend"
    assert "Strict-Transport-Security" not in got
    assert "Set-Cookie" not in got


async def test_files_have_them_too_and_may_be_kept(client: Client, world: World) -> None:
    _, result = await world.completed()
    answer = await client.get(f"/mcp/assets/{result.files['video'].digest}")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "immutable" in answer.headers["Cache-Control"]


def test_pages_have_more_and_keep_what_they_set() -> None:
    page = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "default-src 'self'"}
    complete(page)
    assert page["Cross-Origin-Opener-Policy"] == "same-origin" and "camera=()" in page["Permissions-Policy"]
    assert page["Content-Security-Policy"] == "default-src 'self'"
    data = {"Content-Type": "application/json"}
    complete(data)
    assert "Permissions-Policy" not in data


async def test_a_browser_is_held_to_tls_only_where_the_whole_name_is_the_servers(world: World, connect: Any) -> None:
    """It would never again come by plain HTTP to any port of that name."""
    from ipaddress import ip_network

    proxied = {"X-Forwarded-Proto": "https"}
    for public_url, headers, held in (
        ("https://videos.example", proxied, True),
        ("https://videos.example", {}, False),
        ("https://nas.lan:8443", proxied, False),
        ("http://videos.example", proxied, False),
        ("", proxied, False),
    ):
        services = world.with_services(public_url=public_url, trusted_proxies=(ip_network("127.0.0.0/8"),))
        answer = await (await connect(services)).get("/livez", headers=headers)
        assert ("Strict-Transport-Security" in answer.headers) is held, (public_url, headers)
