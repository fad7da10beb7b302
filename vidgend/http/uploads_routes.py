"""Uploads: a file's raw bytes in, streamed; what there is, and what is no longer wanted. See docs/uploads.md."""

from __future__ import annotations

import asyncio
import base64
import binascii
import struct
import time
from collections.abc import AsyncIterator
from email.message import Message
from typing import Any

from aiohttp import web

from vidgend.errors import Draining, MediaRefused
from vidgend.http.answers import JSON_HEADERS, json_answer, rfc3339
from vidgend.http.asset_links import own_url
from vidgend.http.auth import ASSETS_PATH, base_url
from vidgend.http.body import parameters, whole_number
from vidgend.http.problems import BadRequest, ExpectationFailed, InvalidFields, RequestTimeout, problem
from vidgend.http.services import SERVICES, Services
from vidgend.store.assets.port import check_digest
from vidgend.store.uploads import Upload

STALL_S = 60.0
LEAST_BYTES = 64 * 1024
"""A client that sends less than this in STALL_S holds a connection and a file, and is cut off."""
DEFAULT_PAGE, MAX_PAGE = 50, 200

routes = web.RouteTableDef()


async def expect_later(request: web.Request) -> web.Response | None:
    """Answers `Expect` only where it asks for something else: whether to go on is told by `upload`, once it knows."""
    return None if request.headers["Expect"].lower() == "100-continue" else problem(ExpectationFailed())


@routes.post("/mcp/assets", expect_handler=expect_later)
async def upload(request: web.Request) -> web.Response:
    """Take a file in. Its kind follows from its content."""
    services = request.app[SERVICES]
    given = parameters(request, "name")
    if services.worker.draining:
        raise Draining("vidgend is stopping; send this again after the restart")
    if request.content_type.startswith("multipart/"):
        raise MediaRefused(
            f"the body is a form ({request.content_type}), not the file itself",
            hint="Send the raw bytes of the file as the body (curl -T FILE), and its name as ?name=...",
        )
    expected_bytes = request.content_length
    await services.intake.check(expected_bytes)
    if "Expect" in request.headers:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    packed = "Content-Encoding" in request.headers  # then the length says nothing about the file
    made, new = await services.intake.take(
        _pieces(request),
        name=given.get("name") or _file_name(request.headers.get("Content-Disposition", "")),
        expected_bytes=None if packed else expected_bytes,
    )
    view = _view(services, made, base_url(request, services.public_url, services.trusted_proxies))
    return json_answer(view, status=201 if new else 200, headers={"Location": f"{ASSETS_PATH}{made.digest}"})


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises: RequestTimeout for a client that stalls, BadRequest for a body that breaks off."""
    body = request.content
    try:
        while not body.at_eof():
            waiting = bytearray()
            async with asyncio.timeout(STALL_S):
                while len(waiting) < LEAST_BYTES and (piece := await body.readany()):
                    waiting += piece
            yield bytes(waiting)
    except TimeoutError:
        raise RequestTimeout(f"less than {LEAST_BYTES} bytes came in {STALL_S:g} s") from None
    except (web.RequestPayloadError, ConnectionError) as error:
        raise BadRequest("the body is broken or broke off") from error


def _file_name(disposition: str) -> str:
    """The file name in a Content-Disposition header, `filename*` too; empty if there is none that can be read."""
    message = Message()
    message["Content-Disposition"] = disposition.encode("utf-8", "replace").decode()
    try:
        return str(message.get_filename() or "")
    except (ValueError, LookupError, TypeError):
        return ""


@routes.get("/mcp/assets")
async def uploads(request: web.Request) -> web.Response:
    """Newest first. `cursor` is the `next_cursor` of the page before; `id` asks for one."""
    services = request.app[SERVICES]
    given = parameters(request, "id", "limit", "cursor")
    limit = whole_number(given, "limit", least=1, most=MAX_PAGE) or DEFAULT_PAGE
    if "id" in given:
        found = list((await services.uploads.find([given["id"]])).values())
    else:
        before = _from_cursor(given["cursor"]) if "cursor" in given else None
        found = await services.uploads.page(limit=limit + 1, before=before)
    base = base_url(request, services.public_url, services.trusted_proxies)
    return json_answer(
        {
            "assets": [_view(services, one, base) for one in found[:limit]],
            "next_cursor": _cursor(found[limit - 1]) if len(found) > limit else None,
        }
    )


@routes.delete("/mcp/assets/{digest}")
async def delete(request: web.Request) -> web.Response:
    """Forget an upload. Its bytes go when nothing else needs them."""
    await request.app[SERVICES].uploads.remove(check_digest(request.match_info["digest"]))
    return web.Response(status=204, headers=JSON_HEADERS)


def _view(services: Services, one: Upload, base: str) -> dict[str, Any]:
    facts = one.facts
    sound = {"sample_rate": facts.get("sample_rate_hz"), "channels": facts.get("channels") or None}
    picture = {
        "width": facts.get("width_px"),
        "height": facts.get("height_px"),
        "fps": (facts.get("fps") or None) if one.kind == "video" else None,
    }
    return {
        "asset_id": one.digest,
        "kind": one.kind,
        "name": one.name,
        "content_type": one.content_type,
        "size_bytes": one.size_bytes,
        **picture,
        "duration": round(one.duration_s, 3) if one.duration_s is not None else None,
        **sound,
        "created_at": rfc3339(one.created_at),
        "url": own_url(services, one.digest, base_url=base, now_s=time.time()),
    }


def _cursor(one: Upload) -> str:
    return base64.urlsafe_b64encode(struct.pack(">d", one.created_at) + bytes.fromhex(one.digest)).decode().rstrip("=")


def _from_cursor(text: str) -> tuple[float, str]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        created_at: float
        created_at, digest = struct.unpack(">d32s", raw)
    except (binascii.Error, struct.error, ValueError):
        raise InvalidFields([{"parameter": "cursor", "detail": "is not a next_cursor of this server"}]) from None
    return created_at, digest.hex()
