"""A folder of clips with its index, as the tests of the library have it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from vidgend.models import Candidate
from vidgend.pipeline.executor.port import Label, Load
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.footage import library_watch
from vidgend.pipeline.footage.library import LibraryFootage
from vidgend.pipeline.footage.library_index import Counts, counts, reading
from vidgend.pipeline.footage.library_watch import LibraryWatch
from vidgend.pipeline.footage.port import FootageQuery

FREE: Mapping[Label, Load] = {"ffmpeg": Load(0, 0, 1), "cpu": Load(0, 0, 1)}


async def idle() -> Mapping[Label, Load]:
    return FREE


class Home:
    """A folder, an index, and those that work on it; `looks` are the files that were really looked into."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clips = root / "clips"
        self.clips.mkdir(exist_ok=True)
        self.path = root / "library.sqlite"
        self.looks: list[str] = []
        self.now_s = 0.0
        real = library_watch.examine_and_read

        async def counted(ffmpeg: Ffmpeg, path: Path) -> Any:
            self.looks.append(path.name)
            return await real(ffmpeg, path)

        monkeypatch.setattr(library_watch, "examine_and_read", counted)

    @asynccontextmanager
    async def open(self, *folders: Path) -> AsyncIterator[tuple[LibraryFootage, LibraryWatch]]:
        library = LibraryFootage(folders or [self.clips], index_path=self.path, refresh_s=0.0, clock=lambda: self.now_s)
        watch = LibraryWatch(library, FfmpegTool(), lambda priority: nullcontext(), idle)  # type: ignore[arg-type, return-value]
        try:
            yield library, watch
        finally:
            await library.aclose()

    async def index(self, *folders: Path) -> list[str]:
        """Walk, and look into everything; what was looked into."""
        self.looks.clear()
        async with self.open(*folders) as (library, watch):
            await library.refresh()
            await watch.look()
        return sorted(self.looks)

    @property
    def counts(self) -> Counts:
        with reading(self.path) as index:
            assert index is not None
            return counts(index)

    async def find(self, text: str, *folders: Path) -> tuple[Candidate, ...]:
        async with self.open(*folders) as (library, _):
            self.now_s += 1
            return await library.search(FootageQuery(text=text, width_px=640, height_px=360))


def put(clip: Path, path: Path, age_s: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(clip, path)
    return path
