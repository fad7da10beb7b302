"""How answers look: JSON bytes, times, and what they tell caches and browsers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

JSON_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def json_bytes(value: Any) -> bytes:
    """UTF-8 JSON. A lone surrogate, which UTF-8 cannot hold, comes out as its JSON escape."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace") + b"\n"


def rfc3339(at_s: float | None) -> str | None:
    """`2026-11-25T10:00:00Z` from seconds since the epoch."""
    if at_s is None:
        return None
    return f"{datetime.fromtimestamp(at_s, UTC).isoformat()[:19]}Z"  # a fourth of the time that strftime takes
