"""Storyboards that are edited, reviewed, drafted and rendered again, through the real store, steps and ffmpeg."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from workshop import clips, encodes, fake_footage, finished, finished_steps, make, result, settings_for, workshop

from vidgend.http.edit_wire import PatchBody, RenderBody, RevertBody
from vidgend.http.own_media import EditMedia
from vidgend.http.revise import edit_storyboard, render_storyboard, revert_storyboard
from vidgend.http.wire import GenerateBody
from vidgend.models import Brief, Result, Storyboard
from vidgend.pipeline import storyboard_to_segments
from vidgend.pipeline.executor.port import StepOutput, StepRun
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.foresee import Reuse
from vidgend.pipeline.scene_to_segment import RenderSettings, SegmentStep, encoding_args, encoding_of
from vidgend.pipeline.shot_ends import End
from vidgend.pipeline.shot_ends_ahead import EndsAhead
from vidgend.pipeline.shot_picture import ShotPicture
from vidgend.runtime import Runtime
from vidgend.store.doomed import work_off

TEXTS = ("The sea is calm.", "A boat comes in.", "Gulls follow.", "Night falls.", "All is still.")
SCENES = [{"narration": text, "query": "sea"} for text in TEXTS]


async def edit(runtime: Runtime, job_id: str, **patch: Any) -> None:
    await edit_storyboard(runtime, job_id, PatchBody.model_validate(patch), if_match=None, media=EditMedia())


async def render(runtime: Runtime, job_id: str, **wish: Any) -> tuple[Result, Reuse]:
    accepted = await render_storyboard(runtime, job_id, RenderBody(**wish))
    runtime.worker.wake()
    return result(await finished(runtime, job_id)), accepted.reuse


async def board(runtime: Runtime, job_id: str) -> Storyboard:
    found = await runtime.storyboards.being_made(job_id)
    assert found is not None
    return found[1]


def names(reuse: Reuse) -> tuple[list[str], list[str]]:
    return [f"{one.kind} {one.scene}" for one in reuse.reused], [f"{one.kind} {one.scene}" for one in reuse.rebuilt]


async def test_an_edit_encodes_its_scene_and_the_transitions_beside_it_as_was_foretold(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 6)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        job = await make(runtime, scenes=SCENES, transitions="dissolve")
        first, cold = result(job), await encodes(runtime)
        await edit(runtime, job.id, scenes=[{"index": 3, "narration": "Gulls follow it slowly, very slowly."}])
        made, reuse = await render(runtime, job.id)
        assert await encodes(runtime) - cold == {"segment": 1, "transition": 2}
        assert names(reuse) == (
            ["scene 1", "transition 1", "scene 2", "scene 4", "transition 4", "scene 5"],
            ["transition 2", "scene 3", "transition 3"],
        )
        assert made.files["video"].digest != first.files["video"].digest
        srt = (await runtime.assets.local(made.files["srt"].digest)).read_text()
        assert "very slowly" in srt
        # Back to what it was: everything is there.
        await revert_storyboard(runtime, job.id, RevertBody(version=1), if_match=None)
        warm = await encodes(runtime)
        again, reuse = await render(runtime, job.id)
        assert again.files["video"].digest == first.files["video"].digest and await encodes(runtime) == warm
        assert not reuse.rebuilt and again.report["steps"]["run"] == 0


async def test_what_a_transition_shows_of_a_finished_neighbour_is_made_while_the_new_body_is(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead: list[tuple[int, str]] = []
    make_end = EndsAhead.make

    async def watched(
        self: EndsAhead, brief: Brief, shown: ShotPicture, end: End, settings: RenderSettings, *, priority: int
    ) -> None:
        await make_end(self, brief, shown, end, settings, priority=priority)
        args = shown.args(brief)
        encoding = encoding_of({"encoding": encoding_args(brief, settings), "style": brief.style, "threads": 1})
        assert self.ends.has(args, brief.style, encoding, end)
        ahead.append((shown.index, end))

    monkeypatch.setattr(EndsAhead, "make", watched)
    monkeypatch.setattr(storyboard_to_segments, "FOUND_WITHIN_S", 0.05)
    files = clips(ffmpeg.path, tmp_path / "clips", 6)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        job = await make(runtime, scenes=SCENES, transitions="dissolve")
        ahead.clear()  # where one of two bodies was much slower, it left its end itself
        slow = SegmentStep.__call__

        async def slowly(self: SegmentStep, args: dict[str, Any], run: StepRun) -> StepOutput:
            async with asyncio.timeout(60):  # the ends of both neighbours are made in the other slot
                while len(ahead) < 2:
                    await asyncio.sleep(0.02)
            return await slow(self, args, run)

        monkeypatch.setattr(SegmentStep, "__call__", slowly)
        await edit(runtime, job.id, scenes=[{"index": 3, "in_point": 1}])
        await render(runtime, job.id)
        assert {(1, "tail"), (3, "head")} <= set(ahead)


async def test_another_picture_and_another_start_in_it_are_one_encode_each(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 6, seconds=8)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        job = await make(runtime, scenes=SCENES[:3], transitions="cut")
        cold, shown = await encodes(runtime), await board(runtime, job.id)
        spare = next(
            one for one in shown.scenes[1].candidates if one.id not in {s.clip and s.clip.id for s in shown.scenes}
        )
        await edit(runtime, job.id, scenes=[{"index": 2, "clip": {"provider": "fake", "id": spare.id}, "in_point": 4}])
        await render(runtime, job.id)
        scene = (await board(runtime, job.id)).scenes[1]
        assert scene.clip is not None and (scene.clip.id, scene.clip.in_point_s) == (spare.id, 4.0)
        assert await encodes(runtime) - cold == {"segment": 1}
        await edit(runtime, job.id, scenes=[{"index": 2, "in_point": 1}])
        await render(runtime, job.id)
        assert await encodes(runtime) - cold == {"segment": 2}
        await edit(runtime, job.id, scenes=[{"index": 2, "clip": None}])
        await render(runtime, job.id)
        other = (await board(runtime, job.id)).scenes[1].clip
        assert other is not None and other.id != spare.id, "another one was looked for"


async def test_a_version_that_was_rendered_before_is_there_whatever_was_rendered_since(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 4)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        job = await make(runtime, scenes=SCENES[:3], transitions="cut", quality="draft")
        await edit(runtime, job.id, scenes=[{"index": 1, "clip": None}])
        _, reuse = await render(runtime, job.id)
        assert names(reuse)[1] == ["scene 1"], "there are no transitions to be made"
        await edit(runtime, job.id, scenes=[{"index": 2, "narration": "Something else."}])
        await render(runtime, job.id)
        before = await encodes(runtime)
        for version in (1, 2, 3):
            await work_off(runtime.database, runtime.assets)
            _, reuse = await render(runtime, job.id, version=version)
            assert names(reuse)[1] == [], version
        assert await encodes(runtime) == before


async def test_scenes_that_change_places_are_encoded_only_where_the_ends_change(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 6)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        job = await make(runtime, scenes=SCENES, transitions="cut")
        cold = await encodes(runtime)
        await edit(runtime, job.id, order=[1, 3, 2, 4, 5])
        _, reuse = await render(runtime, job.id)
        assert await encodes(runtime) == cold and not reuse.rebuilt, "the same segments in another order"
        await edit(runtime, job.id, scenes=[{"index": 2, "remove": True}], add=[{"after": 4, "narration": "Stars."}])
        await render(runtime, job.id)
        assert await encodes(runtime) - cold == {"segment": 1}
        assert [scene.id for scene in (await board(runtime, job.id)).scenes] == ["s1", "s2", "s4", "s6", "s5"]


async def test_in_a_video_of_a_wished_length_an_edit_touches_no_other_scene(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 4, seconds=8)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        job = await make(runtime, scenes=SCENES[:3], prompt="The sea", duration_target=15, transitions="cut")
        first, cold = result(job), await encodes(runtime)
        await edit(runtime, job.id, scenes=[{"index": 2, "narration": "A boat."}])
        made, _ = await render(runtime, job.id)
        assert await encodes(runtime) - cold == {"segment": 1}
        assert made.duration_s == first.duration_s == 15.0


async def test_a_job_stops_for_review_with_everything_but_the_pictures_encoded(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 6)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        job_id = await runtime.submit_generate(GenerateBody.model_validate({"scenes": SCENES[:3], "review": True}))
        waiting = await finished(runtime, job_id)
        assert waiting.state == "awaiting_review"
        shown = await board(runtime, job_id)
        assert all(scene.clip and scene.words and scene.frames is not None for scene in shown.scenes)
        assert not await encodes(runtime) and waiting.scenes_total == 3
        searches = await runtime.database.read("SELECT count(*) FROM steps WHERE kind IN ('search', 'fetch', 'speech')")
        made, _ = await render(runtime, job_id)
        assert made.duration_s > 0 and (await encodes(runtime))["segment"] == 3
        assert searches == await runtime.database.read(
            "SELECT count(*) FROM steps WHERE kind IN ('search', 'fetch', 'speech')"
        ), "nothing is looked for or spoken again"


async def test_a_draft_is_small_and_its_final_finds_everything_but_the_encodes(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 3)
    settings = settings_for(tmp_path / "data", VIDGEND_RENDER__RESOLUTION="1280x720")
    async with workshop(tmp_path / "data", settings=settings, providers=(fake_footage(files),)) as runtime:
        job_id = await runtime.submit_generate(GenerateBody.model_validate({"scenes": SCENES[:2], "quality": "draft"}))
        draft = result(await finished(runtime, job_id))
        assert (draft.width_px, draft.height_px) == (640, 360)
        final, _ = await render(runtime, job_id, quality="standard")
        assert (final.width_px, final.height_px) == (1280, 720) and final.duration_s == draft.duration_s
        counted = await finished_steps(runtime)
        assert counted["fetch"] == counted["speech"] == 2 and counted["plan"] == 1
