"""The worker's own loops: how often they turn, and what a cancel meets there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from workshop import clips, fake_footage, finished, workshop

from vidgend.errors import DatabaseUnavailable
from vidgend.http.wire import GenerateBody, to_brief
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.store.jobs import Failure, Job
from vidgend.worker import retries, upkeep, worker
from vidgend.worker.attempt import Finish

SCENE = [{"narration": "The sea is calm.", "query": "sea"}]


async def test_a_cancel_that_comes_with_the_claim_stops_the_work(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    stock = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        for turns in range(40):
            job_id = await runtime.submit_generate(GenerateBody(scenes=SCENE, seed=turns))
            for _ in range(turns % 7):
                await asyncio.sleep(0)
            await runtime.worker.cancel(job_id)
            assert runtime.worker.progress(job_id) is None, "nothing runs any more"
            assert (await runtime.jobs.get(job_id)).state in ("cancelled", "completed")


@pytest.mark.parametrize("ended_by", ["cancel", "stop"])
async def test_how_far_a_job_came_is_known_when_it_is_cancelled_or_stopped(
    ffmpeg: Ffmpeg, tmp_path: Path, ended_by: str
) -> None:
    stock = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 2))
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        job_id = await runtime.submit_generate(GenerateBody(scenes=SCENE * 2))
        async with asyncio.timeout(60):
            while (progress := runtime.worker.progress(job_id)) is None or not progress.scenes_done:
                await asyncio.sleep(0.005)
        percent, scenes = progress.percent, progress.scenes_done
        await (runtime.worker.cancel(job_id) if ended_by == "cancel" else runtime.worker.stop())
        job = await runtime.jobs.get(job_id)
        assert job.state == ("cancelled" if ended_by == "cancel" else "queued")
        assert job.progress >= percent > 0 and job.scenes_done >= scenes and job.scenes_total == 2


@pytest.mark.parametrize("held_by", ["pause", "slots", "space"])
async def test_a_job_that_is_due_but_cannot_begin_does_not_make_the_loop_spin(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_by: str
) -> None:
    stock = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        await runtime.jobs.pause("")
        await runtime.submit_generate(GenerateBody(scenes=SCENE))
        now = runtime.database.clock()
        due = "UPDATE jobs SET ready = 0, run_at = ?, wait_s = 1"
        await runtime.database.write(lambda connection: connection.execute(due, (now - 1,)))
        if held_by == "slots":
            monkeypatch.setattr(runtime.worker, "_max_jobs", 0)
        elif held_by == "space":
            monkeypatch.setattr(runtime.space, "lacking_bytes", lambda *_, **__: 1)
        if held_by != "pause":
            await runtime.jobs.resume()
        turns = 0
        record_late = runtime.worker._record_late

        async def counted() -> None:
            nonlocal turns
            turns += 1
            await record_late()

        monkeypatch.setattr(runtime.worker, "_record_late", counted)
        runtime.worker.wake()
        await asyncio.sleep(0.5)
        assert 1 <= turns < 5


async def test_one_failed_write_costs_a_job_a_try_and_not_its_life(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "RETRY_BASE_S", 0.02)
    stock = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        move, left = runtime.jobs.move, [1]

        async def failing(*args: Any, **more: Any) -> None:
            if left:
                left.pop()
                raise DatabaseUnavailable("disk I/O error")
            await move(*args, **more)

        monkeypatch.setattr(runtime.jobs, "move", failing)
        job = await finished(runtime, await runtime.submit_generate(GenerateBody(scenes=SCENE)))
        assert (job.state, job.failures) == ("completed", 1) and not left


async def test_a_job_that_is_put_back_and_claimed_in_one_moment_is_known_to_run(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        at_work, claim, attempts = runtime.worker, runtime.jobs.claim, list[Job]()
        claimed_again, second_began = asyncio.Event(), asyncio.Event()

        async def claiming(only: frozenset[str] | None = None) -> Job | None:
            job = await claim(only)
            if job is not None and job.attempt == 2:
                claimed_again.set()
            return job

        async def make(job: Job, run: Any, **_: Any) -> Finish:
            attempts.append(job)
            if len(attempts) > 1:
                second_began.set()
                await asyncio.Event().wait()
            return Finish(state="parked", record=lambda: put_back(job))

        async def put_back(job: Job) -> None:
            await runtime.jobs.park(job, Failure(code="x", detail="x"), wait_s=0)
            at_work.wake()
            await claimed_again.wait()

        monkeypatch.setattr(runtime.jobs, "claim", claiming)
        monkeypatch.setattr(at_work, "_max_jobs", 2)
        monkeypatch.setattr(at_work._attempts, "make", make)
        job_id = await runtime.submit_generate(GenerateBody(scenes=SCENE))
        async with asyncio.timeout(20):
            await second_began.wait()
            for _ in range(20):  # the first run ends
                await asyncio.sleep(0)
        assert at_work.progress(job_id) is not None, "the second run can be seen and cancelled"


async def test_what_a_job_published_before_it_was_cancelled_is_gone_soon(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        named, go_on = asyncio.Event(), asyncio.Event()
        publish = runtime.assets.publish

        async def slowly(*args: Any) -> str:
            uri = await publish(*args)
            named.set()
            await go_on.wait()
            return uri

        monkeypatch.setattr(runtime.assets, "publish", slowly)
        job_id = await runtime.submit_generate(GenerateBody(scenes=SCENE))
        await asyncio.wait_for(named.wait(), 60)
        folder = runtime.settings.assets_dir / "videos" / job_id
        assert list(folder.iterdir())
        await runtime.worker.cancel(job_id)
        async with asyncio.timeout(10):
            while folder.exists():
                await asyncio.sleep(0.02)


async def test_lacking_space_is_looked_for_at_once_however_many_sweeps_found_nothing_to_delete(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOK_AGAIN_S", 0.02)
    monkeypatch.setattr(upkeep, "SWEEP_EVERY_S", 0.01)
    stock = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        swept = asyncio.Event()
        sweep, sweeps = runtime.worker._upkeep._sweep, [0]

        async def counted(lacking_bytes: int) -> None:
            sweeps[0] += 1
            await sweep(lacking_bytes)
            swept.set()

        monkeypatch.setattr(runtime.worker._upkeep, "_sweep", counted)
        async with asyncio.timeout(20):
            while sweeps[0] < 12:
                await swept.wait()
                swept.clear()
        monkeypatch.setattr(upkeep, "SWEEP_EVERY_S", 600.0)
        monkeypatch.setattr(runtime.space, "lacking_bytes", lambda *_, **__: 1)
        swept.clear()
        await asyncio.wait_for(swept.wait(), 2)


async def test_deleting_what_is_doomed_may_take_longer_than_the_next_look(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOK_AGAIN_S", 0.05)
    stock = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        ended = asyncio.Event()
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow(*_: Any) -> int:
            begun.set()
            await go_on.wait()
            ended.set()
            return 0

        monkeypatch.setattr(upkeep, "work_off", slow)
        runtime.worker._upkeep._untidy.set()
        await asyncio.wait_for(begun.wait(), 5)
        asyncio.get_running_loop().call_later(0.2, go_on.set)  # four looks later
        await asyncio.wait_for(ended.wait(), 5)


async def test_a_disk_that_cannot_be_asked_stops_the_work_and_not_the_daemon(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOK_AGAIN_S", 0.02)
    monkeypatch.setattr(worker, "LOOK_AGAIN_S", 0.02)
    stock = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    async with workshop(tmp_path / "data", providers=(stock,)) as runtime:
        asked = asyncio.Event()

        def broken(*_: Any, **__: Any) -> int:
            loop.call_soon_threadsafe(asked.set)
            raise OSError(5, "Input/output error")

        loop = asyncio.get_running_loop()
        with monkeypatch.context() as disk:
            disk.setattr(runtime.space, "lacking_bytes", broken)
            await asyncio.wait_for(asked.wait(), 5)
            job_id = await runtime.jobs.submit(to_brief(GenerateBody(scenes=SCENE), runtime.defaults), owner="")
            runtime.worker.wake()
            asked.clear()
            await asyncio.wait_for(asked.wait(), 5)
            assert (await runtime.jobs.get(job_id[0])).state == "queued"
        assert (await finished(runtime, job_id[0])).state == "completed"
