"""What a video is made with: the adapters that were chosen, and the place where its storyboard is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from vidgend.models import (
    Brief,
    Storyboard,
)
from vidgend.pipeline.about import about_of
from vidgend.pipeline.aligner.port import Aligner
from vidgend.pipeline.candidates_to_looks import JobLooks
from vidgend.pipeline.captions.fonts import FontCatalog
from vidgend.pipeline.encoder_probe import EncoderProbes
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.music.port import MusicLibrary
from vidgend.pipeline.planner.port import Planner, Rewriter, Translator
from vidgend.pipeline.relevance.port import ImageSimilarity, TextSimilarity
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_to_clip import ClipFinder
from vidgend.pipeline.scene_to_segment import RenderSettings
from vidgend.pipeline.scene_to_speech import Voicing
from vidgend.pipeline.shot_ends_ahead import EndsAhead
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.texts_to_similarity import JobSimilarity
from vidgend.pipeline.transcriber.port import Transcriber
from vidgend.store.assets.store import AssetStore


class StoryboardKeeper(Protocol):
    """Where the storyboard of this job is kept, so that a restart and a reader find it."""

    async def load(self) -> Storyboard | None: ...

    async def save(self, storyboard: Storyboard) -> None: ...

    async def recently_shown(self) -> Mapping[tuple[str, str], float]:
        """(provider, id) of what the owner's recent videos show, with how lately: 1 in the last, then less."""
        ...


@dataclass(frozen=True, kw_only=True)
class ChosenParts:
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

    async def finder(self, brief: Brief, run: JobRun, storyboard: Storyboard, keeper: StoryboardKeeper) -> ClipFinder:
        """What finds the clips of a storyboard's scenes."""
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

    def voicing(self, brief: Brief, storyboard: Storyboard) -> Voicing:
        """How the narration of a storyboard is spoken."""
        return Voicing(
            voice=brief.voice,
            language=brief.language or storyboard.language or None,
            speed=self.speed,
            pronunciations=self.pronunciations,
            listener=self.transcriber if self.listen else None,
        )
