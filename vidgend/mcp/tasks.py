"""The extension `io.modelcontextprotocol/tasks` (SEP-2663): a long call is answered with a task, which is then polled.

Only for clients that say with the request that they know it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import decode_header_value
from mcp_types import (
    HEADER_MISMATCH,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolRequestParams,
    CallToolResult,
    RequestParams,
)

from vidgend.mcp.capabilities import SINCE, TASKS, wants_tasks

Request = ServerRequestContext[Any, Any]
Task = dict[str, Any]


class TaskStore(Protocol):
    """Where tasks live. All but `begun` raise MCPError for a task that is not there, or not the caller's."""

    async def begun(self, params: CallToolRequestParams, result: CallToolResult, request: Request) -> Task | None:
        """The task that a tool has begun; None if its result is its answer."""
        ...

    async def get(self, task_id: str, request: Request) -> Task: ...

    async def update(self, task_id: str, answers: Mapping[str, Any], request: Request) -> None: ...

    async def cancel(self, task_id: str, request: Request) -> None: ...


class TaskParams(RequestParams):
    task_id: str


class UpdateParams(TaskParams):
    input_responses: dict[str, Any]


class Tasks(Extension):
    """The methods of the extension over a store of tasks."""

    identifier = TASKS

    def __init__(self, store: TaskStore) -> None:
        self._store = store

    def methods(self) -> Sequence[MethodBinding]:
        since = frozenset({SINCE})
        return (
            MethodBinding("tasks/get", TaskParams, _checked(self._get), since),
            MethodBinding("tasks/update", UpdateParams, _checked(self._update), since),
            MethodBinding("tasks/cancel", TaskParams, _checked(self._cancel), since),
        )

    async def _get(self, request: Request, params: TaskParams) -> HandlerResult:
        return {"resultType": "complete", **await self._store.get(params.task_id, request)}

    async def _update(self, request: Request, params: UpdateParams) -> HandlerResult:
        await self._store.update(params.task_id, params.input_responses, request)
        return {"resultType": "complete"}

    async def _cancel(self, request: Request, params: TaskParams) -> HandlerResult:
        await self._store.cancel(params.task_id, request)
        return {"resultType": "complete"}

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: Request, call_next: CallNext
    ) -> HandlerResult:
        result = await call_next(ctx)
        if not wants_tasks(ctx) or not isinstance(result, CallToolResult) or result.is_error:
            return result
        task = await self._store.begun(params, result, ctx)
        return result if task is None else {"resultType": "task", **task}


def needs_tasks() -> MCPError:
    """What a client is told that does not know the extension."""
    return MCPError(
        code=MISSING_REQUIRED_CLIENT_CAPABILITY,
        message=f"the client has to declare the extension {TASKS}",
        data={"requiredCapabilities": {"extensions": {TASKS: {}}}},
    )


def _checked(
    handle: Callable[[Request, Any], Awaitable[HandlerResult]],
) -> Callable[[Request, Any], Awaitable[HandlerResult]]:
    """Raises: MCPError where the client does not know tasks, or names another one in the header than in the body."""

    async def checked(request: Request, params: TaskParams) -> HandlerResult:
        if not wants_tasks(request):
            raise needs_tasks()
        headers = getattr(request.request, "headers", None)
        if headers is not None and decode_header_value(headers.get("mcp-name")) != params.task_id:
            raise MCPError(code=HEADER_MISMATCH, message="the header mcp-name is not the taskId of the body")
        return await handle(request, params)

    return checked
