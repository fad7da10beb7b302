from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from vidgend.errors import NotFound
from vidgend.model_files.catalogue import MODELS, model_named
from vidgend.model_files.hashing import faults
from vidgend.model_files.model import Model, ModelFile
from vidgend.model_files.places import look, packaged_here
from vidgend.model_files.relevance_models import MINILM
from vidgend.model_files.speech_models import KOKORO, KOKORO_ONNX, PIPER_JOE
from vidgend.model_files.whisper_models import BASE, LARGE_V3_TURBO, WHISPER_MODELS
from vidgend.pipeline.aligner import select as aligners
from vidgend.pipeline.relevance.model_files import INSTALL, PULL, find_embeddings
from vidgend.pipeline.speech import kokoro_model_file
from vidgend.pipeline.speech.kokoro import REPOSITORY, file_of
from vidgend.pipeline.speech.piper_model import data_dir
from vidgend.pipeline.whisper.model_files import PULLED, find_model

ROOT = Path(__file__).parents[2]


def lay(folder: Path, files: tuple[ModelFile, ...]) -> None:
    """Files of the right sizes that take no space."""
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.truncate(path, file.size_bytes)


def test_every_model_says_what_it_is() -> None:
    assert len({model.name for model in MODELS}) == len(MODELS)
    for model in MODELS:
        assert model.about and model.licence and model.get and (model.home or model.packaged)
        assert all(re.fullmatch(r"[0-9a-f]{64}", file.sha256) and file.size_bytes > 0 for file in model.files)
        if model.packaged:
            assert set(model.packaged.pieces) == {file.path for file in model.files}
            assert all("==" in pin for pin in model.packaged.pins)
        if model.home:
            assert model.home.url("x", endpoint="https://mirror.example/").endswith("/x")
            assert re.search(r"/resolve/[0-9a-f]{40}/|releases/download/model-files-v1.0/", model.home.url("x"))
    with pytest.raises(NotFound) as caught:
        model_named("whisper-huge")
    assert "whisper-base" in caught.value.hint


def test_the_pins_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *(pin for group in project["optional-dependencies"].values() for pin in group)]
    named = {pin.partition("==")[0] for pin in needed}
    for model in MODELS:
        for pin in model.packaged.pins if model.packaged else ():
            assert pin in needed or pin.partition("==")[0] not in named


@pytest.mark.parametrize("model", WHISPER_MODELS, ids=lambda model: model.name)
def test_the_aligner_finds_what_lies_where_pull_puts_it(tmp_path: Path, model: Model) -> None:
    size = model.name.removeprefix("whisper-")
    assert model.home is not None
    cached = tmp_path / f"models--{model.home.cached_as.replace('/', '--')}"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("abc")
    own = tmp_path / size
    for folder in (cached / "snapshots" / "abc", tmp_path / model.folder, own):
        lay(folder, model.files)
        found = look(model, models_dir=tmp_path, hub_dir=tmp_path)
        taken = find_model(size, models_dir=tmp_path, hub_dir=tmp_path)
        assert taken is not None and (found.state, found.folder) == ("here", taken.folder) == ("here", folder)
        assert found.own_folder == (folder == own)
    os.truncate(own / "model.bin", 7)
    found = look(model, models_dir=tmp_path, hub_dir=tmp_path)
    assert (found.state, found.folder) == ("own", own), "nobody knows what it is to be"
    own.rename(tmp_path / "away")
    os.truncate(tmp_path / model.folder / "model.bin", 7)
    (tmp_path / model.folder / "config.json").unlink()
    spoilt = look(model, models_dir=tmp_path, hub_dir=tmp_path)
    assert (spoilt.state, spoilt.folder) == ("damaged", tmp_path / model.folder), (
        "the engine would take it all the same"
    )
    assert "config.json is missing" in spoilt.detail and "model.bin has 7 bytes instead of" in spoilt.detail


def test_what_can_be_pulled_is_what_the_hints_name(tmp_path: Path) -> None:
    assert {f"whisper-{name}" for name in PULLED} == {model.name for model in WHISPER_MODELS}
    assert LARGE_V3_TURBO.name == "whisper-large-v3-turbo"
    whisper = aligners.probe("small", models_dir=tmp_path, hub_dir=tmp_path)["whisper"]
    assert "vidgend models pull whisper-small" in whisper.get
    other = aligners.probe("large-v2", models_dir=tmp_path, hub_dir=tmp_path)["whisper"]
    assert "the model large-v2 in" in other.get


def test_kokoros_files_are_found_where_its_engines_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgend.model_files.places.packaged_here", lambda packaged: False)
    monkeypatch.setattr(kokoro_model_file, "part_files", lambda: ())
    assert look(KOKORO_ONNX, models_dir=tmp_path, hub_dir=tmp_path).state == "missing"
    lay(tmp_path, KOKORO_ONNX.files)
    assert kokoro_model_file.available(tmp_path)
    assert look(KOKORO_ONNX, models_dir=tmp_path, hub_dir=tmp_path).files == KOKORO_ONNX.files
    os.truncate(tmp_path / KOKORO_ONNX.key.path, 7)
    assert look(KOKORO_ONNX, models_dir=tmp_path, hub_dir=tmp_path).state == "damaged"
    lay(tmp_path, KOKORO_ONNX.made)
    assert look(KOKORO_ONNX, models_dir=tmp_path, hub_dir=tmp_path).files == KOKORO_ONNX.made
    lay(tmp_path, KOKORO.files)
    assert look(KOKORO, models_dir=tmp_path, hub_dir=tmp_path).state == "here"
    assert file_of(KOKORO.key.path, models_dir=tmp_path, hub_dir=tmp_path) == tmp_path / KOKORO.key.path
    assert KOKORO.home is not None and KOKORO.home.cached_as == REPOSITORY


def test_packages_are_found_as_the_engines_find_them(tmp_path: Path) -> None:
    for model, there in ((KOKORO_ONNX, bool(kokoro_model_file.part_files())), (PIPER_JOE, data_dir() is not None)):
        assert model.packaged is not None and packaged_here(model.packaged) is there
        state = look(model, models_dir=tmp_path, hub_dir=tmp_path).state
        assert state == ("packaged" if there else "missing")


def test_the_model_for_clips_is_found_where_its_ranker_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgend.pipeline.relevance.model_files.packaged_files", lambda _: ())
    assert find_embeddings(models_dir=tmp_path, hub_dir=tmp_path) is None
    lay(tmp_path / MINILM.folder, MINILM.files)
    found = find_embeddings(models_dir=tmp_path, hub_dir=tmp_path)
    assert found is not None and found.folder == look(MINILM, models_dir=tmp_path, hub_dir=tmp_path).folder
    assert MINILM.pull == f"`{PULL}`" and f"`{INSTALL}`" in MINILM.get
    pinned = (ROOT / "requirements-relevance.txt").read_text()
    assert MINILM.packaged is not None and all(pin in pinned for pin in MINILM.packaged.pins)


def test_content_is_compared_with_its_checksum(tmp_path: Path) -> None:
    small = Model(
        name="x", purpose="speech", about="x", licence="x", folder="x", files=(BASE.files[0],), home=BASE.home
    )  # fmt: skip
    lay(tmp_path / "x", small.files)
    found = look(small, models_dir=tmp_path, hub_dir=tmp_path)
    assert found.state == "here"
    assert faults(found) == ["config.json has another SHA-256 than the published one"]
