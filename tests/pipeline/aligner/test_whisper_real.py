"""The real Whisper over really spoken text. Opt-in: needs faster-whisper and a model."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from vidgend.errors import StepError
from vidgend.pipeline.aligner.whisper import Whisper
from vidgend.pipeline.aligner.whisper_model_files import find_model
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.hub import default_hub_dir
from vidgend.pipeline.speech.kokoro_onnx import KokoroOnnx

pytestmark = pytest.mark.release
TEXT = "The deep ocean is the largest habitat on Earth, and most of it has never been seen. It cost $2,000 in 1999."


async def test_whisper_finds_the_words_near_the_times_of_the_engine(tmp_path: Path) -> None:
    model = find_model("base", models_dir=tmp_path, hub_dir=default_hub_dir())
    if importlib.util.find_spec("faster_whisper") is None or model is None:
        pytest.skip("faster-whisper or a model is not installed here")
    engine, aligner = KokoroOnnx(models_dir=tmp_path), Whisper(model=model)
    try:
        truth = await engine.synthesize(
            TEXT, voice="af_heart", language="en-US", speed=1.0, path=tmp_path / "a.wav", timeout_s=120
        )
        samples, rate_hz = await asyncio.to_thread(sound.read_wav, tmp_path / "a.wav")
        await asyncio.to_thread(sound.write_wav, tmp_path / "b.wav", np.repeat(samples, 2), rate_hz * 2)
        found = await aligner.align(tmp_path / "b.wav", tuple(TEXT.split()), language="en-US", timeout_s=120)
        with pytest.raises(StepError, match=r"not a PCM WAV|No such file"):
            await aligner.align(tmp_path / "none.wav", ("a",), language="en", timeout_s=60)
    finally:
        await engine.aclose()
        await aligner.aclose()
    assert [word.text for word in found.words] == TEXT.split()
    errors = [abs(a.start_s - b.start_s) for a, b in zip(found.words, truth.words, strict=True)]
    assert float(np.median(errors)) < 0.12
