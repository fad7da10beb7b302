"""Jobs as tasks, for clients that know the extension."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import pytest
from mcp.client import advertise
from mcp.client.client import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError
from mcp_types import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolResult,
    Request,
    RequestParams,
    Result,
)
from mcp_world import OWNER, SCOPES, Connect, awaiting_review, call, connected, failed_job, post
from pydantic import ConfigDict
from standins.services_standin import World

from vidgend.errors import DatabaseUnavailable
from vidgend.mcp.capabilities import TASKS
from vidgend.models import Brief


class Answer(Result):
    model_config = ConfigDict(extra="allow")


class Created(Result):
    model_config = ConfigDict(extra="allow")
    result_type: Literal["task"] = "task"
    task_id: str


class Params(RequestParams):
    task_id: str
    input_responses: dict[str, Any] | None = None


class Ask(Request[Params, str]):
    name_param: ClassVar[str | None] = "taskId"
    method: str
    params: Params


async def ask(session: ClientSession, method: str, task_id: str, **more: Any) -> dict[str, Any]:
    answer = await session.send_request(Ask(method=method, params=Params(task_id=task_id, **more)), Answer)
    return answer.model_dump(by_alias=True)


class Follower(ClientExtension):
    """A client that knows tasks: it polls, answers what it is asked, and gives the result as if it were the call's."""

    identifier = TASKS

    def __init__(self, **answer: Any) -> None:
        self.answer = answer
        self.seen: list[dict[str, Any]] = []
        self.created: list[dict[str, Any]] = []

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return (ResultClaim(result_type="task", model=Created, resolve=self._follow),)

    async def _follow(self, created: Created, context: ClaimContext) -> CallToolResult:
        self.created.append(created.model_dump(by_alias=True))
        while True:
            task = await ask(context.session, "tasks/get", created.task_id)
            self.seen.append(task)
            if task["status"] == "input_required" and self.answer:
                answers = {key: self.answer for key in task["inputRequests"]}
                await ask(context.session, "tasks/update", created.task_id, input_responses=answers)
            elif task["status"] == "completed":
                return CallToolResult.model_validate(task["result"])
            elif task["status"] not in ("working", "input_required"):
                return CallToolResult(content=[], is_error=True)
            await asyncio.sleep(0.05)


async def generating(client: Client, **more: Any) -> CallToolResult:
    return await client.call_tool("generate_video", {"prompt": "The sea", **more})


async def begun(world: World, follower: Follower) -> Any:
    async with asyncio.timeout(20):
        while not follower.seen:
            await asyncio.sleep(0.02)
    job = await world.jobs.claim()
    assert job is not None
    return job


async def test_a_video_is_a_task_and_its_result_is_that_of_the_tool(world: World, connect: Connect) -> None:
    follower = Follower()
    async with connect(extensions=[follower]) as client:
        task = asyncio.create_task(generating(client, wait=True))
        job = await begun(world, follower)
        _, found = await world.completed()
        assert await world.jobs.complete(job, found, scenes=2, line="completed", event={})
        result = await task
    assert result.structured_content is not None
    assert result.structured_content["sha256"] == found.files["video"].digest
    first = follower.created[0]
    assert (first["taskId"], first["status"], first["ttlMs"]) == (job.id, "working", None)
    assert first["pollIntervalMs"] == 2000 and first["statusMessage"].startswith("0 %: waiting")
    assert first["createdAt"] <= follower.seen[-1]["lastUpdatedAt"]


async def test_a_job_that_was_made_is_told_also_where_its_task_is_not(
    world: World, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client would make another one."""

    async def unread(job_id: str, **more: Any) -> Any:
        raise DatabaseUnavailable("the disk had a bad moment")

    monkeypatch.setattr(world.jobs, "look", unread)
    async with connect(extensions=[advertise(TASKS)]) as client:
        accepted = await call(client, "generate_video", prompt="The sea")
    assert [job.id for job in await world.jobs.page()] == [accepted["job_id"]]


async def test_a_failed_video_is_a_completed_task_with_a_tool_error(world: World, connect: Connect) -> None:
    job_id = await failed_job(world)
    async with connect(extensions=[advertise(TASKS)]) as client:
        task = await ask(client.session, "tasks/get", job_id)
    assert task["status"] == "completed" and task["result"]["isError"]
    assert task["result"]["structuredContent"]["code"] == "footage_missing"


async def test_a_task_is_cancelled_and_that_can_be_said_again(world: World, connect: Connect) -> None:
    job_id, _ = await world.jobs.submit(Brief(prompt="x"))
    async with connect(extensions=[advertise(TASKS)]) as client:
        for _ in range(2):
            await ask(client.session, "tasks/cancel", job_id)
        assert (await ask(client.session, "tasks/get", job_id))["status"] == "cancelled"
        done, _ = await world.completed()
        await ask(client.session, "tasks/cancel", done.id)
        assert (await ask(client.session, "tasks/get", done.id))["status"] == "completed"


async def _elicit(context: Any, params: Any) -> Any:
    raise AssertionError("a task asks by its status")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"action": "accept", "content": {"approve": True}}, "queued"),
        ({"action": "accept", "content": {"approve": False}}, "cancelled"),
        ({"action": "decline"}, "cancelled"),
        ({"action": "cancel"}, "awaiting_review"),
        ({"action": "accept", "content": {"approve": "yes"}}, "cancelled"),
        ({}, "awaiting_review"),
    ],
)
async def test_a_storyboard_is_approved_within_the_task(
    world: World, connect: Connect, answer: dict[str, Any], state: str
) -> None:
    job_id = await awaiting_review(world)
    async with connect(extensions=[advertise(TASKS)], elicitation_callback=_elicit) as client:
        task = await ask(client.session, "tasks/get", job_id)
        assert task["status"] == "input_required"
        ((key, asked),) = task["inputRequests"].items()
        assert key == "approve_version_1" and asked["method"] == "elicitation/create"
        assert "The sea is calm." in asked["params"]["message"]
        await ask(client.session, "tasks/update", job_id, input_responses={"approve_version_2": answer})
        assert (await world.jobs.get(job_id)).state == "awaiting_review"
        await ask(client.session, "tasks/update", job_id, input_responses={key: answer})
        assert (await world.jobs.get(job_id)).state == state
        await ask(client.session, "tasks/update", job_id, input_responses={key: answer})
    assert (await world.jobs.get(job_id)).state == state


async def test_a_client_that_cannot_ask_is_not_asked(world: World, connect: Connect) -> None:
    job_id = await awaiting_review(world)
    async with connect(extensions=[advertise(TASKS)]) as client:
        task = await ask(client.session, "tasks/get", job_id)
    assert task["status"] == "working" and "approved" in task["statusMessage"]


async def test_a_task_that_is_done_stays_done_while_the_video_is_rendered_again(world: World, connect: Connect) -> None:
    job, found = await world.completed()
    assert isinstance(found.files, dict)
    async with connect(extensions=[advertise(TASKS)]) as client:
        before = await ask(client.session, "tasks/get", job.id)
        await world.database.write(
            lambda connection: connection.execute("UPDATE jobs SET state = 'queued' WHERE id = ?", (job.id,))
        )
        after = await ask(client.session, "tasks/get", job.id)
    assert before["status"] == after["status"] == "completed"
    assert after["result"]["structuredContent"]["sha256"] == before["result"]["structuredContent"]["sha256"]


async def test_who_does_not_know_tasks_gets_none(world: World, connect: Connect) -> None:
    job, _ = await world.completed()
    async with connect() as client:
        assert (await generating(client)).structured_content["status"] == "accepted"  # type: ignore[index]
        for method in ("tasks/get", "tasks/update", "tasks/cancel"):
            with pytest.raises(MCPError) as error:
                await ask(client.session, method, job.id, input_responses={})
            assert error.value.code == MISSING_REQUIRED_CLIENT_CAPABILITY
            assert error.value.data == {"requiredCapabilities": {"extensions": {TASKS: {}}}}
    async with connect(mode="legacy", extensions=[advertise(TASKS)]) as client:
        assert (await generating(client)).structured_content["status"] == "accepted"  # type: ignore[index]
        with pytest.raises(MCPError) as error:
            await ask(client.session, "tasks/get", job.id)
        assert error.value.code == METHOD_NOT_FOUND


async def test_another_owners_task_is_not_there(world: World, url: str) -> None:
    job, _ = await world.completed(owner="ann")
    async with connected(url, headers={OWNER: "ben"}, extensions=[advertise(TASKS)]) as client:
        for method in ("tasks/get", "tasks/update", "tasks/cancel"):
            for task_id in (job.id, "nope", "a/b", ""):
                with pytest.raises(MCPError) as error:
                    await ask(client.session, method, task_id, input_responses={})
                assert error.value.code == INVALID_PARAMS and "not_found" in error.value.message
    async with connected(url, headers={OWNER: "ann", SCOPES: "read"}, extensions=[advertise(TASKS)]) as client:
        assert (await ask(client.session, "tasks/get", job.id))["status"] == "completed"
        with pytest.raises(MCPError) as error:
            await ask(client.session, "tasks/cancel", job.id)
        assert "forbidden_scope" in error.value.message


async def test_a_job_that_was_deleted_is_no_task_any_more(world: World, connect: Connect) -> None:
    job_id = await failed_job(world)
    await world.jobs.delete(job_id)
    async with connect(extensions=[advertise(TASKS)]) as client:
        for method in ("tasks/get", "tasks/update", "tasks/cancel"):
            with pytest.raises(MCPError, match="not_found"):
                await ask(client.session, method, job_id, input_responses={})


async def test_a_header_that_names_another_task_is_refused(world: World, url: str) -> None:
    job, _ = await world.completed()
    knows = {"extensions": {TASKS: {}}}
    params = f'{{"taskId":"{job.id}"}}'
    status, told = await post(url, "tasks/get", params, capabilities=knows, **{"Mcp-Name": "other"})
    assert (status, told["error"]["code"]) == (400, HEADER_MISMATCH)
    status, told = await post(url, "tasks/get", params, capabilities=knows, **{"Mcp-Name": job.id})
    assert (status, told["result"]["status"]) == (200, "completed")
