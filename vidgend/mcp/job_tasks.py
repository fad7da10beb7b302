"""Jobs as tasks: the id of a task is the id of its job, so it outlives every connection and every restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp.server.elicitation import render_elicitation_schema
from mcp_types import CallToolRequestParams, CallToolResult

from vidgend.errors import VidgendError
from vidgend.mcp.answers import failed, protocol_error
from vidgend.mcp.backend import backend
from vidgend.mcp.capabilities import can_ask
from vidgend.mcp.tasks import Request, Task
from vidgend.mcp.tools_looking import show_result, shown_result
from vidgend.mcp.tools_making import ended
from vidgend.mcp.tools_storyboard import Approval, question

POLL_MS = 2000
LONG_TOOLS = ("generate_video",)
_GONE = "result_expired"


class JobTasks:
    """A video that is made. What other tools begin has an answer at once that says all."""

    async def begun(self, params: CallToolRequestParams, result: CallToolResult, request: Request) -> Task | None:
        if params.name not in LONG_TOOLS or not result.structured_content:
            return None
        try:
            return await _task(str(result.structured_content["job_id"]), request)
        except VidgendError:
            return None  # the job is there all the same: an error would have it made once more

    async def get(self, task_id: str, request: Request) -> Task:
        """Raises: MCPError."""
        try:
            return await _task(task_id, request)
        except VidgendError as error:
            raise protocol_error(error) from None

    async def update(self, task_id: str, answers: Mapping[str, Any], request: Request) -> None:
        """The answer of the user to the storyboard: it is rendered, or the job is cancelled. An answer to what is not
        asked (any more) changes nothing. Raises: MCPError."""
        path = {"job_id": task_id}
        try:
            status = await backend().call("status", path=path)
            if status["status"] != "awaiting_review":
                return
            version = (await backend().call("storyboard", path=path))["version"]
            answer = answers.get(_key(version))
            if not isinstance(answer, dict) or answer.get("action") not in ("accept", "decline"):
                return
            content = answer.get("content")
            yes = answer["action"] == "accept" and isinstance(content, dict) and content.get("approve") is True
            if yes:
                await backend().call("render", path=path, body={"version": version})
            else:
                await backend().call("cancel", path=path)
        except VidgendError as error:
            raise protocol_error(error) from None

    async def cancel(self, task_id: str, request: Request) -> None:
        """Raises: MCPError."""
        try:
            await backend().call("cancel", path={"job_id": task_id})
        except VidgendError as error:
            if error.status != 409:  # it has ended: there is nothing left to cancel
                raise protocol_error(error) from None


async def _task(job_id: str, request: Request) -> Task:
    """Raises: VidgendError."""
    status = await backend().call("status", path={"job_id": job_id})
    told: Task = {
        "taskId": job_id,
        "statusMessage": f"{status['overall_progress']:g} %: {status['current_step']}",
        "createdAt": status["created_at"],
        "lastUpdatedAt": _last(status),
        "ttlMs": None,
        "pollIntervalMs": POLL_MS,
    }
    earlier = await _earlier(job_id, status)
    if earlier is not None:
        return told | {"status": "completed", "result": _json(earlier)}
    if status["status"] == "failed":
        return told | {"status": "completed", "result": _json(failed(ended(status)))}
    if status["status"] == "cancelled":
        return told | {"status": "cancelled"}
    if status["status"] == "awaiting_review" and can_ask(request):
        return told | {"status": "input_required", "inputRequests": await _questions(job_id)}
    return told | {"status": "working"}


async def _earlier(job_id: str, status: dict[str, Any]) -> CallToolResult | None:
    """The result, also one from before another version was asked for: a task that is done stays done.

    Raises: VidgendError.
    """
    try:
        return await show_result(job_id)
    except VidgendError as error:
        if error.code == _GONE:
            raise
        previous = error.members.get("previous")
        return await shown_result(dict(previous)) if previous else None


async def _questions(job_id: str) -> dict[str, Any]:
    board = await backend().call("storyboard", path={"job_id": job_id})
    form = {"mode": "form", "message": question(board), "requestedSchema": render_elicitation_schema(Approval)}
    return {_key(board["version"]): {"method": "elicitation/create", "params": form}}


def _key(version: int) -> str:
    """Of the one question that a version of a storyboard asks."""
    return f"approve_version_{version}"


def _last(status: dict[str, Any]) -> str:
    """When something last happened: lines of the log begin with their time."""
    last = status["logs"][-1].partition(" ")[0] if status["logs"] else None
    return str(status["finished_at"] or last or status["created_at"])


def _json(result: CallToolResult) -> dict[str, Any]:
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)
