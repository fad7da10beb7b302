"""Scenes that look for their clips over the real search and fetch steps, with providers for tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import media
from ready_database import ready

from vidgend.models import Brief, Candidate, Credit, Scene, Storyboard
from vidgend.pipeline.candidate_to_thumbnail import KIND as THUMBNAIL
from vidgend.pipeline.candidate_to_thumbnail import CandidateThumbnailStep
from vidgend.pipeline.candidates_to_looks import KIND as LOOK
from vidgend.pipeline.candidates_to_looks import JobLooks, LookStep
from vidgend.pipeline.executor.local import LocalExecutor
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.footage_search import FETCH, SEARCH, FetchStep, SearchStep
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.relevance.fake import FakeSimilarity
from vidgend.pipeline.relevance.port import ImageSimilarity, TextSimilarity
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_to_clip import ClipFinder
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.steps import StepStore


def candidate(name: str) -> Candidate:
    return Candidate(provider="fake", id=name, kind="video", description=name, credit=Credit(provider="fake"))


def clip_files(ffmpeg: str, folder: Path) -> dict[str, Path]:
    """A clip for each letter; no two of them look alike."""
    return {
        name: media.clip(
            ffmpeg, folder / f"{name}.mp4", seconds=0.5, size="160x90", extra=("-vf", f"rotate={number * 0.7:g}")
        )
        for number, name in enumerate("abcdefghi")
    }


def footage(files: Mapping[str, Path], *, name: str = "fake", bad: str = "", **answers: str) -> FakeFootage:
    """Each search finds the clips of these letters; those in `bad` cannot be fetched."""
    found = {text: tuple(replace(candidate(one), provider=name) for one in names) for text, names in answers.items()}
    return FakeFootage(found, {one: path for one, path in files.items() if one not in bad}, name=name)


def scenes(*queries: str, **more: Any) -> tuple[Scene, ...]:
    """A scene for each text, which may hold several searches."""
    return tuple(
        Scene(index=index, narration="", queries=tuple(text.split()), **more) for index, text in enumerate(queries)
    )


@asynccontextmanager
async def open_search(
    folder: Path,
    *providers: FootageProvider,
    clock: Callable[[], float] = time.time,
    looks: ImageSimilarity | None = None,
    notes: list[str] | None = None,
) -> AsyncIterator[tuple[JobRun, AssetStore]]:
    async def nothing(*_: Any) -> None:
        return None

    async def note(line: str) -> None:
        if notes is not None:
            notes.append(line)

    folder.mkdir(exist_ok=True)
    database = await Database.open(ready(folder / "db"), clock=clock)
    assets = await open_filesystem_assets(database, folder / "assets")
    tool = FfmpegTool()
    registry: dict[str, Any] = {SEARCH: SearchStep(providers), FETCH: FetchStep(providers, tool, assets)}
    if looks is not None:
        registry |= {THUMBNAIL: CandidateThumbnailStep(providers, tool, assets), LOOK: LookStep(looks, tool, assets)}
    executor = LocalExecutor(
        slots={"io": 8, "net": 4, "search": 4, "cpu": 1, "ffmpeg": 2}, registry=registry,
        steps=StepStore(database, assets, boot_id="test"), work=folder / "work",
    )  # fmt: skip
    run = JobRun(executor, job_id="", salt="", announce=nothing, note=note, progress=Progress())
    try:
        yield run, assets
    finally:
        await executor.aclose()
        await assets.aclose()
        await database.close()


def finder_for(
    run: JobRun,
    assets: AssetStore,
    wanted: tuple[Scene, ...],
    *providers: FootageProvider,
    review: bool = True,
    similarity: TextSimilarity | None = None,
    recent: Mapping[tuple[str, str], float] | None = None,
    mood: str | None = None,
    looks: ImageSimilarity | None = None,
) -> ClipFinder:
    board = Storyboard(title="", language="en", planner="", stretch=False, fps="30", scenes=wanted, mood=mood)
    brief = Brief(prompt="p", review=review, width_px=160, height_px=90)
    return ClipFinder(
        run=run, brief=brief, storyboard=board, providers=providers, unused={}, assets=assets,
        similarity=similarity or FakeSimilarity(), recent=recent or {},
        look=JobLooks(run, looks, providers=providers, ffmpeg=FfmpegTool()).rerank if looks is not None else None,
    )  # fmt: skip


async def search(
    run: JobRun, assets: AssetStore, wanted: tuple[Scene, ...], *providers: FootageProvider, **more: Any
) -> list[Scene]:
    """`more` is what `finder_for` takes."""
    finder = finder_for(run, assets, wanted, *providers, **more)
    async with asyncio.TaskGroup() as group:
        tasks = await finder.find(group)
    await finder.aclose()
    return [task.result() for task in tasks]


async def found(folder: Path, wanted: tuple[Scene, ...], *providers: FootageProvider, **more: Any) -> list[Scene]:
    """`more` is what `finder_for` takes."""
    async with open_search(folder, *providers, looks=more.get("looks")) as (run, assets):
        return await search(run, assets, wanted, *providers, **more)
