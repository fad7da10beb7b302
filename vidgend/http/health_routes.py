"""Probes and metrics. /livez asks the loop only; /readyz says whether a job sent now would be taken, and why not."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace

from aiohttp import web

from vidgend import children
from vidgend.errors import DatabaseDamaged, DatabaseUnavailable, NotFound
from vidgend.http.health import Condition, Health, health_of
from vidgend.http.operation import Call, Media, Operations, Reply
from vidgend.http.problems import NotReady
from vidgend.http.services import SERVICES, Services
from vidgend.http.views.health import LivezView, ReadyzView, livez_view, not_ready_members, readyz_view

operations = Operations("health")


@operations.json("GET", "/livez", id="livez", scope=None, any_query=True, answer=LivezView)
async def livez(call: Call) -> Reply:
    """Whether the process answers."""
    return Reply(view=livez_view(call.services.version))


@operations.json("GET", "/readyz", id="readyz", scope=None, any_query=True, answer=ReadyzView, errors=(NotReady,))
async def readyz(call: Call) -> Reply:
    """Whether a job that is sent now would be taken; if not, `reasons` says why, and `checks` what to do."""
    health = await look(call.services)
    if health.reasons:
        raise NotReady(f"not ready: {', '.join(health.reasons)}").telling(**not_ready_members(health))
    return Reply(view=readyz_view(call.services.version, health))


@operations.raw(
    "GET", "/metrics", id="metrics", scope="admin", errors=(NotFound,),
    answer=(
        Media(content_type="text/plain", description="As Prometheus reads it."),
        Media(content_type="application/openmetrics-text", description="Where Accept asks for it."),
    ),
)  # fmt: skip
async def metrics(request: web.Request) -> web.Response:
    """What can be measured, for Prometheus."""
    services = request.app[SERVICES]
    if services.scrape is None:
        raise NotFound("nothing is measured here")
    health = await look(services)
    page, content_type = await services.scrape(request.headers.get("Accept", ""), not health.reasons)
    return web.Response(body=page, headers={"Content-Type": content_type, "Cache-Control": "no-store"})


async def look(services: Services) -> Health:
    """How everything is right now."""
    worker, watch = services.worker, services.watch
    has_space = await asyncio.to_thread(worker.has_space)
    seen = Condition(
        draining=worker.draining,
        lacking_bytes=0 if has_space else max(1, worker.lacking_bytes),
        children=await asyncio.to_thread(children.held),
    )
    try:
        await services.jobs.counts()
        seen = replace(
            seen,
            database_broken=services.database.trouble is not None,
            over_quota=not await worker.within_quota(owner=""),
            kept_bytes=await services.jobs.kept_bytes(owner=""),
            paused=await services.jobs.paused() is not None,
        )
    except (sqlite3.Error, DatabaseDamaged, DatabaseUnavailable):
        seen = replace(seen, database_broken=True)
    if watch is not None:
        seen = replace(
            seen,
            ffmpeg_missing=watch.ffmpeg_missing,
            assets_away=watch.assets_away,
            lag_s=watch.lag_s(),
            ballast_missing=await asyncio.to_thread(watch.ballast_missing),
        )
    return health_of(seen)
