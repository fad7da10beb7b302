"""Which clip a scene shows, what is asked for it, and what is said about it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from clip_search import candidate, clip_files, finder_for, footage, found, open_search, scenes, search

from vidgend.errors import MediaUnreadable, ProviderRateLimited, ProviderUnauthorized, StepTimeout
from vidgend.models import Scene
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.footage.generated import GeneratedFootage
from vidgend.pipeline.footage.offline import OfflineFootage
from vidgend.pipeline.relevance.fake import FakeSimilarity


@pytest.fixture(scope="module")
def files(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return clip_files(ffmpeg.path, tmp_path_factory.mktemp("clips"))


def fits(table: Mapping[str, float]) -> FakeSimilarity:
    """How well a search is met by a clip, as `search clip`, 0 where nothing is said."""
    return FakeSimilarity(lambda wanted, described: table.get(f"{wanted} {described.strip()}", 0.0))


def chosen(made: list[Scene]) -> str:
    return "".join(scene.clip.id for scene in made if scene.clip is not None)


def asked(provider: FakeFootage) -> list[str]:
    return [query.text for query in provider.queries]


async def test_the_clip_that_fits_best_is_taken_whichever_place_the_provider_gave_it(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    fake = footage(files, sea="abc")
    (scene,) = await found(tmp_path, scenes("sea"), fake, similarity=fits({"sea b": 0.9, "sea c": 0.8}))
    assert scene.clip is not None and scene.clip.id == "b"
    assert [(one.id, one.fit) for one in scene.ranking] == [("b", 0.9), ("c", 0.8), ("a", 0.0)]
    assert "b" in scene.why and "0.9" in scene.why


async def test_the_best_of_all_providers_is_taken_and_who_is_not_needed_is_not_asked(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    first, second = footage(files, name="first", sea="a", reef="d"), footage(files, name="second", sea="b", reef="e")
    made = await found(
        tmp_path, scenes("sea", "reef"), first, second, review=False,
        similarity=fits({"sea a": 0.55, "sea b": 0.8, "reef d": 0.9}),
    )  # fmt: skip
    assert chosen(made) == "bd"
    assert sorted(asked(first)) == ["reef", "sea"] and asked(second) == ["sea"], "reef d is good enough"


async def test_searches_widen_step_by_step_until_something_fits(tmp_path: Path, files: dict[str, Path]) -> None:
    fake = footage(files, **{"sea": "a", "wave": "b", "beach": "c"})
    (scene,) = await found(
        tmp_path, scenes("sea wave beach"), fake, review=False, similarity=fits({"wave b": 0.6, "beach c": 1.0})
    )
    assert scene.clip is not None and scene.clip.id == "b" and scene.clip.query == "wave"
    assert asked(fake) == ["sea", "wave"]


async def test_photos_are_asked_for_only_where_no_video_fits(tmp_path: Path, files: dict[str, Path]) -> None:
    class Both(FakeFootage):
        kinds = ("video", "photo")

    both = Both({"sea": (candidate("a"),), "reef": (candidate("b"),)}, files)
    both.kinds = ("video", "photo")
    await found(tmp_path, scenes("sea", "reef"), both, review=False, similarity=fits({"sea a": 0.9}))
    assert sorted((query.text, query.kind) for query in both.queries) == [
        ("reef", "photo"), ("reef", "video"), ("sea", "video")
    ]  # fmt: skip


async def test_the_mood_is_searched_only_where_nothing_at_all_was_found(tmp_path: Path, files: dict[str, Path]) -> None:
    fake = footage(files, reef="a", **{"people smiling outdoors": "b"})
    made = await found(tmp_path, scenes("reef", "zzz"), fake, review=False, mood="happy", similarity=fits({}))
    assert chosen(made) == "ab"
    assert asked(fake).count("people smiling outdoors") == 1


async def test_the_scene_with_the_fewest_fitting_clips_chooses_first(tmp_path: Path, files: dict[str, Path]) -> None:
    fake = footage(files, sea="ab", reef="a")
    table = {"sea a": 0.9, "sea b": 0.8, "reef a": 0.8}
    assert chosen(await found(tmp_path, scenes("sea", "reef"), fake, similarity=fits(table))) == "ba"


async def test_no_clip_is_shown_twice_while_a_wider_search_has_another(tmp_path: Path, files: dict[str, Path]) -> None:
    fake = footage(files, sea="a", wave="b")
    table = {"sea a": 0.9, "wave a": 0.6, "wave b": 0.7, "sea b": 0.6}
    assert chosen(await found(tmp_path, scenes("sea wave", "sea wave"), fake, similarity=fits(table))) == "ab"


async def test_clips_that_look_alike_are_one_clip(tmp_path: Path, files: dict[str, Path]) -> None:
    twins = {**files, "b": files["a"]}
    fake = FakeFootage({"sea": tuple(candidate(name) for name in "abc")}, twins)
    made = await found(tmp_path / "1", scenes("sea", "sea"), fake)
    assert chosen(made) == "ac" and len(fake.fetched) == 3
    few = FakeFootage({"sea": tuple(candidate(name) for name in "ab")}, twins)
    async with open_search(tmp_path / "2", few) as (run, assets):
        assert chosen(await search(run, assets, scenes("sea", "sea"), few)) == "ab", "there is nothing else"
        (entry,) = run.substitutions
    assert entry.wanted == "a clip of its own" and "looks like the clip of scene 1" in entry.reason


async def test_the_clip_that_has_to_do_gives_way_to_what_was_offered_after_it(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    fake = FakeFootage({"sea": tuple(candidate(name) for name in "abc")}, {**files, "b": files["a"]})
    similarity = fits({"sea a": 0.9, "sea b": 0.8, "sea c": 0.3})
    async with open_search(tmp_path, fake) as (run, assets):
        finder = finder_for(run, assets, scenes("sea", "sea"), fake, similarity=similarity)
        async with asyncio.TaskGroup() as group:
            tasks = await finder.find(group)
        made = [task.result() for task in tasks]
        assert chosen(made) == "ab" and run.substitutions[-1].wanted == "a clip of its own"
        again = await finder.replace_clip(made[1], MediaUnreadable("it cannot be decoded"))
        await finder.aclose()
        assert chosen([again]) == "c" and run.substitutions[-1].wanted == "a clip that fits"


async def test_what_recent_videos_showed_comes_after_what_fits_as_well(tmp_path: Path, files: dict[str, Path]) -> None:
    fake = footage(files, sea="ab")
    table = {"sea a": 0.72, "sea b": 0.71}
    for recent, first in (({}, "a"), ({("fake", "a"): 1.0}, "b")):
        made = await found(tmp_path / first, scenes("sea"), fake, similarity=fits(table), recent=recent)
        assert chosen(made) == first


async def test_where_nothing_fits_a_painting_that_does_is_shown_and_the_reason_is_told(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    providers = (footage(files, ocean="a"), GeneratedFootage())
    table = FakeSimilarity(lambda _, described: 0.3 if described == "a" else 0.8 if "ocean" in described else 0.0)
    async with open_search(tmp_path, *providers) as (run, assets):
        made = await search(run, assets, scenes("ocean"), *providers, similarity=table)
        assert made[0].clip is not None and made[0].clip.provider == "generated"
        assert "ocean" in made[0].clip.description and "0.80" in made[0].why
        (entry,) = run.substitutions
        assert entry.used == "a painted background" and "nothing fits, at best 'a' (0.30)" in entry.reason


async def test_what_fits_badly_is_shown_and_flagged_where_no_painting_fits_better(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    fake = footage(files, dentist="ab")
    providers = (fake, GeneratedFootage())
    async with open_search(tmp_path, *providers) as (run, assets):
        made = await search(run, assets, scenes("dentist"), *providers, similarity=fits({"dentist b": 0.4}))
        assert chosen(made) == "b"
        (entry,) = run.substitutions
        assert (entry.scene, entry.wanted) == (1, "a clip that fits") and "0.40" in entry.reason


async def test_a_provider_that_is_out_of_order_is_told_once_and_the_next_one_serves(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    down = FakeFootage(name="down", error=ProviderUnauthorized("down refused the key"))
    fake = footage(files, sea="ab", reef="cd")
    async with open_search(tmp_path, down, fake) as (run, assets):
        made = await search(run, assets, scenes("sea", "reef"), down, fake)
        assert [scene.clip.provider for scene in made if scene.clip] == ["fake", "fake"]
        assert {(entry.scene, entry.reason) for entry in run.substitutions} == {(None, "down: down refused the key")}


async def test_a_quota_that_is_used_up_makes_the_job_wait_where_nobody_else_can_serve(tmp_path: Path) -> None:
    down = FakeFootage(name="down", error=ProviderRateLimited("no more until 12:00", retry_after_s=3000))
    with pytest.raises(ExceptionGroup) as caught:
        await found(tmp_path, scenes("sea"), down)
    (error,) = caught.value.exceptions
    assert isinstance(error, ProviderRateLimited) and "until 12:00" in error.detail
    assert error.retryable and error.retry_after_s == 3000


async def test_offline_what_was_found_before_serves_at_any_age_and_nobody_is_asked(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    fake = footage(files, sea="ab")
    offline = OfflineFootage(fake)
    async with open_search(tmp_path, fake) as (run, assets):
        before = await search(run, assets, scenes("sea"), fake, review=False)
    fake.error = ProviderUnauthorized("nobody must be asked")
    async with open_search(tmp_path, offline, clock=lambda: time.time() + 30 * 86_400) as (run, assets):
        after = await search(run, assets, scenes("sea"), offline, review=False)
        assert chosen(after) == chosen(before) and len(fake.queries) == 1 and len(fake.fetched) == 1
        with pytest.raises(ExceptionGroup) as caught:
            await search(run, assets, scenes("reef"), offline, review=False)
    assert "was not prefetched" in str(caught.value.exceptions[0])


async def test_offline_a_search_that_is_missing_costs_no_other_scene_its_clip(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    fake = footage(files, sea="ab")
    async with open_search(tmp_path, fake) as (run, assets):
        await search(run, assets, scenes("sea"), fake, review=False)
    providers = (OfflineFootage(fake), GeneratedFootage())
    async with open_search(tmp_path, *providers) as (run, assets):
        made = await search(run, assets, scenes("reef", "sea"), *providers, review=False)
        assert [scene.clip.provider for scene in made if scene.clip] == ["generated", "fake"]
        (entry,) = run.substitutions
        assert entry.scene == 1 and "'reef' was not prefetched" in entry.reason


async def test_many_paintings_of_one_theme_are_found_without_a_look_at_all_of_them_each_time(tmp_path: Path) -> None:
    painter = GeneratedFootage()
    for theme in ("sea", "dentist"):
        async with open_search(tmp_path / theme, painter) as (run, assets):
            made = await search(run, assets, scenes(*[theme] * 60), painter, review=False)
            assert len({scene.clip.id for scene in made if scene.clip}) == 60
            assert run.steps_run + run.steps_reused <= 60 * 8


async def test_where_all_that_was_found_is_refused_the_mood_is_searched(tmp_path: Path, files: dict[str, Path]) -> None:
    fake = FakeFootage({"sea": (candidate("a"),), "calm nature landscape": (candidate("b"),)}, files)
    made = await found(tmp_path, scenes("sea", refused=(("fake", "a"),)), fake, mood="calm")
    assert chosen(made) == "b"


async def test_a_service_that_is_silent_is_not_waited_for_again_where_earlier_answers_are_here(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    fake = footage(files, sea="a", reef="b")
    similarity = fits({"reef b": 1.0})
    async with open_search(tmp_path, fake) as (run, assets):
        before = await search(run, assets, scenes("sea reef"), fake, review=False, similarity=similarity)
    assert asked(fake) == ["sea", "reef"]
    fake.error, in_two_days = StepTimeout("no answer in 20 s"), time.time() + 2 * 86_400
    async with open_search(tmp_path, fake, clock=lambda: in_two_days) as (run, assets):
        after = await search(run, assets, scenes("sea reef"), fake, review=False, similarity=similarity)
        assert chosen(after) == chosen(before) == "b" and run.substitutions == []
    assert asked(fake) == ["sea", "reef", "sea"]
