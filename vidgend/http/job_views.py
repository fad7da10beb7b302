"""Jobs as clients see them. Pure: values in, JSON values out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from vidgend.http.answers import rfc3339
from vidgend.http.auth import asset_url
from vidgend.http.services import Services
from vidgend.models import JobState, PrefetchBrief, Published, Result
from vidgend.pipeline.run import Progress
from vidgend.store.jobs import Job

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


def _current_step(job: Job, scenes_done: int, scenes_total: int, queue_position: int | None) -> str:
    if job.state == "failed":
        return f"failed: {job.error.detail}" if job.error else "failed"
    if job.state == "queued" and queue_position is not None and queue_position > 1:
        return f"waiting in the queue behind {queue_position - 1} other job{'s' if queue_position > 2 else ''}"
    if job.state == "rendering" and scenes_total:
        return f"rendering the scenes: {scenes_done} of {scenes_total} are done"
    return _STEPS[job.state]


def status_view(
    job: Job, progress: Progress | None, *, logs: Sequence[tuple[float, str]], queue_position: int | None
) -> dict[str, Any]:
    """`progress` is given while the job runs here; the row's own numbers are older."""
    done, total = (progress.scenes_done, progress.scenes_total) if progress else (job.scenes_done, job.scenes_total)
    eta_s = progress.eta_s() if progress else None
    view: dict[str, Any] = {
        "job_id": job.id,
        "status": job.state,
        "overall_progress": _percent(job, progress),
        "current_step": _current_step(job, done, total, queue_position),
        "scenes_processed": done,
        "total_scenes": total,
        "logs": [f"{rfc3339(at)} {line}" for at, line in logs],
        "eta_s": round(eta_s, 1) if eta_s is not None else None,
        "kind": job.kind,
        "created_at": rfc3339(job.created_at),
        "started_at": rfc3339(job.started_at),
        "finished_at": rfc3339(job.finished_at),
        "priority": job.priority,
        "attempt": job.attempt,
        "metadata": job.metadata,
    }
    if queue_position is not None:
        view["queue_position"] = queue_position
    if job.error is not None:
        view["error"] = {"code": job.error.code, "detail": job.error.detail, "hint": job.error.hint}
        if job.error.tail:
            view["error"]["tail"] = job.error.tail
    return view


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
        "error": job.error.code if job.error else None,
        "metadata": job.metadata,
    }


def _about(job: Job) -> str:
    if isinstance(job.brief, PrefetchBrief):
        text = ", ".join(job.brief.queries)
    else:
        first = job.brief.scenes[0].narration if job.brief.scenes else ""
        text = job.brief.prompt or job.brief.script or first
    text = " ".join(text.split())
    return text if len(text) <= _PROMPT_CHARS else f"{text[: _PROMPT_CHARS - 1]}…"


def result_view(job: Job, services: Services, *, base_url: str) -> dict[str, Any]:
    """The result of a completed job; its links begin with `base_url`."""
    head = {"job_id": job.id, "status": job.state, "kind": job.kind}
    tail = {"finished_at": rfc3339(job.finished_at), "metadata": job.metadata}
    if not isinstance(job.result, Result):
        return head | dict(job.result or {}) | tail
    found, files = job.result, job.result.files
    now_s = time.time()

    def url(role: str) -> str | None:
        if role not in files:
            return None
        key = services.url_key if services.api_key else None
        return asset_url(base_url, files[role].digest, url_key=key, now_s=now_s)

    def entry(role: str, file: Published) -> dict[str, Any]:
        return {
            "name": file.name,
            "url": url(role),
            "content_type": file.content_type,
            "size_bytes": file.size_bytes,
            "sha256": file.digest,
            "storage_uri": file.uri,
        }

    video = files["video"]
    return (
        head
        | {
            "video_url": url("video"),
            "thumbnail_url": url("thumbnail"),
            "storage_uri": video.uri,
            "subtitles": {role: url(role) for role in ("srt", "vtt", "words")},
            "credits": [asdict(credit) for credit in found.credits],
            "credits_url": url("credits"),
            "duration": found.duration_s,
            "width": found.width_px,
            "height": found.height_px,
            "size_bytes": video.size_bytes,
            "sha256": video.digest,
            "timings": found.timings,
            "degraded": [asdict(substitution) for substitution in found.degraded],
            "report": found.report,
            "files": {role: entry(role, file) for role, file in files.items()},
        }
        | tail
    )
