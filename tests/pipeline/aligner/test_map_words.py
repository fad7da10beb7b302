from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgend.pipeline.aligner.map_words import Heard, map_words, spoken_length
from vidgend.pipeline.speech.speakable import speakable


def heard(text: str) -> list[Heard]:
    """One word a second."""
    return [Heard(text=word, start_s=float(i), end_s=i + 0.8, probability=0.9) for i, word in enumerate(text.split())]


def spans(script: str, recognised: str, length_s: float = 10.0) -> list[tuple[str, float, float, float]]:
    words = map_words(script.split(), heard(recognised), length_s, language="en")
    return [(word.text, word.start_s, word.end_s, word.confidence) for word in words]


def test_words_heard_as_written_take_their_times_and_keep_their_spelling() -> None:
    assert spans("“The Café’s open!”", "the cafes Open") == [
        ("“The", 0.0, 0.8, 0.9),
        ("Café’s", 1.0, 1.8, 0.9),
        ("open!”", 2.0, 2.8, 0.9),
    ]


def test_a_number_is_the_words_that_are_said_for_it_whoever_wrote_it_how() -> None:
    (_, _, price, _) = spans("it cost $2,000 today", "it cost two thousand dollars today")
    assert price == ("$2,000", 2.0, 4.8, pytest.approx(0.9))
    found = spans("it cost two thousand dollars today", "it cost $2,000 today")
    assert found[1] == ("cost", 1.0, 1.8, 0.9)
    assert found[5] == ("today", 3.0, 3.8, 0.9)
    run = found[2:5]
    assert run[0][1] == 2.0
    assert run[-1][2] == pytest.approx(2.8)
    assert run[1][2] - run[1][1] > run[0][2] - run[0][1]
    assert all(one[3] == pytest.approx(0.9) for one in run)


def test_words_that_were_joined_or_parted_have_their_own_times() -> None:
    found = spans("out of the sea", "out ofthe sea")
    assert [round(one[1], 2) for one in found] == [0.0, 1.0, 1.32, 2.0]
    assert [round(one[2], 2) for one in found] == [0.8, 1.32, 1.8, 2.8]
    assert spans("a nanotube here", "a nano tube here")[1] == ("nanotube", 1.0, 2.8, pytest.approx(0.9))


def test_a_word_that_was_misheard_has_its_place_and_less_confidence() -> None:
    found = spans("clay pots were found", "clay parts were found")
    assert found[1][:3] == ("pots", 1.0, 1.8)
    assert 0.4 < found[1][3] < 0.9
    assert found[2] == ("were", 2.0, 2.8, 0.9)


def test_words_that_come_again_and_again_stay_in_their_order() -> None:
    found = spans("of the of the people by the the people", "of the of the people by the the people")
    assert [one[1] for one in found] == [float(number) for number in range(9)]


def test_an_emoji_lasts_no_time_and_is_no_doubt() -> None:
    assert spans("deep 🌊 sea", "deep sea") == [
        ("deep", 0.0, 0.8, 0.9), ("🌊", 0.8, 0.8, 1.0), ("sea", 1.0, 1.8, 0.9),
    ]  # fmt: skip


def test_a_text_without_spaces_is_one_word_as_long_as_what_was_heard() -> None:
    found = map_words(("東京は大きい",), heard("東京 は 大きい"), 5.0, language="ja")
    assert (found[0].start_s, found[0].end_s) == (0.0, 2.8)


def test_the_words_around_a_pause_are_tied_to_it() -> None:
    words = [Heard(text="one", start_s=0.0, end_s=1.1), Heard(text="two", start_s=1.1, end_s=2.0)]
    found = map_words(("one,", "two"), words, 2.2, language="en", pauses=[(0.0, 0.05), (0.8, 1.2), (2.1, 2.2)])
    assert [(word.start_s, word.end_s) for word in found] == [(0.05, 0.8), (1.2, 2.1)]


HARD = Path(__file__).parents[3].joinpath("bench", "hard_sentences.txt").read_text(encoding="utf-8").split()
EASY = Path(__file__).parents[3].joinpath("bench", "sentences.txt").read_text(encoding="utf-8").split()


@pytest.mark.parametrize("script", [HARD, EASY], ids=["hard", "easy"])
@pytest.mark.parametrize("seed", range(6))
def test_a_recogniser_that_mishears_a_fifth_of_the_words_changes_no_spelling(seed: int, script: list[str]) -> None:
    rng = random.Random(seed)
    said = [text for one in speakable(script) for text in one.text.split()]
    recognised: list[Heard] = []
    for number, text in enumerate(said):
        kind = rng.choice(["other", "lost", "joined", "parted"]) if rng.random() < 0.2 else ""
        one = Heard(text=text, start_s=float(number), end_s=number + 0.9, probability=0.9)
        if kind == "other":
            recognised.append(replace(one, text=rng.choice(["um", "wave", "tea", text[::-1]])))
        elif kind == "joined" and recognised:
            recognised[-1] = replace(recognised[-1], text=recognised[-1].text + text, end_s=one.end_s)
        elif kind == "parted" and len(text) > 3:
            recognised.append(replace(one, text=text[:2], end_s=number + 0.4))
            recognised.append(replace(one, text=text[2:], start_s=number + 0.4))
        elif kind != "lost":
            recognised.append(one)
    found = map_words(script, recognised, float(len(said)), language="en")
    assert [word.text for word in found] == script
    first = {}
    for number, owner in enumerate(index for index, one in enumerate(speakable(script)) for _ in one.text.split()):
        first.setdefault(owner, float(number))
    errors = sorted(abs(found[owner].start_s - start_s) for owner, start_s in first.items())
    assert errors[len(errors) // 2] < 0.1, "seconds, where a word takes one"
    assert errors[len(errors) * 9 // 10] < 1.5


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
    assert map_words((), heard("a b"), 3.0, language="en") == ()


def test_overlapping_and_overrunning_times_are_put_in_order() -> None:
    raw = [Heard(text="a", start_s=0.0, end_s=2.0), Heard(text="b", start_s=1.5, end_s=9.0, probability=2.0)]
    found = map_words(("a", "b"), raw, 4.0, language="en")
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
    st.booleans(),
    st.lists(st.floats(min_value=0, max_value=20), min_size=4, max_size=10),
)
def test_times_are_always_ordered_and_inside_and_the_spelling_never_changes(
    script: list[str],
    recognised: list[tuple[str, float, float, float]],
    length_s: float,
    english: bool,
    edges: list[float],
) -> None:
    raw = [Heard(text=text, start_s=a, end_s=b, probability=p) for text, a, b, p in recognised]
    places = sorted(min(edge, length_s) for edge in edges)
    pauses = list(zip(places[::2], places[1::2], strict=False))
    found = map_words(script, raw, length_s, language="en" if english else "xx", pauses=pauses)
    assert [word.text for word in found] == script
    flat = [0.0, *(at for word in found for at in (word.start_s, word.end_s)), length_s]
    for earlier, later in pairwise(flat):
        assert earlier <= later + 1e-9
    assert all(0 <= word.confidence <= 1 for word in found)
