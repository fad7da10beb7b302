"""Retry, delete, pause, resume, queue, webhooks: what goes to the daemon and what people read."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from standins.daemon_standin import JOB, DaemonStandin, problem

OTHER = "job_ffffffffffffffffffff"
OPEN = {"paused": False, "paused_at": None, "reason": None}
PAUSED = {"paused": True, "paused_at": "2026-01-01T00:00:00Z", "reason": "new disk"}
SINCE = datetime.fromisoformat("2026-01-01T00:00:00Z").astimezone().strftime("%Y-%m-%d %H:%M")
COUNTS = {"queued": 12, "planning": 0, "rendering": 2, "completed": 340, "failed": 1}
EVENT = {
    "id": "msg_1", "event": "job.failed", "url": "https://x.example/hook", "state": "dead", "attempts": 1,
    "last_error": "HTTP 410", "next_at": None, "created_at": "2026-01-01T00:00:00Z", "endpoint_disabled": True,
    "endpoint_reason": "it said 410 Gone",
}  # fmt: skip


def test_retry_sends_a_job_again(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["POST", f"/mcp/retry/{JOB}"] = (202, {"job_id": JOB, "status": "accepted", "message": ""})
    assert vidgend("retry", JOB).stdout == f"{JOB}: accepted\n"
    daemon.answers["POST", f"/mcp/retry/{JOB}"] = problem(409, "conflict", "the job is completed")
    result = vidgend("retry", JOB)
    assert (result.exit_code, result.stderr) == (6, "error: the job is completed\n")


def test_delete_deletes_all_that_it_can_and_says_what_it_could_not(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["DELETE", f"/mcp/jobs/{JOB}"] = (204, None)
    daemon.answers["DELETE", f"/mcp/jobs/{OTHER}"] = problem(409, "conflict", "the job is rendering", "Cancel first.")
    assert vidgend("delete", JOB).stdout == f"{JOB}: deleted\n"
    result = vidgend("delete", OTHER, JOB, "unknown", JOB)
    assert result.exit_code == 6, "as the first that was refused"
    assert result.stdout == f"{JOB}: deleted\n"
    assert result.stderr.splitlines() == [
        f"error: {OTHER}: the job is rendering", "hint: Cancel first.", "error: unknown: no such path",
    ]  # fmt: skip
    assert daemon.paths("DELETE").count(f"/mcp/jobs/{JOB}") == 2
    result = vidgend("delete", JOB, "unknown", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (
        3,
        {"deleted": [JOB], "refused": {"unknown": {"code": "not_found", "detail": "no such path"}}},
    )


def test_the_queue_is_told_in_two_lines(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", "/mcp/queue"] = (200, OPEN | {"jobs": COUNTS})
    assert vidgend("queue").stdout == "the queue is open\n12 queued, 2 rendering, 340 completed, 1 failed\n"
    daemon.answers["GET", "/mcp/queue"] = (200, PAUSED | {"jobs": {"queued": 0}})
    assert vidgend("queue").stdout == f"the queue is paused since {SINCE}: new disk\n"


def test_pause_and_resume_say_how_it_is_now(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["POST", "/mcp/pause"] = (200, PAUSED)
    daemon.answers["POST", "/mcp/resume"] = (200, OPEN)
    assert vidgend("pause", "--reason", "new disk").stdout == f"the queue is paused since {SINCE}: new disk\n"
    assert daemon.seen[-1].body == {"reason": "new disk"}
    daemon.answers["POST", "/mcp/pause"] = (200, PAUSED | {"reason": ""})
    assert vidgend("pause").stdout == f"the queue is paused since {SINCE}\n"
    assert daemon.seen[-1].body is None
    assert vidgend("resume").stdout == "the queue is open\n"


def test_the_events_of_a_job_are_a_table(vidgend, daemon: DaemonStandin) -> None:
    pending = EVENT | {"id": "msg_22", "state": "pending", "attempts": 2, "last_error": "HTTP 500"}
    pending |= {"next_at": "2026-01-01T00:00:00Z", "url": "https://y.example/", "endpoint_disabled": False}
    daemon.answers["GET", f"/mcp/webhooks/{JOB}"] = (200, {"job_id": JOB, "events": [EVENT, pending]})
    assert vidgend("webhooks", JOB).stdout.splitlines() == [
        f"id      event       state    attempts  {'next':<{len(SINCE)}}  last error",
        f"msg_1   job.failed  dead     1         {'':<{len(SINCE)}}  HTTP 410",
        f"msg_22  job.failed  pending  2         {SINCE}  HTTP 500",
        "https://x.example/hook is disabled: it said 410 Gone; --redeliver enables it again",
    ]
    daemon.answers["GET", f"/mcp/webhooks/{JOB}"] = (200, {"job_id": JOB, "events": []})
    assert vidgend("webhooks", JOB).stdout == "no events\n"


@pytest.mark.parametrize(
    ("arguments", "body"), [(["--redeliver"], None), (["--redeliver", "msg_1"], {"webhook_id": "msg_1"})]
)
def test_events_are_sent_again_one_or_all(vidgend, daemon: DaemonStandin, arguments: list[str], body: object) -> None:
    accepted = {"job_id": JOB, "status": "accepted", "webhook_ids": ["msg_1"]}
    daemon.answers["POST", f"/mcp/webhooks/{JOB}/redeliver"] = (202, accepted)
    assert vidgend("webhooks", JOB, *arguments).stdout == "msg_1: is sent again\n"
    assert daemon.seen[-1].body == body
    assert json.loads(vidgend("webhooks", JOB, *arguments, "--json").stdout) == accepted


@pytest.mark.parametrize(
    ("arguments", "method", "path"),
    [
        (["retry", JOB], "POST", f"/mcp/retry/{JOB}"),
        (["queue"], "GET", "/mcp/queue"),
        (["pause"], "POST", "/mcp/pause"),
        (["resume"], "POST", "/mcp/resume"),
        (["webhooks", JOB], "GET", f"/mcp/webhooks/{JOB}"),
    ],
)
def test_json_is_the_daemons_own_answer(
    vidgend, daemon: DaemonStandin, arguments: list[str], method: str, path: str
) -> None:
    daemon.answers[method, path] = (200, {"some": ["thing", "Größe"]})
    result = vidgend(*arguments, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"some": ["thing", "Größe"]})


@pytest.mark.parametrize(
    "arguments", [["retry", "x"], ["delete", "x", "y"], ["queue"], ["pause"], ["resume"], ["webhooks", "x"]]
)
def test_without_a_daemon_the_way_to_start_one_is_told(vidgend, arguments: list[str]) -> None:
    result = vidgend(*arguments)
    assert result.exit_code == 4
    assert result.stderr.count("hint: Start one with `vidgend serve`") == 1


def test_delete_wants_at_least_one_job(vidgend) -> None:
    assert vidgend("delete").exit_code == 2
