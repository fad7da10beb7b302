"""Steps: done once, found again, fenced."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from nobodys import NobodysJobs
from ready_database import ready

from vidgend.models import Brief
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.steps import StepStore

KEY = "a" * 64
BEGIN = {"kind": "segment", "label": "ffmpeg"}


class Bench:
    database: Database
    assets: AssetStore
    steps: StepStore
    job: str


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench()
    bench.database = await Database.open(ready(tmp_path / "db"))
    bench.assets = await open_filesystem_assets(bench.database, tmp_path / "assets")
    bench.steps = StepStore(bench.database, bench.assets, boot_id="boot-1")
    jobs = NobodysJobs(bench.database, boot_id="boot-1", max_queued=10)
    await jobs.recover()
    bench.job, _ = await jobs.submit(Brief(prompt="sea"))
    yield bench
    await bench.assets.aclose()
    await bench.database.close()


async def put(bench: Bench, tmp_path: Path, content: bytes) -> str:
    (tmp_path / "in").write_bytes(content)
    return await bench.assets.put(tmp_path / "in")


async def test_a_finished_step_is_found_by_its_key_and_belongs_to_whoever_uses_it(bench: Bench, tmp_path: Path) -> None:
    assert await bench.steps.finished(KEY, bench.job) is None
    lease = await bench.steps.begin(KEY, job_id=bench.job, **BEGIN)
    assert await bench.steps.finished(KEY, bench.job) is None, "not done yet"
    digest = await put(bench, tmp_path, b"segment")
    assert await bench.steps.finish(lease, {"digest": digest}, (digest,), seconds=2.5) == {"digest": digest}
    assert await bench.steps.finished(KEY, bench.job) == {"digest": digest}
    await bench.database.write(lambda c: c.execute("DELETE FROM job_steps"))
    await bench.steps.finished(KEY, bench.job)
    await bench.database.write(lambda c: None)
    assert await bench.database.read("SELECT job_id, key FROM job_steps") == [(bench.job, KEY)]


async def test_a_step_whose_asset_is_gone_is_not_done_and_can_be_done_again(bench: Bench, tmp_path: Path) -> None:
    lease = await bench.steps.begin(KEY, job_id=bench.job, **BEGIN)
    digest = await put(bench, tmp_path, b"segment")
    await bench.steps.finish(lease, {"digest": digest}, (digest,), seconds=1)
    await bench.assets.blobs.delete(digest)
    assert await bench.steps.finished(KEY, bench.job) is None
    lease = await bench.steps.begin(KEY, job_id=bench.job, **BEGIN)
    again = await put(bench, tmp_path, b"another")
    assert await bench.steps.finish(lease, {"digest": again}, (again,), seconds=1) == {"digest": again}
    assert await bench.steps.finished(KEY, bench.job) == {"digest": again}


async def test_the_first_end_of_a_step_wins(bench: Bench) -> None:
    old = await bench.steps.begin(KEY, job_id=bench.job, **BEGIN)
    new = await bench.steps.begin(KEY, job_id=bench.job, **BEGIN)  # forced: the first one is still at work
    assert new.attempt == old.attempt + 1
    assert await bench.steps.finish(old, {"by": "old"}, (), seconds=1) is None
    assert await bench.steps.finish(new, {"by": "new"}, (), seconds=1) == {"by": "new"}
    assert await bench.steps.finish(old, {"by": "old"}, (), seconds=1) == {"by": "new"}
    assert await bench.steps.finish(replace(new, token="x"), {"by": "x"}, (), seconds=1) == {"by": "new"}
    await bench.steps.fail(old, "late", seconds=1)
    assert await bench.steps.finished(KEY, bench.job) == {"by": "new"}


async def test_failures_count_and_a_cancel_costs_nothing(bench: Bench) -> None:
    await bench.steps.fail(await bench.steps.begin(KEY, job_id=bench.job, **BEGIN), "ffmpeg: no", seconds=1)
    await bench.steps.release(await bench.steps.begin(KEY, job_id=bench.job, **BEGIN))
    counters = "SELECT state, attempt, failures, refunds FROM steps"
    assert await bench.database.read(counters) == [("ready", 1, 1, 1)]
    await bench.steps.finish(await bench.steps.begin(KEY, job_id=bench.job, **BEGIN), {}, (), seconds=1)
    assert await bench.database.read(counters) == [("done", 2, 1, 1)]


async def test_an_output_that_is_too_old_is_made_anew_and_stays_until_there_is_a_new_one(bench: Bench) -> None:
    now = [1000.0]
    bench.database.clock = lambda: now[0]
    lease = await bench.steps.begin(KEY, job_id=bench.job, **BEGIN)
    await bench.steps.finish(lease, {"n": 1}, (), seconds=1)
    now[0] += 100
    assert await bench.steps.finished(KEY, bench.job, max_age_s=100) == {"n": 1}
    now[0] += 1
    assert await bench.steps.finished(KEY, bench.job, max_age_s=100) is None
    for give_up in ("fail", "release", "crash"):
        lease = await bench.steps.begin(KEY, job_id=bench.job, keep=True, **BEGIN)
        assert await bench.steps.finished(KEY, bench.job) is None, "it is being made"
        if give_up == "fail":
            await bench.steps.fail(lease, "no answer", seconds=1)
        elif give_up == "release":
            await bench.steps.release(lease)
        else:
            await NobodysJobs(bench.database, boot_id="boot-2", max_queued=10).recover()
        assert await bench.steps.finished(KEY, bench.job) == {"n": 1}, give_up
        assert await bench.steps.finished(KEY, bench.job, max_age_s=100) is None, "it is as old as before"
    lease = await bench.steps.begin(KEY, job_id=bench.job, keep=True, **BEGIN)
    assert await bench.steps.finish(lease, {"n": 2}, (), seconds=1) == {"n": 2}
    assert await bench.steps.finished(KEY, bench.job, max_age_s=100) == {"n": 2}
