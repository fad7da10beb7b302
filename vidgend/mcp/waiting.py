"""Waiting for a job on behalf of a client that keeps its call open, and telling it how far the job is."""

from __future__ import annotations

import asyncio
from typing import Any

from vidgend.errors import VidgendError
from vidgend.mcp.backend import backend
from vidgend.mcp.tool import Client

POLL_S = 1.0
STOPS = ("completed", "failed", "cancelled", "awaiting_review")


async def wait(job_id: str, client: Client) -> dict[str, Any]:
    """The status in which the job ended, or awaits review. Cancelling the wait leaves the job alone.

    Raises: VidgendError, and `job_id` is one of its members.
    """
    said, told = -1.0, ("", "")
    try:
        while True:
            status = await backend().call("status", path={"job_id": job_id})
            now = (str(status["overall_progress"]), str(status["current_step"]))
            if now != told:
                # Each number has to be more than the one before, also where only the step is another one.
                said, told = max(float(now[0]), said + 0.001), now
                await client.report_progress(said, 100, now[1])
            if status["status"] in STOPS:
                return status
            await asyncio.sleep(POLL_S)
    except VidgendError as error:
        raise error.telling(job_id=job_id) from None
