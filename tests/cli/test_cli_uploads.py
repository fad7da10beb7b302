"""`vidgend upload`, `vidgend uploads`, and files that a request names: the real client over real HTTP."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import media
import pytest
from standins.daemon_standin import DaemonStandin, problem

CONTENT = {"sea.mp4": b"video" * 1000, "photo.jpg": b"photo", "song.mp3": b"song"}
ID = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


def asset(name: str, **more: Any) -> dict[str, Any]:
    return {
        "asset_id": ID[name], "kind": "video", "name": name, "size_bytes": len(CONTENT[name]), "width": 160,
        "height": 90, "duration": 2.0, "created_at": "2026-11-25T10:00:00Z", **more,
    }  # fmt: skip


@pytest.fixture
def own(home: Path) -> Path:
    """A folder with the user's files, and a list of scenes that names them as they lie there."""
    folder = home / "film"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    scenes = [
        {"narration": "One.", "clip": "sea.mp4"},
        {"narration": "Two.", "image": "photo.jpg"},
        {"narration": "Three.", "clip": {"asset": "../film/sea.mp4", "in_point": 1.5}},
        {"narration": "Four.", "clip": "f" * 64},
    ]
    (folder / "scenes.json").write_text(json.dumps(scenes))
    return folder


def test_a_file_is_sent_as_it_is_and_its_id_printed(vidgend, daemon: DaemonStandin, own: Path) -> None:
    daemon.answers["POST", "/mcp/assets"] = (201, asset("sea.mp4"))
    result = vidgend("upload", "film/sea.mp4")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{ID['sea.mp4']}  sea.mp4: 160x90, 2.0 s, 5.0 kB\n"
    assert "uploading sea.mp4 (5.0 kB)" in result.stderr
    (sent,) = [seen for seen in daemon.seen if seen.method == "POST"]
    assert sent.body == CONTENT["sea.mp4"] and sent.query == {"name": ["sea.mp4"]}
    assert sent.headers["Content-Length"] == "5000" and "Transfer-Encoding" not in sent.headers


def test_an_address_is_sent_for_the_daemon_to_fetch(vidgend, daemon: DaemonStandin, own: Path) -> None:
    refused = problem(422, "fetch_failed", "files.example answered HTTP 404", "Look whether the address opens.")
    daemon.answers["POST", "/mcp/assets"] = [(201, asset("sea.mp4")), refused, (201, asset("photo.jpg"))]
    result = vidgend("upload", "https://files.example/sea.mp4", "HTTP://files.example/gone", "film/photo.jpg")
    assert result.exit_code == 5
    assert ID["sea.mp4"] in result.stdout and ID["photo.jpg"] in result.stdout
    assert "error: HTTP://files.example/gone: files.example answered HTTP 404" in result.stderr
    sent = [seen for seen in daemon.seen if seen.method == "POST"]
    assert json.loads(sent[0].body) == {"url": "https://files.example/sea.mp4"}
    assert sent[0].headers["Content-Type"] == "application/json"
    assert sent[2].body == CONTENT["photo.jpg"]


def test_what_is_refused_is_named_and_the_others_are_sent(vidgend, daemon: DaemonStandin, own: Path) -> None:
    refused = problem(415, "media_refused", "not a video, a photo or sound of a kind that is taken", "Send a video.")
    daemon.answers["POST", "/mcp/assets"] = [refused, (201, asset("photo.jpg"))]
    result = vidgend("upload", "--json", "film/sea.mp4", "film/photo.jpg", "nowhere.mp4")
    assert result.exit_code == 5
    told = json.loads(result.stdout)
    assert [one["asset_id"] for one in told["assets"]] == [ID["photo.jpg"]]
    assert {name: why["code"] for name, why in told["refused"].items()} == {
        "film/sea.mp4": "media_refused", "nowhere.mp4": "invalid_request",
    }  # fmt: skip
    assert "error: film/sea.mp4: not a video" in result.stderr and "hint: Send a video." in result.stderr
    assert "error: nowhere.mp4: no such file or directory" in result.stderr


def test_a_refusal_that_comes_early_is_heard_before_all_is_sent(vidgend, daemon: DaemonStandin, home: Path) -> None:
    with (home / "large.mp4").open("wb") as file:
        file.truncate(2_000_000_000)
    daemon.refuses_early["/mcp/assets"] = problem(413, "upload_too_large", "a file may have up to 9 bytes")
    result = vidgend("upload", "large.mp4")
    assert (result.exit_code, "error: large.mp4: a file may have up to 9 bytes" in result.stderr) == (5, True)
    assert daemon.read_on_bytes < 100_000_000


def test_uploads_are_listed_and_deleted(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", "/mcp/assets"] = (200, {"assets": [], "next_cursor": None})
    assert vidgend("uploads").stdout == "no uploads\n"
    song = asset("song.mp3", kind="audio", width=None, height=None)
    daemon.answers["GET", "/mcp/assets"] = (200, {"assets": [asset("sea.mp4"), song], "next_cursor": "x"})
    lines = vidgend("uploads", "--limit", "2").stdout.splitlines()
    assert lines[0].split() == ["id", "kind", "what", "sent", "name"]
    assert ID["sea.mp4"] in lines[1] and "160x90, 2.0 s, 5.0 kB" in lines[1] and lines[1].endswith("sea.mp4")
    assert "audio  2.0 s, 4 B" in lines[2] and lines[3] == "(the newest 2; --limit shows more)"
    daemon.answers["DELETE", f"/mcp/assets/{ID['sea.mp4']}"] = (204, None)
    in_use = problem(409, "upload_in_use", "job_1 needs this file and has not ended")
    daemon.answers["DELETE", f"/mcp/assets/{ID['song.mp3']}"] = in_use
    result = vidgend("uploads", "--delete", ID["sea.mp4"], "--delete", ID["song.mp3"])
    assert (result.exit_code, result.stdout) == (6, f"{ID['sea.mp4']}: deleted\n")
    assert f"error: {ID['song.mp3']}: job_1 needs this file" in result.stderr


def test_the_files_of_a_request_are_sent_first(vidgend, daemon: DaemonStandin, own: Path) -> None:
    daemon.completes()
    daemon.answers["GET", "/mcp/assets"] = (200, {"assets": [], "next_cursor": None})
    daemon.answers["POST", "/mcp/assets"] = [(201, asset(name)) for name in ("sea.mp4", "photo.jpg", "song.mp3")]
    result = vidgend("generate", "--scenes", "film/scenes.json", "--music", "film/song.mp3", "--music-volume", "0.5")
    assert result.exit_code == 0, result.stderr
    posts = [seen for seen in daemon.seen if seen.method == "POST"]
    assert [seen.path for seen in posts] == ["/mcp/assets"] * 3 + ["/mcp/generate"], "each file once"
    assert posts[3].body == {
        "scenes": [
            {"narration": "One.", "clip": {"asset": ID["sea.mp4"]}},
            {"narration": "Two.", "image": {"asset": ID["photo.jpg"]}},
            {"narration": "Three.", "clip": {"asset": ID["sea.mp4"], "in_point": 1.5}},
            {"narration": "Four.", "clip": {"asset": "f" * 64}},
        ],
        "music": {"volume": 0.5, "asset": ID["song.mp3"]},
    }


def test_a_voice_over_is_sent_and_names_the_video(vidgend, daemon: DaemonStandin, own: Path) -> None:
    daemon.completes()
    daemon.answers["GET", "/mcp/assets"] = (200, {"assets": [], "next_cursor": None})
    daemon.answers["POST", "/mcp/assets"] = [(201, asset("song.mp3")), (201, asset("sea.mp4"))]
    result = vidgend("generate", "--narration", "film/song.mp3", "--keep-background")
    assert result.exit_code == 0, result.stderr
    assert (own.parent / "song.mp4").exists()
    assert [seen for seen in daemon.seen if seen.method == "POST"][-1].body == {
        "narration_audio": {"asset": ID["song.mp3"], "keep_background": True}
    }
    result = vidgend("generate", "The sea", "--narration", "f" * 64, "--detach")
    assert result.exit_code == 0, result.stderr
    assert [seen for seen in daemon.seen if seen.method == "POST"][-1].body == {
        "prompt": "The sea", "narration_audio": {"asset": "f" * 64}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        (["--narration", "none.mp3"], 5, "error: --narration: none.mp3: no such file or directory"),
        (["the sea", "--keep-background"], 2, "--keep-background needs a --narration"),
    ],
)
def test_a_voice_over_that_is_not_there_is_refused(vidgend, options: list[str], code: int, complaint: str) -> None:
    result = vidgend("generate", *options)
    assert (result.exit_code, complaint in result.stderr) == (code, True), result.stderr


def test_what_the_daemon_has_is_not_sent_again(vidgend, daemon: DaemonStandin, own: Path) -> None:
    daemon.completes()
    daemon.answers["GET", "/mcp/assets"] = (200, {"assets": [asset("song.mp3")], "next_cursor": None})
    assert vidgend("generate", "the sea", "--music", "film/song.mp3", "--detach").exit_code == 0
    assert daemon.paths("POST") == ["/mcp/generate"]
    assert [seen.query for seen in daemon.seen if seen.path == "/mcp/assets"] == [{"id": [ID["song.mp3"]]}]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--music", "nowhere.mp3"], 5, "error: --music: nowhere.mp3: no such file or directory"),
        (["--music", "a.mp3", "--no-music"], 2, "--music cannot be combined"),
        (["--music", "a.mp3", "--music-mood", "calm"], 2, "--music cannot be combined"),
        (["--scenes", "film/gone.json"], 5, "--scenes, scene 1, clip: film/gone.mp4: no such file"),
        (["--scenes", "film/both.json"], 5, "--scenes, scene 1: give clip or image, not both"),
    ],
)
def test_files_that_cannot_be_sent_stop_the_request(
    vidgend, daemon: DaemonStandin, own: Path, arguments: list[str], code: int, told: str
) -> None:
    (own / "gone.json").write_text('[{"narration": "One.", "clip": "gone.mp4"}]')
    (own / "both.json").write_text('[{"narration": "One.", "clip": "sea.mp4", "image": "photo.jpg"}]')
    result = vidgend("generate", "the sea", *arguments)
    assert (result.exit_code, told in result.stderr) == (code, True), result.stderr
    assert daemon.paths("POST") == []


def test_uploads_of_a_data_directory_without_a_daemon(vidgend, home: Path) -> None:
    media.tone(home / "song.wav", seconds=1)
    data = ("--local", "--data-dir", str(home / "data"))
    result = vidgend("upload", *data, "song.wav", "gone.wav")
    assert result.exit_code == 5 and "gone.wav: no such file or directory" in result.stderr
    digest = hashlib.sha256((home / "song.wav").read_bytes()).hexdigest()
    assert result.stdout == f"{digest}  song.wav: 1.0 s, 96.0 kB\n"
    listed = json.loads(vidgend("uploads", *data, "--json").stdout)
    assert [(one["asset_id"], one["name"]) for one in listed["assets"]] == [(digest, "song.wav")]
    assert vidgend("uploads", *data, "--delete", digest).stdout == f"{digest}: deleted\n"
    assert vidgend("uploads", *data).stdout == "no uploads\n"
    assert not list((home / "data" / "assets" / "blobs").rglob("*/*"))
