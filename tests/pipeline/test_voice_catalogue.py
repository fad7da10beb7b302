from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from vidgend.pipeline.speech.espeak import EspeakNg
from vidgend.pipeline.speech.kokoro_onnx import KokoroOnnx
from vidgend.pipeline.speech.select import NAMES, Availability
from vidgend.pipeline.speech.voice_tables import ALL
from vidgend.pipeline.voice_catalogue import catalogue


def probed(*available: str) -> list[Availability]:
    return [
        Availability(name=name, available=name in available, reason=f"{name} is not installed", get=f"get {name}")
        for name in NAMES
    ]


def test_every_voice_is_listed_once_with_why_it_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "misaki" else known(name))
    engines = [KokoroOnnx(models_dir=tmp_path), EspeakNg()]
    listed = catalogue(engines, probed("kokoro-onnx", "espeak-ng"), "auto")
    assert sorted(one.voice.id for one in listed) == sorted(voice.id for voice in ALL)
    found = {one.voice.id: one for one in listed}
    assert [one.voice for one in listed if one.usable] == [voice for engine in engines for voice in engine.voices()]
    assert (found["joe"].reason, found["joe"].get) == ("piper is not installed", "get piper")
    japanese = found["jf_alpha"]
    assert (japanese.usable, japanese.voice.engine) == (False, "kokoro-onnx")
    assert "ja-JP" in japanese.reason and "[japanese]" in japanese.get


def test_an_engine_that_the_settings_leave_out_is_named_by_them() -> None:
    listed = catalogue([EspeakNg()], probed("kokoro", "espeak-ng"), "espeak-ng")
    found = {one.voice.id: one for one in listed}
    assert found["af_heart"].reason == "the setting speech.engine is espeak-ng"
    assert found["en-us"].usable and not found["joe"].usable


def test_without_any_engine_all_voices_are_lacking() -> None:
    listed = catalogue([], probed(), "auto")
    assert len(listed) == len(ALL) and not any(one.usable for one in listed)
    assert {one.get for one in listed} == {"get kokoro-onnx", "get piper", "get espeak-ng"}
