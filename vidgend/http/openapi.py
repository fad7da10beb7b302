"""The OpenAPI 3.1 document, made of the table of operations and the pydantic models that check and answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from vidgend.errors import BadInput, ForbiddenScope, RateLimited, StorageUnavailable, Unauthorized, VidgendError
from vidgend.http.answers import json_bytes
from vidgend.http.operation import Media, Operation
from vidgend.http.problems import (
    BadJson,
    BadRequest,
    BodyPacked,
    BodyTooLarge,
    ExpectationFailed,
    HeadTooLarge,
    HostNotAllowed,
    OriginNotAllowed,
    RequestTimeout,
    SignatureInvalid,
    UnsupportedMediaType,
)
from vidgend.http.views.problem import ProblemView

DOCUMENTS: web.AppKey[Mapping[bool, bytes]] = web.AppKey("openapi documents")
"""By whether a key is asked for, which the first key changes while vidgend runs."""
_KEY: list[dict[str, list[str]]] = [{"key": []}]
_KEY_OR_NOTHING: list[dict[str, list[str]]] = [{"key": []}, {}]
_PROBLEM = "application/problem+json"
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_GROUPS = {
    "jobs": "Making videos: submit, follow, fetch, cancel.",
    "storyboards": "Looking at a storyboard, changing it, and rendering it again.",
    "assets": "Files: results, and what users upload.",
    "webhooks": "Events that are sent to a job's callback_url.",
    "events": "Server-sent events.",
    "catalogue": "What there is to choose from.",
    "queue": "The queue as a whole.",
    "usage": "Provider calls, quotas and cost.",
    "health": "Probes and metrics.",
    "docs": "This document, and what errors mean.",
}
_PARAMETERS: Mapping[str, dict[str, Any]] = {
    "job_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$", "examples": ["job_0123456789abcdef0123"]},
    "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 of the content."},
    "name": {"type": "string", "minLength": 1, "maxLength": 200},
}
_NEEDS = {"read": "a key that may read", "write": "a key that may write", "admin": "a key of an administrator"}


def both_documents(operations: tuple[Operation, ...], *, version: str, path: str = "") -> dict[bool, bytes]:
    """For DOCUMENTS. Behind a proxy clients may reach the server below a `path`."""
    told = document(operations, version=version, needs_key=False)
    told["servers"] = [{"url": path or "/"}]
    open_to_all = json_bytes(told)
    for entry in (entry for methods in told["paths"].values() for entry in methods.values()):
        if "security" in entry:
            entry["security"] = _KEY
    return {False: open_to_all, True: json_bytes(told)}


def document(operations: tuple[Operation, ...], *, version: str, needs_key: bool) -> dict[str, Any]:
    """The document of a server that asks for a key, or of one that does not. A field that an answer has today may have
    more beside it tomorrow."""
    security = _KEY if needs_key else _KEY_OR_NOTHING
    references, schemas = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        entry = paths.setdefault(operation.path, {})
        entry[operation.method.lower()] = _entry(operation, references, security)
    used = dict.fromkeys(operation.group for operation in operations)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vidgend",
            "version": version,
            "license": {"name": "MIT", "identifier": "MIT"},
            "description": "Turns a text prompt into a narrated, captioned video. Errors are problems (RFC 9457) whose "
            "`code` is stable; `type` leads to what it means and what to do.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": _GROUPS[name]} for name in used],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key (`vidgend keys create`). Where none is set and vidgend listens on loopback, "
                    "none is asked for.",
                }
            },
        },
    }


References = Mapping[tuple[Any, JsonSchemaMode], dict[str, Any]]


def _schemas(operations: Iterable[Operation]) -> tuple[References, dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemView, "serialization"): None}
    for operation in operations:
        taken = operation.body if isinstance(operation.body, tuple) else ()
        for model in (operation.body, operation.query, *(media.model for media in taken)):
            if isinstance(model, type):
                wanted[model, "validation"] = None
        if isinstance(operation.answer, type):
            wanted[operation.answer, "serialization"] = None
    references, definitions = models_json_schema(list(wanted), ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = definitions.get("$defs", {})
    return references, schemas


def _entry(operation: Operation, references: References, security: list[dict[str, list[str]]]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.group],
        "summary": operation.summary,
        "description": operation.description + (f" Needs {_NEEDS[operation.scope]}." if operation.scope else ""),
        "responses": _responses(operation, references),
    }
    parameters = [*_path_parameters(operation), *_query_parameters(operation, references), *_headers(operation)]
    if parameters:
        entry["parameters"] = parameters
    if operation.scope is not None:
        entry["security"] = security
    if isinstance(operation.body, tuple):
        content = {media.content_type: {"schema": _taken(media, references)} for media in operation.body}
        entry["requestBody"] = {"required": True, "content": content}
    elif operation.body is not None:
        schema = references[operation.body, "validation"]
        entry["requestBody"] = {
            "required": not operation.body_optional,
            "content": {"application/json": {"schema": schema}},
        }
    return entry


def _taken(media: Media, references: References) -> dict[str, Any]:
    if media.model is None:
        return {"type": "string", "format": "binary"}
    return references[media.model, "validation"]


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _PARAMETERS[name]}
        for name in _PATH_PARAMETER.findall(operation.path)
    ]


def _query_parameters(operation: Operation, references: References) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = operation.query.model_json_schema(mode="validation", ref_template="#/components/schemas/{model}")
    found = []
    for name, field in schema["properties"].items():
        told = {"description": field.pop("description")} if "description" in field else {}
        field.pop("title", None)
        kinds = [one for one in field.get("anyOf", []) if one != {"type": "null"}]
        if len(kinds) == 1:  # a parameter is there or not; it cannot be null
            field = {key: value for key, value in field.items() if key not in ("anyOf", "default")} | kinds[0]
        found.append({"name": name, "in": "query", "required": False, "schema": field, **told})
    return found


def _headers(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": header.name, "in": "header", "required": False, "description": header.description,
         "schema": {"type": "string", **({"pattern": header.pattern} if header.pattern else {})}}
        for header in operation.headers
    ]  # fmt: skip


def _responses(operation: Operation, references: References) -> dict[str, Any]:
    responses = {str(operation.status): _success(operation, references)}
    for status, told in operation.also.items():
        responses[str(status)] = {"description": told}
        if status == 206 and isinstance(operation.answer, tuple):
            responses["206"]["content"] = _bytes_of(operation.answer)
        elif status < 300 and isinstance(operation.answer, type):
            responses[str(status)] = _success(operation, references) | {"description": told}
    by_status: dict[int, dict[str, str]] = {}
    for status, error in documented_errors(operation):
        by_status.setdefault(status, {})[error.code] = error.title
    problem = {_PROBLEM: {"schema": references[ProblemView, "serialization"]}}
    for status in sorted(by_status):
        told = "; ".join(f"`{code}`: {title}" for code, title in by_status[status].items())
        responses[str(status)] = {"description": told, "content": problem}
        if status in (429, 503, 507):
            responses[str(status)]["headers"] = {
                "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            }
    return responses


def documented_errors(operation: Operation) -> list[tuple[int, type[VidgendError]]]:
    """What the document says may go wrong, and with which status."""
    usual = [(error.status, error) for error in (*_common(operation), *operation.errors)]
    return [*usual, *((status, error) for error, status in operation.as_status.items())]


def _common(operation: Operation) -> list[type[VidgendError]]:
    """What may be said of any such request."""
    common: list[type[VidgendError]] = [
        BadRequest, HostNotAllowed, OriginNotAllowed, HeadTooLarge, ExpectationFailed, BadInput,
    ]  # fmt: skip
    if operation.scope is not None:
        common += [Unauthorized, ForbiddenScope, RateLimited, StorageUnavailable]
    if operation.scope is not None and operation.raw is not None:
        common.append(SignatureInvalid)
    if operation.body is not None:
        common += [BodyTooLarge, BodyPacked]
    if isinstance(operation.body, type):
        common += [BadJson, UnsupportedMediaType, RequestTimeout]
    return common


def _success(operation: Operation, references: References) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.links:
        told["links"] = {
            link.name: {"operationId": link.to, "parameters": dict(link.given)} for link in operation.links
        }
    if isinstance(operation.answer, tuple):
        return told | {"content": _bytes_of(operation.answer)}
    if operation.answer is None:
        return told
    schema = references[operation.answer, "serialization"]
    return told | {"content": {"application/json": {"schema": schema}}}


def _bytes_of(kinds: Iterable[Media]) -> dict[str, Any]:
    return {media.content_type: {} for media in kinds}
