"""Files of stock services against real HTTP stand-ins: which is taken, where it may lie, what is left of a failure."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from standins.stock_standin import StockStandin

from vidgend.errors import ProviderError, ProviderGarbage, StepError, StorageFull
from vidgend.models import Candidate, Credit, Rendition
from vidgend.pipeline.footage.download import USER_AGENT, disk_error
from vidgend.pipeline.footage.port import FootageQuery
from vidgend.pipeline.footage.stock import StockFootage

Make = Callable[..., StockFootage]


def query(text: str = "storm", **options: Any) -> FootageQuery:
    return FootageQuery(text=text, **{"width_px": 1280, "height_px": 720, **options})


async def test_the_key_is_not_sent_to_the_file_server(standin: StockStandin, make: Make, tmp_path: Path) -> None:
    stock = make(standin)
    clip = (await stock.search(query()))[0]
    await stock.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert [item.authorization for item in standin.downloads] == [None]
    assert [item.user_agent for item in standin.downloads] == [USER_AGENT]


@pytest.mark.parametrize("mode", ["truncated", "file_error"])
async def test_a_broken_download_is_tried_again(
    standin: StockStandin, make: Make, tmp_path: Path, mode: str, content: bytes
) -> None:
    stock = make(standin)
    clip = (await stock.search(query()))[0]
    standin.mode = mode  # type: ignore[assignment]
    standin.times = 2
    await stock.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert (tmp_path / "clip.mp4").read_bytes() == content
    assert len(standin.downloads) == 3


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("truncated", ProviderError),
        ("file_error", ProviderError),
        ("file_gone", ProviderError),
        ("file_garbage", ProviderGarbage),
        ("file_html", ProviderGarbage),
    ],
)
async def test_a_download_that_keeps_failing_leaves_nothing(
    standin: StockStandin, make: Make, tmp_path: Path, mode: str, error: type[ProviderError]
) -> None:
    stock = make(standin)
    clip = (await stock.search(query()))[0]
    standin.mode = mode  # type: ignore[assignment]
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(error) as caught:
        await stock.fetch(clip, width_px=640, height_px=360, path=target / "clip.mp4")
    assert type(caught.value) is error
    assert list(target.iterdir()) == []


async def test_a_file_over_the_limit_is_refused(
    standin: StockStandin, make: Make, tmp_path: Path, content: bytes
) -> None:
    stock = make(standin, max_file_bytes=len(content) - 1)
    clip = (await stock.search(query()))[0]
    with pytest.raises(ProviderGarbage, match="more than"):
        await stock.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert not list(tmp_path.glob("clip.mp4*"))


async def test_a_download_that_drips_is_cut_off_and_leaves_nothing(
    standin: StockStandin, make: Make, tmp_path: Path
) -> None:
    stock = make(standin, fetch_timeout_s=0.2)
    clip = (await stock.search(query()))[0]
    standin.mode = "slow_file"
    with pytest.raises(ProviderError, match="not finished"):
        await stock.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert not list(tmp_path.glob("clip.mp4*"))


async def test_cancelling_a_download_leaves_nothing(standin: StockStandin, make: Make, tmp_path: Path) -> None:
    stock = make(standin)
    clip = (await stock.search(query()))[0]
    standin.mode = "slow_file"
    standin.arrived.clear()
    task = asyncio.create_task(stock.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4"))
    await asyncio.wait_for(standin.arrived.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not list(tmp_path.glob("clip.mp4*"))


async def test_a_redirect_on_the_same_server_is_followed(
    standin: StockStandin, make: Make, tmp_path: Path, content: bytes
) -> None:
    stock = make(standin)
    clip = (await stock.search(query()))[0]
    standin.mode, standin.times = "file_redirect", 1
    await stock.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert (tmp_path / "clip.mp4").read_bytes() == content


@pytest.mark.parametrize("place", ["http://127.0.0.1:1/private.mp4", "file:///etc/passwd", "ftp://x.example/a.mp4"])
async def test_a_redirect_to_anything_but_https_is_refused(
    standin: StockStandin, make: Make, tmp_path: Path, place: str
) -> None:
    stock = make(standin)
    clip = (await stock.search(query()))[0]
    standin.mode, standin.redirect_to = "file_redirect", place
    with pytest.raises(ProviderGarbage, match="https"):
        await stock.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")


@pytest.mark.parametrize("url", ["http://other.example/a", "file:///etc/passwd", "https://", "https://a:b@c/", "::"])
async def test_links_that_are_not_https_are_refused(
    standin: StockStandin, make: Make, tmp_path: Path, url: str, name: str
) -> None:
    clip = Candidate(
        provider=name,
        id="1",
        kind="video",
        description="",
        renditions=(Rendition(url=url, width_px=1920, height_px=1080),),
        credit=Credit(provider=name),
    )
    with pytest.raises(ProviderGarbage):
        await make(standin).fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert not standin.downloads


async def test_a_sound_file_is_no_clip(standin: StockStandin, make: Make, tmp_path: Path) -> None:
    stock = make(standin)
    clip = (await stock.search(query()))[0]
    for offered in standin.clips:
        offered.path.write_bytes(b"OggS\x00\x02" + bytes(200))
    with pytest.raises(ProviderGarbage, match="neither a video nor a photo"):
        await stock.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")


async def test_files_are_asked_for_as_they_are_so_that_no_bomb_can_unfold(
    standin: StockStandin, make: Make, tmp_path: Path
) -> None:
    stock = make(standin)
    clip = (await stock.search(query()))[0]
    await stock.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert standin.downloads[0].accept_encoding == "identity"


async def test_a_folder_that_is_gone_is_told_without_a_download_being_blamed(
    standin: StockStandin, make: Make, tmp_path: Path
) -> None:
    stock = make(standin)
    clip = (await stock.search(query()))[0]
    with pytest.raises(StepError, match="cannot write") as caught:
        await stock.fetch(clip, width_px=640, height_px=360, path=tmp_path / "gone" / "clip.mp4")
    assert not isinstance(caught.value, ProviderError)


def test_a_full_disk_is_told_as_such() -> None:
    assert isinstance(disk_error(OSError(errno.ENOSPC, "No space left on device")), StorageFull)
