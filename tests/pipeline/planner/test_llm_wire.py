"""What is believed of a model's answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgend.models import Brief
from vidgend.pipeline.planner.llm_wire import (
    MAX_SCENES,
    BadAnswer,
    clean_query,
    clean_text,
    idea_message,
    parse_answer,
)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("# Heading\nand **bold** _words_", "Heading and bold words"),
        ("see [the sea](https://x.example) now", "see the sea now"),
        ("Narrator: Once\tupon\x07 a time", "Once upon a time"),
        ("left\u202eright", "leftright"),
        ("snake_case stays, 5 * 3 too", "snake_case stays, 5 3 too"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("- item [music swells]", "item"),
    ],
)
def test_narration_is_plain_words(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('"Blue sea!"', "Blue sea"),
        ("https://evil.example/a", ""),
        ("www.evil.example", ""),
        ("evil.com", ""),
        ("../../etc/passwd", ""),
        ("***", ""),
        ("one two three four five six seven eight nine", "one two three four five six seven eight"),
        ("bär's höhle", "bär's höhle"),
    ],
)
def test_a_search_is_a_few_words_and_never_an_address(text: str, clean: str) -> None:
    assert clean_query(text) == clean


@given(st.text(max_size=300))
def test_cleaned_text_holds_no_controls_and_is_stable(text: str) -> None:
    clean = clean_text(text)
    assert not any(ord(char) < 32 or ord(char) == 127 for char in clean)
    assert "\u202e" not in clean


@given(st.text(max_size=400))
def test_any_answer_is_a_plan_or_a_bad_answer(text: str) -> None:
    with pytest.raises(BadAnswer):
        parse_answer(text + '{"scenes": []}')


def test_deeply_nested_json_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswer):
        parse_answer('{"a":' * 100_000 + "1" + "}" * 100_000)


def test_too_many_scenes_are_a_bad_answer() -> None:
    scene = {"narration": "a", "queries": ["sea"]}
    assert len(parse_answer(json.dumps({"scenes": [scene] * MAX_SCENES})).scenes) == MAX_SCENES
    with pytest.raises(BadAnswer, match="scenes"):
        parse_answer(json.dumps({"scenes": [scene] * (MAX_SCENES + 1)}))


def test_moods_of_the_model_are_mapped_to_the_musics() -> None:
    scenes = [{"narration": "a", "queries": ["sea"]}]
    assert parse_answer(json.dumps({"mood": "Melancholic", "scenes": scenes})).mood == "nostalgic"
    assert parse_answer(json.dumps({"mood": "beige", "scenes": scenes})).mood is None


def test_half_a_surrogate_pair_in_a_prompt_can_be_sent() -> None:
    idea_message(Brief(prompt="sea \ud800 sky"), language="en").encode()
