"""Kokoro on torch, the real package and architecture with weights made here: no hub is asked, so the sound is noise, but
lengths, word times and the way through the child are real. Needs `-e '.[kokoro]'`: not in the test packages (1.4 GB)."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from vidgend.errors import SpeechFailed
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.kokoro import WEIGHTS, Kokoro

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("torch", "kokoro")), reason="torch or kokoro is not here"
)
PARTS = ("bert", "bert_encoder", "predictor", "text_encoder", "decoder")
TEXTS = {
    "af_heart": ("en-US", "The lake is calm, and it cost $2,000 in 1999. 🌊"),
    "af_heart:0.5+am_adam:0.5": ("en-US", "The lake is calm today."),
    "ff_siwis": ("fr-FR", "Le lac est calme ce matin."),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from kokoro import KModel

    from vidgend.pipeline.speech.kokoro_model import CONFIG

    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    torch.save({}, folder / "empty.pth")
    model = KModel(repo_id="hexgrad/Kokoro-82M", config=CONFIG, model=str(folder / "empty.pth"))
    model.predictor.duration_proj.linear_layer.bias.data.fill_(-2.9)  # else it says 25 frames for each phoneme
    torch.save({name: getattr(model, name).state_dict() for name in PARTS}, folder / WEIGHTS)
    return folder


@pytest.mark.parametrize("voice", TEXTS)
async def test_it_speaks_with_a_time_for_every_word(voice: str, models: Path, tmp_path: Path) -> None:
    language, text = TEXTS[voice]
    if not language.startswith("en") and shutil.which("espeak-ng") is None:
        pytest.skip("the program espeak-ng is not here")
    engine = Kokoro(models_dir=models, hub_dir=tmp_path)
    try:
        said, again = [
            await engine.synthesize(
                text, voice=voice, language=language, speed=1.0, path=tmp_path / f"{number}.wav", timeout_s=200
            )
            for number in range(2)
        ]
    finally:
        await engine.aclose()
    samples, rate_hz = sound.read_wav(said.path)
    assert (len(samples), rate_hz) == (said.samples, said.rate_hz) and rate_hz == 24_000
    assert [word.text for word in said.words] == text.split()
    ends = [0.0, *(at for word in said.words for at in (word.start_s, word.end_s))]
    assert ends == sorted(ends) and 0.5 < ends[-1] <= said.samples / rate_hz
    assert said.path.read_bytes() == again.path.read_bytes() and said.words == again.words


async def test_without_weights_it_says_what_is_missing(tmp_path: Path) -> None:
    engine = Kokoro(models_dir=tmp_path, hub_dir=tmp_path)
    try:
        with pytest.raises(SpeechFailed, match=WEIGHTS):
            await engine.synthesize(
                "Hello there.", voice="af_heart", language="en", speed=1.0, path=tmp_path / "a.wav", timeout_s=200
            )
    finally:
        await engine.aclose()
