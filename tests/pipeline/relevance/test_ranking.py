"""The order of candidates: the words decide, the rest between what fits about as well, and why is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vidgend.models import Candidate, Credit, MediaKind, Rendition
from vidgend.pipeline.relevance.port import FLOOR, Ranked, Wish, described
from vidgend.pipeline.relevance.ranking import NARRATION, explain, lab_of, rank


class Said:
    """A similarity that is told what fits what, by the described text; it records what it was asked."""

    name = identity = "said"
    label = None

    def __init__(self, **fits: float) -> None:
        self._fits = fits
        self.asked: list[tuple[list[str], list[str]]] = []

    async def compare(self, wanted: Sequence[str], described: Sequence[str]) -> list[list[float]]:
        self.asked.append((list(wanted), list(described)))
        return [[self._fits.get(text.split("\n")[0], 0.6) for text in described] for _ in wanted]

    async def aclose(self) -> None:
        pass


def candidate(
    description: str = "x", *, size: tuple[int, int] = (1920, 1080), duration_s: float | None = 20.0,
    kind: MediaKind = "video", rgb: str | None = None, tags: tuple[str, ...] = (), provider: str = "pexels",
) -> Candidate:  # fmt: skip
    file = Rendition(url="https://example.org/x.mp4", width_px=size[0], height_px=size[1], fps=25.0)
    return Candidate(
        provider=provider, id=description, kind=kind, description=description, renditions=(file,), tags=tags,
        duration_s=duration_s, credit=Credit(provider=provider), average_rgb=rgb,
    )  # fmt: skip


def wish(**other: object) -> Wish:
    return Wish(**{"queries": ("waves",), "narration": "", "width_px": 1920, "height_px": 1080, "need_s": 6.0, **other})  # type: ignore[arg-type]


async def order(found: Sequence[Candidate], similarity: Said | None = None, **wished: object) -> list[Ranked]:
    return list(await rank(similarity or Said(), wish(**wished), [("waves", one) for one in found]))


def names(ranked: Sequence[Ranked]) -> list[str]:
    return [one.candidate.description for one in ranked]


async def test_the_words_decide_whatever_else_speaks_for_another_one() -> None:
    poor = candidate("right", size=(640, 360), duration_s=3.0)
    ranked = await order([candidate("wrong"), poor], Said(right=0.9, wrong=0.3))
    assert names(ranked) == ["right", "wrong"]
    assert [one.fits for one in ranked] == [True, False]
    assert ranked[0].fit == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("better", "worse", "wished"),
    [
        (candidate("b"), candidate("w", kind="photo", duration_s=None), {}),
        (candidate("b"), candidate("w", size=(1080, 1920)), {}),
        (candidate("b", size=(1080, 1920)), candidate("w"), {"width_px": 1080, "height_px": 1920}),
        (candidate("b"), candidate("w", size=(960, 540)), {}),
        (candidate("b"), candidate("w", size=(8192, 4608)), {}),
        (candidate("b", duration_s=6.0), candidate("w", duration_s=4.0), {}),
        (candidate("b", rgb="#203050"), candidate("w", rgb="#f0d020"), {"beside_rgb": ("#203a5a", "#102040")}),
        (candidate("b"), candidate("w"), {"recent": {("pexels", "w"): 0.5}}),
    ],
    ids=["moves", "portrait", "landscape", "pixels", "waste", "length", "colour", "recent"],
)
async def test_what_decides_between_equals(better: Candidate, worse: Candidate, wished: dict[str, object]) -> None:
    found = [("sea", worse), ("waves", better)]  # each the first of its answer
    assert names(await rank(Said(), wish(**wished), found)) == ["b", "w"]


async def test_the_order_of_the_answer_decides_between_what_is_equal_in_all() -> None:
    assert names(await order([candidate("1st"), candidate("2nd"), candidate("3rd")])) == ["1st", "2nd", "3rd"]


async def test_what_is_not_known_is_not_held_against_a_candidate() -> None:
    unknown = candidate("unknown", duration_s=None, rgb="nonsense")
    bare = Candidate(provider="library", id="1", kind="video", description="bare", credit=Credit(provider="library"))
    ranked = await order([unknown, bare], beside_rgb=("#000000", "red"), need_s=0.0)
    assert all(points >= 0 for one in ranked for _, points in one.parts)


async def test_what_was_shown_in_the_last_video_gives_way_to_what_also_fits_but_not_to_what_does_not() -> None:
    shown, fitting, wrong = candidate("shown"), candidate("fitting"), candidate("wrong")
    similarity = Said(shown=0.9, fitting=0.75, wrong=0.4)
    recent = {("pexels", "shown"): 1.0}
    assert names(await order([shown, fitting, wrong], similarity, recent=recent)) == ["fitting", "shown", "wrong"]


async def test_a_candidate_that_two_searches_found_is_ranked_once_and_compared_once() -> None:
    similarity, one, other = Said(), candidate("one"), candidate("other")
    found = [("waves", one), ("sea", other), ("sea", one)]
    ranked = await rank(similarity, wish(queries=("waves", "sea")), found)
    assert names(ranked) == ["one", "other"]
    assert similarity.asked == [(["waves", "sea"], ["one", "other"])]


async def test_the_narration_and_what_the_video_is_about_are_looked_at_as_well() -> None:
    similarity = Said()
    await order([candidate("x")], similarity, narration="The crane waits.", about="Birds of the marsh")
    (wanted, _), = similarity.asked  # fmt: skip
    assert wanted == ["waves. Birds of the marsh", "The crane waits. Birds of the marsh"]


async def test_the_fit_is_the_best_search_and_the_narration_by_their_worth() -> None:
    class Rows(Said):
        async def compare(self, wanted: Sequence[str], described: Sequence[str]) -> list[list[float]]:
            return [[0.2], [0.8], [0.5]]

    (found,) = await order([candidate("x")], Rows(), queries=("rocks", "sea"), narration="Waves.")
    assert found.query == "sea"
    assert found.fit == pytest.approx(NARRATION * 0.5 + (1 - NARRATION) * 0.95 * 0.8)


async def test_without_words_or_candidates_nothing_breaks() -> None:
    assert await order([]) == []
    (found,) = await order([candidate("x")], queries=(), narration=" ")
    assert (found.fit, found.query, found.fits) == (0.0, "waves", False)


async def test_points_add_up_to_the_score_and_are_told_biggest_first() -> None:
    (found,) = await order([candidate("x", size=(1080, 1920), duration_s=3.0)], recent={("pexels", "x"): 1.0})
    assert found.score == pytest.approx(sum(points for _, points in found.parts), abs=1e-3)
    sizes = [abs(points) for _, points in found.parts]
    assert sizes == sorted(sizes, reverse=True)
    assert {"words", "it moves", "cut to the frame", "too few pixels", "too short", "shown lately"} <= dict(
        found.parts
    ).keys()


async def test_the_choice_is_explained_with_what_came_after_it() -> None:
    found = [candidate("waves on rocks"), candidate("a calm sea"), candidate("a boat"), candidate("a tree")]
    ranked = await order(found, Said(**{"waves on rocks": 0.82, "a calm sea": 0.61, "a boat": 0.4, "a tree": 0.1}))
    assert explain(ranked, by="embeddings") == (
        'pexels waves on rocks "waves on rocks" fits "waves" 0.82 (embeddings), it moves +0.03; '
        'second: pexels a calm sea "a calm sea" 0.61; third: pexels a boat "a boat" 0.40'
    )
    assert "below 0.5" in explain(ranked[2:], by="bm25")
    assert explain((), by="bm25") == "nothing was found"


async def test_what_providers_write_cannot_break_the_line() -> None:
    (found,) = await order([candidate("waves\n\x1b[31m\u202e" + "x" * 5000)])
    text = explain([found], by="bm25")
    assert text.isprintable()
    assert len(text) < 300


def test_a_description_is_cut_and_its_tags_are_a_line_of_their_own() -> None:
    text = described(candidate("a\nlong\ttitle " * 100, tags=("sea\nside", "waves")))
    title, tags = text.split("\n")
    assert (len(title), tags) == (400, "sea side waves")


def test_colours_lie_in_lab_where_the_tables_say() -> None:
    assert lab_of("#ffffff") == pytest.approx((100, 0, 0), abs=0.05)
    assert lab_of("#ff0000") == pytest.approx((53.24, 80.09, 67.20), abs=0.05)
    assert lab_of("#000000") == pytest.approx((0, 0, 0), abs=0.05)


def test_the_floor_is_in_the_middle() -> None:
    assert FLOOR == 0.5
