from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgend.pipeline.speech.phrases import NOBODY, Phrase
from vidgend.pipeline.speech.word_times import fill_and_order, spans_in_phrase


def phrase(text: str) -> Phrase:
    """Words numbered from 0, punctuation with its word."""
    owners, word = [], 0
    for symbol in text:
        if symbol == " ":
            owners.append(NOBODY)
            word += 1
        else:
            owners.append(word)
    return Phrase(symbols=tuple(text), owners=tuple(owners), pause_s=0.3)


def tenths(count: int) -> list[float]:
    return [index / 10 for index in range(count + 1)]


def test_a_word_starts_in_the_middle_of_the_space_before_it_and_the_one_before_ends_there() -> None:
    found = spans_in_phrase(phrase("ab cd"), tenths(5), pauses=[(0, 0.02), (0.48, 0.5)], space_share=0.5)
    assert found == {0: (0.02, pytest.approx(0.25)), 1: (pytest.approx(0.25), 0.48)}


def test_the_share_of_the_space_is_the_models() -> None:
    found = spans_in_phrase(phrase("ab cd"), tenths(5), pauses=[(0, 0), (0.5, 0.5)], space_share=1.0)
    assert found[1][0] == pytest.approx(0.3)


def test_at_a_comma_the_heard_pause_gives_the_times() -> None:
    found = spans_in_phrase(phrase("ab, cd"), tenths(6), pauses=[(0, 0), (0.15, 0.37), (0.6, 0.6)], space_share=0.5)
    assert found == {0: (0, 0.15), 1: (0.37, 0.6)}


def test_a_silence_without_punctuation_is_part_of_a_consonant() -> None:
    found = spans_in_phrase(phrase("ab cd"), tenths(5), pauses=[(0, 0), (0.18, 0.27), (0.5, 0.5)], space_share=0.5)
    assert found[0][1] == pytest.approx(0.25)


def test_a_word_said_as_several_spans_all_of_them() -> None:
    symbols = Phrase(symbols=tuple("a b c"), owners=(0, 0, 0, NOBODY, 1), pause_s=0)
    found = spans_in_phrase(symbols, tenths(5), pauses=[(0, 0), (0.5, 0.5)], space_share=0.5)
    assert found[0] == (0, pytest.approx(0.35))


def test_a_silent_word_gets_a_moment_between_its_neighbours() -> None:
    assert fill_and_order({0: (0.1, 0.4), 2: (0.5, 0.9)}, 3, 1.0) == [(0.1, 0.4), (0.4, 0.4), (0.5, 0.9)]


def test_without_any_sound_all_words_stand_at_the_start() -> None:
    assert fill_and_order({}, 2, 0.5) == [(0.0, 0.0), (0.0, 0.0)]


@given(
    st.dictionaries(st.integers(0, 20), st.tuples(st.floats(-1, 12), st.floats(-1, 12)), max_size=20),
    st.integers(0, 21),
    st.floats(0, 10),
)
def test_times_are_always_ordered_and_inside(
    spans: dict[int, tuple[float, float]], count: int, length_s: float
) -> None:
    found = fill_and_order(spans, count, length_s)
    assert len(found) == count
    flat = [0.0, *(at for span in found for at in span), length_s]
    assert flat == sorted(flat)
