"""The life of a job over HTTP: generate, prefetch, status, result, cancel, retry, list, delete."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from typing import Any, get_args

from aiohttp import web

from vidgend.errors import Conflict, JobEnded, JobNotFinished, NotFound, ResultExpired
from vidgend.http.accept import accept_generate, accept_prefetch, check_open
from vidgend.http.answers import JSON_HEADERS, json_answer
from vidgend.http.asset_links import result_urls
from vidgend.http.auth import base_url
from vidgend.http.body import idempotency_key, parameters, read_body, whole_number
from vidgend.http.job_views import result_view, status_view, summary_view
from vidgend.http.problems import InvalidFields, problem
from vidgend.http.services import SERVICES
from vidgend.http.wire import GenerateBody, PrefetchBody
from vidgend.models import ACTIVE_STATES, JobState, Result
from vidgend.store.jobs import Job

STATES: tuple[str, ...] = get_args(JobState)
DEFAULT_PAGE, MAX_PAGE = 50, 200
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

routes = web.RouteTableDef()


def job_id_of(request: web.Request) -> str:
    """The id in the path. Raises: NotFound for anything that cannot be one."""
    job_id = request.match_info["job_id"]
    if not _JOB_ID.fullmatch(job_id):
        raise NotFound("no such job")
    return job_id


def _accepted(job_id: str, message: str) -> web.Response:
    """The same for a repeat as for the first: which of twins came first is nobody's business."""
    return json_answer(
        {"job_id": job_id, "status": "accepted", "message": message},
        status=202,
        headers={"Location": f"/mcp/status/{job_id}"},
    )


@routes.post("/mcp/generate")
async def generate(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    body, body_sha256 = await read_body(request, GenerateBody)
    key = idempotency_key(request)
    job_id, _ = await accept_generate(services, body, key=key, body_sha256=body_sha256)
    services.worker.wake()
    return _accepted(job_id, "The job is accepted.")


@routes.post("/mcp/prefetch")
async def prefetch(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    body, body_sha256 = await read_body(request, PrefetchBody)
    key = idempotency_key(request)
    job_id, _ = await accept_prefetch(services, body, key=key, body_sha256=body_sha256)
    services.worker.wake()
    return _accepted(job_id, "The searches are accepted.")


@routes.get("/mcp/status/{job_id}")
async def status(request: web.Request) -> web.Response:
    parameters(request)
    services = request.app[SERVICES]
    job_id = job_id_of(request)
    # Before the row is read: the other way round a job that ends in between would seem to go back.
    progress = services.worker.progress(job_id)
    job = await services.jobs.get(job_id)
    logs = await services.jobs.logs(job_id)
    waits = job.state == "queued"
    position = await services.jobs.queue_position(job) if waits and job.ready else None
    view = status_view(
        job,
        progress if job.state in ACTIVE_STATES else None,
        logs=logs,
        queue_position=position,
        pause=await services.jobs.paused() if waits else None,
        now_s=services.database.clock(),
        lacking_bytes=services.worker.lacking_bytes,
    )
    return json_answer(view)


@routes.get("/mcp/result/{job_id}")
async def result(request: web.Request) -> web.Response:
    parameters(request)
    services = request.app[SERVICES]
    job = await services.jobs.get(job_id_of(request))
    if job.state == "completed" and job.result is not None:
        if not isinstance(job.result, Result):
            return json_answer(result_view(job, {}))
        shown = await _video(request, job)
        if shown is None:
            raise ResultExpired("the video is no longer in the store")
        return json_answer(shown)
    # Another version is being made, or could not be: what there was before can still be had.
    earlier = await _video(request, job)
    told: dict[str, Any] = {"job_status": job.state} | ({"previous": earlier} if earlier else {})
    if not job.ended:
        return problem(JobNotFinished(f"the job is {job.state}"), **told)
    if job.state == "failed" and job.error is not None:
        why = {"code": job.error.code, "detail": job.error.detail, "hint": job.error.hint}
        return problem(JobEnded(job.error.detail, hint=job.error.hint), **told, error=why)
    return problem(JobEnded(f"the job was {job.state}"), **told)


async def _video(request: web.Request, job: Job) -> dict[str, Any] | None:
    """The result of a video job as clients see it; None if there is none (any more)."""
    services = request.app[SERVICES]
    if not isinstance(job.result, Result):
        return None
    files = job.result.files
    if not (await services.jobs.has_files(job.id) and await services.assets.has(files["video"].digest)):
        return None
    base = base_url(request, services.public_url, services.trusted_proxies)
    return result_view(job, await result_urls(services, job.id, files, base_url=base))


@routes.post("/mcp/cancel/{job_id}")
async def cancel(request: web.Request) -> web.Response:
    parameters(request)
    job_id = job_id_of(request)
    state = await request.app[SERVICES].worker.cancel(job_id)
    if state in ("completed", "failed"):
        return problem(Conflict(f"the job has already {state}"), job_status=state)
    return json_answer({"job_id": job_id, "status": state})


@routes.post("/mcp/retry/{job_id}")
async def retry(request: web.Request) -> web.Response:
    """Send a failed or cancelled job again, under its own id. What it had finished is not done again."""
    parameters(request)
    services = request.app[SERVICES]
    job = await services.jobs.get(job_id_of(request))
    if job.state not in ("failed", "cancelled"):
        return problem(
            Conflict(f"the job is {job.state}: only one that failed or was cancelled can be retried"),
            job_status=job.state,
        )
    await check_open(services, job.brief)
    await services.jobs.retry(job.id)
    services.worker.wake()
    return _accepted(job.id, "The job is accepted again.")


@routes.delete("/mcp/jobs/{job_id}")
async def delete(request: web.Request) -> web.Response:
    """Forget an ended job: its row, its log, its events and its files."""
    parameters(request)
    services = request.app[SERVICES]
    job = await services.jobs.get(job_id_of(request))
    if not job.ended:
        why = Conflict(f"the job is {job.state}", hint="Cancel it first.")
        return problem(why, job_status=job.state)
    await services.worker.delete(job.id)
    return web.Response(status=204, headers=JSON_HEADERS)


@routes.get("/mcp/jobs")
async def jobs(request: web.Request) -> web.Response:
    """Newest first. `cursor` is the `next_cursor` of the page before."""
    services = request.app[SERVICES]
    given = parameters(request, "state", "limit", "cursor")
    state = given.get("state")
    if state is not None and state not in STATES:
        raise InvalidFields([{"parameter": "state", "detail": f"must be one of {', '.join(STATES)}"}])
    limit = whole_number(given, "limit", least=1, most=MAX_PAGE) or DEFAULT_PAGE
    before = _from_cursor(given["cursor"]) if "cursor" in given else None
    found = await services.jobs.page(state=state, limit=limit + 1, before=before)
    page: list[dict[str, Any]] = [
        summary_view(job, services.worker.progress(job.id) if job.state in ACTIVE_STATES else None)
        for job in found[:limit]
    ]
    return json_answer({"jobs": page, "next_cursor": _cursor(found[limit - 1]) if len(found) > limit else None})


def _cursor(job: Job) -> str:
    return base64.urlsafe_b64encode(struct.pack(">d", job.created_at) + job.id.encode()).decode().rstrip("=")


def _from_cursor(text: str) -> tuple[float, str]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        created_at: float = struct.unpack(">d", raw[:8])[0]
        job_id = raw[8:].decode("ascii")
    except (binascii.Error, struct.error, ValueError):
        job_id = ""
    if not _JOB_ID.fullmatch(job_id):
        raise InvalidFields([{"parameter": "cursor", "detail": "is not a next_cursor of this server"}])
    return created_at, job_id
