"""Reading a daemon's event streams, line by line, on the standard library alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

SILENCE_S = 20.0
"""The daemon says something every 15 seconds; what is silent for longer has been lost on the way."""
MAX_LINE_BYTES = 1024 * 1024


class NoEvents(Exception):
    """Somebody answers, but no stream of events gets through: an older daemon, or a proxy that keeps it back."""


@dataclass(frozen=True, kw_only=True)
class StreamEvent:
    """`id` is "" for an event that is not kept."""

    name: str
    data: dict[str, Any]
    id: str = ""


AT_REST = ("completed", "failed", "cancelled", "awaiting_review")
"""States in which nothing happens to a job until somebody does something."""


def at_rest(event: StreamEvent) -> bool:
    """Whether nothing more happens to the job that the event is about."""
    rests = event.name in ("snapshot", "status") and event.data.get("status") in AT_REST
    return rests or event.name == "deleted"


def read_events(lines: Iterable[bytes]) -> Iterator[StreamEvent]:
    """The events of a stream whose lines come one by one. Raises: ValueError for what is none."""
    fields: dict[str, str] = {}
    for line in lines:
        if len(line) >= MAX_LINE_BYTES:
            raise ValueError("a line without an end")
        text = line.decode().rstrip("\r\n")
        if text:
            name, _, value = text.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            data = json.loads(fields["data"])
            if not isinstance(data, dict):
                raise ValueError("not an object")
            yield StreamEvent(name=fields.get("event", "message"), data=data, id=fields.get("id", ""))
            fields = {}
        else:
            fields = {}
