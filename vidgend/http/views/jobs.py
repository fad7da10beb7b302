"""Jobs as clients see them: accepted, how far, in the list, cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from pydantic import Field

from vidgend.http.answers import rfc3339
from vidgend.http.views.base import Time, View, absent
from vidgend.http.views.current_step import current_step
from vidgend.models import Brief, JobState, PrefetchBrief
from vidgend.pipeline.progress import Progress, SegmentProgress
from vidgend.pipeline.speech.markup import plain
from vidgend.store.job_reads import JobLook
from vidgend.store.jobs import Failure, Job

_PROMPT_CHARS = 120
Kind = Literal["video", "prefetch"]


class AcceptedView(View):
    job_id: str = Field(description="Names the job in every other route.")
    status: Literal["accepted"] = Field(description="The job is in the queue.")
    message: str = Field(description="The same for people.")


class CancelledView(View):
    job_id: str = Field(description="The job.")
    status: JobState = Field(description="Its state now.")


class ErrorView(View):
    code: str = Field(description="A stable name, explained at /docs/errors.md.")
    detail: str = Field(description="What went wrong.")
    hint: str = Field(description='What can be done about it, or "".')
    tail: str | None = absent("The end of what the failed program wrote.")


class SegmentView(View):
    scene: int = Field(description="The scene, from 1.")
    state: Literal["waiting", "rendering", "done"] = Field(description="How far it is.")
    percent: float = Field(description="Share of its frames that is rendered, 0..100.")
    output: int | None = absent("Which of the job's videos, from 0; missing for the first.")


class StatusView(View):
    job_id: str = Field(description="The job.")
    status: JobState = Field(description="The state of the job.")
    overall_progress: float = Field(description="Percent, 0..100; never goes down within one attempt.")
    current_step: str = Field(description="What happens now, or what the job waits for, for people.")
    scenes_processed: int = Field(description="Scenes that are rendered, of all videos of the job.")
    total_scenes: int = Field(description="Scenes of all videos of the job; 0 before it is planned.")
    logs: list[str] = Field(description="Short lines of what happened, each with its time, newest last.")
    eta_s: float | None = Field(
        description="Seconds until the video is there or waits for its review; null while nobody can tell."
    )
    segments: list[SegmentView] = Field(description="How far each scene is, while they are rendered.")
    kind: Kind = Field(description="A video, or footage fetched ahead of time.")
    created_at: Time | None = Field(description="When the job was accepted.")
    started_at: Time | None = Field(description="When it was first begun; null before.")
    finished_at: Time | None = Field(description="When it ended; null before.")
    priority: int = Field(description="Among jobs of one owner a higher one comes first.")
    attempt: int = Field(description="How often it was begun.")
    failures: int = Field(description="How often it failed and was put back for another try.")
    crashes: int = Field(description="How often the server died under it.")
    retry_at: Time | None = Field(description="When it is tried again, if it waits for that.")
    metadata: dict[str, Any] = Field(description="As the request had it.")
    queue_position: int | None = absent("Its place in the queue, from 1, while it waits for its turn.")
    queue_paused: bool | None = absent("Whether the queue is paused, while it waits.")
    error: ErrorView | None = absent("Why it failed, or why it has to be tried again.")


class SummaryView(View):
    job_id: str = Field(description="The job.")
    kind: Kind = Field(description="A video, or footage fetched ahead of time.")
    status: JobState = Field(description="The state of the job.")
    overall_progress: float = Field(description="Percent, 0..100.")
    prompt: str = Field(description="The beginning of what the job is about.")
    created_at: Time | None = Field(description="When the job was accepted.")
    started_at: Time | None = Field(description="When it was first begun; null before.")
    finished_at: Time | None = Field(description="When it ended; null before.")
    priority: int = Field(description="Among jobs of one owner a higher one comes first.")
    error: str | None = Field(description="The code of the error, if the job failed.")
    metadata: dict[str, Any] = Field(description="As the request had it.")


class JobsView(View):
    jobs: list[SummaryView] = Field(description="A page of jobs, newest first.")
    next_cursor: str | None = Field(description="Asks for the next page as `cursor`; null after the last one.")


def accepted_view(job_id: str, message: str) -> AcceptedView:
    return AcceptedView.model_construct(job_id=job_id, status="accepted", message=message)


def cancelled_view(job_id: str, state: JobState) -> CancelledView:
    return CancelledView.model_construct(job_id=job_id, status=state)


def error_view(error: Failure, *, tail: bool = True) -> ErrorView:
    return ErrorView.model_construct(
        code=error.code, detail=error.detail, hint=error.hint, tail=(error.tail or None) if tail else None
    )


def status_view(look: JobLook, progress: Progress | None, *, now_s: float, lacking_bytes: int = 0) -> StatusView:
    """`progress` is given while the job runs here; the row's own numbers are older. `lacking_bytes` is the disk space
    without which nothing is begun."""
    job = look.job
    done, total = (progress.scenes_done, progress.scenes_total) if progress else (job.scenes_done, job.scenes_total)
    eta_s = progress.eta_s() if progress else None
    waits = job.state == "queued"
    return StatusView.model_construct(
        job_id=job.id,
        status=job.state,
        overall_progress=_percent(job, progress),
        current_step=current_step(
            job,
            done,
            total,
            queue_position=look.queue_position,
            pause=look.pause,
            now_s=now_s,
            lacking_bytes=lacking_bytes,
        ),
        scenes_processed=done,
        total_scenes=total,
        logs=[f"{rfc3339(at)} {line}" for at, line in look.logs],
        eta_s=round(eta_s, 1) if eta_s is not None else None,
        segments=[_segment(one) for one in progress.segments()] if progress else [],
        kind=job.kind,
        created_at=rfc3339(job.created_at),
        started_at=rfc3339(job.started_at),
        finished_at=rfc3339(job.finished_at),
        priority=job.priority,
        attempt=job.attempt,
        failures=job.failures,
        crashes=job.crashes,
        retry_at=rfc3339(job.run_at) if waits and not job.ready else None,
        metadata=job.metadata,
        queue_position=look.queue_position,
        queue_paused=look.pause is not None if waits else None,
        # What runs again has not failed again.
        error=error_view(job.error) if job.error is not None and (waits or job.ended) else None,
    )


@lru_cache(maxsize=4096)  # most scenes are as they were when they were last asked for
def _segment(one: SegmentProgress) -> SegmentView:
    return SegmentView.model_construct(scene=one.scene, state=one.state, percent=one.percent, output=one.output or None)


def _percent(job: Job, progress: Progress | None) -> float:
    return round(max(progress.percent, job.progress) if progress else job.progress, 1)


def jobs_view(jobs: Sequence[SummaryView], next_cursor: str | None) -> JobsView:
    return JobsView.model_construct(jobs=list(jobs), next_cursor=next_cursor)


def summary_view(job: Job, progress: Progress | None) -> SummaryView:
    """One line of the list of jobs."""
    return SummaryView.model_construct(
        job_id=job.id,
        kind=job.kind,
        status=job.state,
        overall_progress=_percent(job, progress),
        prompt=_about(job),
        created_at=rfc3339(job.created_at),
        started_at=rfc3339(job.started_at),
        finished_at=rfc3339(job.finished_at),
        priority=job.priority,
        error=job.error.code if job.error and job.ended else None,
        metadata=job.metadata,
    )


def _about(job: Job) -> str:
    if isinstance(job.brief, PrefetchBrief):
        text = ", ".join(job.brief.queries) if job.brief.brief is None else _request(job.brief.brief)
    else:
        text = _request(job.brief)
    text = " ".join(plain(text).split())
    return text if len(text) <= _PROMPT_CHARS else f"{text[: _PROMPT_CHARS - 1]}…"


def _request(brief: Brief) -> str:
    return brief.prompt or brief.script or (brief.scenes[0].narration if brief.scenes else "")
