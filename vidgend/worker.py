"""claim -> run -> finish. Owns every job's task; cancels, drains, and puts back what a clean stop interrupts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from vidgend.errors import NoFootage, StepError, StorageFull, VidgendError
from vidgend.models import Brief, JobState, PrefetchBrief, Storyboard
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
"""The cache is swept at most this often, and only while no job runs."""


@dataclass(frozen=True, kw_only=True)
class CacheRules:
    """`shared` lets jobs use each other's finished steps; the rest is when those are swept."""

    shared: bool
    ttl_s: float
    max_bytes: int


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
        self._died: asyncio.Future[None] | None = None
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
        """Cancel a job; when this returns its children are dead. Idempotent. Raises: NotFound."""
        state = await self._jobs.request_cancel(job_id)
        task = self._running.get(job_id)
        if task is not None:
            self._cancelled.add(job_id)
            task.cancel()
            await asyncio.wait([task])
            state = (await self._jobs.get(job_id)).state
        elif state == "cancelled":
            self._on_ended()
        return state

    async def stop(self) -> None:
        """Claim nothing more, interrupt what runs and put it back into the queue."""
        self.draining = True
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _claim_loop(self) -> None:
        swept = time.monotonic() - SWEEP_EVERY_S
        while True:
            self._wake.clear()
            while len(self._running) < self._max_jobs:
                if not await asyncio.to_thread(self.has_space):
                    _log.error("storage_low", extra={"free_bytes": self._assets.free_bytes()})
                    break
                job = await self._jobs.claim(None if self.only is None else frozenset(self.only))
                if job is None:
                    break
                self._begin(job)
            if not self._running and time.monotonic() - swept > SWEEP_EVERY_S:
                await self._sweep()
                swept = time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(30):
                    await self._wake.wait()

    def _begin(self, job: Job) -> None:
        task = asyncio.create_task(self._run(job), name=job.id)
        self._running[job.id] = task

        def ended(done: asyncio.Task[None]) -> None:
            self._running.pop(job.id, None)
            self._progress.pop(job.id, None)
            self._cancelled.discard(job.id)
            self._wake.set()
            self._on_ended()
            if not done.cancelled() and done.exception() is not None:
                _log.error("job_task_died", exc_info=done.exception(), extra={"job": job.id})

        task.add_done_callback(ended)

    async def _sweep(self) -> None:
        freed = await self._assets.sweep(
            keep=await self._jobs.kept_digests(), max_bytes=self._cache.max_bytes, max_age_s=self._cache.ttl_s
        )
        if freed:
            _log.info("cache_swept", extra={"freed_bytes": freed})

    async def _run(self, job: Job) -> None:
        progress = self._progress[job.id] = Progress()

        async def announce(state: JobState, line: str) -> None:
            await self._jobs.move(job.id, state, progress=progress.percent, line=line)
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
        try:
            async with asyncio.timeout(self._job_timeout_s):
                finish = await self._work(job, run)
            # Once the work is done its record must not be lost to a cancel that comes in between.
            await asyncio.shield(finish())
            _log.info("job_completed", extra={"job": job.id, "seconds": round(sum(run.seconds.values()), 1)})
        except TimeoutError:
            failure = Failure(
                code="timeout",
                detail=f"the job was not finished after {self._job_timeout_s:g} s",
                hint="Raise queue.job_timeout_s, or ask for a shorter video.",
            )
            await self._fail(job.id, failure, progress)
        except asyncio.CancelledError:
            await asyncio.shield(self._interrupted(job.id))
        except VidgendError as error:
            tail = error.tail if isinstance(error, StepError) else ""
            await self._fail(
                job.id, Failure(code=error.code, detail=error.detail, hint=error.hint, tail=tail[-2000:]), progress
            )
        except Exception as bug:  # noqa: BLE001  the boundary of a job: a bug ends the job, not the daemon
            _log.exception("job_crashed", extra={"job": job.id})
            detail = f"a bug in vidgend: {type(bug).__name__}: {bug}"
            await self._fail(job.id, Failure(code="internal", detail=detail), progress)

    async def _work(self, job: Job, run: JobRun) -> Callable[[], Awaitable[Any]]:
        """Do the job; the answer records its end."""
        if isinstance(job.brief, PrefetchBrief):
            found = await prefetch(run, job.brief, self._producer.providers)
            if not found["clips"] and found["failed"]:
                raise NoFootage("; ".join(found["failed"]))
            count = len(found["clips"])
            return lambda: self._jobs.complete(
                job.id, found, scenes=0, line=f"{count} clips are here", event={"clips": count}
            )
        assert isinstance(job.brief, Brief)
        result = await self._producer.produce(job.id, job.brief, run, _Keeper(self._jobs, job.id))
        return lambda: self._jobs.complete(
            job.id,
            result,
            scenes=run.progress.scenes_total,
            line=f"completed: {result.duration_s:.1f} s of video",
            event=self._result_event(job.id, result),
        )

    async def _fail(self, job_id: str, failure: Failure, progress: Progress) -> None:
        _log.warning("job_failed", extra={"job": job_id, "code": failure.code, "detail": failure.detail})
        try:
            await self._jobs.fail(job_id, failure, progress=progress.percent)
        except StorageFull:
            # Nothing can be written; the row stays `running` and the next start puts it right.
            _log.critical("failure_not_recorded", extra={"job": job_id})

    async def _interrupted(self, job_id: str) -> None:
        if job_id in self._cancelled:
            await self._jobs.finish_cancel(job_id)
            _log.info("job_cancelled", extra={"job": job_id})
        else:
            await self._jobs.requeue(job_id, "vidgend is stopping; the job will go on after the restart")
            _log.info("job_requeued", extra={"job": job_id})
