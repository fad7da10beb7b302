"""Words against words: what counts, what counts more, and that one candidate alone gets a sensible number."""

from __future__ import annotations

import pytest

from vidgend.pipeline.relevance.bm25 import Bm25Similarity
from vidgend.pipeline.relevance.port import FLOOR
from vidgend.pipeline.relevance.related import DATA, related


async def compare(wanted: str, *described: str, synonyms: bool = True) -> list[float]:
    return (await Bm25Similarity(synonyms=synonyms).compare([wanted], described))[0]


async def test_numbers_are_between_nothing_and_the_same() -> None:
    same, half, nothing = await compare(
        "lighthouse on a rocky island", "lighthouse on a rocky island", "an island", "office desk"
    )
    assert 1 > same > FLOOR > half > nothing == 0


async def test_one_candidate_alone_is_told_to_fit_or_not() -> None:
    assert (await compare("waves on rocks at sunset", "ocean waves crashing on rocks"))[0] >= FLOOR
    assert (await compare("waves on rocks at sunset", "a woman waving at the camera"))[0] < FLOOR


async def test_one_shared_word_is_not_enough_since_it_may_mean_another_thing() -> None:
    assert (await compare("bank of a river", "bank building in the financial district"))[0] < FLOOR


async def test_a_word_that_all_candidates_share_says_less_than_one_that_few_have() -> None:
    crane, fish, *_ = await compare("crane fish", "a crane", "a fish", *["tower crane"] * 8)
    assert fish > crane


async def test_words_that_every_description_may_have_say_little() -> None:
    generic, specific = await compare("woman kneading", "a woman", "kneading")
    assert specific > 1.3 * generic


@pytest.mark.parametrize(
    ("wanted", "described"),
    [("dog", "puppy on a bench"), ("ocean", "the sea at night"), ("car", "an automobile"), ("bakes bread", "a baker")],
)
async def test_other_names_for_the_same_thing_count(wanted: str, described: str) -> None:
    literal, near = [await compare(wanted, described, synonyms=on) for on in (False, True)]
    assert (literal, near[0] > 0) == ([0.0], True)


async def test_the_very_word_counts_more_than_another_name_for_it() -> None:
    same, other = await compare("ocean", "ocean", "sea")
    assert same > other


async def test_the_title_counts_more_than_the_tags_and_those_more_than_the_folder() -> None:
    title, tags, folder = await compare("sunset", "sunset\nx", "x\nsunset", "x\ny\nsunset")
    assert title > tags > folder > 0


async def test_nothing_to_compare_is_no_error() -> None:
    similarity = Bm25Similarity()
    assert await similarity.compare([], ["a"]) == []
    assert await similarity.compare(["a"], []) == [[]]
    assert await similarity.compare(["", "…"], ["", "dog"]) == [[0.0, 0.0], [0.0, 0.0]]


def test_the_table_of_words_is_small_and_carries_its_licence() -> None:
    text = DATA.read_text(encoding="ascii")
    assert len(text) < 300_000
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in text
    assert "ALL copies of the software" in text


def test_words_stand_for_each_other_in_the_right_direction() -> None:
    table = related()
    assert table["bird"]["penguin"] > table["penguin"]["bird"] > 0, "a penguin is a bird, not every bird is a penguin"
    assert all(0 < worth < 1 for others in table.values() for worth in others.values())
    assert not any(word in others for word, others in table.items())
