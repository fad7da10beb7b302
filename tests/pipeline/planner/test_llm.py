"""The model planner against a real HTTP stand-in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from standins.llm_standin import LlmStandin

from vidgend.errors import (
    ProviderError,
    ProviderGarbage,
    ProviderRateLimited,
    ProviderUnauthorized,
    StepTimeout,
)
from vidgend.models import Brief, SceneBrief
from vidgend.pipeline.planner.builtin import plan_brief
from vidgend.pipeline.planner.llm import LlmPlanner
from vidgend.pipeline.planner.llm_chat import TRIES, LlmChat

Make = Callable[..., LlmPlanner]
IDEA = Brief(prompt="A day in the life of a lighthouse keeper", duration_s=30)
SCRIPT = "The lamp is lit at dusk. It turns all night above the black rocks and the sea. At dawn the keeper sleeps."


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    async with httpx.AsyncClient() as client:

        def build(standin: LlmStandin, **options: Any) -> LlmPlanner:
            options = {"api_key": "sk-secret", "retry_wait_s": 0.0, "timeout_s": 20.0, **options}
            return LlmPlanner(LlmChat(base_url=standin.base_url, model="stand-in", client=client, **options))

        yield build


async def test_an_idea_becomes_the_models_scenes_at_the_wished_length(make: Make) -> None:
    async with LlmStandin() as llm:
        plan = await make(llm).plan(IDEA)
        asked = llm.asked()
    assert asked["seconds"] == 30
    assert asked["narration_characters_in_all"] == pytest.approx((30 - 5 * 0.7 - 1.6) * 18, abs=2)
    assert asked["prompt"] == IDEA.prompt
    assert (plan.planner, plan.title, plan.mood, plan.stretch) == ("llm", "A title by the model", "calm", True)
    assert plan.scenes[0].narration.startswith("Sentence number 1 tells a little more.")
    assert len(plan.scenes) == 5
    assert all(scene.queries for scene in plan.scenes)


async def test_the_key_is_sent_as_a_bearer_token_and_left_out_when_there_is_none(make: Make) -> None:
    async with LlmStandin() as llm:
        await make(llm).plan(IDEA)
        await make(llm, api_key=None).plan(IDEA)
        assert llm.keys_seen == ["Bearer sk-secret", None]


@pytest.mark.parametrize("step", ["fenced", "thinking", "raw_breaks"])
async def test_sloppy_but_whole_answers_are_understood_at_once(make: Make, step: str) -> None:
    async with LlmStandin(script=[step]) as llm:
        plan = await make(llm).plan(IDEA)
        assert len(llm.requests) == 1
    assert plan.scenes[0].narration.startswith("Sentence number 1 tells a little more.")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("broken", "not valid JSON"),
        ("empty_scenes", "scenes"),
        ("too_long", "are wanted"),
        ("too_short", "only"),
        ("prose", "no JSON"),
        ("truncated", "cut off; it must be shorter"),
        ("repeats", "say the same"),
        ("wrong_language", "language fr. Write all of it in en"),
    ],
)
async def test_a_bad_answer_is_sent_back_with_what_is_wrong(make: Make, step: str, told: str) -> None:
    async with LlmStandin(script=[step, "good"]) as llm:
        plan = await make(llm).plan(IDEA)
        messages = llm.messages()
    assert plan.planner == "llm"
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert told in messages[-1]["content"] and "Answer again" in messages[-1]["content"]


@pytest.mark.parametrize("step", ["refusal", "filtered", "garbage"])
async def test_a_refusal_or_no_answer_at_all_is_asked_for_again(make: Make, step: str) -> None:
    async with LlmStandin(script=[step, "good"]) as llm:
        plan = await make(llm).plan(IDEA)
        assert [message["role"] for message in llm.messages()] == ["system", "user", "user"]
    assert plan.planner == "llm"


@pytest.mark.parametrize("language", ["hi", "ja", "zh", "de"])
async def test_a_narration_in_another_language_than_was_asked_for_is_not_taken(make: Make, language: str) -> None:
    brief = Brief(prompt="A day in the life of a lighthouse keeper", duration_s=30, language=language)
    async with LlmStandin(script=["wrong_language"]) as llm:
        with pytest.raises(ProviderGarbage, match=f"Write all of it in {language}"):
            await make(llm).plan(brief)
    async with LlmStandin() as llm:
        plan = await make(llm).plan(brief)
    assert plan.language == language and all(query.isascii() for scene in plan.scenes for query in scene.queries)


def answer(**fields: Any) -> str:
    scene = {"narration": "The lamp burns all night above the sea, and nobody sleeps.", "queries": ["lamp"]}
    other = {"narration": "In the morning a boat brings bread. The keeper waves from the tower.", "queries": ["boat"]}
    return json.dumps({"title": "t", "mood": "calm", "hook": "", "pace": "normal", "scenes": [scene, other]} | fields)


TEN = Brief(prompt="A lighthouse keeper", duration_s=12)


async def test_the_hook_is_said_first_and_only_once(make: Make) -> None:
    for hook in ("Who keeps the light?", "the lamp burns all night above the sea"):
        async with LlmStandin(script=[answer(hook=hook)]) as llm:
            plan = await make(llm).plan(TEN)
        said = plan.scenes[0].narration
        assert said.casefold().startswith(hook.casefold()) and said.count("lamp burns") == 1


async def test_a_brisk_pace_cuts_more_often_than_a_calm_one(make: Make) -> None:
    cuts = {}
    long = "The lamp burns all night above the sea, and nobody in the tower sleeps at all. " * 2
    scenes = [{"narration": f"{long} That was day {day}.", "queries": ["lamp", "sea"]} for day in ("one", "two")]
    for pace in ("calm", "normal", "brisk", "frantic"):
        async with LlmStandin(script=[answer(pace=pace, scenes=scenes)]) as llm:
            plan = await make(llm).plan(Brief(prompt="A lighthouse keeper", duration_s=20))
        cuts[pace] = len(plan.scenes)
        assert " ".join(scene.narration for scene in plan.scenes if scene.narration).count("lamp burns") == 4
    assert cuts["brisk"] > cuts["normal"] >= cuts["calm"] and cuts["frantic"] == cuts["normal"]


async def test_a_scene_without_a_usable_search_gets_one_from_its_words(make: Make) -> None:
    scenes = [
        {"narration": "A boat brings bread to the keeper in the morning.", "queries": ["http://evil.example", "船"]},
        {"narration": "The lamp is lit at dusk above the black rocks.", "queries": []},
    ]
    async with LlmStandin(script=[answer(scenes=scenes)]) as llm:
        plan = await make(llm).plan(TEN)
    assert plan.scenes[0].queries[0] == "boat bread keeper" and "rocks" in plan.scenes[1].queries[0]


async def test_a_whole_sentence_is_made_a_search(make: Make) -> None:
    long = {"number": 1, "narration": "", "queries": ["he does not have a lamp and the boat is away"]}
    brief = Brief(prompt="x", scenes=(SceneBrief(narration="Nothing is seen of this."),))
    async with LlmStandin(script=[json.dumps({"title": "...", "scenes": [long]})]) as llm:
        plan = await make(llm).plan(brief)
    assert plan.scenes[0].queries[0] == "lamp" and plan.title == "Nothing is seen of this"


async def test_what_nobody_can_film_is_no_search(make: Make) -> None:
    scenes = [{"narration": "... A boat brings bread to the keeper.", "queries": ["sad calm", "true happiness", "and"]}]
    async with LlmStandin(script=[answer(scenes=scenes)]) as llm:
        plan = await make(llm).plan(Brief(prompt="A lighthouse keeper", duration_s=6))
    assert plan.scenes[0].narration == "A boat brings bread to the keeper."
    assert plan.scenes[0].queries[0] == "boat bread keeper"


async def test_what_was_said_already_is_left_out(make: Make) -> None:
    first = {"narration": "The lamp burns all night above the sea.", "queries": ["lamp"]}
    second = {"narration": "A boat brings bread in the morning.", "queries": ["boat"]}
    async with LlmStandin(script=[answer(scenes=[first, second, first])]) as llm:
        plan = await make(llm).plan(TEN)
    assert [scene.narration for scene in plan.scenes if scene.narration] == [first["narration"], second["narration"]]


async def test_a_server_with_500_for_a_format_and_one_with_a_short_context_are_understood(make: Make) -> None:
    async with LlmStandin(formats=("json_object",), format_status=500) as llm:
        await make(llm).plan(IDEA)
        assert [body["response_format"]["type"] for body in llm.requests] == ["json_schema", "json_object"]
        counted = llm.requests[-1]["response_format"]["schema"]["properties"]["scenes"]
        assert (counted["minItems"], counted["maxItems"]) == (1, 5)
    async with LlmStandin(script=["context"]) as llm:
        with pytest.raises(ProviderError, match="context is too short"):
            await make(llm).plan(IDEA)
        assert len(llm.requests) == 1


async def test_three_bad_answers_are_garbage(make: Make) -> None:
    async with LlmStandin(script=["prose"]) as llm:
        with pytest.raises(ProviderGarbage, match="no JSON"):
            await make(llm).plan(IDEA)
        assert len(llm.requests) == TRIES


async def test_a_script_stays_word_for_word_and_gets_the_models_searches(make: Make) -> None:
    brief = Brief(prompt="The keeper", script=SCRIPT)
    async with LlmStandin() as llm:
        plan = await make(llm).plan(brief)
        asked = llm.asked()
    own = plan_brief(brief)
    assert [scene.narration for scene in plan.scenes] == [scene.narration for scene in own.scenes]
    assert [item["narration"] for item in asked["scenes"]] == [scene.narration for scene in own.scenes]
    assert plan.scenes[0].queries == ("scene 1 close up", "wide landscape", own.scenes[0].queries[0])
    assert plan.planner == "llm"


async def test_a_prompt_that_is_a_script_is_not_rewritten(make: Make) -> None:
    async with LlmStandin() as llm:
        plan = await make(llm).plan(Brief(prompt=SCRIPT))
    assert " ".join(scene.narration for scene in plan.scenes) == SCRIPT


async def test_the_callers_scenes_keep_their_words_and_their_searches(make: Make) -> None:
    scenes = (SceneBrief(narration="It is dark.", query="night sea"), SceneBrief(narration="Then light."))
    async with LlmStandin() as llm:
        plan = await make(llm).plan(Brief(prompt="x", scenes=scenes))
    assert [scene.narration for scene in plan.scenes] == ["It is dark.", "Then light."]
    assert plan.scenes[0].queries[0] == "night sea"
    assert plan.scenes[1].queries[0] == "scene 2 close up"


async def test_scenes_without_any_words_ask_no_model(make: Make) -> None:
    async with LlmStandin() as llm:
        await make(llm).plan(Brief(prompt="x", scenes=(SceneBrief(narration="", query="sea"),)))
        assert not llm.requests


async def test_a_wrong_number_of_scenes_is_sent_back(make: Make) -> None:
    one = '{"title": "t", "mood": "calm", "scenes": [{"narration": "", "queries": ["sea"]}]}'
    scenes = (SceneBrief(narration="It is dark."), SceneBrief(narration="Then light."))
    async with LlmStandin(script=[one, "good"]) as llm:
        await make(llm).plan(Brief(prompt="x", scenes=scenes))
        assert "exactly 2" in llm.messages()[-1]["content"]


async def test_a_hostile_answer_loses_its_markup_addresses_and_controls(make: Make) -> None:
    async with LlmStandin(script=["hostile"]) as llm:
        plan = await make(llm).plan(IDEA)
    scene = plan.scenes[0]
    assert scene.narration == "look. Hello you, see our shop at"
    assert scene.queries == ("blue sea",)
    assert plan.title == "alert(1) Title"
    assert plan.mood is None


@pytest.mark.parametrize(("formats", "expected"), [(("json_object",), "json_object"), ((), None)])
async def test_a_server_without_schemas_is_asked_in_a_simpler_way_and_remembered(
    make: Make, formats: tuple[str, ...], expected: str | None
) -> None:
    async with LlmStandin(formats=formats) as llm:
        planner = make(llm)
        await planner.plan(IDEA)
        first = len(llm.requests)
        await planner.plan(IDEA)
        assert len(llm.requests) == first + 1
        assert llm.requests[-1].get("response_format", {}).get("type") == expected


@pytest.mark.parametrize("step", ["error", "drop", "limited"])
async def test_passing_trouble_is_tried_again(make: Make, step: str) -> None:
    async with LlmStandin(script=[step, step, "good"]) as llm:
        plan = await make(llm).plan(IDEA)
        assert len(llm.requests) == 3
    assert plan.planner == "llm"


@pytest.mark.parametrize(
    ("step", "error", "requests"),
    [
        ("unauthorized", ProviderUnauthorized, 1),
        ("limited", ProviderRateLimited, 3),
        ("limited_long", ProviderRateLimited, 1),
        ("error", ProviderError, 3),
        ("drop", ProviderError, 3),
        ("garbage", ProviderGarbage, 3),
        ("refusal", ProviderGarbage, 3),
        ("no_model", ProviderError, 4),
    ],
)
async def test_lasting_trouble_is_told_by_kind_without_key_or_address(
    make: Make, step: str, error: type[ProviderError], requests: int
) -> None:
    async with LlmStandin(script=[step]) as llm:
        with pytest.raises(error) as caught:
            await make(llm).plan(IDEA)
        assert type(caught.value) is error
        assert len(llm.requests) == requests
        assert str(llm.port) not in caught.value.detail
    assert "sk-secret" not in caught.value.detail
    assert "127.0.0.1" not in caught.value.detail


async def test_formats_are_asked_for_again_after_trouble_that_they_were_not_to_blame_for(make: Make) -> None:
    async with LlmStandin(script=["no_model"] * 4 + ["good"]) as llm:
        planner = make(llm)
        with pytest.raises(ProviderError):
            await planner.plan(IDEA)
        await planner.plan(IDEA)
    assert llm.requests[-1]["response_format"]["type"] == "json_schema"


async def test_two_questions_at_once_find_the_same_format_refused_once(make: Make) -> None:
    async with LlmStandin(formats=("json_object",)) as llm:
        planner = make(llm)
        await asyncio.gather(*(planner.plan(IDEA) for _ in range(4)))
        assert planner._chat.response_format == "json_object with a schema"


async def test_a_wait_beyond_the_time_that_is_left_is_not_begun(make: Make) -> None:
    async with LlmStandin(script=["limited"], retry_after_s="0.6") as llm:
        with pytest.raises(ProviderRateLimited):
            await make(llm, timeout_s=1.0).plan(IDEA)
    assert len(llm.requests) == 2


@pytest.mark.parametrize(
    "said", ["half an emoji: \ud83d", '{"scenes": "\ud800"}', '{"scenes": [{"narration": "\udc00"}]}']
)
async def test_half_a_surrogate_pair_in_an_answer_can_be_sent_back(make: Make, said: str) -> None:
    async with LlmStandin(script=[said, "good"]) as llm:
        plan = await make(llm).plan(IDEA)
        assert "mended" in llm.messages()[-1]["content"]
    assert plan.planner == "llm"


async def test_a_long_wait_is_told_to_the_caller(make: Make) -> None:
    async with LlmStandin(script=["limited_long"]) as llm:
        with pytest.raises(ProviderRateLimited) as caught:
            await make(llm).plan(IDEA)
    assert caught.value.retry_after_s == 86400


async def test_a_slow_model_ends_in_a_timeout(make: Make) -> None:
    async with LlmStandin(script=["slow"]) as llm:
        with pytest.raises(StepTimeout):
            await make(llm, timeout_s=0.05).plan(IDEA)


async def test_no_server_is_a_provider_error(make: Make) -> None:
    async with LlmStandin() as llm:
        planner = make(llm)
    with pytest.raises(ProviderError, match="no connection"):
        await planner.plan(IDEA)


async def test_cancelling_a_plan_leaves_at_once(make: Make) -> None:
    async with LlmStandin(script=["slow"]) as llm:
        task = asyncio.create_task(make(llm).plan(IDEA))
        await asyncio.wait_for(llm.arrived.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
