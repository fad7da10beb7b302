"""One attempt at a job: it is run, and how it ended is told and can be written down."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from vidgend.errors import StepError, VidgendError
from vidgend.models import Brief, JobState, PrefetchBrief, Storyboard
from vidgend.observer import NOBODY, JobEnd, Observer
from vidgend.pipeline.executor.port import Executor
from vidgend.pipeline.produce import Producer
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.run import JobRun, salt_of
from vidgend.store.jobs import Failure, Job, JobStore
from vidgend.store.storyboards import StoryboardStore
from vidgend.worker.retries import Again, again

_log = logging.getLogger(__name__)

Record = Callable[[], Awaitable[Any]]
Stop = Literal["cancelled", "stopped"]
"""Why a run was interrupted: somebody wanted its end, or vidgend's."""


@dataclass(frozen=True, kw_only=True)
class Finish:
    """How a run ended: `record` writes it down. `state` and `code` as for `JobEnd`."""

    state: str
    record: Record
    code: str = ""
    detail: str = ""
    wait_s: float | None = None
    video_s: float = 0.0


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


class Attempts:
    """Makes attempts at jobs. `share_steps` lets jobs use each other's finished steps; `result_event` makes the extra
    fields of a job.completed event."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        storyboards: StoryboardStore,
        producer: Producer,
        executor: Executor,
        share_steps: bool,
        job_timeout_s: float,
        result_event: Callable[[str, Any], dict[str, Any]],
        clock: Callable[[], float],
        observer: Observer = NOBODY,
    ) -> None:
        self._jobs = jobs
        self._storyboards = storyboards
        self._producer = producer
        self._executor = executor
        self._share_steps = share_steps
        self._job_timeout_s = job_timeout_s
        self._result_event = result_event
        self._clock = clock
        self._observer = observer

    def begin(self, job: Job, progress: Progress) -> JobRun:
        """The run of a job, told to its row and its log."""

        async def announce(state: JobState, line: str) -> None:
            scenes = (progress.scenes_done, progress.scenes_total)
            await self._jobs.move(job, state, progress=progress.percent, scenes=scenes, line=line)
            _log.info("job_stage", extra={"job": job.id, "stage": state})

        async def note(line: str) -> None:
            await self._jobs.note(job.id, line)

        return JobRun(
            self._executor,
            job_id=job.id,
            salt=salt_of(job.id, share_steps=self._share_steps),
            announce=announce,
            note=note,
            progress=progress,
        )

    async def make(self, job: Job, run: JobRun, *, stop: Callable[[], Stop | None]) -> Finish:
        """Run a job to its end, whatever that is. `stop` says why it was cancelled, if that was meant."""
        _log.info("job_started", extra={"job": job.id, "kind": job.kind, "attempt": job.attempt})
        self._observer.job_began(job.id)
        deadline = asyncio.timeout(self._job_timeout_s)
        try:
            async with deadline:
                return await self._work(job, run)
        except asyncio.CancelledError as error:
            why = stop()
            if why is not None:
                return self._interrupted(job, why, run.progress)
            _log.error("job_interrupted", exc_info=error, extra={"job": job.id})
            return self._failed(job, Failure(code="internal", detail="interrupted for no reason"), run.progress)
        except VidgendError as error:
            tail = error.tail if isinstance(error, StepError) else ""
            failure = Failure(code=error.code, detail=error.detail, hint=error.hint, tail=tail[-2000:])
            retry = again(error, job, now=self._clock())
            return self._failed(job, failure, run.progress) if retry is None else self._parked(job, failure, retry)
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
            return self._failed(job, failure, run.progress)

    def tell(self, job: Job, run: JobRun, finish: Finish) -> None:
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
            "queued_s": round(max(0.0, self._clock() - end.seconds - job.created_at), 3),
            "slot_wait_s": round(end.waited_s, 3), "steps_run": end.steps_run, "steps_found": end.steps_found,
            "stages": {stage: round(seconds, 3) for stage, seconds in end.stages.items()},
            "degraded": len(run.substitutions), "video_s": round(end.video_s, 3),
        }  # fmt: skip
        if finish.wait_s is not None:
            about["wait_s"] = round(finish.wait_s, 1)
        _log.log(logging.WARNING if end.code else logging.INFO, "job_ended", extra=about)
        if finish.detail:
            _log.debug("job_failure", extra={"job": job.id, "detail": finish.detail})

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

    def _interrupted(self, job: Job, why: Stop, progress: Progress) -> Finish:
        async def finish() -> None:
            scenes = (progress.scenes_done, progress.scenes_total)
            await self._jobs.reach(job, progress=progress.percent, scenes=scenes)
            if why == "cancelled":
                await self._jobs.finish_cancel(job.id, claim=job)
            # Else it is a clean stop, and the worker puts everything back.

        return Finish(state=why, record=finish)
