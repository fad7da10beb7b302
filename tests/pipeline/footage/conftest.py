"""Each stock service with its stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import media
import pytest
from library_home import Home
from standins.stock_services import STANDINS, adapter, content_of, offer
from standins.stock_standin import StandinClip, StockStandin

from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.stock import StockFootage

Make = Callable[..., StockFootage]


@pytest.fixture
def clips(tmp_path: Path) -> tuple[StandinClip, ...]:
    return offer(tmp_path / "clips")


@pytest.fixture(params=sorted(STANDINS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def content(name: str) -> bytes:
    return content_of(name)


@pytest.fixture
async def make(name: str) -> AsyncIterator[Make]:
    async with httpx.AsyncClient() as client:

        def build(standin: StockStandin, **options: Any) -> StockFootage:
            return adapter(name, standin, client, **options)

        yield build


@pytest.fixture
async def standin(name: str, clips: tuple[StandinClip, ...]) -> AsyncIterator[StockStandin]:
    async with STANDINS[name](clips=clips) as stock:
        yield stock


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def clip(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 320x180."""
    extra = ("-metadata", "title=Harbour at noon", "-metadata", "comment=first line\nlighthouse and gulls")
    return media.clip(ffmpeg.path, tmp_path_factory.mktemp("clip") / "clip.mp4", size="320x180", extra=extra)
