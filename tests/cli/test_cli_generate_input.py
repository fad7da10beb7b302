"""What `vidgend generate` refuses, before any work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from standins.daemon_standin import DaemonStandin


def _refused(result, code: int = 5) -> str:
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--duration", "abc"], "error: --duration: must be a valid number"),
        (["--duration", "0"], "error: --duration: must be greater than or equal to 1"),
        (["--aspect", "3:2"], "error: --aspect: must be '16:9', '9:16', '1:1' or '4:5'"),
        (["--resolution", "640x480"], "error: --resolution: must be '1280x720', '1920x1080' or '3840x2160'"),
        (["--fps", "999"], "error: --fps: frame rate 999 is outside 1..120"),
        (["--quality", "best"], "error: --quality: must be 'draft', 'standard' or 'high'"),
        (["--seed", "-1"], "error: --seed: must be greater than or equal to 0"),
        (["--caption-position", "left"], "error: --caption-position: must be 'bottom', 'middle' or 'top'"),
        (["--music-volume", "9"], "error: --music-volume: must be less than or equal to 2"),
        (["--language", "no language"], "error: --language: must be a language tag such as en or pt-BR"),
        (["--callback-url", "ftp://x"], "error: --callback-url: must begin with http:// or https://"),
        (["--script", "missing.txt"], "error: --script missing.txt: no such file or directory"),
        (["--scenes", "missing.json"], "error: --scenes missing.json: no such file or directory"),
        (["-o", "video.mov"], "error: --output video.mov: vidgend writes MP4 files"),
        (["-o", "nowhere/video.mp4"], "error: --output nowhere/video.mp4: nowhere does not exist"),
        (["-o", "/proc/video.mp4"], "error: cannot write into /proc"),
    ],
)
def test_a_wrong_value_is_refused_by_its_option(vidgend, options: list[str], complaint: str) -> None:
    assert _refused(vidgend("generate", "the sea", *options)).startswith(complaint)


def test_everything_that_is_wrong_is_told_at_once(vidgend) -> None:
    told = _refused(vidgend("generate", "the sea", "--duration", "abc", "--aspect", "3:2"))
    assert "--duration:" in told and "--aspect:" in told
    assert len(told.splitlines()) == 2


def test_an_unknown_style_is_answered_with_the_nearest_names(vidgend) -> None:
    told = _refused(vidgend("generate", "the sea", "--style", "cinematik"))
    assert "no style 'cinematik'" in told
    assert "hint: Did you mean cinematic" in told


@pytest.mark.parametrize("prompt", ["", "   \n"])
def test_an_empty_prompt_is_refused(vidgend, prompt: str) -> None:
    assert "error: The prompt is empty" in _refused(vidgend("generate", prompt))
    assert "error: The prompt is empty" in _refused(vidgend("generate", "-", stdin=prompt))


def test_no_prompt_at_all_is_wrong_usage(vidgend) -> None:
    assert "Missing argument 'PROMPT'" in _refused(vidgend("generate"), 2)


@pytest.mark.parametrize(
    "options",
    [["--local", "--remote"], ["--local", "--detach"], ["--local", "--url", "http://x"], ["--detach", "-o", "x.mp4"]],
)
def test_options_that_contradict_each_other_are_wrong_usage(vidgend, options: list[str]) -> None:
    _refused(vidgend("generate", "the sea", *options), 2)


@pytest.mark.parametrize("options", [["--local"], []])
def test_a_callback_that_nobody_would_make_is_refused(vidgend, options: list[str]) -> None:
    told = _refused(vidgend("generate", "the sea", "--callback-url", "https://x.example/done", *options))
    assert told.startswith("error: --callback-url")
    assert "hint: It needs the daemon" in told


def test_a_file_that_exists_is_not_overwritten(vidgend, home: Path) -> None:
    (home / "sea.mp4").write_text("mine")
    told = _refused(vidgend("generate", "the sea", "-o", "sea.mp4"))
    assert told.startswith("error: sea.mp4 exists already\nhint: --force")
    assert (home / "sea.mp4").read_text() == "mine"


def test_a_subtitle_file_of_the_same_name_is_not_overwritten_either(vidgend, home: Path) -> None:
    (home / "sea.srt").write_text("mine")
    assert "sea.srt exists already" in _refused(vidgend("generate", "the sea", "-o", "sea"))


def test_an_output_below_a_file_is_refused(vidgend, home: Path) -> None:
    (home / "file").write_text("")
    assert "file is not a folder" in _refused(vidgend("generate", "the sea", "-o", "file/sea.mp4"))


def test_a_script_that_is_not_text_is_refused(vidgend, home: Path) -> None:
    (home / "script.txt").write_bytes(b"\xff\xfe\x00bad")
    assert "--script script.txt: not UTF-8 text" in _refused(vidgend("generate", "--script", "script.txt"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[{", "--scenes s.json: not JSON"),
        ('{"a": 1}', "--scenes s.json: must be a JSON list"),
        ('[{"narration": "a"}, {"query": "b"}]', "--scenes, scene 2, narration: this field is required"),
        ('[{"narration": "a", "duration": -1}]', "--scenes, scene 1, duration: must be greater than 0"),
        ("[]", "--scenes: "),
    ],
)
def test_wrong_scenes_are_named_by_their_number(vidgend, home: Path, text: str, complaint: str) -> None:
    (home / "s.json").write_text(text)
    assert complaint in _refused(vidgend("generate", "--scenes", "s.json"))


def test_further_videos_are_wished_for_by_what_differs(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes()
    assert vidgend("generate", "the sea", "--also", "9:16", "--also", "de,1:1,720p", "--detach").exit_code == 0
    (sent,) = [seen.body for seen in daemon.seen if seen.path == "/mcp/generate"]
    assert sent["outputs"] == [
        {}, {"aspect_ratio": "9:16"}, {"language": "de", "aspect_ratio": "1:1", "resolution": "1280x720"},
    ]  # fmt: skip
    assert "--also" in _refused(vidgend("generate", "the sea", "--also", "2:1", "--detach"))


def test_script_and_scenes_together_are_refused(vidgend, home: Path) -> None:
    (home / "script.txt").write_text("Words.")
    (home / "s.json").write_text(json.dumps([{"narration": "Words."}]))
    told = _refused(vidgend("generate", "--script", "script.txt", "--scenes", "s.json"))
    assert told.startswith("error: give script or scenes, not both")


def test_wrong_settings_end_with_78(vidgend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDGEND_RENDER__CRF", "99")
    assert "render.crf" in _refused(vidgend("generate", "the sea"), 78)


def test_a_locked_data_directory_is_told_with_a_way_out(vidgend, home: Path) -> None:
    from vidgend.store.database import DataDir

    data_dir = DataDir(home / "data")
    data_dir.acquire()
    try:
        told = _refused(vidgend("--data-dir", "data", "generate", "the sea", "--local"), 75)
    finally:
        data_dir.release()
    assert "is in use by process" in told and "hint: " in told
    assert not list(home.glob("*.mp4"))
