"""The labelled scenes: enough of them, as providers answer, and the shipped choice is clearly better than the first hit.

What is asserted is the half `test`; weights and floors were chosen on the half `dev` alone.
"""

from __future__ import annotations

from collections import Counter

import pytest

from bench.relevance import Figures, as_answered, at_random, measured, rankings
from bench.relevance.scenes import LabelledScene, labelled_scenes
from vidgend.pipeline.relevance.bm25 import Bm25Similarity
from vidgend.pipeline.relevance.embeddings import EmbeddingSimilarity
from vidgend.pipeline.relevance.model_files import LocalEmbeddings
from vidgend.pipeline.relevance.port import TextSimilarity

SCENES = labelled_scenes()
TEST = [scene for scene in SCENES if scene.half == "test"]


async def figures_of(similarity: TextSimilarity, scenes: list[LabelledScene]) -> Figures:
    found = measured(await rankings(scenes, similarity))
    await similarity.aclose()
    return found


def test_there_are_enough_scenes_of_enough_subjects() -> None:
    kinds = Counter(scene.kind for scene in SCENES)
    assert kinds["plain"] + kinds["trap"] >= 60
    assert kinds["none"] >= 10
    assert len({scene.subject for scene in SCENES}) >= 20
    assert {scene.language for scene in SCENES} == {"en", "es", "fr", "de"}
    assert not {s.subject for s in SCENES if s.half == "dev"} & {s.subject for s in TEST}, (
        "no subject is in both halves"
    )


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.wish.narration[:40])
def test_each_scene_has_candidates_that_fit_and_some_that_do_not(scene: LabelledScene) -> None:
    ids = {candidate.id for candidate in scene.candidates}
    assert 8 <= len(scene.candidates) == len(ids) <= 15
    assert scene.fits < ids
    assert bool(scene.fits) == (scene.kind != "none")
    assert scene.wish.queries
    assert all(
        candidate.description and candidate.renditions and candidate.duration_s for candidate in scene.candidates
    )


def test_a_blind_choice_is_computed_exactly() -> None:
    scene = next(scene for scene in SCENES if len(scene.candidates) == 8 and len(scene.fits) == 2)
    found = at_random([scene])
    # Of the 28 pairs of places, 8 - first have the first one at `first`.
    assert found.top1 == pytest.approx(2 / 8)
    assert found.mrr == pytest.approx(sum((8 - first) / 28 / first for first in range(1, 8)))


async def test_words_alone_choose_better_than_the_first_hit() -> None:
    first, found = as_answered(TEST), await figures_of(Bm25Similarity(), TEST)
    assert found.top1 >= first.top1 + 0.08
    assert found.mrr >= first.mrr + 0.05
    assert found.top1 >= at_random(TEST).top1 + 0.3


async def test_other_names_for_the_same_things_help() -> None:
    literal = await figures_of(Bm25Similarity(synonyms=False), SCENES)
    assert (await figures_of(Bm25Similarity(), SCENES)).top1 > literal.top1


async def test_below_the_floor_lies_what_does_not_fit_more_often_than_what_does() -> None:
    found = await figures_of(Bm25Similarity(), TEST)
    assert found.false_reject <= 0.2
    assert found.false_accept <= 0.5
    assert found.nothing <= 0.2


async def test_the_model_chooses_much_better_than_the_first_hit(real_model: LocalEmbeddings) -> None:
    first, found = as_answered(TEST), await figures_of(EmbeddingSimilarity(real_model), TEST)
    assert found.top1 >= first.top1 + 0.25
    assert found.mrr >= first.mrr + 0.18
