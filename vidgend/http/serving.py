"""Operations at work: what comes over HTTP, or from a tool in this process, is checked, then run and answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from multidict import CIMultiDict, MultiMapping
from pydantic import BaseModel

from vidgend.http.answers import JSON_HEADERS
from vidgend.http.auth import base_url
from vidgend.http.body import checked_body, checked_query, parameters, read_json
from vidgend.http.caller import CALLER, Caller
from vidgend.http.operation import Call, Operation, Reply
from vidgend.http.services import SERVICES, Services
from vidgend.http.views.base import dump_json


def call_of(request: web.Request) -> Call:
    """Who asks what, of a request that the guard has let in."""
    services = request.app[SERVICES]
    return Call(
        services=services,
        caller=request[CALLER],
        base_url=base_url(request, services.public_url, services.trusted_proxies),
        path=request.match_info,
        headers=request.headers,
    )


def handler_of(operation: Operation) -> Handler:
    """What aiohttp runs for an operation."""
    if operation.raw is not None:
        return operation.raw
    assert operation.run is not None
    run, body, query = operation.run, operation.body, operation.query
    assert not isinstance(body, tuple)

    async def handle(request: web.Request) -> web.StreamResponse:
        call, given = call_of(request), list[BaseModel]()
        known = _names(query) if query is not None else ()
        values = {} if operation.any_query else parameters(request, *known)
        if body is not None:
            empty = operation.body_optional and not request.can_read_body
            value = {} if empty else await read_json(request)
            checked, sha256 = checked_body(value, body, request.path)
            call = replace(call, body_sha256=sha256)
            given.append(checked)
        if query is not None:
            given.append(checked_query(values, query))
        return answer_of(await run(call, *given), operation.status)

    return handle


def _names(query: type[BaseModel]) -> Iterable[str]:
    return (field.alias or name for name, field in query.model_fields.items())


def answer_of(reply: Reply, status: int = 200) -> web.Response:
    answer = web.Response(
        body=None if reply.view is None else dump_json(reply.view),
        status=reply.status or status,
        headers={**JSON_HEADERS, **reply.headers},
    )
    if reply.view is not None:
        answer.headers["Content-Type"] = "application/json"
    return answer


async def invoke(
    operation: Operation,
    *,
    services: Services,
    caller: Caller,
    base_url: str,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Run an operation without a request, for a tool in this process. The caller's scope is the tool's to check.

    Raises: VidgendError, as the operation does.
    """
    assert operation.run is not None, f"{operation.id} sends bytes"
    told: MultiMapping[str] = CIMultiDict(headers or {})
    call = Call(services=services, caller=caller, base_url=base_url, path=path or {}, headers=told)
    given = list[BaseModel]()
    if operation.body is not None:
        assert not isinstance(operation.body, tuple)
        checked, sha256 = checked_body(body or {}, operation.body, operation.path.format_map(path or {}))
        call = replace(call, body_sha256=sha256)
        given.append(checked)
    if operation.query is not None:
        given.append(checked_query(query or {}, operation.query))
    return await operation.run(call, *given)
