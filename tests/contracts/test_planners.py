"""What every planner promises."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from standins.llm_standin import LlmStandin

from vidgend.models import Brief, SceneBrief
from vidgend.pipeline.planner.builtin import BuiltinPlanner
from vidgend.pipeline.planner.fake import FakePlanner
from vidgend.pipeline.planner.llm import LlmPlanner
from vidgend.pipeline.planner.llm_chat import LlmChat
from vidgend.pipeline.planner.port import Planner
from vidgend.pipeline.vocabulary import MOODS

SCRIPT = "Rain falls on the old town. People hurry home under black umbrellas, and the trams ring. Then it is quiet."
IDEA = Brief(prompt="A beautiful sunset over the ocean with waves crashing on the beach")
READ_OUT = Brief(prompt="Rain", script=SCRIPT)
SCENES = Brief(
    prompt="Rain",
    scenes=(
        SceneBrief(narration="Rain falls.", query="rainy street", duration_s=5.0),
        SceneBrief(narration=""),
        SceneBrief(narration="It stops."),
    ),
)


@pytest.fixture(params=["builtin", "llm", "llm_hostile", "fake"])
async def planner(request: pytest.FixtureRequest) -> AsyncIterator[Planner]:
    if request.param == "builtin":
        yield BuiltinPlanner()
    elif request.param == "fake":
        yield FakePlanner()
    else:
        script = ["good"] if request.param == "llm" else ["hostile"]
        async with LlmStandin(script=script) as llm, httpx.AsyncClient() as client:
            yield LlmPlanner(LlmChat(base_url=llm.base_url, model="stand-in", client=client))


@pytest.mark.parametrize("brief", [IDEA, READ_OUT, SCENES], ids=["idea", "script", "scenes"])
async def test_a_plan_has_a_title_a_language_scenes_and_searches(planner: Planner, brief: Brief) -> None:
    plan = await planner.plan(brief)
    assert 0 < len(plan.title) <= 70
    assert plan.language == "en"
    assert plan.scenes
    assert plan.mood is None or plan.mood in MOODS
    for scene in plan.scenes:
        assert 1 <= len(scene.queries) <= 3
        assert all(query.strip() == query != "" and len(query) <= 80 and "://" not in query for query in scene.queries)


async def test_an_idea_stretches_and_begins_with_words(planner: Planner) -> None:
    plan = await planner.plan(IDEA)
    assert plan.stretch
    assert plan.scenes[0].narration
    assert IDEA.duration_s / len(plan.scenes) < 10


async def test_a_script_is_kept_word_for_word(planner: Planner) -> None:
    plan = await planner.plan(READ_OUT)
    assert " ".join(scene.narration for scene in plan.scenes if scene.narration) == SCRIPT
    assert not plan.stretch


async def test_given_scenes_keep_words_lengths_and_searches(planner: Planner) -> None:
    plan = await planner.plan(SCENES)
    assert [scene.narration for scene in plan.scenes] == ["Rain falls.", "", "It stops."]
    assert [scene.min_duration_s for scene in plan.scenes] == [5.0, 0.0, 0.0]
    assert plan.scenes[0].queries[0] == "rainy street"


async def test_an_asked_for_language_is_kept(planner: Planner) -> None:
    plan = await planner.plan(Brief(prompt="Ein Fluss in den Alpen", language="de"))
    assert plan.language == "de"


async def test_the_same_brief_has_the_same_plan(planner: Planner) -> None:
    assert await planner.plan(IDEA) == await planner.plan(IDEA)
    assert planner.name
    assert planner.identity
