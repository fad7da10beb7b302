from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network
from typing import Any

import httpx
import pytest

from vidgend.egress import check_address
from vidgend.errors import TargetForbidden
from vidgend.guarded_client import guarded_client, redirected
from vidgend.http.callback_url import check_callback_url
from vidgend.http.problems import InvalidFields

PRIVATE = (
    "127.0.0.1", "127.255.255.254", "10.1.1.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "100.100.100.200",
    "::1", "::", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "5f00::1", "3fff::1", "100::1", "100:0:0:1::1", "::ffff:0:7f00:1", "::ffff:0:a9fe:a9fe", "::1:0:0:0:1",
    "4000::1", "8000::1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8")
NEVER = (
    "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "::ffff:0:a9fe:a9fe", "2002:a9fe:a9fe::", "fe80::1", "fd00:ec2::254",
    "100.100.100.200", "0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1",
)  # fmt: skip
ALL = (ip_network("0.0.0.0/0"), ip_network("::/0"))
LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_and_special_addresses_are_closed(address: str) -> None:
    with pytest.raises(TargetForbidden):
        check_address(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open(address: str) -> None:
    assert ip_address(check_address(address)).is_global


@pytest.mark.parametrize("address", NEVER)
def test_metadata_and_link_local_stay_closed_whatever_is_allowed(address: str) -> None:
    with pytest.raises(TargetForbidden):
        check_address(address, ALL)


def test_an_allowed_network_opens_itself_and_nothing_beside_it() -> None:
    lan = (ip_network("192.168.1.0/24"), ip_network("fd12::/16"))
    assert check_address("192.168.1.5", lan) == "192.168.1.5"
    assert check_address("::ffff:192.168.1.5", lan) == "192.168.1.5"
    assert check_address("fd12::9", lan) == "fd12::9"
    for address in ("192.168.2.5", "127.0.0.1", "fd13::9"):
        with pytest.raises(TargetForbidden):
            check_address(address, lan)
    assert check_address("::1", (ip_network("::1/128"),)) == "::1"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1", "http://127.1/", "http://0x7f.1/", "http://2130706433/", "http://017700000001/", "http://0/",
        "http://[::1]:80/", "http://[::ffff:127.0.0.1]/", "https://localhost/", "https://LOCALHOST./", "http://a.localhost/",
        "http://127。0。0。1/", "http://169.254.169.254/latest/meta-data/",
    ],
)  # fmt: skip
def test_a_callback_that_spells_a_private_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(TargetForbidden):
        check_callback_url(url)


@pytest.mark.parametrize(
    "url",
    ["", "https://", "https:///x", "//example.com", "ftp://example.com", "http://u@example.com", "http://a:0/", "http://a:b/",
     "http://a:70000/", "http://[::1/", "http://１２７.0.0.1/", "http://exa\nmple.com/", "http://" + "a" * 70_000],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidFields) as refusal:
        check_callback_url(url)
    assert refusal.value.errors[0]["pointer"] == "/callback_url"


@pytest.mark.parametrize(
    "url", ["https://example.com", "http://example.com:8080/x?y=1#z", "https://bücher.example/é", "http://8.8.8.8/"]
)
def test_a_public_callback_is_taken(url: str) -> None:
    check_callback_url(url)


@pytest.mark.parametrize("location", ["http:////]", "http:////[--]", "//://::1[]", "http://[::1/", "a" * 70_000])
def test_a_redirect_to_what_is_no_address_has_one_error(location: str) -> None:
    """httpx lets some through on which `urljoin` raises ValueError, which nobody expects of it."""
    with pytest.raises(httpx.InvalidURL):
        redirected(httpx.URL("https://example.com/a"), location)
    assert redirected(httpx.URL("https://example.com/a"), "b?c") == "https://example.com/b?c"


class Listener:
    """Counts the connections that reach it."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    async with server:
        yield listener


def answers(*lists: list[str]) -> Any:
    """A name server that gives one list after the other."""
    left = list(lists)

    async def resolve(host: str, port: int) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"]
)
async def test_no_spelling_of_a_private_address_is_ever_connected_to(listener: Listener, host: str) -> None:
    async with guarded_client(()) as client:
        with pytest.raises((TargetForbidden, httpx.ConnectError, httpx.InvalidURL)):
            await client.get(f"http://{host}:{listener.port}/")
    assert listener.connections == 0


async def test_a_name_that_answers_publicly_once_and_privately_later_is_refused(listener: Listener) -> None:
    rebinding = answers(["127.0.0.1"], ["10.0.0.1"])
    async with guarded_client(LOOPBACK, resolve=rebinding) as client:
        assert (await client.get(f"http://changing.example:{listener.port}/")).status_code == 200
        with pytest.raises(TargetForbidden):
            await client.get(f"http://changing.example:{listener.port}/")
    assert listener.connections == 1


async def test_of_several_addresses_only_allowed_ones_are_tried(listener: Listener) -> None:
    async with guarded_client(LOOPBACK, resolve=answers(["10.0.0.1", "169.254.169.254", "127.0.0.1"])) as client:
        assert (await client.get(f"http://mixed.example:{listener.port}/")).status_code == 200
    async with guarded_client((), resolve=answers(["10.0.0.1", "127.0.0.1"])) as client:
        with pytest.raises(TargetForbidden):
            await client.get(f"http://mixed.example:{listener.port}/")


async def test_a_proxy_from_the_environment_is_not_used(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")
    async with guarded_client((), resolve=answers(["127.0.0.1"])) as client:
        with pytest.raises(TargetForbidden):
            await client.get("http://inside.example/")
    assert listener.connections == 0


async def test_a_proxy_that_is_heeded_gets_the_requests_and_what_goes_past_it_is_guarded(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "http_proxy", "no_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{listener.port}")
    monkeypatch.setenv("NO_PROXY", "past.example")
    async with guarded_client((), resolve=answers(["127.0.0.1"]), proxies=True) as client:
        assert (await client.get("http://inside.example/")).status_code == 200
        assert listener.connections == 1
        for url in ("http://past.example/", f"http://past.example:{listener.port}/", "https://inside.example/"):
            with pytest.raises(TargetForbidden):
                await client.get(url)
    assert listener.connections == 1


async def test_receivers_cannot_set_cookies(listener: Listener) -> None:
    async with guarded_client(LOOPBACK) as client:
        answer = await client.get(f"http://127.0.0.1:{listener.port}/")
        assert answer.headers["Set-Cookie"] == "a=b"
        assert len(client.cookies) == 0


@pytest.mark.parametrize("failure", [socket.gaierror("no such name"), UnicodeError("label too long"), []])
async def test_a_name_that_leads_nowhere_is_a_connect_error(failure: Any) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        if isinstance(failure, Exception):
            raise failure
        return []

    async with guarded_client((), resolve=resolve) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("http://nowhere.example/")


async def test_a_name_server_that_hangs_runs_into_the_timeout() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    async with guarded_client((), timeout_s=0.05, resolve=resolve) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.get("http://slow.example/")


async def test_names_whose_servers_hang_keep_no_other_from_being_looked_up(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = threading.Semaphore(0), threading.Event()

    def ask(host: str, port: int, **_: Any) -> list[Any]:
        if host == "fine.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        asked.release()
        answered.wait()
        raise socket.gaierror("no such name")

    monkeypatch.setattr("vidgend.guarded_client.socket.getaddrinfo", ask)
    async with guarded_client(LOOPBACK, timeout_s=5, max_connections=8) as client, asyncio.TaskGroup() as group:
        try:
            for number in range(7):
                group.create_task(_fails(client, f"http://slow{number}.example/"))
            for _ in range(4):
                await asyncio.to_thread(asked.acquire)
            answer = await client.get(f"http://fine.example:{listener.port}/")
        finally:
            answered.set()
    assert answer.status_code == 200


async def _fails(client: httpx.AsyncClient, url: str) -> None:
    with pytest.raises(httpx.ConnectError):
        await client.get(url)
