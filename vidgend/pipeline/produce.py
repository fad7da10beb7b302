"""A job from brief to result. The only file that knows the order of the stages.

Stages overlap: a scene renders as soon as its own picture, words and length are known, while others are still
narrated or fetched. Only a video that is stretched to a wished length waits for all of its narration first.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from vidgend.errors import MediaUnreadable, NoFootage, StepError
from vidgend.models import (
    Brief,
    Caption,
    Published,
    Result,
    Scene,
    Segment,
    Storyboard,
)
from vidgend.pipeline.aligner.port import Aligner
from vidgend.pipeline.captions_ass import ass_text, srt_text, vtt_text
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.music.port import MusicLibrary
from vidgend.pipeline.planner.port import Planner
from vidgend.pipeline.prompt_to_storyboard import make_storyboard
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_to_clip import ClipFinder
from vidgend.pipeline.scene_to_segment import RenderSettings, render_segment
from vidgend.pipeline.scene_to_speech import speak
from vidgend.pipeline.segments_to_video import JoinedVideo, find_music, join_video
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.speech_to_words import find_words
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.timeline import (
    SceneNeed,
    needed_frames,
    stretched_frames,
)
from vidgend.pipeline.video_text import credits_of, scene_captions, speech_end_s, video_captions, video_words
from vidgend.pipeline.video_to_report import check_video
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
            scenes, segments = await making.all_scenes()
        except BaseExceptionGroup as group:
            raise _first_cause(group) from group
        await run.enter("publishing", "joining the scenes, mixing the sound")
        mood = storyboard.mood or find_style(brief.style).mood
        track = await find_music(run, brief, music=self.music, mood=mood)
        video = await join_video(
            run, brief, making.storyboard, scenes, segments, track=track,
            progress=lambda share: run.progress.set("publishing", share * 0.8),
        )  # fmt: skip
        report = await check_video(run, brief, video, speech_end_s=speech_end_s(brief, scenes))
        run.progress.set("publishing", 0.9)
        return await self._publish(job_id, brief, run, scenes, making.captions, storyboard.language, video, report)

    async def _publish(
        self,
        job_id: str,
        brief: Brief,
        run: JobRun,
        scenes: tuple[Scene, ...],
        captions_of: list[tuple[Caption, ...]],
        language: str,
        video: JoinedVideo,
        report: dict[str, Any],
    ) -> Result:
        words = video_words(brief, scenes)
        captions = tuple(
            caption
            for scene, own in zip(scenes, captions_of, strict=True)
            for caption in video_captions(brief, scene, own)
        )
        spoken = {
            "language": language,
            "words": [
                {
                    "word": word.text,
                    "start": round(word.start_s, 3),
                    "end": round(word.end_s, 3),
                    "confidence": round(word.confidence, 3),
                }
                for word in words
            ],
        }
        degraded = tuple(run.substitutions)
        credits = credits_of(scenes, video)
        report = {
            **report,
            "words_source": sorted({scene.words.source for scene in scenes if scene.words is not None}),
            "voice": sorted({f"{s.speech.engine} {s.speech.voice}" for s in scenes if s.speech is not None}),
            "footage": [
                {
                    "scene": s.index + 1,
                    "provider": s.clip.provider,
                    "id": s.clip.id,
                    "query": s.clip.query,
                    "why": s.why,
                }
                for s in scenes
                if s.clip is not None
            ],
            "steps": {"run": run.steps_run, "reused": run.steps_reused, "slot_wait_s": round(run.waited_s, 2)},
        }
        written = {
            "srt": ("output.srt", "application/x-subrip", srt_text(captions)),
            "vtt": ("output.vtt", "text/vtt", vtt_text(captions)),
            "words": ("words.json", "application/json", json.dumps(spoken, ensure_ascii=False, indent=1)),
            "credits": (
                "credits.json",
                "application/json",
                json.dumps([credit.__dict__ for credit in credits], ensure_ascii=False, indent=1),
            ),
        }
        digests = {"video": video.digest, "thumbnail": video.thumbnail}
        names = {"video": ("output.mp4", "video/mp4"), "thumbnail": ("thumbnail.jpg", "image/jpeg")}
        for role, (name, content_type, text) in written.items():
            digests[role] = await self._put_text(f"{job_id}-{name}", text)
            names[role] = (name, content_type)
        files = {}
        for role, digest in digests.items():
            name, content_type = names[role]
            uri = await self.assets.publish(digest, job_id, name, content_type)
            size = await self.assets.size_bytes(digest)
            files[role] = Published(name=name, digest=digest, content_type=content_type, size_bytes=size, uri=uri)
        return Result(
            files=files,
            width_px=brief.width_px,
            height_px=brief.height_px,
            duration_s=report["duration_s"],
            credits=credits,
            degraded=degraded,
            timings={stage: round(seconds, 2) for stage, seconds in run.seconds.items()},
            report=report,
        )

    async def _put_text(self, name: str, text: str) -> str:
        def write() -> Path:
            self.scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self.scratch / name
            path.write_text(text, encoding="utf-8")
            return path

        return await self.assets.put(await asyncio.to_thread(write))


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
        self._saving = asyncio.Lock()

    async def all_scenes(self) -> tuple[tuple[Scene, ...], tuple[Segment, ...]]:
        """Every scene complete, every segment encoded. One failure stops all of them."""
        loop = asyncio.get_running_loop()
        scenes = self.storyboard.scenes
        self._spoken = [loop.create_future() for _ in scenes]
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

    async def _all_scenes(self, finder: ClipFinder) -> tuple[tuple[Scene, ...], tuple[Segment, ...]]:
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
        done = [task.result() for task in segments]
        start = 0
        complete = []
        for scene, segment in done:
            complete.append(replace(scene, start_frame=start))
            start += segment.frames
        self.storyboard = replace(self.storyboard, scenes=tuple(complete), degraded=tuple(self._run.substitutions))
        await self._keeper.save(self.storyboard)
        return self.storyboard.scenes, tuple(segment for _, segment in done)

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

    async def _frames(self, scene: Scene) -> int:
        """The scene's length: its own need, or its share of the wished length once all speech is known."""
        count = len(self.storyboard.scenes)
        fps = self._brief.frame_rate
        if not self.storyboard.stretch:
            samples = await asyncio.shield(self._spoken[scene.index])
            return needed_frames(scene.index, count, self._need(scene, samples), fps)
        samples_of_all = await asyncio.gather(*(asyncio.shield(future) for future in self._spoken))
        needs = tuple(
            self._need(one, samples) for one, samples in zip(self.storyboard.scenes, samples_of_all, strict=True)
        )
        return stretched_frames(needs, fps, self._brief.duration_s)[scene.index]

    @staticmethod
    def _need(scene: Scene, samples: int) -> SceneNeed:
        return SceneNeed(speech_samples=samples, min_duration_s=scene.min_duration_s)

    async def _segment(
        self, finder: ClipFinder, clip: asyncio.Task[Scene], spoken: asyncio.Task[Scene]
    ) -> tuple[Scene, Segment]:
        with_clip = await clip
        self._tell("retrieving", self._run.progress.shares.get("retrieving", 0) + 1 / len(self.storyboard.scenes))
        await self._run.enter("narrating", "footage found; narrating")
        with_words = await spoken
        frames = await self._frames(with_words)
        scene = replace(
            with_words, clip=with_clip.clip, candidates=with_clip.candidates, why=with_clip.why, frames=frames
        )
        self.captions[scene.index] = await asyncio.to_thread(scene_captions, self._brief, scene)
        await self._run.enter("aligning", "placing the words")
        self._tell("aligning", self._run.progress.shares.get("aligning", 0) + 1 / len(self.storyboard.scenes))
        await self._save(scene)
        await self._run.enter("rendering", "rendering")
        while True:
            try:
                segment = await self._render(scene, frames)
                break
            except MediaUnreadable as error:
                scene = await self._another_clip(finder, scene, error)
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

    async def _render(self, scene: Scene, frames: int) -> Segment:
        brief = self._brief
        ass = ""
        if brief.captions.enabled and scene.words is not None:
            style = find_style(brief.style)
            ass = ass_text(
                self.captions[scene.index],
                width_px=brief.width_px,
                height_px=brief.height_px,
                position=brief.captions.position,
                colour=style.caption_colour,
                highlight=style.highlight_colour if brief.captions.highlight else None,
            )
        assert scene.clip is not None

        def progress(share: float) -> None:
            self._rendered[scene.index] = share
            self._tell("rendering", sum(self._rendered) / len(self._rendered))

        segment = await render_segment(
            self._run,
            brief,
            scene.clip,
            settings=self._producer.render,
            ffmpeg=await self._producer.ffmpeg.get(),
            frames=frames,
            ass=ass,
            index=scene.index,
            count=len(self.storyboard.scenes),
            progress=progress,
        )
        progress(1.0)
        return segment

    async def _save(self, scene: Scene) -> None:
        async with self._saving:
            scenes = list(self.storyboard.scenes)
            scenes[scene.index] = scene
            self.storyboard = replace(self.storyboard, scenes=tuple(scenes), degraded=tuple(self._run.substitutions))
            await self._keeper.save(self.storyboard)
