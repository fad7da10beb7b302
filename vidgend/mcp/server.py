"""vidgend as one MCP server, the same at /mcp and on stdio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp.server.caching import CacheHint
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.request_state import RequestStateSecurity
from mcp_types import Resource

from vidgend.mcp import tools_looking, tools_making, tools_storyboard
from vidgend.mcp.backend import CURRENT, Backend
from vidgend.mcp.job_tasks import JobTasks
from vidgend.mcp.prompts import add_prompts
from vidgend.mcp.resources import add_resources, finished_videos
from vidgend.mcp.tasks import Tasks
from vidgend.mcp.tool import ToolServer

INSTRUCTIONS = (
    "vidgend makes narrated, captioned videos on the user's own server. generate_video answers a job_id at once; look "
    "at get_video_status every few seconds until it says completed, then call get_video_result and give the user the "
    "link. If the user wants to see first what is planned, set `review`: then get_storyboard shows it, edit_storyboard "
    "changes it and render_video goes on. list_voices and the resource vidgend://styles say what there is to choose "
    "from."
)
Request = ServerRequestContext[Any, Any]
_LONG = CacheHint(ttl_ms=3_600_000, scope="public")
"""What only another version of vidgend changes."""


class VidgendServer(ToolServer):
    async def list_resources(self) -> list[Resource]:
        return [*await super().list_resources(), *await finished_videos()]


def make_server(
    backend_of: Callable[[Request], Backend],
    *,
    version: str,
    state_key: bytes | None = None,
    owner_of: Callable[[Request], str | None] = lambda request: None,
) -> VidgendServer:
    """`backend_of` gives each request its view of vidgend. `state_key` (32 bytes) seals what a question to the user
    carries, so that it can be answered after a restart; `owner_of` says whose question it is."""

    async def with_backend(ctx: Request, call_next: CallNext) -> HandlerResult:
        before = CURRENT.set(backend_of(ctx))
        try:
            return await call_next(ctx)
        finally:
            CURRENT.reset(before)

    server = VidgendServer(
        "vidgend",
        title="vidgend",
        version=version,
        instructions=INSTRUCTIONS,
        tools=[*tools_making.TOOLS, *tools_looking.TOOLS, *tools_storyboard.TOOLS],
        extensions=[Tasks(JobTasks())],
        middleware=[with_backend],
        cache_hints={"tools/list": _LONG, "prompts/list": _LONG, "resources/templates/list": _LONG},
        request_state_security=RequestStateSecurity(keys=[state_key], bind_principal=owner_of) if state_key else None,
        subscriptions=False,
    )
    add_resources(server)
    add_prompts(server)
    return server
