"""The thumbnails of a storyboard: of its own job alone, and as JPEG whatever is asked for."""

from __future__ import annotations

from aiohttp import web

from vidgend.errors import AssetDamaged, NotFound, ResultExpired
from vidgend.http.assets_routes import READS_PARTS, send_asset
from vidgend.http.jobs_routes import own_job
from vidgend.http.operation import Media, Operations
from vidgend.http.problems import PreconditionFailed, RangeNotSatisfiable
from vidgend.http.serving import call_of
from vidgend.store.assets.port import check_digest

operations = Operations("storyboards")


@operations.raw(
    "GET", "/mcp/storyboard/{job_id}/thumbnails/{digest}", id="thumbnail", scope="read",
    answer=(Media(content_type="image/jpeg"),), headers=READS_PARTS,
    also={206: "A part of the picture.", 304: "The picture is the one that the client has."},
    errors=(NotFound, AssetDamaged, ResultExpired, PreconditionFailed, RangeNotSatisfiable),
)  # fmt: skip
async def thumbnail(request: web.Request) -> web.StreamResponse:
    """A small picture of a candidate or a clip of the storyboard."""
    call = call_of(request)
    job = await own_job(call)
    digest = check_digest(request.match_info["digest"])
    if digest not in await call.services.storyboards.thumbnails(job.id):
        raise NotFound("the storyboard has no such thumbnail (any more)")
    return await send_asset(request, digest, "thumbnail.jpg", "image/jpeg")
