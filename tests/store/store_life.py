"""The real store in one life after another of a daemon, and its model beside it. For test_job_machine.py."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from job_model import Model, ModelJob, ModelStep
from nobodys import NobodysJobs
from ready_database import ready

from vidgend.errors import Conflict, NotFound, QueueFull
from vidgend.models import Published, Result
from vidgend.store.assets.filesystem import FilesystemBlobs
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.doomed import work_off
from vidgend.store.jobs import Failure, Job, JobStore
from vidgend.store.outbox import Outbox
from vidgend.store.steps import OUTLIVED_S, Lease, StepStore

MAX_QUEUED = 9
FAILED = Failure(code="x", detail="it did not work")
TABLES = "jobs", "job_events", "outbox", "published", "job_steps", "steps", "step_assets", "idempotency"

T = TypeVar("T")


class Unsynced(sqlite3.Connection):
    """No power is cut here, so nothing has to wait for the disk."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        return super().execute(sql.replace("synchronous = FULL", "synchronous = OFF"), *parameters)


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Unsynced)


def pick_one(entries: Iterable[T], pick: int) -> T:
    chosen = list(entries)
    return chosen[pick % len(chosen)]


class Life:
    """What can be done, each time to both: the store has to answer as the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.now = 1_000_000.0
        self.lived_s = 0.0
        """Like `now`, but nobody sets it."""
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.boots = 0
        self.lost_claims: list[tuple[JobStore, Job]] = []
        self.lost_leases: list[tuple[StepStore, Lease]] = []
        self.old_stores: list[JobStore] = []
        self.database = self.run(Database.open(ready(self.root / "db"), lambda: self.now, connect=connect))
        self.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.database.close())
        self.runner.close()
        self.folder.cleanup()

    def start(self, *, clean: bool = True) -> None:
        """The next life of the daemon, with nothing in its memory of the one before."""
        self.boots += 1
        boot_id = f"boot-{self.boots}"
        self.blobs = FilesystemBlobs(self.root / "assets")
        self.assets = AssetStore(self.database, self.blobs)
        self.run(self.assets.prepare())
        self.jobs = NobodysJobs(self.database, boot_id=boot_id, max_queued=MAX_QUEUED)
        self.steps = StepStore(self.database, self.assets, boot_id=boot_id)
        self.outbox = Outbox(self.database)
        recovered = self.run(self.jobs.recover())
        expected = (*self.model.start(self.now, clean=clean), clean)
        assert (recovered.requeued, recovered.given_up, recovered.clean) == expected

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read on the writer's thread, so after all that was posted."""
        return self.run(self.database.write(lambda connection: connection.execute(sql, parameters).fetchall()))

    def dump(self) -> list[list[tuple[Any, ...]]]:
        return [self.rows(f"SELECT * FROM {table}") for table in TABLES]

    def lease_lost(self, key: str) -> None:
        step = self.model.steps.get(key)
        if step is not None and step.lease is not None:
            self.lost_leases.append((self.steps, step.lease))

    def claim_lost(self, job: ModelJob) -> None:
        assert job.claim is not None
        self.lost_claims.append((self.jobs, job.claim))

    def retry(self, job: ModelJob) -> None:
        may = job.state in ("failed", "cancelled") or (job.state == "completed" and not job.files)
        if may and len(self.model.queued()) >= MAX_QUEUED:
            with pytest.raises(QueueFull):
                self.run(self.jobs.retry(job.id))
        elif may:
            self.model.retry(job, self.now)
            again = self.run(self.jobs.retry(job.id))
            assert (again.state, again.error, again.failures, again.suspicion) == ("queued", None, 0, 0)
        else:
            with pytest.raises(Conflict):
                self.run(self.jobs.retry(job.id))

    def adopt_cleared(self, key: str) -> None:
        """A suspect that has outlived its last lives is cleared, although a step of it that crashed is still to come."""
        for job in self.model.jobs.values():
            if job.suspicion and key in job.keys and not job.ended:
                ((suspicion,),) = self.rows("SELECT suspicion FROM jobs WHERE id = ?", (job.id,))
                if suspicion == 0:
                    assert self.now - job.began > OUTLIVED_S
                    job.suspicion = 0

    def delete(self, job: ModelJob) -> None:
        if not job.ended:
            with pytest.raises(Conflict):
                self.run(self.jobs.delete(job.id))
            return
        self.run(self.jobs.delete(job.id))
        self.run(work_off(self.database, self.assets))
        self.model.delete(job)
        with pytest.raises(NotFound):
            self.run(self.jobs.get(job.id))

    def claim_one(self) -> ModelJob | None:
        model = self.model
        model.wake(self.now)
        expected = model.next()
        claimed = self.run(self.jobs.claim())
        if model.paused:
            assert claimed is None
            return None
        for run_at, wait_s in self.rows("SELECT run_at, wait_s FROM jobs WHERE state = 'queued' AND ready = 0"):
            assert self.now < run_at <= self.now + wait_s + 0.001, "it waits longer than was meant"
        assert (claimed.id if claimed else None) == (expected.id if expected else None)
        if claimed is None or expected is None:
            return None
        self.lived_s += 0.001  # what was before is before
        model.claim(expected, claimed, now=self.now, lived_s=self.lived_s)
        assert (claimed.attempt, claimed.suspicion) == (expected.attempt, expected.suspicion)
        assert not claimed.cancel_requested, "its end was asked for before it was begun"
        return expected

    def complete_job(self, job: ModelJob, digests: Sequence[str]) -> None:
        assert job.claim is not None
        files = {}
        for number, digest in enumerate(digests):
            name, kind = f"{number}.mp4", "video/mp4"
            uri = self.run(self.assets.publish(digest, job.id, name, kind))
            size_bytes = self.run(self.assets.size_bytes(digest))
            files[str(number)] = Published(name=name, digest=digest, content_type=kind, size_bytes=size_bytes, uri=uri)
            self.model.used[digest] = self.lived_s
        result = Result(
            files=files, width_px=16, height_px=16, duration_s=1, credits=(), degraded=(), timings={}, report={}
        )
        assert self.run(
            self.jobs.complete(job.claim, result if job.kind == "video" else {}, scenes=1, line="done", event={})
        )
        self.claim_lost(job)
        self.model.end(job, "completed", self.now)
        job.files = set(digests) if job.kind == "video" else set()

    def fail(self, job: ModelJob) -> None:
        assert job.claim is not None and self.run(self.jobs.fail(job.claim, FAILED, progress=10))
        self.claim_lost(job)
        self.model.end(job, "failed", self.now)

    def park(self, job: ModelJob, wait_s: float, counts: bool) -> None:
        assert job.claim is not None and self.run(self.jobs.park(job.claim, FAILED, wait_s=wait_s, counts=counts))
        self.claim_lost(job)
        job.failures += counts
        if job.cancel_requested:
            self.model.end(job, "cancelled", self.now)
        else:
            self.model.put_back(job)
            job.run_at, job.wait_s = self.now + wait_s, wait_s

    def output_of(self, key: str, job: ModelJob) -> dict[str, Any] | None:
        step = self.model.steps.get(key)
        output = self.run(self.steps.finished(key, job.id))
        if step is None or step.state != "done":
            assert output is None
        elif damaged := self.model.damaged & set(step.digests):
            assert output is None, "its bytes are gone"
            self.adopt_steps(lambda known, other: bool(damaged & set(other.digests)))
            assert key not in self.model.steps
        else:
            assert output == step.output, "what is done was not found"
            assert all(self.run(self.blobs.has(digest)) for digest in step.digests)
            job.keys.add(key)
            self.model.used |= dict.fromkeys(step.digests, self.lived_s)
        return output

    def end_step(self, key: str, how: str, contents: list[bytes]) -> None:
        lease = self.model.steps[key].lease
        if how == "later" or lease is None:
            return
        self.lease_lost(key)
        if how == "finish":
            digests = tuple(self.stored(content) for content in contents)
            output = {"of": f"{key}/{lease.attempt}/{lease.token}"}
            assert self.run(self.steps.finish(lease, output, digests, seconds=1)) == output
            self.model.finish(key, output, digests)
            self.adopt_cleared(key)
        elif how == "fail":
            self.run(self.steps.fail(lease, "no", seconds=1))
            self.model.fail_step(key)
        else:
            self.run(self.steps.release(lease))
            self.model.release_step(key)

    def stored(self, content: bytes) -> str:
        (self.root / "new").write_bytes(content)
        digest = self.run(self.assets.put(self.root / "new"))
        self.model.used[digest] = self.lived_s
        self.model.damaged.discard(digest)
        return digest

    def adopt_steps(self, may_go: Callable[[str, ModelStep], bool]) -> None:
        """Forget in the model the steps that the store has forgotten, if it was allowed to."""
        left = {key for (key,) in self.rows("SELECT key FROM steps")}
        for key, step in list(self.model.steps.items()):
            if key not in left:
                assert may_go(key, step), "a step that is in use was forgotten"
                self.lease_lost(key)
                del self.model.steps[key]

    def late_in_a_job(self, pick: int, how: str) -> None:
        running = {job.id for job in self.model.running()}
        again = [lost for lost in self.lost_claims if lost[1].id in running]  # someone else has it now
        jobs, claim = pick_one(again[::-1] or self.lost_claims[::-1], pick)
        if how == "complete":
            assert not self.run(jobs.complete(claim, {}, scenes=0, line="late", event={}))
        elif how == "fail":
            assert not self.run(jobs.fail(claim, FAILED, progress=1))
        elif how == "park":
            assert not self.run(jobs.park(claim, FAILED, wait_s=0))
        else:
            self.run(jobs.move(claim, "publishing", progress=99, line="late"))

    def late_in_a_step(self, pick: int, how: str) -> None:
        steps, lease = pick_one(self.lost_leases[::-1], pick)
        if how in ("move", "complete"):
            step = self.model.steps.get(lease.key)
            counts = step.output if step is not None and step.state == "done" else None
            assert self.run(steps.finish(lease, {"by": "late"}, (), seconds=1)) == counts
        elif how == "fail":
            self.run(steps.fail(lease, "late", seconds=1))
        else:
            self.run(steps.release(lease))
