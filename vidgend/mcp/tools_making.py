"""The tools that make something: videos, and clips fetched ahead; and that stop it."""

from __future__ import annotations

from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult

from vidgend.errors import VidgendError
from vidgend.http.views.jobs import AcceptedView, CancelledView, StatusView
from vidgend.http.views.results import ResultView
from vidgend.mcp.answers import done
from vidgend.mcp.arguments import GenerateArguments, JobArguments, PrefetchArguments
from vidgend.mcp.backend import backend
from vidgend.mcp.capabilities import wants_tasks
from vidgend.mcp.tool import Client, make_tool
from vidgend.mcp.tools_looking import show_result
from vidgend.mcp.waiting import wait


async def generate_video(*, arguments: GenerateArguments, client: Client) -> CallToolResult:
    """Make a narrated, captioned video of a prompt, a script or scenes. It takes minutes, so the answer is a job_id at
    once: look at get_video_status until it says completed, then call get_video_result. With `review` the storyboard
    is shown before anything is rendered: get_storyboard, edit_storyboard, render_video."""
    accepted = await backend().call("generate", body=arguments.body())
    if not arguments.wait or wants_tasks(client.request_context):
        return done(accepted)
    job_id = accepted["job_id"]
    status = await wait(job_id, client)
    if status["status"] == "completed":
        return await show_result(job_id)
    if status["status"] == "awaiting_review":
        return done(status)
    raise ended(status)


def ended(status: dict[str, object]) -> VidgendError:
    """The error of a job that ended without a result, as its status tells it."""
    told = status.get("error")
    told = told if isinstance(told, dict) else {}
    error = VidgendError(str(told.get("detail") or f"the job was {status['status']}"), hint=str(told.get("hint") or ""))
    error.code, error.title, error.status = str(told.get("code") or "job_ended"), "The job ended without a result", 409
    return error.telling(job_id=status["job_id"], job_status=status["status"])


async def prefetch_assets(*, arguments: PrefetchArguments) -> CallToolResult:
    """Search and download clips ahead of time, for queries, a prompt, a video request or the storyboard of a job, so
    that a later video of the same finds them here. It answers a job_id at once, as generate_video does."""
    return done(await backend().call("prefetch", body=arguments.body()))


async def cancel_video(*, arguments: JobArguments) -> CallToolResult:
    """Stop making a video. What is done of it is kept for later ones; a job that has ended cannot be cancelled."""
    return done(await backend().call("cancel", path={"job_id": arguments.job_id}))


TOOLS: tuple[Tool, ...] = (
    make_tool(
        generate_video, title="Make a video", arguments=GenerateArguments,
        answers=(AcceptedView, StatusView, ResultView), open_world=True,
    ),
    make_tool(
        prefetch_assets, title="Fetch clips ahead", arguments=PrefetchArguments, answers=(AcceptedView,),
        open_world=True,
    ),
    make_tool(
        cancel_video, title="Stop a video", arguments=JobArguments, answers=(CancelledView,), destructive=True,
        idempotent=True,
    ),
)  # fmt: skip
