"""What a job does when a step fails: try again later, give up, or wait for a provider."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from workshop import candidate, clips, fake_footage, finished, make, workshop

from vidgend.errors import (
    FfmpegFailed,
    ProviderError,
    ProviderRateLimited,
    StepError,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
    VidgendError,
)
from vidgend.http.wire import GenerateBody
from vidgend.models import Brief, Candidate
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.footage.port import FootageQuery
from vidgend.store.jobs import Job
from vidgend.worker import retries
from vidgend.worker.retries import again

NOW = 1_800_000_000.0
SCENE = [{"narration": "The sea is calm.", "query": "sea"}]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "RETRY_BASE_S", 0.02)


class Unsteady(FakeFootage):
    """Raises the errors one after the other, then answers."""

    def __init__(self, files: dict[str, Path], errors: list[StepError]) -> None:
        super().__init__({"*": tuple(candidate(name) for name in files)}, files)
        self.errors = errors

    async def search(self, query: FootageQuery) -> tuple[Candidate, ...]:
        if self.errors:
            self.queries.append(query)
            raise self.errors.pop(0)
        return await super().search(query)


async def test_a_job_waits_and_tries_again_while_a_provider_does_not_answer(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    stock = Unsteady(
        clips(ffmpeg.path, tmp_path / "clips", 1), [ProviderError("no answer"), ProviderError("no answer")]
    )
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        job = await make(runtime, scenes=SCENE)
        assert (job.state, job.failures, job.attempt) == ("completed", 2, 3)
        lines = [line for _, line in await runtime.jobs.logs(job.id)]
        assert sum("will be tried again" in line and "no answer" in line for line in lines) == 2
        assert len(stock.queries) == 3


async def test_what_was_done_before_the_failure_is_not_done_again(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    stock = Unsteady(clips(ffmpeg.path, tmp_path / "clips", 1), [ProviderError("no answer")])
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        await make(runtime, scenes=SCENE)
        rows = await runtime.database.read("SELECT kind, attempt - failures FROM steps WHERE state = 'done'")
        assert {kind for kind, _ in rows} >= {"plan", "search", "speech", "segment", "join"}
        assert {count for _, count in rows} == {1}


async def test_a_used_up_quota_is_waited_for_and_is_nobodys_failure(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    stock = Unsteady(clips(ffmpeg.path, tmp_path / "clips", 1), [ProviderRateLimited("used up", retry_after_s=0.2)])
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        job_id = await runtime.submit_generate(GenerateBody(scenes=SCENE))
        async with asyncio.timeout(20):
            while (job := await runtime.jobs.get(job_id)).run_at is None:
                await asyncio.sleep(0.01)
        assert job.state == "queued" and not job.ready and job.error is not None and "used up" in job.error.detail
        await runtime.worker.cancel(job_id)
        assert job.failures == 0 and (await runtime.jobs.get(job_id)).state == "cancelled"


async def test_a_provider_that_stays_down_fails_the_job_in_the_end_and_a_retry_by_hand_works(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 1)
    stock = Unsteady(files, [ProviderError("no answer") for _ in range(ProviderError.max_retries + 1)])
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        job = await make(runtime, scenes=SCENE)
        assert job.state == "failed" and job.error is not None and job.error.code == "footage_missing"
        assert job.failures == ProviderError.max_retries and stock.errors == []
        await runtime.jobs.retry(job.id)
        runtime.worker.wake()
        assert (await finished(runtime, job.id)).state == "completed"


async def test_ffmpeg_gets_the_same_input_twice_and_its_last_words_are_kept(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    async def broken(self: Ffmpeg, args: list[str], **_: object) -> int:
        tried.append(args)
        raise FfmpegFailed("ffmpeg: no", tail="line before\nno")

    files = clips(ffmpeg.path, tmp_path / "clips", 1)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        monkeypatch.setattr(Ffmpeg, "run", broken)
        job = await make(runtime, scenes=[{"narration": "", "query": "sea", "duration": 2}, *SCENE])
        assert job.state == "failed" and job.error is not None
        assert (job.error.code, job.error.tail, job.attempt) == ("ffmpeg_failed", "line before\nno", 2)


def tried(*, failures: int = 0, waits: int = 0, started_s_ago: float = 0.0) -> Job:
    return Job(
        id="job_1", kind="video", state="rendering", priority=0, brief=Brief(prompt="sea"), metadata={},
        callback_url=None, created_at=0, updated_at=0, started_at=NOW - started_s_ago, finished_at=None, attempt=1,
        crashes=0, cancel_requested=False, progress=0, scenes_done=0, scenes_total=0, error=None, result=None,
        owner="", failures=failures, waits=waits,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("error", "job", "counts"),
    [
        (ProviderError("down"), tried(failures=3), True),
        (ProviderError("down"), tried(failures=4), None),
        (ProviderRateLimited("hour", retry_after_s=3600), tried(failures=99), False),
        (ProviderRateLimited("hour", retry_after_s=3600), tried(started_s_ago=86_000), None),
        (ProviderRateLimited("month", retry_after_s=20 * 86_400), tried(), None),
        (StorageFull("full"), tried(), True),
        (StorageFull("full"), tried(failures=4), None),
        (StorageUnavailable("away"), tried(waits=1000, started_s_ago=1e6), False),
        (StorageRefused("no"), tried(waits=3), False),
        (FfmpegFailed("no"), tried(), True),
        (FfmpegFailed("no"), tried(failures=1), None),
        (VidgendError("bug"), tried(), None),
    ],
)
def test_how_often_depends_on_the_kind_of_error(error: VidgendError, job: Job, counts: bool | None) -> None:
    retry = again(error, job, now=NOW)
    assert (retry.counts if retry else None) == counts


def test_waits_are_spread_out_and_grow_up_to_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "RETRY_BASE_S", 2.0)
    error = ProviderError("down")
    error.max_retries = 100
    for failures, most_s in ((0, 2), (1, 4), (3, 16), (20, 600)):
        waits = [retry.wait_s for _ in range(300) if (retry := again(error, tried(failures=failures), now=NOW))]
        assert len(waits) == 300 and 0 <= min(waits) < most_s * 0.1 and most_s * 0.9 < max(waits) <= most_s
    named = again(ProviderRateLimited("hour", retry_after_s=120), tried(), now=NOW)
    assert named is not None and 120 <= named.wait_s <= 125
    away = [retry.wait_s for _ in range(300) if (retry := again(StorageUnavailable("away"), tried(waits=20), now=NOW))]
    assert max(away) > 500, "a store that is away is not asked every few seconds for ever"
