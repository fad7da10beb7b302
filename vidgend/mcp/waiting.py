"""Waiting for a job on behalf of a client that keeps its call open, and telling it how far the job is."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from vidgend.client.retries import passing
from vidgend.errors import VidgendError
from vidgend.mcp.backend import backend
from vidgend.mcp.tool import Client

POLL_S = 1.0
AWAY_S = 60.0
"""How long a daemon may be away, for a restart: the job survives that, and so does the wait beside it."""
STOPS = ("completed", "failed", "cancelled", "awaiting_review")


async def wait(job_id: str, client: Client) -> dict[str, Any]:
    """The status in which the job ended, or awaits review. Cancelling the wait leaves the job alone.

    Raises: VidgendError, and `job_id` is one of its members.
    """
    said, told = -1.0, ("", "")
    answered_s = time.monotonic()
    while True:
        try:
            status = await backend().call("status", path={"job_id": job_id})
            answered_s = time.monotonic()
        except VidgendError as error:
            if not passing(error) or time.monotonic() - answered_s > AWAY_S:
                raise error.telling(job_id=job_id) from None
        else:
            now = (str(status["overall_progress"]), str(status["current_step"]))
            if now != told:
                # Each number has to be more than the one before, also where only the step is another one.
                said, told = max(float(now[0]), said + 0.001), now
                await client.report_progress(said, 100, now[1])
            if status["status"] in STOPS:
                return status
        await asyncio.sleep(POLL_S)
