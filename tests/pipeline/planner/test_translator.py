"""Translation by a model, against a real HTTP stand-in. What it answers is a stranger's text."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from standins.llm_standin import LlmStandin

from vidgend.errors import ProviderError, ProviderGarbage
from vidgend.pipeline.planner.llm_chat import TRIES, LlmChat
from vidgend.pipeline.planner.translation_wire import MOST_CHARS, MOST_SCENES, batches
from vidgend.pipeline.planner.translator import LlmTranslator

Make = Callable[..., LlmTranslator]
TEXTS = ["The lamp is lit at dusk.", "At dawn the keeper sleeps."]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    async with httpx.AsyncClient() as client:

        def build(llm: LlmStandin) -> LlmTranslator:
            chat = LlmChat(base_url=llm.base_url, model="stand-in", client=client, retry_wait_s=0.0, timeout_s=20)
            return LlmTranslator(chat)

        yield build


def answer(*narrations: str, numbers: bool = True, **more: Any) -> str:
    scenes = [
        {"narration": text} | ({"number": number} if numbers else {}) for number, text in enumerate(narrations, 1)
    ]
    return json.dumps({"title": "Titel", "scenes": scenes} | more)


async def translated(make: Make, llm: LlmStandin, texts: list[str] | None = None) -> tuple[str, tuple[str, ...]]:
    return await make(llm).translate(texts or TEXTS, title="The lamp", source="en", target="de")


async def test_all_scenes_are_translated_in_one_question(make: Make) -> None:
    async with LlmStandin() as llm:
        assert await translated(make, llm) == (
            "de The lamp",
            ("de The lamp is lit at dusk.", "de At dawn the keeper sleeps."),
        )
        assert len(llm.requests) == 1
        schema = llm.requests[0]["response_format"]["json_schema"]
        assert schema["name"] == "translation" and "queries" not in json.dumps(schema)


async def test_scenes_are_put_in_order_by_their_numbers_or_taken_as_they_come(make: Make) -> None:
    turned = json.dumps({"scenes": [{"number": 2, "narration": "Zwei."}, {"number": 1, "narration": "Eins."}]})
    for text in (turned, answer("Eins.", "Zwei.", numbers=False)):
        async with LlmStandin(script=[text]) as llm:
            assert (await translated(make, llm))[1] == ("Eins.", "Zwei.")


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (answer("Nur eine."), "exactly 2 are needed"),
        (answer("Eins.", "  [lacht] "), "Scene 2 has no words"),
        (answer("Eins.", "z" * 1000), "304 are the most"),
        (answer(*TEXTS), "still in en"),
        (
            json.dumps({"scenes": [{"number": 1, "narration": "a"}, {"number": 1, "narration": "b"}]}),
            "numbers from 1 to 2",
        ),
        ("Gern!", "no JSON object"),
    ],
)
async def test_an_answer_that_is_no_translation_is_sent_back(make: Make, bad: str, told: str) -> None:
    async with LlmStandin(script=[bad, "good"]) as llm:
        await translated(make, llm)
        assert told in llm.messages()[-1]["content"]
    async with LlmStandin(script=[bad]) as llm:
        with pytest.raises(ProviderGarbage, match="gave no usable translation in 3 tries"):
            await translated(make, llm)
        assert len(llm.requests) == TRIES


async def test_a_hostile_answer_loses_its_markup_addresses_and_controls(make: Make) -> None:
    async with LlmStandin(script=["hostile"]) as llm:
        title, texts = await translated(make, llm)
    for text in (title, *texts):
        assert not set("<>*#[]\x00\u202e") & set(text) and "evil" not in text


async def test_trouble_is_told_by_its_kind(make: Make) -> None:
    async with LlmStandin(script=["error"]) as llm:
        with pytest.raises(ProviderError):
            await translated(make, llm)


async def test_a_long_text_is_translated_part_by_part_in_order(make: Make) -> None:
    texts = [f"Sentence number {number} of many." for number in range(MOST_SCENES + 5)]
    async with LlmStandin() as llm:
        _, said = await translated(make, llm, texts)
        assert said == tuple(f"de {text}" for text in texts) and len(llm.requests) == 2
    assert [len(part) for part in batches(["a" * (MOST_CHARS - 1)] * 3)] == [1, 1, 1]
    assert batches([]) == []
