"""What the headers of a file server prove about a file: where a part of it belongs, how long it is, its checksum. Pure.

Source: RFC 9110, 8.8 (validators), 13.1.5 (If-Range), 14 (ranges); RFC 9530 (Repr-Digest, Content-Digest), RFC 3230
(Digest), RFC 1864 (Content-MD5). An ETag is no checksum, even where it looks like one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
_SURE_S = 60.0
"""A file that changed within the last minute before it was sent may have changed twice in a second."""
MOST_OFF = 2.0
"""How many times larger or smaller than its service says a file may be: what they say may be from before it was
encoded anew, but a file of quite another size is another file."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What an HTTP 206 carries: bytes `first` to `last`; `total` is that of the whole file, None if it is not told."""

    first: int
    last: int
    total: int | None


@dataclass(frozen=True, kw_only=True)
class Checksum:
    algorithm: Literal["sha256", "sha512", "md5"]
    digest: bytes


def content_range(headers: Mapping[str, str]) -> Part | None:
    """None if it is missing or contradicts itself."""
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    total = None if match[3] == "*" else int(match[3])
    sensible = first <= last and (total is None or last < total)
    return Part(first=first, last=last, total=total) if sensible else None


def content_length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def strong_validator(headers: Mapping[str, str]) -> str | None:
    """What `If-Range` may be given, so that a part is only sent of the very same file; None if nothing is sure."""
    etag = headers.get("etag", "").strip()
    if etag:
        return etag if _STRONG_ETAG.fullmatch(etag) else None
    changed, sent = headers.get("last-modified", "").strip(), headers.get("date", "").strip()
    try:
        age_s = (parsedate_to_datetime(sent) - parsedate_to_datetime(changed)).total_seconds()
    except (ValueError, TypeError):
        return None
    return changed if age_s >= _SURE_S else None


def checksum(headers: Mapping[str, str], *, whole: bool) -> Checksum | None:
    """The checksum that an answer tells of the whole file. `whole`: it is not a part, whose own checksum says nothing
    about the rest."""
    names = ["repr-digest", "digest", *(["content-digest"] if whole else [])]
    for name in names:
        for entry in headers.get(name, "").split(","):
            algorithm, _, value = entry.strip().partition("=")
            found = _checksum(algorithm, value.strip(":"))
            if found is not None:
                return found
    return _checksum("md5", headers.get("content-md5", "").strip()) if whole else None


def _checksum(algorithm: str, value: str) -> Checksum | None:
    known: dict[str, tuple[Literal["sha256", "sha512", "md5"], int]] = {
        "sha-256": ("sha256", 32), "sha-512": ("sha512", 64), "md5": ("md5", 16),
    }  # fmt: skip
    name = known.get(algorithm.strip().lower())
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Checksum(algorithm=name[0], digest=digest) if name is not None and len(digest) == name[1] else None


def far_off(size_bytes: int, told_bytes: int) -> bool:
    """Whether a file is quite another one than its service says. `told_bytes` 0: it does not say."""
    return told_bytes > 0 and not told_bytes / MOST_OFF <= size_bytes <= told_bytes * MOST_OFF
