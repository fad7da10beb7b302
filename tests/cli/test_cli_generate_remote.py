"""`vidgend generate` with a daemon: the real client over real HTTP, a stand-in at the other end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from standins.daemon_standin import JOB, DaemonStandin, problem

RENDERING = {"status": "rendering", "overall_progress": 42.0, "scenes_processed": 1, "total_scenes": 4, "eta_s": 20.4}


def _files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text()[:5] for path in folder.iterdir()}


def test_a_running_daemon_does_the_work_and_the_files_are_fetched(vidgend, daemon: DaemonStandin, home: Path) -> None:
    daemon.completes([{"status": "queued"}, RENDERING])
    result = vidgend("generate", "The sea at night!")
    assert result.exit_code == 0, result.stderr
    assert _files(home) == {
        "the-sea-at-night.mp4": "video", "the-sea-at-night.srt": "srtsr", "the-sea-at-night.vtt": "vttvt",
        "the-sea-at-night.words.json": "words", "the-sea-at-night.jpg": "thumb",
        "the-sea-at-night.description.txt": "descr",
    }  # fmt: skip
    assert result.stdout.startswith("the-sea-at-night.mp4: 12.5 s, 1920x1080, 5.0 kB, made in 0 s\n")
    assert f"using the daemon at {daemon.url}\n" in result.stderr
    assert "[  0%] waiting for its turn\n[ 42%] rendering, scene 2 of 4, about 20 s left\n" in result.stderr


def test_a_queued_job_says_how_many_come_before_it(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes([{"status": "queued", "queue_position": 3}])
    assert "[  0%] waiting for its turn, 2 before it\n" in vidgend("generate", "the sea").stderr


@pytest.mark.parametrize(("option", "card"), [("--credits-card", True), ("--no-credits-card", False)])
def test_a_closing_card_is_asked_for_or_refused(vidgend, daemon: DaemonStandin, option: str, card: bool) -> None:
    daemon.completes()
    vidgend("generate", "the sea", option)
    assert daemon.seen[1].body == {"prompt": "the sea", "credits_card": card}


def test_only_what_was_asked_for_is_sent(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes()
    vidgend("generate", "the sea")
    assert daemon.seen[1].body == {"prompt": "the sea"}
    assert len(daemon.seen[1].headers["Idempotency-Key"]) == 32


def test_every_option_reaches_the_request(vidgend, daemon: DaemonStandin, home: Path) -> None:
    daemon.completes()
    (home / "script.txt").write_text("\ufeffWaves roll in.\n", encoding="utf-8")
    result = vidgend(
        "generate", "the sea", "--script", "script.txt", "--duration", "30", "--aspect", "9:16", "--resolution", "720p",
        "--fps", "29.97", "--voice", "en-GB-female", "--language", "en-GB", "--style", "noir", "--quality", "high",
        "--seed", "7", "--caption-position", "top", "--no-highlight", "--music-mood", "calm", "--music-volume", "0.5",
        "--callback-url", "https://example.com/hook",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert daemon.seen[1].body == {
        "prompt": "the sea", "script": "Waves roll in.\n", "duration_target": 30.0, "aspect_ratio": "9:16",
        "resolution": "1280x720", "fps": "30000/1001", "voice": "en-GB-female", "language": "en-GB", "style": "noir",
        "quality": "high", "seed": 7, "captions": {"highlight": False, "position": "top"},
        "music": {"mood": "calm", "volume": 0.5}, "callback_url": "https://example.com/hook",
    }  # fmt: skip


def test_scenes_and_switches_reach_the_request(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes()
    scenes = [{"narration": "Waves.", "query": "sea", "duration": 4.0}]
    result = vidgend("generate", "--scenes", "-", "--no-captions", "--no-music", stdin=json.dumps(scenes))
    assert result.exit_code == 0, result.stderr
    assert daemon.seen[1].body == {"scenes": scenes, "captions": False, "music": "none"}
    assert result.stdout.startswith("waves.mp4: ")


def test_a_folder_can_be_the_output_and_the_video_can_stand_alone(vidgend, daemon: DaemonStandin, home: Path) -> None:
    daemon.completes()
    (home / "out").mkdir()
    assert vidgend("generate", "the sea", "-o", "out", "--only-video").exit_code == 0
    assert _files(home / "out") == {"the-sea.mp4": "video"}


def test_force_overwrites(vidgend, daemon: DaemonStandin, home: Path) -> None:
    daemon.completes()
    (home / "sea.mp4").write_text("old")
    assert vidgend("generate", "the sea", "-o", "sea", "--force").exit_code == 0
    assert _files(home)["sea.mp4"] == "video"


def test_json_is_all_that_is_on_stdout(vidgend, daemon: DaemonStandin, home: Path) -> None:
    daemon.completes([RENDERING])
    result = vidgend("generate", "the sea", "--json")
    answer = json.loads(result.stdout)
    assert answer["job_id"] == JOB
    assert answer["output"] == str(home / "the-sea.mp4")
    assert set(answer["written"]) == {"video", "srt", "vtt", "words", "thumbnail", "description"}
    assert "rendering" in result.stderr


def test_every_substitution_is_told_once_with_its_scenes(vidgend, daemon: DaemonStandin) -> None:
    painted = {"stage": "retrieving", "wanted": "stock footage", "used": "a painted background", "reason": "no key"}
    music = {"stage": "publishing", "wanted": "music", "used": "silence", "reason": "no tracks", "scene": None}
    daemon.completes(degraded=[painted | {"scene": 1}, painted | {"scene": 3}, music])
    assert vidgend("generate", "the sea").stdout.splitlines()[-2:] == [
        "note: a painted background instead of stock footage (scenes 1, 3): no key",
        "note: silence instead of music: no tracks",
    ]


def test_detach_prints_the_id_and_waits_for_nothing(vidgend, daemon: DaemonStandin, home: Path) -> None:
    daemon.completes()
    result = vidgend("generate", "the sea", "--detach")
    assert (result.exit_code, result.stdout) == (0, f"{JOB}\n")
    assert daemon.paths("GET") == []
    assert _files(home) == {}


def test_a_detached_job_whose_answer_got_lost_is_the_same_one(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes()
    daemon.answers["POST", "/mcp/generate"] = [(502, b"bad gateway"), daemon.answers["POST", "/mcp/generate"]]
    assert vidgend("generate", "the sea", "--detach").stdout == f"{JOB}\n"
    first, again = [one.headers["Idempotency-Key"] for one in daemon.seen if one.path == "/mcp/generate"]
    assert first == again


@pytest.mark.parametrize("arguments", [["generate", "the sea"], ["prefetch", "sea", "--watch"]])
def test_no_job_is_left_behind_by_a_command_that_is_stopped_as_it_begins(
    vidgend, daemon: DaemonStandin, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    daemon.completes()
    daemon.answers["POST", "/mcp/prefetch"] = daemon.answers["POST", "/mcp/generate"]
    monkeypatch.setattr("vidgend.cli.progress.make_reporter", stopped)
    assert vidgend(*arguments).exit_code == 130
    assert daemon.paths("POST") == []


@pytest.mark.parametrize(
    ("error", "code"),
    [("ffmpeg_failed", 1), ("crash_loop", 1), ("provider_unavailable", 69), ("storage_full", 75)],
)
def test_a_failed_job_ends_with_its_reason_and_code(
    vidgend, daemon: DaemonStandin, home: Path, error: str, code: int
) -> None:
    why = {"code": error, "detail": "it did not work", "hint": "do something", "tail": "x264 said no"}
    daemon.completes([{"status": "failed", "error": why}])
    result = vidgend("generate", "the sea")
    assert result.exit_code == code
    assert "error: it did not work\nhint: do something\n" in result.stderr
    assert "x264 said no" not in result.stderr
    assert _files(home) == {}


def test_verbose_shows_the_last_lines_of_what_failed(vidgend, daemon: DaemonStandin) -> None:
    why = {"code": "ffmpeg_failed", "detail": "it did not work", "hint": "", "tail": "x264 said no"}
    daemon.completes([{"status": "failed", "error": why}])
    assert "x264 said no" in vidgend("generate", "the sea", "-v").stderr


def test_a_job_that_somebody_cancelled_is_not_a_success(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes([{"status": "cancelled"}])
    result = vidgend("generate", "the sea")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "error: the job was cancelled")


@pytest.mark.parametrize("option", [["--remote"], ["--url", "http://127.0.0.1:1"], ["--detach"]])
def test_a_daemon_that_was_asked_for_must_be_there(vidgend, home: Path, option: list[str]) -> None:
    result = vidgend("generate", "the sea", *option)
    assert result.exit_code == 4
    assert "no daemon answers at http://127.0.0.1:1" in result.stderr
    assert _files(home) == {}


def test_another_program_at_the_address_is_not_taken_for_a_daemon(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", "/livez"] = (200, b"<html>hello</html>")
    assert vidgend("generate", "the sea", "--remote").exit_code == 4
    daemon.answers["GET", "/livez"] = (200, {"hello": "world"})
    assert vidgend("generate", "the sea", "--remote").exit_code == 4


def test_a_wrong_key_is_a_matter_of_the_settings(vidgend, daemon: DaemonStandin, monkeypatch) -> None:
    daemon.completes()
    daemon.key = "secret"
    assert vidgend("generate", "the sea").exit_code == 78
    monkeypatch.setenv("VIDGEND_HTTP__API_KEY", "secret")
    assert vidgend("generate", "the sea").exit_code == 0


def test_what_the_daemon_refuses_is_told_in_its_words(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes()
    daemon.answers["POST", "/mcp/generate"] = problem(422, "voice_unknown", "no voice x", "Look at the list.")
    result = vidgend("generate", "the sea", "--voice", "x")
    assert result.exit_code == 5
    assert "error: no voice x\nhint: Look at the list.\n" in result.stderr
    errors = [{"pointer": "/fps", "detail": "odd"}, {"pointer": "/seed", "detail": "high"}]
    daemon.answers["POST", "/mcp/generate"] = problem(422, "invalid_request", "/fps: odd (and 1 more)", errors=errors)
    assert "error: fps: odd; seed: high\n" in vidgend("generate", "the sea").stderr


def test_an_unknown_style_of_the_daemon_is_answered_with_the_nearest(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes()
    daemon.answers["POST", "/mcp/generate"] = problem(422, "style_unknown", "no style 'vintige'")
    assert "hint: Did you mean vintage" in vidgend("generate", "the sea", "--style", "vintige").stderr


def test_a_download_that_breaks_off_leaves_nothing_behind(vidgend, daemon: DaemonStandin, home: Path) -> None:
    daemon.completes()
    daemon.cut_downloads = True
    result = vidgend("generate", "the sea")
    assert result.exit_code == 4
    assert "was cut off after 2500 of 5000 bytes" in result.stderr
    assert _files(home) == {}


def test_a_daemon_that_is_restarted_in_between_is_waited_for(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes([RENDERING])
    statuses = daemon.answers["GET", f"/mcp/status/{JOB}"]
    statuses.insert(1, (502, b"bad gateway"))
    result = vidgend("generate", "the sea")
    assert result.exit_code == 0
    assert "waiting for it to come back" in result.stderr


@pytest.mark.parametrize("status, code", [(429, "rate_limited"), (503, "database_unavailable")])
def test_a_daemon_that_puts_the_command_off_is_asked_again(
    vidgend, daemon: DaemonStandin, status: int, code: str
) -> None:
    daemon.completes([RENDERING])
    daemon.answers["GET", f"/mcp/status/{JOB}"].insert(1, problem(status, code, "not now"))
    result = vidgend("generate", "the sea")
    assert result.exit_code == 0 and "not now; asking again" in result.stderr


def _start(*arguments: str) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ignored = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGHUP)}
    try:  # tests that run in the background of a shell, or under nohup, would hand it on that these are ignored
        return subprocess.Popen([sys.executable, "-m", "vidgend", *arguments], stderr=subprocess.PIPE, env=environ)
    finally:
        for number, handler in ignored.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("arguments", [["generate", "the sea"], ["result", JOB, "-o", "sea"]])
def test_a_download_that_is_stopped_leaves_nothing_behind(
    daemon: DaemonStandin, home: Path, arguments: list[str]
) -> None:
    daemon.completes()
    daemon.hold_downloads = True
    with _start(*arguments) as process:
        assert daemon.wait_for("GET", "/mcp/assets/video")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 130
    assert _files(home) == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_command_cancels_its_job(daemon: DaemonStandin, home: Path, number: signal.Signals) -> None:
    daemon.completes()
    daemon.answers["GET", f"/mcp/status/{JOB}"] = (200, {"job_id": JOB, **RENDERING})
    daemon.answers["POST", f"/mcp/cancel/{JOB}"] = (200, {"job_id": JOB, "status": "cancelled"})
    with _start("generate", "the sea") as process:
        assert daemon.wait_for("GET", f"/mcp/status/{JOB}")
        process.send_signal(number)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told.decode().splitlines()[-1] == f"interrupted; {JOB} is cancelled"
    assert f"/mcp/cancel/{JOB}" in daemon.paths("POST")
    assert _files(home) == {}
