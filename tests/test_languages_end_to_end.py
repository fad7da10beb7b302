"""Every language that Kokoro can speak here, from a script of five sentences to a finished video: the real voice, the
script's own spelling, its own word times. Japanese takes 600 MB of dictionaries and is run by hand (docs/speech.md)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from workshop import clips, fake_footage, make, result, settings_for, workshop

from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.speech.kokoro_languages import LANGUAGES
from vidgend.pipeline.speech.kokoro_onnx import KokoroOnnx

SCRIPTS = {
    "b": "The lake is calm today. It cost £2.50 in 1998. Dr. Lee saw 3 boats. They left at 10:30. Who knows why?",
    "e": "El lago está tranquilo hoy. Costó 2,50 € en 1998. El Sr. Gil vio 3 barcos. Salieron a las 10:30. ¿Quién sabe?",
    "f": "Le lac est calme ce matin. Il a coûté 2,50 € en 1998. M. Roy a vu 3 bateaux. Ils sont partis à 10 h 30. Qui sait ?",
    "h": "आज झील शांत है। इसकी कीमत 50 रुपये थी। उसने 3 नावें देखीं। वे सुबह चले गए। कौन जानता है?",
    "i": "Il lago oggi è calmo. Costava 2,50 € nel 1998. Il sig. Gallo vide 3 barche. Partirono alle 10:30. Chi lo sa?",
    "j": "今日は湖が静かです。 値段は250円でした。 彼は船を3つ見ました。 朝に出発しました。 誰が知っていますか？",
    "p": "O lago está calmo hoje. Custou R$ 2,50 em 1998. O Sr. Gil viu 3 barcos. Saíram às 10:30. Quem sabe?",
    "z": "今天湖面很平静。 它的价格是50元。 他看见了3条船。 他们早上离开了。 谁知道呢？",
}

OFTEN = "hz"
"""One with espeak-ng behind it, and one with a reader of its own."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.mark.parametrize("letter", SCRIPTS)
async def test_a_script_becomes_a_video(letter: str, ffmpeg: Ffmpeg, models: Path, tmp_path: Path) -> None:
    if letter not in OFTEN and os.environ.get("LONG_TESTS") != "1":
        pytest.skip("LONG_TESTS=1 runs it")
    if not LANGUAGES[letter].here:
        pytest.skip(f"what reads this language is not here: {LANGUAGES[letter].get}")
    script = SCRIPTS[letter]
    voices: Any = (KokoroOnnx(models_dir=models),)
    voice = next(one for one in voices[0].voices() if one.id[0] == letter and one.tags[0].endswith("-neutral"))
    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    settings = settings_for(tmp_path / "data", VIDGEND_SPEECH__VOICE="af_heart", VIDGEND_RENDER__RESOLUTION="224x128")
    parts: Any = {"settings": settings, "providers": (fake_footage(files),), "engines": voices}
    async with workshop(tmp_path / "data", **parts) as runtime:
        made = result(await make(runtime, script=script, voice=voice.tags[0], quality="draft", music="none", fps=10))
        words = json.loads((await runtime.assets.local(made.files["words"].digest)).read_text())["words"]
    assert [entry for entry in made.degraded if entry.stage in ("planning", "narrating", "aligning")] == []
    assert made.report["voice"] == [f"kokoro-onnx {voice.id}"] and made.report["words_source"] == ["engine"]
    written = "".join(word["word"] for word in words)
    assert written == "".join(script.split())
    starts = [word["start"] for word in words]
    assert starts == sorted(starts) and starts[-1] < made.duration_s
    assert 8 < made.duration_s < 40
