"""Approving a storyboard: the user is asked where the client can ask, and the arguments count where it cannot."""

from __future__ import annotations

from typing import Any

import pytest
from mcp_types import ElicitRequestFormParams, ElicitResult
from mcp_world import Connect, Mode, awaiting_review, call, refused
from standins.services_standin import World


class User:
    """Answers what it is asked."""

    def __init__(self, action: Any, **content: Any) -> None:
        self.asked: list[ElicitRequestFormParams] = []
        self._answer = ElicitResult(action=action, content=content or None)

    async def __call__(self, context: Any, params: Any) -> ElicitResult:
        self.asked.append(params)
        return self._answer


async def test_the_user_is_asked_and_agrees(world: World, connect: Connect, mode: Mode) -> None:
    job_id, user = await awaiting_review(world), User("accept", approve=True)
    async with connect(mode=mode, elicitation_callback=user) as client:
        accepted = await call(client, "render_video", job_id=job_id, quality="draft")
    assert (accepted["status"], accepted["version"]) == ("accepted", 1)
    job = await world.jobs.get(job_id)
    assert job.state == "queued" and job.brief.quality == "draft"  # type: ignore[union-attr]
    (asked,) = user.asked
    assert asked.message.splitlines() == [
        "Render the storyboard of 'The sea', version 1?",
        "1. The sea is calm.",
        "2. A boat comes in.",
    ]
    assert asked.requested_schema["properties"]["approve"]["type"] == "boolean"


async def test_only_what_the_user_has_seen_is_rendered(world: World, connect: Connect, mode: Mode) -> None:
    """Somebody changes the storyboard while the form is open. The newest revision asks anew; the older one cannot."""
    job_id, asked = await awaiting_review(world), list[str]()

    async def user(context: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        if len(asked) == 1:
            async with connect() as other:
                await call(other, "edit_storyboard", job_id=job_id, scenes=[{"id": "s1", "narration": "Unseen."}])
        return ElicitResult(action="accept", content={"approve": True})

    async with connect(mode=mode, elicitation_callback=user) as client:
        rendered = (await call(client, "render_video", job_id=job_id))["version"]
    assert asked[-1].splitlines()[0] == f"Render the storyboard of 'The sea', version {rendered}?"


@pytest.mark.parametrize("user", [User("decline"), User("cancel"), User("accept", approve=False)])
async def test_the_user_does_not_agree_whatever_the_model_says(
    world: World, connect: Connect, mode: Mode, user: User
) -> None:
    job_id = await awaiting_review(world)
    async with connect(mode=mode, elicitation_callback=user) as client:
        told = await refused(client, "render_video", job_id=job_id, approve=True)
    assert told["code"] == "not_approved" and user.asked
    assert (await world.jobs.get(job_id)).state == "awaiting_review"


async def test_without_a_way_to_ask_the_arguments_count(world: World, connect: Connect, mode: Mode) -> None:
    job_id = await awaiting_review(world)
    async with connect(mode=mode) as client:
        told = await refused(client, "render_video", job_id=job_id)
        assert told["code"] == "not_approved" and "approve" in told["hint"]
        await call(client, "render_video", job_id=job_id, approve=True)
    assert (await world.jobs.get(job_id)).state == "queued"


async def test_what_awaits_no_review_is_rendered_without_a_question(world: World, connect: Connect, mode: Mode) -> None:
    job_id, user = await awaiting_review(world), User("decline")
    await world.jobs.request_cancel(job_id)
    async with connect(mode=mode, elicitation_callback=user) as client:
        await call(client, "render_video", job_id=job_id)
        assert (await refused(client, "render_video", job_id="nope"))["code"] == "not_found"
    assert user.asked == []
