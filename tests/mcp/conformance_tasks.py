"""The tasks that the conformance suite asks for, in memory, behind our extension."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from conformance_questions import NAME_FORM, answer, form
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    TextContent,
)

from vidgend.mcp.capabilities import wants_tasks
from vidgend.mcp.tasks import Request, Task, needs_tasks


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass
class _Running:
    id: str
    view: Task
    asked: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    work: asyncio.Task[None] | None = None

    def become(self, status: str, **more: Any) -> None:
        self.view = {**self.view, "status": status, "lastUpdatedAt": _now(), **more}

    async def ask(self, **questions: Any) -> dict[str, Any]:
        self.asked = {
            key: one.model_dump(mode="json", by_alias=True, exclude_none=True) for key, one in questions.items()
        }
        self.become("input_required")
        await self.answered.wait()
        self.become("working")
        return self.answers


Work = Callable[[_Running], Awaitable[CallToolResult]]


class MemoryTasks:
    def __init__(self) -> None:
        self._running: dict[str, _Running] = {}
        self._numbers = itertools.count(1)

    def begin(self, work: Work) -> CallToolResult:
        """What a tool answers that has begun a task."""
        now = _now()
        one = _Running(
            id := secrets.token_hex(16),
            {
                "taskId": id,
                "status": "working",
                "createdAt": now,
                "lastUpdatedAt": now,
                "ttlMs": 600_000,
                "pollIntervalMs": 100,
            },
        )
        self._running[id] = one
        one.work = asyncio.create_task(self._run(one, work))
        return CallToolResult(content=[], structured_content={"task": id})

    async def _run(self, one: _Running, work: Work) -> None:
        try:
            result = await work(one)
            one.become("completed", result=result.model_dump(mode="json", by_alias=True, exclude_none=True))
        except asyncio.CancelledError:
            one.become("cancelled")
        except MCPError as error:
            one.become("failed", error={"code": error.code, "message": error.message})

    def _find(self, task_id: str) -> _Running:
        if task_id not in self._running:
            raise MCPError(code=INVALID_PARAMS, message="Task not found")
        return self._running[task_id]

    async def begun(self, params: CallToolRequestParams, result: CallToolResult, request: Request) -> Task | None:
        told = result.structured_content
        return self._find(told["task"]).view if told and "task" in told else None

    async def get(self, task_id: str, request: Request) -> Task:
        one = self._find(task_id)
        waits = one.view["status"] == "input_required"
        return one.view | ({"inputRequests": one.asked} if waits else {})

    async def update(self, task_id: str, answers: Mapping[str, Any], request: Request) -> None:
        one = self._find(task_id)
        for key in set(answers) & set(one.asked):
            one.answers[key] = answers[key]
            del one.asked[key]
        if not one.asked:
            one.answered.set()

    async def cancel(self, task_id: str, request: Request) -> None:
        one = self._find(task_id)
        if one.work is not None and not one.work.done():
            one.work.cancel()
            await asyncio.wait({one.work})


def said(text: str, *, is_error: bool = False) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)], is_error=is_error)


def tools_over(tasks: MemoryTasks) -> tuple[Tool, ...]:
    async def greet(name: str) -> str:
        """At once."""
        return f"Hello, {name}!"

    async def or_at_once(ctx: Context, work: Work) -> CallToolResult:
        if wants_tasks(ctx.request_context):
            return tasks.begin(work)
        return await work(_Running("", {}))

    async def slow_compute(ctx: Context, seconds: float = 1, label: str = "") -> CallToolResult:
        """Takes a while."""

        async def work(one: _Running) -> CallToolResult:
            await asyncio.sleep(seconds)
            return said(f"done {label}")

        return await or_at_once(ctx, work)

    async def failing_job(ctx: Context) -> CallToolResult:
        """Fails, and cannot do so at once."""

        async def work(one: _Running) -> CallToolResult:
            await asyncio.sleep(0.5)
            return said("it failed", is_error=True)

        if not wants_tasks(ctx.request_context):
            raise needs_tasks()
        return tasks.begin(work)

    async def protocol_error_job(ctx: Context) -> CallToolResult:
        """Breaks."""

        async def work(one: _Running) -> CallToolResult:
            raise MCPError(code=INTERNAL_ERROR, message="broken")

        return await or_at_once(ctx, work)

    async def confirm_delete(ctx: Context, filename: str = "") -> CallToolResult:
        """Asks while it runs."""

        async def work(one: _Running) -> CallToolResult:
            await one.ask(confirm=form(f"Delete {filename}?", NAME_FORM))
            return said("deleted")

        if not wants_tasks(ctx.request_context):
            raise ToolError("cannot ask")
        return tasks.begin(work)

    async def multi_input(ctx: Context) -> CallToolResult:
        """Asks twice at once."""

        async def work(one: _Running) -> CallToolResult:
            await one.ask(first=form("First?", NAME_FORM), second=form("Second?", NAME_FORM))
            return said("both")

        if not wants_tasks(ctx.request_context):
            raise ToolError("cannot ask")
        return tasks.begin(work)

    async def test_tool_with_task(ctx: Context) -> CallToolResult | InputRequiredResult:
        """Asks first, and then takes a while."""
        given = answer(ctx, "user_name")
        if given is None:
            return InputRequiredResult(input_requests={"user_name": form("What is your name?", NAME_FORM)})

        async def work(one: _Running) -> CallToolResult:
            await asyncio.sleep(0.1)
            return said(f"Hello, {given['content']['name']}!")

        return tasks.begin(work)

    all_of_them = (
        greet, slow_compute, failing_job, protocol_error_job, confirm_delete, multi_input, test_tool_with_task,
    )  # fmt: skip
    return tuple(Tool.from_function(one) for one in all_of_them)
