"""A whole vidgend for tests: real store, real ffmpeg, real steps; the voices, clips and music are fakes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import media

from vidgend.http.wire import GenerateBody
from vidgend.models import Candidate, Credit, Result
from vidgend.observer import NOBODY
from vidgend.parts import Parts, wire
from vidgend.pipeline.aligner.port import Aligner
from vidgend.pipeline.aligner.proportional import Proportional
from vidgend.pipeline.budget.port import Budget
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.music.fake import FakeMusic
from vidgend.pipeline.music.port import MusicLibrary, Track
from vidgend.pipeline.planner.builtin import BuiltinPlanner
from vidgend.pipeline.planner.port import Planner, Rewriter, Translator
from vidgend.pipeline.relevance.fake import FakeSimilarity
from vidgend.pipeline.relevance.port import ImageSimilarity, TextSimilarity
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.pipeline.speech.port import SpeechEngine, Utterance
from vidgend.pipeline.transcriber.port import Transcriber
from vidgend.runtime import Runtime
from vidgend.settings import Settings
from vidgend.settings_sources import load_settings
from vidgend.store.assets.store import AssetStore
from vidgend.store.jobs import Job
from vidgend.store.steps import StepStore

SMALL = {"resolution": None, "voice": "fake_a", "quality": "draft"}


def settings_for(folder: Path, **environ: str) -> Settings:
    return load_settings(
        environ={
            "VIDGEND_DATA_DIR": str(folder), "VIDGEND_RENDER__RESOLUTION": "320x180", "VIDGEND_SPEECH__VOICE": "fake_a",
            "VIDGEND_RENDER__PRESET": "ultrafast", **environ,
        }
    )  # fmt: skip


class Heard(FakeSpeech):
    """Remembers what it was given to say."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    async def synthesize(self, text: str, **more: Any) -> Utterance:
        self.texts.append(text)
        return await super().synthesize(text, **more)


def candidate(name: str, *, provider: str = "fake") -> Candidate:
    credit = Credit(provider=provider, author="Ada", page_url=f"https://x.example/{name}", licence="test")
    return Candidate(provider=provider, id=name, kind="video", description=name, credit=credit)


def clips(ffmpeg: str, folder: Path, count: int, *, seconds: float = 3.0) -> dict[str, Path]:
    """No two of them look alike, or one of them would count as a repeat."""
    folder.mkdir(exist_ok=True)
    return {
        f"clip{number}": media.clip(
            ffmpeg, folder / f"clip{number}.mp4", seconds=seconds, size="320x180",
            extra=("-vf", f"rotate={number * 0.7:g}"),
        )
        for number in range(count)
    }  # fmt: skip


def fake_footage(files: dict[str, Path], *, name: str = "fake") -> FakeFootage:
    return FakeFootage({"*": tuple(candidate(clip, provider=name) for clip in files)}, files, name=name)


def builder(
    *,
    providers: tuple[FootageProvider, ...],
    engines: tuple[SpeechEngine, ...] | None = None,
    planners: tuple[Planner, ...] | None = None,
    music: Path | None = None,
    library: MusicLibrary | None = None,
    unused: dict[str, str] | None = None,
    translator: Translator | None = None,
    rewriter: Rewriter | None = None,
    transcriber: Transcriber | None = None,
    aligners: tuple[Aligner, ...] | None = None,
    similarity: TextSimilarity | None = None,
    looks: ImageSimilarity | None = None,
) -> Callable[..., Parts]:
    def build(
        settings: Settings, assets: AssetStore, steps: StepStore, *, work: Path, budget: Budget | None = None
    ) -> Parts:
        tracks = (Track(path=music, place=music.name, title="tone", mood="calm", licence="test"),) if music else ()
        return wire(
            settings, assets, steps, work=work, client=httpx.AsyncClient(), planners=planners or (BuiltinPlanner(),),
            providers=providers, unused_providers=unused or {}, engines=engines or (FakeSpeech(),),
            aligners=aligners or (Proportional(),), music=library or FakeMusic(tracks), translator=translator,
            transcriber=transcriber, similarities=(similarity or FakeSimilarity(),), rewriter=rewriter, looks=looks,
        )  # fmt: skip

    return build


@asynccontextmanager
async def workshop(folder: Path, **parts: Any) -> AsyncIterator[Runtime]:
    settings, observer = parts.pop("settings", None) or settings_for(folder), parts.pop("observer", NOBODY)
    async with Runtime.open(settings, build=builder(**parts), observer=observer) as runtime:
        yield runtime


async def finished(runtime: Runtime, job_id: str, *, within_s: float = 120) -> Job:
    """The job once it has ended, or awaits its review."""
    async with asyncio.timeout(within_s):
        while not (job := await runtime.jobs.get(job_id)).ended and job.state != "awaiting_review":
            await asyncio.sleep(0.05)
    return job


async def make(runtime: Runtime, **body: Any) -> Job:
    return await finished(runtime, await runtime.submit_generate(GenerateBody(**body)))


def result(job: Job) -> Result:
    """Of a job that is completed."""
    assert job.state == "completed", job.error
    assert isinstance(job.result, Result)
    return job.result


async def finished_steps(runtime: Runtime) -> Counter[str]:
    """The steps that were ever finished, by kind."""
    rows = await runtime.database.read("SELECT kind, count(*) FROM steps WHERE state = 'done' GROUP BY kind")
    return Counter(dict(rows))


async def encodes(runtime: Runtime) -> Counter[str]:
    """Segments and transitions that were ever made."""
    steps = await finished_steps(runtime)
    return Counter({kind: steps[kind] for kind in ("segment", "transition") if steps[kind]})
