"""The life of a job over HTTP: generate, prefetch, status, result, cancel, retry, list, delete."""

from __future__ import annotations

import re
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import Field

from vidgend.errors import (
    BudgetSpent,
    CallbackForbidden,
    Conflict,
    Draining,
    FeatureUnavailable,
    IdempotencyMismatch,
    JobEnded,
    JobNotFinished,
    LanguageUnsupported,
    NotFound,
    PromptEmpty,
    QueueFull,
    QueueQuotaExceeded,
    ResultExpired,
    StorageFull,
    UnknownFont,
    UnknownPreset,
    UnknownStyle,
    UnknownVoice,
    UploadUnknown,
)
from vidgend.http.accept import accept_generate, accept_prefetch, check_open
from vidgend.http.asset_links import result_urls
from vidgend.http.body import idempotency_key, whole
from vidgend.http.cursors import bad_cursor, from_cursor, to_cursor
from vidgend.http.fields import Body
from vidgend.http.operation import Call, Header, Link, Operations, Reply
from vidgend.http.problems import BadRequest
from vidgend.http.views.base import dump
from vidgend.http.views.jobs import (
    AcceptedView,
    CancelledView,
    JobsView,
    StatusView,
    accepted_view,
    cancelled_view,
    jobs_view,
    status_view,
    summary_view,
)
from vidgend.http.views.results import ResultView, result_view
from vidgend.http.wire import GenerateBody, PrefetchBody
from vidgend.models import ACTIVE_STATES, JobState, Result
from vidgend.store.jobs import Job

DEFAULT_PAGE, MAX_PAGE = 50, 200
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REPEATS = Header(
    name="Idempotency-Key",
    description="A text of your own for this request. Sent again with the same body within a week it is answered with "
    "the same job.",
    pattern=r'^(?!""$)[!-~]([ -~]{0,253}[!-~])?$',
)
_ITS_ID = {"job_id": "$response.body#/job_id"}
LINKS = tuple(
    Link(name=name, to=name, given=_ITS_ID)
    for name in (
        "status", "result", "storyboard", "edit_storyboard", "render", "webhooks", "cancel", "retry", "delete_job",
    )
)  # fmt: skip
"""What can be done with a job that was accepted."""
_REFUSALS = (
    BadRequest, PromptEmpty, UnknownVoice, UnknownStyle, UnknownPreset, UnknownFont, LanguageUnsupported,
    FeatureUnavailable, UploadUnknown, IdempotencyMismatch, BudgetSpent, Draining, StorageFull, QueueFull,
    QueueQuotaExceeded,
)  # fmt: skip

operations = Operations("jobs")


def job_id_of(call: Call) -> str:
    """The id in the path. Raises: NotFound for anything that cannot be one."""
    job_id = call.path["job_id"]
    if not _JOB_ID.fullmatch(job_id):
        raise NotFound("no such job")
    return job_id


async def own_job(call: Call) -> Job:
    """The job that the path names, if it is the caller's. Raises: NotFound."""
    return await call.services.jobs.get(job_id_of(call), owner=call.caller.owner)


def _accepted(job_id: str, message: str) -> Reply:
    """The same for a repeat as for the first: which of twins came first is nobody's business."""
    return Reply(view=accepted_view(job_id, message), headers={"Location": f"/mcp/status/{job_id}"})


async def _submit(call: Call, accept: Callable[..., Awaitable[tuple[str, bool]]], body: Body, message: str) -> Reply:
    """Put the caller's job into the queue, once for each Idempotency-Key."""
    key, owner = idempotency_key(call.headers), call.caller.owner
    job_id, _ = await accept(call.services, body, key=key, body_sha256=call.body_sha256, owner=owner)
    call.services.worker.wake()
    return _accepted(job_id, message)


@operations.json(
    "POST", "/mcp/generate", id="generate", scope="write", status=202, body=GenerateBody, answer=AcceptedView,
    headers=(_REPEATS,), links=LINKS, errors=(*_REFUSALS, CallbackForbidden),
)  # fmt: skip
async def generate(call: Call, body: GenerateBody) -> Reply:
    """Make a video. The job is durable before it is answered; its status tells how far it is."""
    return await _submit(call, accept_generate, body, "The job is accepted.")


@operations.json(
    "POST", "/mcp/prefetch", id="prefetch", scope="write", status=202, body=PrefetchBody, answer=AcceptedView,
    headers=(_REPEATS,), links=LINKS, errors=(*_REFUSALS, NotFound),
)  # fmt: skip
async def prefetch(call: Call, body: PrefetchBody) -> Reply:
    """Search and fetch footage ahead of time. It is a job of its own, followed like any other."""
    return await _submit(call, accept_prefetch, body, "The searches are accepted.")


async def status_of(call: Call, job_id: str) -> StatusView:
    """Raises: NotFound."""
    services = call.services
    # Before the row is read: the other way round a job that ends in between would seem to go back.
    progress = services.worker.progress(job_id)
    look = await services.jobs.look(job_id, owner=call.caller.owner)
    return status_view(
        look,
        progress if look.job.state in ACTIVE_STATES else None,
        now_s=services.database.clock(),
        lacking_bytes=services.worker.lacking_bytes,
    )


@operations.json("GET", "/mcp/status/{job_id}", id="status", scope="read", answer=StatusView, errors=(NotFound,))
async def status(call: Call) -> Reply:
    """How far a job is. Also what it waits for, when it will be done, and why it failed."""
    return Reply(view=await status_of(call, job_id_of(call)))


@operations.json(
    "GET", "/mcp/result/{job_id}", id="result", scope="read", answer=ResultView,
    errors=(NotFound, JobNotFinished, JobEnded, ResultExpired),
)  # fmt: skip
async def result(call: Call) -> Reply:
    """The finished video. Where its files are, how long and large it is, what was substituted, and the quality report;
    while another version is being made, the problem carries the one before as `previous`."""
    job = await own_job(call)
    if job.state == "completed" and job.result is not None:
        shown = await _video(call, job) if isinstance(job.result, Result) else result_view(job, {})
        if shown is None:
            raise ResultExpired("the video is no longer in the store")
        return Reply(view=shown)
    # Another version is being made, or could not be: what there was before can still be had.
    earlier = await _video(call, job)
    told: dict[str, Any] = {"job_status": job.state, "previous": dump(earlier) if earlier is not None else None}
    if not job.ended:
        raise JobNotFinished(f"the job is {job.state}").telling(**told)
    if job.state == "failed" and job.error is not None:
        why = {"code": job.error.code, "detail": job.error.detail, "hint": job.error.hint}
        raise JobEnded(job.error.detail, hint=job.error.hint).telling(**told, error=why)
    raise JobEnded(f"the job was {job.state}").telling(**told)


async def _video(call: Call, job: Job) -> ResultView | None:
    """The result of a video job as clients see it; None if there is none (any more)."""
    services = call.services
    if not isinstance(job.result, Result):
        return None
    files = job.result.files
    if not (await services.jobs.has_files(job.id) and await services.assets.has(files["video"].digest)):
        return None
    return result_view(job, await result_urls(services, job.id, files, caller=call.caller, base_url=call.base_url))


@operations.json(
    "POST", "/mcp/cancel/{job_id}", id="cancel", scope="write", answer=CancelledView, errors=(NotFound, Conflict),
    links=tuple(link for link in LINKS if link.to in ("status", "retry", "delete_job")),
)  # fmt: skip
async def cancel(call: Call) -> Reply:
    """Stop a job. When this is answered nothing of it runs any more; a job that was cancelled before stays so."""
    job = await own_job(call)
    state = await call.services.worker.cancel(job.id)
    if state in ("completed", "failed"):
        raise Conflict(f"the job has already {state}").telling(job_status=state)
    return Reply(view=cancelled_view(job.id, state))


@operations.json(
    "POST", "/mcp/retry/{job_id}", id="retry", scope="write", status=202, answer=AcceptedView,
    errors=(NotFound, Conflict, Draining, StorageFull, QueueFull, QueueQuotaExceeded),
)  # fmt: skip
async def retry(call: Call) -> Reply:
    """Send a failed or cancelled job again, under its own id. What it had finished is not done again."""
    services, job = call.services, await own_job(call)
    if job.state not in ("failed", "cancelled"):
        why = Conflict(f"the job is {job.state}: only one that failed or was cancelled can be retried")
        raise why.telling(job_status=job.state)
    await check_open(services, job.brief, owner=job.owner)
    await services.jobs.retry(job.id)
    services.worker.wake()
    return _accepted(job.id, "The job is accepted again.")


@operations.json(
    "DELETE", "/mcp/jobs/{job_id}", id="delete_job", scope="write", status=204, answer=None,
    errors=(NotFound, Conflict),
)  # fmt: skip
async def delete(call: Call) -> Reply:
    """Forget an ended job: its row, its log, its events and its files."""
    job = await own_job(call)
    if not job.ended:
        raise Conflict(f"the job is {job.state}", hint="Cancel it first.").telling(job_status=job.state)
    await call.services.worker.delete(job.id)
    return Reply()


class JobsQuery(Body):
    state: JobState | None = Field(None, description="Only jobs in this state.")
    limit: whole(1, MAX_PAGE) = Field(DEFAULT_PAGE, description="So many at most.")  # type: ignore[valid-type]
    cursor: str | None = Field(None, description="The `next_cursor` of the page before.")


@operations.json(
    "GET", "/mcp/jobs", id="jobs", scope="read", query=JobsQuery, answer=JobsView,
    links=(Link(name="next", to="jobs", given={"cursor": "$response.body#/next_cursor"}),),
)  # fmt: skip
async def jobs(call: Call, query: JobsQuery) -> Reply:
    """The jobs, newest first, page by page."""
    services, limit = call.services, query.limit
    before = _from_cursor(query.cursor) if query.cursor is not None else None
    found = await services.jobs.page(state=query.state, limit=limit + 1, before=before, owner=call.caller.owner)
    page = [
        summary_view(job, services.worker.progress(job.id) if job.state in ACTIVE_STATES else None)
        for job in found[:limit]
    ]
    return Reply(view=jobs_view(page, _cursor(found[limit - 1]) if len(found) > limit else None))


def _cursor(job: Job) -> str:
    return to_cursor(struct.pack(">d", job.created_at) + job.id.encode())


def _from_cursor(text: str) -> tuple[float, str]:
    raw = from_cursor(text)
    try:
        created_at: float = struct.unpack(">d", raw[:8])[0]
        job_id = raw[8:].decode("ascii")
    except (struct.error, ValueError):
        job_id = ""
    if not _JOB_ID.fullmatch(job_id):
        raise bad_cursor()
    return created_at, job_id
