"""Uploads: the raw bytes of a file, streamed, or its address; what there is; what may go. See docs/uploads.md."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from email.message import Message

from aiohttp import web
from pydantic import Field

from vidgend.errors import (
    Draining,
    FetchBusy,
    FetchFailed,
    MediaRefused,
    NotFound,
    StorageFull,
    StorageUnavailable,
    TargetForbidden,
    Unavailable,
    UploadInUse,
    UploadTooLarge,
)
from vidgend.http.asset_links import own_url
from vidgend.http.auth import ASSETS_PATH
from vidgend.http.body import checked_body, parameters, read_json, whole
from vidgend.http.cursors import bad_cursor, from_cursor, to_cursor
from vidgend.http.expect import expect_later, go_on
from vidgend.http.fields import Body, MediaUrl
from vidgend.http.operation import Call, Link, Media, Operations, Reply
from vidgend.http.problems import BadJson, BadRequest, RequestTimeout
from vidgend.http.serving import answer_of, call_of
from vidgend.http.views.uploads import UploadsView, UploadView, upload_view, uploads_view
from vidgend.store.assets.port import check_digest
from vidgend.store.uploads import Upload

STALL_S = 60.0
LEAST_BYTES = 64 * 1024
"""A client that sends less than this in STALL_S holds a connection and a file, and is cut off."""
LOOK_S = 0.5
"""How often it is looked whether somebody still waits for a file that is being fetched."""
DEFAULT_PAGE, MAX_PAGE = 50, 200

operations = Operations("assets")


class UploadQuery(Body):
    name: str | None = Field(None, description="What the file is called; else as Content-Disposition has it.")


class FromAddress(Body):
    """The body of POST /mcp/assets that names an address instead of being the file."""

    url: MediaUrl = Field(description="Where the file is: http or https.")
    name: str = Field("", max_length=1000, description="What the file is called; else the last part of the address.")


@operations.raw(
    "POST", "/mcp/assets", id="upload", scope="write", status=201, query=UploadQuery, answer=UploadView,
    body=(
        Media(content_type="application/octet-stream", description="The bytes of the file, as it is."),
        Media(content_type="application/json", description="Where to fetch it.", model=FromAddress),
    ),
    also={200: "The same bytes are here already."}, expect=expect_later,
    links=(
        Link(name="asset", to="asset", given={"digest": "$response.body#/asset_id"}),
        Link(name="entry", to="uploads", given={"id": "$response.body#/asset_id"}),
        Link(name="delete", to="delete_upload", given={"digest": "$response.body#/asset_id"}),
    ),
    errors=(
        BadRequest, BadJson, MediaRefused, UploadTooLarge, RequestTimeout, Draining, StorageFull, StorageUnavailable,
        Unavailable, TargetForbidden, FetchFailed, FetchBusy,
    ),
)  # fmt: skip
async def upload(request: web.Request) -> web.Response:
    """Take a file in: a video, a photo or sound. Its kind follows from its content. The body is the file; or, as JSON,
    the address where it is: then the answer comes when it was fetched, which may take as long as the transfer does."""
    call, given = call_of(request), parameters(request, "name")
    services = call.services
    if services.worker.draining:
        raise Draining("vidgend is stopping; send this again after the restart")
    if request.content_type.startswith("multipart/"):
        raise MediaRefused(
            f"the body is a form ({request.content_type}), not the file itself",
            hint="Send the raw bytes of the file as the body (curl -T FILE), and its name as ?name=...",
        )
    if request.content_type == "application/json":
        await go_on(request)
        made, new = await _from_address(request, call, given.get("name"))
    else:
        made, new = await _from_body(request, call, given.get("name"))
    url = own_url(services, made.digest, caller=call.caller, base_url=call.base_url, now_s=time.time())
    view = upload_view(made, url)
    location = {"Location": f"{ASSETS_PATH}{made.digest}"}
    return answer_of(Reply(view=view, status=201 if new else 200, headers=location))


async def _from_body(request: web.Request, call: Call, name: str | None) -> tuple[Upload, bool]:
    services, owner = call.services, call.caller.owner
    expected_bytes = request.content_length
    await services.intake.check(expected_bytes, owner=owner)
    await go_on(request)
    return await services.intake.take(
        _pieces(request),
        name=name or _file_name(request.headers.get("Content-Disposition", "")),
        expected_bytes=expected_bytes,
        owner=owner,
    )


async def _from_address(request: web.Request, call: Call, name: str | None) -> tuple[Upload, bool]:
    """Fetch the file, as long as somebody waits for it. Raises: Draining, and as `MediaFetcher.take` does."""
    body, _ = checked_body(await read_json(request), FromAddress, request.path)
    services = call.services
    fetching = asyncio.create_task(
        services.fetcher.take(body.url, name=body.name or name or "", owner=call.caller.owner), name="fetch"
    )
    try:
        while not (await asyncio.wait([fetching], timeout=LOOK_S))[0]:
            if services.worker.draining:
                raise Draining("vidgend is stopping; send this again after the restart")
            if request.transport is None or request.transport.is_closing():
                raise BadRequest("whoever asked has left")
        return fetching.result()
    finally:
        fetching.cancel()
        await asyncio.wait([fetching])


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


class UploadsQuery(Body):
    id: str | None = Field(None, description="Only this upload.")
    limit: whole(1, MAX_PAGE) = Field(DEFAULT_PAGE, description="So many at most.")  # type: ignore[valid-type]
    cursor: str | None = Field(None, description="The `next_cursor` of the page before.")


@operations.json(
    "GET", "/mcp/assets", id="uploads", scope="read", query=UploadsQuery, answer=UploadsView,
    links=(Link(name="next", to="uploads", given={"cursor": "$response.body#/next_cursor"}),),
)  # fmt: skip
async def uploads(call: Call, query: UploadsQuery) -> Reply:
    """The uploads, newest first, page by page."""
    services, owner, limit = call.services, call.caller.owner, query.limit
    if query.id is not None:
        found = list((await services.uploads.find([query.id], owner=owner)).values())
    else:
        before = _from_cursor(query.cursor) if query.cursor is not None else None
        found = await services.uploads.page(limit=limit + 1, before=before, owner=owner)
    now_s = time.time()
    page = [
        upload_view(one, own_url(services, one.digest, caller=call.caller, base_url=call.base_url, now_s=now_s))
        for one in found[:limit]
    ]
    return Reply(view=uploads_view(page, _cursor(found[limit - 1]) if len(found) > limit else None))


@operations.json(
    "DELETE", "/mcp/assets/{digest}", id="delete_upload", scope="write", status=204, answer=None,
    errors=(NotFound, UploadInUse),
)  # fmt: skip
async def delete(call: Call) -> Reply:
    """Forget an upload. Its bytes go when nothing else needs them."""
    await call.services.uploads.remove(check_digest(call.path["digest"]), owner=call.caller.owner)
    return Reply()


def _cursor(one: Upload) -> str:
    return to_cursor(struct.pack(">d", one.created_at) + bytes.fromhex(one.digest))


def _from_cursor(text: str) -> tuple[float, str]:
    try:
        created_at: float
        created_at, digest = struct.unpack(">d32s", from_cursor(text))
    except struct.error:
        raise bad_cursor() from None
    return created_at, digest.hex()
