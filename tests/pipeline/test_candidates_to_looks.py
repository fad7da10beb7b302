"""What the preview pictures of candidates show counts for their order, and for nothing else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import media
import pytest
from clip_search import candidate, footage, found, open_search, scenes, search
from workshop import SMALL, finished_steps, make, result, settings_for, workshop

from vidgend.errors import ProviderError, StepError
from vidgend.models import Candidate, Scene
from vidgend.pipeline.candidates_to_looks import LOOKED_AT, PICTURE
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.relevance.clip_files import clip_files
from vidgend.pipeline.relevance.fake import FakeLooks, FakeSimilarity
from vidgend.pipeline.relevance.looks import ClipSimilarity
from vidgend.pipeline.relevance.select import build_looks

sys.path.insert(0, str(Path(__file__).parent / "relevance"))
from made_clip import write_clip

COLOURS = {"a": "0x5090ff", "b": "red", "c": "green", "d": "yellow", "e": "white", "f": "gray", "g": "cyan", "h": "purple",
           "i": "orange", "j": "brown"}  # fmt: skip


@pytest.fixture(scope="module")
def files(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A clip of one colour for each letter; the first is blue, the second red."""
    folder = tmp_path_factory.mktemp("colours")
    return {
        name: media.make(
            ffmpeg.path,
            ["-f", "lavfi", "-i", f"color={colour}:size=160x90:rate=30:duration=0.5", "-pix_fmt", "yuv420p"],
            folder / f"{name}.mp4",
        )
        for name, colour in COLOURS.items()
    }


def redness() -> FakeLooks:
    return FakeLooks(lambda text, rgb: 1.0 if rgb[0] > 180 > 90 > max(rgb[1:]) else 0.0)


def chosen(made: Sequence[Scene]) -> str:
    return "".join(scene.clip.id for scene in made if scene.clip is not None)


async def test_among_clips_whose_words_fit_alike_the_picture_decides_and_the_report_has_its_points(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    fake = footage(files, sea="abc")
    (scene,) = await found(tmp_path, scenes("sea"), fake, looks=redness())
    assert chosen([scene]) == "b"
    first, second, _ = scene.ranking
    assert (first.id, dict(first.parts)["picture"]) == ("b", PICTURE / 2)
    assert dict(second.parts)["picture"] == -PICTURE / 2
    assert first.fit == second.fit == 1.0, "the fit is that of the words"
    assert f"picture +{PICTURE / 2:.2f}" in scene.why


async def test_what_is_seen_is_the_square_in_the_middle(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = "color=blue:size=160x90:rate=30:duration=0.5,drawbox=x=35:y=0:w=90:h=90:color=red:t=fill"
    flag = media.make(ffmpeg.path, ["-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p"], tmp_path / "flag.mp4")
    looks = FakeLooks(lambda text, rgb: rgb[0] / 255)
    (scene,) = await found(tmp_path / "job", scenes("sea"), footage({"f": flag}, sea="f"), looks=looks)
    assert dict(scene.ranking[0].parts)["picture"] == pytest.approx(PICTURE / 2, abs=0.01)


async def test_a_picture_does_not_outweigh_words_that_fit_much_better(tmp_path: Path, files: dict[str, Path]) -> None:
    words = FakeSimilarity(lambda _, described: {"a": 0.95, "b": 0.55}.get(described, 0.0))
    made = await found(tmp_path, scenes("sea"), footage(files, sea="ab"), looks=redness(), similarity=words)
    assert chosen(made) == "a"


async def test_a_picture_makes_nothing_fit_whose_words_do_not(tmp_path: Path, files: dict[str, Path]) -> None:
    words = FakeSimilarity(lambda _, described: 0.45)
    async with open_search(tmp_path, fake := footage(files, sea="ab"), looks=(looks := redness())) as (run, assets):
        (scene,) = await search(run, assets, scenes("sea"), fake, similarity=words, looks=looks)
        assert chosen([scene]) == "b", "of what does not fit the one with the right picture"
        assert [one.wanted for one in run.substitutions] == ["a clip that fits"]


async def test_only_the_best_by_words_are_looked_at_and_each_once(tmp_path: Path, files: dict[str, Path]) -> None:
    fake, looks = footage(files, sea="acdefghij" + "b"), redness()
    async with open_search(tmp_path, fake, looks=looks) as (run, assets):
        made = await search(run, assets, scenes("sea"), fake, looks=looks)
        assert sorted(fake.previewed) == list("acdefghi"[:LOOKED_AT])
        assert looks.asked == [LOOKED_AT]
        assert "picture" not in dict(next(one for one in made[0].ranking if one.id == "j").parts), "as it was"
        again = await search(run, assets, scenes("sea"), fake, looks=looks)
        assert (len(fake.previewed), looks.asked) == (LOOKED_AT, [LOOKED_AT]), "kept as steps"
        assert again == made


async def test_a_candidate_without_a_picture_stays_as_it_is_and_the_log_says_why(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    class Blind(FakeFootage):
        async def preview(self, candidate: Candidate, *, path: Path) -> Path:
            if candidate.id == "c":
                path.write_bytes(b"no picture")
                return path
            return await super().preview(candidate, path=path)

    notes: list[str] = []
    fake, looks = Blind({"sea": tuple(map(candidate, "acb"))}, files), redness()
    async with open_search(tmp_path, fake, looks=looks, notes=notes) as (run, assets):
        (scene,) = await search(run, assets, scenes("sea"), fake, looks=looks)
        assert [one.id for one in scene.ranking] == ["b", "c", "a"]
        assert "picture" not in dict(scene.ranking[1].parts)
        assert run.substitutions == []
    assert [line for line in notes if "no look at fake c" in line]


async def test_a_provider_that_gives_no_pictures_is_soon_left_alone(tmp_path: Path, files: dict[str, Path]) -> None:
    notes: list[str] = []
    fake, looks = footage(files, sea="abcdefgh", reef="abcdefgh"), redness()
    fake.preview_error = ProviderError("previews are down")
    async with open_search(tmp_path, fake, looks=looks, notes=notes) as (run, assets):
        made = await search(run, assets, scenes("sea", "reef"), fake, looks=looks)
        assert chosen(made) == "ab"
    assert 3 <= len(fake.previewed) < 8
    assert len([line for line in notes if "previews are down" in line]) == 1
    assert looks.asked == []


async def test_a_model_that_fails_is_given_up_for_the_job_and_words_decide(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    fake, looks = footage(files, sea="ab", reef="cd"), redness()
    looks.error = StepError("the image model ended unexpectedly: killed")
    async with open_search(tmp_path, fake, looks=looks) as (run, assets):
        made = await search(run, assets, scenes("sea", "reef"), fake, looks=looks, review=False)
        assert chosen(made) == "ac"
        (told,) = run.substitutions
        assert (told.stage, told.wanted, told.used) == (
            "retrieving", "a look at the pictures (fake looks)", "words alone"
        )  # fmt: skip
        assert "killed" in told.reason


async def test_a_folder_that_is_no_model_is_told_before_any_picture_is_fetched(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    fake, looks = footage(files, sea="ab"), ClipSimilarity(clip_files(tmp_path / "nowhere"))
    async with open_search(tmp_path, fake, looks=looks) as (run, assets):
        assert chosen(await search(run, assets, scenes("sea"), fake, looks=looks)) == "a"
        (told,) = run.substitutions
        assert "nowhere is not a folder" in told.reason
    assert fake.previewed == []


async def test_a_job_that_is_cancelled_while_pictures_are_looked_at_ends_the_model(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    fake, looks = footage(files, red="ab"), ClipSimilarity(clip_files(write_clip(tmp_path / "clip")))
    async with open_search(tmp_path, fake, looks=looks) as (run, assets):
        making = asyncio.create_task(search(run, assets, scenes("red"), fake, looks=looks))
        async with asyncio.timeout(60):
            while not looks._service.running:
                assert not making.done()
                await asyncio.sleep(0)
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        assert not looks._service.running


async def test_without_a_model_no_picture_is_fetched(tmp_path: Path, files: dict[str, Path]) -> None:
    fake = footage(files, sea="ab")
    assert chosen(await found(tmp_path, scenes("sea"), fake)) == "a"
    assert fake.previewed == []


@pytest.mark.parametrize(("wanted", "shown"), [("red", "b"), ("blue", "a")])
async def test_a_video_shows_what_the_model_sees_in_the_previews(
    tmp_path: Path, files: dict[str, Path], wanted: str, shown: str
) -> None:
    """Settings, search, previews, ffmpeg, the model's process, steps, ranking, choice, report."""
    folder = write_clip(tmp_path / "clip", kind="_quantized")
    settings = settings_for(tmp_path, VIDGEND_FOOTAGE__IMAGE_MODEL=str(folder))
    fake = FakeFootage({"*": tuple(map(candidate, "cab" if wanted == "red" else "bca"))}, files)
    looks = build_looks(settings.footage.image_model)
    assert isinstance(looks, ClipSimilarity)
    async with workshop(tmp_path, settings=settings, providers=(fake,), looks=looks) as runtime:
        made = result(await make(runtime, prompt=wanted, scenes=[{"narration": f"A {wanted} evening."}], **SMALL))
        steps = await finished_steps(runtime)
    assert (steps["look"], steps["candidate_thumbnail"]) == (1, 3)
    (told,) = made.report["footage"]
    assert told["id"] == shown and "picture" in told["why"]
    assert [one.title for one in made.credits] == [shown]
    assert not [one for one in made.degraded if one.stage == "retrieving"]
    assert not looks._service.running, "closed with the daemon"


async def test_unset_a_video_costs_no_step_more(tmp_path: Path, files: dict[str, Path]) -> None:
    settings = settings_for(tmp_path)
    assert settings.footage.image_model is None
    fake = FakeFootage({"*": tuple(map(candidate, "ab"))}, files)
    async with workshop(tmp_path, settings=settings, providers=(fake,)) as runtime:
        result(await make(runtime, prompt="red", **SMALL))
        steps = await finished_steps(runtime)
    assert steps["look"] == 0 and fake.previewed == []
