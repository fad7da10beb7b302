"""The video that is measured: ten scenes of six seconds, narrated, with captions and music. And vidgend, to make it.

The narration is made of tones of the length of its words, so that no voice has to be installed; the sound of a video
costs the same whatever is said.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from pydantic import TypeAdapter

from bench.measure import Used, used
from vidgend.models import Brief, Caption, Clip, Credit, Result, Scene, Storyboard
from vidgend.parts import Parts, wire
from vidgend.pipeline.aligner.proportional import Proportional
from vidgend.pipeline.captions_ass import CaptionScript
from vidgend.pipeline.clip_facts import examine
from vidgend.pipeline.encoders.select import find_encoder
from vidgend.pipeline.footage.generated import GeneratedFootage
from vidgend.pipeline.music.packaged import PackagedMusic
from vidgend.pipeline.planner.builtin import BuiltinPlanner
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.relevance.fake import FakeSimilarity
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.pipeline.video_text import burnt_captions, scene_captions, video_captions
from vidgend.settings import Settings
from vidgend.settings_sources import load_settings
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.jobs import JobStore
from vidgend.store.steps import StepStore

SCENE_S = 6
SAID = (
    "Morning light comes slowly over the hills",
    "Somebody opens the blinds and looks out",
    "Far away the dunes begin to move",
    "In the garden everything has waited for rain",
    "A green meadow runs down to the river",
    "One small ladybird climbs a blade of grass",
    "Then the storm arrives from the west",
    "The old wood stands and does not mind",
    "Cars carry their people home through the city",
    "And the water closes over the day",
)
"""One a scene: each is said in well under six seconds."""


def film_brief(**more: Any) -> Brief:
    """A request for the film: 1080p30, cinematic, everything else as by default."""
    values: dict[str, Any] = {"prompt": " ".join(SAID), "voice": "fake_a", "language": "en", **more}
    return Brief(**values)


@dataclass
class _Keeper:
    """The storyboard of one job, in memory."""

    storyboard: Storyboard | None = None

    async def load(self) -> Storyboard | None:
        return self.storyboard

    async def save(self, storyboard: Storyboard) -> None:
        self.storyboard = storyboard

    async def recently_shown(self) -> dict[tuple[str, str], float]:
        return {}


@dataclass
class Made:
    """A video that vidgend made, and what that took."""

    path: Path
    result: Result
    storyboard: Storyboard
    used: Used
    encodes: int
    """Segments and transitions that were encoded; 0 if all were there already."""


@dataclass
class Vidgend:
    """A whole vidgend without its server: store, steps and pipeline, in this process."""

    parts: Parts
    assets: AssetStore
    database: Database
    settings: Settings
    folder: Path
    _clips: dict[Path, Clip] = field(default_factory=dict)

    async def clip(self, path: Path) -> Clip:
        """A file as a clip of the store, looked at as a fetched one is."""
        if path not in self._clips:
            copy = self.folder / f"in-{path.name}"
            await asyncio.to_thread(shutil.copyfile, path, copy)
            examined = await examine(await self.parts.producer.ffmpeg.get(), copy)
            digest = await self.assets.put(copy)
            self._clips[path] = TypeAdapter(Clip).validate_python(
                {
                    "provider": "bench", "id": path.stem, "description": "", "query": "", "digest": digest,
                    "credit": Credit(provider="bench"), **examined,
                }
            )  # fmt: skip
        return self._clips[path]

    async def plan(self, brief: Brief, clips: Sequence[Path], *, scenes: int = len(SAID)) -> Storyboard:
        """The film's storyboard with its clips, its speech and its lengths: all but the rendering. The clips take
        turns; each scene lasts six seconds."""
        found = [await self.clip(clips[number % len(clips)]) for number in range(scenes)]
        # From the middle of long ones: of itself it might take a quiet part and then refuse it for standing still.
        chosen = [replace(one, in_point_s=max(0.0, ((one.duration_s or 0.0) - SCENE_S - 1) / 2)) for one in found]
        rows = tuple(
            Scene(
                index=number, id=f"s{number + 1}", narration=SAID[number % len(SAID)], queries=("bench",),
                min_duration_s=float(SCENE_S), clip=clip,
            )
            for number, clip in enumerate(chosen)
        )  # fmt: skip
        board = Storyboard(
            title="bench", language="en", planner="bench", stretch=False, fps=brief.fps, scenes=rows, mood="calm"
        )
        keeper = _Keeper(board)
        planned = await self.parts.producer.produce("plan", replace(brief, review=True), self._run("plan"), keeper)
        assert isinstance(planned, Storyboard)
        return planned

    async def render(self, brief: Brief, board: Storyboard) -> Made:
        """What a job does once its storyboard is complete: segments, transitions, sound, join, check, publishing."""
        jobs = JobStore(self.database, boot_id="bench", max_queued=1000)
        name, _ = await jobs.submit(brief, owner="")
        run, keeper = self._run(name), _Keeper(board)
        before = await self._encodes()
        with used() as spent:
            result = await self.parts.producer.produce(name, brief, run, keeper)
        assert isinstance(result, Result) and keeper.storyboard is not None
        if [scene.clip for scene in keeper.storyboard.scenes] != [scene.clip for scene in board.scenes]:
            raise SystemExit(f"the film was repaired, so it is another one: {result.report}")
        path = await self.assets.local(result.files["video"].digest)
        return Made(path, result, keeper.storyboard, spent, await self._encodes() - before)

    def captions(self, brief: Brief, board: Storyboard) -> CaptionScript:
        """What draws the captions of the whole video, in its own time."""
        return burnt_captions(brief, self.texts(brief, board), language="en", fonts=self.parts.producer.fonts)

    @staticmethod
    def texts(brief: Brief, board: Storyboard) -> tuple[Caption, ...]:
        """The same captions as text."""
        scenes = board.scenes
        return tuple(one for scene in scenes for one in video_captions(brief, scene, scene_captions(brief, scene)))

    def music(self) -> Path:
        """A track of the film's mood."""
        return self.parts.producer.music.tracks("calm", seed=0)[0].path

    def x264(self) -> tuple[str, int]:
        """(preset, crf) of the render, in x264's own terms."""
        chosen = self.parts.producer.render
        return find_encoder("libx264").scale.native(chosen.preset, chosen.crf)

    async def speech(self, board: Storyboard) -> list[Path]:
        """The sound files of the scenes' narration."""
        return [await self.assets.local(scene.speech.digest) for scene in board.scenes if scene.speech is not None]

    async def _encodes(self) -> int:
        (row,) = await self.database.read("SELECT count(*) FROM steps WHERE kind IN ('segment', 'transition')", ())
        return int(row[0])

    def _run(self, job_id: str) -> JobRun:
        async def nothing(*_: Any) -> None:
            return None

        return JobRun(self.parts.executor, job_id=job_id, salt="", announce=nothing, note=nothing, progress=Progress())


@asynccontextmanager
async def open_vidgend(folder: Path, **environ: str) -> AsyncIterator[Vidgend]:
    """On an empty store below `folder`; `environ` are settings as environment variables."""
    folder.mkdir(parents=True)
    settings = load_settings(environ={"VIDGEND_DATA_DIR": str(folder / "data"), **environ})
    database = await Database.open(folder / "bench.db")
    try:
        assets = await open_filesystem_assets(database, folder / "assets")
        client = httpx.AsyncClient()
        parts = wire(
            settings, assets, StepStore(database, assets, boot_id="bench"), work=folder / "work", client=client,
            planners=(BuiltinPlanner(),), providers=(GeneratedFootage(),), unused_providers={},
            engines=(FakeSpeech(),), aligners=(Proportional(),), music=PackagedMusic(),
            similarities=(FakeSimilarity(),),
        )  # fmt: skip
        yield Vidgend(parts, assets, database, settings, folder)
        await parts.aclose()
        await assets.aclose()
    finally:
        await database.close()
