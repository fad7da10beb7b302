from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgend.pipeline.aligner.map_words import Heard, map_words, spoken_length


def heard(text: str) -> list[Heard]:
    """One word a second."""
    return [Heard(text=word, start_s=float(i), end_s=i + 0.8, probability=0.9) for i, word in enumerate(text.split())]


def spans(script: str, recognised: str, length_s: float = 10.0) -> list[tuple[str, float, float, float]]:
    words = map_words(script.split(), heard(recognised), length_s)
    return [(word.text, word.start_s, word.end_s, word.confidence) for word in words]


def test_words_heard_as_written_take_their_times_and_keep_their_spelling() -> None:
    assert spans("“The Café’s open!”", "the cafes Open") == [
        ("“The", 0.0, 0.8, 0.9),
        ("Café’s", 1.0, 1.8, 0.9),
        ("open!”", 2.0, 2.8, 0.9),
    ]


def test_words_heard_as_other_words_share_the_stretch_by_length() -> None:
    found = spans("it cost two thousand dollars today", "it cost $2,000 today")
    assert found[1] == ("cost", 1.0, 1.8, 0.9)
    assert found[5] == ("today", 3.0, 3.8, 0.9)
    run = found[2:5]
    assert run[0][1] == 2.0
    assert run[-1][2] == pytest.approx(2.8)
    assert run[1][2] - run[1][1] > run[0][2] - run[0][1]
    assert all(one[3] == pytest.approx(0.45) for one in run)


def test_words_not_heard_at_all_share_the_gap_with_no_confidence() -> None:
    found = spans("one missing three", "one three")
    assert found[1] == ("missing", 0.8, 1.0, 0.0)


def test_words_heard_but_not_written_are_ignored() -> None:
    assert [one[0] for one in spans("one two", "um one er two thanks")] == ["one", "two"]


def test_with_nothing_heard_the_words_share_the_whole_sound() -> None:
    found = spans("one two", "", 3.0)
    assert found[0][1] == 0.0
    assert found[-1][2] == pytest.approx(3.0)


def test_no_words_give_no_words() -> None:
    assert map_words((), heard("a b"), 3.0) == ()


def test_overlapping_and_overrunning_times_are_put_in_order() -> None:
    raw = [Heard(text="a", start_s=0.0, end_s=2.0), Heard(text="b", start_s=1.5, end_s=9.0, probability=2.0)]
    found = map_words(("a", "b"), raw, 4.0)
    assert [(word.start_s, word.end_s, word.confidence) for word in found] == [(0.0, 2.0, 1.0), (2.0, 4.0, 1.0)]


def test_a_digit_takes_longer_to_say_than_a_letter_and_a_mark_hardly_anything() -> None:
    assert spoken_length("1999") > spoken_length("year")
    assert spoken_length("—") < spoken_length("a")


WORDS = st.text(alphabet="abcdeABC1$.,!’—é", min_size=1, max_size=6)
TIMES = st.floats(min_value=-1, max_value=25, allow_nan=False)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(WORDS, max_size=15),
    st.lists(st.tuples(WORDS, TIMES, TIMES, st.floats(-1, 2)), max_size=15),
    st.floats(min_value=0, max_value=20),
)
def test_times_are_always_ordered_and_inside_and_the_spelling_never_changes(
    script: list[str], recognised: list[tuple[str, float, float, float]], length_s: float
) -> None:
    raw = [Heard(text=text, start_s=a, end_s=b, probability=p) for text, a, b, p in recognised]
    found = map_words(script, raw, length_s)
    assert [word.text for word in found] == script
    flat = [0.0, *(at for word in found for at in (word.start_s, word.end_s)), length_s]
    for earlier, later in pairwise(flat):
        assert earlier <= later + 1e-9
    assert all(0 <= word.confidence <= 1 for word in found)
