"""How long each scene of a job is, as soon as that can be known; and with that, which frames are whose."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vidgend.models import Brief, Scene, Storyboard, Transition
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.timeline import (
    SceneNeed,
    Shot,
    fits_anywhere,
    needed_frames,
    shot_of,
    stretched_frames,
    transition_frames,
    wished_frames,
)

ROOMY_FRAMES = 1_000_000
"""Of a scene that has room for the transition, however long it will be."""


class SceneLengths:
    """Waits for as little narration as the answer needs. `spoken` are the samples of each scene's speech, to come."""

    def __init__(self, brief: Brief, storyboard: Storyboard, spoken: Sequence[asyncio.Future[int]]) -> None:
        self._brief = brief
        self._scenes = storyboard.scenes
        self._stretch = storyboard.stretch and not storyboard.edited
        self._spoken = spoken
        self._style = find_style(brief.style)
        self.wish: Transition = brief.transitions or self._style.transition

    async def frames(self, index: int) -> int:
        """The scene's own need (as long as before, if it was edited), or its share of the wished length once all speech
        is known."""
        fps = self._brief.frame_rate
        if not self._stretch:
            samples = await asyncio.shield(self._spoken[index])
            scene = self._scenes[index]
            return max(needed_frames(index, len(self._scenes), self._need(scene, samples), fps), scene.kept_frames or 0)
        samples_of_all = await asyncio.gather(*(asyncio.shield(future) for future in self._spoken))
        needs = tuple(self._need(one, samples) for one, samples in zip(self._scenes, samples_of_all, strict=True))
        return stretched_frames(needs, fps, self._brief.duration_s)[index]

    async def overlap(self, index: int) -> int:
        """Frames of the transition after scene `index`; 0 for a cut."""
        count, fps = len(self._scenes), self._brief.frame_rate
        if not 0 <= index < count - 1:
            return 0
        roomy = fits_anywhere(self.wish, self._style.pace, fps)
        # A piece of a voice-over may be shorter than what a voice speaks, and its length is known.
        before, after = [
            ROOMY_FRAMES if roomy and not self._scenes[at].recorded else await self.frames(at)
            for at in (index, index + 1)
        ]
        lengths = (before, after)
        return transition_frames(self.wish, index, count, lengths, fps)

    async def shot(self, index: int) -> Shot:
        before, after = await self.overlap(index - 1), await self.overlap(index)
        return shot_of(await self.frames(index), before=before, after=after)

    def shortened(self, overlap: int) -> bool:
        """Whether a transition of `overlap` frames is less than the request asked for."""
        return self._brief.transitions is not None and overlap < wished_frames(self.wish, self._brief.frame_rate)

    def _need(self, scene: Scene, samples: int) -> SceneNeed:
        return SceneNeed(
            speech_samples=samples,
            min_duration_s=scene.min_duration_s,
            pace=self._style.pace,
            recorded=scene.recorded,
        )
