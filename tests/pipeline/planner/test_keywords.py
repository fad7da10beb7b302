"""Searches: concrete, short, best first."""

from __future__ import annotations

import pytest

from vidgend.pipeline.planner.keywords import LAST_RESORT, main_phrases, queries_for


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("A beautiful sunset over the ocean", "sunset ocean"),
        ("with waves crashing on the beach", "waves crashing beach"),
        ("The Eiffel Tower was built in 1889.", "Eiffel Tower"),
        ("a day in the life of a firefighter in New York City", "firefighter New York City"),
        ("How photosynthesis works", "photosynthesis"),
        ("Bees really quickly make incredible honey", "Bees honey"),
    ],
)
def test_the_best_search_is_what_a_camera_can_see(text: str, best: str) -> None:
    assert queries_for(text, language="en")[0] == best


def test_stop_words_are_those_of_the_texts_language() -> None:
    assert queries_for("Die alte Mühle steht am Fluss", language="de")[0] == "alte Mühle steht Fluss"
    assert queries_for("Les villages de la France", language="fr")[0] == "villages France"


def test_japanese_searches_are_its_kanji_words() -> None:
    assert queries_for("美しい海に沈む夕日、波が浜辺に打ち寄せる", language="ja")[0] == "夕日 浜辺"


def test_the_fallback_is_the_last_search_of_a_full_list() -> None:
    queries = queries_for("Grey whales breach near small boats", language="en", fallback=("ocean",))
    assert len(queries) == 3
    assert queries[-1] == "ocean"


def test_a_text_that_shows_nothing_uses_the_fallback() -> None:
    assert queries_for("And so it goes on.", language="en", fallback=("honey", "bees")) == ("honey", "bees")


def test_a_text_without_words_still_has_a_search() -> None:
    assert queries_for("...", language="en") == (LAST_RESORT,)


def test_the_callers_search_leads() -> None:
    assert queries_for("A red car", language="en", first="paris")[0] == "paris"


def test_searches_are_short_and_distinct() -> None:
    for query in queries_for("Extraordinary " + "bioluminescent jellyfish plankton octopus squid " * 9, language="en"):
        assert len(query.split()) <= 4
        assert len(query) <= 80


def test_an_endless_word_is_cut_to_a_search() -> None:
    assert queries_for("the " + "x" * 300, language="en") == ("x" * 80,)


def test_a_text_is_about_what_it_names_most_often() -> None:
    text = "Honey lasts. Archaeologists dug up honey in Egyptian tombs. Bacteria hate honey."
    assert main_phrases(text, language="en")[0].casefold() == "honey"
