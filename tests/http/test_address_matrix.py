"""Every way to spell an address that is closed, by every way in which an address from outside gets called: nobody is
connected to. The witness is the interpreter's own event for each connect, and listeners at the loopback addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp.test_utils import TestClient
from standins.outbox_standin import SECRET, Post, open_post
from standins.outside import PUBLIC, PUBLIC_NAME, PUBLIC_NETWORK, Outside, open_outside, taken, watch_connects
from standins.services_standin import World

from vidgend.errors import ProviderError
from vidgend.guarded_client import guarded_client
from vidgend.http.fetch_media import MediaFetcher
from vidgend.http.webhook_signing import Signer
from vidgend.http.webhook_tester import WebhookTester
from vidgend.pipeline.footage.download import download
from vidgend.settings.server import Egress
from vidgend.store.outbox import events_of, redeliver


@dataclass(frozen=True, kw_only=True)
class Form:
    """A host as it stands in an address. `answers` are those of a name server; `leads_to` is what it comes down to."""

    host: str
    leads_to: str = "127.0.0.1"
    answers: tuple[tuple[str, ...], ...] = ()


LITERALS = (
    # loopback and "this host", in all the spellings that a resolver understands
    Form(host="127.0.0.1"), Form(host="127.1"), Form(host="127.0.1"), Form(host="2130706433"), Form(host="0x7f000001"),
    Form(host="0x7F.0.0.1"), Form(host="0177.0.0.1"), Form(host="017700000001"), Form(host="127.0.0.1."),
    Form(host="127.255.255.254", leads_to="127.255.255.254"), Form(host="0.0.0.0", leads_to="0.0.0.0"),
    Form(host="0", leads_to="0.0.0.0"),
    Form(host="localhost"), Form(host="LocalHost"), Form(host="localhost."), Form(host="a.localhost"),
    # digits and dots that IDNA turns into plain ones
    Form(host="127。0。0。1"), Form(host="127．0．0．1"), Form(host="１２７.０.０.１"), Form(host="①②⑦.⓪.⓪.①"),
    # IPv6, and IPv4 inside of it
    Form(host="[::1]", leads_to="::1"), Form(host="[0:0:0:0:0:0:0:1]", leads_to="::1"), Form(host="[::]", leads_to="::"),
    Form(host="[::ffff:127.0.0.1]", leads_to="::ffff:127.0.0.1"), Form(host="[::ffff:7f00:1]", leads_to="::ffff:7f00:1"),
    Form(host="[::127.0.0.1]", leads_to="::7f00:1"), Form(host="[64:ff9b::7f00:1]", leads_to="64:ff9b::7f00:1"),
    Form(host="[64:ff9b:1::7f00:1]", leads_to="64:ff9b:1::7f00:1"),
    Form(host="[::ffff:0:127.0.0.1]", leads_to="::ffff:0:7f00:1"), Form(host="[2002:7f00:1::]", leads_to="2002:7f00:1::"),
    Form(host="[2001:0:7f00:1::]", leads_to="2001:0:7f00:1::"), Form(host="[fe80::1]", leads_to="fe80::1"),
    Form(host="[fe80::1%25lo]", leads_to="fe80::1%lo"), Form(host="[fe80::1%lo]", leads_to="fe80::1%lo"),
    Form(host="[fc00::1]", leads_to="fc00::1"), Form(host="[fec0::1]", leads_to="fec0::1"),
    Form(host="[ff02::1]", leads_to="ff02::1"),
    # private and shared networks
    Form(host="10.0.0.1", leads_to="10.0.0.1"), Form(host="172.16.0.1", leads_to="172.16.0.1"),
    Form(host="192.168.1.1", leads_to="192.168.1.1"), Form(host="100.64.0.1", leads_to="100.64.0.1"),
    Form(host="198.18.0.1", leads_to="198.18.0.1"), Form(host="224.0.0.1", leads_to="224.0.0.1"),
    Form(host="255.255.255.255", leads_to="255.255.255.255"),
    # another host in sight, but not in its place
    Form(host="example.com@127.0.0.1"), Form(host="example.com:80@127.0.0.1"), Form(host="example.com\\@127.0.0.1"),
    Form(host="example.com%00@127.0.0.1"), Form(host="@127.0.0.1"),
)  # fmt: skip
METADATA = (
    Form(host="169.254.169.254", leads_to="169.254.169.254"), Form(host="169.254.169.254.", leads_to="169.254.169.254"),
    Form(host="2852039166", leads_to="169.254.169.254"), Form(host="0xa9fea9fe", leads_to="169.254.169.254"),
    Form(host="[::ffff:a9fe:a9fe]", leads_to="::ffff:a9fe:a9fe"),
    Form(host="[64:ff9b::a9fe:a9fe]", leads_to="64:ff9b::a9fe:a9fe"),
    Form(host="[2002:a9fe:a9fe::]", leads_to="2002:a9fe:a9fe::"),
    Form(host="[2001:0:a9fe:a9fe::]", leads_to="2001:0:a9fe:a9fe::"), Form(host="[::a9fe:a9fe]", leads_to="::a9fe:a9fe"),
    Form(host="169.254.170.2", leads_to="169.254.170.2"), Form(host="100.100.100.200", leads_to="100.100.100.200"),
    Form(host="168.63.129.16", leads_to="168.63.129.16"), Form(host="[fd00:ec2::254]", leads_to="fd00:ec2::254"),
    Form(host="[fd20:ce::254]", leads_to="fd20:ce::254"),
    Form(host="metadata.example", leads_to="169.254.169.254", answers=(("169.254.169.254",),)),
)  # fmt: skip
NAMES = (
    Form(host="inside.example", answers=(("127.0.0.1",),)),
    Form(host="INSIDE6.example.", leads_to="::1", answers=(("::1",),)),
    Form(host="mapped.example", leads_to="::ffff:127.0.0.1", answers=(("::ffff:127.0.0.1",),)),
    Form(host="zone.example", leads_to="fe80::1%lo", answers=(("fe80::1%lo",),)),
    Form(host="several.example", leads_to="10.0.0.1", answers=(("10.0.0.1", "127.0.0.1", "::1"),)),
    Form(host="bücher.example", answers=(("127.0.0.1",),)),
    Form(host="rebinding.example", answers=((PUBLIC,), ("127.0.0.1",))),
)
CLOSED = LITERALS + METADATA + NAMES


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with open_outside() as outside:
        for form in CLOSED:
            if form.answers:
                outside.names[httpx.URL(f"http://{form.host}").raw_host.decode().rstrip(".").lower()] = [
                    list(each) for each in form.answers
                ]
        yield outside


Route = Callable[[str], Awaitable[str]]
"""Has an address called; answers the code or the words of the refusal, "" if there was none."""


@dataclass
class Ways:
    """The routes by which an address from outside gets called."""

    outside: Outside
    client: TestClient[Any, Any]
    post: Post
    folder: Path
    provider: httpx.AsyncClient
    """What providers are called with."""

    async def submit(self, url: str) -> str:
        answer = await self.client.post("/mcp/generate", json={"prompt": "The sea", "callback_url": url})
        return "" if answer.status == 202 else str((await answer.json())["code"])

    async def delivery(self, url: str) -> str:
        """Of a job that was accepted before the rules were these."""
        job_id = await self.post.event(url)
        return await self._last_error(job_id)

    async def redelivery(self, url: str) -> str:
        """The name led elsewhere when the event was delivered first."""
        self.outside.names["moved.example"], self.outside.serve = [[PUBLIC]], taken
        job_id = await self.post.event(self.outside.url(host="moved.example"))
        assert await self._last_error(job_id) == ""
        leads_to = next(form.leads_to for form in CLOSED if url == _url(self.outside, form))
        self.outside.names["moved.example"] = [[leads_to]]
        await redeliver(self.post.database, job_id)
        self.post.wake.set()
        return await self._last_error(job_id)

    async def _last_error(self, job_id: str) -> str:
        while True:
            (event,) = await events_of(self.post.database, job_id)
            if event.attempts:
                await self.post.put_off(7 * 86_400)
                return event.last_error or ""
            await self.post.tick()

    async def test_event(self, url: str) -> str:
        return await self._asked("/mcp/webhooks/test", url)

    async def upload(self, url: str) -> str:
        return await self._asked("/mcp/assets", url)

    async def upload_by_redirect(self, url: str) -> str:
        self.outside.serve = _redirect_to(url)
        return await self._asked("/mcp/assets", self.outside.url("/clip.mp4"))

    async def _asked(self, path: str, url: str) -> str:
        answer = await self.client.post(path, json={"url": url})
        told = await answer.json(content_type=None)
        return str(told.get("code") or told.get("error") or "")

    async def provider_link(self, url: str) -> str:
        return await self._download(url.replace("http:", "https:", 1))

    async def provider_redirect(self, url: str) -> str:
        self.outside.serve = _redirect_to(url.replace("http:", "https:", 1))
        return await self._download(self.outside.url("/clip.mp4"))

    async def _download(self, url: str) -> str:
        own = httpx.URL(self.outside.url("/"))
        try:
            await download(
                self.provider, url, self.folder / "clip", name="Stock", trusted=own, timeout_s=5, retry_wait_s=0
            )
        except ProviderError as error:
            return error.code
        return ""


def _redirect_to(url: str) -> Any:
    async def serve(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        location = url.encode("utf-8")
        writer.write(
            b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: " + location + b"\r\n\r\n"
        )
        await writer.drain()

    return serve


def _url(outside: Outside, form: Form) -> str:
    return f"http://{form.host}:{outside.port}/clip.mp4"


@pytest.fixture
def open_ways(world: World, connect: Any, outside: Outside, tmp_path: Path) -> Any:
    """The ways over a world where the given networks are open, besides the one that stands for the internet."""

    @asynccontextmanager
    async def ways(*networks: str, media: tuple[str, ...] | None = None) -> AsyncIterator[Ways]:
        allow = (*PUBLIC_NETWORK, *map(ip_network, networks))
        for_media = allow if media is None else (*PUBLIC_NETWORK, *map(ip_network, media))
        fetcher = MediaFetcher(
            intake=world.services.intake, allow_networks=for_media, timeout_s=5, resolve=outside.resolve
        )
        (tmp_path / "post").mkdir()
        async with open_post(tmp_path / "post") as post:
            tester = WebhookTester(signer=Signer(post.database, SECRET), allow_networks=allow, resolve=outside.resolve)
            client = await connect(world.with_services(allow_networks=allow, fetcher=fetcher, webhook_tester=tester))
            sending = post.sending(allow_networks=allow, resolve=outside.resolve)
            provider = guarded_client(for_media, own=(PUBLIC_NAME, outside.port), resolve=outside.resolve)
            async with sending, provider:
                yield Ways(outside=outside, client=client, post=post, folder=tmp_path, provider=provider)

    return ways


ROUTES = (
    Ways.submit, Ways.delivery, Ways.redelivery, Ways.test_event, Ways.upload, Ways.upload_by_redirect,
    Ways.provider_link, Ways.provider_redirect,
)  # fmt: skip
AT_ONCE = {
    "submit": "callback_forbidden", "test_event": "callback_forbidden", "upload": "target_forbidden",
}  # fmt: skip
"""What a literal address is answered with; one that is none is `invalid_request`."""


def _elsewhere(seen: list[Any], ways: Ways) -> list[Any]:
    """Connects to anything but what stands for the internet, and the server under test."""
    known = {(PUBLIC, ways.outside.port), (ways.client.host, ways.client.port)}
    return [address for address in seen if not isinstance(address, str) and tuple(address[:2]) not in known]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.__name__)
async def test_no_form_of_a_closed_address_is_connected_to(open_ways: Any, route: Any) -> None:
    through, connected, told = [], [], []
    async with open_ways() as ways:
        for form in CLOSED:
            with watch_connects() as seen:
                if len(form.answers) > 1:  # it leads to a good place at first
                    await route(ways, _url(ways.outside, form))
                refusal = await route(ways, _url(ways.outside, form))
            if _elsewhere(seen, ways) or ways.outside.reached:
                connected.append((form.host, list(seen)))
                ways.outside.reached = 0
            later = form in NAMES or form.host == "metadata.example"  # known only when they are called
            if not refusal and not (route is Ways.submit and later):
                through.append(form.host)
            wanted = AT_ONCE.get(route.__name__)
            if wanted and not later and refusal not in (wanted, "invalid_request"):
                told.append((form.host, refusal))
    assert (connected, told, through) == ([], [], [])
    assert len(CLOSED) >= 28


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.__name__)
async def test_metadata_addresses_are_closed_whatever_is_allowed(open_ways: Any, route: Any) -> None:
    async with open_ways("0.0.0.0/0", "::/0") as ways:
        for form in METADATA:
            with watch_connects() as seen:
                refusal = await route(ways, _url(ways.outside, form))
            assert refusal or (route is Ways.submit and form.answers), form.host
            assert _elsewhere(seen, ways) == [], form.host


async def test_the_witness_sees_what_is_connected_to(open_ways: Any) -> None:
    """The same ways, open: what finds nothing above finds something here."""
    async with open_ways("127.0.0.0/8", "::1/128") as ways:
        for route in (Ways.delivery, Ways.redelivery, Ways.test_event, Ways.upload, Ways.upload_by_redirect):
            for form in (LITERALS[0], Form(host="[::1]", leads_to="::1"), NAMES[0]):
                before = ways.outside.reached
                with watch_connects() as seen:
                    await route(ways, _url(ways.outside, form))
                assert ways.outside.reached == before + 1, (route.__name__, form.host)
                assert [address[1] for address in _elsewhere(seen, ways)] == [ways.outside.port]


async def test_a_network_that_is_open_for_one_purpose_is_open_for_no_other(open_ways: Any) -> None:
    webhooks = Egress(webhook_networks=(ip_network("127.0.0.0/8"),))
    media = Egress(media_networks=(ip_network("127.0.0.0/8"),))
    assert (webhooks.for_media, webhooks.for_providers, media.for_webhooks) == ((), (), ())
    everything = Egress(allow_networks=(ip_network("10.0.0.0/8"),))
    assert everything.for_webhooks == everything.for_media == everything.for_providers == everything.allow_networks

    async def reached(ways: Ways, route: Any) -> int:
        before = ways.outside.reached
        await route(ways, _url(ways.outside, NAMES[0]))
        return ways.outside.reached - before

    def texts(networks: Any) -> tuple[str, ...]:
        return tuple(map(str, networks))

    async with open_ways(*texts(webhooks.for_webhooks), media=texts(webhooks.for_media)) as ways:
        assert [await reached(ways, route) for route in (Ways.delivery, Ways.redelivery, Ways.test_event)] == [1, 1, 1]
        assert [await reached(ways, route) for route in (Ways.upload, Ways.upload_by_redirect)] == [0, 0]


async def test_a_network_that_is_open_for_media_is_not_open_for_webhooks(open_ways: Any) -> None:
    async with open_ways(media=("127.0.0.0/8",)) as ways:
        inside = _url(ways.outside, NAMES[0])
        assert [await route(ways, inside) for route in (Ways.upload, Ways.upload_by_redirect)] == ["fetch_failed"] * 2
        assert ways.outside.reached == 2
        for route in (Ways.delivery, Ways.redelivery, Ways.test_event):
            assert await route(ways, inside)
        assert ways.outside.reached == 2
