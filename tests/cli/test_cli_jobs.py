from __future__ import annotations

import json
from pathlib import Path

import pytest
from standins.daemon_standin import JOB, DaemonStandin, problem

STATUS = {
    "job_id": JOB, "status": "rendering", "overall_progress": 42.3, "scenes_processed": 1, "total_scenes": 4,
    "current_step": "rendering the scenes: 1 of 4 are done", "eta_s": 80.0, "logs": ["2026-01-01T00:00:00Z accepted"],
}  # fmt: skip


def test_status_is_a_line_and_the_last_of_the_log(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", f"/mcp/status/{JOB}"] = (200, STATUS)
    result = vidgend("status", JOB)
    assert result.exit_code == 0
    assert result.stdout == (
        f"{JOB}: rendering, 42%; rendering the scenes: 1 of 4 are done; about 1 min 20 s left\n"
        "  2026-01-01T00:00:00Z accepted\n"
    )


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["status", JOB], f"/mcp/status/{JOB}"),
        (["result", JOB], f"/mcp/result/{JOB}"),
        (["storyboard", JOB], f"/mcp/storyboard/{JOB}"),
        (["list"], "/mcp/jobs"),
    ],
)
def test_json_is_the_daemons_own_answer(vidgend, daemon: DaemonStandin, arguments: list[str], path: str) -> None:
    daemon.answers["GET", path] = (200, {"some": ["thing", "Größe"]})
    result = vidgend(*arguments, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"some": ["thing", "Größe"]}


@pytest.mark.parametrize(
    "arguments", [["status", "x"], ["result", "x"], ["storyboard", "x"], ["cancel", "x"], ["list"], ["prefetch", "sea"]]
)
def test_without_a_daemon_the_way_to_start_one_is_told(vidgend, arguments: list[str]) -> None:
    result = vidgend(*arguments)
    assert result.exit_code == 4
    assert "hint: Start one with `vidgend serve`" in result.stderr


def test_an_unknown_job_is_3_and_an_unfinished_one_is_6(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", "/mcp/result/early"] = problem(409, "job_not_finished", "the job is rendering")
    daemon.answers["GET", "/mcp/result/old"] = problem(410, "result_expired", "gone")
    assert [vidgend("result", job).exit_code for job in ("unknown", "early", "old")] == [3, 6, 3]


def test_an_odd_job_id_stays_one_part_of_the_path(vidgend, daemon: DaemonStandin) -> None:
    assert vidgend("status", "../../livez?x=1").exit_code == 3
    assert daemon.seen[-1].path == "/mcp/status/..%2F..%2Flivez%3Fx%3D1"


def test_options_stand_before_or_after_the_command(vidgend, daemon: DaemonStandin, monkeypatch) -> None:
    daemon.answers["GET", f"/mcp/status/{JOB}"] = (200, STATUS)
    monkeypatch.setenv("VIDGEND_HTTP__PORT", "1")
    assert vidgend("--url", daemon.url, "status", JOB).exit_code == 0
    assert vidgend("status", JOB, "--url", daemon.url.removeprefix("http://")).exit_code == 0
    assert vidgend("status", JOB).exit_code == 4


def test_watching_ends_like_the_job(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes([STATUS])
    watched = vidgend("status", JOB, "--watch")
    assert watched.exit_code == 0
    assert "[ 42%] rendering" in watched.stderr and f"{JOB}: completed, 100%" in watched.stdout
    why = {"code": "ffmpeg_failed", "detail": "it did not work", "hint": ""}
    daemon.completes([{"status": "failed", "error": why}])
    failed = vidgend("status", JOB, "-w", "--json")
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["error"] == why


def test_a_result_is_shown_with_its_address_and_notes(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes(degraded=[{"wanted": "music", "used": "silence", "reason": "no tracks", "scene": None}])
    assert vidgend("result", JOB).stdout.splitlines() == [
        "https://public.example/vidgend/mcp/assets/video?sig=abc",
        "12.5 s, 1920x1080, 5.0 kB",
        "note: silence instead of music: no tracks",
    ]


def test_failed_checks_stand_under_a_result(vidgend, daemon: DaemonStandin) -> None:
    checks = [
        {"name": "size", "passed": True, "value": "4x4", "threshold": "4x4", "unit": "px", "detail": "4x4 px"},
        {"name": "frozen", "passed": False, "value": 4.0, "threshold": 2.0, "unit": "s", "detail": "", "scene": 2},
        {"name": "true_peak", "passed": False, "value": 0.3, "threshold": -1.0, "unit": "dBTP", "detail": ""},
    ]
    daemon.completes(report={"passed": False, "checks": checks})
    assert vidgend("result", JOB).stdout.splitlines()[2:] == [
        "checks failed: frozen (scene 2), true_peak; the notes say by how much",
    ]


def test_a_result_can_be_fetched(vidgend, daemon: DaemonStandin, home: Path) -> None:
    daemon.completes()
    result = vidgend("result", JOB, "-o", "sea", "--only-video")
    assert result.stdout.startswith("sea.mp4: 12.5 s, 1920x1080, 5.0 kB, fetched in ")
    assert [path.name for path in home.iterdir()] == ["sea.mp4"]


def test_further_videos_are_fetched_beside_the_main_one(vidgend, daemon: DaemonStandin, home: Path) -> None:
    tall = {
        "name": "9x16", "duration": 12.5, "width": 1080, "height": 1920, "subtitles": {"srt": "/mcp/assets/srt"},
        "video_url": "https://public.example/vidgend/mcp/assets/tall",
    }  # fmt: skip
    daemon.completes(outputs=[{"name": "16x9"}, tall])
    daemon.answers["GET", "/mcp/assets/tall"] = (200, b"tall")
    assert vidgend("result", JOB).stdout.splitlines()[2:4] == [f"9x16: {tall['video_url']}", "12.5 s, 1080x1920"]
    (home / "sea-9x16.mp4").write_text("mine")
    refused = vidgend("result", JOB, "-o", "sea")
    assert refused.exit_code == 5 and "sea-9x16.mp4 exists already" in refused.stderr
    assert [path.name for path in home.iterdir()] == ["sea-9x16.mp4"]
    assert vidgend("result", JOB, "-o", "sea", "--force").exit_code == 0
    assert (home / "sea-9x16.mp4").read_bytes() == b"tall" and (home / "sea-9x16.srt").exists()
    tall["name"] = "../evil"
    assert vidgend("result", JOB, "-o", "sea", "--force").exit_code == 5


def test_the_key_goes_to_the_daemon_and_to_nobody_else(vidgend, daemon: DaemonStandin, monkeypatch) -> None:
    monkeypatch.setenv("VIDGEND_HTTP__API_KEY", "secret")
    daemon.completes()
    with DaemonStandin() as other:
        other.answers["GET", "/bucket/video"] = (200, b"video")
        daemon.answers["GET", f"/mcp/result/{JOB}"][1]["video_url"] = f"{other.url}/bucket/video"
        assert vidgend("result", JOB, "-o", "sea", "--only-video").exit_code == 0
        assert "Authorization" not in other.seen[0].headers
    assert daemon.seen[0].headers["Authorization"] == "Bearer secret"


def test_a_redirect_is_not_followed(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", f"/mcp/status/{JOB}"] = (302, {})
    assert vidgend("status", JOB).exit_code == 4


def test_cancel_says_what_became_of_the_job(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["POST", f"/mcp/cancel/{JOB}"] = (200, {"job_id": JOB, "status": "cancelled"})
    assert vidgend("cancel", JOB).stdout == f"{JOB}: cancelled\n"
    daemon.answers["POST", f"/mcp/cancel/{JOB}"] = problem(409, "conflict", "the job has already completed")
    assert vidgend("cancel", JOB).exit_code == 6


def test_the_list_is_a_table_newest_first_as_the_daemon_gave_it(vidgend, daemon: DaemonStandin) -> None:
    job = {
        "job_id": JOB, "status": "completed", "overall_progress": 100.0, "prompt": "The sea " * 20,
        "created_at": "2026-01-01T00:00:00Z", "started_at": "2026-01-01T00:00:01Z",
        "finished_at": "2026-01-01T00:01:06Z",
    }  # fmt: skip
    daemon.answers["GET", "/mcp/jobs"] = (200, {"jobs": [job], "next_cursor": "abc"})
    result = vidgend("list", "--state", "completed", "--limit", "1")
    head, row, more = result.stdout.splitlines()
    assert head.split() == ["job", "state", "done", "sent", "took", "about"]
    assert row.startswith(f"{JOB}  completed  100%  ") and "1 min 05 s" in row and row.endswith("...")
    assert "--limit" in more
    assert daemon.seen[-1].query == {"state": ["completed"], "limit": ["1"]}


def test_what_a_prompt_holds_cannot_steer_the_terminal(vidgend, daemon: DaemonStandin) -> None:
    prompt = "The \u202e\u2066sea\x1b[2J\x07 \x9b\ufeffmi\u200cx"
    job = {"job_id": JOB, "status": "failed\u200b\n", "prompt": prompt, "created_at": "2026-01-01T00:00:00Z"}
    daemon.answers["GET", "/mcp/jobs"] = (200, {"jobs": [job], "next_cursor": None})
    _, row = vidgend("list").stdout.splitlines()
    assert row.startswith(f"{JOB}  failed  0%  ") and row.endswith("  The sea[2J mi\u200cx")


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:abc", "http://x:99999"])
def test_an_address_that_is_none_is_refused(vidgend, url: str) -> None:
    result = vidgend("list", "--url", url)
    assert result.exit_code == 5
    assert "not an address of a daemon" in result.stderr


def test_an_empty_list_says_so(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", "/mcp/jobs"] = (200, {"jobs": [], "next_cursor": None})
    assert vidgend("list").stdout == "no jobs\n"


def test_a_search_without_a_word_is_refused_as_such(vidgend) -> None:
    result = vidgend("prefetch", "")
    assert result.exit_code == 5 and "QUERY: must have a letter or a digit" in result.stderr


def test_prefetch_sends_its_searches(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["POST", "/mcp/prefetch"] = (202, {"job_id": JOB, "status": "accepted", "message": ""})
    result = vidgend("prefetch", "sea", "moon at night", "--orientation", "portrait", "--per-query", "2")
    assert (result.exit_code, result.stdout) == (0, f"{JOB}\n")
    assert daemon.seen[-1].body == {"queries": ["sea", "moon at night"], "orientation": "portrait", "per_query": 2}


def test_prefetch_can_wait_for_its_clips(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes([{"status": "retrieving", "overall_progress": 50.0}])
    daemon.answers["POST", "/mcp/prefetch"] = (202, {"job_id": JOB, "status": "accepted", "message": ""})
    daemon.answers["GET", f"/mcp/result/{JOB}"] = (200, {"job_id": JOB, "kind": "prefetch", "clips": [{}, {}]})
    assert vidgend("prefetch", "--prompt", "the sea", "-w").stdout == f"{JOB}: 2 clips are in the store\n"


def test_prefetch_sends_the_job_whose_storyboard_it_is(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["POST", "/mcp/prefetch"] = (202, {"job_id": JOB, "status": "accepted", "message": ""})
    assert vidgend("prefetch", "--storyboard", "job_1").exit_code == 0
    assert daemon.seen[-1].body == {"storyboard": "job_1"}


def test_generate_can_fetch_alone_what_the_video_would_show(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes([{"status": "retrieving", "overall_progress": 50.0}])
    daemon.answers["POST", "/mcp/prefetch"] = (202, {"job_id": JOB, "status": "accepted", "message": ""})
    clips = {"job_id": JOB, "kind": "prefetch", "clips": [{}, {}], "failed": ["'x': nothing fits"]}
    daemon.answers["GET", f"/mcp/result/{JOB}"] = (200, clips)
    result = vidgend("generate", "the sea", "--duration", "20", "--prefetch")
    assert result.exit_code == 0 and f"{JOB}: 2 clips are in the store" in result.stdout
    assert "note: 'x': nothing fits" in result.stdout
    (sent,) = [one.body for one in daemon.seen if one.body is not None]
    assert sent == {"video": {"prompt": "the sea", "duration_target": 20.0}}


def test_a_prefetch_writes_no_video(vidgend) -> None:
    assert vidgend("generate", "the sea", "--prefetch", "-o", "x.mp4").exit_code == 2


@pytest.mark.parametrize("arguments", [[], ["sea", "--prompt", "the sea"], ["--prompt", "a", "--storyboard", "b"]])
def test_prefetch_wants_searches_or_a_prompt(vidgend, arguments: list[str]) -> None:
    assert vidgend("prefetch", *arguments).exit_code == 2


def test_prefetch_refuses_wrong_values_by_option(vidgend) -> None:
    result = vidgend("prefetch", "sea", "--per-query", "99", "--orientation", "round")
    assert result.exit_code == 5
    assert "--per-query: must be" in result.stderr and "--orientation: must be" in result.stderr
