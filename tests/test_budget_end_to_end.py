"""The budget in a whole vidgend: one call for one search however many want it, quotas that hold, a cap on the model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import media
import pytest
from standins.llm_standin import LlmStandin
from standins.pexels_standin import PexelsStandin, StandinClip
from workshop import SMALL, clips, fake_footage, finished, make, result, settings_for

from vidgend.adapters import build_chat, build_providers
from vidgend.errors import BudgetSpent
from vidgend.http.wire import GenerateBody, PrefetchBody
from vidgend.parts import Parts, wire
from vidgend.pipeline.aligner.proportional import Proportional
from vidgend.pipeline.budget.port import Budget
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.music.fake import FakeMusic
from vidgend.pipeline.planner.builtin import BuiltinPlanner
from vidgend.pipeline.planner.llm import LlmPlanner
from vidgend.pipeline.planner.translator import LlmTranslator
from vidgend.pipeline.relevance.fake import FakeSimilarity
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.pipeline.speech.port import Voice
from vidgend.runtime import Runtime
from vidgend.settings import Settings
from vidgend.store.assets.store import AssetStore
from vidgend.store.steps import StepStore

JOBS = 100


GERMAN = Voice(id="fake_de", engine="fake", language="de-DE", gender="female", tags=("de-DE-neutral",))


def builder(*footage: FootageProvider) -> Callable[..., Parts]:
    """The providers and the model of the settings with their budget; voices and music are fakes."""

    def build(settings: Settings, assets: AssetStore, steps: StepStore, *, work: Path, budget: Budget) -> Parts:
        client = httpx.AsyncClient()
        chat = build_chat(settings, client, budget)
        providers, unused = build_providers(settings, client, budget)
        return wire(
            settings, assets, steps, work=work, client=client, providers=footage or providers, unused_providers=unused,
            planners=(LlmPlanner(chat), BuiltinPlanner()) if chat else (BuiltinPlanner(),),
            translator=LlmTranslator(chat) if chat else None, engines=(FakeSpeech(voices=(*FakeSpeech().voices(), GERMAN)),), aligners=(Proportional(),),
            music=FakeMusic(()), similarities=(FakeSimilarity(),),
        )  # fmt: skip

    return build


@pytest.fixture
async def pexels(ffmpeg: Ffmpeg, tmp_path: Path) -> AsyncIterator[PexelsStandin]:
    path = media.clip(ffmpeg.path, tmp_path / "wave.mp4", seconds=1, size="320x180")
    async with PexelsStandin(clips=[StandinClip(path=path, width=1920, height=1080)]) as standin:
        yield standin


@asynccontextmanager
async def running(folder: Path, pexels: PexelsStandin, **environ: str) -> AsyncIterator[Runtime]:
    settings = settings_for(
        folder, PEXELS_API_KEY=pexels.key, VIDGEND_FOOTAGE__PEXELS__BASE_URL=pexels.base_url,
        VIDGEND_EGRESS__ALLOW_NETWORKS="127.0.0.0/8", VIDGEND_FOOTAGE__PROVIDERS="pexels",
        VIDGEND_QUEUE__MAX_CONCURRENT_JOBS="64", **environ,
    )  # fmt: skip
    async with Runtime.open(settings, build=builder()) as runtime:
        yield runtime


async def calls(runtime: Runtime) -> list[tuple[Any, ...]]:
    await runtime.database.write(lambda _: None)
    return await runtime.database.read("SELECT subject, job_id, status FROM provider_calls ORDER BY id")


async def test_100_jobs_that_want_one_search_make_one_call(tmp_path: Path, pexels: PexelsStandin) -> None:
    async with running(tmp_path / "data", pexels) as runtime:
        body = PrefetchBody(queries=("wave",), per_query=1)
        jobs = await asyncio.gather(*(runtime.submit_prefetch(body) for _ in range(JOBS)))
        ended = [await finished(runtime, job) for job in jobs]
        assert [job.state for job in ended] == ["completed"] * JOBS
        ((subject, job_id, status),) = await calls(runtime)
    assert (subject, status, pexels.calls) == ("wave", 200, 1) and job_id in jobs


async def test_100_jobs_that_want_100_searches_take_the_burst_and_wait_with_a_reason(
    tmp_path: Path, pexels: PexelsStandin
) -> None:
    environ = {"VIDGEND_FOOTAGE__PEXELS__HOURLY_QUOTA": "20", "VIDGEND_FOOTAGE__QUOTA_WAIT_S": "0"}
    async with running(tmp_path / "data", pexels, **environ) as runtime:
        bodies = [PrefetchBody(queries=(f"wave {number}",), per_query=1) for number in range(JOBS)]
        jobs = await asyncio.gather(*(runtime.submit_prefetch(body) for body in bodies))

        async def settled(job_id: str) -> Any:
            while not (job := await runtime.jobs.get(job_id)).ended and job.ready:
                await asyncio.sleep(0.05)
            return job

        async with asyncio.timeout(60):
            found = [await settled(job) for job in jobs]
        done = [job for job in found if job.state == "completed"]
        parked = [job for job in found if job.state == "queued"]
        assert (len(done), len(parked), pexels.calls, len(await calls(runtime))) == (10, 90, 10, 10)
        for job in parked:
            assert "10 of 20 requests of this hour are used" in job.error.detail
            assert "the next request fits at" in job.error.detail
            assert job.run_at - runtime.database.clock() > 250 and (job.waits, job.failures) == (1, 0)


async def test_a_429_of_the_service_is_in_the_ledger_and_stops_the_others(
    tmp_path: Path, pexels: PexelsStandin
) -> None:
    pexels.mode, pexels.retry_after_s = "limited", "500"
    async with running(tmp_path / "data", pexels) as runtime:
        body = PrefetchBody(queries=("one", "two", "three"), per_query=1)
        job_id = await runtime.submit_prefetch(body)
        async with asyncio.timeout(60):
            while (job := await runtime.jobs.get(job_id)).ready:
                await asyncio.sleep(0.05)
        assert job.error is not None and "quota is used up" in job.error.detail
        assert {status for *_, status in await calls(runtime)} == {429} and pexels.calls <= 3
        held = runtime.budget.accounts.allowance("pexels").held_until
        assert held - runtime.database.clock() == pytest.approx(500, abs=30)


# --- the model


@asynccontextmanager
async def with_model(folder: Path, ffmpeg: Ffmpeg, llm: LlmStandin, **environ: str) -> AsyncIterator[Runtime]:
    settings = settings_for(
        folder / "data", VIDGEND_PLANNER__BASE_URL=llm.base_url, VIDGEND_PLANNER__MODEL="stand-in",
        VIDGEND_PLANNER__PRICE_IN_PER_MILLION="1000000", VIDGEND_PLANNER__PRICE_OUT_PER_MILLION="2000000", **environ,
    )  # fmt: skip
    footage = fake_footage(clips(ffmpeg.path, folder / "clips", 8))
    async with Runtime.open(settings, build=builder(footage)) as runtime:
        yield runtime


async def test_when_the_month_is_spent_the_built_in_planner_takes_over_and_says_so(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    async with LlmStandin() as llm, with_model(tmp_path, ffmpeg, llm, VIDGEND_USAGE__MONTHLY_CAP="3") as runtime:
        job = await make(runtime, prompt="The sea at dawn.", duration_target=3, **SMALL)
        assert not [one for one in result(job).degraded if one.stage == "planning"]
        asked = len(llm.requests)
        job = await make(runtime, prompt="The sea at noon, from below.", duration_target=3, **SMALL)
        (note,) = [one for one in result(job).degraded if one.stage == "planning"]
        assert (note.wanted, note.used) == ("llm", "builtin") and "usage.monthly_cap is 3.00 USD" in note.reason
        assert len(llm.requests) == asked, "nothing was sent"
        foreign = [{"language": "en"}, {"language": "de", "voice": "fake_a"}]
        with pytest.raises(BudgetSpent):
            await runtime.submit_generate(GenerateBody(prompt="The sea.", outputs=foreign, **SMALL))
        rows = await runtime.database.read("SELECT service, operation, subject, tokens_in, cost FROM provider_calls")
        assert set(rows) == {("llm", "plan", "stand-in", 1, 3.0)} and len(rows) == asked


async def test_a_translation_that_the_month_cannot_pay_fails_with_what_to_do(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    async with LlmStandin() as llm, with_model(tmp_path, ffmpeg, llm, VIDGEND_USAGE__MONTHLY_CAP="3") as runtime:
        outputs = [{"language": "en"}, {"language": "de"}]
        job = await make(runtime, prompt="The sea at dawn.", duration_target=3, outputs=outputs, **SMALL)
        assert job.state == "failed" and job.error is not None
        assert job.error.code == "budget_spent" and "translating into de: the language model" in job.error.detail
        assert "usage.monthly_cap" in job.error.hint
