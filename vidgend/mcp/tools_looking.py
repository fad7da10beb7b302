"""The tools that only look: how far a job is, its result, all jobs, the voices."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, ContentBlock

from vidgend.http.views.catalogue import VoicesView
from vidgend.http.views.jobs import JobsView, StatusView
from vidgend.http.views.results import PrefetchedView, ResultView
from vidgend.mcp.answers import done, image, link
from vidgend.mcp.arguments import JobArguments, ListVideosArguments, ListVoicesArguments
from vidgend.mcp.backend import backend
from vidgend.mcp.tool import make_tool

_SUBTITLES = {
    "srt": ("SubRip subtitles", "application/x-subrip"),
    "vtt": ("WebVTT subtitles", "text/vtt"),
    "words": ("Every word and its time", "application/json"),
}


async def get_video_status(*, arguments: JobArguments) -> CallToolResult:
    """How far a job is: its state, percent, what is being done, how long it will take. Look again after a few seconds
    while the state is none of completed, failed, cancelled and awaiting_review."""
    return done(await backend().call("status", path={"job_id": arguments.job_id}))


async def get_video_result(*, arguments: JobArguments) -> CallToolResult:
    """The finished video: a link to it, its poster, its subtitles, the credits, and what was substituted and why. Only
    after get_video_status says completed."""
    return await show_result(arguments.job_id)


async def show_result(job_id: str) -> CallToolResult:
    """Raises: VidgendError."""
    return await shown_result(await backend().call("result", path={"job_id": job_id}))


async def shown_result(result: dict[str, Any]) -> CallToolResult:
    return done(result, *await _files(result))


async def _files(result: dict[str, Any]) -> list[ContentBlock]:
    """Links, and the poster. The video itself would be its whole file as text."""
    files = result.get("files") or {}
    if "video" not in files:
        return []  # nothing was made but clips fetched
    video = files["video"]
    shown: list[ContentBlock] = [
        link(result["video_url"], video["name"], "video/mp4", title="The video", size=video["size_bytes"])
    ]
    poster = await backend().picture(result["thumbnail_url"], files["thumbnail"]["sha256"])
    if poster is not None:
        shown.append(image(poster))
    for role, (title, mime_type) in _SUBTITLES.items():
        if (url := result["subtitles"].get(role)) is not None:
            shown.append(link(url, files[role]["name"], mime_type, title=title, size=files[role]["size_bytes"]))
    for other in result["outputs"][1:]:
        shown.append(link(other["video_url"], f"{other['name']}.mp4", "video/mp4", title=f"Output {other['name']}"))
    return shown


async def list_videos(*, arguments: ListVideosArguments) -> CallToolResult:
    """All jobs that are known, the newest first, page by page."""
    return done(await backend().call("jobs", query=arguments.model_dump(exclude_none=True)))


async def list_voices(*, arguments: ListVoicesArguments) -> CallToolResult:
    """The voices that can speak here, and which one speaks unless another is asked for."""
    return done(await backend().call("voices", query=arguments.model_dump(exclude_none=True)))


TOOLS: tuple[Tool, ...] = (
    make_tool(
        get_video_status, title="How far a video is", arguments=JobArguments, answers=(StatusView,), read_only=True
    ),
    make_tool(
        get_video_result, title="The finished video", arguments=JobArguments, answers=(ResultView, PrefetchedView),
        read_only=True,
    ),
    make_tool(list_videos, title="All videos", arguments=ListVideosArguments, answers=(JobsView,), read_only=True),
    make_tool(list_voices, title="The voices", arguments=ListVoicesArguments, answers=(VoicesView,), read_only=True),
)  # fmt: skip
