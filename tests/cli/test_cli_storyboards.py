from __future__ import annotations

import json
from typing import Any

import pytest
from standins.daemon_standin import JOB, DaemonStandin, problem

PATH = f"/mcp/storyboard/{JOB}"
REQUEST = {"style": "cinematic", "voice": "en-US-neutral"}


def board(**more: Any) -> dict[str, Any]:
    clip = {"provider": "pexels", "id": "7", "description": "waves", "query": "sea"}
    scenes = [
        {"index": 1, "start": 0.0, "duration": 4.5, "narration": "Waves roll in.", "clip": clip, "queries": ["sea"]},
        {"index": 2, "start": None, "duration": None, "narration": "", "clip": None, "queries": ["moon", "night"]},
    ]
    head = {"job_id": JOB, "version": 2, "author": "Ann", "title": "The sea", "language": "en", "request": REQUEST}
    return head | {"scenes": scenes, "changes": []} | more


def test_a_storyboard_is_a_table_of_its_scenes(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", PATH] = (200, board())
    assert vidgend("storyboard", JOB, "--version", "2").stdout.splitlines() == [
        "The sea (version 2 by Ann, en, cinematic, en-US-neutral)",
        "scene  start  length  narration       picture",
        "1      0.0 s  4.5 s   Waves roll in.  pexels 7: waves",
        "2                     (no words)      moon",
    ]
    assert daemon.seen[-1].query == {"version": ["2"]}


def test_the_versions_say_who_changed_what(vidgend, daemon: DaemonStandin) -> None:
    changes = [
        {"op": "change", "scene": "s1", "field": "narration", "from": "a", "to": "b"},
        {"op": "remove", "scene": "s2", "narration": "x"},
        {"op": "change", "field": "style", "from": "cinematic", "to": "noir"},
    ]
    lines = [
        {"version": 1, "author": "planner", "created_at": None, "changes": [], "rendered": True},
        {"version": 2, "author": "Ann", "created_at": None, "changes": changes, "rendered": False},
    ]
    daemon.answers["GET", f"{PATH}/versions"] = (200, {"job_id": JOB, "versions": lines})
    assert vidgend("storyboard", JOB, "--versions").stdout.splitlines() == [
        "version  made  by       rendered  changes",
        "1              planner  yes       the plan",
        '2              Ann                scene s1: narration "a" -> "b"; scene s2: remove "x"; style "cinematic" -> "n...',
    ]
    assert vidgend("storyboard", JOB, "--versions", "--version", "1").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (["--scene", "2", "--narration", "Night."], {"scenes": [{"index": 2, "narration": "Night."}]}),
        (["--scene", "s9", "--query", "moon"], {"scenes": [{"id": "s9", "query": "moon"}]}),
        (["--scene", "1", "--clip", "pexels:7"], {"scenes": [{"index": 1, "clip": {"provider": "pexels", "id": "7"}}]}),
        (["--scene", "1", "--clip", "another"], {"scenes": [{"index": 1, "clip": None}]}),
        (["--scene", "1", "--in-point", "2.5"], {"scenes": [{"index": 1, "in_point": 2.5}]}),
        (["--scene", "1", "--in-point", "auto", "--length", "auto"],
         {"scenes": [{"index": 1, "in_point": None, "duration": None}]}),
        (["--scene", "1", "--remove"], {"scenes": [{"index": 1, "remove": True}]}),
        (["--add-after", "0", "--narration", "Dawn.", "--length", "4"],
         {"add": [{"after": 0, "narration": "Dawn.", "duration": 4.0}]}),
        (["--order", "2, s1"], {"order": [2, "s1"]}),
        (["--style", "noir", "--voice", "bf_emma", "--author", "Ann"],
         {"style": "noir", "voice": "bf_emma", "author": "Ann"}),
    ],
)  # fmt: skip
def test_an_edit_is_a_patch(vidgend, daemon: DaemonStandin, arguments: list[str], body: dict[str, Any]) -> None:
    change = {"op": "change", "field": "style", "from": "cinematic", "to": "noir"}
    daemon.answers["PATCH", PATH] = (200, board(version=3, changes=[change]))
    done = vidgend("edit", JOB, *arguments)
    assert done.exit_code == 0, done.output
    assert daemon.seen[-1].body == body
    assert f'style "cinematic" -> "noir"\nversion 3; `vidgend render {JOB}` makes the video\n' == done.stdout


def test_an_edit_can_be_a_file_and_hold_to_a_version(vidgend, daemon: DaemonStandin, tmp_path) -> None:
    daemon.answers["PATCH", PATH] = (200, board())
    patch = {"scenes": [{"index": 1, "narration": "Night."}], "captions": {"preset": "pop"}}
    file = tmp_path / "patch.json"
    file.write_text(json.dumps(patch))
    assert vidgend("edit", JOB, "--patch", str(file), "--if-version", "2").exit_code == 0
    assert daemon.seen[-1].body == patch and daemon.seen[-1].headers["If-Match"] == '"2"'
    daemon.answers["PATCH", PATH] = problem(412, "storyboard_changed", "version 3 is the newest")
    refused = vidgend("edit", JOB, "--patch", "-", "--if-version", "2", stdin=json.dumps(patch))
    assert refused.exit_code != 0 and "version 3 is the newest" in refused.stderr
    assert (
        vidgend("edit", JOB, "--patch", "-", stdin="[1]").exit_code == vidgend("edit", JOB, "--patch", "no").exit_code
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["--narration", "x"], ["--scene", "1"], ["--scene", "1", "--clip", "7"], ["--scene", "1", "--in-point", "x"],
        ["--add-after", "1"], ["--add-after", "1", "--narration", "x", "--scene", "1"], ["--patch", "-", "--style", "x"],
    ],
)  # fmt: skip
def test_an_edit_that_says_nothing_sensible_is_a_usage_error(vidgend, arguments: list[str]) -> None:
    assert vidgend("edit", JOB, *arguments, stdin="{}").exit_code == 2


def test_revert_and_render_say_what_comes_of_it(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["POST", f"{PATH}/revert"] = (200, board(version=4))
    assert vidgend("revert", JOB, "1").stdout == f"version 4 is as version 1; `vidgend render {JOB}` makes the video\n"
    assert daemon.seen[-1].body == {"version": 1}
    pieces = {"reused": [{"kind": "scene", "scene": 1}], "rebuilt": [{"kind": "scene", "scene": 2}]}
    daemon.completes()
    daemon.answers["POST", f"/mcp/render/{JOB}"] = (202, {"job_id": JOB, "version": 4, "segments": pieces})
    assert vidgend("render", JOB).stdout == f"{JOB}: version 4; 1 of 2 segments are to be made\n"
    watched = vidgend("render", JOB, "--quality", "high", "-w")
    assert watched.exit_code == 0 and "completed" in watched.stdout
    sent = [seen for seen in daemon.seen if seen.path == f"/mcp/render/{JOB}"]
    assert [seen.body for seen in sent] == [{}, {"quality": "high"}]


def test_generate_with_review_stops_and_says_how_to_go_on(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes()
    daemon.answers["GET", f"/mcp/status/{JOB}"] = (200, {"job_id": JOB, "logs": [], "status": "awaiting_review"})
    done = vidgend("generate", "The sea", "--review")
    assert done.exit_code == 0 and f"`vidgend render {JOB} -w` makes the video" in done.stdout
    assert vidgend("generate", "The sea", "--review", "--local").exit_code == 2
