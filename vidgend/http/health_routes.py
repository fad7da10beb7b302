"""Probes. /livez asks the loop only; /readyz says whether a job sent now would be taken, and why not."""

from __future__ import annotations

import asyncio
import sqlite3

from vidgend.errors import DatabaseDamaged, DatabaseUnavailable
from vidgend.http.operation import Call, Operations, Reply
from vidgend.http.problems import NotReady
from vidgend.http.views.health import LivezView, ReadyzView, livez_view, readyz_view

operations = Operations("health")


@operations.json("GET", "/livez", id="livez", scope=None, answer=LivezView)
async def livez(call: Call) -> Reply:
    """Whether the process answers."""
    return Reply(view=livez_view(call.services.version))


@operations.json("GET", "/readyz", id="readyz", scope=None, answer=ReadyzView, errors=(NotReady,))
async def readyz(call: Call) -> Reply:
    """Whether a job that is sent now would be taken; if not, `reasons` says why."""
    services = call.services
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
        raise NotReady(f"not ready: {', '.join(reasons)}").telling(reasons=reasons)
    return Reply(view=readyz_view(services.version))
