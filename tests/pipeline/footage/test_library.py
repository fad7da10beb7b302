"""The user's own files: what is found, what is refused, what is copied."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from vidgend.errors import ProviderError, ProviderGarbage
from vidgend.models import Candidate, Credit
from vidgend.pipeline.footage.library import LibraryFootage
from vidgend.pipeline.footage.library_files import walk
from vidgend.pipeline.footage.port import FootageQuery

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"v" * 5000
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"p" * 100
PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"


def query(text: str, limit: int = 15) -> FootageQuery:
    return FootageQuery(text=text, width_px=1280, height_px=720, limit=limit)


def put(path: Path, data: bytes = MP4) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


async def ids(library: LibraryFootage, text: str, limit: int = 15) -> list[str]:
    return [item.id for item in await library.search(query(text, limit))]


def candidate(name: str) -> Candidate:
    return Candidate(provider="library", id=name, kind="video", description="", credit=Credit(provider="library"))


async def test_files_are_found_by_the_words_of_their_names_most_first(tmp_path: Path) -> None:
    for name in ("red_cars.mp4", "RedCarInParis2024.mov", "boat.mp4"):
        put(tmp_path / name)
    library = LibraryFootage([tmp_path])
    assert await ids(library, "a red car in Paris") == ["0/RedCarInParis2024.mov", "0/red_cars.mp4"]
    assert await ids(library, "xylophone") == []
    assert await ids(library, "the and of") == []


async def test_a_folders_name_counts_less_than_a_files_own(tmp_path: Path) -> None:
    put(tmp_path / "Lisbon trip" / "tram.mp4")
    put(tmp_path / "lisbon.mp4")
    assert await ids(LibraryFootage([tmp_path]), "lisbon") == ["0/lisbon.mp4", "0/Lisbon trip/tram.mp4"]


async def test_the_kind_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    put(tmp_path / "dog.jpg", MP4)
    put(tmp_path / "dog.mp4", JPEG)
    put(tmp_path / "dog.webm", PLAYLIST)
    put(tmp_path / "dog.png", b"")
    found = await LibraryFootage([tmp_path]).search(query("dog"))
    assert {item.id: item.kind for item in found} == {"0/dog.jpg": "video", "0/dog.mp4": "photo"}
    assert found[0].credit == Credit(provider="library")
    assert found[0].description == "dog"


async def test_hidden_files_other_types_and_folders_with_media_names_are_skipped(tmp_path: Path) -> None:
    put(tmp_path / ".dog.mp4")
    put(tmp_path / ".private" / "dog.mp4")
    put(tmp_path / "dog.txt")
    (tmp_path / "dog.mp4").mkdir()
    assert await ids(LibraryFootage([tmp_path]), "dog private") == []


async def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside" / "dog.mp4")
    inside = tmp_path / "inside"
    put(inside / "real-dog.mp4")
    (inside / "out-dog.mp4").symlink_to(outside)
    (inside / "dogs").symlink_to(outside.parent)
    (inside / "own-dog.mp4").symlink_to(inside / "real-dog.mp4")
    (inside / "loop-dog.mp4").symlink_to(inside / "loop-dog.mp4")
    assert await ids(LibraryFootage([inside]), "dog") == ["0/own-dog.mp4", "0/real-dog.mp4"]


@pytest.mark.parametrize(
    "name",
    [
        "0/../secret.mp4",
        "0//etc/passwd",
        "0/link.mp4",
        "0/a\0.mp4",
        "0/gone.mp4",
        "0/notes.txt",
        "0/..",
        "0/.",
        "0/",
        "0",
        "1/dog.mp4",
        "-1/dog.mp4",
        "²/dog.mp4",
        "x/dog.mp4",
        "/dog.mp4",
        "",
    ],
)
async def test_an_id_never_reaches_outside_its_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    put(folder / "dog.mp4")
    put(folder / "notes.txt")
    (folder / "link.mp4").symlink_to(put(tmp_path / "secret.mp4"))
    with pytest.raises(ProviderError):
        await LibraryFootage([folder]).fetch(candidate(name), width_px=1, height_px=1, path=tmp_path / "copy")
    assert not list(tmp_path.glob("copy*"))


async def test_fetch_copies_the_file_and_leaves_it(tmp_path: Path) -> None:
    source = put(tmp_path / "dog.mp4", MP4 * 400)
    path = tmp_path / "out" / "copy"
    path.parent.mkdir()
    await LibraryFootage([tmp_path]).fetch(candidate("0/dog.mp4"), width_px=1, height_px=1, path=path)
    assert path.read_bytes() == MP4 * 400
    assert source.exists()
    assert path.stat().st_ino != source.stat().st_ino
    assert [item.name for item in path.parent.iterdir()] == ["copy"]


@pytest.mark.parametrize("data", [PLAYLIST, b""])
async def test_a_file_that_turned_into_something_else_is_not_copied(tmp_path: Path, data: bytes) -> None:
    put(tmp_path / "dog.mp4", data)
    with pytest.raises(ProviderGarbage):
        await LibraryFootage([tmp_path]).fetch(candidate("0/dog.mp4"), width_px=1, height_px=1, path=tmp_path / "copy")
    assert not list(tmp_path.glob("copy*"))


async def test_a_cancelled_copy_leaves_nothing(tmp_path: Path) -> None:
    put(tmp_path / "dog.mp4", MP4 * 8_000)
    library = LibraryFootage([tmp_path])
    task = asyncio.create_task(library.fetch(candidate("0/dog.mp4"), width_px=1, height_px=1, path=tmp_path / "copy"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not list(tmp_path.glob("copy*"))


async def test_the_index_is_kept_for_a_minute_and_then_read_again(tmp_path: Path) -> None:
    now_s = 0.0
    library = LibraryFootage([tmp_path], clock=lambda: now_s)
    put(tmp_path / "dog.mp4")
    assert await ids(library, "dog") == ["0/dog.mp4"]
    put(tmp_path / "old dog.mp4")
    assert await ids(library, "dog") == ["0/dog.mp4"]
    now_s = 61.0
    assert await ids(library, "dog") == ["0/dog.mp4", "0/old dog.mp4"]


async def test_a_file_that_is_gone_is_left_out(tmp_path: Path) -> None:
    library = LibraryFootage([tmp_path], clock=lambda: 0.0)
    path = put(tmp_path / "dog.mp4")
    assert await ids(library, "dog")
    path.unlink()
    assert await ids(library, "dog") == []


async def test_no_more_files_are_looked_at_than_allowed(tmp_path: Path) -> None:
    for number in range(9):
        put(tmp_path / f"dog{number}.mp4")
    assert len(await ids(LibraryFootage([tmp_path], max_files=4), "dog")) == 4
    assert len(await ids(LibraryFootage([tmp_path]), "dog", limit=2)) == 2


async def test_several_folders_have_ids_of_their_own(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        put(tmp_path / folder / "dog.mp4")
    library = LibraryFootage([tmp_path / "a", tmp_path / "b"])
    assert await ids(library, "dog") == ["0/dog.mp4", "1/dog.mp4"]


async def test_a_missing_folder_is_reported_and_holds_nothing(tmp_path: Path) -> None:
    put(tmp_path / "dog.mp4")
    library = LibraryFootage([tmp_path / "gone", tmp_path])
    assert await ids(library, "dog") == ["1/dog.mp4"]
    assert walk(library.folders).missing == {str(tmp_path / "gone"): "No such file or directory"}
    assert walk([tmp_path]).missing == {}


async def test_names_that_are_no_text_are_skipped(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/dog\xff.mp4"
    try:
        Path(os.fsdecode(raw)).write_bytes(MP4)
    except OSError:
        pytest.skip("this file system takes text names only")
    put(tmp_path / "dog\nname.mp4")
    assert await ids(LibraryFootage([tmp_path]), "dog") == []


def test_the_identity_depends_on_the_folders() -> None:
    assert LibraryFootage([Path("/a")]).identity != LibraryFootage([Path("/b")]).identity
