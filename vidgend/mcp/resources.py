"""What a client can attach to a conversation without a tool: videos, storyboards, posters, voices, styles."""

from __future__ import annotations

import json
from typing import Any

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import Resource

from vidgend.errors import NotFound, VidgendError
from vidgend.mcp.answers import sayable
from vidgend.mcp.backend import backend
from vidgend.mcp.tool import Client, ToolServer

JSON = "application/json"
LISTED = 20
"""So many finished videos are listed by themselves, the newest first; vidgend://videos has more."""


async def _read(operation_id: str, **more: Any) -> dict[str, Any]:
    """Raises: ResourceNotFoundError, ResourceError."""
    try:
        return await backend().call(operation_id, **more)
    except VidgendError as error:
        raise _resource_error(error) from None


def _resource_error(error: VidgendError) -> ResourceError:
    kind = ResourceNotFoundError if error.status in (404, 410) else ResourceError
    return kind(f"{error.code}: {error.detail}")


def _text(view: dict[str, Any]) -> str:
    return json.dumps(sayable(view), ensure_ascii=False)


async def videos() -> str:
    """All jobs that are known, the newest first."""
    return _text(await _read("jobs", query={"limit": 200}))


async def voices() -> str:
    """The voices that can speak here."""
    return _text(await _read("voices"))


async def styles() -> str:
    """The looks that a video can have."""
    return _text(await _read("styles"))


async def video(job_id: str, client: Client) -> str:
    """The result of a finished video; how far it is before."""
    status = await _read("status", path={"job_id": job_id})
    return _text(await _read("result", path={"job_id": job_id}) if status["status"] == "completed" else status)


async def thumbnail(job_id: str, client: Client) -> bytes:
    """The poster of a finished video."""
    result = await _read("result", path={"job_id": job_id})
    files = result.get("files") or {}
    try:
        if "thumbnail" not in files:
            raise NotFound("the job has no poster")
        picture = await backend().picture(result["thumbnail_url"], files["thumbnail"]["sha256"])
        if picture is None:
            raise NotFound("the poster is gone, out of reach, or too large to be sent")
    except VidgendError as error:
        raise _resource_error(error) from None
    return picture.content


async def storyboard(job_id: str, client: Client) -> str:
    """The scenes of a video: what is said in each, and what is seen."""
    return _text(await _read("storyboard", path={"job_id": job_id}))


def add_resources(server: ToolServer) -> None:
    server.resource("vidgend://videos", title="All videos", mime_type=JSON)(videos)
    server.resource("vidgend://voices", title="The voices", mime_type=JSON)(voices)
    server.resource("vidgend://styles", title="The styles", mime_type=JSON)(styles)
    server.resource("vidgend://videos/{job_id}", title="A video", mime_type=JSON)(video)
    server.resource("vidgend://videos/{job_id}/thumbnail", title="A poster", mime_type="image/jpeg")(thumbnail)
    server.resource("vidgend://videos/{job_id}/storyboard", title="A storyboard", mime_type=JSON)(storyboard)


async def finished_videos() -> list[Resource]:
    """The newest finished videos, one by one; none where they cannot be had."""
    try:
        found = await backend().call("jobs", query={"state": "completed", "limit": LISTED})
    except VidgendError:
        return []
    return [
        Resource(
            uri=f"vidgend://videos/{job['job_id']}", name=job["prompt"] or job["job_id"], mime_type=JSON,
            description=f"A finished video, of {job['created_at']}",
        )
        for job in found["jobs"]
        if job["kind"] == "video"
    ]  # fmt: skip
