"""Jobs as clients see them. Pure: values in, JSON values out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vidgend.http.answers import rfc3339
from vidgend.models import Brief, JobState, PrefetchBrief, Published, Result
from vidgend.pipeline.progress import Progress, SegmentProgress
from vidgend.pipeline.speech.markup import plain
from vidgend.store.job_reads import POSITION_LIMIT
from vidgend.store.jobs import Job, Pause

_PROMPT_CHARS = 120
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


def _current_step(job: Job, scenes_done: int, scenes_total: int) -> str:
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


def status_view(
    job: Job,
    progress: Progress | None,
    *,
    logs: Sequence[tuple[float, str]],
    queue_position: int | None = None,
    pause: Pause | None = None,
    now_s: float,
    lacking_bytes: int = 0,
) -> dict[str, Any]:
    """`progress` is given while the job runs here; the row's own numbers are older. `pause` is the queue's, if any;
    `lacking_bytes` is the disk space without which nothing is begun."""
    done, total = (progress.scenes_done, progress.scenes_total) if progress else (job.scenes_done, job.scenes_total)
    eta_s = progress.eta_s() if progress else None
    waits = job.state == "queued"
    step = _waiting(job, queue_position, pause, now_s, lacking_bytes) if waits else _current_step(job, done, total)
    view: dict[str, Any] = {
        "job_id": job.id,
        "status": job.state,
        "overall_progress": _percent(job, progress),
        "current_step": step,
        "scenes_processed": done,
        "total_scenes": total,
        "logs": [f"{rfc3339(at)} {line}" for at, line in logs],
        "eta_s": round(eta_s, 1) if eta_s is not None else None,
        "segments": [_segment(one) for one in progress.segments()] if progress else [],
        "kind": job.kind,
        "created_at": rfc3339(job.created_at),
        "started_at": rfc3339(job.started_at),
        "finished_at": rfc3339(job.finished_at),
        "priority": job.priority,
        "attempt": job.attempt,
        "failures": job.failures,
        "crashes": job.crashes,
        "retry_at": rfc3339(job.run_at) if waits and not job.ready else None,
        "metadata": job.metadata,
    }
    if queue_position is not None:
        view["queue_position"] = queue_position
    if waits:
        view["queue_paused"] = pause is not None
    if job.error is not None and (waits or job.ended):  # what runs again has not failed again
        view["error"] = {"code": job.error.code, "detail": job.error.detail, "hint": job.error.hint}
        if job.error.tail:
            view["error"]["tail"] = job.error.tail
    return view


def _segment(one: SegmentProgress) -> dict[str, Any]:
    """`output` counts the videos of a job from 0 and is there for all but the first one."""
    view: dict[str, Any] = {"scene": one.scene, "state": one.state, "percent": one.percent}
    return view | {"output": one.output} if one.output else view


def _percent(job: Job, progress: Progress | None) -> float:
    return round(max(progress.percent, job.progress) if progress else job.progress, 1)


def summary_view(job: Job, progress: Progress | None) -> dict[str, Any]:
    """One line of the list of jobs."""
    return {
        "job_id": job.id,
        "kind": job.kind,
        "status": job.state,
        "overall_progress": _percent(job, progress),
        "prompt": _about(job),
        "created_at": rfc3339(job.created_at),
        "started_at": rfc3339(job.started_at),
        "finished_at": rfc3339(job.finished_at),
        "priority": job.priority,
        "error": job.error.code if job.error and job.ended else None,
        "metadata": job.metadata,
    }


def _about(job: Job) -> str:
    if isinstance(job.brief, PrefetchBrief):
        text = ", ".join(job.brief.queries) if job.brief.brief is None else _request(job.brief.brief)
    else:
        text = _request(job.brief)
    text = " ".join(plain(text).split())
    return text if len(text) <= _PROMPT_CHARS else f"{text[: _PROMPT_CHARS - 1]}…"


def _request(brief: Brief) -> str:
    return brief.prompt or brief.script or (brief.scenes[0].narration if brief.scenes else "")


def result_view(job: Job, urls: Mapping[str, str]) -> dict[str, Any]:
    """The result of a completed job; `urls` says where the file of each role is."""
    head = {"job_id": job.id, "status": job.state, "kind": job.kind}
    tail = {"finished_at": rfc3339(job.finished_at), "metadata": job.metadata}
    if not isinstance(job.result, Result):
        return head | dict(job.result or {}) | tail
    found, files = job.result, job.result.files

    def entry(role: str, file: Published) -> dict[str, Any]:
        return {
            "name": file.name,
            "url": urls.get(role),
            "content_type": file.content_type,
            "size_bytes": file.size_bytes,
            "sha256": file.digest,
            "storage_uri": file.uri,
        }

    video = files["video"]
    return (
        head
        | {
            "video_url": urls.get("video"),
            "thumbnail_url": urls.get("thumbnail"),
            "storage_uri": video.uri,
            "subtitles": {role: urls.get(role) for role in ("srt", "vtt", "words")},
            "credits": [asdict(credit) for credit in found.credits],
            "credits_url": urls.get("credits"),
            "description_url": urls.get("description"),
            "duration": found.duration_s,
            "width": found.width_px,
            "height": found.height_px,
            "size_bytes": video.size_bytes,
            "sha256": video.digest,
            "timings": found.timings,
            "degraded": [asdict(substitution) for substitution in found.degraded],
            "report": found.report,
            "outputs": [_output(found, number, urls) for number in range(max(1, len(found.outputs)))],
            "files": {role: entry(role, file) for role, file in files.items()},
        }
        | tail
    )


def _output(found: Result, number: int, urls: Mapping[str, str]) -> dict[str, Any]:
    """One of the videos of a job, from 0, the main one, whose report is the result's. Older results say less."""
    one = found.outputs[number] if found.outputs else None
    name = one.name if one else "main"
    files = found.files_of(name if number else None)
    roles = {role: urls.get(f"{role}:{name}" if number else role) for role in files}
    video = files["video"]
    view = {
        "name": name,
        "language": one.language if one else None,
        "width": one.width_px if one else found.width_px,
        "height": one.height_px if one else found.height_px,
        "duration": one.duration_s if one else found.duration_s,
        "video_url": roles.get("video"),
        "thumbnail_url": roles.get("thumbnail"),
        "subtitles": {role: roles.get(role) for role in ("srt", "vtt", "words")},
        "credits_url": roles.get("credits"),
        "description_url": roles.get("description"),
        "storage_uri": video.uri,
        "size_bytes": video.size_bytes,
        "sha256": video.digest,
        "degraded": [asdict(entry) for entry in found.degraded if entry.output in (None, name)],
    }
    return view | {"report": one.report} if one and number else view
