"""Every fault of a stock service in a whole vidgend: the job ends for the right reason, nothing half is left, and what was
asked is in the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import media
import pytest
from standins.stock_files import MODES
from standins.stock_services import STANDINS, adapter
from standins.stock_standin import StandinClip, StockStandin
from workshop import finished, make, result, settings_for

from vidgend.http.wire import GenerateBody, PrefetchBody
from vidgend.parts import Parts, wire
from vidgend.pipeline.aligner.proportional import Proportional
from vidgend.pipeline.budget.port import Budget
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.generated import GeneratedFootage
from vidgend.pipeline.music.fake import FakeMusic
from vidgend.pipeline.planner.builtin import BuiltinPlanner
from vidgend.pipeline.relevance.fake import FakeSimilarity
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.runtime import Runtime
from vidgend.settings import Settings
from vidgend.store.assets.store import AssetStore
from vidgend.store.fsck import check
from vidgend.store.jobs import Job
from vidgend.store.steps import StepStore

HARMLESS = ("ok", "file_redirect", "no_part", "wrong_part", "changed")
"""The clip comes all the same: nothing broke off, so nothing is resumed."""
OWN_WAY = ("ok", "unauthorized", "limited", "wrong_shape", "wrong_size", "truncated")
"""What a service answers in its own way; the rest is the same code for all."""
REASONS = {
    "unauthorized": "refused the key", "limited": "quota", "limited_bare": "quota", "error": "HTTP 503",
    "garbage": "something else than", "wrong_shape": "something else than", "slow": "in time", "drop": "broke off",
    "empty": "no match", "drip": "in time", "challenge": "browsers", "truncated": "broke off", "cut_small": "broke off",
    "short": "bytes", "file_error": "HTTP 502", "file_gone": "HTTP 403", "file_html": "a web page where",
    "file_garbage": "neither a video nor a photo", "slow_file": "not finished", "drip_file": "not finished",
    "wrong_size": "bytes", "bad_checksum": "checksum",
}  # fmt: skip
"""What the job says about a fault."""


@dataclass
class Shop:
    runtime: Runtime
    stock: StockStandin
    folder: Path

    async def nothing_half_is_left(self) -> None:
        assert not [path for path in (self.folder / "work").rglob("*") if path.is_file()]
        assert not list(self.folder.rglob("*.part"))
        assert not await check(self.runtime.database, self.runtime.assets.blobs, deep=True, alone=False)

    async def calls_are_in_the_ledger(self) -> None:
        await self.runtime.database.write(lambda _: None)
        rows = await self.runtime.database.read("SELECT status FROM provider_calls")
        assert self.stock.calls <= len(rows) <= self.stock.calls + 1, "one may have been noted and not yet sent"
        assert self.stock.calls <= 9, "at most three tries of a search in each of the job's"


@pytest.fixture
async def stock(ffmpeg: Ffmpeg, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[StockStandin]:
    """Of the service that the test is given."""
    name = request.getfixturevalue("service")
    video = media.clip(ffmpeg.path, tmp_path / "sea-waves.mp4", seconds=4, size="640x360")
    still = ["-f", "lavfi", "-i", "testsrc2=size=1280x720", "-frames:v", "1", "-f", "image2"]
    photo = media.make(ffmpeg.path, still, tmp_path / "sea-shore.jpg")
    offered = [
        StandinClip(path=video, width=1920, height=1080, duration_s=4), StandinClip(path=photo, width=1920, height=1080),
    ]  # fmt: skip
    async with STANDINS[name](clips=offered) as standin:
        yield standin


def builder(stock: StockStandin, service: str, *, paints: bool) -> Callable[..., Parts]:
    def build(settings: Settings, assets: AssetStore, steps: StepStore, *, work: Path, budget: Budget) -> Parts:
        client = httpx.AsyncClient()
        provider = adapter(
            service, stock, client, budget=budget, search_timeout_s=0.5, fetch_timeout_s=1.0
        )  # fmt: skip
        providers = (provider, GeneratedFootage()) if paints else (provider,)
        return wire(
            settings, assets, steps, work=work, client=client, providers=providers, unused_providers={},
            planners=(BuiltinPlanner(),), engines=(FakeSpeech(),), aligners=(Proportional(),), music=FakeMusic(()),
            similarities=(FakeSimilarity(),),
        )  # fmt: skip

    return build


@asynccontextmanager
async def open_shop(folder: Path, stock: StockStandin, service: str, *, paints: bool) -> AsyncIterator[Shop]:
    async with Runtime.open(settings_for(folder), build=builder(stock, service, paints=paints)) as runtime:
        yield Shop(runtime, stock, folder)


async def ended_or_parked(runtime: Runtime, job_id: str) -> Job:
    """A job whose provider says when to come back waits for that."""
    async with asyncio.timeout(60):
        while not (job := await runtime.jobs.get(job_id)).ended and job.ready:
            await asyncio.sleep(0.02)
    return job


@pytest.mark.parametrize(
    ("service", "mode"), [("pexels", mode) for mode in MODES] + [("pixabay", mode) for mode in OWN_WAY]
)
async def test_what_cannot_be_fetched_is_said_and_leaves_nothing(
    tmp_path: Path, stock: StockStandin, service: str, mode: Any
) -> None:
    stock.mode, stock.digest = mode, "repr-digest"
    async with open_shop(tmp_path / "data", stock, service, paints=False) as shop:
        job_id = await shop.runtime.submit_prefetch(PrefetchBody(queries=("sea",), per_query=1))
        job = await ended_or_parked(shop.runtime, job_id)
        if mode in HARMLESS:
            assert job.state == "completed" and isinstance(job.result, dict) and len(job.result["clips"]) == 1
        else:
            assert job.error is not None and REASONS[mode] in job.error.detail, job.error
            assert (job.state == "failed") or (not job.ready and job.run_at)
            await shop.runtime.worker.cancel(job_id)
        await shop.nothing_half_is_left()
        await shop.calls_are_in_the_ledger()


@pytest.mark.parametrize("mode", ["limited", "error", "slow", "truncated", "file_html", "empty", "unauthorized"])
@pytest.mark.parametrize("service", ["pexels"])
async def test_a_video_is_made_all_the_same_and_says_what_was_wrong(
    tmp_path: Path, stock: StockStandin, service: str, mode: Any
) -> None:
    stock.mode = mode
    async with open_shop(tmp_path / "data", stock, service, paints=True) as shop:
        made = result(await make(shop.runtime, scenes=[{"narration": "The sea.", "query": "sea"}], quality="draft"))
        (entry,) = [one for one in made.degraded if one.stage == "retrieving"]
        assert REASONS[mode] in entry.reason and entry.used == "a painted background"
        await shop.nothing_half_is_left()


@pytest.mark.parametrize("service", ["pexels", "pixabay"])
async def test_a_key_that_is_revoked_in_the_middle_costs_the_scenes_that_come_later(
    tmp_path: Path, stock: StockStandin, service: str
) -> None:
    stock.revoke_after = 1
    async with open_shop(tmp_path / "data", stock, service, paints=True) as shop:
        scenes = [{"narration": f"The {name}.", "query": name} for name in ("sea", "ocean", "shore")]
        made = result(await make(shop.runtime, scenes=scenes, quality="draft"))
        shown = [one["provider"] for one in made.report["footage"]]
        assert shown.count(service) == 1 and shown.count("generated") == 2
        assert any("refused the key" in one.reason for one in made.degraded)
        assert stock.calls <= 3
        await shop.nothing_half_is_left()


@pytest.mark.parametrize("service", ["pexels", "pixabay"])
async def test_a_fault_that_passes_costs_nothing_but_time(tmp_path: Path, stock: StockStandin, service: str) -> None:
    async with open_shop(tmp_path / "data", stock, service, paints=False) as shop:
        for number, mode in enumerate(("error", "drop", "truncated", "file_error", "cut_small")):
            stock.mode, stock.times = mode, 1  # type: ignore[assignment]
            body = PrefetchBody(queries=(f"sea {number}",), per_query=1, orientation="landscape")
            job = await finished(shop.runtime, await shop.runtime.submit_prefetch(body))
            assert job.state == "completed", (mode, job.error)
        await shop.nothing_half_is_left()


@pytest.mark.parametrize("service", ["pexels"])
async def test_a_prefetch_of_a_video_says_why_it_would_be_painted_and_tries_again(
    tmp_path: Path, stock: StockStandin, service: str
) -> None:
    stock.mode = "error"
    async with open_shop(tmp_path / "data", stock, service, paints=True) as shop:
        body = PrefetchBody(video=GenerateBody(scenes=({"narration": "The sea.", "query": "sea"},)))  # type: ignore[arg-type]
        job_id = await shop.runtime.submit_prefetch(body)
        async with asyncio.timeout(60):
            while (job := await shop.runtime.jobs.get(job_id)).error is None:
                await asyncio.sleep(0.02)
        assert "HTTP 503" in job.error.detail and not job.ended
        stock.mode = "ok"
        job = await finished(shop.runtime, job_id)
        assert job.state == "completed" and isinstance(job.result, dict) and len(job.result["clips"]) == 1
