"""What happens around every handler: request id, log line, guards, and errors as problems."""

from __future__ import annotations

import asyncio
import logging
import time

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from vidgend.errors import VidgendError
from vidgend.http.admission import Admission
from vidgend.http.caller import ANYBODY, CALLER
from vidgend.http.closing import CLOSING
from vidgend.http.gate import GATE
from vidgend.http.open_requests import OpenRequests
from vidgend.http.problems import BadRequest, from_aiohttp, problem
from vidgend.http.proxied import client_address
from vidgend.http.services import SERVICES
from vidgend.http.views.problem import DOCS_PATH
from vidgend.observer import RequestEnd
from vidgend.request_context import REQUEST, RequestContext, new_trace, request_id_of, trace_of

_log = logging.getLogger(__name__)

REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
_STREAM: web.RequestKey[bool] = web.RequestKey("stream", bool)
"""Set where the answer is to last as long as the client likes."""
_QUIET = ("/livez", "/readyz", "/openapi.json", "/docs", "/docs/scalar.js", DOCS_PATH, "/metrics")
"""Asked for so often that they are no news in the log."""


@web.middleware
async def tell(request: web.Request, handler: Handler) -> web.StreamResponse:
    """One line per request. Paths as patterns and no query: neither ids nor signatures reach the log."""
    services = request.app[SERVICES]
    observer = services.observer
    context = _context(request, tracing=observer.tracing)
    request[REQUEST_ID] = context.request_id
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else ""
    before = REQUEST.set(context)
    observer.request_began(route, request.method)
    began = time.perf_counter()
    status = 0
    try:
        answer = await handler(request)
        status = answer.status
        return answer
    finally:
        seconds = time.perf_counter() - began
        stream = request.get(_STREAM, False)
        observer.request_ended(
            RequestEnd(
                route=route, method=request.method, status=status, seconds=seconds, stream=stream, trace=context.trace
            )
        )
        forwarded = request.headers.getall("X-Forwarded-For", [])
        caller = request.get(CALLER, ANYBODY)
        about: dict[str, object] = {
            "request_id": context.request_id, "method": request.method[:20],
            "client": client_address(request.remote, forwarded, services.trusted_proxies), "route": route or "none",
            "status": status, "ms": round(seconds * 1000, 1), "owner": caller.owner, "key_id": caller.key_id,
        }  # fmt: skip
        _log.log(logging.DEBUG if request.path in _QUIET else logging.INFO, "request", extra=about)
        REQUEST.reset(before)


def _context(request: web.Request, *, tracing: bool) -> RequestContext:
    """Which request this is: as the client and the trace that it is part of say, if they say something usable."""
    trace = trace_of(request.headers.get("traceparent", ""))
    if trace is None and tracing:
        trace = new_trace()
    return RequestContext(request_id=request_id_of(request.headers.get("X-Request-Id", "")), trace=trace)


@web.middleware
async def catch(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as a problem; a bug as a 500 that tells nothing but the id under which the log has it.

    Raises: ConnectionError if an answer was begun. Another one would become a part of it; so it ends early, and the
    connection with it.
    """
    try:
        return await handler(request)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        if request.writer.output_size == 0:
            return _answer_to(request, error)
        if not isinstance(error, ConnectionError):
            _log.error("answer_broke_off", exc_info=error, extra={"request_id": request[REQUEST_ID]})
        raise ConnectionError("an answer was begun") from error


def _answer_to(request: web.Request, error: Exception) -> web.Response:
    match error:
        case web.HTTPException():
            return from_aiohttp(error)
        case VidgendError() if error.status < 500:
            return problem(error)
        case VidgendError() if error.code != VidgendError.code:
            return problem(error.telling(request_id=request[REQUEST_ID]))
        case web.RequestPayloadError():
            return problem(BadRequest("the body is broken"))
        case _:
            _log.error("request_crashed", exc_info=error, extra={"request_id": request[REQUEST_ID]})
            bug = VidgendError(hint="The daemon's log has the reason.")
            return problem(bug.telling(request_id=request[REQUEST_ID]))


def make_guard(admission: Admission, open_requests: OpenRequests) -> Middleware:
    """Key and scope, on every path there is and every path there is not."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[CALLER] = caller = await admission.admit(request)
        with open_requests.during(request, caller):
            return await handler(request)

    return guard


async def finish_headers(request: web.Request, answer: web.StreamResponse) -> None:
    request.app[GATE].finish(request, answer)
    if request.app[CLOSING].is_set():  # the next request is for the daemon after this one
        answer.headers["Connection"] = "close"
        answer.force_close()
    if answer.content_type == "text/event-stream":
        request[_STREAM] = True
    if REQUEST_ID in request:
        answer.headers["X-Request-Id"] = request[REQUEST_ID]
