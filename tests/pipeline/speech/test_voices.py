from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from vidgend.errors import LanguageUnsupported, UnknownVoice
from vidgend.pipeline.speech.espeak import EspeakNg
from vidgend.pipeline.speech.kokoro_onnx import KokoroOnnx
from vidgend.pipeline.speech.piper import Piper
from vidgend.pipeline.speech.port import SpeechEngine, Voice
from vidgend.pipeline.speech.voice_files import kokoro_voice_files
from vidgend.pipeline.speech.voice_tables import KOKORO_ENGLISH, KOKORO_OTHERS
from vidgend.pipeline.speech.voices import resolve


class EnglishKokoro(KokoroOnnx):
    """As it is on a machine that can read nothing else for it."""

    def voices(self) -> tuple[Voice, ...]:
        return tuple(voice for voice in super().voices() if voice.language.startswith("en"))


KOKORO: SpeechEngine = EnglishKokoro(models_dir=Path("models"))
PIPER: SpeechEngine = Piper()
ESPEAK: SpeechEngine = EspeakNg()
EVERY = (KOKORO, PIPER, ESPEAK)


@pytest.mark.parametrize(
    ("asked", "engine", "voice"),
    [
        ("en-US-neutral", "kokoro-onnx", "af_heart"),
        ("en-US-female", "kokoro-onnx", "af_heart"),
        ("en-US-male", "kokoro-onnx", "am_michael"),
        ("en-GB-neutral", "kokoro-onnx", "bf_emma"),
        ("en-GB-male", "kokoro-onnx", "bm_george"),
        ("en-US-bella", "kokoro-onnx", "af_bella"),
        ("EN_us-HEART", "kokoro-onnx", "af_heart"),
        ("AF_Heart", "kokoro-onnx", "af_heart"),
        ("en-US-joe", "piper", "joe"),
        ("fr-FR-neutral", "espeak-ng", "fr-fr"),
        ("de-DE-female", "espeak-ng", "de+f3"),
        ("de+f3", "espeak-ng", "de+f3"),
    ],
)
def test_a_known_name_gets_its_voice_whatever_its_case(asked: str, engine: str, voice: str) -> None:
    found = resolve(asked, None, EVERY)
    assert (found.engine.name, found.voice.id, found.reason) == (engine, voice, "")


@pytest.mark.parametrize(
    ("asked", "language", "voice"),
    [
        ("en", None, "af_heart"),
        ("en-GB", "en", "bf_emma"),
        ("en-US-neutral", "en-GB", "af_heart"),
        ("de", None, "de"),
        ("en-AU-male", None, "am_michael"),
        ("en-US-neutral", "fr", "fr-fr"),
        ("am_michael", "fr-FR", "fr-fr"),
        ("en-US-female", "es-MX", "es-419+f3"),
    ],
)
def test_the_language_of_the_text_and_then_the_kind_of_voice_decide(
    asked: str, language: str | None, voice: str
) -> None:
    assert resolve(asked, language, EVERY).voice.id == voice


@pytest.mark.parametrize(("asked", "reason"), [("en", ""), ("de", ""), ("en-GB", ""), ("en-AU-male", "en-AU-male")])
def test_a_bare_language_is_a_wish_that_can_be_met_but_a_region_nobody_speaks_is_told(asked: str, reason: str) -> None:
    found = resolve(asked, None, EVERY).reason
    assert (reason in found) if reason else found == ""


def test_a_voice_of_an_absent_engine_is_replaced_by_the_nearest_and_the_reason_told() -> None:
    found = resolve("am_michael", None, (PIPER, ESPEAK))
    assert (found.engine.name, found.voice.id) == ("piper", "joe")
    assert "am_michael belongs to kokoro" in found.reason
    british = resolve("bf_emma", None, (PIPER, ESPEAK))
    assert (british.voice.id, bool(british.reason)) == ("en-gb+f3", True)


def test_a_voice_that_cannot_speak_the_language_is_replaced_and_the_reason_told() -> None:
    found = resolve("en-US-neutral", "fr", EVERY)
    assert found.reason == "voice en-US-neutral speaks en-US and the text is fr"


def test_an_unknown_voice_is_refused_with_the_names_near_it() -> None:
    with pytest.raises(UnknownVoice, match="af_heart"):
        resolve("af_hart", None, EVERY)
    with pytest.raises(UnknownVoice):
        resolve("en-US-nobody", None, EVERY)
    with pytest.raises(UnknownVoice):
        resolve("", None, EVERY)


@pytest.mark.parametrize(("asked", "language"), [("en-US-neutral", "ja"), ("fr-FR-neutral", None), ("af_heart", "tlh")])
def test_a_language_that_no_engine_speaks_is_refused(asked: str, language: str | None) -> None:
    with pytest.raises(LanguageUnsupported):
        resolve(asked, language, (KOKORO,))


def test_every_shipped_voice_is_in_a_voice_file() -> None:
    for path, voices in zip(kokoro_voice_files(), (KOKORO_ENGLISH, KOKORO_OTHERS), strict=True):
        with zipfile.ZipFile(path) as archive:
            assert sorted(archive.namelist()) == sorted(f"{voice}.npy" for voice in voices)
        assert (path.parent / "LICENSE").is_file() and (path.parent / "NOTICE").is_file()


def test_no_two_voices_of_an_engine_answer_to_one_name() -> None:
    for engine in EVERY:
        names = [name.casefold() for voice in engine.voices() for name in (voice.id, *voice.tags)]
        assert len(names) == len(set(names)), engine.name


def test_every_voice_in_the_list_speaks_when_it_is_called_by_its_id_or_tags() -> None:
    for engine in EVERY:
        for voice in engine.voices():
            found = [resolve(name, None, EVERY) for name in (voice.id, *voice.tags)]
            spoken = {one.voice.language.split("-")[0] for one in found}
            assert spoken == {voice.language.split("-")[0]}, voice.id
            assert {one.reason for one in found} == {""}, voice.id
    assert resolve("af_sky", None, EVERY).voice.id == "af_sky"
    assert resolve("es-419", None, EVERY).voice.id == "es-419"
    assert resolve("fr-FR", "fr", EVERY).voice.language == "fr-FR"
