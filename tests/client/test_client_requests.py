"""What the client sends, and what it makes of odd answers, against a stand-in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standins.daemon_standin import JOB, DaemonStandin, problem

from vidgend.client import NoEvents, Patience, Vidgend
from vidgend.errors import (
    AssetDamaged,
    BadInput,
    DaemonUnreachable,
    Draining,
    FfmpegFailed,
    NotFound,
    StoryboardChanged,
    VidgendError,
)

BOARD = f"/mcp/storyboard/{JOB}"
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.fixture
def standin() -> Iterator[DaemonStandin]:
    with DaemonStandin() as standin:
        yield standin


@pytest.fixture
def client(standin: DaemonStandin) -> Vidgend:
    return Vidgend(standin.url, patience=Patience(first_wait_s=0.01))


def _result(standin: DaemonStandin, **file: Any) -> Any:
    url = f"{standin.url}/mcp/assets/x"
    known = {"name": "output.mp4", "url": url, "sha256": EMPTY_SHA256, "size_bytes": 0, "content_type": "video/mp4"}
    return {"job_id": JOB, "files": {"video": known | file}}


def test_a_storyboard_is_changed_and_rendered(standin: DaemonStandin, client: Vidgend) -> None:
    standin.answers |= {
        ("GET", BOARD): (200, {"job_id": JOB, "version": 1}),
        ("GET", f"{BOARD}/versions"): (200, {"versions": []}),
        ("PATCH", BOARD): (200, {"job_id": JOB, "version": 2}),
        ("POST", f"{BOARD}/revert"): (200, {"job_id": JOB, "version": 3}),
        ("POST", f"/mcp/render/{JOB}"): (202, {"job_id": JOB, "status": "accepted"}),
    }
    board = client.storyboard(JOB, version=1)
    assert standin.seen[-1].query == {"version": ["1"]}
    assert client.storyboard_versions(board)["versions"] == []
    client.edit(board, if_version=board["version"], scenes=[{"index": 1, "narration": "The sea."}])
    assert standin.seen[-1].headers["If-Match"] == '"1"'
    assert standin.seen[-1].body == {"scenes": [{"index": 1, "narration": "The sea."}]}
    client.revert(JOB, 1)
    assert (standin.seen[-1].body, "If-Match" in standin.seen[-1].headers) == ({"version": 1}, False)
    client.render(JOB, quality="high")
    assert standin.seen[-1].body == {"quality": "high"}


def test_an_edit_is_never_made_twice(standin: DaemonStandin, client: Vidgend) -> None:
    standin.answers["PATCH", BOARD] = problem(412, "storyboard_changed", "there is a newer version")
    with pytest.raises(StoryboardChanged):
        client.edit(JOB, title="The sea")
    assert len(standin.seen) == 1


def test_what_a_job_failed_with_is_raised(standin: DaemonStandin, client: Vidgend) -> None:
    error = {"code": "ffmpeg_failed", "detail": "it broke", "hint": "mend it", "tail": "last line"}
    standin.answers["GET", f"/mcp/status/{JOB}"] = (200, {"job_id": JOB, "status": "failed", "error": error})
    with pytest.raises(FfmpegFailed) as raised:
        client.wait(JOB)
    assert (raised.value.detail, raised.value.hint, raised.value.tail) == ("it broke", "mend it", "last line")


def test_a_job_is_waited_for_over_a_restart_but_not_for_ever(
    standin: DaemonStandin, client: Vidgend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidgend.client.calls.POLL_S", 0.01)
    broken = (200, b"no JSON")
    status = f"/mcp/status/{JOB}"
    standin.answers["GET", status] = [*[broken] * 6, (200, {"job_id": JOB, "status": "awaiting_review"})]
    assert client.wait(JOB)["status"] == "awaiting_review"
    monkeypatch.setattr("vidgend.client.following.AWAY_S", 0.05)
    standin.answers["GET", status] = broken
    with pytest.raises(DaemonUnreachable):
        client.wait(JOB)


def test_an_unknown_code_keeps_its_name(standin: DaemonStandin, client: Vidgend) -> None:
    standin.answers["GET", "/mcp/queue"] = problem(418, "of_a_newer_version", "tea")
    with pytest.raises(BadInput) as raised:
        client.queue()
    assert (raised.value.code, raised.value.status, raised.value.detail) == ("of_a_newer_version", 418, "tea")


@pytest.mark.parametrize("what", ["cut", "damaged", "missing"])
def test_a_file_that_did_not_come_whole_is_not_left(
    standin: DaemonStandin, client: Vidgend, tmp_path: Path, what: str
) -> None:
    standin.cut_downloads = what == "cut"
    if what != "missing":
        standin.answers["GET", "/mcp/assets/x"] = (200, b"other bytes")
    (tmp_path / "output.mp4").write_bytes(b"older")
    kinds: dict[str, type[VidgendError]] = {"cut": DaemonUnreachable, "damaged": AssetDamaged, "missing": NotFound}
    with pytest.raises(kinds[what]):
        client.download(_result(standin), tmp_path)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("output.mp4", b"older")]


def test_only_what_a_result_has_can_be_fetched(standin: DaemonStandin, client: Vidgend, tmp_path: Path) -> None:
    for result in ({"job_id": JOB}, _result(standin, url=None)):
        with pytest.raises(NotFound, match="video"):
            client.download(result, tmp_path)
    with pytest.raises(NotFound, match="srt"):
        client.download(_result(standin), tmp_path, role="srt")


def test_a_file_name_of_the_daemon_stays_in_the_folder(standin: DaemonStandin, client: Vidgend, tmp_path: Path) -> None:
    standin.answers["GET", "/mcp/assets/x"] = (200, b"")
    written = client.download(_result(standin, name="../../up.mp4"), tmp_path)
    assert written == tmp_path / "up.mp4"


def test_an_address_that_is_none_is_refused() -> None:
    for url in ("", "ftp://x", "http://x:port", "http://"):
        with pytest.raises(BadInput):
            Vidgend(url)


def _event(name: str, status: str, number: int) -> bytes:
    return f'id: {number}\nevent: {name}\ndata: {{"job_id": "{JOB}", "status": "{status}"}}\n\n'.encode()


EVENTS = f"/mcp/events/{JOB}"


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgend.client.following.COME_AGAIN_S", 0.01)


@pytest.mark.usefixtures("eager")
def test_events_go_on_where_a_stream_broke_off(standin: DaemonStandin, client: Vidgend) -> None:
    standin.answers["GET", f"/mcp/status/{JOB}"] = (200, {"job_id": JOB, "status": "planning"})
    standin.streams[EVENTS] = [
        [_event("snapshot", "queued", 1), _event("status", "planning", 2), b"event: progress\nda"],
        [b": nothing yet\n\n"],
        [_event("snapshot", "rendering", 5), _event("status", "failed", 6), _event("log", "", 7)],
    ]
    seen = [(event.name, event.data["status"], event.id) for event in client.events(JOB)]
    assert seen == [
        ("snapshot", "queued", "1"), ("status", "planning", "2"), ("snapshot", "rendering", "5"), ("status", "failed", "6"),
    ]  # fmt: skip
    asked = [one.headers.get("Last-Event-Id") for one in standin.seen if one.path == EVENTS]
    assert asked == [None, "2", "2"]


@pytest.mark.usefixtures("eager")
def test_a_rest_that_is_past_is_not_the_end(standin: DaemonStandin, client: Vidgend) -> None:
    """What was missed comes before the snapshot: the job awaited its review, and has been rendered since."""
    standin.streams[EVENTS] = [
        [_event("status", "awaiting_review", 4), _event("status", "queued", 5), _event("snapshot", "rendering", 5)],
        [_event("snapshot", "rendering", 5), _event("status", "completed", 6)],
    ]
    assert [event.id for event in client.events(JOB, last_id="3")] == ["4", "5", "5", "5", "6"]
    assert [one.headers.get("Last-Event-Id") for one in standin.seen] == ["3", "5"]


def test_what_happened_while_the_snapshot_was_made_comes_after_it(standin: DaemonStandin, client: Vidgend) -> None:
    standin.streams[EVENTS] = [[_event("snapshot", "completed", 4), _event("status", "completed", 5)]]
    assert [event.id for event in client.events(JOB)] == ["4", "5"]
    assert len(standin.seen) == 1


@pytest.mark.usefixtures("eager")
def test_a_stream_that_is_put_off_is_asked_for_again(standin: DaemonStandin, client: Vidgend) -> None:
    put_off = [problem(429, "rate_limited", "too many"), problem(503, "database_unavailable", "later")]
    standin.answers["GET", EVENTS] = [*put_off, (204, None)]
    standin.answers["GET", f"/mcp/status/{JOB}"] = (200, {"job_id": JOB, "status": "completed"})
    assert [*client.events(JOB)] == []


def test_a_wait_outlives_what_passes(standin: DaemonStandin, client: Vidgend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgend.client.calls.POLL_S", 0.01)
    monkeypatch.setattr("vidgend.client.retries.time.sleep", lambda wait_s: None)
    later = [problem(503, "database_unavailable", "later")] * 9
    standin.answers["GET", f"/mcp/status/{JOB}"] = [*later, (200, {"job_id": JOB, "status": "completed"})]
    assert client.wait(JOB)["status"] == "completed"


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("end", [b"", b"data: [\n\n"])
def test_a_daemon_that_restarts_after_a_quiet_time_is_waited_for(
    standin: DaemonStandin, client: Vidgend, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    def quiet() -> Iterator[bytes]:
        yield _event("snapshot", "queued", 1)
        time.sleep(0.4)
        yield end

    monkeypatch.setattr("vidgend.client.following.AWAY_S", 0.3)
    standin.streams[EVENTS] = [quiet()]
    standin.answers["GET", f"/mcp/status/{JOB}"] = (200, {"job_id": JOB, "status": "completed"})
    standin.answers["GET", EVENTS] = [problem(503, "draining", "vidgend is stopping"), (204, None)]
    assert [event.id for event in client.events(JOB)] == ["1"]


@pytest.mark.usefixtures("eager")
def test_events_end_where_there_are_none(
    standin: DaemonStandin, client: Vidgend, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.answers["GET", f"/mcp/status/{JOB}"] = (200, {"job_id": JOB, "status": "completed"})
    standin.answers["GET", EVENTS] = (204, None)
    assert [*client.events(JOB, last_id="7")] == []
    assert standin.seen[0].headers["Last-Event-Id"] == "7"
    standin.answers["GET", EVENTS] = (200, {"not": "a stream"})
    with pytest.raises(NoEvents):
        next(client.events(JOB))
    standin.answers["GET", EVENTS] = problem(404, "not_found", "no such job")
    with pytest.raises(NotFound):
        next(client.events(JOB))
    monkeypatch.setattr("vidgend.client.following.AWAY_S", 0.05)
    standin.answers["GET", "/mcp/events"] = problem(503, "draining", "vidgend is stopping")
    with pytest.raises(Draining):
        next(client.events())
