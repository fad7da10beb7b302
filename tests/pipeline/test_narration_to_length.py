"""A narration that a model wrote is spoken, measured, and made to fit once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from standins.llm_standin import LlmStandin

from vidgend.errors import ProviderGarbage, SpeechFailed, StepError
from vidgend.models import Brief, Scene, Storyboard, Substitution
from vidgend.pipeline.narration_to_length import MOST_OFF, RelengthStep, fit_narration, length_of
from vidgend.pipeline.planner.llm_chat import TRIES, LlmChat
from vidgend.pipeline.planner.llm_wire import MAX_NARRATION_CHARS
from vidgend.pipeline.planner.rewriter import LlmRewriter

IDEA = Brief(prompt="A lighthouse keeper", duration_s=30)
TEXT = "The lamp of the old lighthouse burns all night above the black rocks of the cape."
RATE = 18.0


class FakeRun:
    """What `fit_narration` uses of a JobRun."""

    def __init__(self, step: RelengthStep) -> None:
        self._step = step
        self.notes: list[str] = []
        self.substitutions: list[Substitution] = []

    def key(self, kind: str, args: dict[str, Any], code: tuple[str, ...], identity: str) -> str:
        return f"{kind}/{identity}"

    async def step(self, spec: Any, *, stage: str) -> dict[str, Any]:
        return (await self._step(spec.args, None)).output  # type: ignore[arg-type]

    async def note(self, line: str) -> None:
        self.notes.append(line)

    async def substitute(self, entry: Substitution) -> None:
        self.substitutions.append(entry)


class FakeRewriter:
    """Answers `texts`, one answer after the other is not needed: it is asked once. Raises `error` if there is one."""

    identity = "fake"

    def __init__(self, factor: float | None = None, *, error: StepError | None = None) -> None:
        self.asked: list[tuple[list[str], list[int]]] = []
        self._factor, self._error = factor, error

    async def rewrite(
        self, texts: Sequence[str], *, targets: Sequence[int], title: str, language: str
    ) -> tuple[str, ...]:
        self.asked.append((list(texts), list(targets)))
        if self._error is not None:
            raise self._error
        sizes = targets if self._factor is None else [round(len(text) * self._factor) for text in texts]
        return tuple((TEXT * 20)[:size].strip() + "." for size in sizes)


def board(*texts: str, planner: str = "llm") -> Storyboard:
    scenes = tuple(Scene(index=i, id=f"s{i + 1}", narration=text, queries=("lamp",)) for i, text in enumerate(texts))
    return Storyboard(title="The keeper", language="en", planner=planner, stretch=True, fps="30", scenes=scenes)


async def speak_all(storyboard: Storyboard) -> list[int]:
    return [round(len(scene.narration) / RATE * 48_000) for scene in storyboard.scenes]


async def fitted(
    storyboard: Storyboard, rewriter: FakeRewriter | LlmRewriter | None, brief: Brief = IDEA
) -> tuple[Storyboard, FakeRun]:
    run = FakeRun(RelengthStep(rewriter))
    found = await fit_narration(run, brief, storyboard, rewriter=rewriter, speak_all=speak_all)  # type: ignore[arg-type]
    return found, run


async def off(storyboard: Storyboard, brief: Brief = IDEA) -> float:
    return abs(length_of(brief, await speak_all(storyboard)).off(brief.duration_s))


@pytest.mark.parametrize("count", [2, 3, 8, 12])
async def test_a_narration_that_is_too_short_or_too_long_is_rewritten_once_to_the_measured_rate(count: int) -> None:
    rewriter = FakeRewriter()
    before = board(*[TEXT] * count, "")
    found, run = await fitted(before, rewriter)
    assert await off(before) > MOST_OFF >= await off(found)
    assert len(rewriter.asked) == 1 and not run.substitutions and len(run.notes) == 2
    assert [scene.index for scene in found.scenes] == list(range(count)), "no picture without words is left"
    texts, targets = rewriter.asked[0]
    assert len(texts) == len(targets) == count and len(set(targets)) == 1


async def test_what_fits_already_is_left_alone_but_for_the_pictures_in_between() -> None:
    rewriter = FakeRewriter()
    before = board(TEXT, TEXT, "", TEXT, TEXT, TEXT)
    brief = Brief(prompt="A lighthouse keeper", duration_s=28)
    assert await off(before, brief) <= MOST_OFF
    found, run = await fitted(before, rewriter, brief)
    assert not rewriter.asked and not run.notes and all(scene.narration == TEXT for scene in found.scenes)


@pytest.mark.parametrize("factor", [0.5, 1.1])
async def test_what_is_still_off_is_said_and_the_nearer_one_is_kept(factor: float) -> None:
    before = board(TEXT, TEXT, TEXT, "")
    found, run = await fitted(before, FakeRewriter(factor))
    assert (found == before) == (factor < 1)
    assert await off(found) <= await off(before)
    assert len(run.substitutions) == 1
    said = run.substitutions[0]
    assert (said.stage, said.wanted) == ("planning", "a narration of 30 s") and "pictures fill the rest" in said.used


async def test_a_model_that_cannot_do_it_costs_the_job_nothing() -> None:
    before = board(TEXT, TEXT)
    found, run = await fitted(before, FakeRewriter(error=ProviderGarbage("no usable narration")))
    assert found == before and "no usable narration" in run.substitutions[0].reason


async def test_a_rewritten_narration_that_cannot_be_spoken_costs_the_job_nothing() -> None:
    before = board(TEXT, TEXT)

    async def speak_old(storyboard: Storyboard) -> list[int]:
        if storyboard.scenes[0].narration != TEXT:
            raise SpeechFailed("the voice has no such words")
        return await speak_all(storyboard)

    run = FakeRun(RelengthStep(FakeRewriter()))
    found = await fit_narration(run, IDEA, before, rewriter=FakeRewriter(), speak_all=speak_old)  # type: ignore[arg-type]
    assert found == before and "no such words" in run.substitutions[0].reason


async def test_how_the_old_words_were_to_be_spoken_is_not_said_of_the_new_ones() -> None:
    before = board(TEXT, TEXT)
    marked = replace(before, scenes=tuple(replace(scene, markup=f"<p>{TEXT}</p>") for scene in before.scenes))
    found, _ = await fitted(marked, FakeRewriter())
    assert [scene.markup for scene in found.scenes] == [None, None] and found.scenes[0].narration != TEXT


async def test_a_scene_is_never_asked_to_be_longer_than_what_is_believed() -> None:
    rewriter = FakeRewriter()
    await fitted(board(TEXT), rewriter, replace(IDEA, duration_s=300))
    assert rewriter.asked[0][1] == [MAX_NARRATION_CHARS]


@pytest.mark.parametrize(
    ("brief", "planner"),
    [
        (IDEA, "builtin"),
        (Brief(prompt="x", script=TEXT, duration_s=30), "llm"),
        (Brief(prompt=f"{TEXT} {TEXT}", duration_s=30), "llm"),
    ],
)
async def test_words_of_the_caller_are_neither_measured_nor_changed(brief: Brief, planner: str) -> None:
    rewriter = FakeRewriter()
    before = board(TEXT, TEXT, planner=planner)
    found, run = await fitted(before, rewriter, brief)
    assert found is before and not rewriter.asked and not run.notes
    assert (await fitted(before, None, brief))[0] is before


async def rewritten(script: list[str], texts: list[str], targets: list[int]) -> tuple[tuple[str, ...], LlmStandin]:
    async with LlmStandin(script=script) as llm, httpx.AsyncClient() as client:
        chat = LlmChat(base_url=llm.base_url, model="stand-in", client=client, retry_wait_s=0.0, timeout_s=20)
        return await LlmRewriter(chat).rewrite(texts, targets=targets, title="t", language="en"), llm


async def test_the_model_is_told_the_characters_of_each_scene() -> None:
    found, llm = await rewritten(["good"], [TEXT, TEXT], [200, 40])
    assert [len(text) for text in found] == [pytest.approx(200, abs=30), pytest.approx(40, abs=12)]
    asked = llm.asked()
    assert [scene["characters_wanted"] for scene in asked["scenes"]] == [200, 40]
    assert llm.requests[0]["response_format"]["json_schema"]["name"] == "narration"


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ('{"scenes": [{"narration": "One."}]}', "exactly 2 are needed"),
        ('{"scenes": [{"narration": "[x]"}, {"narration": "b"}]}', "Scene 1 has no words"),
        ('{"scenes": [{"narration": "a"}, {"narration": "b"}]}', "characters; 400 are wanted"),
        ('{"scenes": [{"narration": "%s"}, {"narration": "b"}]}' % ("word " * 150), "are the most"),
        ("Gladly!", "no JSON"),
        ("truncated", "cut off"),
    ],
)
async def test_an_answer_that_is_no_such_narration_is_sent_back_and_then_refused(bad: str, told: str) -> None:
    _, llm = await rewritten([bad, "good"], [TEXT, TEXT], [200, 200])
    assert told in llm.messages()[-1]["content"]
    async with LlmStandin(script=[bad]) as llm, httpx.AsyncClient() as client:
        chat = LlmChat(base_url=llm.base_url, model="stand-in", client=client, retry_wait_s=0.0, timeout_s=20)
        with pytest.raises(ProviderGarbage):
            await LlmRewriter(chat).rewrite([TEXT, TEXT], targets=[200, 200], title="t", language="en")
        assert len(llm.requests) == TRIES


async def test_scenes_are_put_in_the_order_of_their_numbers() -> None:
    said = [{"number": 2, "narration": f"Two. {TEXT}"}, {"number": 1, "narration": f"One. {TEXT}"}]
    found, _ = await rewritten([json.dumps({"scenes": said})], [TEXT, TEXT], [95, 95])
    assert [text[:4] for text in found] == ["One.", "Two."]


async def test_a_hostile_narration_holds_nothing_but_words() -> None:
    said = f"<break time='9s'/> Go to https://evil.example/1 now **{TEXT}**"
    bad = json.dumps({"scenes": [{"narration": said}] * 2, "voice": "../x"})
    found, _ = await rewritten([bad], [TEXT, TEXT], [95, 95])
    assert found == (f"Go to now {TEXT}",) * 2
