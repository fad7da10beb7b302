"""What a start makes of what an earlier boot left: orphans, crash counters, suspects."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nobodys import NobodysJobs
from ready_database import ready

from vidgend.errors import StepPoisoned
from vidgend.models import Brief
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.database import Database
from vidgend.store.jobs import Job
from vidgend.store.recovery import Recovered
from vidgend.store.steps import SUSPECT_FROM, StepStore

BRIEF = Brief(prompt="the sea", voice="en-US-neutral")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(ready(tmp_path / "db"))
    yield database
    await database.close()


class Boot:
    """One life of a daemon."""

    def __init__(self, database: Database, folder: Path, boot_id: str) -> None:
        self.jobs = NobodysJobs(database, boot_id=boot_id, max_queued=100_000)
        self._database, self._folder, self._boot_id = database, folder, boot_id
        self.recovered: Recovered | None = None

    async def start(self) -> "Boot":
        self.recovered = await self.jobs.recover()
        assets = await open_filesystem_assets(self._database, self._folder)
        self.steps = StepStore(self._database, assets, boot_id=self._boot_id)
        return self

    async def claim(self) -> Job:
        job = await self.jobs.claim()
        assert job is not None
        return job


async def boot(database: Database, tmp_path: Path, name: str) -> Boot:
    return await Boot(database, tmp_path / "assets", name).start()


async def test_a_running_job_is_taken_up_again_after_a_crash(database: Database, tmp_path: Path) -> None:
    first = await boot(database, tmp_path, "1")
    job_id, _ = await first.jobs.submit(BRIEF)
    await first.claim()
    again = await boot(database, tmp_path, "2")
    assert again.recovered == Recovered(requeued=1, given_up=0, clean=False)
    job = await again.jobs.get(job_id)
    assert (job.state, job.crashes, job.attempt) == ("queued", 1, 1)


async def test_a_job_that_kills_the_daemon_runs_alone_after_two_crashes_and_is_given_up_after_three(
    database: Database, tmp_path: Path
) -> None:
    """The neighbours that died with it are cleared by running alone themselves."""
    life = await boot(database, tmp_path, "0")
    poison, _ = await life.jobs.submit(BRIEF)
    innocent, _ = await life.jobs.submit(BRIEF)
    third, _ = await life.jobs.submit(BRIEF)
    for crash in (1, 2):
        assert {(await life.claim()).id, (await life.claim()).id} == {poison, innocent}
        life = await boot(database, tmp_path, str(crash))
    suspect = await life.claim()
    assert (suspect.id, suspect.suspicion) == (poison, 2)
    assert await life.jobs.claim() is None, "nothing runs beside a suspect"
    life = await boot(database, tmp_path, "3")
    job = await life.jobs.get(poison)
    assert job.state == "failed" and job.error is not None and job.error.code == "crash_loop"
    alone = await life.claim()
    assert alone.id == innocent and await life.jobs.claim() is None
    await life.jobs.complete(alone, {}, scenes=0, line="done", event={})
    assert (await life.claim()).id == third


async def test_a_suspect_waits_until_it_is_alone(database: Database, tmp_path: Path) -> None:
    life = await boot(database, tmp_path, "0")
    suspect, _ = await life.jobs.submit(BRIEF)
    for crash in (1, 2):
        await life.claim()
        life = await boot(database, tmp_path, str(crash))
    urgent, _ = await life.jobs.submit(BRIEF, priority=50)
    running = await life.claim()
    assert running.id == urgent and await life.jobs.claim() is None
    await life.jobs.complete(running, {}, scenes=0, line="done", event={})
    assert (await life.claim()).id == suspect


async def test_getting_on_clears_a_job_of_suspicion_unless_the_step_that_crashed_is_still_to_come(
    database: Database, tmp_path: Path
) -> None:
    life = await boot(database, tmp_path, "0")
    job_id, _ = await life.jobs.submit(BRIEF)
    for crash in range(1, 6):  # five power cuts, each while another step was under way
        await life.claim()
        if crash > 1:
            lease = await life.steps.begin(f"{crash - 1:064}", kind="k", label="io", job_id=job_id)
            await life.steps.finish(lease, {}, (), seconds=1)
            assert (await life.jobs.get(job_id)).suspicion == 0
        await life.steps.begin(f"{crash:064}", kind="k", label="io", job_id=job_id)
        life = await boot(database, tmp_path, str(crash))
    job = await life.jobs.get(job_id)
    assert (job.state, job.crashes, job.suspicion) == ("queued", 5, 1)
    await life.claim()
    other = await life.steps.begin("a" * 64, kind="k", label="io", job_id=job_id)
    await life.steps.finish(other, {}, (), seconds=1)
    assert (await life.jobs.get(job_id)).suspicion == 1, (
        "the step that was under way at the crash has not been done yet"
    )


async def test_a_step_that_crashed_and_is_not_wanted_again_does_not_condemn_a_job_that_gets_on(tmp_path: Path) -> None:
    """A search whose key changes by the hour, a clip that was replaced: the step under way at a crash may never end."""
    now = 1_000_000.0
    database = await Database.open(ready(tmp_path / "clocked"), clock=lambda: now)
    life = await boot(database, tmp_path, "0")
    job_id, _ = await life.jobs.submit(BRIEF)
    for crash in range(1, 6):
        await life.claim()
        now += 30
        await life.steps.begin(f"{crash:064}", kind="search", label="io", job_id=job_id)
        life = await boot(database, tmp_path, str(crash))
        await life.claim()
        for number in range(3):
            now += 30
            lease = await life.steps.begin(f"{crash}{number:063}", kind="segment", label="io", job_id=job_id)
            await life.steps.finish(lease, {}, (), seconds=1)
        assert (await life.jobs.get(job_id)).suspicion == 0
        await life.jobs.release("stopping")
    await database.close()


async def test_a_step_that_killed_three_daemons_is_not_begun_for_any_job_until_one_is_sent_again_by_hand(
    database: Database, tmp_path: Path
) -> None:
    life = await boot(database, tmp_path, "0")
    job_id, _ = await life.jobs.submit(BRIEF)
    for crash in (1, 2, 3):
        await life.claim()
        await life.steps.begin("a" * 64, kind="fetch", label="net", job_id=job_id)
        life = await boot(database, tmp_path, str(crash))
    assert (await life.jobs.get(job_id)).state == "failed"
    other, _ = await life.jobs.submit(BRIEF)
    with pytest.raises(StepPoisoned, match="3 times"):
        await life.steps.begin("a" * 64, kind="fetch", label="net", job_id=other)
    await life.jobs.retry(job_id)
    assert (await life.steps.begin("a" * 64, kind="fetch", label="net", job_id=job_id)).attempt == 4


async def test_a_step_that_only_ran_beside_the_one_that_kills_is_never_condemned(
    database: Database, tmp_path: Path
) -> None:
    life = await boot(database, tmp_path, "0")
    job_id, _ = await life.jobs.submit(BRIEF)
    for crash in range(1, 6):
        await life.steps.begin("a" * 64, kind="segment", label="ffmpeg", job_id=job_id)
        await life.steps.begin("b" * 64, kind="sound", label="ffmpeg", job_id=job_id)
        life = await boot(database, tmp_path, str(crash))
        assert await life.steps.is_suspect("b" * 64) == (crash >= SUSPECT_FROM)
    await life.steps.begin("a" * 64, kind="segment", label="ffmpeg", job_id=job_id)
    life = await boot(database, tmp_path, "alone")
    with pytest.raises(StepPoisoned, match="3 times"):
        await life.steps.begin("a" * 64, kind="segment", label="ffmpeg", job_id=job_id)
    lease = await life.steps.begin("b" * 64, kind="sound", label="ffmpeg", job_id=job_id)
    await life.steps.finish(lease, {}, (), seconds=1)
    assert not await life.steps.is_suspect("b" * 64)


async def test_crashes_count_even_when_the_clock_was_once_in_the_future(tmp_path: Path) -> None:
    now = 4_000_000_000.0
    database = await Database.open(ready(tmp_path / "clocked"), clock=lambda: now)
    life = await boot(database, tmp_path, "future")
    await life.jobs.mark_clean_stop()
    now = 1_800_000_000.0
    life = await boot(database, tmp_path, "0")
    job_id, _ = await life.jobs.submit(BRIEF)
    for crash in (1, 2, 3):
        await life.claim()
        life = await boot(database, tmp_path, str(crash))
    assert (await life.jobs.get(job_id)).state == "failed"
    await database.close()


async def test_a_clean_stop_costs_neither_job_nor_step_an_attempt(database: Database, tmp_path: Path) -> None:
    life = await boot(database, tmp_path, "0")
    job_id, _ = await life.jobs.submit(BRIEF)
    await life.claim()
    await life.steps.begin("a" * 64, kind="k", label="io", job_id=job_id)
    await life.jobs.release("stopping")
    await life.jobs.mark_clean_stop()
    life = await boot(database, tmp_path, "1")
    job = await life.jobs.get(job_id)
    assert (job.state, job.attempt, job.crashes, job.refunds) == ("queued", 0, 0, 1)
    assert await database.read("SELECT state, attempt, crashes, refunds FROM steps") == [("ready", 0, 0, 1)]


async def test_ten_thousand_orphans_are_back_in_the_queue_within_a_second(database: Database, tmp_path: Path) -> None:
    life = await boot(database, tmp_path, "0")
    job_id, _ = await life.jobs.submit(BRIEF)
    await life.claim()
    row = "kind, state, priority, brief, created_at, updated_at, boot_id, token"
    await database.write(
        lambda c: c.execute(
            f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) "
            f"INSERT INTO jobs (id, {row}) SELECT 'job_' || i, {row} FROM n, jobs WHERE jobs.id = ?",
            (job_id,),
        )
    )
    began = time.process_time()  # a busy machine takes longer, but does no more
    life = await boot(database, tmp_path, "1")
    assert time.process_time() - began < 1.0
    assert life.recovered is not None and life.recovered.requeued == 10_000
    assert await life.jobs.counts() == {"queued": 10_000}
