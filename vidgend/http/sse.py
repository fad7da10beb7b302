"""The bytes of a stream of server-sent events. Source: the HTML standard, "Server-sent events"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidgend.http.answers import JSON_HEADERS, json_bytes

SSE_HEADERS = {**JSON_HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
"""The last one is for nginx, which would collect the answer before it passes it on."""


def event(name: str, data: Mapping[str, Any], *, id: int | None = None) -> bytes:
    """One event. JSON escapes the line ends in its texts, so that `data` is one line."""
    head = b"" if id is None else b"id: %d\n" % id
    return head + b"event: " + name.encode() + b"\ndata: " + json_bytes(data) + b"\n"


def comment(text: str) -> bytes:
    """What clients pass over."""
    return b": " + text.encode() + b"\n\n"


def retry(wait_s: float) -> bytes:
    """How long a client is to wait before it comes again when the stream ends."""
    return b"retry: %d\n\n" % (wait_s * 1000)
