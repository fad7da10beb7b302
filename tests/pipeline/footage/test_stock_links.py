"""Links that stock services give lead to the public internet, or to where the operator has put the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from standins.pexels_standin import PexelsStandin, StandinClip

from vidgend.adapters import build_providers
from vidgend.errors import ProviderError, ProviderGarbage
from vidgend.models import Candidate
from vidgend.pipeline.footage.pexels import PexelsFootage
from vidgend.pipeline.footage.port import FootageQuery
from vidgend.pipeline.footage.stock import StockFootage
from vidgend.settings_sources import load_settings

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"v" * 9000


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[PexelsStandin]:
    path = tmp_path / "sea.mp4"
    path.write_bytes(MP4)
    async with PexelsStandin(clips=[StandinClip(path=path, width=1920, height=1080)]) as pexels:
        yield pexels


@pytest.fixture
async def pexels(standin: PexelsStandin, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PexelsFootage]:
    """As the daemon wires it."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    settings = load_settings(
        environ={"PEXELS_API_KEY": standin.key, "VIDGEND_FOOTAGE__PEXELS__BASE_URL": standin.base_url}
    )
    async with httpx.AsyncClient() as client:
        provider = build_providers(settings, client)[0][0]
        assert isinstance(provider, PexelsFootage)
        yield provider
        await provider.aclose()


async def clip_of(pexels: PexelsFootage) -> Candidate:
    return (await pexels.search(FootageQuery(text="sea", width_px=640, height_px=360)))[0]


async def test_a_redirect_into_a_private_network_is_never_connected_to(
    standin: PexelsStandin, pexels: PexelsFootage, tmp_path: Path
) -> None:
    connections = 0

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    clip = await clip_of(pexels)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        standin.mode, standin.redirect_to = "file_redirect", f"https://127.0.0.1:{port}/private.mp4"
        with pytest.raises(ProviderGarbage, match="network"):
            await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert connections == 0
    assert not list(tmp_path.glob("clip.mp4*"))


async def test_the_place_of_the_base_url_itself_is_allowed(pexels: PexelsFootage, tmp_path: Path) -> None:
    await pexels.fetch(await clip_of(pexels), width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert (tmp_path / "clip.mp4").read_bytes() == MP4


async def test_redirects_are_followed_three_times_and_no_more(
    standin: PexelsStandin, pexels: PexelsFootage, tmp_path: Path
) -> None:
    clip = await clip_of(pexels)
    standin.mode = "file_redirect"
    standin.redirect_to = clip.renditions[0].url
    for redirects, taken in ((3, True), (4, False)):
        standin.times = redirects
        if taken:
            await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
        else:
            with pytest.raises(ProviderError, match="redirects"):
                await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")


async def test_each_service_has_its_own_guarded_client(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    environ = {
        "PEXELS_API_KEY": "k", "PIXABAY_API_KEY": "k",
        "VIDGEND_FOOTAGE__PROVIDERS": "openverse,pixabay,pexels",
    }  # fmt: skip
    async with httpx.AsyncClient() as client:
        providers = build_providers(load_settings(environ=environ), client)[0]
        assert [provider.name for provider in providers] == ["openverse", "pixabay", "pexels"]
        files = [provider._files for provider in providers if isinstance(provider, StockFootage)]
        assert len({id(one) for one in files}) == 3 and None not in files and client not in files
        for provider in providers:
            await provider.aclose()


@pytest.mark.parametrize(
    ("keys", "unused"),
    [
        ({}, {"stock": "neither PEXELS_API_KEY nor PIXABAY_API_KEY is set"}),
        ({"PEXELS_API_KEY": "k"}, {"pixabay": "no PIXABAY_API_KEY is set"}),
        ({"PIXABAY_API_KEY": "k"}, {"pexels": "no PEXELS_API_KEY is set"}),
        ({"PEXELS_API_KEY": "k", "PIXABAY_API_KEY": "k"}, {}),
    ],
)
async def test_what_lacks_its_key_is_told_in_one_sentence(keys: dict[str, str], unused: dict[str, str]) -> None:
    async with httpx.AsyncClient() as client:
        providers, why = build_providers(load_settings(environ=keys), client)
        del why["library"]
        assert why == unused
        assert [provider.name for provider in providers][-1] == "generated"
        assert "openverse" not in [provider.name for provider in providers], "nobody is asked unasked"
        for provider in providers:
            await provider.aclose()


async def test_offline_a_service_without_a_key_is_left_out_and_not_talked_of() -> None:
    environ = {"PEXELS_API_KEY": "k", "VIDGEND_FOOTAGE__OFFLINE": "true"}
    async with httpx.AsyncClient() as client:
        providers, why = build_providers(load_settings(environ=environ), client)
        assert [provider.name for provider in providers] == ["pexels", "generated"]
        assert list(why) == ["library"]
        for provider in providers:
            await provider.aclose()


async def test_behind_a_proxy_the_proxy_makes_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    settings = load_settings(environ={"PEXELS_API_KEY": "k"})
    async with httpx.AsyncClient() as client:
        provider = build_providers(settings, client)[0][0]
        assert isinstance(provider, PexelsFootage)
        assert provider._files is not None
        with pytest.raises(httpx.ConnectError):  # of the proxy, which is not there; it would decide about the address
            await provider._files.get("https://10.0.0.1/")
