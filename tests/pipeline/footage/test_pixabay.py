"""What is special about Pixabay: how it is asked, how it counts, and that its key shows nowhere."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standins.pixabay_standin import PixabayStandin
from standins.stock_services import offer

from vidgend.errors import ProviderError, ProviderRateLimited, ProviderUnauthorized
from vidgend.logs import set_up_logging
from vidgend.models import Candidate
from vidgend.pipeline.budget.port import Quota
from vidgend.pipeline.footage.pixabay import PixabayFootage
from vidgend.pipeline.footage.port import FootageQuery

SECRET = "49441477-0123456789abcdef"


def query(text: str = "storm", **options: Any) -> FootageQuery:
    return FootageQuery(text=text, **{"width_px": 1280, "height_px": 720, **options})


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[PixabayStandin]:
    async with PixabayStandin(clips=offer(tmp_path / "clips"), key=SECRET) as standin:
        yield standin


@pytest.fixture
async def pixabay(standin: PixabayStandin) -> AsyncIterator[PixabayFootage]:
    async with httpx.AsyncClient() as client:
        yield PixabayFootage(api_key=SECRET, base_url=standin.base_url, client=client, retry_wait_s=0.0)


async def test_a_search_asks_as_pixabay_documents_it(standin: PixabayStandin, pixabay: PixabayFootage) -> None:
    await pixabay.search(query("dark  storm"))
    await pixabay.search(query("sturm", kind="photo", language="de-AT", width_px=1080, height_px=1920, limit=150))
    await pixabay.search(query("storm", kind="photo", language="tlh", width_px=720, height_px=720, limit=1))
    common = {"key": SECRET, "safesearch": "true", "page": "1"}
    photo = {"image_type": "photo"}
    assert standin.searches == [
        {**common, "q": "dark storm", "lang": "en", "per_page": "60"},
        {**common, **photo, "q": "sturm", "lang": "de", "per_page": "200", "orientation": "vertical"},
        {**common, **photo, "q": "storm", "lang": "en", "per_page": "20", "orientation": "all"},
    ]


@pytest.mark.parametrize(
    ("text", "asked"), [("word " * 40, ("word " * 20).strip()), ("x" * 140, "x" * 100), ("ä" * 100, "ä" * 100)]
)
async def test_a_long_search_is_cut_between_words(
    standin: PixabayStandin, pixabay: PixabayFootage, text: str, asked: str
) -> None:
    assert await pixabay.search(query(text))
    assert standin.searches[0]["q"] == asked


async def test_clips_of_another_shape_come_last(standin: PixabayStandin, pixabay: PixabayFootage) -> None:
    found = await pixabay.search(query("tower", width_px=1080, height_px=1920))
    assert [item.height_px > item.width_px for item in found] == [True, False, False, False]


async def test_the_window_ends_so_many_seconds_from_now(standin: PixabayStandin, pixabay: PixabayFootage) -> None:
    headers = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "7", "x-ratelimit-reset": "33"}
    assert pixabay.quota_of(headers, 1000.0) == Quota(limit=100, remaining=7, reset_s=1033.0)
    standin.reset_in_s = 33
    standin.mode = "limited"
    with pytest.raises(ProviderRateLimited) as caught:
        await pixabay.search(query("sea"))
    assert caught.value.retry_after_s == pytest.approx(33, abs=10)


async def test_another_complaint_than_about_the_key_is_not_taken_for_one(standin: PixabayStandin) -> None:
    async with httpx.AsyncClient() as client:
        pixabay = PixabayFootage(api_key=SECRET, base_url=standin.base_url, client=client)
        pixabay.most_query_chars = 200
        with pytest.raises(ProviderError, match="HTTP 400") as caught:
            await pixabay.search(query("x" * 150))
        assert type(caught.value) is ProviderError and not caught.value.retryable
        assert await pixabay.search(query())


@pytest.mark.parametrize("mode", ["ok", "unauthorized", "limited", "error", "garbage", "drop", "slow", "wrong_shape"])
async def test_the_key_shows_in_no_error_log_or_candidate(
    standin: PixabayStandin, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("debug", "json")
    standin.mode = mode  # type: ignore[assignment]
    told = ""
    timeout_s = 1.0 if mode == "slow" else 20.0
    async with httpx.AsyncClient() as client:
        pixabay = PixabayFootage(
            api_key=SECRET, base_url=standin.base_url, client=client, retry_wait_s=0.0, search_timeout_s=timeout_s
        )
        try:
            found: tuple[Candidate, ...] = await pixabay.search(query())
            told += repr(found)
        except ProviderError as error:
            logging.getLogger("vidgend").exception("search_failed")
            told += "".join(traceback.format_exception(error)) + error.hint
        told += pixabay.identity
    assert SECRET in standin.searches[0]["key"]
    assert SECRET not in told
    assert SECRET not in capsys.readouterr().err


async def test_a_revoked_key_is_told_by_its_sentence(standin: PixabayStandin, pixabay: PixabayFootage) -> None:
    standin.revoke_after = 0
    with pytest.raises(ProviderUnauthorized, match=r"Pixabay refused the key \(HTTP 400\)"):
        await pixabay.search(query())
