"""A request that a proxy passes on: what it says is believed from those of the settings and from nobody else."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.raw_http import open_site
from standins.services_standin import KEY, World

from vidgend.http.app import make_app

Client = TestClient[Any, Any]
HERE = (ip_network("127.0.0.0/8"),)
NAME = "videos.example"
PROXIED = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": NAME}


@pytest.fixture
async def behind(world: World, connect: Any) -> Client:
    """A server behind a proxy on this machine, without a public_url."""
    client: Client = await connect(world.with_services(public_url="", allowed_hosts=(NAME,), trusted_proxies=HERE))
    return client


async def link(client: Client, world: World, **headers: str) -> str:
    job, _ = await world.completed()
    answer = await client.get(f"/mcp/result/{job.id}", headers=headers)
    return str((await answer.json())["video_url"]).partition("/mcp/")[0]


async def test_links_are_made_of_what_the_proxy_says(behind: Client, world: World) -> None:
    own = f"http://{behind.host}:{behind.port}"
    assert await link(behind, world) == own
    assert await link(behind, world, **PROXIED) == f"https://{NAME}"
    assert await link(behind, world, **{**PROXIED, "X-Forwarded-Host": f"{NAME}:8443"}) == f"https://{NAME}:8443"


@pytest.mark.parametrize(
    "host", ["evil.example", "a b", f"{NAME}@evil.example", f"{NAME}/x", "", f"{NAME}, evil.example"]
)
async def test_a_name_that_is_none_of_ours_makes_no_links(behind: Client, world: World, host: str) -> None:
    found = await link(behind, world, **{**PROXIED, "X-Forwarded-Host": host})
    assert found == f"https://{behind.host}:{behind.port}"


async def test_the_last_entry_counts(behind: Client, world: World) -> None:
    claimed = {"X-Forwarded-Proto": "http, https", "X-Forwarded-Host": f"evil.example, {NAME}"}
    assert await link(behind, world, **claimed) == f"https://{NAME}"


async def test_what_strangers_say_counts_for_nothing(
    world: World, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="vidgend")
    client = await connect(world.with_services(public_url="", allowed_hosts=(NAME,)))
    assert await link(client, world, **PROXIED) == f"http://{client.host}:{client.port}"
    assert {getattr(record, "client", "127.0.0.1") for record in caplog.records} == {"127.0.0.1"}


@pytest.mark.parametrize("trusted", [HERE, ()])
async def test_a_forwarded_host_does_not_stand_in_for_the_host(world: World, connect: Any, trusted: Any) -> None:
    """Or a page whose name was pointed at the proxy could choose."""
    client = await connect(world.with_services(allowed_hosts=(NAME,), trusted_proxies=trusted))
    answer = await client.get("/livez", headers={**PROXIED, "Host": "evil.example"})
    assert answer.status == 421


async def test_a_public_url_with_a_path_is_in_every_link_and_location(world: World, connect: Any) -> None:
    base = "https://example.com/video"
    client = await connect(world.with_services(public_url=f"{base}/", trusted_proxies=HERE))
    answer = await client.post("/mcp/generate", json={"prompt": "The sea"})
    assert answer.headers["Location"].startswith("/video/mcp/status/")
    assert await link(client, world) == base


async def test_without_a_public_url_locations_are_paths(client: Client, world: World, connect: Any) -> None:
    client = await connect(world.with_services(public_url=""))
    answer = await client.post("/mcp/generate", json={"prompt": "The sea"})
    assert answer.headers["Location"].startswith("/mcp/status/")


async def test_who_may_open_the_unix_socket_is_believed(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="vidgend")
    services = world.with_services(public_url="").services
    async with open_site(make_app(services), unix_socket=tmp_path / "v.sock") as site:
        head = b"GET /mcp/styles HTTP/1.1\r\nHost: localhost\r\n"
        assert (await site.ask(head + b"X-Forwarded-For: 198.51.100.7\r\n\r\n")).status == 200
        assert (await site.ask(head + b"\r\n")).status == 200
    assert [getattr(record, "client", None) for record in caplog.records] == ["198.51.100.7", "unix"]


async def test_a_key_is_asked_for_on_a_unix_socket_too(world: World, tmp_path: Path) -> None:
    services = world.with_api_key().services
    async with open_site(make_app(services), unix_socket=tmp_path / "v.sock") as site:
        head = b"GET /mcp/styles HTTP/1.1\r\nHost: localhost\r\n"
        assert (await site.ask(head + b"\r\n")).status == 401
        assert (await site.ask(head + b"Authorization: Bearer " + KEY.encode() + b"\r\n\r\n")).status == 200
