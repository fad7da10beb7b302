"""claim -> run -> finish. Owns every job's task; cancels, drains, and puts back what a clean stop interrupts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from vidgend.errors import DatabaseUnavailable, StepError, StorageFull, VidgendError
from vidgend.models import TERMINAL_STATES, Brief, JobState, PrefetchBrief, Storyboard
from vidgend.observer import NOBODY, JobEnd, Observer
from vidgend.pipeline.disk_estimate import estimate_bytes
from vidgend.pipeline.executor.port import Executor
from vidgend.pipeline.forecast import Forecast
from vidgend.pipeline.produce import Producer
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.run import JobRun, salt_of
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.doomed import work_off
from vidgend.store.jobs import Failure, Job, JobStore
from vidgend.store.retention import Rules, collect
from vidgend.store.space import Space
from vidgend.store.storyboards import StoryboardStore

_log = logging.getLogger(__name__)

SWEEP_EVERY_S = 600.0
"""The store is tidied up at most this often, unless space is low."""
CLAIM_EVERY_S = 30.0
LOOK_AGAIN_S = 2.0
"""While space is short: how soon it is looked whether there is some again."""
STOP_LOOP_S = 5.0
RETRY_BASE_S = 2.0
RETRY_CAP_S = 600.0
LONGEST_PARK_S = 86_400.0
"""A job that would wait longer than this for a provider's quota has got a no."""
NOT_RECORDED = (StorageFull, DatabaseUnavailable)
"""What passes: the disk is full, or does not write for a while."""

Record = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class Finish:
    """How a run ended: `record` writes it down. `state` and `code` as for `JobEnd`."""

    state: str
    record: Record
    code: str = ""
    detail: str = ""
    wait_s: float | None = None
    video_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Again:
    """Try a job again in `wait_s`; `counts` says whether it failed, or only had to wait for something."""

    wait_s: float
    counts: bool


def again(error: VidgendError, job: Job, *, now: float) -> Again | None:
    """Whether a job that ended with `error` is tried again.

    Failures wait with full jitter: anything up to twice as much as the time before. Waiting for the asset store or for
    a provider's quota is nobody's failure; the first may take as long as it takes, the second a day.
    """
    exponential_s = min(RETRY_CAP_S, RETRY_BASE_S * 2 ** (job.failures + job.waits))
    if error.retryable and error.retry_after_s is not None and error.max_retries == 0:
        return Again(wait_s=max(error.retry_after_s, random.uniform(0, exponential_s)), counts=False)
    if error.retryable and error.retry_after_s is not None and isinstance(error, StepError):
        wait_s = max(error.retry_after_s, exponential_s) + random.uniform(0, 5)
        waited_s = now - (job.started_at or now)
        return Again(wait_s=wait_s, counts=False) if waited_s + wait_s <= LONGEST_PARK_S else None
    if job.failures >= error.max_retries:
        return None
    return Again(wait_s=random.uniform(0, exponential_s), counts=True)


def _mb(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes < 10e9 else f"{size_bytes / 1e9:.0f} GB"


class _Keeper:
    """The storyboard of one job, kept in the store."""

    def __init__(self, storyboards: StoryboardStore, job_id: str) -> None:
        self._storyboards = storyboards
        self._job_id = job_id

    async def load(self) -> Storyboard | None:
        found = await self._storyboards.being_made(self._job_id)
        return found[1] if found else None

    async def save(self, storyboard: Storyboard) -> None:
        await self._storyboards.save(self._job_id, storyboard)

    async def recently_shown(self) -> dict[tuple[str, str], float]:
        return await self._storyboards.recently_shown(self._job_id)


class Worker:
    """Runs at most `max_jobs` jobs at once. `share_steps` lets jobs use each other's finished steps, `rules` say what
    the store forgets, `quota_bytes` is what one owner's results may take (0: anything). `result_event` makes the extra
    fields of a job.completed event."""

    def __init__(
        self,
        *,
        database: Database,
        jobs: JobStore,
        storyboards: StoryboardStore,
        producer: Producer,
        executor: Executor,
        forecast: Forecast,
        assets: AssetStore,
        space: Space,
        share_steps: bool,
        rules: Rules,
        quota_bytes: int,
        max_jobs: int,
        job_timeout_s: float,
        result_event: Callable[[str, Any], dict[str, Any]],
        on_ended: Callable[[], None],
        observer: Observer = NOBODY,
    ) -> None:
        self._observer = observer
        self._database = database
        self._jobs = jobs
        self._storyboards = storyboards
        self._producer = producer
        self._executor = executor
        self._forecast = forecast
        self._assets = assets
        self._space = space
        self._share_steps = share_steps
        self._rules = rules
        self._quota_bytes = quota_bytes
        self._max_jobs = max_jobs
        self._job_timeout_s = job_timeout_s
        self._result_event = result_event
        self._on_ended = on_ended
        self._wake = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._lacking_bytes = 0
        self._running: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, Progress] = {}
        self._cancelled: set[str] = set()
        self._loop: asyncio.Task[None] | None = None
        self._began: dict[str, float] = {}
        self._estimates: dict[str, int] = {}
        self._late: list[tuple[str, Record]] = []
        self._tidying: asyncio.Task[None] | None = None
        self._swept = float("-inf")
        self._sweep_again_s = LOOK_AGAIN_S
        self._sweeping = asyncio.Lock()
        self._untidy = asyncio.Event()
        self.draining = False
        self.only: set[str] | None = None
        """Where set, nothing but these jobs is claimed."""

    def start(self) -> None:
        self._loop = asyncio.create_task(self._claim_loop(), name="claim loop")
        self._tidying = asyncio.create_task(self._tidy_up(), name="tidying up")

    def wake(self) -> None:
        """Look for queued jobs now."""
        self._wake.set()

    def progress(self, job_id: str) -> Progress | None:
        """Live progress of a job that runs here."""
        return self._progress.get(job_id)

    async def join(self) -> None:
        """Wait for the worker's own tasks, which only end by an error or by `stop`."""
        own = {task for task in (self._loop, self._tidying) if task is not None}
        done, _ = await asyncio.wait(own, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if not task.cancelled():
                task.result()

    @property
    def lacking_bytes(self) -> int:
        """How much disk space is missing before a job may be begun, as it was seen last; 0 if none is."""
        return self._lacking_bytes

    def has_space(self) -> bool:
        """Whether there is disk space to work. Blocking."""
        return not self._space.lacking_bytes(0)

    async def check_room(self, brief: Brief | PrefetchBrief, owner: str = "") -> None:
        """Raises: StorageFull if this job would not fit, or its owner's results fill the quota."""
        wanted_bytes = estimate_bytes(brief)
        if await asyncio.to_thread(self._space.lacking_bytes, wanted_bytes, with_cache=True):
            free_bytes = await asyncio.to_thread(self._space.free_bytes)
            raise StorageFull(
                f"this job may take {_mb(wanted_bytes)}; {_mb(free_bytes)} are free, of which "
                f"{_mb(self._space.min_free_bytes)} stay free (store.min_free_bytes)"
            )
        if not await self.within_quota(owner):
            raise StorageFull(
                "the results and uploads that are kept fill the quota",
                hint="Delete old jobs or uploads (`vidgend delete`, `vidgend uploads --delete`), or raise "
                "assets.quota_bytes.",
            )

    async def within_quota(self, owner: str = "") -> bool:
        """Whether an owner's results and uploads leave room for another one."""
        return not self._quota_bytes or await self._jobs.kept_bytes(owner) < self._quota_bytes

    async def make_room(self, lacking_bytes: int) -> None:
        """Have the cache give up so many bytes, if it has them."""
        if lacking_bytes <= self._space.evictable_bytes:
            async with self._sweeping:
                await self._sweep(lacking_bytes)

    async def delete(self, job_id: str) -> None:
        """Forget an ended job and delete its files. Raises: NotFound, Conflict."""
        await self._jobs.delete(job_id)
        await self._delete_doomed()

    async def cancel(self, job_id: str) -> JobState:
        """Cancel a job; when this returns or raises its children are dead. Idempotent.

        The work is stopped first and that is recorded afterwards, so that a full disk cannot keep it going.
        Raises: NotFound; StorageFull or DatabaseUnavailable if it was stopped but its end cannot be written yet.
        """
        async with self._claiming:  # what is being claimed right now is among those that run afterwards
            task = self._running.get(job_id)
            if task is not None:
                self._cancelled.add(job_id)
                task.cancel()
        if task is not None:
            await asyncio.wait([task])
        try:
            state = await self._jobs.request_cancel(job_id)
            if state not in TERMINAL_STATES:
                # A task that was cancelled before its first step has recorded nothing.
                await self._jobs.finish_cancel(job_id)
                state = (await self._jobs.get(job_id)).state
        except NOT_RECORDED as error:
            if task is None:
                raise
            raise type(error)("the job has been stopped, but that cannot be written down yet") from error
        self._on_ended()
        return state

    async def stop(self) -> None:
        """Claim nothing more, interrupt what runs and put it back into the queue."""
        self.draining = True
        self._wake.set()
        try:
            for task, patience_s in ((self._tidying, 0.0), (self._loop, STOP_LOOP_S)):
                if task is not None:
                    await asyncio.wait([task], timeout=patience_s)
                    task.cancel()
                    await asyncio.wait([task])
        finally:
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            try:
                await self._jobs.release("vidgend is stopping; the job will go on after the restart")
            except NOT_RECORDED as error:  # the next start finds them running and puts them back
                _log.critical("stop_not_recorded", extra={"error": str(error)})

    async def _claim_loop(self) -> None:
        while not self.draining:
            self._wake.clear()
            wait_s = CLAIM_EVERY_S
            try:
                await self._record_late()
                if await self._claim_what_fits():
                    due_s = await self._jobs.next_due_s()
                    wait_s = wait_s if due_s is None else min(wait_s, due_s + 0.01)
            except VidgendError as error:
                # A full disk or a busy one passes; the daemon outlives it and tries again.
                _log.error("claim_failed", extra={"error": str(error)})
                wait_s = LOOK_AGAIN_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait_s, LOOK_AGAIN_S) if self._late or self._lacking_bytes else wait_s):
                    await self._wake.wait()

    async def _claim_what_fits(self) -> bool:
        """Begin jobs while there is room for them. True if there was, and it was jobs that lacked."""
        while not self.draining and len(self._running) < self._max_jobs:
            if not await self._claim_one():
                return not self._lacking_bytes
        return False

    async def _claim_one(self) -> bool:
        await self._look_at_space()
        if self._lacking_bytes:
            return False
        async with self._claiming:
            job = await self._jobs.claim(None if self.only is None else frozenset(self.only))
            if job is not None:
                self._begin(job)
        return job is not None

    async def _look_at_space(self) -> None:
        """What is lacking for the jobs that run; it is said once, and the cache is asked for it."""
        now = self._database.clock()  # where it was set back, what these jobs use now looks older than they are
        self._began = {job_id: min(began, now) for job_id, began in self._began.items()}
        for job_id, wanted_bytes in self._estimates.items():
            progress = self._progress.get(job_id)
            self._space.expect(job_id, wanted_bytes * (1 - progress.percent / 100 if progress else 1.0))
        try:
            lacking_bytes = await asyncio.to_thread(self._space.lacking_bytes, 0)
        except OSError as error:  # a disk that cannot be asked is not worked on; it may come back
            _log.error("disk_unreadable", extra={"error": str(error)})
            lacking_bytes = max(1, self._lacking_bytes)
        if lacking_bytes and not self._lacking_bytes:
            _log.error("storage_low", extra={"lacking_bytes": lacking_bytes})
        self._lacking_bytes = lacking_bytes

    def _begin(self, job: Job) -> None:
        self._began[job.id] = self._database.clock()
        self._estimates[job.id] = estimate_bytes(job.brief)
        task = asyncio.create_task(self._run(job), name=job.id)
        self._running[job.id] = task

        def ended(done: asyncio.Task[None]) -> None:
            self._running.pop(job.id, None)
            self._began.pop(job.id, None)
            progress = self._progress.pop(job.id, None)
            if progress is not None:
                progress.close()
            self._estimates.pop(job.id, None)
            self._cancelled.discard(job.id)
            self._space.expect(job.id, 0)
            self._wake.set()
            self._untidy.set()
            self._on_ended()
            if not done.cancelled() and done.exception() is not None:
                _log.error("job_task_died", exc_info=done.exception(), extra={"job": job.id})

        task.add_done_callback(ended)

    async def _tidy_up(self) -> None:
        """What the store need not keep goes every ten minutes; at once while space is lacking. What a running job uses
        is younger than it and stays."""
        while True:
            await self._look_at_space()
            if not self._lacking_bytes:
                self._sweep_again_s = LOOK_AGAIN_S
            since_s = time.monotonic() - self._swept
            if since_s >= SWEEP_EVERY_S or (self._lacking_bytes and since_s >= self._sweep_again_s):
                async with self._sweeping:
                    await self._sweep(self._lacking_bytes)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._untidy.wait()
            if self._untidy.is_set():
                self._untidy.clear()
                await self._delete_doomed()

    async def _sweep(self, lacking_bytes: int) -> None:
        used_since = min(self._began.values(), default=self._database.clock())
        freed_bytes = 0
        try:
            collected = await collect(
                self._database, self._assets, self._rules, used_since=used_since, lacking_bytes=lacking_bytes
            )
            self._space.evictable_bytes = collected.evictable_bytes
            freed_bytes = collected.bytes
        except (VidgendError, OSError, sqlite3.Error) as error:
            _log.warning("sweep_failed", extra={"reason": str(error)})
        await self._delete_doomed()
        if freed_bytes:
            _log.info("store_swept", extra={"freed_bytes": freed_bytes})
            self._wake.set()
        # While space is lacking, a sweep that frees nothing looks at everything for nothing.
        self._sweep_again_s = LOOK_AGAIN_S if freed_bytes else min(SWEEP_EVERY_S, 2 * self._sweep_again_s)
        self._swept = time.monotonic()

    async def _delete_doomed(self) -> None:
        try:
            await work_off(self._database, self._assets)
        except (VidgendError, OSError, sqlite3.Error) as error:  # it stays written down
            _log.warning("doomed_files_left", extra={"reason": str(error)})

    async def _run(self, job: Job) -> None:
        progress = self._progress[job.id] = Progress(self._forecast)

        async def announce(state: JobState, line: str) -> None:
            scenes = (progress.scenes_done, progress.scenes_total)
            await self._jobs.move(job, state, progress=progress.percent, scenes=scenes, line=line)
            _log.info("job_stage", extra={"job": job.id, "stage": state})

        async def note(line: str) -> None:
            await self._jobs.note(job.id, line)

        run = JobRun(
            self._executor,
            job_id=job.id,
            salt=salt_of(job.id, share_steps=self._share_steps),
            announce=announce,
            note=note,
            progress=progress,
        )
        _log.info("job_started", extra={"job": job.id, "kind": job.kind, "attempt": job.attempt})
        self._observer.job_began(job.id)
        deadline = asyncio.timeout(self._job_timeout_s)
        try:
            async with deadline:
                finish = await self._work(job, run)
        except asyncio.CancelledError as error:
            if job.id not in self._cancelled and not self.draining:
                _log.error("job_interrupted", exc_info=error, extra={"job": job.id})
                finish = self._failed(job, Failure(code="internal", detail="interrupted for no reason"), progress)
            else:
                finish = self._interrupted(job)
        except VidgendError as error:
            tail = error.tail if isinstance(error, StepError) else ""
            failure = Failure(code=error.code, detail=error.detail, hint=error.hint, tail=tail[-2000:])
            retry = again(error, job, now=self._database.clock())
            finish = self._failed(job, failure, progress) if retry is None else self._parked(job, failure, retry)
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
            finish = self._failed(job, failure, progress)
        # What has been done must not be lost to a cancel that comes now.
        await asyncio.shield(self._record(job.id, finish.record))
        self._tell(job, run, finish)

    def _tell(self, job: Job, run: JobRun, finish: Finish) -> None:
        """One line with everything that is to be known of a run."""
        end = JobEnd(
            job_id=job.id,
            kind=job.kind,
            state=finish.state,
            code=finish.code,
            seconds=time.monotonic() - run.began,
            waited_s=run.waited_s,
            attempt=job.attempt,
            steps_run=run.steps_run,
            steps_found=run.steps_reused,
            stages=dict(run.seconds),
            video_s=finish.video_s,
        )
        self._observer.job_ended(end)
        about: dict[str, Any] = {
            "job": job.id, "kind": job.kind, "owner": job.owner, "state": end.state, "code": end.code,
            "attempt": end.attempt, "failures": job.failures, "seconds": round(end.seconds, 3),
            "queued_s": round(max(0.0, self._database.clock() - end.seconds - job.created_at), 3),
            "slot_wait_s": round(end.waited_s, 3), "steps_run": end.steps_run, "steps_found": end.steps_found,
            "stages": {stage: round(seconds, 3) for stage, seconds in end.stages.items()},
            "degraded": len(run.substitutions), "video_s": round(end.video_s, 3),
        }  # fmt: skip
        if finish.wait_s is not None:
            about["wait_s"] = round(finish.wait_s, 1)
        _log.log(logging.WARNING if end.code else logging.INFO, "job_ended", extra=about)
        if finish.detail:
            _log.debug("job_failure", extra={"job": job.id, "detail": finish.detail})

    async def _record(self, job_id: str, record: Record) -> None:
        """Write how a job ended. What cannot be written now is tried again by the claim loop."""
        try:
            await record()
        except NOT_RECORDED as error:
            _log.critical("end_not_recorded", extra={"job": job_id, "error": str(error)})
            self._late.append((job_id, record))

    async def _record_late(self) -> None:
        late, self._late = self._late, []
        for job_id, record in late:
            await self._record(job_id, record)

    async def _work(self, job: Job, run: JobRun) -> Finish:
        """Do the job; the answer records its end."""
        keeper = _Keeper(self._storyboards, job.id)
        if isinstance(job.brief, PrefetchBrief):
            found = await self._producer.prefetch(job.brief, run, keeper)
            count = len(found["clips"])
            return Finish(
                state="completed",
                record=lambda: self._jobs.complete(
                    job, found, scenes=0, line=f"{count} clips are here", event={"clips": count}
                ),
            )
        assert isinstance(job.brief, Brief)
        result = await self._producer.produce(job.id, job.brief, run, keeper)
        if isinstance(result, Storyboard):
            scenes = len(result.scenes)
            return Finish(
                state="awaiting_review",
                record=lambda: self._jobs.await_review(
                    job,
                    progress=run.progress.percent,
                    scenes=scenes,
                    line="the storyboard is ready to be reviewed",
                    event={"total_scenes": scenes},
                ),
            )
        return Finish(
            state="completed",
            video_s=result.duration_s,
            record=lambda: self._jobs.complete(
                job,
                result,
                scenes=run.progress.scenes_total,
                line=f"completed: {result.duration_s:.1f} s of video",
                event=self._result_event(job.id, result),
            ),
        )

    def _failed(self, job: Job, failure: Failure, progress: Progress) -> Finish:
        scenes = (progress.scenes_done, progress.scenes_total)
        return Finish(
            state="failed",
            code=failure.code,
            detail=failure.detail,
            record=lambda: self._jobs.fail(job, failure, progress=progress.percent, scenes=scenes),
        )

    def _parked(self, job: Job, failure: Failure, retry: Again) -> Finish:
        return Finish(
            state="parked",
            code=failure.code,
            detail=failure.detail,
            wait_s=retry.wait_s,
            record=lambda: self._jobs.park(job, failure, wait_s=retry.wait_s, counts=retry.counts),
        )

    def _interrupted(self, job: Job) -> Finish:
        cancelled = job.id in self._cancelled

        async def finish() -> None:
            if cancelled:
                await self._jobs.finish_cancel(job.id, claim=job)
            # Else it is a clean stop, and `stop` puts everything back.

        return Finish(state="cancelled" if cancelled else "stopped", record=finish)
