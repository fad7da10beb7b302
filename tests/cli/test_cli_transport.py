"""The command line's client over a unix socket and over TLS, against the real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from standins.raw_http import Site, open_site
from standins.services_standin import World, open_world

from vidgend.client.daemon import Daemon, reachable_url
from vidgend.client.transport import pinned
from vidgend.errors import BadInput, DaemonUnreachable, NotFound
from vidgend.http.app import make_app
from vidgend.http.tls import Certificate

in_thread = asyncio.to_thread


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
async def local(world: World, tmp_path: Path) -> AsyncIterator[Daemon]:
    path = tmp_path / "a b.sock"
    async with open_site(make_app(world.services), unix_socket=path):
        yield Daemon(reachable_url("", 0, unix_socket=path))


async def test_a_unix_socket_is_called_like_any_other_daemon(local: Daemon, world: World) -> None:
    assert await in_thread(local.alive)
    made = await in_thread(local.call, "POST", "/mcp/generate", {"prompt": "The sea"})
    assert (await in_thread(local.of_job, "status", made["job_id"]))["status"] == "queued"
    with pytest.raises(NotFound):
        await in_thread(local.of_job, "status", "job_1")


async def test_files_go_both_ways_over_a_unix_socket(local: Daemon, world: World, tmp_path: Path) -> None:
    _, result = await world.completed()
    target = tmp_path / "got.mp4"
    await in_thread(local.download, f"http://elsewhere/mcp/assets/{result.files['video'].digest}", target)
    assert target.stat().st_size == result.files["video"].size_bytes
    source = tmp_path / "nothing.mp4"
    source.write_bytes(b"no video" * 10)
    with pytest.raises(BadInput):
        await in_thread(lambda: local.upload(source, name="nothing.mp4", size_bytes=80))


async def test_a_socket_where_nobody_listens_is_told_by_its_path(tmp_path: Path) -> None:
    daemon = Daemon(f"unix://{tmp_path}/none.sock")
    assert not daemon.alive()
    with pytest.raises(DaemonUnreachable, match=r"unix:///.*none\.sock.*No such file"):
        daemon.get("/mcp/queue")


@pytest.mark.parametrize("key", ["vg_a\nX: y", "vg_é", "vg_\x7f"])
def test_a_key_that_no_header_takes_is_refused(key: str) -> None:
    with pytest.raises(BadInput, match="not a key"):
        Daemon("http://127.0.0.1:8080", api_key=key)


@pytest.mark.parametrize("url", ["unix://", "unix:///", "unix://host/path", "unix:relative"])
def test_what_names_no_socket_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="not an address"):
        Daemon(url)


@pytest.fixture
async def secure(world: World, tmp_path: Path) -> AsyncIterator[tuple[Site, Path, trustme.CA]]:
    authority = trustme.CA()
    issued = authority.issue_cert("videos.example")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.private_key_pem.write_to_path(key)
    issued.cert_chain_pems[0].write_to_path(cert)
    certificate = await in_thread(Certificate, cert, key)
    async with open_site(make_app(world.services), certificate=certificate) as site:
        yield site, cert, authority


async def test_this_machines_daemon_is_known_by_its_certificate(
    secure: tuple[Site, Path, trustme.CA], tmp_path: Path
) -> None:
    site, cert, authority = secure
    url = reachable_url("127.0.0.1", site.port, scheme="https")
    assert await in_thread(Daemon(url, tls=pinned(cert)).alive)
    assert not await in_thread(Daemon(url).alive)
    other = tmp_path / "other.pem"
    authority.issue_cert("videos.example").cert_chain_pems[0].write_to_path(other)
    with pytest.raises(DaemonUnreachable, match="verify failed") as caught:
        await in_thread(Daemon(url, tls=pinned(other)).get, "/livez")
    assert "SSL_CERT_FILE" in caught.value.hint and "vidgend serve" not in caught.value.hint


async def test_the_systems_trust_can_be_told_by_a_variable(
    secure: tuple[Site, Path, trustme.CA], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, _, authority = secure
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    with pytest.raises(DaemonUnreachable, match=r"(?i)mismatch|not valid for"):  # trusted, but for another name
        await in_thread(Daemon(f"https://127.0.0.1:{site.port}").get, "/livez")
