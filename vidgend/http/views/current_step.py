"""What a job does now or waits for, in one line for people."""

from __future__ import annotations

import math

from vidgend.models import JobState
from vidgend.store.job_reads import POSITION_LIMIT
from vidgend.store.jobs import Job, Pause

_STEPS: dict[JobState, str] = {
    "queued": "waiting in the queue",
    "planning": "writing the storyboard",
    "retrieving": "finding footage",
    "narrating": "speaking the narration",
    "aligning": "timing the words",
    "awaiting_review": "waiting for the storyboard to be approved",
    "rendering": "rendering the scenes",
    "publishing": "joining and checking the video",
    "completed": "done",
    "cancelled": "cancelled",
}


def current_step(
    job: Job,
    scenes_done: int,
    scenes_total: int,
    *,
    queue_position: int | None,
    pause: Pause | None,
    now_s: float,
    lacking_bytes: int,
) -> str:
    if job.state == "queued":
        return _waiting(job, queue_position, pause, now_s, lacking_bytes)
    if job.state == "failed":
        return f"failed: {job.error.detail}" if job.error else "failed"
    if job.state == "rendering" and scenes_total:
        return f"rendering the scenes: {scenes_done} of {scenes_total} are done"
    return _STEPS[job.state]


def _waiting(job: Job, queue_position: int | None, pause: Pause | None, now_s: float, lacking_bytes: int) -> str:
    """What a queued job waits for."""
    if lacking_bytes and (job.ready or (job.run_at or 0.0) <= now_s):
        return f"waiting for disk space: {max(1, round(lacking_bytes / 1e6))} MB more are needed"
    paused = f"the queue is paused{f': {pause.reason}' if pause.reason else ''}" if pause else ""
    if not job.ready:
        wait_s = math.ceil((job.run_at or now_s) - now_s)
        text = f"waiting {_span(wait_s)} for another try" if wait_s > 0 else "waiting for another try"
        text += f": {job.error.detail}" if job.error else ""
        return f"{text}; {paused}" if paused else text
    if paused:
        return paused
    if queue_position is None or queue_position <= 1:
        return _STEPS["queued"]
    if queue_position > POSITION_LIMIT:
        return f"waiting in the queue behind more than {POSITION_LIMIT} others"
    return f"waiting in the queue behind {queue_position - 1} other job{'s' if queue_position > 2 else ''}"


def _span(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 7200 else f"{math.ceil(seconds / 3600)} h"
