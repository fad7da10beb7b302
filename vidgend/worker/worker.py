"""Claims jobs while there is room, owns their tasks; cancels, drains, and puts back what a clean stop interrupts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from vidgend.errors import DatabaseUnavailable, StorageFull, VidgendError
from vidgend.models import TERMINAL_STATES, Brief, JobState, PrefetchBrief
from vidgend.pipeline.forecast import Forecast
from vidgend.pipeline.progress import Progress
from vidgend.store.jobs import Job, JobStore
from vidgend.worker.attempt import Attempts, Record, Stop
from vidgend.worker.upkeep import LOOK_AGAIN_S, Upkeep

_log = logging.getLogger(__name__)

CLAIM_EVERY_S = 30.0
STOP_LOOP_S = 5.0
NOT_RECORDED = (StorageFull, DatabaseUnavailable)
"""What passes: the disk is full, or does not write for a while."""


class Worker:
    """Runs at most `max_jobs` jobs at once; `on_ended` is told of each end."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        attempts: Attempts,
        upkeep: Upkeep,
        forecast: Forecast,
        max_jobs: int,
        on_ended: Callable[[], None],
    ) -> None:
        self._jobs = jobs
        self._attempts = attempts
        self._upkeep = upkeep
        self._forecast = forecast
        self._max_jobs = max_jobs
        self._on_ended = on_ended
        self._wake = asyncio.Event()
        upkeep.on_freed = self._wake.set
        self._claiming = asyncio.Lock()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, Progress] = {}
        self._cancelled: set[str] = set()
        self._loop: asyncio.Task[None] | None = None
        self._late: list[tuple[str, Record]] = []
        self._tidying: asyncio.Task[None] | None = None
        self.draining = False
        self.only: set[str] | None = None
        """Where set, nothing but these jobs is claimed."""

    def start(self) -> None:
        self._loop = asyncio.create_task(self._claim_loop(), name="claim loop")
        self._tidying = asyncio.create_task(self._upkeep.tidy_up(), name="tidying up")

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
        return self._upkeep.lacking_bytes

    def has_space(self) -> bool:
        """Whether there is disk space to work. Blocking."""
        return self._upkeep.has_space()

    async def check_room(self, brief: Brief | PrefetchBrief, owner: str) -> None:
        """Raises: StorageFull if this job would not fit, or its owner's results fill the quota."""
        await self._upkeep.check_room(brief, owner)

    async def within_quota(self, owner: str) -> bool:
        """Whether an owner's results and uploads leave room for another one."""
        return await self._upkeep.within_quota(owner)

    async def delete(self, job_id: str) -> None:
        """Forget an ended job and delete its files. Raises: NotFound, Conflict."""
        await self._jobs.delete(job_id)
        await self._upkeep.delete_doomed()

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
                async with asyncio.timeout(min(wait_s, LOOK_AGAIN_S) if self._late or self.lacking_bytes else wait_s):
                    await self._wake.wait()

    async def _claim_what_fits(self) -> bool:
        """Begin jobs while there is room for them. True if there was, and it was jobs that lacked."""
        while not self.draining and len(self._running) < self._max_jobs:
            if not await self._claim_one():
                return not self.lacking_bytes
        return False

    async def _claim_one(self) -> bool:
        if await self._upkeep.look_at_space():
            return False
        async with self._claiming:
            job = await self._jobs.claim(None if self.only is None else frozenset(self.only))
            if job is not None:
                if (before := self._running.get(job.id)) is not None:  # put back this moment, and about to end
                    await asyncio.wait([before])
                self._begin(job)
        return job is not None

    def _begin(self, job: Job) -> None:
        progress = self._progress[job.id] = Progress(self._forecast)
        self._upkeep.begin(job, progress)
        task = self._running[job.id] = asyncio.create_task(self._run(job, progress), name=job.id)

        def ended(done: asyncio.Task[None]) -> None:
            self._running.pop(job.id, None)
            self._progress.pop(job.id, None)
            progress.close()
            self._cancelled.discard(job.id)
            self._upkeep.end(job.id)
            self._wake.set()
            self._on_ended()
            if not done.cancelled() and done.exception() is not None:
                _log.error("job_task_died", exc_info=done.exception(), extra={"job": job.id})

        task.add_done_callback(ended)

    async def _run(self, job: Job, progress: Progress) -> None:
        run = self._attempts.begin(job, progress)
        finish = await self._attempts.make(job, run, stop=lambda: self._why_stopped(job.id))
        # What has been done must not be lost to a cancel that comes now.
        await asyncio.shield(self._record(job.id, finish.record))
        self._attempts.tell(job, run, finish)

    def _why_stopped(self, job_id: str) -> Stop | None:
        """Why the task of a job was cancelled; None for no reason that is known here."""
        if job_id in self._cancelled:
            return "cancelled"
        return "stopped" if self.draining else None

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
