"""What is special about Openverse: how it is asked, how it counts, and which licences are taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from standins.openverse_standin import OpenverseStandin
from standins.stock_services import offer

from vidgend.pipeline.budget.port import Quota
from vidgend.pipeline.footage.openverse import OpenverseFootage
from vidgend.pipeline.footage.openverse_wire import Licence
from vidgend.pipeline.footage.port import FootageQuery


def query(text: str = "storm", **options: Any) -> FootageQuery:
    return FootageQuery(text=text, **{"width_px": 1280, "height_px": 720, **options})


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[OpenverseStandin]:
    clips = offer(tmp_path / "clips", tuple((f"storm-{number}", 1920, 1080, 0) for number in range(6)))
    licences = ("cc0", "pdm", "by", "by-sa", "by-nd", "by-nc")
    photos = [replace(clip, licence=licence) for clip, licence in zip(clips[6:], licences, strict=True)]
    async with OpenverseStandin(clips=photos) as standin:
        yield standin


async def search(
    standin: OpenverseStandin, asked: FootageQuery, licences: tuple[Licence, ...] = ("cc0", "pdm", "by")
) -> list[str]:
    """The licences of what was found."""
    async with httpx.AsyncClient() as client:
        openverse = OpenverseFootage(base_url=standin.base_url, client=client, licences=licences)
        return [item.credit.licence for item in await openverse.search(asked)]


async def test_a_search_asks_as_openverse_documents_it(standin: OpenverseStandin) -> None:
    await search(standin, query("dark  storm"))
    await search(standin, query("storm", width_px=1080, height_px=1920, limit=80), ("by-sa", "by"))
    common = {"license_type": "commercial,modification", "mature": "false", "page_size": "20"}
    assert standin.searches == [
        {**common, "q": "dark storm", "license": "by,cc0,pdm", "aspect_ratio": "wide", "size": "medium,large"},
        {**common, "q": "storm", "license": "by,by-sa", "aspect_ratio": "tall", "size": "large"},
    ]
    assert standin.keys_seen == ["", ""]


@pytest.mark.parametrize("ignores", [False, True])
async def test_only_licences_that_were_chosen_are_taken_whatever_comes(
    standin: OpenverseStandin, ignores: bool
) -> None:
    standin.ignores_licences = ignores
    assert await search(standin, query()) == ["CC0 1.0", "Public Domain Mark 1.0", "CC BY 2.0"]
    assert await search(standin, query(), ("by-sa",)) == ["CC BY-SA 4.0"]


async def test_the_licences_are_part_of_what_answers_are_kept_under(standin: OpenverseStandin) -> None:
    async with httpx.AsyncClient() as client:
        kept = {
            OpenverseFootage(base_url=standin.base_url, client=client, licences=licences).identity
            for licences in (("by",), ("by", "by-sa"), ("by-sa", "by"))
        }
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("minute_left", "day_left", "expected"),
    [
        ("19", "150", Quota(limit=20, remaining=19, reset_s=1060.0)),
        ("19", "3", Quota(limit=200, remaining=3, reset_s=87_400.0)),
        ("0", "0", Quota(limit=200, remaining=0, reset_s=87_400.0)),
        ("many", "9", Quota(limit=200, remaining=9, reset_s=87_400.0)),
    ],
)
async def test_the_throttle_with_less_left_counts(minute_left: str, day_left: str, expected: Quota) -> None:
    headers = {
        "x-ratelimit-limit-anon_burst": "20/min", "x-ratelimit-available-anon_burst": minute_left,
        "x-ratelimit-limit-anon_sustained": "200/day", "x-ratelimit-available-anon_sustained": day_left,
    }  # fmt: skip
    async with httpx.AsyncClient() as client:
        assert OpenverseFootage(client=client).quota_of(headers, 1000.0) == expected
