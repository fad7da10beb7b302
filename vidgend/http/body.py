"""From a request's bytes to a checked value. Nothing that a client can send raises anything but a VidgendError."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import Iterable
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from vidgend.http.problems import (
    BadJson,
    BadRequest,
    InvalidFields,
    RequestTimeout,
    UnsupportedMediaType,
    from_pydantic,
)

MAX_BODY_BYTES = 1024 * 1024
BODY_TIMEOUT_S = 30.0
"""A body of at most 1 MiB that takes longer is a client that holds a connection, not one that works."""
MAX_DEPTH = 64
"""Nested deeper than any request needs, and far from where Python's own recursion ends."""
MAX_KEY_CHARS = 255

Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: web.Request, model: type[Body]) -> tuple[Body, str]:
    """The checked body and the SHA-256 of route and canonical JSON, which tells repeats from other requests.

    Raises: UnsupportedMediaType, BadJson, InvalidFields (parameters of the query too: there are none), RequestTimeout;
    aiohttp raises on more than 1 MiB.
    """
    parameters(request)
    if request.content_type != "application/json":
        raise UnsupportedMediaType(f"the content type is {request.content_type!r}")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            raw = await request.read()
    except TimeoutError:
        raise RequestTimeout from None
    except (web.RequestPayloadError, ConnectionError) as error:
        raise BadRequest("the body is broken or broke off") from error
    value = parse_json(raw)
    try:
        canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidFields([{"pointer": "", "detail": "a text holds half of a surrogate pair"}]) from None
    try:
        body = model.model_validate(value)
    except ValidationError as error:
        raise from_pydantic(error, value) from None
    return body, hashlib.sha256(request.path.encode() + b"\0" + canonical).hexdigest()


async def read_optional_body(request: web.Request, model: type[Body]) -> Body:
    """The checked body; the model's defaults where there is none. Raises: as read_body."""
    if not request.can_read_body:
        parameters(request)
        return model()
    body, _ = await read_body(request, model)
    return body


def parse_json(raw: bytes) -> dict[str, Any]:
    """One JSON object. Raises: BadJson."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_float=_finite, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise BadJson("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadJson(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise BadJson("the body is nested too deeply") from None
    except ValueError:
        raise BadJson("the body has a number that is out of range") from None
    if not isinstance(value, dict):
        raise BadJson("the body is not an object")
    if _deeper_than(value, MAX_DEPTH):
        raise BadJson(f"the body is nested more than {MAX_DEPTH} levels deep")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _no_constant(text: str) -> float:
    raise BadJson(f"{text} is not JSON")


def _deeper_than(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        below: list[Any] = []
        for item in level:
            children: Iterable[Any] = item.values() if isinstance(item, dict) else item
            below.extend(child for child in children if isinstance(child, dict | list))
        if not below:
            return False
        level = below
    return True


def idempotency_key(request: web.Request) -> str | None:
    """The Idempotency-Key, quoted as the draft standard has it or bare. Raises: BadRequest."""
    values = request.headers.getall("Idempotency-Key", [])
    if not values:
        return None
    key = values[0].strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if len(values) > 1 or not 1 <= len(key) <= MAX_KEY_CHARS or not (key.isascii() and key.isprintable()):
        raise BadRequest(f"Idempotency-Key must be one text of 1 to {MAX_KEY_CHARS} visible ASCII characters")
    return key


def parameters(request: web.Request, *known: str) -> dict[str, str]:
    """The query's parameters, each at most once. Raises: InvalidFields."""
    errors = [
        {"parameter": name[:100], "detail": "no such parameter" if name not in known else "is given more than once"}
        for name in dict.fromkeys(request.query)
        if name not in known or len(request.query.getall(name)) > 1
    ]
    if errors:
        raise InvalidFields(errors)
    return dict(request.query)


def whole_number(values: dict[str, str], name: str, *, least: int, most: int) -> int | None:
    """A parameter as a number; None if it is not given. Raises: InvalidFields."""
    text = values.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise InvalidFields([{"parameter": name, "detail": f"must be a whole number from {least} to {most}"}])
    return int(text)
