"""Voices mixed from others: how they are written, who speaks them, and that they are between those that they are of."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidgend.errors import UnknownVoice
from vidgend.pipeline.speech.blend import BadBlend, blend_id, blended, parse_blend
from vidgend.pipeline.speech.espeak import EspeakNg
from vidgend.pipeline.speech.kokoro_onnx import KokoroOnnx
from vidgend.pipeline.speech.piper import Piper
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.speech.voices import resolve

KOKORO: SpeechEngine = KokoroOnnx(models_dir=Path("models"))
PIPER: SpeechEngine = Piper()
ESPEAK: SpeechEngine = EspeakNg()


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("af_heart:0.6+af_bella:0.4", {"af_heart": 0.6, "af_bella": 0.4}),
        (" af_heart : 3 + af_bella ", {"af_heart": 0.75, "af_bella": 0.25}),
        ("a+b+c", {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}),
    ],
)
def test_shares_make_one_together(text: str, shares: dict[str, float]) -> None:
    parts = parse_blend(text)
    assert parts is not None and dict(parts) == pytest.approx(shares)


def test_one_voice_is_no_blend_and_a_blend_has_one_name_however_it_is_written() -> None:
    assert parse_blend("af_heart") is None
    one, other = parse_blend("a:2+b"), parse_blend("b:0.5 + a:1")
    assert one is not None and other is not None and blend_id(one) == blend_id(other) == "a:0.667+b:0.333"


@pytest.mark.parametrize(
    "text", ["+", "a+", "a++b", "a:0+b", "a:-1+b", "a:x+b", "a:nan+b", "a:inf+b", "a+a", "+".join("abcdefghi")]
)
def test_what_is_no_blend_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(BadBlend):
        parse_blend(text)
    with pytest.raises(UnknownVoice):
        resolve(text, None, (KOKORO,))


def test_an_engine_that_has_all_the_voices_speaks_a_blend() -> None:
    found = resolve("AF_Heart:0.6+en-US-bella:0.4", None, (PIPER, KOKORO, ESPEAK))
    assert (found.engine.name, found.voice.id) == ("kokoro-onnx", "af_bella:0.4+af_heart:0.6")
    assert (found.voice.language, found.voice.gender, found.reason) == ("en-US", "female", "")


def test_where_nobody_can_blend_the_voice_of_the_largest_share_speaks_and_it_is_said() -> None:
    found = resolve("joe:0.6+de:0.4", None, (PIPER, KOKORO, ESPEAK))
    assert (found.voice.id, found.engine.name) == ("joe", "piper") and "at once" in found.reason
    absent = resolve("af_heart:0.6+af_bella:0.4", None, (PIPER,))
    assert absent.engine.name == "piper" and absent.reason


def test_a_voice_that_nobody_knows_is_refused_in_a_blend_as_well() -> None:
    with pytest.raises(UnknownVoice, match="af_hart"):
        resolve("af_bella:0.9+af_hart:0.1", None, (KOKORO,))


def test_a_blend_is_the_mean_of_its_voices_by_their_shares() -> None:
    assert blended("a:1+b:3", {"a": 0.0, "b": 4.0}.__getitem__) == pytest.approx(3.0)
    assert blended("a", {"a": 7.0}.__getitem__) == 7.0


def test_a_share_that_would_vanish_is_refused_and_no_name_of_a_blend_is_unreadable() -> None:
    for text in ("af_heart:1e-320+af_bella", "af_heart:1e-30+af_bella:100", "a:0.01+b:100"):
        with pytest.raises(BadBlend, match="less than a thousandth"):
            parse_blend(text)
    smallest = parse_blend("a:0.1+b:99.9")
    assert smallest is not None and parse_blend(blend_id(smallest)) is not None
