"""The pronunciation dictionary: what is said, and whose the times are then."""

from __future__ import annotations

import pytest

from vidgend.models import Word
from vidgend.pipeline.speech.pronunciation import Respelled, as_written, respell

DICTIONARY = {"nginx": "engine ex", "SQL": "sequel", "C++": "see plus plus", "Zoë": "Zoey"}


@pytest.mark.parametrize(
    ("text", "said", "counts"),
    [
        ("Nginx serves.", "engine ex serves.", (2, 1)),
        ("“nginx”, then SQL's end", "“engine ex”, then sequel's end", (2, 1, 1, 1)),
        ("We write C++ here", "We write see plus plus here", (1, 1, 3, 1)),
        ("Zoë and\n\nNGINX!", "Zoey and\n\nengine ex!", (1, 1, 2)),
        ("(sql)", "(sequel)", (1,)),
    ],
)
def test_words_are_said_as_the_dictionary_says_and_what_is_around_them_stays(
    text: str, said: str, counts: tuple[int, ...]
) -> None:
    assert respell(text, DICTIONARY) == Respelled(text=said, counts=counts)


@pytest.mark.parametrize("text", ["", "   ", "Nothing of it.", "nginxes and mysql", "— … !"])
def test_a_text_without_such_words_is_left_alone(text: str) -> None:
    assert respell(text, DICTIONARY) is None
    assert respell(text, {}) is None


def test_the_times_of_what_was_said_are_those_of_the_word_that_was_written() -> None:
    text = "Run nginx now."
    respelled = respell(text, DICTIONARY)
    assert respelled is not None
    spoken = [
        Word(text=word, start_s=float(at), end_s=at + 0.5, confidence=1 - at / 10)
        for at, word in enumerate(respelled.text.split())
    ]
    assert as_written(spoken, text, respelled.counts) == (
        Word(text="Run", start_s=0.0, end_s=0.5),
        Word(text="nginx", start_s=1.0, end_s=2.5, confidence=0.8),
        Word(text="now.", start_s=3.0, end_s=3.5, confidence=0.7),
    )
    assert as_written((), text, respelled.counts) == (), "an engine without times"
