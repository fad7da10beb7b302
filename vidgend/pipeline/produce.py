"""A job from brief to result. The only file that knows the order of the stages.

Stages overlap: a scene renders as soon as its own picture, words and length are known, while others are still
narrated or fetched. Only a video that is stretched to a wished length waits for all of its narration first.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from vidgend.errors import MediaUnreadable, NoFootage, StepError
from vidgend.models import (
    Brief,
    Caption,
    Result,
    Scene,
    Segment,
    Storyboard,
)
from vidgend.pipeline.aligner.port import Aligner
from vidgend.pipeline.captions.fonts import FontCatalog, as_args
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.music.port import MusicLibrary
from vidgend.pipeline.planner.port import Planner
from vidgend.pipeline.prompt_to_storyboard import make_storyboard
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_lengths import SceneLengths
from vidgend.pipeline.scene_to_clip import ClipFinder
from vidgend.pipeline.scene_to_segment import RenderSettings, render_segment
from vidgend.pipeline.scene_to_speech import speak
from vidgend.pipeline.scenes_to_transition import render_transition
from vidgend.pipeline.segments_to_video import find_music, join_video, pieces_of
from vidgend.pipeline.shot_picture import ShotPicture
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.speech_to_words import find_words
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.video_text import (
    burnt_captions,
    scene_captions,
    speech_end_s,
    undrawn_text,
)
from vidgend.pipeline.video_to_report import check_video
from vidgend.pipeline.video_to_result import publish_result
from vidgend.store.assets.store import AssetStore


class StoryboardKeeper(Protocol):
    """Where the storyboard of this job is kept, so that a restart and a reader find it."""

    async def load(self) -> Storyboard | None: ...

    async def save(self, storyboard: Storyboard) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Producer:
    """The pipeline with its parts chosen. Planners, engines and aligners are in order of preference."""

    planners: Sequence[Planner]
    providers: Sequence[FootageProvider]
    unused_providers: Mapping[str, str]
    engines: Sequence[SpeechEngine]
    aligners: Sequence[Aligner]
    music: MusicLibrary
    ffmpeg: FfmpegTool
    fonts: FontCatalog
    render: RenderSettings
    assets: AssetStore
    scratch: Path
    speed: float = 1.0

    async def produce(self, job_id: str, brief: Brief, run: JobRun, keeper: StoryboardKeeper) -> Result:
        """Make the video. Raises: VidgendError; on cancellation every child is dead when it returns."""
        await run.enter("planning", "planning the scenes")
        await self.ffmpeg.get()  # without it nothing else is worth doing
        storyboard = await keeper.load()
        if storyboard is None:
            storyboard = await make_storyboard(run, brief, self.planners)
            await keeper.save(replace(storyboard, degraded=tuple(run.substitutions)))
        else:
            run.substitutions.extend(storyboard.degraded)
        run.progress.set("planning", 1.0)
        run.progress.scenes_total = len(storyboard.scenes)
        await run.enter("retrieving", f"{len(storyboard.scenes)} scenes planned; looking for footage")
        making = _Making(self, brief, run, keeper, storyboard)
        try:
            scenes, segments, transitions = await making.all_scenes()
        except BaseExceptionGroup as group:
            raise _first_cause(group) from group
        await run.enter("publishing", "joining the scenes, mixing the sound")
        mood = storyboard.mood or find_style(brief.style).mood
        track = await find_music(run, brief, music=self.music, mood=mood)
        video = await join_video(
            run, brief, making.storyboard, scenes, pieces_of(segments, transitions), track=track,
            progress=lambda share: run.progress.set("publishing", share * 0.8),
        )  # fmt: skip
        report = await check_video(run, brief, video, speech_end_s=speech_end_s(brief, scenes))
        report["transitions"] = {"kind": making.lengths.wish.kind, "frames": [one.frames for one in transitions if one]}
        run.progress.set("publishing", 0.9)
        return await publish_result(
            job_id, brief, run, scenes, making.captions, storyboard.language, video, report, assets=self.assets,
            scratch=self.scratch,
        )  # fmt: skip


def _first_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that made a group of tasks fail, without the wrapping."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _Making:
    """The scenes of one job, made side by side."""

    def __init__(
        self, producer: Producer, brief: Brief, run: JobRun, keeper: StoryboardKeeper, storyboard: Storyboard
    ) -> None:
        self._producer = producer
        self._brief = brief
        self._run = run
        self._keeper = keeper
        self.storyboard = storyboard
        count = len(storyboard.scenes)
        self.captions: list[tuple[Caption, ...]] = [()] * count
        """Of each scene, in its own time."""
        self._rendered = [0.0] * count
        self._spoken: list[asyncio.Future[int]] = []
        self._shots: list[asyncio.Future[ShotPicture]] = []
        """Of each scene, once it is known: what its body and its transitions are made of."""
        self.lengths = SceneLengths(brief, storyboard, self._spoken)
        self._saving = asyncio.Lock()

    async def all_scenes(self) -> tuple[tuple[Scene, ...], tuple[Segment, ...], tuple[Segment | None, ...]]:
        """Every scene complete; the segments of all scenes, and of all transitions between them (None for a cut).

        One failure stops all of them.
        """
        loop = asyncio.get_running_loop()
        scenes = self.storyboard.scenes
        self._spoken += [loop.create_future() for _ in scenes]
        self._shots += [loop.create_future() for _ in scenes]
        finder = ClipFinder(
            run=self._run,
            brief=self._brief,
            storyboard=self.storyboard,
            providers=self._producer.providers,
            unused=self._producer.unused_providers,
            assets=self._producer.assets,
        )
        try:
            return await self._all_scenes(finder)
        finally:
            await finder.aclose()

    async def _all_scenes(
        self, finder: ClipFinder
    ) -> tuple[tuple[Scene, ...], tuple[Segment, ...], tuple[Segment | None, ...]]:
        scenes = self.storyboard.scenes
        async with asyncio.TaskGroup() as group:
            words = [
                group.create_task(self._speak(scene), name=f"speech of scene {scene.index + 1}") for scene in scenes
            ]
            clips = await finder.find(group)
            segments = [
                group.create_task(self._segment(finder, clip, word), name=f"segment {number + 1}")
                for number, (clip, word) in enumerate(zip(clips, words, strict=True))
            ]
            transitions = [
                group.create_task(self._transition(number, both), name=f"transition {number + 1}")
                for number, both in enumerate(itertools.pairwise(segments))
            ]
        done = [task.result() for task in segments]
        start = 0
        complete = []
        for scene, _ in done:
            complete.append(replace(scene, start_frame=start))
            start += scene.frames or 0
        self.storyboard = replace(self.storyboard, scenes=tuple(complete), degraded=tuple(self._run.substitutions))
        await self._keeper.save(self.storyboard)
        between = tuple(task.result() for task in transitions)
        return self.storyboard.scenes, tuple(segment for _, segment in done), between

    async def _speak(self, scene: Scene) -> Scene:
        """Narrate a scene and time its words."""
        try:
            if scene.narration.strip():
                speech = await speak(
                    self._run,
                    scene,
                    voice=self._brief.voice,
                    language=self._brief.language or self.storyboard.language or None,
                    speed=self._producer.speed,
                    engines=self._producer.engines,
                )
                scene = replace(scene, speech=speech)
            self._spoken[scene.index].set_result(scene.speech.samples if scene.speech else 0)
        except BaseException:
            self._spoken[scene.index].cancel()
            raise
        self._tell("narrating", sum(future.done() for future in self._spoken) / len(self._spoken))
        if scene.speech is not None:
            words = await find_words(
                self._run, scene, scene.speech, language=self.storyboard.language, aligners=self._producer.aligners
            )
            scene = replace(scene, words=words)
        return scene

    def _tell(self, stage: Any, share: float) -> None:
        self._run.progress.set(stage, share)

    async def _segment(
        self, finder: ClipFinder, clip: asyncio.Task[Scene], spoken: asyncio.Task[Scene]
    ) -> tuple[Scene, Segment]:
        with_clip = await clip
        self._tell("retrieving", self._run.progress.shares.get("retrieving", 0) + 1 / len(self.storyboard.scenes))
        await self._run.enter("narrating", "footage found; narrating")
        with_words = await spoken
        frames = await self.lengths.frames(with_words.index)
        scene = replace(
            with_words, clip=with_clip.clip, candidates=with_clip.candidates, why=with_clip.why, frames=frames
        )
        self.captions[scene.index] = await asyncio.to_thread(scene_captions, self._brief, scene)
        await self._run.enter("aligning", "placing the words")
        self._tell("aligning", self._run.progress.shares.get("aligning", 0) + 1 / len(self.storyboard.scenes))
        await self._save(scene)
        await self._run.enter("rendering", "rendering")
        shot = await self._shot(scene)
        self._shots[scene.index].set_result(shot)
        while True:
            try:
                segment = await self._render(shot)
                break
            except MediaUnreadable as error:
                scene = await self._another_clip(finder, scene, error)
                assert scene.clip is not None
                shot = replace(shot, clip=scene.clip)
                self._replace_shot(shot)
        self._run.progress.scenes_done += 1
        await self._run.note(f"scene {scene.index + 1} of {len(self.storyboard.scenes)} rendered")
        return scene, segment

    async def _another_clip(self, finder: ClipFinder, scene: Scene, error: MediaUnreadable) -> Scene:
        """The next candidate for a scene whose clip turned out to be damaged. Raises: NoFootage."""
        try:
            again = await finder.replace_clip(scene, error)
        except NoFootage as nothing:
            raise StepError(f"scene {scene.index + 1}: {error.detail}; {nothing.detail}", tail=error.tail) from error
        await self._save(again)
        return again

    async def _shot(self, scene: Scene) -> ShotPicture:
        brief = self._brief
        burnt = await asyncio.to_thread(
            burnt_captions,
            brief,
            self.captions[scene.index],
            language=brief.language or self.storyboard.language,
            fonts=self._producer.fonts,
        )
        if burnt.undrawn:
            await self._run.substitute(undrawn_text(burnt.undrawn))
        assert scene.clip is not None
        return ShotPicture(
            index=scene.index,
            clip=scene.clip,
            shot=await self.lengths.shot(scene.index),
            ass=burnt.ass,
            fonts=as_args(burnt.faces),
        )

    def _replace_shot(self, shot: ShotPicture) -> None:
        self._shots[shot.index] = asyncio.get_running_loop().create_future()
        self._shots[shot.index].set_result(shot)

    async def _render(self, shot: ShotPicture) -> Segment:
        def progress(share: float) -> None:
            self._rendered[shot.index] = share
            self._tell("rendering", sum(self._rendered) / len(self._rendered))

        segment = await render_segment(
            self._run,
            self._brief,
            shot,
            settings=self._producer.render,
            ffmpeg=await self._producer.ffmpeg.get(),
            count=len(self.storyboard.scenes),
            progress=progress,
        )
        progress(1.0)
        return segment

    async def _transition(
        self, index: int, bodies: tuple[asyncio.Task[tuple[Scene, Segment]], asyncio.Task[tuple[Scene, Segment]]]
    ) -> Segment | None:
        """The transition after scene `index`, made beside the bodies of both; again if one of them takes another
        clip meanwhile."""
        left, right = [await asyncio.shield(self._shots[number]) for number in (index, index + 1)]
        overlap = left.shot.tail
        if self.lengths.shortened(overlap):
            length = f"shortened to {overlap} frames" if overlap else "left out"
            await self._run.note(f"transition {index + 1} is {length}: the scenes beside it are too short for more")
        if not overlap:
            return None
        while True:
            made: Segment | MediaUnreadable
            try:
                made = await render_transition(
                    self._run,
                    self._brief,
                    left,
                    right,
                    kind=self.lengths.wish.kind,
                    settings=self._producer.render,
                    ffmpeg=await self._producer.ffmpeg.get(),
                )
            except MediaUnreadable as error:
                made = error
            for body in bodies:
                await body
            known = [self._shots[number].result() for number in (index, index + 1)]
            if known != [left, right]:
                left, right = known
            elif isinstance(made, MediaUnreadable):
                raise StepError(f"transition {index + 1}: {made.detail}", tail=made.tail) from made
            else:
                return made

    async def _save(self, scene: Scene) -> None:
        async with self._saving:
            scenes = list(self.storyboard.scenes)
            scenes[scene.index] = scene
            self.storyboard = replace(self.storyboard, scenes=tuple(scenes), degraded=tuple(self._run.substitutions))
            await self._keeper.save(self.storyboard)
