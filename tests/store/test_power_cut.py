"""A power cut keeps only what was synced. The real Database and JobStore run over a disk that forgets the rest."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nobodys import NobodysJobs

from vidgend.errors import DatabaseUnavailable
from vidgend.models import Brief
from vidgend.store import schema
from vidgend.store.database import Database
from vidgend.store.job_rows import Failure
from vidgend.store.jobs import JobStore

pytest.importorskip("apsw", reason="the power-cut disk is an apsw VFS")
from powercut import Cut, ForgetfulDisk

BRIEF = Brief(prompt="the sea " * 60)


@dataclass
class Promises:
    """Everything that was acknowledged, in this order: (what, job id)."""

    made: list[tuple[str, str]] = field(default_factory=list)
    refused: int = 0

    async def submit(self, jobs: JobStore, count: int) -> None:
        for _ in range(count):
            with self.counting_errors():
                job_id, _ = await jobs.submit(BRIEF, callback_url="http://receiver.example/")
                self.made.append(("queued", job_id))

    async def work(self, jobs: JobStore, count: int) -> None:
        for number in range(count):
            with self.counting_errors():
                if (job := await jobs.claim()) is None:
                    await asyncio.sleep(0)
                    continue
                self.made.append(("claimed", job.id))
                if number % 3:
                    done = await jobs.complete(job, {"clips": []}, scenes=1, line="done", event={"type": "completed"})
                    self.made.append(("completed" if done else "claimed", job.id))
                else:
                    await jobs.fail(job, Failure(code="x", detail="x"), progress=1)
                    self.made.append(("failed", job.id))

    @contextlib.contextmanager
    def counting_errors(self) -> Iterator[None]:
        try:
            yield
        except DatabaseUnavailable:
            self.refused += 1


def _state(path: Path) -> dict[str, tuple[str, int]]:
    """Read with the real SQLite what is left; the file must be sound, whatever is missing."""
    if not path.exists():
        return {}
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
            return {}
        events = connection.execute("SELECT count(*) FROM outbox").fetchone()[0]
        found = {row[0]: (row[1], row[2]) for row in connection.execute("SELECT id, state, attempt FROM jobs")}
        # An end and its event are one transaction.
        assert events == sum(state in ("completed", "failed") for state, _ in found.values())
        return found
    finally:
        connection.close()


def _broken(cut: Cut, promises: Promises, folder: Path) -> list[tuple[str, str]]:
    """The promises made before the cut that the files which are left do not keep."""
    cut.restore(folder)
    left = _state(folder / "db")
    lost = []
    for promise, job_id in promises.made[: cut.promised]:
        state, attempt = left.get(job_id, ("", 0))
        kept = {"queued": state != "", "claimed": attempt > 0}.get(promise, state == promise)
        if not kept:
            lost.append((promise, job_id))
    return lost


async def _run(disk: ForgetfulDisk, promises: Promises, *, boots: int = 2, jobs_each: int = 240) -> list[Cut]:
    """Some boots of a busy daemon; power cuts at random moments of them."""
    cuts: list[Cut] = []
    wait = disk.random.randrange(1, 300)

    def before_change() -> None:
        nonlocal wait
        wait -= 1
        if wait == 0:
            wait = disk.random.randrange(1, 300)
            cuts.append(disk.cut(len(promises.made)))

    disk.before_change = before_change
    for boot in range(boots):
        database = await Database.open(disk.folder / "db", connect=disk.connect)
        try:
            jobs = NobodysJobs(database, boot_id=f"boot-{disk.name}-{boot}", max_queued=10_000)
            with promises.counting_errors():
                await jobs.recover()
            await asyncio.gather(
                *(promises.submit(jobs, jobs_each // 4) for _ in range(4)),
                *(promises.work(jobs, jobs_each // 4) for _ in range(2)),
            )
            await promises.submit(jobs, 10)  # alone, each in a commit of its own
            cuts.append(disk.cut(len(promises.made)))
        finally:
            await database.close()
    cuts.append(disk.cut(len(promises.made)))
    return cuts


async def _many_runs(tmp_path: Path, synchronous: str, wanted: int) -> tuple[list[Cut], list[tuple[str, str]], int]:
    cuts: list[Cut] = []
    lost: list[tuple[str, str]] = []
    promised = 0
    for seed in range(1000):
        folder = tmp_path / f"run-{seed}"
        folder.mkdir()
        disk, promises = ForgetfulDisk(folder, seed), Promises()
        disk.synchronous = synchronous
        made = await _run(disk, promises)
        assert promises.refused == 0
        for number, cut in enumerate(made):
            lost += _broken(cut, promises, folder / f"cut-{number}")
            promised += cut.promised
        cuts += made
        if len(cuts) >= wanted:
            break
    return cuts, lost, promised


async def test_200_power_cuts_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    cuts, lost, promised = await _many_runs(tmp_path, "FULL", 200)
    assert lost == []
    assert len(cuts) >= 200 and promised > 10_000
    # Cuts fell while everything was in the log, after checkpoints in the middle of the work, and between them.
    while_running = [cut for cut in cuts if cut.promised]
    before_any = min(cut.checkpoints for cut in while_running)
    assert sum(cut.checkpoints == before_any for cut in while_running) >= 20
    assert sum(cut.checkpoints > before_any and bool(cut.files.get("db-wal")) for cut in while_running) >= 20
    assert len({cut.checkpoints for cut in while_running}) >= 4


async def test_less_than_full_syncs_would_lose_acknowledged_jobs(tmp_path: Path) -> None:
    _, lost, _ = await _many_runs(tmp_path, "NORMAL", 40)
    assert lost, "the disk forgot nothing, so the test above proves nothing"


async def test_a_failed_sync_loses_nothing_that_is_acknowledged_later(tmp_path: Path) -> None:
    failed = 0
    for seed in range(12):
        folder = tmp_path / f"run-{seed}"
        folder.mkdir()
        disk, promises = ForgetfulDisk(folder, seed), Promises()
        doomed = {disk.random.randrange(12, 120) for _ in range(4)}
        disk.fail_sync = doomed.__contains__
        cuts = await _run(disk, promises, boots=1, jobs_each=60)
        failed += promises.refused
        for number, cut in enumerate(cuts):
            assert _broken(cut, promises, folder / f"cut-{number}") == []
    assert failed >= 12, "hardly any sync failed while somebody waited for it"


async def _killed_at_a_failed_sync(folder: Path, seed: int) -> tuple[list[tuple[str, str]], int]:
    """A commit's sync fails and the daemon dies of it; the next daemon trusts the files as it sees them. Then the power
    fails. Answers (what of the second daemon's promises is lost, how many syncs failed)."""
    folder.mkdir()
    (folder / "first").mkdir()
    first, promises = ForgetfulDisk(folder / "first", seed), Promises()
    doomed = first.random.randrange(14, 50)
    after: list[tuple[ForgetfulDisk, int]] = []
    first.fail_sync = lambda number: number == doomed
    first.on_failed_sync = lambda: after.append((first.after_a_kill(folder / "second"), len(promises.made)))
    await _run(first, promises, boots=1, jobs_each=60)
    if not after:
        return [], 0
    second, kept = after[0]
    promises.made = promises.made[:kept]
    cuts = await _run(second, promises, boots=1, jobs_each=60)
    return [
        promise for number, cut in enumerate(cuts) for promise in _broken(cut, promises, folder / f"cut-{number}")
    ], len(after)


async def test_a_daemon_that_starts_after_one_died_of_a_failed_sync_builds_on_nothing_unsynced(tmp_path: Path) -> None:
    failed = 0
    for seed in range(10):
        lost, failures = await _killed_at_a_failed_sync(tmp_path / f"run-{seed}", seed)
        assert lost == []
        failed += failures
    assert failed >= 5


async def test_building_on_an_unsynced_log_would_lose_acknowledged_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "empty_log", lambda connection, busy_ms: True)
    for seed in range(30):
        lost, _ = await _killed_at_a_failed_sync(tmp_path / f"run-{seed}", seed)
        if lost:
            return
    pytest.fail("the disk forgot nothing, so the test above proves nothing")
