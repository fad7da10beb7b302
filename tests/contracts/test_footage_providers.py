"""What every footage provider promises, whatever is behind it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from standins.stock_services import STANDINS, adapter
from standins.stock_standin import StandinClip

from vidgend.errors import ProviderError
from vidgend.models import Candidate, Credit
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.footage.library import LibraryFootage
from vidgend.pipeline.footage.port import FootageProvider, FootageQuery, SearchKind

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"v" * 9000
JPEG = b"\xff\xd8\xff\xe0" + b"j" * 900
PHOTO = b"\xff\xd8\xff\xe0" + b"p" * 9000


def query(text: str = "storm over the sea", limit: int = 15, kind: SearchKind = "any") -> FootageQuery:
    return FootageQuery(text=text, kind=kind, width_px=1280, height_px=720, limit=limit)


def content_of(candidate: Candidate) -> bytes:
    return PHOTO if candidate.kind == "photo" else MP4


@pytest.fixture(params=["pexels", "pixabay", "openverse", "library", "fake", "generated"])
async def provider(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FootageProvider]:
    folder = tmp_path / "clips"
    folder.mkdir()
    names = ("storm-sea", "calm-sea", "storm-clouds")
    for name in names:
        (folder / f"{name}.mp4").write_bytes(MP4)
    if request.param in STANDINS:
        for name in names:
            (folder / f"{name}.jpg").write_bytes(PHOTO)
        clips = [
            StandinClip(path=folder / f"{name}{suffix}", width=1920, height=1080)
            for suffix in (".mp4", ".jpg")
            for name in names
        ]
        stand_in = STANDINS[request.param](clips=clips, strict=True, picture=JPEG)
        async with stand_in, httpx.AsyncClient() as client:
            yield adapter(request.param, stand_in, client)
    elif request.param == "library":
        yield LibraryFootage([folder])
    elif request.param == "fake":
        found = tuple(
            Candidate(provider="fake", id=name, kind="video", description=name, credit=Credit(provider="fake"))
            for name in names
        )
        files = {name: folder / f"{name}.mp4" for name in names}
        yield FakeFootage({query().text: found}, files)
    else:
        generated = pytest.importorskip("vidgend.pipeline.footage.generated")
        yield generated.GeneratedFootage()


async def test_candidates_name_their_provider_and_have_ids_of_their_own(provider: FootageProvider) -> None:
    found = await provider.search(query())
    assert found
    assert len({item.id for item in found}) == len(found)
    assert all(item.provider == item.credit.provider == provider.name for item in found)
    assert all(item.id and item.kind in ("video", "photo", "generated") for item in found)


async def test_a_recipe_is_for_generated_pictures_alone(provider: FootageProvider) -> None:
    for item in await provider.search(query()):
        assert (item.recipe is not None) == (item.kind == "generated")


async def test_each_kind_that_it_has_can_be_asked_for(provider: FootageProvider) -> None:
    assert provider.kinds
    for kind in provider.kinds:
        found = await provider.search(query(kind=kind))
        assert found
        assert kind == "any" or {item.kind for item in found} == {kind}
    assert await provider.search(query()) == await provider.search(query(kind=provider.kinds[0]))


async def test_what_is_known_of_a_candidate_makes_sense(provider: FootageProvider) -> None:
    for kind in provider.kinds:
        for item in await provider.search(query(kind=kind)):
            assert item.average_rgb is None or re.fullmatch(r"#[0-9a-f]{6}", item.average_rgb)
            assert all(tag == tag.strip() != "" for tag in item.tags)
            assert min(item.width_px, item.height_px) >= 0 and len(item.description) <= 300
            assert all(part.size_bytes >= 0 and part.url for part in item.renditions)


async def test_the_limit_is_kept(provider: FootageProvider) -> None:
    assert len(await provider.search(query(limit=1))) == 1


async def test_the_same_search_has_the_same_answer(provider: FootageProvider) -> None:
    assert await provider.search(query()) == await provider.search(query())


async def test_no_match_is_an_empty_answer_except_for_pictures_that_are_made(provider: FootageProvider) -> None:
    found = await provider.search(query("xylophone"))
    assert bool(found) == (provider.name == "generated")


@pytest.mark.parametrize("text", ["", "   ", "\0", "%00&query=a", "../..", "a" * 5000, "\ud800", "🦜"])
async def test_odd_searches_are_answered_not_crashed(provider: FootageProvider, text: str) -> None:
    assert isinstance(await provider.search(query(text)), tuple)


async def test_a_fetched_file_is_whole_and_alone(provider: FootageProvider, tmp_path: Path) -> None:
    first = (await provider.search(query()))[0]
    if first.kind == "generated":
        pytest.skip("generated pictures are painted, not fetched")
    path = tmp_path / "out" / "source.media"
    path.parent.mkdir()
    await provider.fetch(first, width_px=1280, height_px=720, path=path)
    assert path.read_bytes() == content_of(first)
    assert [item.name for item in path.parent.iterdir()] == ["source.media"]


async def test_a_fetch_replaces_what_was_there(provider: FootageProvider, tmp_path: Path) -> None:
    first = (await provider.search(query()))[0]
    if first.kind == "generated":
        pytest.skip("generated pictures are painted, not fetched")
    path = tmp_path / "source.media"
    path.write_bytes(b"old")
    path.with_name("source.media.part").write_bytes(b"half of an older try")
    await provider.fetch(first, width_px=1280, height_px=720, path=path)
    assert path.read_bytes() == content_of(first)
    assert not path.with_name("source.media.part").exists()


async def test_a_candidate_that_is_gone_is_a_provider_error_and_leaves_nothing(
    provider: FootageProvider, tmp_path: Path
) -> None:
    if provider.name == "generated":
        pytest.skip("generated pictures are painted, not fetched")
    gone = Candidate(
        provider=provider.name, id="0/no-such", kind="video", description="", credit=Credit(provider=provider.name)
    )
    with pytest.raises(ProviderError):
        await provider.fetch(gone, width_px=1280, height_px=720, path=tmp_path / "source.media")
    assert not list(tmp_path.glob("source.media*"))


async def test_a_preview_shows_something_and_touches_nothing_that_was_there(
    provider: FootageProvider, tmp_path: Path
) -> None:
    first = (await provider.search(query()))[0]
    if first.kind == "generated":
        pytest.skip("generated pictures are painted, not fetched")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.mp4")}
    folder = tmp_path / "out"
    folder.mkdir()
    path = await provider.preview(first, path=folder / "preview.media")
    assert path.read_bytes() in (JPEG, MP4)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.mp4")} == before
    assert [item for item in folder.iterdir() if item != path] == []


async def test_a_preview_that_is_gone_is_a_provider_error_and_leaves_nothing(
    provider: FootageProvider, tmp_path: Path
) -> None:
    gone = Candidate(
        provider=provider.name, id="0/no-such", kind="video", description="", credit=Credit(provider=provider.name)
    )
    with pytest.raises(ProviderError):
        await provider.preview(gone, path=tmp_path / "preview.media")
    assert not list(tmp_path.glob("preview.media*"))


async def test_closing_twice_is_harmless(provider: FootageProvider) -> None:
    await provider.aclose()
    await provider.aclose()
    assert provider.identity
