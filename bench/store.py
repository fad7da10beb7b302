"""The store: durable submits, claims beside a million queued jobs, recovery, and the write-ahead log under a reader."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from vidgend.models import Brief
from vidgend.store.database import Database
from vidgend.store.jobs import JobStore

T = TypeVar("T")

BRIEF = Brief(prompt="A beautiful sunset over the ocean with waves crashing on the beach")
AT_ONCE = (1, 8, 64)
SUBMIT_S = 2.0
SIZES = (10, 10_000, 1_000_000)
SAMPLES = 200
ORPHANS = 10_000
WRITES = 10_000
WAL_WAIT_S = 10.0

# Ids are random as real ones are, so that their index is as spread as a real one.
_FILL = """
WITH RECURSIVE n (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :end)
INSERT INTO jobs (id, kind, state, owner, rank, brief, created_at, updated_at, boot_id, token)
SELECT 'job_' || lower(hex(randomblob(10))), kind, :state, 'owner ' || i % 3, created_at + i * 0.001, brief,
  created_at + i * 0.001, updated_at, :boot, :boot
FROM n CROSS JOIN jobs WHERE jobs.id = :like
"""
_ACCEPTED = """
INSERT INTO job_events (job_id, seq, at, line)
SELECT id, 1, created_at, 'accepted' FROM jobs WHERE true ON CONFLICT DO NOTHING
"""


class Timed(Database):
    """Also notes how long each transaction took without its commit."""

    work_s: list[float]

    async def write(self, transaction: Callable[[sqlite3.Connection], T], *, may_drop_ballast: bool = True) -> T:
        def timed(connection: sqlite3.Connection) -> T:
            began = time.perf_counter()
            try:
                return transaction(connection)
            finally:
                self.work_s.append(time.perf_counter() - began)

        return await super().write(timed, may_drop_ballast=may_drop_ballast)


def _file_system(path: Path) -> str:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "an unknown file system"
    entries = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    over = [(len(place), kind) for place, kind in entries if path.resolve().is_relative_to(place)]
    return max(over)[1] if over else "an unknown file system"


def _sync_ms(folder: Path) -> float:
    """A plain loop that appends 4 kB and waits for the disk: what a commit costs at least."""
    count = 0
    with (folder / "plain").open("wb", buffering=0) as file:
        began = time.perf_counter()
        while time.perf_counter() - began < SUBMIT_S:
            file.write(bytes(4096))
            os.fsync(file.fileno())
            count += 1
        return (time.perf_counter() - began) / count * 1000


async def _open(folder: Path, name: str) -> tuple[Timed, JobStore]:
    database = await Timed.open(folder / name)
    assert isinstance(database, Timed)
    database.work_s = []
    jobs = JobStore(database, boot_id="boot", max_queued=2_000_000)
    await jobs.recover()
    return database, jobs


async def _submits(folder: Path) -> None:
    print(f"disk: {_file_system(folder)}")
    database, jobs = await _open(folder, "submits")
    for at_once in AT_ONCE:
        sync_ms = await asyncio.to_thread(_sync_ms, folder)  # next to what it is compared with: disks have moods
        count, began = 0, time.perf_counter()

        async def client(until: float) -> None:
            nonlocal count
            while time.perf_counter() < until:
                await jobs.submit(BRIEF, owner="")
                count += 1

        await asyncio.gather(*(client(began + SUBMIT_S) for _ in range(at_once)))
        per_s = count / (time.perf_counter() - began)
        print(
            f"submit: {at_once:2} at once: {per_s:6.0f} durable per second, {per_s * sync_ms / 1000:.2f} times a plain "
            f"loop of 4 kB appends with fsync ({1000 / sync_ms:.0f})"
        )
    await database.close()


async def _fill(database: Database, jobs: JobStore, count: int, *, state: str, boot: str | None) -> None:
    """Bring the table to `count` jobs in one transaction. Not timed."""
    like, _ = await jobs.submit(BRIEF, owner="")
    have = sum((await jobs.counts()).values())
    values = {"first": have, "end": count, "state": state, "boot": boot, "like": like}

    def transaction(connection: sqlite3.Connection) -> None:
        if have < count:
            connection.execute(_FILL, values)
            connection.execute(_ACCEPTED)

    await database.write(transaction)
    await _log_emptied(database)  # reading beside a huge log is another question


async def _log_emptied(database: Database) -> None:
    """The writer does that when it is idle."""
    began = time.perf_counter()
    while database.wal_bytes > 4 * 2**20 and time.perf_counter() - began < WAL_WAIT_S:
        await asyncio.sleep(0.1)


async def _timed_ms(work: Callable[[], Awaitable[object]], ms: list[float]) -> object:
    began = time.perf_counter()
    value = await work()
    ms.append((time.perf_counter() - began) * 1000)
    return value


def _line(ms: list[float]) -> str:
    ordered = sorted(ms)
    return f"{statistics.median(ordered):.2f} ms (99th percentile {ordered[int(len(ordered) * 0.99) - 1]:.2f})"


class Measured:
    """Milliseconds of one size of queue, by what was done. `work` is a claim's transaction without its commit."""

    def __init__(self) -> None:
        names = ("claim", "work", "submit", "status", "page", "counts")
        self.ms: dict[str, list[float]] = {name: [] for name in names}


async def _measure(database: Timed, jobs: JobStore) -> Measured:
    measured = Measured()
    ms = measured.ms
    for _ in range(SAMPLES):
        before = len(database.work_s)
        began = time.perf_counter()
        job = await jobs.claim()
        ms["claim"].append((time.perf_counter() - began) * 1000)
        ms["work"].append(database.work_s[before] * 1000)
        assert job is not None
        await jobs.complete(job, {"clips": []}, scenes=0, line="done", event={})
        await _timed_ms(lambda job=job: jobs.submit(BRIEF, owner=job.owner), ms["submit"])  # type: ignore[misc]
    rows = await database.read("SELECT id FROM jobs WHERE state = 'queued' AND ready = 1 ORDER BY random() LIMIT ?", (SAMPLES,))  # fmt: skip
    random.shuffle(rows)

    for (job_id,) in rows:
        await _timed_ms(lambda job_id=job_id: jobs.look(job_id), ms["status"])  # type: ignore[misc]
        await _timed_ms(lambda: jobs.page(state="queued", limit=10), ms["page"])
        await _timed_ms(jobs.counts, ms["counts"])
    return measured


async def _queue_sizes(folder: Path) -> None:
    database, jobs = await _open(folder, "queue")
    found: list[Measured] = []
    for size in SIZES:
        await _fill(database, jobs, size, state="queued", boot=None)
        found.append(await _measure(database, jobs))
        ms = found[-1].ms
        print(f"claim: {_line(ms['claim'])} with {size:,} queued jobs; without its commit {_line(ms['work'])}")
    for name, ms_large in found[-1].ms.items():
        ratio = statistics.median(ms_large) / statistics.median(found[0].ms[name])
        print(f"flat: {name:6} {_line(ms_large)} with {SIZES[-1]:,}: {ratio:.2f} times that with {SIZES[0]}")
    await database.close()


async def _recovery(folder: Path) -> None:
    database, jobs = await _open(folder, "orphans")
    await _fill(database, jobs, ORPHANS + 1, state="rendering", boot="boot")
    again = JobStore(database, boot_id="next", max_queued=1)
    began = time.perf_counter()
    recovered = await again.recover()
    seconds = time.perf_counter() - began
    assert recovered.requeued == ORPHANS
    print(f"recovery: {ORPHANS:,} orphans are back in the queue after {seconds * 1000:.0f} ms")
    await database.close()


@contextmanager
def _reader(path: Path) -> Iterator[None]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM jobs").fetchall()
    yield
    connection.close()


async def _wal(folder: Path) -> None:
    database, jobs = await _open(folder, "wal")
    await jobs.submit(BRIEF, owner="")
    highest = 0

    async def writes() -> None:
        nonlocal highest
        for _ in range(WRITES // 64):
            await asyncio.gather(*(jobs.submit(BRIEF, owner="") for _ in range(64)))
            highest = max(highest, database.wal_bytes)

    await writes()
    without = highest
    with _reader(database.path):
        await writes()
    held, began = highest, time.perf_counter()
    await jobs.submit(BRIEF, owner="")
    await _log_emptied(database)
    print(
        f"log: at most {without / 1e6:.1f} MB in {WRITES:,} writes, {held / 1e6:.1f} MB with a reader held open, "
        f"{database.wal_bytes / 1e6:.1f} MB {time.perf_counter() - began:.1f} s after it ended"
    )
    await database.close()


async def bench() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await _submits(folder)
        await _queue_sizes(folder)
        await _recovery(folder)
        await _wal(folder)


if __name__ == "__main__":
    asyncio.run(bench())
