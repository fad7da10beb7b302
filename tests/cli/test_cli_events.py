"""Following jobs by their events: the real client over real HTTP, a stand-in at the other end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from standins.daemon_standin import JOB, DaemonStandin, problem

EVENTS = f"/mcp/events/{JOB}"
STATUS = f"/mcp/status/{JOB}"
RENDERING = {"job_id": JOB, "status": "rendering", "overall_progress": 42.0, "scenes_processed": 1, "total_scenes": 4}
COMPLETED = {"job_id": JOB, "at": "2026-11-27T10:00:00Z", "status": "completed", "attempt": 1}


def sse(name: str, data: Any, id: int | None = None) -> bytes:
    head = "" if id is None else f"id: {id}\n"
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def test_a_job_is_followed_with_three_requests(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes([{"status": "queued"}])
    daemon.streams[EVENTS] = [[
        b"retry: 2000\n\n", sse("snapshot", {"job_id": JOB, "status": "queued", "queue_position": 2}, 7),
        sse("status", COMPLETED | {"status": "rendering"}, 8), b": still here\n\n", sse("progress", RENDERING),
        sse("log", {"job_id": JOB, "line": "x"}, 9), sse("progress", RENDERING | {"overall_progress": 80, "eta_s": 9}),
        sse("status", COMPLETED, 10), b": the end\n\n",
    ]]  # fmt: skip
    result = vidgend("generate", "the sea")
    assert result.exit_code == 0, result.stderr
    asked = [path for path in daemon.paths("GET") if not path.startswith(("/mcp/assets", "/mcp/result"))]
    assert asked == ["/livez", STATUS, EVENTS, STATUS]
    assert result.stderr.splitlines()[1:] == [
        "[  0%] waiting for its turn", "[  0%] rendering", "[ 42%] rendering, scene 2 of 4",
        "[ 80%] rendering, scene 2 of 4, about 9 s left",
    ]  # fmt: skip


def test_after_a_break_it_goes_on_after_the_last_event(vidgend, daemon: DaemonStandin) -> None:
    daemon.completes([RENDERING, RENDERING])
    daemon.streams[EVENTS] = [[sse("snapshot", RENDERING, 7), b"event: progress\nda"], [sse("status", COMPLETED, 8)]]
    assert vidgend("status", JOB, "--watch").exit_code == 0
    asked = [seen for seen in daemon.seen if seen.path == EVENTS]
    assert [seen.headers.get("Last-Event-Id") for seen in asked] == [None, "7"]
    assert asked[0].headers["Accept"] == "text/event-stream"


@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        (problem(404, "not_found", "no such path"), 1),
        (problem(429, "too_many_streams", "too many"), 1),
        ((406, {"title": "no"}), 2),
        ((200, {"status": "a proxy's page"}), 1),
        ((502, b"<html>bad gateway</html>"), 2),
    ],
)
def test_without_a_stream_it_asks_again_and_again(vidgend, daemon: DaemonStandin, answer: Any, tries: int) -> None:
    daemon.completes([RENDERING] * 6)
    daemon.answers["GET", EVENTS] = answer
    assert vidgend("generate", "the sea").exit_code == 0
    assert (daemon.paths("GET").count(STATUS), daemon.paths("GET").count(EVENTS)) == (7, tries)


@pytest.mark.parametrize("garbage", [b"data: {}}\n\n", b"data: 3\n\n", b"\xff\xfe\n\n", b"x" * 1_100_000])
def test_a_stream_of_something_else_is_none(vidgend, daemon: DaemonStandin, garbage: bytes) -> None:
    daemon.completes([RENDERING] * 3)
    daemon.streams[EVENTS] = [[garbage], [garbage]]
    assert vidgend("status", JOB, "--watch").exit_code == 0
    assert daemon.paths("GET") == [STATUS, EVENTS, STATUS, STATUS, STATUS]


def test_a_proxy_that_keeps_the_stream_back_is_given_up(
    vidgend, daemon: DaemonStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidgend.client.daemon.SILENCE_S", 0.2)

    def kept_back() -> Iterator[bytes]:
        yield b""
        daemon.held.wait(5)

    daemon.completes([RENDERING] * 3)
    daemon.streams[EVENTS] = [kept_back()]
    began = time.monotonic()
    assert vidgend("generate", "the sea").exit_code == 0
    assert time.monotonic() - began < 4
    assert daemon.paths("GET").count(EVENTS) == 1


def test_streams_that_end_at_once_are_not_asked_for_without_a_pause(
    vidgend, daemon: DaemonStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidgend.cli.follow.POLL_S", 0.1)
    daemon.completes([RENDERING] * 5)
    daemon.streams[EVENTS] = [[sse("snapshot", RENDERING, 7)] for _ in range(5)]
    began = time.monotonic()
    assert vidgend("status", JOB, "--watch").exit_code == 0
    assert time.monotonic() - began > 0.45


def test_events_are_printed_until_the_job_has_come_to_rest(vidgend, daemon: DaemonStandin) -> None:
    at = {"job_id": JOB, "at": "2026-11-27T10:00:00Z"}
    failed = at | {"status": "failed", "error": {"code": "timeout", "detail": "too late", "hint": ""}}
    stream = [
        sse("reset", {"last_event_id": 3}), sse("snapshot", RENDERING, 7), sse("progress", RENDERING),
        sse("log", at | {"line": "evil \x1b[2J \u202e text"}, 8), sse("storyboard", at | {"version": 2, "author": "me"}, 9),
        sse("status", failed, 10), sse("status", at | {"status": "queued"}, 11),
    ]  # fmt: skip
    daemon.streams[EVENTS] = [stream, stream]
    result = vidgend("events", JOB, "--after", "3")
    assert result.exit_code == 0 and daemon.seen[0].headers["Last-Event-Id"] == "3"
    assert [line[21:].removeprefix(f"{JOB}  ") for line in result.stdout.splitlines()] == [
        "what came after event 3 is not kept", "is rendering, 42%", "  evil [2J  text", "storyboard version 2 by me",
        "failed: too late",
    ]  # fmt: skip
    lines = [json.loads(line) for line in vidgend("events", JOB, "--json").stdout.splitlines()]
    assert [(line["event"], line["id"]) for line in lines] == [
        ("reset", None), ("snapshot", "7"), ("progress", None), ("log", "8"), ("storyboard", "9"), ("status", "10"),
    ]  # fmt: skip
    assert lines[2]["data"] == RENDERING


def test_a_daemon_that_was_never_there_is_not_waited_for(vidgend) -> None:
    began = time.monotonic()
    result = vidgend("--url", "http://127.0.0.1:9", "events")
    assert result.exit_code == 4 and "no daemon answers" in result.stderr
    assert time.monotonic() - began < 20


def test_events_of_all_jobs_go_on_after_a_break(
    vidgend, daemon: DaemonStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidgend.client.following.COME_AGAIN_S", 0.01)
    daemon.streams["/mcp/events"] = [
        [sse("snapshot", {"jobs": [RENDERING, RENDERING | {"status": "queued"}]}, 7)],
        [sse("status", COMPLETED, 8), sse("deleted", {"job_id": JOB, "at": COMPLETED["at"]}, 9)],
    ]
    result = vidgend("events")
    assert result.exit_code == 3, "no more streams: the stand-in says not found"
    assert [line[21:] for line in result.stdout.splitlines()] == [
        f"{JOB}  is rendering, 42%", f"{JOB}  is queued, 42%", f"{JOB}  completed", f"{JOB}  deleted",
    ]  # fmt: skip
    assert [seen.headers.get("Last-Event-Id") for seen in daemon.seen] == [None, "7", "9"]


def test_a_daemon_without_events_says_what_works_instead(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", "/mcp/events"] = (200, {"a page": "of a proxy"})
    result = vidgend("events")
    assert result.exit_code == 4 and "vidgend status JOB --watch" in result.stderr
