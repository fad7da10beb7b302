"""What a person may choose from for each scene, over the real search and fetch steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from clip_search import clip_files, footage, found, open_search, scenes

from vidgend.models import Brief, Choice, Scene, Storyboard
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.generated import GeneratedFootage
from vidgend.pipeline.footage_search import FootageSearch, Offer


@pytest.fixture(scope="module")
def files(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return clip_files(ffmpeg.path, tmp_path_factory.mktemp("clips"))


def shown(made: list[Scene]) -> list[str]:
    """The candidates of each scene, by letter; the first is the one that it has."""
    for scene in made:
        assert scene.clip is not None and scene.clip.id == scene.candidates[0].id
        assert len({(one.provider, one.id) for one in scene.candidates}) == len(scene.candidates)
    return ["".join(one.id for one in scene.candidates) for scene in made]


@pytest.mark.parametrize("review", [True, False])
async def test_every_scene_has_its_own_clip_first_and_then_what_no_other_scene_shows(
    tmp_path: Path, files: dict[str, Path], review: bool
) -> None:
    fake = footage(files, sea="abcdefgh")
    made = shown(await found(tmp_path, scenes("sea", "sea", "sea"), fake, review=review))
    if review:  # all scenes have chosen before anything else is offered
        assert made == ["adefg", "bdefg", "cdefg"]
    assert [names[0] for names in made] == ["a", "b", "c"] and all(len(names) == 5 for names in made)
    assert len(fake.queries) == 1


async def test_more_is_searched_for_a_review_alone(tmp_path: Path, files: dict[str, Path]) -> None:
    asked = footage(files, sea="ab", wave="bcdefghi")
    assert shown(await found(tmp_path / "1", scenes("sea wave"), asked)) == ["abcde"]
    assert [query.text for query in asked.queries] == ["sea", "wave"]
    spared = footage(files, sea="ab", wave="bcdefghi")
    assert shown(await found(tmp_path / "2", scenes("sea wave"), spared, review=False)) == ["ab"]
    assert [query.text for query in spared.queries] == ["sea"]


async def test_what_other_scenes_show_is_offered_only_where_there_is_nothing_else(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    made = await found(tmp_path, scenes("sea", "sea", "sea"), footage(files, sea="abc"))
    assert [sorted(names) for names in shown(made)] == [["a", "b", "c"]] * 3


async def test_what_was_refused_or_cannot_be_fetched_is_not_offered(tmp_path: Path, files: dict[str, Path]) -> None:
    wanted = scenes("sea", refused=(("fake", "c"),))
    assert shown(await found(tmp_path, wanted, footage(files, sea="abcdef", bad="a"))) == ["bdef"]


@pytest.mark.parametrize("review", [True, False])
async def test_paintings_fill_up_to_three_without_an_end(tmp_path: Path, files: dict[str, Path], review: bool) -> None:
    made = await found(tmp_path, scenes("rain", "rain"), footage(files, rain="a"), GeneratedFootage(), review=review)
    assert all(3 <= len(scene.candidates) <= 5 for scene in made)
    assert [one.provider for one in made[0].candidates][:3] == ["fake", "generated", "generated"]
    second = made[1].candidates[0]
    assert second.provider == "generated" and made[1].clip is not None and made[1].clip.id == second.id
    if review:
        assert second not in made[0].candidates


async def test_a_picture_that_a_person_chose_comes_first_and_the_others_stay(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    (before,) = await found(tmp_path / "1", scenes("sea"), footage(files, sea="abcd"))
    chosen = replace(before, clip=None, choice=Choice(candidate=before.candidates[2]))
    (after,) = await found(tmp_path / "2", (chosen,), footage(files, sea="abcd"), review=False)
    assert shown([before, after]) == ["abcd", "cabd"]


async def test_the_address_of_a_preview_says_nothing_about_the_file(tmp_path: Path, files: dict[str, Path]) -> None:
    """A clip that is fetched is not fetched again because its picture has moved."""
    first = footage(files, sea="a")
    async with open_search(tmp_path, first) as (run, _):
        for url in ("https://x.example/1.jpeg", "https://x.example/2.jpeg"):
            board = Storyboard(title="", language="", planner="", stretch=False, fps="30", scenes=())
            footage_search = FootageSearch(run, Brief(prompt="p"), board)
            (found,) = await footage_search.search(first, None, "sea")
            offer = Offer(provider=first, query="sea", candidate=replace(found, preview_url=url))
            await footage_search.fetch(offer, 0)
    assert first.fetched == ["a"]
