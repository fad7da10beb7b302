"""Links in answers: from http.public_url, else the way that the request came."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import ValidationError
from standins.services_standin import World

from vidgend.settings.server import Http

LOOPBACK = (ip_network("127.0.0.0/8"),)


async def links(world: World, client: Any, headers: dict[str, str]) -> list[str]:
    job, _ = await world.completed()
    body = await (await client.get(f"/mcp/result/{job.id}", headers=headers)).json()
    entries = [file["url"] for file in body["files"].values()]
    return [body["video_url"], body["thumbnail_url"], body["credits_url"], *body["subtitles"].values(), *entries]


@pytest.mark.parametrize("host", ["localhost:8080", "vidgend.lan", "127.0.0.1:99", "[::1]:8080"])
async def test_without_a_public_url_links_go_where_the_request_went(world: World, connect: Any, host: str) -> None:
    client = await connect(world.with_services(public_url=""))
    for link in await links(world, client, {"Host": host}):
        assert link.startswith(f"http://{host}/mcp/assets/")


async def test_a_trusted_proxy_says_whether_the_client_uses_https(world: World, connect: Any) -> None:
    said = {"Host": "vidgend.lan", "X-Forwarded-Proto": "https"}
    trusting = await connect(world.with_services(public_url="", trusted_proxies=LOOPBACK))
    assert {link.partition(":")[0] for link in await links(world, trusting, said)} == {"https"}
    odd = {**said, "X-Forwarded-Proto": "javascript"}
    assert {link.partition(":")[0] for link in await links(world, trusting, odd)} == {"http"}
    wary = await connect(world.with_services(public_url=""))
    assert {link.partition(":")[0] for link in await links(world, wary, said)} == {"http"}


async def test_a_public_url_wins_over_the_host_of_the_request(world: World, connect: Any) -> None:
    client = await connect(world.with_services(public_url="https://v.example/base/"))
    for link in await links(world, client, {"Host": "localhost"}):
        assert link.startswith("https://v.example/base/mcp/assets/")


@pytest.mark.parametrize("text", ["", "https://v.example", "http://[::1]:8080/", "https://v.example/video/"])
def test_a_public_url_is_an_address_with_an_optional_path(text: str) -> None:
    assert Http(public_url=text).public_url == text


@pytest.mark.parametrize(
    "text",
    ["foo", "v.example:8080", "ftp://v.example", "https://", "https://u:p@v.example", "https://v.example/?a=1",
     "https://v.example/?", "https://v.example/#top", "https://v.example/a b", "https://v.example:99999", "https://:80"],
)  # fmt: skip
def test_a_public_url_that_no_link_can_begin_with_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="give the address that clients use"):
        Http(public_url=text)
