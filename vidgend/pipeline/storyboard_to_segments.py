"""Storyboard -> every scene complete, the segments of all of them and of what lies between them, and the sound.

Stages overlap: a scene renders as soon as its own picture, words and length are known, while others are still
narrated or fetched. Only a video that is stretched to a wished length waits for all of its narration first.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from vidgend.errors import MediaUnreadable, NoFootage, StepError
from vidgend.models import Brief, Caption, Scene, Segment, Storyboard
from vidgend.pipeline.captions.fit import CaptionFit
from vidgend.pipeline.card_length import card_frames
from vidgend.pipeline.chosen_parts import ChosenParts, StoryboardKeeper
from vidgend.pipeline.credits import credits_of, song_credits
from vidgend.pipeline.credits_to_card import make_card
from vidgend.pipeline.recording_to_storyboard import found_again, not_recorded
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_lengths import SceneLengths
from vidgend.pipeline.scene_to_clip import ClipFinder
from vidgend.pipeline.scene_to_segment import render_segment
from vidgend.pipeline.scene_to_shot import lay_out
from vidgend.pipeline.scene_to_speech import speak
from vidgend.pipeline.scenes_to_transition import render_transition
from vidgend.pipeline.shot_ends import End
from vidgend.pipeline.shot_picture import ShotPicture
from vidgend.pipeline.speech_and_music_to_sound import Sound, make_sound
from vidgend.pipeline.speech_to_words import find_words
from vidgend.pipeline.storyboard_to_thumbnails import make_thumbnails
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.video_encoder import VideoEncoder
from vidgend.pipeline.video_text import scene_captions, undrawn_text

FOUND_WITHIN_S = 0.3
"""What is not found done in that time after its neighbour is being encoded."""


class Making:
    """The scenes of one video, made side by side."""

    def __init__(
        self, parts: ChosenParts, brief: Brief, run: JobRun, keeper: StoryboardKeeper, storyboard: Storyboard
    ) -> None:
        self._parts = parts
        self._brief = brief
        self._run = run
        self._keeper = keeper
        self.storyboard = storyboard
        loop, count = asyncio.get_running_loop(), len(storyboard.scenes)
        self.captions: list[tuple[Caption, ...]] = [()] * count
        """Of each scene, in its own time."""
        self._spoken: list[asyncio.Future[int]] = [loop.create_future() for _ in range(count)]
        """Samples of speech of each scene."""
        self._shots: list[asyncio.Future[ShotPicture]] = [loop.create_future() for _ in range(count)]
        """Of each scene, once it is known: what its body and its transitions are made of."""
        self.lengths = SceneLengths(brief, storyboard, self._spoken)
        self.sound: Sound | None = None
        self.card: tuple[Segment, ...] = ()
        """The closing card, if there is one."""
        self.encoder = VideoEncoder(run, brief, wanted=parts.render, ffmpeg=parts.ffmpeg, probes=parts.probes)
        self._saving = asyncio.Lock()
        self._unsaved = False

    async def all_segments(self) -> tuple[tuple[Segment, ...], tuple[Segment | None, ...]]:
        """The segments of all scenes, and of all transitions between them (None for a cut). Then every scene is
        complete, and `sound` and `card` are there.

        One failure stops all of them.
        """
        async with aclosing(await self._finder()) as finder, asyncio.TaskGroup() as group:
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
        return bodies, between

    def caption_fits(self) -> list[CaptionFit | None]:
        """How the captions of each scene lie in the picture, once all scenes are made."""
        return [shot.result().fit for shot in self._shots]

    async def storyboard_for_review(self) -> Storyboard:
        """Every scene with its clip, its speech and its place in the video; nothing is encoded."""
        async with aclosing(await self._finder()) as finder, asyncio.TaskGroup() as group:
            words, clips = await self._words_and_clips(finder, group)
            ready = [group.create_task(self._ready(*both)) for both in zip(clips, words, strict=True)]
        await self._keep(tuple(task.result() for task in ready))
        self.storyboard = await make_thumbnails(
            self._run, self._brief, self.storyboard, providers=self._parts.providers, ffmpeg=self._parts.ffmpeg
        )
        await self._keeper.save(self.storyboard)
        return self.storyboard

    async def _finder(self) -> ClipFinder:
        return await self._parts.finder(self._brief, self._run, self.storyboard, self._keeper)

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
                voicing = self._parts.voicing(self._brief, self.storyboard)
                speech = await speak(self._run, scene, voicing, self._parts.engines)
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
                pronunciations=self._parts.pronunciations,
                aligners=self._parts.aligners,
            )
            scene = replace(scene, words=words)
        return scene

    async def _sound(self, words: list[asyncio.Task[Scene]]) -> Sound:
        """The sound of the video, begun as soon as all lengths are known."""
        scenes = [replace(await word, frames=await self.lengths.frames(at)) for at, word in enumerate(words)]
        mood = self.storyboard.mood or find_style(self._brief.style).mood
        card = card_frames(self._brief, len(scenes))
        return await make_sound(
            self._run, self._brief, scenes, music=self._parts.music, mood=mood, more_frames=card
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
            fonts=self._parts.fonts,
            encoder=self.encoder,
            ffmpeg=await self._parts.ffmpeg.get(),
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
            fonts=self._parts.fonts,
        )
        if undrawn:
            await self._run.substitute(undrawn_text(undrawn))
        return shown

    def _replace_shot(self, shot: ShotPicture) -> None:
        self._shots[shot.index] = asyncio.get_running_loop().create_future()
        self._shots[shot.index].set_result(shot)

    async def _render(self, shot: ShotPicture) -> Segment:
        ffmpeg = await self._parts.ffmpeg.get()
        return await self.encoder.make(
            lambda settings: render_segment(
                self._run, self._brief, shot, settings=settings, ffmpeg=ffmpeg, count=len(self.storyboard.scenes)
            )
        )

    async def _render_between(self, left: ShotPicture, right: ShotPicture) -> Segment:
        ffmpeg = await self._parts.ffmpeg.get()
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
        ahead = self._parts.ends_ahead
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
