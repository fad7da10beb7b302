"""TLS: old versions refused, renewed certificates taken, handshakes that never end cut off."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from standins.raw_http import GET, QUICK, Site, open_site
from standins.services_standin import World

from vidgend.errors import SettingsInvalid
from vidgend.http.app import make_app
from vidgend.http.connections import Limits
from vidgend.http.server import Deadlines
from vidgend.http.tls import Certificate

SLACK_S = 0.4


@dataclass
class Files:
    cert: Path
    key: Path
    authority: trustme.CA

    def renew(self) -> None:
        issued = self.authority.issue_cert("localhost", "127.0.0.1")
        issued.private_key_pem.write_to_path(self.key)
        for number, pem in enumerate(issued.cert_chain_pems):
            pem.write_to_path(self.cert, append=number > 0)

    def client(self, **bounds: ssl.TLSVersion) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        for name, version in bounds.items():
            setattr(context, name, version)
        return context


@pytest.fixture
def files(tmp_path: Path) -> Files:
    files = Files(tmp_path / "cert.pem", tmp_path / "key.pem", trustme.CA())
    files.renew()
    return files


@pytest.fixture
def certificate(files: Files) -> Certificate:
    return Certificate(files.cert, files.key)


@pytest.fixture
async def site(world: World, certificate: Certificate) -> AsyncIterator[Site]:
    async with open_site(make_app(world.services), certificate=certificate) as site:
        yield site


async def serial(site: Site, files: Files) -> str:
    wire = await site.open(tls=files.client(), name="localhost")
    assert (await wire.ask(GET)).status == 200
    return str(wire.writer.get_extra_info("peercert")["serialNumber"])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_present_versions_are_spoken(site: Site, files: Files, version: ssl.TLSVersion) -> None:
    client = files.client(minimum_version=version, maximum_version=version)
    assert (await (await site.open(tls=client, name="localhost")).ask(GET)).status == 200


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_old_versions_are_refused(site: Site, files: Files) -> None:
    client = files.client(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await site.open(tls=client, name="localhost")


@pytest.mark.parametrize("first", [b"", b"\x16\x03\x01", GET], ids=["nothing", "half a hello", "no TLS"])
async def test_a_handshake_that_does_not_end_is_cut_off(site: Site, files: Files, first: bytes) -> None:
    wire = await site.open()
    await wire.send(first)
    assert await wire.closed_after() < QUICK.handshake_s + SLACK_S
    assert len(site.server.connections) == 0
    assert await serial(site, files)


async def test_half_a_head_over_tls_has_its_deadline(site: Site, files: Files) -> None:
    wire = await site.open(tls=files.client(), name="localhost")
    await wire.send(GET[:20])
    assert await wire.closed_after() < QUICK.head_s + SLACK_S


async def test_handshakes_count_as_connections_and_are_the_first_to_go(
    world: World, files: Files, certificate: Certificate
) -> None:
    limits = Limits(total=50, per_address=10)
    async with open_site(make_app(world.services), certificate=certificate, limits=limits) as site:
        silent = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(60)]
        assert await serial(site, files)
        assert len(site.server.connections) <= 10
        for sock in silent:
            sock.close()


@pytest.mark.parametrize("asked", [True, False], ids=["asked for", "noticed"])
async def test_a_renewed_certificate_is_shown_to_the_next_client(
    world: World, files: Files, certificate: Certificate, asked: bool
) -> None:
    patient = Deadlines(stop_s=0.2)
    async with open_site(make_app(world.services), certificate=certificate, deadlines=patient) as site:
        before = await site.open(tls=files.client(), name="localhost")
        first = await serial(site, files)
        watching = asyncio.create_task(certificate.watch(60 if asked else 0.02))
        await asyncio.to_thread(files.renew)
        if asked:
            certificate.renew()
        async with asyncio.timeout(5):
            while await serial(site, files) == first:
                await asyncio.sleep(0.02)
        assert (await before.ask(GET)).status == 200
        watching.cancel()


async def test_a_certificate_that_cannot_be_used_changes_nothing(
    site: Site, files: Files, certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    first = await serial(site, files)
    watching = asyncio.create_task(certificate.watch(0.02))
    files.key.write_text("not a key")
    async with asyncio.timeout(5):
        while "tls_not_renewed" not in caplog.text:
            await asyncio.sleep(0.02)
    assert await serial(site, files) == first
    watching.cancel()


@pytest.mark.parametrize("broken", ["no file", "no PEM", "another key", "a locked key"])
def test_what_cannot_be_used_is_a_setting_that_is_wrong(files: Files, broken: str) -> None:
    if broken == "no file":
        files.key.unlink()
    elif broken == "no PEM":
        files.cert.write_text("nonsense")
    elif broken == "another key":
        trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(files.key)
    else:
        from cryptography.hazmat.primitives import serialization as form

        key = form.load_pem_private_key(files.key.read_bytes(), None)
        locked = form.BestAvailableEncryption(b"secret")
        files.key.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked))
    with pytest.raises(SettingsInvalid, match=r"http\.tls_"):
        Certificate(files.cert, files.key)
