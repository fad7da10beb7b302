"""The daemon's own log: events with fields, as JSON or as readable lines, on stderr. No secret gets past here."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from vidgend.redaction import Redactor
from vidgend.request_context import REQUEST

SHAPES_ONLY = Redactor()
"""Masks what looks like a secret; for whoever does not know the secrets."""
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class WithRequest(logging.Filter):
    """Adds to each line which request it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = REQUEST.get()
        if request is not None:
            record.__dict__.setdefault("request_id", request.request_id)
            if request.trace is not None:
                record.__dict__.setdefault("trace_id", request.trace.trace_id)
        return True


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in record.__dict__.items() if name not in _STANDARD}


class _Redacting(logging.Formatter):
    """`redact` has the whole line, so no field and no traceback gets around it."""

    def __init__(self, redact: Callable[[str], str] = SHAPES_ONLY) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(self.line(record))

    def line(self, record: logging.LogRecord) -> str:
        raise NotImplementedError


class JsonFormatter(_Redacting):
    def line(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, object] = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= _fields(record)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _on_one_line(text: str) -> str:
    """Nothing from outside may begin a line of its own or steer the terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class TextFormatter(_Redacting):
    def line(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        line = _on_one_line(f"{at} {record.levelname.lower():7} {record.getMessage()} {fields}".rstrip())
        if not record.exc_info:
            return line
        traceback = self.formatException(record.exc_info).split("\n")
        return "\n".join([line, *map(_on_one_line, traceback)])


def set_up_logging(
    level: str, form: Literal["auto", "json", "text"], redact: Callable[[str], str] = SHAPES_ONLY
) -> None:
    """Send everything from `level` on to stderr; other libraries' chatter from warning on. `redact` masks secrets."""
    handler = logging.StreamHandler(sys.stderr)
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler.setFormatter(TextFormatter(redact) if text else JsonFormatter(redact))
    handler.addFilter(WithRequest())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # What is retried and why ends up in a job's own log or its result.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    # Bytes that are not HTTP are the sender's mistake; aiohttp would log a traceback for each.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    logging.getLogger("vidgend").setLevel(level.upper())
