"""A job from brief to result. This file, and `storyboard_to_segments.py` for the scenes, know the order of the stages;
no other one does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from vidgend.models import Brief, PrefetchBrief, Result, Storyboard
from vidgend.pipeline.chosen_parts import ChosenParts, StoryboardKeeper
from vidgend.pipeline.narration_to_length import fit_narration, length_report
from vidgend.pipeline.prefetch import prefetch_queries, prefetch_storyboard
from vidgend.pipeline.prompt_to_storyboard import make_storyboard
from vidgend.pipeline.recording_to_storyboard import make_recorded_storyboard
from vidgend.pipeline.repair import repaired
from vidgend.pipeline.run import JobRun, first_cause
from vidgend.pipeline.scene_to_segment import RenderSettings, encoding_args
from vidgend.pipeline.scene_to_speech import speak
from vidgend.pipeline.segments_to_video import join_video, pieces_of
from vidgend.pipeline.storyboard_to_outputs import Unkept, main_run, make_outputs, plan_outputs
from vidgend.pipeline.storyboard_to_segments import Making
from vidgend.pipeline.video_encoder import choose_encoder
from vidgend.pipeline.video_to_report import CheckedVideo, check_video
from vidgend.pipeline.video_to_result import publish_results


@dataclass(frozen=True, kw_only=True)
class Producer(ChosenParts):
    """What makes videos, and fetches clips ahead of them, with the parts that were chosen."""

    async def render_settings(self, brief: Brief) -> RenderSettings:
        """With an encoder that works here."""
        chosen, _ = await choose_encoder(brief, self.render, ffmpeg=await self.ffmpeg.get(), probes=self.probes)
        return chosen

    async def produce(self, job_id: str, brief: Brief, run: JobRun, keeper: StoryboardKeeper) -> Result | Storyboard:
        """Make the video; or, for a job that is to be reviewed first, its storyboard with everything but the pictures
        encoded. Raises: VidgendError; on cancellation every child is dead when it returns."""
        async with run.memory:
            return await self._produce(job_id, brief, run, keeper)

    async def _produce(self, job_id: str, brief: Brief, run: JobRun, keeper: StoryboardKeeper) -> Result | Storyboard:
        await run.enter("planning", "planning the scenes")
        await self.ffmpeg.get()  # without it nothing else is worth doing
        storyboard = await keeper.load()
        if storyboard is None:
            storyboard = await self._plan(brief, run)
            await keeper.save(replace(storyboard, degraded=tuple(run.substitutions)))
        else:
            # What rendering had to replace is found out anew: another card may be there now.
            run.substitutions.extend(one for one in storyboard.degraded if one.stage != "rendering")
        plan_outputs(run, brief, storyboard, lambda one: encoding_args(one, self.render))
        try:
            if brief.review:
                making = await self._begin(brief, main_run(run, brief), keeper, storyboard)
                return await making.storyboard_for_review()

            async def make(run: JobRun, brief: Brief, storyboard: Storyboard) -> CheckedVideo:
                kept = keeper if run.output == 0 else Unkept(keeper)
                video = await self._make(brief, run, kept, storyboard)
                # What a repair tries is kept only once it was better: a restart in the middle finds the video again.
                again = partial(self._make, brief, run, Unkept(keeper))
                return await repaired(run, video, make=again, keep=kept.save)

            videos = await make_outputs(run, brief, storyboard, translator=self.translator, make=make)
        except BaseExceptionGroup as group:
            raise first_cause(group) from group
        return await publish_results(job_id, videos, assets=self.assets, scratch=self.scratch, describe=self.describe)

    async def prefetch(self, wanted: PrefetchBrief, run: JobRun, keeper: StoryboardKeeper) -> dict[str, Any]:
        """Fetch clips ahead of time. Answers them and what failed. Raises: VidgendError."""
        brief = wanted.brief
        if brief is None:
            return await prefetch_queries(run, wanted, self.providers, self.unused_providers)
        storyboard = wanted.storyboard
        if storyboard is None:
            await run.enter("planning", "planning the scenes")
            storyboard = await self._plan(brief, run)
        finder = await self.finder(brief, run, storyboard, keeper)
        return await prefetch_storyboard(run, wanted, storyboard, finder)

    async def _plan(self, brief: Brief, run: JobRun) -> Storyboard:
        if brief.narration_audio is None:
            storyboard = await make_storyboard(run, brief, self.planners)
            speak_all = partial(self._speak_all, brief, main_run(run, brief))
            return await fit_narration(run, brief, storyboard, rewriter=self.rewriter, speak_all=speak_all)
        return await make_recorded_storyboard(
            run, brief, self.planners, self.transcriber, encoding=lambda one: encoding_args(one, self.render)
        )

    async def _speak_all(self, brief: Brief, run: JobRun, storyboard: Storyboard) -> list[int]:
        """Samples of speech of each scene; the making of the video finds it spoken. Raises: what `speak` raises."""
        voicing = self.voicing(brief, storyboard)
        told = [scene for scene in storyboard.scenes if scene.narration.strip()]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {one.index: group.create_task(speak(run, one, voicing, self.engines)) for one in told}
        except BaseExceptionGroup as failed:
            raise first_cause(failed) from failed
        samples = {index: task.result().samples for index, task in tasks.items()}
        return [samples.get(scene.index, 0) for scene in storyboard.scenes]

    async def _begin(self, brief: Brief, run: JobRun, keeper: StoryboardKeeper, storyboard: Storyboard) -> Making:
        run.plan_video(brief, storyboard, encoding_args(brief, self.render))
        await run.enter("retrieving", f"{len(storyboard.scenes)} scenes planned; looking for footage")
        return Making(self, brief, run, keeper, storyboard)

    async def _make(self, brief: Brief, run: JobRun, keeper: StoryboardKeeper, storyboard: Storyboard) -> CheckedVideo:
        """The video of a storyboard, looked at. What was made before is found finished."""
        making = await self._begin(brief, run, keeper, storyboard)
        try:
            bodies, between = await making.all_segments()
        except BaseExceptionGroup as group:
            raise first_cause(group) from group
        assert making.sound is not None
        await run.enter("publishing", "joining the scenes")
        pieces = (*pieces_of(bodies, between), *making.card)
        video = await join_video(run, brief, making.storyboard, pieces, making.sound)
        made = await check_video(
            run, brief, video, making.storyboard, bodies, pieces, making.captions, making.caption_fits()
        )
        made.report["encoder"] = (await making.encoder.settings()).encoder
        kind = making.lengths.wish.kind
        made.report["narration"] = length_report(brief, making.storyboard.scenes)
        made.report["transitions"] = {"kind": kind, "frames": [one.frames for one in between if one]}
        return made
