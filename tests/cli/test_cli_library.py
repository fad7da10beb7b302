"""`vidgend library`, and what `doctor` says of the index, over a real index of real files."""

from __future__ import annotations

import json
from pathlib import Path

import media
import pytest

from vidgend.cli import stage_checks
from vidgend.cli.library import told
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.library_index import Counts
from vidgend.settings_sources import load_settings
from vidgend.store.database import DataDir


@pytest.fixture
def clips(home: Path, monkeypatch: pytest.MonkeyPatch, ffmpeg: Ffmpeg) -> Path:
    """A library with a clip, its caption and a broken file."""
    folder = home / "clips"
    (folder / "Lisbon").mkdir(parents=True)
    media.clip(ffmpeg.path, folder / "Lisbon" / "red_tram.mp4", seconds=1, size="320x180")
    (folder / "Lisbon" / "red_tram.txt").write_text("Up the hill")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    monkeypatch.setenv("VIDGEND_FOOTAGE__LIBRARY__FOLDERS", json.dumps([str(folder)]))
    monkeypatch.setenv("VIDGEND_DATA_DIR", str(home / "data"))
    return folder


def test_without_folders_there_is_no_library(vidgend) -> None:
    result = vidgend("library")
    assert result.exit_code == 5 and "footage.library.folders" in result.output


def test_nothing_is_made_by_asking(vidgend, clips: Path, home: Path) -> None:
    result = vidgend("library", "--files", "--problems")
    assert result.exit_code == 0 and "nobody has looked into the folders yet" in result.stdout
    assert not (home / "data").exists()


def test_a_scan_looks_into_everything_and_the_lists_tell(vidgend, clips: Path) -> None:
    result = vidgend("library", "--scan", "--files")
    assert result.exit_code == 0, result.output
    first, line = result.stdout.splitlines()
    assert first.startswith("files known: 1, of no use: 1; ")
    assert line.startswith(f"{clips}/Lisbon/red_tram.mp4: video 1.0 s, 1 shots, 320x180: red tram. Up the hill; Lisbon")
    result = vidgend("library", "--problems")
    assert result.exit_code == 1 and f"{clips}/broken.jpg: " in result.stdout
    answer = json.loads(vidgend("library", "--files", "--problems", "--json").stdout)
    assert answer["counts"]["examined"] == 1 and answer["folders"] == [str(clips)]
    assert answer["files"][0]["facts"]["height_px"] == 180 and len(answer["problems"]) == 1


def test_doctor_tells_how_much_is_known_and_what_is_wrong(vidgend, clips: Path) -> None:
    assert vidgend("library", "--scan").exit_code == 0
    found = [one for one in stage_checks.footage(load_settings()) if "library: " in one.text]
    assert [one.mark for one in found] == ["ok", "ok", "note"]
    assert "files known: 1, of no use: 1; " in found[1].text
    assert "broken.jpg cannot be used: " in found[2].text


def test_a_scan_leaves_the_index_to_a_running_daemon(vidgend, clips: Path, home: Path) -> None:
    data_dir = DataDir(home / "data")
    data_dir.acquire()
    try:
        result = vidgend("library", "--scan")
        assert result.exit_code == 75 and "The daemon looks into the files by itself" in result.output
    finally:
        data_dir.release()


def test_counts_are_told_in_words() -> None:
    line = told(Counts(examined=3, waiting=2, unusable=1, away=4, bytes=2_000_000))
    assert line == "files known: 3, still to be looked into: 2, of no use: 1, not there now: 4; 2.0 MB"
