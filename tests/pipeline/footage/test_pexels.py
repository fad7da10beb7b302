"""What is special about Pexels: how it is asked, and how it counts. The rest is in test_stock.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standins.pexels_standin import PexelsStandin
from standins.stock_services import MP4, offer

from vidgend.errors import ProviderRateLimited, ProviderUnauthorized
from vidgend.pipeline.footage.pexels import PexelsFootage
from vidgend.pipeline.footage.port import FootageQuery


def query(text: str = "storm", **options: Any) -> FootageQuery:
    return FootageQuery(text=text, **{"width_px": 1280, "height_px": 720, **options})


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[PexelsStandin]:
    async with PexelsStandin(clips=offer(tmp_path / "clips")) as standin:
        yield standin


@pytest.fixture
async def pexels(standin: PexelsStandin) -> AsyncIterator[PexelsFootage]:
    async with httpx.AsyncClient() as client:
        yield PexelsFootage(api_key=standin.key, base_url=standin.base_url, client=client, retry_wait_s=0.0)


async def test_a_search_asks_as_pexels_documents_it(standin: PexelsStandin, pexels: PexelsFootage) -> None:
    await pexels.search(query("dark  storm", width_px=1080, height_px=1920))
    await pexels.search(query("dark storm", kind="photo", language="de-AT"))
    assert standin.searches == [
        {"query": "dark storm", "orientation": "portrait", "size": "medium", "per_page": "30", "page": "1"},
        {
            "query": "dark storm", "orientation": "landscape", "size": "small", "per_page": "30", "page": "1",
            "locale": "de-DE",
        },
    ]  # fmt: skip
    assert standin.keys_seen == ["test-key", "test-key"]


async def test_a_4k_target_asks_for_larger_ones(standin: PexelsStandin, pexels: PexelsFootage) -> None:
    await pexels.search(query(width_px=3840, height_px=2160, limit=80))
    await pexels.search(query(width_px=3840, height_px=2160, kind="photo"))
    await pexels.search(query(width_px=1920, height_px=1080, kind="photo"))
    assert [asked["size"] for asked in standin.searches] == ["large", "large", "small"]
    assert standin.searches[0]["per_page"] == "80"


async def test_a_clip_is_told_with_its_author_and_licence(pexels: PexelsFootage) -> None:
    first = (await pexels.search(query("storm clouds")))[0]
    assert (first.description, first.kind, first.duration_s) == ("storm clouds", "video", 20)
    assert first.credit.author == "Ada Example"
    assert first.credit.author_url == "https://www.pexels.com/@ada-example"
    assert first.credit.page_url.startswith("https://www.pexels.com/video/storm-clouds-")
    assert first.credit.licence == "Pexels License"


@pytest.mark.parametrize(
    ("retry_after", "reset_in_s", "expected_s"),
    [(None, 1800, 1800), (None, 20 * 86400, 60), ("nonsense", 1800, 1800), ("7", 1800, 7), (None, 9e9, 60)],
)
async def test_a_refusal_without_a_time_lasts_as_long_as_its_window_can_be_meant(
    standin: PexelsStandin, pexels: PexelsFootage, retry_after: str | None, reset_in_s: float, expected_s: float
) -> None:
    standin.mode, standin.retry_after_s, standin.reset_in_s = "limited", retry_after, reset_in_s
    with pytest.raises(ProviderRateLimited) as caught:
        await pexels.search(query())
    assert caught.value.retry_after_s == pytest.approx(expected_s, abs=5)


@pytest.mark.parametrize("reset", ["1700000000", "nan", "inf", "-5", "soon", ""])
def test_the_end_of_the_month_is_a_time(pexels: PexelsFootage, reset: str) -> None:
    headers = {"x-ratelimit-limit": "200", "x-ratelimit-remaining": "7", "x-ratelimit-reset": reset}
    told = pexels.quota_of(headers, 1_690_000_000.0)
    if reset in ("soon", ""):
        assert told is None
    else:
        assert told is not None and str(told.reset_s) == str(float(reset)) and (told.limit, told.remaining) == (200, 7)


async def test_a_wrong_key_is_told_without_the_key(standin: PexelsStandin) -> None:
    async with httpx.AsyncClient() as client:
        pexels = PexelsFootage(api_key="my-own-secret", base_url=standin.base_url, client=client)
        with pytest.raises(ProviderUnauthorized, match="Pexels refused the key") as caught:
            await pexels.search(query())
    assert "my-own-secret" not in f"{caught.value!r} {caught.value.hint}"


async def test_the_smallest_file_that_covers_the_target_is_taken(
    standin: PexelsStandin, pexels: PexelsFootage, tmp_path: Path
) -> None:
    storm = (await pexels.search(query("storm clouds")))[0]
    for target, size in (((1280, 720), "1920x1080"), ((1920, 1080), "1920x1080"), ((640, 360), "1920x1080"),
                         ((2560, 1440), "2560x1440"), ((3840, 2160), "3840x2160"), ((1080, 1920), "3840x2160"),
                         ((7680, 4320), "3840x2160")):  # fmt: skip
        await pexels.fetch(storm, width_px=target[0], height_px=target[1], path=tmp_path / "clip.mp4")
        assert standin.downloads[-1].size == size
    assert (tmp_path / "clip.mp4").read_bytes() == MP4
