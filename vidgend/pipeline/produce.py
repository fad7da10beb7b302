"""A job from brief to result. The only file that knows the order of the stages.

Stages overlap: a scene renders as soon as its own picture, words and length are known, while others are still
narrated or fetched. Only a video that is stretched to a wished length waits for all of its narration first.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from vidgend.errors import MediaUnreadable, NoFootage, StepError
from vidgend.models import (
    Brief,
    Caption,
    PrefetchBrief,
    Result,
    Scene,
    Segment,
    Storyboard,
)
from vidgend.pipeline.about import about_of
from vidgend.pipeline.aligner.port import Aligner
from vidgend.pipeline.candidates_to_looks import JobLooks
from vidgend.pipeline.captions.fit import CaptionFit
from vidgend.pipeline.captions.fonts import FontCatalog
from vidgend.pipeline.card_length import card_frames
from vidgend.pipeline.credits import credits_of, song_credits
from vidgend.pipeline.credits_to_card import make_card
from vidgend.pipeline.encoder_probe import EncoderProbes
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.music.port import MusicLibrary
from vidgend.pipeline.narration_to_length import fit_narration, length_report
from vidgend.pipeline.planner.port import Planner, Rewriter, Translator
from vidgend.pipeline.prefetch import prefetch_queries, prefetch_storyboard
from vidgend.pipeline.prompt_to_storyboard import make_storyboard
from vidgend.pipeline.recording_to_storyboard import found_again, make_recorded_storyboard, not_recorded
from vidgend.pipeline.relevance.port import ImageSimilarity, TextSimilarity
from vidgend.pipeline.repair import repaired
from vidgend.pipeline.run import JobRun, first_cause
from vidgend.pipeline.scene_lengths import SceneLengths
from vidgend.pipeline.scene_to_clip import ClipFinder
from vidgend.pipeline.scene_to_segment import RenderSettings, encoding_args, render_segment
from vidgend.pipeline.scene_to_shot import lay_out
from vidgend.pipeline.scene_to_speech import Voicing, speak
from vidgend.pipeline.scenes_to_transition import render_transition
from vidgend.pipeline.segments_to_video import join_video, pieces_of
from vidgend.pipeline.shot_ends import End
from vidgend.pipeline.shot_ends_ahead import EndsAhead
from vidgend.pipeline.shot_picture import ShotPicture
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.speech_and_music_to_sound import Sound, make_sound
from vidgend.pipeline.speech_to_words import find_words
from vidgend.pipeline.storyboard_to_outputs import Unkept, main_run, make_outputs, plan_outputs
from vidgend.pipeline.storyboard_to_thumbnails import make_thumbnails
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.texts_to_similarity import JobSimilarity
from vidgend.pipeline.transcriber.port import Transcriber
from vidgend.pipeline.video_encoder import VideoEncoder, choose_encoder
from vidgend.pipeline.video_text import (
    scene_captions,
    undrawn_text,
)
from vidgend.pipeline.video_to_report import CheckedVideo, check_video
from vidgend.pipeline.video_to_result import publish_results
from vidgend.store.assets.store import AssetStore

FOUND_WITHIN_S = 0.3
"""What is not found done in that time after its neighbour is being encoded."""


class StoryboardKeeper(Protocol):
    """Where the storyboard of this job is kept, so that a restart and a reader find it."""

    async def load(self) -> Storyboard | None: ...

    async def save(self, storyboard: Storyboard) -> None: ...

    async def recently_shown(self) -> Mapping[tuple[str, str], float]:
        """(provider, id) of what the owner's recent videos show, with how lately: 1 in the last, then less."""
        ...


@dataclass(frozen=True, kw_only=True)
class Producer:
    """The pipeline with its parts chosen. Planners, engines and aligners are in order of preference; without a
    `translator` there are other languages only for those who bring the words, and without a `transcriber` voice-overs
    only for those who bring the script."""

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
    similarities: Sequence[TextSimilarity]
    looks: ImageSimilarity | None = None
    translator: Translator | None = None
    rewriter: Rewriter | None = None
    transcriber: Transcriber | None = None
    ends_ahead: EndsAhead | None = None
    speed: float = 1.0
    listen: bool = False
    describe: bool = True
    """Whether a text to put under the video is written beside it."""
    pronunciations: Mapping[str, str] = field(default_factory=dict)
    probes: EncoderProbes = field(default_factory=EncoderProbes)

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
                return await self._review(brief, main_run(run, brief), keeper, storyboard)

            async def make(run: JobRun, brief: Brief, storyboard: Storyboard) -> CheckedVideo:
                kept = keeper if run.output == 0 else Unkept(keeper)
                video = await self._make(brief, run, kept, storyboard)
                # What a repair tries is kept only once it was better: a restart in the middle finds the video again.
                again = partial(self._make, brief, run, Unkept(keeper))
                return await repaired(run, video, make=again, keep=kept.save)

            videos = await make_outputs(run, brief, storyboard, translator=self.translator, make=make)
        except BaseExceptionGroup as group:
            raise first_cause(group) from group
        return await publish_results(
            job_id, videos, assets=self.assets, scratch=self.scratch, describe=self.describe
        )  # fmt: skip

    async def prefetch(self, wanted: PrefetchBrief, run: JobRun, keeper: StoryboardKeeper) -> dict[str, Any]:
        """Fetch clips ahead of time. Answers them and what failed. Raises: VidgendError."""
        brief = wanted.brief
        if brief is None:
            return await prefetch_queries(run, wanted, self.providers, self.unused_providers)
        storyboard = wanted.storyboard
        if storyboard is None:
            await run.enter("planning", "planning the scenes")
            storyboard = await self._plan(brief, run)
        finder = await self._finder(brief, run, storyboard, keeper)
        return await prefetch_storyboard(run, wanted, storyboard, finder)

    async def _finder(self, brief: Brief, run: JobRun, storyboard: Storyboard, keeper: StoryboardKeeper) -> ClipFinder:
        about = await asyncio.to_thread(about_of, brief, storyboard)
        look = None
        if self.looks is not None:
            look = JobLooks(run, self.looks, providers=self.providers, ffmpeg=self.ffmpeg).rerank
        return ClipFinder(
            run=run,
            brief=brief,
            storyboard=storyboard,
            providers=self.providers,
            unused=self.unused_providers,
            assets=self.assets,
            similarity=JobSimilarity(run, self.similarities),
            look=look,
            about=about,
            recent=await keeper.recently_shown(),
        )

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

    def voicing(self, brief: Brief, storyboard: Storyboard) -> Voicing:
        """How the narration of a storyboard is spoken."""
        return Voicing(
            voice=brief.voice,
            language=brief.language or storyboard.language or None,
            speed=self.speed,
            pronunciations=self.pronunciations,
            listener=self.transcriber if self.listen else None,
        )

    async def _review(self, brief: Brief, run: JobRun, keeper: StoryboardKeeper, storyboard: Storyboard) -> Storyboard:
        run.plan_video(brief, storyboard, encoding_args(brief, self.render))
        await run.enter("retrieving", f"{len(storyboard.scenes)} scenes planned; looking for footage")
        return await _Making(self, brief, run, keeper, storyboard).storyboard_for_review()

    async def _make(self, brief: Brief, run: JobRun, keeper: StoryboardKeeper, storyboard: Storyboard) -> CheckedVideo:
        """The video of a storyboard, looked at. What was made before is found finished."""
        run.plan_video(brief, storyboard, encoding_args(brief, self.render))
        await run.enter("retrieving", f"{len(storyboard.scenes)} scenes planned; looking for footage")
        making = _Making(self, brief, run, keeper, storyboard)
        try:
            _, bodies, between = await making.all_scenes()
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
        self._spoken: list[asyncio.Future[int]] = []
        self._shots: list[asyncio.Future[ShotPicture]] = []
        """Of each scene, once it is known: what its body and its transitions are made of."""
        self.lengths = SceneLengths(brief, storyboard, self._spoken)
        self.sound: Sound | None = None
        self.card: tuple[Segment, ...] = ()
        """The closing card, if there is one."""
        self.encoder = VideoEncoder(run, brief, wanted=producer.render, ffmpeg=producer.ffmpeg, probes=producer.probes)
        self._saving = asyncio.Lock()
        self._unsaved = False

    async def all_scenes(self) -> tuple[tuple[Scene, ...], tuple[Segment, ...], tuple[Segment | None, ...]]:
        """Every scene complete; the segments of all scenes, and of all transitions between them (None for a cut).

        One failure stops all of them.
        """
        async with aclosing(await self._begin()) as finder:
            return await self._all_scenes(finder)

    def caption_fits(self) -> list[CaptionFit | None]:
        """How the captions of each scene lie in the picture, once all scenes are made."""
        return [shot.result().fit for shot in self._shots]

    async def storyboard_for_review(self) -> Storyboard:
        """Every scene with its clip, its speech and its place in the video; nothing is encoded."""
        async with aclosing(await self._begin()) as finder, asyncio.TaskGroup() as group:
            words, clips = await self._words_and_clips(finder, group)
            ready = [group.create_task(self._ready(*both)) for both in zip(clips, words, strict=True)]
        await self._keep(tuple(task.result() for task in ready))
        self.storyboard = await make_thumbnails(
            self._run, self._brief, self.storyboard, providers=self._producer.providers, ffmpeg=self._producer.ffmpeg
        )
        await self._keeper.save(self.storyboard)
        return self.storyboard

    async def _begin(self) -> ClipFinder:
        loop = asyncio.get_running_loop()
        scenes = self.storyboard.scenes
        self._spoken += [loop.create_future() for _ in scenes]
        self._shots += [loop.create_future() for _ in scenes]
        return await self._producer._finder(self._brief, self._run, self.storyboard, self._keeper)

    async def _words_and_clips(
        self, finder: ClipFinder, group: asyncio.TaskGroup
    ) -> tuple[list[asyncio.Task[Scene]], list[asyncio.Task[Scene]]]:
        scenes = self.storyboard.scenes
        words = [group.create_task(self._speak(scene), name=f"speech of scene {scene.index + 1}") for scene in scenes]
        return words, await finder.find(group)

    async def _keep(self, scenes: tuple[Scene, ...]) -> None:
        """Save the storyboard with every scene at its place."""
        start = 0
        placed = []
        for scene in scenes:
            placed.append(replace(scene, start_frame=start))
            start += scene.frames or 0
        self.storyboard = replace(self.storyboard, scenes=tuple(placed), degraded=tuple(self._run.substitutions))
        await self._keeper.save(self.storyboard)

    async def _all_scenes(
        self, finder: ClipFinder
    ) -> tuple[tuple[Scene, ...], tuple[Segment, ...], tuple[Segment | None, ...]]:
        async with asyncio.TaskGroup() as group:
            words, clips = await self._words_and_clips(finder, group)
            segments = [
                group.create_task(self._segment(finder, clip, word), name=f"segment {number + 1}")
                for number, (clip, word) in enumerate(zip(clips, words, strict=True))
            ]
            transitions = [
                group.create_task(self._transition(number, both), name=f"transition {number + 1}")
                for number, both in enumerate(itertools.pairwise(segments))
            ]
            sound = group.create_task(self._sound(words), name="sound")
            card = group.create_task(self._card(segments, sound), name="closing card")
        self.sound, self.card = sound.result(), card.result()
        self.storyboard = replace(self.storyboard, songs=song_credits(self.sound.music))
        done = [task.result() for task in segments]
        await self._keep(tuple(scene for scene, _ in done))
        bodies, between = tuple(segment for _, segment in done), tuple(task.result() for task in transitions)
        if self.encoder.gave_up:
            bodies, between = await self._all_in_software(between)
            self.card = await self._render_card(self.storyboard.scenes, self.sound)
        return self.storyboard.scenes, bodies, between

    async def _all_in_software(
        self, between: tuple[Segment | None, ...]
    ) -> tuple[tuple[Segment, ...], tuple[Segment | None, ...]]:
        """Every segment by the encoder that took over; those that it has made already are found."""
        shots = [shot.result() for shot in self._shots]

        async def nothing() -> None:
            return None

        async with asyncio.TaskGroup() as group:
            bodies = [group.create_task(self._render(shot)) for shot in shots]
        async with asyncio.TaskGroup() as group:
            transitions = [
                group.create_task(self._render_between(*both) if old else nothing())
                for old, both in zip(between, itertools.pairwise(shots), strict=True)
            ]
        return tuple(task.result() for task in bodies), tuple(task.result() for task in transitions)

    async def _speak(self, scene: Scene) -> Scene:
        """Narrate a scene and time its words."""
        try:
            given = self._brief.narration_audio
            if given is not None and scene.recorded and scene.speech is not None:
                scene = replace(scene, speech=await found_again(self._run, given, scene.speech))
            elif scene.narration.strip():
                voicing = self._producer.voicing(self._brief, self.storyboard)
                speech = await speak(self._run, scene, voicing, self._producer.engines)
                scene = replace(scene, speech=speech)
                if given is not None:
                    await self._run.substitute(not_recorded(scene))
            self._spoken[scene.index].set_result(scene.speech.samples if scene.speech else 0)
        except BaseException:
            self._spoken[scene.index].cancel()
            raise
        if scene.speech is not None and not scene.recorded:
            words = await find_words(
                self._run,
                scene,
                scene.speech,
                language=self.storyboard.language,
                pronunciations=self._producer.pronunciations,
                aligners=self._producer.aligners,
            )
            scene = replace(scene, words=words)
        return scene

    async def _sound(self, words: list[asyncio.Task[Scene]]) -> Sound:
        """The sound of the video, begun as soon as all lengths are known."""
        scenes = [replace(await word, frames=await self.lengths.frames(at)) for at, word in enumerate(words)]
        mood = self.storyboard.mood or find_style(self._brief.style).mood
        card = card_frames(self._brief, len(scenes))
        return await make_sound(
            self._run, self._brief, scenes, music=self._producer.music, mood=mood, more_frames=card
        )  # fmt: skip

    async def _card(
        self, segments: Sequence[asyncio.Task[tuple[Scene, Segment]]], sound: asyncio.Task[Sound]
    ) -> tuple[Segment, ...]:
        """Rendered when the clips of all scenes are what they stay."""
        return await self._render_card([(await segment)[0] for segment in segments], await sound)

    async def _render_card(self, scenes: Sequence[Scene], sound: Sound) -> tuple[Segment, ...]:
        if not self._brief.credits_card:
            return ()
        card = await make_card(
            self._run,
            self._brief,
            credits_of(self._brief, scenes, song_credits(sound.music)),
            language=self.storyboard.language,
            scenes=len(scenes),
            fonts=self._producer.fonts,
            encoder=self.encoder,
            ffmpeg=await self._producer.ffmpeg.get(),
        )
        return (card,)

    async def _ready(self, clip: asyncio.Task[Scene], spoken: asyncio.Task[Scene]) -> Scene:
        """A scene of which everything is known."""
        with_clip = await clip
        assert with_clip.clip is not None
        self._run.progress.found(with_clip.index, with_clip.clip.kind)
        await self._run.enter("narrating", "footage found; narrating")
        with_words = await spoken
        frames = await self.lengths.frames(with_words.index)
        scene = replace(
            with_words, clip=with_clip.clip, choice=with_clip.choice, candidates=with_clip.candidates,
            why=with_clip.why, ranking=with_clip.ranking, frames=frames,
        )  # fmt: skip
        self.captions[scene.index] = await asyncio.to_thread(scene_captions, self._brief, scene)
        await self._run.enter("aligning", "placing the words")
        await self._save(scene)
        return scene

    async def _segment(
        self, finder: ClipFinder, clip: asyncio.Task[Scene], spoken: asyncio.Task[Scene]
    ) -> tuple[Scene, Segment]:
        scene = await self._ready(clip, spoken)
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
        self._run.scene_done()
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
        shown, undrawn = await lay_out(
            self._brief,
            scene,
            self.captions[scene.index],
            language=self.storyboard.language,
            shot=await self.lengths.shot(scene.index),
            fonts=self._producer.fonts,
        )
        if undrawn:
            await self._run.substitute(undrawn_text(undrawn))
        return shown

    def _replace_shot(self, shot: ShotPicture) -> None:
        self._shots[shot.index] = asyncio.get_running_loop().create_future()
        self._shots[shot.index].set_result(shot)

    async def _render(self, shot: ShotPicture) -> Segment:
        ffmpeg = await self._producer.ffmpeg.get()
        return await self.encoder.make(
            lambda settings: render_segment(
                self._run, self._brief, shot, settings=settings, ffmpeg=ffmpeg, count=len(self.storyboard.scenes)
            )
        )

    async def _render_between(self, left: ShotPicture, right: ShotPicture) -> Segment:
        ffmpeg = await self._producer.ffmpeg.get()
        kind = self.lengths.wish.kind
        return await self.encoder.make(
            lambda settings: render_transition(
                self._run, self._brief, left, right, kind=kind, settings=settings, ffmpeg=ffmpeg
            )
        )

    async def _transition(
        self, index: int, bodies: tuple[asyncio.Task[tuple[Scene, Segment]], asyncio.Task[tuple[Scene, Segment]]]
    ) -> Segment | None:
        """The transition after scene `index`, made right after the bodies of both: they leave the frames for it."""
        left, right = [await asyncio.shield(self._shots[number]) for number in (index, index + 1)]
        overlap = left.shot.tail
        if self.lengths.shortened(overlap):
            length = f"shortened to {overlap} frames" if overlap else "left out"
            await self._run.note(f"transition {index + 1} is {length}: the scenes beside it are too short for more")
        if not overlap:
            return None
        await self._end_ahead(index, bodies)
        for body in bodies:
            await body
        left, right = [self._shots[number].result() for number in (index, index + 1)]  # it may have another clip now
        try:
            return await self._render_between(left, right)
        except MediaUnreadable as error:
            raise StepError(f"transition {index + 1}: {error.detail}", tail=error.tail) from error

    async def _end_ahead(self, index: int, bodies: Sequence[asyncio.Task[tuple[Scene, Segment]]]) -> None:
        """While one of two bodies is there and the other is not yet, make the end of the former for the transition
        after scene `index`, if an encode's place is free for it."""
        ahead = self._producer.ends_ahead
        await asyncio.wait(bodies, return_when=asyncio.FIRST_COMPLETED)
        _, missing = await asyncio.wait(bodies, timeout=FOUND_WITHIN_S)
        if ahead is None or len(missing) != 1:
            return
        number = 0 if bodies[1] in missing else 1
        if bodies[number].cancelled() or bodies[number].exception() is not None:
            return
        end: End = "tail" if number == 0 else "head"
        shot = self._shots[index + number].result()  # of the clip that the body shows
        making = asyncio.create_task(
            ahead.make(self._brief, shot, end, await self.encoder.settings(), priority=-len(self.storyboard.scenes))
        )
        try:
            await asyncio.wait({making, *missing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            making.cancel()
            await asyncio.wait({making})

    async def _save(self, scene: Scene) -> None:
        """Those that come while another one is being saved are saved together."""
        scenes = list(self.storyboard.scenes)
        scenes[scene.index] = scene
        self.storyboard = replace(self.storyboard, scenes=tuple(scenes), degraded=tuple(self._run.substitutions))
        self._unsaved = True
        async with self._saving:
            if self._unsaved:
                self._unsaved = False
                await self._keeper.save(self.storyboard)
