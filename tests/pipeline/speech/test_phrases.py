from __future__ import annotations

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from vidgend.pipeline.speech.phrases import (
    LONGEST_SYMBOLS,
    NOBODY,
    PARAGRAPH_PAUSE_S,
    PUNCTUATION,
    SENTENCE_PAUSE_S,
    Phrase,
    phrases,
)

ALPHABET = frozenset(string.ascii_lowercase + " ") | PUNCTUATION


def letters(text: str) -> list[str]:
    """A phonemiser that says the letters, one group a word."""
    return [word.lower() for word in text.split()]


def merging(text: str) -> list[str]:
    """One that loses count in a sentence, as espeak does with "of the"."""
    return [text.lower().replace(" ", "")]


def shown(phrase: Phrase) -> str:
    return "".join(phrase.symbols)


def test_each_sentence_is_a_phrase_with_a_pause_behind_it() -> None:
    found = phrases("The sea is deep and very cold. Nothing lives there without a light.", letters, ALPHABET)
    assert [shown(one) for one in found] == [
        "the sea is deep and very cold.",
        "nothing lives there without a light.",
    ]
    assert [one.pause_s for one in found] == [SENTENCE_PAUSE_S, PARAGRAPH_PAUSE_S]


def test_each_symbol_belongs_to_the_word_as_written() -> None:
    found = phrases("It cost $2 more.", letters, ALPHABET)
    assert len(found) == 1
    by_owner: dict[int, str] = {}
    for symbol, owner in zip(found[0].symbols, found[0].owners, strict=True):
        by_owner[owner] = by_owner.get(owner, "") + symbol
    assert by_owner == {0: "it", 1: "cost", 2: "twodollars", 3: "more.", NOBODY: "    "}


def test_a_word_that_says_nothing_owns_no_symbol() -> None:
    found = phrases("The sea 🌊 is really very deep.", letters, ALPHABET)
    assert set(found[0].owners) == {0, 1, 3, 4, 5, 6, NOBODY}


def test_a_phonemiser_that_loses_count_is_asked_word_by_word() -> None:
    found = phrases("The end of the sea is here.", merging, ALPHABET)
    assert shown(found[0]) == "the end of the sea is here."


def test_a_very_short_sentence_joins_its_neighbour() -> None:
    found = phrases("Yes. The deep sea is the largest place of all.", letters, ALPHABET)
    assert [shown(one) for one in found] == ["yes. the deep sea is the largest place of all."]


def test_a_short_sentence_does_not_cross_a_paragraph() -> None:
    found = phrases("A title\n\nThe deep sea is the largest place of all.", letters, ALPHABET)
    assert [shown(one) for one in found] == ["a title.", "the deep sea is the largest place of all."]
    assert found[0].pause_s == PARAGRAPH_PAUSE_S


def test_a_long_sentence_is_cut_after_a_comma() -> None:
    found = phrases("one two three four five six seven, " * 20 + "end.", letters, ALPHABET)
    assert len(found) > 1
    assert all(shown(one).endswith("," if one is not found[-1] else ".") for one in found)


def test_an_endless_word_is_cut_anywhere() -> None:
    found = phrases("x" * 1000, letters, ALPHABET)
    assert sum(len(one.symbols) for one in found) == 1001  # and the full stop


def test_text_without_anything_to_say_gives_no_phrase() -> None:
    assert phrases("🌊 — … 東京", letters, ALPHABET) == []
    assert phrases("", letters, ALPHABET) == []


def test_a_run_of_words_without_spaces_keeps_the_spaces_that_its_reader_puts_in() -> None:
    (found,) = phrases("kyoo no", lambda text: ["kyo o", "no wa"], ALPHABET, "ja")
    assert shown(found) == "kyo o no wa."
    assert found.owners == (0, 0, 0, 0, 0, NOBODY, 1, 1, 1, 1, 1, 1)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet=string.ascii_letters + ".,!?—", min_size=1, max_size=300), min_size=1, max_size=60))
def test_no_letter_is_lost_and_no_call_is_too_long(words: list[str]) -> None:
    text = " ".join(words)
    found = phrases(text, letters, ALPHABET)
    assert all(0 < len(one.symbols) <= LONGEST_SYMBOLS + 1 for one in found)
    owners = [owner for one in found for owner in one.owners if owner != NOBODY]
    assert owners == sorted(owners)
    assert set(owners) <= set(range(len(words)))
