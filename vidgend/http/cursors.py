"""Cursors of pages: what tells where the next one begins, as a text that is only handed back."""

from __future__ import annotations

import base64
import binascii

from vidgend.http.problems import InvalidFields


def to_cursor(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def from_cursor(text: str) -> bytes:
    """Empty for what is none, which no cursor is."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def bad_cursor(whose: str = "this server") -> InvalidFields:
    return InvalidFields([{"parameter": "cursor", "detail": f"is not a next_cursor of {whose}"}])
