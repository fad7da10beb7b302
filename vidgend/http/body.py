"""From a request's bytes to a checked value. Nothing that a client can send raises anything but a VidgendError."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

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


async def read_json(request: web.Request) -> dict[str, Any]:
    """The body as one JSON object. Raises: UnsupportedMediaType, BadJson, RequestTimeout; aiohttp raises on more than
    1 MiB."""
    if request.content_type != "application/json":
        raise UnsupportedMediaType(f"the content type is {request.content_type!r}")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            raw = await request.read()
    except TimeoutError:
        raise RequestTimeout from None
    except (web.RequestPayloadError, ConnectionError) as error:
        raise BadRequest("the body is broken or broke off") from error
    return parse_json(raw)


def checked_body(value: Mapping[str, Any], model: type[Body], path: str) -> tuple[Body, str]:
    """The body as the model has it, and the SHA-256 of path and canonical JSON, which tells repeats from other
    requests. Raises: InvalidFields."""
    try:
        canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidFields([{"pointer": "", "detail": "a text holds half of a surrogate pair"}]) from None
    try:
        body = model.model_validate(value)
    except ValidationError as error:
        raise from_pydantic(error, value, model) from None
    return body, hashlib.sha256(path.encode() + b"\0" + canonical).hexdigest()


def parse_json(raw: bytes) -> dict[str, Any]:
    """One JSON object. Raises: BadJson."""
    try:
        value = json.loads(
            raw.decode("utf-8"), parse_float=_finite, parse_constant=_no_constant, object_pairs_hook=_each_once
        )
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


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two values of one name is meant, every reader of JSON decides for itself."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise BadJson(f"an object has the name {twice[:100]!r} twice")
    return found


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


def idempotency_key(headers: MultiMapping[str]) -> str | None:
    """The Idempotency-Key, quoted as the draft standard has it or bare. Raises: BadRequest."""
    values = headers.getall("Idempotency-Key", [])
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


def checked_query(values: Mapping[str, str], model: type[Body]) -> Body:
    """The parameters as the model has them. Raises: InvalidFields."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        entries = from_pydantic(error, values).errors
        raise InvalidFields([{"parameter": one["pointer"][1:], "detail": one["detail"]} for one in entries]) from None


def _digits(least: int, most: int) -> Any:
    def check(value: Any) -> Any:
        if isinstance(value, str):
            if not (value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
                raise ValueError(f"must be a whole number from {least} to {most}")
            return int(value)
        return value

    return BeforeValidator(check)


def whole(least: int, most: int) -> Any:
    """The type of a parameter that is a whole number: its digits, and nothing else."""
    return Annotated[int, Field(ge=least, le=most), _digits(least, most)]
