"""The life of a job over HTTP: generate, prefetch, status, result, cancel, list."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from typing import Any, get_args

from aiohttp import web

from vidgend.errors import Conflict, JobEnded, JobNotFinished, NotFound, ResultExpired
from vidgend.http.accept import accept_generate, accept_prefetch
from vidgend.http.answers import json_answer
from vidgend.http.auth import base_url
from vidgend.http.body import idempotency_key, parameters, read_body, whole_number
from vidgend.http.job_views import result_view, status_view, summary_view
from vidgend.http.problems import InvalidFields, problem
from vidgend.http.services import SERVICES, Services
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
    job_id, new = await accept_generate(services, body, key=key, body_sha256=body_sha256)
    services.worker.wake()
    return _accepted(job_id, "The job is in the queue." if new else "This is the job of your earlier request.")


@routes.post("/mcp/prefetch")
async def prefetch(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    body, body_sha256 = await read_body(request, PrefetchBody)
    key = idempotency_key(request)
    job_id, new = await accept_prefetch(services, body, key=key, body_sha256=body_sha256)
    services.worker.wake()
    return _accepted(job_id, "The searches are in the queue." if new else "This is the job of your earlier request.")


@routes.get("/mcp/status/{job_id}")
async def status(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    job_id = job_id_of(request)
    # Before the row is read: the other way round a job that ends in between would seem to go back.
    progress = services.worker.progress(job_id)
    job = await services.jobs.get(job_id)
    logs = await services.jobs.logs(job_id)
    position = await services.jobs.queue_position(job) if job.state == "queued" else None
    return json_answer(
        status_view(job, progress if job.state in ACTIVE_STATES else None, logs=logs, queue_position=position)
    )


@routes.get("/mcp/result/{job_id}")
async def result(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    job = await services.jobs.get(job_id_of(request))
    if not job.ended:
        return problem(JobNotFinished(f"the job is {job.state}"), job_status=job.state)
    if job.state == "failed" and job.error is not None:
        why = {"code": job.error.code, "detail": job.error.detail, "hint": job.error.hint}
        return problem(JobEnded(job.error.detail, hint=job.error.hint), job_status="failed", error=why)
    if job.state != "completed" or job.result is None:
        return problem(JobEnded(f"the job was {job.state}"), job_status=job.state)
    if isinstance(job.result, Result):
        await _still_here(services, job.result)
    base = base_url(request, services.public_url, services.trusted_proxies)
    return json_answer(result_view(job, services, base_url=base))


async def _still_here(services: Services, found: Result) -> None:
    try:
        await services.assets.local(found.files["video"].digest)
    except NotFound:
        raise ResultExpired("the video is no longer in the store") from None


@routes.post("/mcp/cancel/{job_id}")
async def cancel(request: web.Request) -> web.Response:
    job_id = job_id_of(request)
    state = await request.app[SERVICES].worker.cancel(job_id)
    if state in ("completed", "failed"):
        return problem(Conflict(f"the job has already {state}"), job_status=state)
    return json_answer({"job_id": job_id, "status": state})


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
