"""Pexels against a real HTTP stand-in: searches, quota, refusals, downloads."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from standins.pexels_standin import PexelsStandin, StandinClip

from vidgend.errors import (
    ProviderError,
    ProviderGarbage,
    ProviderRateLimited,
    ProviderUnauthorized,
    StepError,
    StorageFull,
)
from vidgend.models import Candidate, Credit, Rendition
from vidgend.pipeline.budget.port import Quota
from vidgend.pipeline.footage.download import disk_error
from vidgend.pipeline.footage.pexels import REFUSED_S, PexelsFootage
from vidgend.pipeline.footage.port import FootageQuery

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 900
Make = Callable[..., PexelsFootage]


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def query(text: str = "storm", **options: Any) -> FootageQuery:
    return FootageQuery(text=text, **{"width_px": 1280, "height_px": 720, **options})


@pytest.fixture
def clips(tmp_path: Path) -> tuple[StandinClip, ...]:
    folder = tmp_path / "clips"
    folder.mkdir()
    made = []
    for name, width, height, duration_s in (
        ("sea-waves", 1920, 1080, 12),
        ("dark-storm-over-sea", 1920, 1080, 4),
        ("storm-clouds", 3840, 2160, 20),
        ("tall-tower", 1080, 1920, 9),
    ):
        path = folder / f"{name}.mp4"
        path.write_bytes(MP4)
        made.append(StandinClip(path=path, width=width, height=height, duration_s=duration_s))
    return tuple(made)


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    async with httpx.AsyncClient() as client:

        def build(standin: PexelsStandin, **options: Any) -> PexelsFootage:
            options = {"api_key": standin.key, "base_url": standin.base_url, "retry_wait_s": 0.0, **options}
            return PexelsFootage(client=client, **options)

        yield build


@pytest.fixture
async def standin(clips: tuple[StandinClip, ...]) -> AsyncIterator[PexelsStandin]:
    async with PexelsStandin(clips=clips) as pexels:
        yield pexels


async def test_a_search_asks_as_pexels_documents_it(standin: PexelsStandin, make: Make) -> None:
    await make(standin).search(query("dark  storm", width_px=1080, height_px=1920))
    assert standin.searches == [
        {"query": "dark storm", "orientation": "portrait", "size": "medium", "per_page": "30", "page": "1"}
    ]
    assert standin.keys_seen == ["test-key"]


async def test_a_4k_target_asks_for_large_clips(standin: PexelsStandin, make: Make) -> None:
    await make(standin).search(query(width_px=3840, height_px=2160, limit=80))
    assert standin.searches[0]["size"] == "large"
    assert standin.searches[0]["per_page"] == "80"


async def test_clips_that_match_the_words_and_last_long_enough_come_first(standin: PexelsStandin, make: Make) -> None:
    found = await make(standin).search(query("storm", duration_s=6))
    first = found[0]
    assert first.description == "storm clouds"
    assert all(clip.renditions for clip in found)
    assert first.kind == "video"
    assert first.duration_s == 20
    assert first.credit.author == "Ada Example"
    assert first.credit.author_url == "https://www.pexels.com/@ada-example"
    assert first.credit.page_url.startswith("https://www.pexels.com/video/storm-clouds-")
    assert first.credit.licence == "Pexels License"


async def test_no_more_candidates_than_asked_for(standin: PexelsStandin, make: Make) -> None:
    assert len(await make(standin).search(query(limit=1))) == 1


async def test_nothing_found_is_an_empty_answer(standin: PexelsStandin, make: Make) -> None:
    standin.strict = True
    assert await make(standin).search(query("xylophone")) == ()


async def test_a_blank_search_finds_nothing_and_costs_nothing(standin: PexelsStandin, make: Make) -> None:
    assert await make(standin).search(query("  \n")) == ()
    assert standin.calls == 0


async def test_the_quota_is_what_pexels_last_said(standin: PexelsStandin, make: Make) -> None:
    pexels = make(standin)
    assert pexels.quota is None
    await pexels.search(query())
    assert isinstance(pexels.quota, Quota)
    assert (pexels.quota.limit, pexels.quota.remaining) == (200, 199)


async def test_an_empty_quota_stops_requests_until_the_reset(standin: PexelsStandin, make: Make) -> None:
    clock = Clock()
    pexels = make(standin, clock=clock)
    standin._left = 1
    await pexels.search(query())
    assert pexels.quota is not None
    assert pexels.quota.remaining == 0
    clock.now_s = pexels.quota.reset_s - 100
    with pytest.raises(ProviderRateLimited) as caught:
        await pexels.search(query())
    assert caught.value.retry_after_s == pytest.approx(100)
    assert standin.calls == 1
    clock.now_s = pexels.quota.reset_s + 1
    standin._left = 200
    assert await pexels.search(query())
    assert standin.calls == 2


@pytest.mark.parametrize(
    ("mode", "retry_after", "reset_in_s", "expected_s"),
    [
        ("limited", "7", 3600, 7),
        ("limited", None, 1800, 1800),
        ("limited", None, 20 * 86400, 60),
        ("limited_bare", None, 3600, 60),
        ("limited", "nonsense", 1800, 1800),
    ],
)
async def test_a_refusal_for_quota_says_how_long_and_is_obeyed(
    standin: PexelsStandin, make: Make, mode: str, retry_after: str | None, reset_in_s: float, expected_s: float
) -> None:
    standin.mode = mode  # type: ignore[assignment]
    standin.retry_after_s = retry_after
    standin.reset_in_s = reset_in_s
    clock = Clock()
    clock.now_s = time.time()
    pexels = make(standin, clock=clock)
    for _ in range(2):
        with pytest.raises(ProviderRateLimited) as caught:
            await pexels.search(query())
        assert caught.value.retry_after_s == pytest.approx(expected_s, abs=5)
    assert standin.calls == 1
    standin.mode = "ok"
    clock.now_s += expected_s + 5
    assert await pexels.search(query())


async def test_a_refused_key_is_remembered_for_a_while(standin: PexelsStandin, make: Make) -> None:
    clock = Clock()
    pexels = make(standin, api_key="wrong", clock=clock)
    for _ in range(3):
        with pytest.raises(ProviderUnauthorized) as caught:
            await pexels.search(query())
        assert "wrong" not in caught.value.detail
    assert standin.calls == 1
    standin.key = "wrong"
    clock.now_s = REFUSED_S + 1
    assert await pexels.search(query())


@pytest.mark.parametrize("mode", ["error", "drop"])
async def test_passing_trouble_is_tried_again(standin: PexelsStandin, make: Make, mode: str) -> None:
    standin.mode = mode  # type: ignore[assignment]
    standin.times = 2
    assert await make(standin).search(query())
    assert standin.calls == 3


@pytest.mark.parametrize("mode", ["error", "drop"])
async def test_lasting_trouble_is_a_provider_error_after_three_tries(
    standin: PexelsStandin, make: Make, mode: str
) -> None:
    standin.mode = mode  # type: ignore[assignment]
    with pytest.raises(ProviderError) as caught:
        await make(standin).search(query())
    assert type(caught.value) is ProviderError
    assert standin.calls == 3
    assert "127.0.0.1" not in caught.value.detail


@pytest.mark.parametrize("mode", ["garbage", "wrong_shape"])
async def test_an_answer_that_makes_no_sense_is_garbage(standin: PexelsStandin, make: Make, mode: str) -> None:
    standin.mode = mode  # type: ignore[assignment]
    with pytest.raises(ProviderGarbage):
        await make(standin).search(query())
    assert standin.calls == 1


async def test_a_silent_server_ends_in_a_provider_error(standin: PexelsStandin, make: Make) -> None:
    standin.mode = "slow"
    with pytest.raises(ProviderError, match="in time"):
        await make(standin, search_timeout_s=0.05).search(query())


async def test_no_server_is_a_provider_error(make: Make) -> None:
    async with PexelsStandin() as gone:
        pexels = make(gone)
    with pytest.raises(ProviderError, match="no connection"):
        await pexels.search(query())


async def test_the_smallest_file_that_covers_the_target_is_taken(
    standin: PexelsStandin, make: Make, tmp_path: Path
) -> None:
    pexels = make(standin)
    storm = (await pexels.search(query("storm clouds")))[0]
    for target, size in (((1280, 720), "1920x1080"), ((1920, 1080), "1920x1080"), ((640, 360), "1920x1080"),
                         ((2560, 1440), "2560x1440"), ((3840, 2160), "3840x2160"), ((1080, 1920), "3840x2160"),
                         ((7680, 4320), "3840x2160")):  # fmt: skip
        await pexels.fetch(storm, width_px=target[0], height_px=target[1], path=tmp_path / "clip.mp4")
        assert standin.downloads[-1].size == size
    assert (tmp_path / "clip.mp4").read_bytes() == MP4


async def test_the_key_is_not_sent_to_the_file_server(standin: PexelsStandin, make: Make, tmp_path: Path) -> None:
    pexels = make(standin)
    clip = (await pexels.search(query()))[0]
    await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert [item.authorization for item in standin.downloads] == [None]


@pytest.mark.parametrize("mode", ["truncated", "file_error"])
async def test_a_broken_download_is_tried_again(standin: PexelsStandin, make: Make, tmp_path: Path, mode: str) -> None:
    pexels = make(standin)
    clip = (await pexels.search(query()))[0]
    standin.mode = mode  # type: ignore[assignment]
    standin.times = 2
    await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert (tmp_path / "clip.mp4").read_bytes() == MP4
    assert len(standin.downloads) == 3


@pytest.mark.parametrize(
    ("mode", "error"), [("truncated", ProviderError), ("file_error", ProviderError), ("file_garbage", ProviderGarbage)]
)
async def test_a_download_that_keeps_failing_leaves_nothing(
    standin: PexelsStandin, make: Make, tmp_path: Path, mode: str, error: type[ProviderError]
) -> None:
    pexels = make(standin)
    clip = (await pexels.search(query()))[0]
    standin.mode = mode  # type: ignore[assignment]
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(error) as caught:
        await pexels.fetch(clip, width_px=640, height_px=360, path=target / "clip.mp4")
    assert type(caught.value) is error
    assert list(target.iterdir()) == []


async def test_a_file_over_the_limit_is_refused(standin: PexelsStandin, make: Make, tmp_path: Path) -> None:
    pexels = make(standin, max_file_bytes=len(MP4) - 1)
    clip = (await pexels.search(query()))[0]
    with pytest.raises(ProviderGarbage, match="more than"):
        await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert not list(tmp_path.glob("clip.mp4*"))


async def test_a_download_that_drips_is_cut_off_and_leaves_nothing(
    standin: PexelsStandin, make: Make, tmp_path: Path
) -> None:
    pexels = make(standin, fetch_timeout_s=0.2)
    clip = (await pexels.search(query()))[0]
    standin.mode = "slow_file"
    with pytest.raises(ProviderError, match="not finished"):
        await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert not list(tmp_path.glob("clip.mp4*"))


async def test_cancelling_a_download_leaves_nothing(standin: PexelsStandin, make: Make, tmp_path: Path) -> None:
    pexels = make(standin)
    clip = (await pexels.search(query()))[0]
    standin.mode = "slow_file"
    standin.arrived.clear()
    task = asyncio.create_task(pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4"))
    await asyncio.wait_for(standin.arrived.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not list(tmp_path.glob("clip.mp4*"))


async def test_a_redirect_on_the_same_server_is_followed(standin: PexelsStandin, make: Make, tmp_path: Path) -> None:
    pexels = make(standin)
    clip = (await pexels.search(query()))[0]
    standin.mode, standin.times = "file_redirect", 1
    await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert (tmp_path / "clip.mp4").read_bytes() == MP4


@pytest.mark.parametrize("place", ["http://127.0.0.1:1/private.mp4", "file:///etc/passwd", "ftp://x.example/a.mp4"])
async def test_a_redirect_to_anything_but_https_is_refused(
    standin: PexelsStandin, make: Make, tmp_path: Path, place: str
) -> None:
    pexels = make(standin)
    clip = (await pexels.search(query()))[0]
    standin.mode, standin.redirect_to = "file_redirect", place
    with pytest.raises(ProviderGarbage, match="https"):
        await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")


@pytest.mark.parametrize("url", ["http://other.example/a", "file:///etc/passwd", "https://", "https://a:b@c/", "::"])
async def test_links_that_are_not_https_are_refused(
    standin: PexelsStandin, make: Make, tmp_path: Path, url: str
) -> None:
    clip = Candidate(
        provider="pexels",
        id="1",
        kind="video",
        description="",
        renditions=(Rendition(url=url, width_px=1920, height_px=1080),),
        credit=Credit(provider="pexels"),
    )
    with pytest.raises(ProviderGarbage):
        await make(standin).fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert not standin.downloads


async def test_a_sound_file_is_no_clip(standin: PexelsStandin, make: Make, tmp_path: Path) -> None:
    pexels = make(standin)
    clip = (await pexels.search(query()))[0]
    for offered in standin.clips:
        offered.path.write_bytes(b"OggS\x00\x02" + bytes(200))
    with pytest.raises(ProviderGarbage, match="neither"):
        await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")


async def test_files_are_asked_for_as_they_are_so_that_no_bomb_can_unfold(
    standin: PexelsStandin, make: Make, tmp_path: Path
) -> None:
    pexels = make(standin)
    clip = (await pexels.search(query()))[0]
    await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "clip.mp4")
    assert standin.downloads[0].accept_encoding == "identity"


async def test_a_folder_that_is_gone_is_told_without_a_download_being_blamed(
    standin: PexelsStandin, make: Make, tmp_path: Path
) -> None:
    pexels = make(standin)
    clip = (await pexels.search(query()))[0]
    with pytest.raises(StepError, match="cannot write") as caught:
        await pexels.fetch(clip, width_px=640, height_px=360, path=tmp_path / "gone" / "clip.mp4")
    assert not isinstance(caught.value, ProviderError)


def test_a_full_disk_is_told_as_such() -> None:
    assert isinstance(disk_error(OSError(errno.ENOSPC, "No space left on device")), StorageFull)
