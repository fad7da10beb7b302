from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgend.pipeline.aligner.arpabet import arpabet
from vidgend.pipeline.aligner.forced_child import Pronunciations
from vidgend.pipeline.aligner.onsets import tied
from vidgend.pipeline.speech.english import EnglishPhonemes

PHONES = frozenset(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()
)
"""Those of CMUdict."""


@pytest.mark.parametrize(
    ("phonemes", "phones"),
    [
        ("kjˈubɛkᵊl", "K Y UW B EH K AH L"),
        ("ʧˈɜɹʧ", "CH ER CH"),
        ("bˈʌTəɹ", "B AH T ER"),
        ("vˈɪʒən", "V IH ZH AH N"),
        ("bˈY hˈWs", "B OY HH AW S"),
        ("ˈ—", ""),
    ],
)
def test_phonemes_become_arpabet(phonemes: str, phones: str) -> None:
    assert arpabet(phonemes) == phones


def test_all_that_english_phonemes_are_made_of_has_a_phone() -> None:
    phonemise = EnglishPhonemes()
    text = "The quick brown fox, joyous measures of whey, thing this chair judge; Nguyen vexed Zoe’s oily hour bottle"
    for group in phonemise(text):
        symbols = [symbol for symbol in group if symbol not in "ˈˌː,.;!?—’"]
        assert set(arpabet(group).split()) <= PHONES
        assert len(arpabet(group).split()) + group.count("əɹ") + group.count("ɜɹ") == len(symbols), group


def test_words_are_taught_once_and_what_is_not_said_is_left_out() -> None:
    taught: list[tuple[str, str]] = []
    known = {"the", "sea", "two", "thousand", "dollars"}
    read = Pronunciations(known.__contains__, lambda name, phones: taught.append((name, phones)))
    words = ["“The", "kubectl", "🌊", "sea!”", "$2,000", "Kubectl,"]
    assert read(words) == [
        ("the", 0), ("_0_", 1), ("sea", 3), ("two", 4), ("thousand", 4), ("dollars", 4), ("_0_", 5),
    ]  # fmt: skip
    assert taught == [("_0_", "K Y UW B EH K AH L")]


def test_words_around_a_pause_take_its_edges() -> None:
    spans = {0: (0.0, 0.5), 1: (0.5, 1.2), 3: (1.2, 2.0)}
    assert tied(spans, [(0.0, 0.06), (1.1, 1.4), (1.9, 2.2)]) == {0: (0.06, 0.5), 1: (0.5, 1.1), 3: (1.4, 1.9)}


def test_a_pause_inside_a_word_moves_nothing() -> None:
    spans = {0: (0.0, 0.5), 1: (0.5, 1.5), 2: (1.5, 2.0)}
    assert tied(spans, [(0.0, 0.0), (0.9, 1.05), (2.0, 2.0)]) == spans


def test_of_two_places_near_a_pause_the_nearer_one_is_its() -> None:
    spans = {0: (0.0, 0.9), 1: (0.9, 1.1), 2: (1.1, 2.0)}
    assert tied(spans, [(0.0, 0.0), (0.75, 0.92), (2.0, 2.0)])[1][0] == 0.92


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.floats(0, 20), st.floats(0, 20)), max_size=10),
    st.lists(st.floats(0, 20), min_size=4, max_size=12),
)
def test_tied_spans_never_end_before_they_start(raw: list[tuple[int, float, float]], edges: list[float]) -> None:
    places = sorted(edges)
    spans = {word: (min(a, b), max(a, b)) for word, a, b in raw}
    found = tied(spans, list(zip(places[::2], places[1::2], strict=False)))
    assert found.keys() == spans.keys()
    assert all(start_s <= end_s for start_s, end_s in found.values())
    assert all(earlier < later for earlier, later in pairwise(found))
