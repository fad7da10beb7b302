"""RFC 9457 problems: the errors that only HTTP has, and how any error becomes an answer.

Every code has its paragraph in docs/errors.md; the fragment of `type` is its anchor there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vidgend.complaints import in_words, nearest
from vidgend.errors import BadInput, NotFound, Unauthorized, Unavailable, VidgendError
from vidgend.http.answers import JSON_HEADERS
from vidgend.http.known_fields import known_fields
from vidgend.http.views.base import dump_json
from vidgend.http.views.problem import ProblemView, problem_view


class BadRequest(VidgendError):
    code = "bad_request"
    title = "The request is not well formed"
    status = 400


class BadJson(VidgendError):
    code = "bad_json"
    title = "The body is not JSON"
    status = 400
    hint = "Send one JSON object in UTF-8."


class InvalidFields(BadInput):
    """Fields of the body or parameters of the query are wrong. `errors` says which."""

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        first = errors[0]
        where = first.get("pointer") or first.get("parameter") or "the body"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{where}: {first['detail']}{more}")
        self.errors = list(errors)


class BodyTooLarge(VidgendError):
    code = "body_too_large"
    title = "The body is too large"
    status = 413
    hint = "A JSON body may have up to 1 MiB."


class HeadTooLarge(VidgendError):
    code = "head_too_large"
    title = "The head of the request is too large"
    status = 431
    hint = "A line may have up to 8190 bytes, and there may be up to 128 headers."


class BodyPacked(VidgendError):
    code = "body_packed"
    title = "Packed bodies are not taken"
    status = 415
    hint = "Send the body as it is, without Content-Encoding, and with no Transfer-Encoding but chunked."


class UnsupportedMediaType(VidgendError):
    code = "unsupported_media_type"
    title = "The body must be JSON"
    status = 415
    hint = "Send the header `Content-Type: application/json` (curl: -H 'Content-Type: application/json')."


class MethodNotAllowed(VidgendError):
    code = "method_not_allowed"
    title = "This path has no such method"
    status = 405


class RequestTimeout(VidgendError):
    code = "request_timeout"
    title = "The body did not arrive in time"
    status = 408
    retryable = True


class ExpectationFailed(VidgendError):
    code = "expectation_failed"
    title = "Only `Expect: 100-continue` is understood"
    status = 417


class HostNotAllowed(VidgendError):
    code = "host_not_allowed"
    title = "This server does not go by that name"
    status = 421
    hint = "Add the name to http.allowed_hosts in the settings, or set http.public_url."


class OriginNotAllowed(VidgendError):
    code = "origin_not_allowed"
    title = "Pages of that origin may not call this server"
    status = 403
    hint = "If you trust the page, add its origin to http.cors_origins. Behind a proxy set http.public_url."


class SignatureInvalid(VidgendError):
    code = "signature_invalid"
    title = "The link is not valid or no longer valid"
    status = 403
    hint = "GET /mcp/result/<job_id> gives fresh links."


class PreconditionFailed(VidgendError):
    code = "precondition_failed"
    title = "The asset is not the one that If-Match names"
    status = 412


class RangeNotSatisfiable(VidgendError):
    code = "range_not_satisfiable"
    title = "The asset has no such range"
    status = 416


class NotReady(Unavailable):
    code = "not_ready"
    title = "vidgend takes no work now"
    hint = "`reasons` says why."


class TooManyStreams(VidgendError):
    code = "too_many_streams"
    title = "You have too many event streams open"
    status = 429
    retryable = True
    retry_after_s = 15.0
    hint = "Close some; GET /mcp/events tells of all your jobs in one stream."


class StreamsFull(Unavailable):
    code = "streams_full"
    title = "Too many event streams are open"
    retry_after_s = 15.0
    hint = "Ask GET /mcp/status meanwhile."


HTTP_ERRORS: tuple[type[VidgendError], ...] = (
    BadRequest,
    BadJson,
    BodyTooLarge,
    HeadTooLarge,
    BodyPacked,
    UnsupportedMediaType,
    MethodNotAllowed,
    RequestTimeout,
    ExpectationFailed,
    HostNotAllowed,
    OriginNotAllowed,
    SignatureInvalid,
    PreconditionFailed,
    RangeNotSatisfiable,
    NotReady,
    TooManyStreams,
    StreamsFull,
)
"""The codes that no other door of vidgend has."""


def problem(error: VidgendError, /, *, headers: Mapping[str, str] | None = None) -> web.Response:
    """The answer for an error."""
    extra = {**error.headers, **(headers or {})}
    if error.retry_after_s is not None:
        extra["Retry-After"] = str(math.ceil(error.retry_after_s))
    if isinstance(error, Unauthorized):
        extra["WWW-Authenticate"] = 'Bearer realm="vidgend"'
    answer = web.Response(body=dump_json(view_of(error)), status=error.status, headers={**JSON_HEADERS, **extra})
    answer.headers["Content-Type"] = "application/problem+json"
    return answer


def view_of(error: VidgendError) -> ProblemView:
    """What is said of an error, wherever it is said."""
    return problem_view(error, error.members, error.errors if isinstance(error, InvalidFields) else None)


def from_aiohttp(error: web.HTTPException) -> web.Response:
    """aiohttp's own refusals (unknown path, wrong method, large body) in our form."""
    kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    ours: VidgendError
    if isinstance(error, web.HTTPMethodNotAllowed):
        ours = MethodNotAllowed(f"use {kept.get('Allow', 'another method')}")
    elif isinstance(error, web.HTTPNotFound):
        ours = NotFound("no such path", hint="GET /docs shows every path.")
    elif isinstance(error, web.HTTPRequestEntityTooLarge):
        ours = BodyTooLarge()
    elif isinstance(error, web.HTTPExpectationFailed):
        ours = ExpectationFailed()
    else:
        ours = BadRequest(error.reason)
        ours.status = error.status
    return problem(ours, headers=kept)


_MOST_COMPLAINTS = 500
"""A body of 1 MiB can be wrong in 90 000 places. More than a person mends at once is not looked at."""


_MOST_NEAREST, _LONGEST_NAME = 20, 40
"""Looking for names that are like another takes 0.5 ms each; nobody gets more than that wrong by a slip."""


def from_pydantic(error: ValidationError, body: Any, model: type[BaseModel] | None = None) -> InvalidFields:
    """JSON pointers into the body that the caller sent, with what is wrong there; of very many the first ones. Of the
    fields that `model` has not, a few are answered with the nearest that it has."""
    found: dict[str, list[str]] = {}
    asked = 0
    for item in error.errors(include_url=False, include_input=False)[:_MOST_COMPLAINTS]:
        pointer = _pointer(item["loc"], item["type"], body)
        names = [step for step in item["loc"] if isinstance(step, str)]
        detail = _detail(item, names[-1] if names else "")
        if item["type"] == "extra_forbidden" and model is not None and asked < _MOST_NEAREST:
            asked += 1
            detail += nearest(str(item["loc"][-1])[:_LONGEST_NAME], known_fields(model, item["loc"]))
        if detail not in found.setdefault(pointer, []):
            found[pointer].append(detail)
    # A field of several forms complains once per form. Where one form fits well enough to complain about a
    # part of the value, what the others say about the whole value is noise.
    pointers = [one for one in found if not one or not any(other.startswith(f"{one}/") for other in found)]
    return InvalidFields([{"pointer": one, "detail": ", or ".join(found[one])} for one in pointers])


def _pointer(loc: tuple[int | str, ...], kind: str, body: Any) -> str:
    """pydantic's location also names the members of a union, which the caller's body does not have."""
    pointer, value = "", body
    for depth, step in enumerate(loc):
        last = depth == len(loc) - 1
        if isinstance(value, dict) and isinstance(step, str) and (step in value or (last and kind == "missing")):
            pointer += "/" + step.replace("~", "~0").replace("/", "~1")
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            pointer += f"/{step}"
            value = value[step]
    return pointer


_PATTERNS = {
    "language": "must be a language tag such as en or pt-BR",
    "callback_url": "must be an http or https URL, without a user or password",
    "url": "must be an http or https URL, without a user or password",
    "asset": "must be the asset_id of an upload (64 hex digits)",
    "query": "must hold a letter or digit to search for, and no NUL characters",
    "queries": "must hold a letter or digit to search for, and no NUL characters",
    "author": "must hold a visible character, and no NUL characters",
    "storyboard": "must be the id of a job",
    "name": "must be letters, digits, dots, _ or -",
    "last_event_id": "must be the id of an event",
}
"""What a text must look like, by its field; all others only must not hold NUL."""


def _detail(item: ErrorDetails, field: str) -> str:
    """What is wrong, in the words of JSON and not of Python."""
    if item["type"] == "string_pattern_mismatch":
        return _PATTERNS.get(field, "must not hold NUL characters")
    return in_words(item["type"], item["msg"], item.get("ctx", {}))
