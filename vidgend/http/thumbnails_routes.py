"""The thumbnails of a storyboard: of its own job alone, and as JPEG whatever is asked for."""

from __future__ import annotations

from aiohttp import web

from vidgend.errors import NotFound
from vidgend.http.assets_routes import send_asset
from vidgend.http.jobs_routes import job_id_of
from vidgend.http.services import SERVICES
from vidgend.store.assets.port import check_digest

routes = web.RouteTableDef()


@routes.get("/mcp/storyboard/{job_id}/thumbnails/{digest}")
async def thumbnail(request: web.Request) -> web.StreamResponse:
    services = request.app[SERVICES]
    job = await services.jobs.get(job_id_of(request))
    digest = check_digest(request.match_info["digest"])
    if digest not in await services.storyboards.thumbnails(job.id):
        raise NotFound("the storyboard has no such thumbnail (any more)")
    return await send_asset(request, digest, "thumbnail.jpg", "image/jpeg")
