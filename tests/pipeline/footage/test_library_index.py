"""The library's index: what is looked at once, what is kept when files move or go away, and what nobody can make it do."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import media
import pytest
from library_home import FREE, Home, put

from vidgend.errors import ProviderError
from vidgend.pipeline.executor.port import Label, Load
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.footage import library_watch
from vidgend.pipeline.footage.library import LibraryFootage
from vidgend.pipeline.footage.library_index import AWAY_KEPT_S, RETRY_S, LibraryIndex, problems, reading
from vidgend.pipeline.footage.library_watch import LAST, LibraryWatch


async def test_a_file_is_found_by_its_name_at_once_and_with_its_facts_after_a_look(home: Home, clip: Path) -> None:
    put(clip, home.clips / "Portugal" / "old_boat.mp4")
    (before,) = await home.find("boat")
    assert (before.description, before.tags, before.duration_s, before.width_px) == ("old boat", ("Portugal",), None, 0)
    assert await home.index() == ["old_boat.mp4"]
    (after,) = await home.find("boat")
    assert (after.width_px, after.height_px, after.kind) == (320, 180, "video")
    assert after.duration_s == pytest.approx(2.0, abs=0.1)
    assert after.average_rgb is not None and len(after.average_rgb) == 7
    assert after.id == before.id and after.version == before.version


async def test_what_is_written_in_the_file_is_found(home: Home, clip: Path) -> None:
    put(clip, home.clips / "DSC0001.mp4")
    assert await home.find("lighthouse harbour") == ()
    await home.index()
    (found,) = await home.find("lighthouse harbour")
    assert found.description == "DSC0001. Harbour at noon. first line lighthouse and gulls"


async def test_only_what_changed_is_looked_at_again(home: Home, clip: Path, ffmpeg: Ffmpeg) -> None:
    put(clip, home.clips / "boat.mp4")
    put(media.clip(ffmpeg.path, home.clips / "train.mp4", seconds=1, size="160x90"), home.clips / "train2.mp4")
    assert await home.index() == ["boat.mp4", "train.mp4"]  # the copy of the train was known
    assert await home.index() == []
    media.clip(ffmpeg.path, home.clips / "train.mp4", seconds=1, size="180x320")
    assert await home.index() == ["train.mp4"]
    assert {one.id: one.height_px for one in await home.find("train")} == {"0/train.mp4": 320, "0/train2.mp4": 90}


async def test_a_renamed_moved_or_copied_file_keeps_its_facts(home: Home, clip: Path) -> None:
    path = put(clip, home.clips / "boat.mp4")
    await home.index()
    path = path.rename(home.clips / "ship.mp4")
    assert await home.find("boat") == ()
    assert [one.duration_s is not None for one in await home.find("ship")] == [True]  # before any look
    shutil.copy(path, home.clips / "ferry.mp4")  # another inode, another time
    os.utime(home.clips / "ferry.mp4", (1, 1))
    assert await home.index() == []
    assert [one.duration_s is not None for one in await home.find("ferry")] == [True]


async def test_deleted_files_leave_and_are_forgotten_after_a_month(home: Home, clip: Path) -> None:
    path = put(clip, home.clips / "boat.mp4")
    await home.index()
    path.unlink()
    assert await home.find("boat") == ()
    assert home.counts.away == 1
    later = LibraryIndex(home.path, clock=lambda: 9e9 + AWAY_KEPT_S)
    later.lose([])
    later.close()
    assert home.counts.away == 0
    put(clip, path)
    assert await home.index() == ["boat.mp4"]


async def test_a_folder_that_is_not_mounted_loses_nothing(home: Home, clip: Path, tmp_path: Path) -> None:
    put(clip, home.clips / "boat.mp4")
    other = tmp_path / "other"
    put(clip, other / "train.mp4")
    await home.index(home.clips, other)
    away = home.clips.rename(tmp_path / "away")
    assert await home.find("boat", home.clips, other) == ()
    home.clips.mkdir()  # an empty mount point
    assert await home.find("boat", home.clips, other) == ()
    assert [one.id for one in await home.find("train", home.clips, other)] == ["1/train.mp4"]
    home.clips.rmdir()
    away.rename(home.clips)
    (found,) = await home.find("boat", home.clips, other)
    assert found.duration_s is not None
    assert await home.index(home.clips, other) == []


async def test_a_library_of_which_nothing_is_there_says_so(home: Home, clip: Path) -> None:
    put(clip, home.clips / "boat.mp4")
    await home.index()
    shutil.rmtree(home.clips)
    with pytest.raises(ProviderError, match="No such file"):
        await home.find("boat")


async def test_damaged_files_are_left_out_with_the_reason_until_they_change(home: Home, clip: Path) -> None:
    path = home.clips / "boat.mp4"
    path.write_bytes(clip.read_bytes()[:900])
    (home.clips / "boat.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"p" * 100)
    assert await home.index() == ["boat.jpg", "boat.mp4"]
    assert await home.index() == []
    assert await home.find("boat") == ()
    with reading(home.path) as index:
        assert index is not None
        told = [(Path(name).name, reason) for name, reason in problems(index, 9)]
    assert [name for name, reason in told if reason] == ["boat.jpg", "boat.mp4"]
    assert home.counts.unusable == 2
    put(clip, path)
    assert await home.index() == ["boat.mp4"]
    assert [one.id for one in await home.find("boat")] == ["0/boat.mp4"]


async def test_hostile_names_links_and_pipes_neither_hang_nor_lead_out(home: Home, clip: Path, tmp_path: Path) -> None:
    secret = put(clip, tmp_path / "secret" / "boat.mp4")
    (home.clips / "boat1.mp4").symlink_to(secret)
    (home.clips / "boats").symlink_to(secret.parent)
    (home.clips / "boat2.mp4").symlink_to(home.clips / "boat2.mp4")
    os.mkfifo(home.clips / "boat3.mp4")
    os.mkfifo(home.clips / "boat4.txt")
    (home.clips / "boat4.json").symlink_to("/etc/passwd")
    put(clip, home.clips / "boat4.mp4")
    put(clip, home.clips / """boat5 "OR" name: ' ; DROP TABLE files; -- NEAR(a b) *.mp4""")
    put(clip, home.clips / ("boat6 " + "x" * 200 + ".mp4"))
    async with asyncio.timeout(60):
        assert len(await home.index()) == 1  # they are all the same file
        found = await home.find("boat")
        assert sorted(one.id[2:7] for one in found) == ["boat4", "boat5", "boat6"]
        for text in ('"', "boat OR", 'boat" NEAR(', "name:boat", "*", "boat*", "-boat", "a'b", "NOT boat", "{boat}"):
            await home.find(text)


async def test_a_kill_in_the_middle_loses_one_look_at_most(home: Home, clip: Path, ffmpeg: Ffmpeg) -> None:
    for number in range(4):
        media.clip(ffmpeg.path, home.clips / f"boat{number}.mp4", seconds=0.5 + number / 10, size="160x90")
    async with home.open() as (library, watch):
        await library.refresh()
        second = asyncio.Event()
        task = asyncio.create_task(watch.look(told=lambda looked: looked == 2 and second.set()))
        await second.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # What a process that is killed now leaves behind: the files as they are, nobody closes them.
        killed = home.path.parent / "killed"
        killed.mkdir()
        for ending in ("", "-wal"):
            shutil.copy(f"{home.path}{ending}", killed / f"library.sqlite{ending}")
    home.path = killed / "library.sqlite"
    again = await home.index()
    assert again == ["boat2.mp4", "boat3.mp4"]
    assert all(one.duration_s for one in await home.find("boat"))


@pytest.mark.parametrize(
    "damage", [b"no database at all, but long enough to be one" * 99, b"SQLite format 3\0" + b"\xff" * 9000]
)
async def test_a_damaged_index_is_made_anew(home: Home, clip: Path, damage: bytes) -> None:
    put(clip, home.clips / "boat.mp4")
    home.path.write_bytes(damage)
    assert await home.index() == ["boat.mp4"]
    assert len(await home.find("boat")) == 1
    assert home.path.stat().st_mode & 0o777 == 0o600


async def test_an_index_of_another_version_is_made_anew(home: Home, clip: Path) -> None:
    put(clip, home.clips / "boat.mp4")
    await home.index()
    with sqlite3.connect(home.path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    assert await home.index() == ["boat.mp4"]


async def test_sidecars_are_read_again_when_they_change_and_the_clip_is_not(home: Home, clip: Path) -> None:
    put(clip, home.clips / "DSC1.mp4")
    (home.clips / "DSC1.json").write_text(
        json.dumps(
            {"title": "Grandma bakes", "keywords": ["kitchen", "bread"], "people": [{"name": "Ada"}], "x": [[1]]}
        )
    )
    await home.index()
    (found,) = await home.find("bread")
    assert found.tags == ("kitchen", "bread", "Ada") and found.description.startswith("DSC1. Grandma bakes. Harbour")
    (home.clips / "DSC1.json").unlink()
    (home.clips / "DSC1.mp4.txt").write_text("\ufeffA tractor\non the\x1b[31m field" + " x" * 9000)
    assert await home.index() == []
    assert await home.find("bread") == ()
    (found,) = await home.find("tractor")
    assert found.description.startswith("DSC1. A tractor on the [31m field x x") and len(found.description) <= 400


async def test_a_look_that_ran_out_of_time_is_tried_another_day(
    home: Home, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(clip, home.clips / "boat.mp4")
    monkeypatch.setattr("vidgend.pipeline.probe.PROBE_TIMEOUT_S", 0.0)
    assert await home.index() == ["boat.mp4"]
    assert await home.index() == []
    assert home.counts.unusable == 1
    later = LibraryIndex(home.path, clock=lambda: 9e9 + RETRY_S)
    assert later.pending() is not None
    later.close()
    assert len(await home.find("boat")) == 1  # nothing is known to be wrong with it


async def test_the_watch_sees_changes_and_a_look_is_in_nobodys_way(
    home: Home, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(clip, home.clips / "boat.mp4")
    asked: list[int] = []
    loads = [{**FREE, "ffmpeg": Load(0, 1, 1)}, {**FREE, "ffmpeg": Load(0, 0, 0)}, FREE]
    looked, turns = asyncio.Event(), 0

    async def load() -> Mapping[Label, Load]:
        return loads.pop(0)

    def slot(priority: int) -> Any:
        asked.append(priority)
        return nullcontext()

    async def nap(seconds: float) -> None:
        nonlocal turns
        turns += 1
        if seconds > 1:  # the watch itself: everything is done, and a minute passes
            if len(asked) == 1:
                loads.append(FREE)
                media.clip(FfmpegTool_path, home.clips / "train.mp4", seconds=1, size="160x90")
            else:
                looked.set()
                await asyncio.Event().wait()

    FfmpegTool_path = (await FfmpegTool().get()).path
    library = LibraryFootage([home.clips], index_path=home.path)
    monkeypatch.setattr(library_watch.asyncio, "sleep", nap)
    task = asyncio.create_task(LibraryWatch(library, FfmpegTool(), slot, load).run())
    await looked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await library.aclose()
    assert asked == [LAST, LAST] and home.looks == ["boat.mp4", "train.mp4"]
