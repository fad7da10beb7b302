"""Published files and uploads: typed, cacheable for ever (an address names its content), one range at a time."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from vidgend.errors import AssetDamaged, NotFound, ResultExpired, VidgendError
from vidgend.http.caller import CALLER
from vidgend.http.operation import Header, Media, Operations
from vidgend.http.problems import PreconditionFailed, RangeNotSatisfiable, problem
from vidgend.http.services import SERVICES
from vidgend.store.assets.port import check_digest

_log = logging.getLogger(__name__)

STALL_S = 120.0
"""A client that does not take one chunk in this time is let go. Players that pause for longer ask for the rest."""
INLINE_TYPES = frozenset(
    {
        "video/mp4",
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/gif",
        "video/webm",
        "video/quicktime",
        "audio/mpeg",
        "audio/mp4",
        "audio/wav",
        "audio/ogg",
        "audio/flac",
        "audio/webm",
        "text/vtt",
        "text/plain",
        "application/x-subrip",
        "application/json",
    }
)
"""What a browser may show in place; anything else is only saved."""
_RANGE = re.compile(r"([0-9]{0,4000})-([0-9]{0,4000})")
_TAG = re.compile(r'(?:W/)?"[^"]*"')
_UNSAFE_IN_NAME = re.compile(r"[^A-Za-z0-9 ._()-]")
_POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
)

READS_PARTS = (
    Header(name="Range", description="One range of bytes."),
    Header(name="If-Range", description="The ETag that the range is of."),
    Header(name="If-None-Match", description="The ETag that the client has."),
    Header(name="If-Match", description="The ETag that the client means."),
)

operations = Operations("assets")


@operations.raw(
    "GET", "/mcp/assets/{digest}", id="asset", scope="read", answer=(Media(content_type="*/*"),), headers=READS_PARTS,
    also={206: "A part of the file.", 304: "The file is the one that the client has."},
    errors=(NotFound, AssetDamaged, ResultExpired, PreconditionFailed, RangeNotSatisfiable),
)  # fmt: skip
async def asset(request: web.Request) -> web.StreamResponse:
    """A file of a result, or an upload. Its address names its content, so it can be kept for ever."""
    services, owner = request.app[SERVICES], request[CALLER].owner
    digest = check_digest(request.match_info["digest"])
    known = await services.jobs.published(digest, owner=owner) or await services.uploads.served(digest, owner=owner)
    if known is None:
        raise NotFound("no such asset")
    return await send_asset(request, digest, *known)


async def send_asset(
    request: web.Request, digest: str, name: str, content_type: str, *, max_age_s: int | None = None
) -> web.StreamResponse:
    """What the store has under a digest that this client may see. `max_age_s`: how long it may be kept without asking;
    None: for ever, since the address names the content. Raises: ResultExpired, PreconditionFailed."""
    services = request.app[SERVICES]
    etag = f'"{digest}"'
    if_match = request.headers.get("If-Match", "*").strip()
    # A weak tag matches nothing here (RFC 9110, 13.1.1).
    if if_match != "*" and etag not in _TAG.findall(if_match):
        raise PreconditionFailed
    kept = "max-age=31536000, immutable" if max_age_s is None else f"max-age={max_age_s}"
    headers = _headers(
        name, content_type, etag=etag, cache=f"{'private' if request[CALLER].keyed else 'public'}, {kept}"
    )
    if_none_match = ",".join(request.headers.getall("If-None-Match", ()))
    if if_none_match.strip() == "*" or etag in if_none_match:
        return web.Response(status=304, headers=headers)
    try:
        size_bytes = await services.assets.size_bytes(digest)
        span = _span(request, size_bytes, etag)
        if span is None:
            return problem(RangeNotSatisfiable(), headers={"Content-Range": f"bytes */{size_bytes}"})
        first, count, partial = span
        wanted = min(count, 1) if request.method == "HEAD" else count
        async with aclosing(services.assets.read(digest, first=first, count=wanted)) as pieces:
            # Before the head is out: only now can it still be said that there is nothing.
            piece = await anext(pieces, b"")
            if partial:
                headers["Content-Range"] = f"bytes {first}-{first + count - 1}/{size_bytes}"
            answer = web.StreamResponse(status=206 if partial else 200, headers=headers)
            answer.content_length = count
            await answer.prepare(request)
            if request.method != "HEAD":
                await _send(request, answer, piece, pieces, count)
            return answer
    except AssetDamaged:
        raise
    except NotFound:
        raise ResultExpired("the file is no longer in the store") from None


def _headers(name: str, content_type: str, *, etag: str, cache: str) -> dict[str, str]:
    inline = content_type in INLINE_TYPES
    shown = content_type if inline else "application/octet-stream"
    safe = _UNSAFE_IN_NAME.sub("_", name) or "file"
    return {
        "Content-Type": f"{shown}; charset=utf-8" if shown.startswith("text/") else shown,
        "Content-Disposition": f'{"inline" if inline else "attachment"}; filename="{safe}"',
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": cache,
        "Content-Security-Policy": _POLICY,
    }


async def _send(
    request: web.Request, answer: web.StreamResponse, piece: bytes, pieces: AsyncGenerator[bytes, None], count: int
) -> None:
    """The head is out, so a broken connection is the only way left to say that something is wrong."""
    try:
        while piece:
            async with asyncio.timeout(STALL_S):
                await answer.write(piece)
            count -= len(piece)
            piece = await anext(pieces, b"")
        if count:
            raise OSError("the file ends early")
    except ConnectionError:
        pass  # the client went away
    except TimeoutError:
        _abort(request)
    except (OSError, VidgendError) as error:
        _log.error("asset_unreadable", extra={"reason": str(error)})
        _abort(request)


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _span(request: web.Request, size_bytes: int, etag: str) -> tuple[int, int, bool] | None:
    """(first byte, count, whether it is a part) to send; None for a range that the file does not have.

    Several ranges at once are answered with the whole file, which RFC 9110 (14.2) leaves to the server.
    """
    whole = 0, size_bytes, False
    unit, equals, wanted = request.headers.get("Range", "").partition("=")
    if request.method != "GET" or unit.strip().lower() != "bytes" or not equals or "," in wanted:
        return whole
    if request.headers.get("If-Range", etag).strip() != etag:
        return whole
    match = _RANGE.fullmatch(wanted.strip())
    if match is None or match[0] == "-":
        return None
    if not match[1]:
        count = min(int(match[2]), size_bytes)
        return (size_bytes - count, count, True) if count else None
    first = int(match[1])
    last = min(int(match[2]), size_bytes - 1) if match[2] else size_bytes - 1
    return (first, last - first + 1, True) if first <= last else None
