"""`vidgend webhooks JOB | secret | test`: the secrets in a real database, the rest against a stand-in daemon."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from standins.daemon_standin import JOB, DaemonStandin, problem

from vidgend.store.database import Database, DataDir

URL = "https://hooks.example/abc"
EVENT = {
    "id": "msg_1", "event": "job.completed", "url": URL, "state": "pending", "attempts": 2, "last_error": "HTTP 500",
    "next_at": None, "created_at": "2026-11-25T23:31:01Z", "endpoint_disabled": False, "endpoint_reason": None,
    "attempt_log": [
        {"at": "2026-11-25T23:31:02Z", "status": None, "duration_ms": 15000, "error": "no answer within 15 s"},
        {"at": "2026-11-25T23:31:08Z", "status": 500, "duration_ms": 31, "error": "HTTP 500"},
    ],
}  # fmt: skip


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """With a database, as a daemon left it."""
    folder = tmp_path / "data"
    folder.mkdir()

    async def make() -> None:
        await (await Database.open(folder / "vidgend.db")).close()

    asyncio.run(make())
    return folder


def test_the_log_of_a_job(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", f"/mcp/webhooks/{JOB}"] = (200, {"job_id": JOB, "events": [EVENT]})
    short = vidgend("webhooks", JOB)
    assert short.exit_code == 0 and "msg_1" in short.stdout and "15000 ms" not in short.stdout
    for words in (("webhooks", JOB, "--log"), ("webhooks", "--log", JOB), ("webhooks", "job", JOB, "--log")):
        told = vidgend(*words)
        assert told.exit_code == 0, told.stderr
        assert "no answer within 15 s" in told.stdout and "15000 ms" in told.stdout and "31 ms" in told.stdout
    assert json.loads(vidgend("webhooks", "--json", JOB).stdout)["events"] == [EVENT]


def test_sending_again_needs_no_other_word(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["POST", f"/mcp/webhooks/{JOB}/redeliver"] = (202, {"job_id": JOB, "webhook_ids": ["msg_1"]})
    for words in ((JOB, "--redeliver"), (JOB, "--redeliver", "msg_1"), ("--redeliver", "msg_1", JOB)):
        assert vidgend("webhooks", *words).stdout == "msg_1: is sent again\n"
    assert [seen.body for seen in daemon.seen if seen.method == "POST"] == [None, *[{"webhook_id": "msg_1"}] * 2]


def test_help_names_all_of_it(vidgend) -> None:
    told = vidgend("webhooks", "--help")
    assert told.exit_code == 0
    assert all(word in told.stdout for word in ("JOB", "secret", "test"))


def test_a_secret_is_made_shown_changed_and_forgotten(vidgend, data_dir: Path) -> None:
    def run(*words: str) -> dict[str, Any]:
        result = vidgend("webhooks", "secret", *words, "--json", "--data-dir", str(data_dir))
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    first = run(URL)
    assert first["new"] and first["secret"].startswith("whsec_") and first["endpoint"] == URL
    assert first["previous_valid_until"] is not None
    again = run(f"{URL}?order=7")
    assert (again["secret"], again["new"]) == (first["secret"], False)
    assert run(f"{URL}/other")["secret"] != first["secret"] != run(URL, "--owner", "ann")["secret"]
    second = run(URL, "--rotate")
    assert second["new"] and second["secret"] != first["secret"]
    plain = vidgend("webhooks", "secret", URL, "--data-dir", str(data_dir))
    assert plain.stdout == f"{second['secret']}\n" and "the one before signs as well until" in plain.stderr
    gone = vidgend("webhooks", "secret", URL, "--remove", "--data-dir", str(data_dir))
    assert gone.exit_code == 0 and "webhooks.secret" in gone.stdout
    assert vidgend("webhooks", "secret", URL, "--remove", "--data-dir", str(data_dir)).exit_code == 3
    run(URL)
    assert run(URL, "--remove") == {"endpoint": URL, "removed": True}


def test_a_secret_is_made_while_the_daemon_runs(vidgend, data_dir: Path) -> None:
    lock = DataDir(data_dir)
    lock.acquire()
    held = sqlite3.connect(data_dir / "vidgend.db", isolation_level=None)
    try:
        assert held.execute("SELECT count(*) FROM webhook_secrets").fetchone() == (0,)
        result = vidgend("webhooks", "secret", URL, "--data-dir", str(data_dir))
        assert result.exit_code == 0, result.stderr
        assert held.execute("SELECT secret FROM webhook_secrets").fetchall() == [(result.stdout.strip(),)]
    finally:
        held.close()
        lock.release()


def test_what_cannot_have_a_secret(vidgend, data_dir: Path, tmp_path: Path) -> None:
    here = ("--data-dir", str(data_dir))
    assert vidgend("webhooks", "secret", "nowhere", *here).exit_code == 5
    refused = vidgend("webhooks", "secret", "http://127.0.0.1/", *here)
    assert refused.exit_code == 5 and "egress.webhook_networks" in refused.stderr
    assert vidgend("webhooks", "secret", URL, "--rotate", "--remove", *here).exit_code == 2
    missing = vidgend("webhooks", "secret", URL, "--data-dir", str(tmp_path / "none"))
    assert missing.exit_code == 3 and "there is no database" in missing.stderr


def test_a_test_event_goes_by_the_daemon(vidgend, daemon: DaemonStandin) -> None:
    told = {
        "url": URL, "delivered": True, "status": 204, "duration_ms": 12, "error": None, "own_secret": True,
        "headers": {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}, "body": "{}",
    }  # fmt: skip
    daemon.answers["POST", "/mcp/webhooks/test"] = (200, told)
    result = vidgend("webhooks", "test", URL)
    assert (result.exit_code, daemon.seen[-1].body) == (0, {"url": URL})
    assert "taken: HTTP 204, 12 ms" in result.stdout and "webhook-signature: v1,x" in result.stdout
    assert "its own secret" in result.stdout
    assert json.loads(vidgend("webhooks", "test", URL, "--json").stdout) == told
    silent = {**told, "delivered": False, "status": None, "error": "no connection: refused", "own_secret": False}
    daemon.answers["POST", "/mcp/webhooks/test"] = (200, silent)
    result = vidgend("webhooks", "test", URL)
    assert result.exit_code == 1 and "not taken: 12 ms" in result.stdout and "no connection: refused" in result.stdout
    forbidden = problem(422, "callback_forbidden", "10.0.0.1 is in a network that is not allowed", "Allow it.")
    daemon.answers["POST", "/mcp/webhooks/test"] = forbidden
    result = vidgend("webhooks", "test", URL)
    assert result.exit_code == 5 and "hint: Allow it." in result.stderr


def test_a_test_event_from_this_process(vidgend, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[dict[str, str], bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200 if len(seen) < 3 else 500)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="receiver")
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        here = ("--local", "--data-dir", str(data_dir))
        assert vidgend("webhooks", "test", url, *here).exit_code == 5
        assert seen == []
        monkeypatch.setenv("VIDGEND_EGRESS__WEBHOOK_NETWORKS", "127.0.0.0/8")
        assert vidgend("webhooks", "test", url, *here).exit_code == 0
        own = vidgend("webhooks", "secret", url, "--data-dir", str(data_dir)).stdout.strip()
        told = vidgend("webhooks", "test", url, *here)
        assert told.exit_code == 0 and "its own secret" in told.stdout
        shared = (data_dir / "webhook.secret").read_text()
        for secret, (headers, body) in ((shared, seen[0]), (own, seen[1]), (shared, seen[1])):
            assert json.dumps(Webhook(secret).verify(body, headers))
        failed = vidgend("webhooks", "test", url, *here)
        assert failed.exit_code == 1 and "not taken: HTTP 500" in failed.stdout
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
