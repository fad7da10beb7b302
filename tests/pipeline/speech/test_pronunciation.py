"""The pronunciation dictionary: what is said, and whose the times are then."""

from __future__ import annotations

import pytest

from vidgend.models import Word
from vidgend.pipeline.speech.pronunciation import as_written, said_for

DICTIONARY = {"nginx": "engine ex", "sql": "sequel", "c++": "see plus plus", "zoë": "Zoey"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Nginx", "engine ex"),
        ("“nginx”,", "“engine ex”,"),
        ("SQL's", "sequel's"),
        ("C++", "see plus plus"),
        ("Zoë", "Zoey"),
        ("NGINX!", "engine ex!"),
        ("(sql)", "(sequel)"),
        ("nginxes", ""),
        ("mysql", ""),
        ("—", ""),
    ],
)
def test_words_are_said_as_the_dictionary_says_and_what_is_around_them_stays(written: str, said: str) -> None:
    assert said_for(written, DICTIONARY) == said
    assert said_for(written, {}) == ""


def test_the_times_of_what_was_said_are_those_of_the_word_that_was_written() -> None:
    said = ("Run", "engine", "ex", "now.")
    spoken = [
        Word(text=word, start_s=float(at), end_s=at + 0.5, confidence=1 - at / 10) for at, word in enumerate(said)
    ]
    assert as_written(spoken, ("Run", "nginx", "now."), (1, 2, 1)) == (
        Word(text="Run", start_s=0.0, end_s=0.5),
        Word(text="nginx", start_s=1.0, end_s=2.5, confidence=0.8),
        Word(text="now.", start_s=3.0, end_s=3.5, confidence=0.7),
    )
    assert as_written((), ("Run", "nginx"), (1, 2)) == (), "an engine without times"
