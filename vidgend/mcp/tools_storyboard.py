"""The tools for storyboards: looking at one, changing it, having it rendered once somebody approves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, ContentBlock, TextContent
from pydantic import BaseModel, Field

from vidgend.errors import NotApproved
from vidgend.http.views.storyboard import RenderView, StoryboardView
from vidgend.mcp.answers import done, image
from vidgend.mcp.arguments import EditArguments, GetStoryboardArguments, RenderArguments
from vidgend.mcp.backend import backend
from vidgend.mcp.capabilities import can_ask
from vidgend.mcp.tool import Client, make_tool

MAX_PICTURES = 8
_SCENE_CHARS = 90
_MAX_SCENES_SHOWN = 12


class Approval(BaseModel):
    """The form that the user fills in."""

    approve: bool = Field(True, title="Render this storyboard", description="No leaves it as it is.")


class Approved(BaseModel):
    """Instead of an answer: there is nothing to ask, or the arguments say it."""

    approve: bool


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The storyboard that the user is asked about; None where nobody is, and then `approve` counts."""

    board: dict[str, Any] | None = None
    approve: bool = False


async def get_storyboard(*, arguments: GetStoryboardArguments) -> CallToolResult:
    """The storyboard of a video: its scenes with what is said in them, the clip that was chosen for each and the
    other candidates. It exists as soon as the job is past planning."""
    board = await _board(arguments.job_id, arguments.version)
    return done(board, *(await _pictures(board) if arguments.pictures else ()))


async def _board(job_id: str, version: int | None) -> dict[str, Any]:
    return await backend().call("storyboard", path={"job_id": job_id}, query={"version": version} if version else {})


async def _pictures(board: dict[str, Any]) -> list[ContentBlock]:
    chosen = [(scene, scene.get("choice") or scene.get("clip") or {}) for scene in board["scenes"]]
    named = [(scene["index"], clip["thumbnail_url"]) for scene, clip in chosen if clip.get("thumbnail_url")]
    found = await asyncio.gather(*(backend().picture(url) for _, url in named[:MAX_PICTURES]))
    shown: list[ContentBlock] = []
    for (index, _), picture in zip(named, found, strict=False):
        if picture is not None:
            shown += [TextContent(text=f"Scene {index}:"), image(picture)]
    return shown


async def edit_storyboard(*, arguments: EditArguments) -> CallToolResult:
    """Change the storyboard of a video that awaits review or is done: what is said, which clip is shown, lengths,
    order, new scenes, the voice, the style. What is not named stays. It makes a new version and renders nothing: that
    is render_video."""
    headers = {"If-Match": f'"{arguments.if_version}"'} if arguments.if_version is not None else {}
    path = {"job_id": arguments.job_id}
    return done(await backend().call("edit_storyboard", path=path, body=arguments.body(), headers=headers))


async def find_shown(arguments: RenderArguments, client: Client) -> Shown:
    """Raises: VidgendError."""
    status = await backend().call("status", path={"job_id": arguments.job_id})
    if status["status"] != "awaiting_review":
        return Shown(approve=True)
    if not can_ask(client.request_context):
        return Shown(approve=arguments.approve)
    return Shown(board=await _board(arguments.job_id, arguments.version))


async def ask_approval(shown: Annotated[Shown, Resolve(find_shown)]) -> Elicit[Approval] | Approved:
    return Approved(approve=shown.approve) if shown.board is None else Elicit(question(shown.board), Approval)


def question(board: dict[str, Any]) -> str:
    """What is to be approved, in so many lines that a small window holds them."""
    scenes = board["scenes"]
    lines = [f"Render the storyboard of {board.get('title') or board['job_id']!r}, version {board['version']}?"]
    for scene in scenes[:_MAX_SCENES_SHOWN]:
        said = " ".join(scene["narration"].split()) or "(no words)"
        lines.append(f"{scene['index']}. {said if len(said) <= _SCENE_CHARS else said[: _SCENE_CHARS - 1] + '…'}")
    if len(scenes) > _MAX_SCENES_SHOWN:
        lines.append(f"and {len(scenes) - _MAX_SCENES_SHOWN} more scenes")
    return "\n".join(lines)


async def render_video(
    *, arguments: RenderArguments, shown: Shown, approval: ElicitationResult[Approval]
) -> CallToolResult:
    """Approve the storyboard of a video that awaits review, or have another version or quality of a finished one
    rendered. Scenes that did not change are not made again. Look at get_video_status afterwards."""
    if not isinstance(approval, AcceptedElicitation) or not approval.data.approve:
        raise NotApproved(f"the storyboard of {arguments.job_id} was not approved").telling(job_id=arguments.job_id)
    # The version that was approved: somebody may have made another one meanwhile.
    approved = {} if shown.board is None else {"version": shown.board["version"]}
    return done(await backend().call("render", path={"job_id": arguments.job_id}, body=arguments.body() | approved))


TOOLS: tuple[Tool, ...] = (
    make_tool(
        get_storyboard, title="The storyboard", arguments=GetStoryboardArguments, answers=(StoryboardView,),
        read_only=True,
    ),
    make_tool(edit_storyboard, title="Change the storyboard", arguments=EditArguments, answers=(StoryboardView,)),
    make_tool(
        render_video, title="Render the storyboard", arguments=RenderArguments, answers=(RenderView,),
        beforehand={"shown": (Resolve(find_shown), False), "approval": (Resolve(ask_approval), True)},
    ),
)  # fmt: skip
