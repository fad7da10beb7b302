"""claim -> run -> finish. Owns every job's task; cancels, drains, and puts back what a clean stop interrupts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from vidgend.errors import NoFootage, StepError, StorageFull, VidgendError
from vidgend.models import TERMINAL_STATES, Brief, JobState, PrefetchBrief, Storyboard
from vidgend.pipeline.executor.port import Executor
from vidgend.pipeline.prefetch import prefetch
from vidgend.pipeline.produce import Producer
from vidgend.pipeline.run import JobRun, Progress
from vidgend.store.assets.filesystem import FilesystemAssets
from vidgend.store.jobs import Failure, Job, JobStore

_log = logging.getLogger(__name__)

MIN_FREE_BYTES = 512 * 1024 * 1024
"""Below this much free space no job is accepted or begun."""
SWEEP_EVERY_S = 600.0
"""The cache is swept at most this often, unless space is low."""
CLAIM_EVERY_S = 30.0
STOP_LOOP_S = 5.0


@dataclass(frozen=True, kw_only=True)
class CacheRules:
    """`shared` lets jobs use each other's finished steps; the rest is when those are swept."""

    shared: bool
    ttl_s: float
    max_bytes: int


Finish = Callable[[], Awaitable[Any]]
"""Records the end of a job."""


class _Keeper:
    """The storyboard of one job, kept in the store."""

    def __init__(self, jobs: JobStore, job_id: str) -> None:
        self._jobs = jobs
        self._job_id = job_id

    async def load(self) -> Storyboard | None:
        found = await self._jobs.storyboard(self._job_id)
        return found[1] if found else None

    async def save(self, storyboard: Storyboard) -> None:
        await self._jobs.save_storyboard(self._job_id, storyboard)


class Worker:
    """Runs at most `max_jobs` jobs at once. `result_event` makes the extra fields of a job.completed event."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        producer: Producer,
        executor: Executor,
        assets: FilesystemAssets,
        cache: CacheRules,
        max_jobs: int,
        job_timeout_s: float,
        result_event: Callable[[str, Any], dict[str, Any]],
        on_ended: Callable[[], None],
    ) -> None:
        self._jobs = jobs
        self._producer = producer
        self._executor = executor
        self._assets = assets
        self._cache = cache
        self._max_jobs = max_jobs
        self._job_timeout_s = job_timeout_s
        self._result_event = result_event
        self._on_ended = on_ended
        self._wake = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, Progress] = {}
        self._cancelled: set[str] = set()
        self._loop: asyncio.Task[None] | None = None
        self._began: dict[str, float] = {}
        self._late: list[tuple[str, Finish]] = []
        self._swept = float("-inf")
        self.draining = False
        self.only: set[str] | None = None
        """Where set, nothing but these jobs is claimed."""

    def start(self) -> None:
        self._loop = asyncio.create_task(self._claim_loop(), name="claim loop")

    def wake(self) -> None:
        """Look for queued jobs now."""
        self._wake.set()

    def progress(self, job_id: str) -> Progress | None:
        """Live progress of a job that runs here."""
        return self._progress.get(job_id)

    async def join(self) -> None:
        """Wait for the claim loop, which only ends by an error or by `stop`."""
        if self._loop is not None:
            await asyncio.shield(self._loop)

    def has_space(self) -> bool:
        free = self._assets.free_bytes()
        return free is None or free >= MIN_FREE_BYTES

    async def cancel(self, job_id: str) -> JobState:
        """Cancel a job; when this returns or raises its children are dead. Idempotent.

        The work is stopped first and that is recorded afterwards, so that a full disk cannot keep it going.
        Raises: NotFound; StorageFull if the job was stopped but its end cannot be written yet.
        """
        task = self._running.get(job_id)
        if task is not None:
            self._cancelled.add(job_id)
            task.cancel()
            await asyncio.wait([task])
        try:
            state = await self._jobs.request_cancel(job_id)
            if state not in TERMINAL_STATES:
                # A task that was cancelled before its first step has recorded nothing.
                await self._jobs.finish_cancel(job_id)
                state = (await self._jobs.get(job_id)).state
        except StorageFull as error:
            if task is None:
                raise
            raise StorageFull("the job has been stopped, but the disk is too full to record it yet") from error
        self._on_ended()
        return state

    async def stop(self) -> None:
        """Claim nothing more, interrupt what runs and put it back into the queue."""
        self.draining = True
        self._wake.set()
        try:
            if self._loop is not None:
                await asyncio.wait([self._loop], timeout=STOP_LOOP_S)
                self._loop.cancel()
                await asyncio.wait([self._loop])
        finally:
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            await self._jobs.release("vidgend is stopping; the job will go on after the restart")

    async def _claim_loop(self) -> None:
        while not self.draining:
            self._wake.clear()
            try:
                await self._record_late()
                await self._claim_what_fits()
                await self._sweep_if_due()
            except (VidgendError, OSError, sqlite3.OperationalError) as error:
                # A full disk or a busy one passes; the daemon outlives it and tries again.
                _log.error("claim_failed", extra={"error": str(error)})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLAIM_EVERY_S):
                    await self._wake.wait()

    async def _claim_what_fits(self) -> None:
        while not self.draining and len(self._running) < self._max_jobs:
            if not await asyncio.to_thread(self.has_space):
                _log.error("storage_low", extra={"free_bytes": self._assets.free_bytes()})
                return
            job = await self._jobs.claim(None if self.only is None else frozenset(self.only))
            if job is None:
                return
            self._begin(job)

    def _begin(self, job: Job) -> None:
        self._began[job.id] = time.time()
        task = asyncio.create_task(self._run(job), name=job.id)
        self._running[job.id] = task

        def ended(done: asyncio.Task[None]) -> None:
            self._running.pop(job.id, None)
            self._began.pop(job.id, None)
            self._progress.pop(job.id, None)
            self._cancelled.discard(job.id)
            self._wake.set()
            self._on_ended()
            if not done.cancelled() and done.exception() is not None:
                _log.error("job_task_died", exc_info=done.exception(), extra={"job": job.id})

        task.add_done_callback(ended)

    async def _sweep_if_due(self) -> None:
        """Make room in the cache, now and then, and at once where space is low. What a running job uses is younger
        than the job and stays."""
        low = not await asyncio.to_thread(self.has_space)
        if not low and time.monotonic() - self._swept < SWEEP_EVERY_S:
            return
        self._swept = time.monotonic()
        freed = await self._assets.sweep(
            keep=await self._jobs.kept_digests(),
            max_bytes=self._cache.max_bytes,
            max_age_s=self._cache.ttl_s,
            min_free_bytes=2 * MIN_FREE_BYTES if low else 0,
            used_since=min(self._began.values(), default=time.time()),
        )
        if freed:
            _log.info("cache_swept", extra={"freed_bytes": freed})

    async def _run(self, job: Job) -> None:
        progress = self._progress[job.id] = Progress()

        async def announce(state: JobState, line: str) -> None:
            scenes = (progress.scenes_done, progress.scenes_total)
            await self._jobs.move(job.id, state, progress=progress.percent, scenes=scenes, line=line)
            _log.info("job_stage", extra={"job": job.id, "stage": state})

        async def note(line: str) -> None:
            await self._jobs.note(job.id, line)

        run = JobRun(
            self._executor,
            salt="" if self._cache.shared else f"/{job.id}",
            announce=announce,
            note=note,
            progress=progress,
        )
        _log.info("job_started", extra={"job": job.id, "kind": job.kind, "attempt": job.attempt})
        deadline = asyncio.timeout(self._job_timeout_s)
        try:
            async with deadline:
                finish = await self._work(job, run)
        except asyncio.CancelledError:
            finish = self._interrupted(job.id)
        except VidgendError as error:
            tail = error.tail if isinstance(error, StepError) else ""
            failure = Failure(code=error.code, detail=error.detail, hint=error.hint, tail=tail[-2000:])
            finish = self._failed(job.id, failure, progress)
        except Exception as bug:  # noqa: BLE001  the boundary of a job: a bug ends the job, not the daemon
            if isinstance(bug, TimeoutError) and deadline.expired():
                failure = Failure(
                    code="timeout",
                    detail=f"the job was not finished after {self._job_timeout_s:g} s",
                    hint="Raise queue.job_timeout_s, or ask for a shorter video.",
                )
            else:
                _log.exception("job_crashed", extra={"job": job.id})
                failure = Failure(code="internal", detail=f"a bug in vidgend: {type(bug).__name__}: {bug}")
            finish = self._failed(job.id, failure, progress)
        # What has been done must not be lost to a cancel that comes now.
        await asyncio.shield(self._record(job.id, finish))

    async def _record(self, job_id: str, finish: Finish) -> None:
        """Write how a job ended. What cannot be written now is tried again by the claim loop."""
        try:
            await finish()
        except (StorageFull, sqlite3.OperationalError) as error:
            _log.critical("end_not_recorded", extra={"job": job_id, "error": str(error)})
            self._late.append((job_id, finish))

    async def _record_late(self) -> None:
        late, self._late = self._late, []
        for job_id, finish in late:
            await self._record(job_id, finish)

    async def _work(self, job: Job, run: JobRun) -> Finish:
        """Do the job; the answer records its end."""
        if isinstance(job.brief, PrefetchBrief):
            found = await prefetch(
                run, job.brief, self._producer.providers, self._producer.unused_providers, self._assets
            )
            if not found["clips"] and found["failed"]:
                raise NoFootage(
                    "; ".join(found["failed"]), hint="`vidgend doctor` says which footage providers are set up."
                )
            count = len(found["clips"])
            return lambda: self._jobs.complete(
                job.id, found, scenes=0, line=f"{count} clips are here", event={"clips": count}
            )
        assert isinstance(job.brief, Brief)
        result = await self._producer.produce(job.id, job.brief, run, _Keeper(self._jobs, job.id))
        _log.info(
            "job_done", extra={"job": job.id, "video_s": result.duration_s, "steps_run": run.steps_run, **run.seconds}
        )
        return lambda: self._jobs.complete(
            job.id,
            result,
            scenes=run.progress.scenes_total,
            line=f"completed: {result.duration_s:.1f} s of video",
            event=self._result_event(job.id, result),
        )

    def _failed(self, job_id: str, failure: Failure, progress: Progress) -> Finish:
        async def finish() -> None:
            scenes = (progress.scenes_done, progress.scenes_total)
            await self._jobs.fail(job_id, failure, progress=progress.percent, scenes=scenes)
            _log.warning("job_failed", extra={"job": job_id, "code": failure.code})
            _log.debug("job_failure", extra={"job": job_id, "detail": failure.detail})

        return finish

    def _interrupted(self, job_id: str) -> Finish:
        cancelled = job_id in self._cancelled

        async def finish() -> None:
            if cancelled:
                await self._jobs.finish_cancel(job_id)
                _log.info("job_cancelled", extra={"job": job_id})
            # Else it is a clean stop, and `stop` puts everything back.

        return finish
