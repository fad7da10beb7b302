"""The library on drives that are slow, hang or answer oddly: nobody else is held up, and nothing ends."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import media
import pytest
from library_home import Home, put

from vidgend.errors import ProviderError
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage import library as module
from vidgend.pipeline.footage import library_files, library_watch
from vidgend.pipeline.footage.library import LibraryFootage
from vidgend.pipeline.footage.library_index import problems, reading
from vidgend.pipeline.footage.port import FootageQuery


def threads(name: str) -> set[threading.Thread]:
    """Those that run now; libraries of other tests may have left some."""
    return {one for one in threading.enumerate() if one.name.startswith(name)}


async def test_a_search_does_not_wait_for_a_slow_drive_once_something_is_known(
    home: Home, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(clip, home.clips / "boat.mp4")
    await home.index()
    let_go = threading.Event()
    real = module.walk

    def slow(*args: Any) -> Any:
        let_go.wait(30)
        return real(*args)

    monkeypatch.setattr(module, "walk", slow)
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    library = LibraryFootage([home.clips], index_path=home.path, refresh_s=0.0)
    query = FootageQuery(text="boat", width_px=640, height_px=360)
    try:
        assert len(await library.search(query)) == 1
        monkeypatch.setattr(module, "PATIENCE_S", 60.0)  # it is not waited for again
        assert len(await library.search(query)) == 1
        put(clip, home.clips / "boat2.mp4")
        let_go.set()
        await library.refresh()
        monkeypatch.setattr(module, "walk", real)
        assert len(await library.search(query)) == 2
    finally:
        let_go.set()
        await library.aclose()


async def test_a_drive_that_hangs_costs_a_search_its_answer_and_nothing_else(
    home: Home, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(clip, home.clips / "boat.mp4")
    let_go, before = threading.Event(), threads("library-offers")
    monkeypatch.setattr(module, "ANSWER_S", 0.01)
    monkeypatch.setattr(LibraryFootage, "_offered", lambda *args: let_go.wait(30))
    async with home.open() as (library, _):
        query = FootageQuery(text="boat", width_px=640, height_px=360)
        for _ in range(3):
            with pytest.raises(ProviderError, match="do not answer"):
                await library.search(query)
        assert len(threads("library-offers") - before) == 1
        let_go.set()


async def test_a_copy_from_a_drive_that_hangs_can_be_given_up(
    home: Home, clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(clip, home.clips / "boat.mp4")
    begun, let_go, before = threading.Event(), threading.Event(), threads("library-drive")

    def hang(*_: object) -> Any:
        begun.set()
        let_go.wait(30)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(module, "STOP_S", 0.01)
    async with home.open() as (library, _):
        (boat,) = await library.search(FootageQuery(text="boat", width_px=640, height_px=360))
        monkeypatch.setattr(module, "open_regular", hang)
        copies = [
            asyncio.create_task(library.fetch(boat, width_px=640, height_px=360, path=tmp_path / f"{number}.media"))
            for number in range(9)
        ]
        assert await asyncio.to_thread(begun.wait, 10)
        for copy in copies:
            copy.cancel()
        ended = await asyncio.wait_for(asyncio.gather(*copies, return_exceptions=True), 10)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended)
        assert len(threads("library-drive") - before) == 4
        let_go.set()
    assert list(tmp_path.glob("*.media*")) == []


async def test_numbers_that_the_index_cannot_hold_are_made_to_fit(
    home: Home, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inodes of 64 bits are those of merged and network file systems; the time is beyond the year 2262."""
    path = put(clip, home.clips / "boat.mp4")
    real = library_files._regular

    def odd(entry: os.DirEntry[str], root: Path) -> os.stat_result | None:
        status = real(entry, root)
        return status and os.stat_result((*status[:1], 2**64 - 5, *status[2:]), {"st_mtime_ns": status.st_mtime_ns})

    monkeypatch.setattr(library_files, "_regular", odd)
    os.utime(path, (2**34, 2**34))
    assert path.stat().st_mtime_ns > 2**63, "this file system can say so"
    assert await home.index() == ["boat.mp4"]
    assert await home.index() == []
    (found,) = await home.find("boat")
    assert found.duration_s is not None


async def test_a_folder_that_cannot_even_be_asked_what_it_is_is_left_out(
    home: Home, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(clip, home.clips / "boat.mp4")
    put(clip, home.clips / "odd" / "boat.mp4")
    real = os.scandir

    class Moody:
        """A directory entry of a file system that does not say types and has an error."""

        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.name, self.path = entry.name, entry.path
            self.is_symlink, self.stat = entry.is_symlink, entry.stat

        def is_dir(self, **_: Any) -> bool:
            raise OSError(5, "Input/output error")

    class Listing:
        def __init__(self, place: Any) -> None:
            with real(place) as entries:
                self._entries = iter([Moody(entry) for entry in entries])

        def __enter__(self) -> Any:
            return self._entries

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(library_files.os, "scandir", Listing)
    assert [one.id for one in await home.find("boat")] == ["0/boat.mp4"]


async def test_an_odd_file_or_a_bug_ends_neither_the_watch_nor_the_looks_at_others(
    home: Home, clip: Path, ffmpeg: Ffmpeg, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(clip, home.clips / "boat.mp4")
    media.clip(ffmpeg.path, home.clips / "train.mp4", seconds=1, size="160x90")
    real, walks, again = library_watch.examine_and_read, 0, asyncio.Event()

    async def odd(ffmpeg: Ffmpeg, path: Path) -> Any:
        if path.name == "boat.mp4":
            raise ValueError("a header that nobody foresaw")
        return await real(ffmpeg, path)

    async def broken() -> None:
        nonlocal walks
        walks += 1
        if walks == 1:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        again.set()

    monkeypatch.setattr(library_watch, "examine_and_read", odd)
    async with home.open() as (library, watch):
        await library.refresh()
        assert await watch.look() == 2
        monkeypatch.setattr(library, "refresh", broken)
        watch._every_s = 0.0
        running = asyncio.create_task(watch.run())
        await asyncio.wait_for(again.wait(), 10)
        assert not running.done()
        running.cancel()
        await asyncio.wait({running})
    assert (home.counts.examined, home.counts.unusable) == (1, 1)
    with reading(home.path) as index:
        assert index is not None
        assert problems(index, 9) == [(str(home.clips / "boat.mp4"), "ValueError: a header that nobody foresaw")]
