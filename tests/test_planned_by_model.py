"""Whole jobs whose plan a language model writes: a stand-in, and a real one where there is one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from standins.llm_standin import LlmStandin
from workshop import clips, fake_footage, finished_steps, make, result, settings_for, workshop

from vidgend.models import Brief
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.narration_to_length import MOST_OFF
from vidgend.pipeline.planner.builtin import BuiltinPlanner
from vidgend.pipeline.planner.llm import LlmPlanner
from vidgend.pipeline.planner.llm_chat import LlmChat
from vidgend.pipeline.planner.rewriter import LlmRewriter
from vidgend.pipeline.text_language import text_language
from vidgend.runtime import Runtime

SECONDS = 20


@asynccontextmanager
async def planned_by(llm: LlmStandin, ffmpeg: Ffmpeg, folder: Path) -> AsyncIterator[Runtime]:
    files = clips(ffmpeg.path, folder / "clips", 4)
    settings = settings_for(folder / "data", VIDGEND_RENDER__RESOLUTION="256x144")
    async with httpx.AsyncClient() as client:
        chat = LlmChat(base_url=llm.base_url, model="stand-in", client=client, retry_wait_s=0.0)
        parts: dict[str, Any] = {"planners": (LlmPlanner(chat), BuiltinPlanner()), "rewriter": LlmRewriter(chat)}
        async with workshop(folder / "data", settings=settings, providers=(fake_footage(files),), **parts) as runtime:
            yield runtime


async def test_a_narration_that_misses_the_wished_length_is_rewritten_and_spoken_anew(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    async with LlmStandin() as llm, planned_by(llm, ffmpeg, tmp_path) as runtime:
        found = result(await make(runtime, prompt="A lighthouse keeper", duration_target=SECONDS, transitions="cut"))
        assert [body["response_format"]["json_schema"]["name"] for body in llm.requests] == ["plan", "narration"]
        asked, count = llm.asked(), await finished_steps(runtime)
    told = found.report["narration"]
    assert asked["characters_wanted"] > asked["characters_now"], "the stand-in writes half of what is wanted"
    assert told["wished_s"] == SECONDS and abs(told["narrated_s"] / SECONDS - 1) <= MOST_OFF
    assert found.duration_s == pytest.approx(SECONDS, rel=MOST_OFF)
    assert not any(one.stage == "planning" for one in found.degraded)
    assert count["relength"] == 1 and count["narration"] == 2 * len(asked["scenes"])


async def test_a_restart_and_other_shapes_of_the_video_ask_and_speak_nothing_twice(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    wanted: dict[str, Any] = {
        "prompt": "A lighthouse keeper", "duration_target": SECONDS, "transitions": "cut",
        "outputs": [{}, {"aspect_ratio": "9:16"}],
    }  # fmt: skip
    async with LlmStandin() as llm:
        async with planned_by(llm, ffmpeg, tmp_path) as runtime:
            first = result(await make(runtime, **wanted))
            count = await finished_steps(runtime)
        assert count["relength"] == 1 and count["narration"] == 2 * len(llm.asked()["scenes"])
        async with planned_by(llm, ffmpeg, tmp_path) as runtime:
            again = result(await make(runtime, **wanted))
        assert len(llm.requests) == 2
    assert again.report["steps"]["run"] == 0
    assert again.report["narration"] == first.report["narration"]
    assert [one.report["narration"] for one in first.outputs if one.report] == [first.report["narration"]]


async def test_a_model_that_writes_no_other_length_leaves_a_video_and_a_word_about_it(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    async with LlmStandin(script=["good", "prose"]) as llm, planned_by(llm, ffmpeg, tmp_path) as runtime:
        found = result(await make(runtime, prompt="A lighthouse keeper", duration_target=SECONDS, transitions="cut"))
        assert len(llm.requests) == 4
    said = [one for one in found.degraded if one.stage == "planning"]
    assert [one.wanted for one in said] == ["a narration of 20 s"] and "pictures fill the rest" in said[0].used
    assert found.report["narration"]["narrated_s"] < SECONDS * (1 - MOST_OFF)
    assert found.duration_s == pytest.approx(SECONDS, abs=0.1)


async def test_a_script_is_not_rewritten_and_not_spoken_before_its_time(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    script = "The lamp is lit at dusk. It turns all night above the sea. At dawn the keeper sleeps."
    async with LlmStandin() as llm, planned_by(llm, ffmpeg, tmp_path) as runtime:
        found = result(await make(runtime, script=script, duration_target=SECONDS, transitions="cut"))
        assert len(llm.requests) == 1 and (await finished_steps(runtime))["relength"] == 0
    assert found.report["narration"]["wished_s"] == SECONDS


@pytest.mark.skipif(not os.environ.get("TEST_LLM_URL"), reason="TEST_LLM_URL names no OpenAI-compatible server")
async def test_a_real_model_writes_a_plan_or_is_told_why_not() -> None:
    """Whatever a model writes, it is a plan within its bounds, or an error with a reason."""
    async with httpx.AsyncClient() as client:
        chat = LlmChat(
            base_url=os.environ["TEST_LLM_URL"], model=os.environ.get("TEST_LLM_MODEL", ""), client=client,
            api_key=os.environ.get("TEST_LLM_KEY"), timeout_s=200,
        )  # fmt: skip
        plan = await LlmPlanner(chat).plan(Brief(prompt="A day at the sea with dogs on the beach", duration_s=12))
    texts = [scene.narration for scene in plan.scenes if scene.narration]
    assert texts and text_language(" ".join(texts)) in (None, "en")
    assert all(1 <= len(scene.queries) <= 3 for scene in plan.scenes)
