"""Probes. /livez asks the loop only; /readyz says whether a job sent now would be taken, and why not."""

from __future__ import annotations

import asyncio
import sqlite3

from aiohttp import web

from vidgend.errors import DatabaseDamaged, DatabaseUnavailable
from vidgend.http.answers import json_answer
from vidgend.http.problems import NotReady, problem
from vidgend.http.services import SERVICES

routes = web.RouteTableDef()


@routes.get("/livez")
async def livez(request: web.Request) -> web.Response:
    return json_answer({"status": "alive", "version": request.app[SERVICES].version})


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    reasons: list[str] = []
    if services.worker.draining:
        reasons.append("draining")
    if not await asyncio.to_thread(services.worker.has_space):
        reasons.append("storage_full")
    try:
        await services.jobs.counts()
        broken = services.database.trouble is not None
    except (sqlite3.Error, DatabaseDamaged, DatabaseUnavailable):
        broken = True
    if not broken and not await services.worker.within_quota():
        reasons.append("quota")
    if broken:
        reasons.append("database")
    if reasons:
        return problem(NotReady(f"not ready: {', '.join(reasons)}"), reasons=reasons)
    return json_answer({"status": "ready", "version": services.version})
