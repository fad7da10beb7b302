"""Stock services against real HTTP stand-ins: searches, quota, refusals, budget, downloads. What is special about one
of them is in a file of its own."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from standins.stock_services import STANDINS, adapter, content_of, offer
from standins.stock_standin import StandinClip, StockStandin

from vidgend.errors import (
    BudgetSpent,
    ProviderError,
    ProviderGarbage,
    ProviderRateLimited,
    ProviderUnauthorized,
    StepError,
    StorageFull,
)
from vidgend.models import Candidate, Credit, Rendition
from vidgend.pipeline.budget.port import Call, Quota
from vidgend.pipeline.footage.download import USER_AGENT, disk_error
from vidgend.pipeline.footage.port import FootageQuery
from vidgend.pipeline.footage.stock import REFUSED_S, StockFootage

Make = Callable[..., StockFootage]


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Ledger:
    """A budget that remembers what it was told."""

    def __init__(self, *, refuse: StepError | None = None) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.answers: list[tuple[int, int | None]] = []
        self.open = 0
        self.refuse = refuse

    @asynccontextmanager
    async def call(self, service: str, operation: str, subject: str) -> AsyncIterator[Call]:
        if self.refuse is not None:
            raise self.refuse
        self.calls.append((service, operation, subject))
        self.open += 1
        try:
            yield self
        finally:
            self.open -= 1

    def answered(self, status: int, *, quota: Quota | None = None, tokens_in: int = 0, tokens_out: int = 0) -> None:
        assert self.open == 1
        self.answers.append((status, quota.remaining if quota else None))


def query(text: str = "storm", **options: Any) -> FootageQuery:
    return FootageQuery(text=text, **{"width_px": 1280, "height_px": 720, **options})


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


async def test_no_more_candidates_than_asked_for(standin: StockStandin, make: Make) -> None:
    assert len(await make(standin).search(query(limit=1))) == 1


async def test_nothing_found_is_an_empty_answer(standin: StockStandin, make: Make) -> None:
    standin.strict = True
    assert await make(standin).search(query("xylophone")) == ()


async def test_a_blank_search_finds_nothing_and_costs_nothing(standin: StockStandin, make: Make) -> None:
    assert await make(standin).search(query("  \n")) == ()
    assert standin.calls == 0


async def test_the_quota_is_what_the_service_last_said(standin: StockStandin, make: Make) -> None:
    stock = make(standin)
    assert stock.quota is None
    await stock.search(query())
    assert isinstance(stock.quota, Quota)
    assert (stock.quota.limit, stock.quota.remaining) == (standin.limit, standin.limit - 1)


async def test_an_empty_quota_stops_requests_until_the_reset(standin: StockStandin, make: Make) -> None:
    clock = Clock()
    clock.now_s = time.time()
    stock = make(standin, clock=clock)
    standin._left = 1
    await stock.search(query())
    assert stock.quota is not None
    assert stock.quota.remaining == 0
    clock.now_s = stock.quota.reset_s - 20
    with pytest.raises(ProviderRateLimited) as caught:
        await stock.search(query())
    assert caught.value.retry_after_s == pytest.approx(20)
    assert standin.calls == 1
    clock.now_s = stock.quota.reset_s + 1
    standin._left = 200
    assert await stock.search(query())
    assert standin.calls == 2


@pytest.mark.parametrize(
    ("mode", "retry_after", "expected_s"), [("limited", "7", 7), ("limited_bare", None, 60), ("limited_bare", "9", 60)]
)
async def test_a_refusal_for_quota_says_how_long_and_is_obeyed(
    standin: StockStandin, make: Make, mode: str, retry_after: str | None, expected_s: float
) -> None:
    standin.mode = mode  # type: ignore[assignment]
    standin.retry_after_s = retry_after
    clock = Clock()
    clock.now_s = time.time()
    stock = make(standin, clock=clock)
    for _ in range(2):
        with pytest.raises(ProviderRateLimited) as caught:
            await stock.search(query())
        assert caught.value.retry_after_s == pytest.approx(expected_s, abs=5)
    assert standin.calls == 1
    standin.mode = "ok"
    clock.now_s += expected_s + 5
    assert await stock.search(query())


def is_refusal(name: str, error: ProviderError) -> bool:
    """Openverse has no key that could be wrong."""
    return (type(error) is ProviderError and not error.retryable) or (
        name != "openverse" and isinstance(error, ProviderUnauthorized)
    )


async def test_a_refused_key_is_remembered_for_a_while(standin: StockStandin, make: Make, name: str) -> None:
    clock = Clock()
    secret = standin.key = "a-key-that-is-wrong"
    stock = make(standin, clock=clock)
    standin.mode = "unauthorized"
    for _ in range(3):
        with pytest.raises(ProviderError) as caught:
            await stock.search(query())
        assert is_refusal(name, caught.value)
        assert secret not in caught.value.detail
    assert standin.calls == 1
    standin.mode, standin.key = "ok", standin.keys_seen[0] or ""
    clock.now_s = REFUSED_S + 1
    assert await stock.search(query())


async def test_a_key_that_is_revoked_in_the_middle_is_told_at_once_and_not_used_again(
    standin: StockStandin, make: Make, name: str
) -> None:
    standin.revoke_after = 2
    stock = make(standin)
    assert await stock.search(query("storm")) and await stock.search(query("sea"))
    for _ in range(3):
        with pytest.raises(ProviderError) as caught:
            await stock.search(query("tower"))
        assert is_refusal(name, caught.value)
    assert standin.calls == 3


async def test_a_browser_check_is_told_as_such(standin: StockStandin, make: Make) -> None:
    standin.mode = "challenge"
    stock = make(standin)
    with pytest.raises(ProviderError, match="browsers") as caught:
        await stock.search(query())
    assert type(caught.value) is ProviderError and not caught.value.retryable
    assert standin.calls == 1


async def test_an_empty_answer_is_no_match(standin: StockStandin, make: Make) -> None:
    standin.mode = "empty"
    assert await make(standin).search(query()) == ()


async def test_a_search_names_vidgend_and_asks_once(standin: StockStandin, make: Make) -> None:
    await make(standin).search(query(limit=60))
    assert standin.agents_seen == [USER_AGENT]


async def test_each_request_passes_through_the_budget_repeated_ones_too(
    standin: StockStandin, make: Make, name: str
) -> None:
    ledger = Ledger()
    standin.mode, standin.times = "error", 2
    stock = make(standin, budget=ledger)
    found = await stock.search(query("dark  storm"))
    operation = "photo_search" if name == "openverse" else "video_search"
    assert ledger.calls == [(name, operation, "dark storm")] * 3
    assert ledger.answers == [(503, None), (503, None), (200, standin.limit - 1)]
    assert ledger.open == 0
    standin.picture = content_of("openverse")
    assert found[0].preview_url is not None
    await stock.preview(found[0], path=standin.clips[0].path.with_name("preview"))
    assert len(ledger.calls) == 3, "pictures and files are not counted"


async def test_a_request_that_breaks_off_is_noted_without_an_answer(standin: StockStandin, make: Make) -> None:
    ledger = Ledger()
    standin.mode = "drop"
    with pytest.raises(ProviderError):
        await make(standin, budget=ledger).search(query())
    assert len(ledger.calls) == 3 and ledger.answers == [] and ledger.open == 0


@pytest.mark.parametrize("refusal", [ProviderRateLimited("spent", retry_after_s=9), BudgetSpent("spent")])
async def test_what_the_budget_refuses_is_not_sent(standin: StockStandin, make: Make, refusal: ProviderError) -> None:
    with pytest.raises(type(refusal)):
        await make(standin, budget=Ledger(refuse=refusal)).search(query())
    assert standin.calls == 0


async def test_a_kind_that_the_service_does_not_have_is_no_match_and_costs_nothing(
    standin: StockStandin, make: Make
) -> None:
    stock = make(standin)
    missing = {"video", "photo"} - set(stock.kinds)
    for kind in missing:
        assert await stock.search(query(kind=kind)) == ()
    assert standin.calls == 0


async def test_each_kind_is_one_search_and_its_files_can_be_fetched(
    standin: StockStandin, make: Make, tmp_path: Path
) -> None:
    stock = make(standin)
    ids: list[str] = []
    for number, kind in enumerate(stock.kinds, start=1):
        found = await stock.search(query("storm sea", kind=kind))
        assert standin.calls == number and found
        assert {item.kind for item in found} == {kind}
        assert all(item.width_px and item.height_px and item.credit.licence for item in found)
        assert all(item.credit.licence_url.startswith("https://") and item.credit.title for item in found)
        ids += [item.id for item in found]
        await stock.fetch(found[0], width_px=640, height_px=360, path=tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == content_of("openverse" if kind == "photo" else name_of(stock))
    assert len(set(ids)) == len(ids), "one number may mean a video and a photo"


def name_of(stock: StockFootage) -> str:
    return stock.name


@pytest.mark.parametrize("mode", ["error", "drop"])
async def test_passing_trouble_is_tried_again(standin: StockStandin, make: Make, mode: str) -> None:
    standin.mode = mode  # type: ignore[assignment]
    standin.times = 2
    assert await make(standin).search(query())
    assert standin.calls == 3


@pytest.mark.parametrize("mode", ["error", "drop"])
async def test_lasting_trouble_is_a_provider_error_after_three_tries(
    standin: StockStandin, make: Make, mode: str
) -> None:
    standin.mode = mode  # type: ignore[assignment]
    with pytest.raises(ProviderError) as caught:
        await make(standin).search(query())
    assert type(caught.value) is ProviderError
    assert standin.calls == 3
    assert "127.0.0.1" not in caught.value.detail


@pytest.mark.parametrize("mode", ["garbage", "wrong_shape"])
async def test_an_answer_that_makes_no_sense_is_garbage(standin: StockStandin, make: Make, mode: str) -> None:
    standin.mode = mode  # type: ignore[assignment]
    with pytest.raises(ProviderGarbage):
        await make(standin).search(query())
    assert standin.calls == 1


async def test_a_silent_server_ends_in_a_provider_error(standin: StockStandin, make: Make) -> None:
    standin.mode = "slow"
    with pytest.raises(ProviderError, match="in time"):
        await make(standin, search_timeout_s=0.05).search(query())


async def test_an_answer_that_drips_ends_in_a_provider_error(standin: StockStandin, make: Make) -> None:
    standin.mode = "drip"
    with pytest.raises(ProviderError, match="in time"):
        await make(standin, search_timeout_s=0.2).search(query())


async def test_no_server_is_a_provider_error(make: Make, name: str) -> None:
    async with STANDINS[name]() as gone:
        stock = make(gone)
    with pytest.raises(ProviderError, match="no connection"):
        await stock.search(query())


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
