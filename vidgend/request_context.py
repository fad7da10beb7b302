"""Which request is being answered: its id and its trace, for whatever is logged and begun meanwhile."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """A place in a distributed trace. `parent_id` is who caused it ("" for a root), `span_id` is it itself."""

    trace_id: str
    span_id: str
    parent_id: str = ""
    sampled: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestContext:
    request_id: str
    trace: Trace | None = None


REQUEST: ContextVar[RequestContext | None] = ContextVar("request", default=None)
"""Set while a request is answered, and in all tasks that are begun meanwhile."""


def request_id_of(told: str) -> str:
    """The id that the client gave its request, if it is fit for a log, else a new one."""
    return told if _SANE_ID.fullmatch(told) else secrets.token_hex(8)


def new_trace() -> Trace:
    return Trace(trace_id=secrets.token_hex(16), span_id=secrets.token_hex(8))


def trace_of(traceparent: str) -> Trace | None:
    """The trace that a client asks to be part of; None for a header that says nothing usable.

    Source: W3C Trace Context, section 3.2; a version 00 has four parts, later ones may have more.
    """
    found = _TRACEPARENT.fullmatch(traceparent.strip()[:200])
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace_id, 16) or not int(parent_id, 16):
        return None
    return Trace(trace_id=trace_id, span_id=secrets.token_hex(8), parent_id=parent_id, sampled=bool(int(flags, 16) & 1))
