"""Comparing texts as a step: once for the same texts, in the place of an encode, and by words when the model fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ready_database import ready

from vidgend.errors import StepError
from vidgend.pipeline.executor.local import LocalExecutor
from vidgend.pipeline.executor.port import Label
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.relevance.bm25 import Bm25Similarity
from vidgend.pipeline.relevance.port import TextSimilarity
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.texts_to_similarity import KIND, JobSimilarity, SimilarityStep
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.database import Database
from vidgend.store.steps import StepStore


class Model:
    """One that runs on the cores. `fails` is what it raises."""

    name = "embeddings"
    label: Label | None = "cpu"

    def __init__(self, identity: str = "model", fails: Exception | None = None) -> None:
        self.identity = identity
        self._fails = fails
        self.asked = 0
        self.closed = 0

    async def compare(self, wanted: Sequence[str], described: Sequence[str]) -> list[list[float]]:
        self.asked += 1
        if self._fails is not None:
            raise self._fails
        return [[0.123456 for _ in described] for _ in wanted]

    async def aclose(self) -> None:
        self.closed += 1


@asynccontextmanager
async def job(folder: Path, *similarities: TextSimilarity) -> AsyncIterator[tuple[JobRun, LocalExecutor]]:
    async def nothing(*_: Any) -> None:
        return None

    async def unload(label: Label) -> None:
        for one in similarities:
            if one.label == label:
                await one.aclose()

    folder.mkdir(exist_ok=True)
    database = await Database.open(ready(folder / "db"))
    assets = await open_filesystem_assets(database, folder / "assets")
    executor = LocalExecutor(
        slots={"cpu": 1, "ffmpeg": 2}, registry={KIND: SimilarityStep(similarities)},
        steps=StepStore(database, assets, boot_id="test"), work=folder / "work", unload=unload,
    )  # fmt: skip
    try:
        yield JobRun(executor, job_id="", salt="", announce=nothing, note=nothing, progress=Progress()), executor
    finally:
        await executor.aclose()
        await assets.aclose()
        await database.close()


async def test_the_same_texts_are_compared_once_and_by_another_model_again(tmp_path: Path) -> None:
    model = Model()
    async with job(tmp_path, model) as (run, _):
        similarity = JobSimilarity(run, [model, Bm25Similarity()])
        rows = await similarity.compare(["waves"], ["sea", "dog"])
        assert rows == await similarity.compare(["waves"], ["sea", "dog"]) == [[0.1235, 0.1235]]
        assert (model.asked, run.steps_run, run.steps_reused) == (1, 1, 1)
        await similarity.compare(["waves"], ["sea", "cat"])
        assert model.asked == 2
        assert similarity.name == "embeddings"
    another = Model("another")
    async with job(tmp_path, another) as (run, _):
        await JobSimilarity(run, [another, Bm25Similarity()]).compare(["waves"], ["sea", "dog"])
        assert another.asked == 1


async def test_words_are_no_step(tmp_path: Path) -> None:
    async with job(tmp_path) as (run, _):
        similarity = JobSimilarity(run, [Bm25Similarity()])
        assert (await similarity.compare(["ocean waves"], ["ocean waves"]))[0][0] > 0.5
        assert (run.steps_run, run.substitutions) == (0, [])


async def test_a_model_that_fails_is_given_up_for_the_job_and_the_reason_told(tmp_path: Path) -> None:
    model = Model(fails=StepError("embeddings ended unexpectedly: killed"))
    async with job(tmp_path, model) as (run, _):
        similarity = JobSimilarity(run, [model, Bm25Similarity()])
        assert (await similarity.compare(["ocean waves"], ["ocean waves"]))[0][0] > 0.5
        asked = model.asked
        await similarity.compare(["a dog"], ["a dog"])
        assert model.asked == asked, "it is not asked again"
        (told,) = run.substitutions
        assert (told.stage, told.wanted, told.used) == ("retrieving", "embeddings", "bm25")
        assert "killed" in told.reason
        assert similarity.name == "bm25"


async def test_what_the_last_one_raises_is_raised(tmp_path: Path) -> None:
    model = Model(fails=StepError("broken"))
    async with job(tmp_path, model) as (run, _):
        with pytest.raises(StepError, match="broken"):
            await JobSimilarity(run, [model]).compare(["a"], ["b"])
        assert run.substitutions == []


async def test_the_model_is_never_in_memory_beside_all_encodes(tmp_path: Path) -> None:
    model = Model()
    async with job(tmp_path, model) as (run, executor):
        await JobSimilarity(run, [model, Bm25Similarity()]).compare(["waves"], ["sea"])
        async with executor.slot("ffmpeg"):
            assert model.closed == 0, "there is room for one encode beside it"
            async with executor.slot("ffmpeg"):
                assert model.closed == 1, "the second one has its place"
