"""`vidgend usage`: of a daemon, and of a data directory."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from standins.daemon_standin import DaemonStandin

from vidgend.pipeline.budget.accounts import date_of
from vidgend.store.database import Database, DataDir
from vidgend.store.ledger import DAY_S, Answer, Ledger

TODAY = date_of(int(time.time() // DAY_S))
FOUND: dict[str, Any] = {
    "from": "2026-11-01", "to": "2026-11-27", "by": "day", "currency": "EUR",
    "totals": {"calls": 1312, "failed": 2, "tokens_in": 120_000, "tokens_out": 900, "cost": 0.75},
    "month": {"month": "2026-11", "cost": 0.75, "cap": 20.0, "left": 19.25},
    "quotas": [
        {
            "service": "pexels", "at_once": 0, "next_request_at": "2026-11-27T10:00:00Z", "held_until": None,
            "waits_for": "200 of 200 requests of this hour are used",
            "windows": [{"span": "hour", "seconds": 3600.0, "limit": 200, "used": 200, "left": 0}],
            "told": {"limit": 20000, "left": 18000, "reset_at": "2026-11-30T00:00:00Z", "at": "2026-11-27T09:00:00Z"},
        }
    ],
    "entries": [
        {"day": "2026-11-27", "calls": 1300, "failed": 2, "tokens_in": 120_000, "tokens_out": 900, "cost": 0.74,
         "services": {"llm": 12, "pexels": 1288}},
        {"day": "2026-11-26", "calls": 12, "failed": 0, "tokens_in": 0, "tokens_out": 0, "cost": 0.005,
         "services": {"pexels": 12}},
    ],
    "next_cursor": "x",
}  # fmt: skip


@pytest.fixture
def data(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory in which a daemon has made 30 calls."""
    folder = home / "data"
    folder.mkdir()
    monkeypatch.setenv("VIDGEND_DATA_DIR", str(folder))

    async def fill() -> None:
        database = await Database.open(folder / "vidgend.db")
        ledger = Ledger(database)
        for number in range(30):
            call = await ledger.begin("pexels", "video_search", "sea", job_id=f"job_{number % 3}", at=time.time())
            ledger.end(call, "pexels", Answer(status=200, seconds=0.1))
        await database.close()

    asyncio.run(fill())
    return folder


def test_a_daemon_is_asked_and_a_table_printed(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", "/mcp/usage"] = (200, FOUND)
    result = vidgend("usage", "--from", "2026-11-01", "--to", "2026-11-27")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "2026-11-01 to 2026-11-27"
    assert lines[1].split() == ["day", "(UTC)", "calls", "failed", "tokens", "read", "written", "cost"]
    assert lines[2].split() == [
        "2026-11-27", "1,300", "2", "120,000", "900", "0.74", "EUR", "llm", "12,", "pexels", "1,288",
    ]  # fmt: skip
    assert lines[3].split()[:5] == ["2026-11-26", "12", "0", "0", "0"] and "0.0050 EUR" in lines[3]
    assert lines[4].split()[:3] == ["all", "1,312", "2"]
    assert "--limit shows more" in lines[5]
    assert lines[6] == "pexels: 200 of 200 this hour"
    assert lines[7].startswith("pexels says: 18000 of 20000 left until 2026-11-")
    assert "the next request fits at 2026-11-27" in lines[8] and lines[8].endswith("of this hour are used")
    assert lines[9] == "2026-11: the language model has cost 0.75 EUR of 20.00 EUR (usage.monthly_cap)"
    (seen,) = [seen for seen in daemon.seen if seen.path == "/mcp/usage"]
    assert seen.query == {"limit": ["100"], "by": ["day"], "from": ["2026-11-01"], "to": ["2026-11-27"]}


def test_json_is_the_daemons_own_answer(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", "/mcp/usage"] = (200, FOUND)
    assert json.loads(vidgend("usage", "--json", "--by", "service").stdout) == FOUND


def test_without_a_daemon_the_data_directory_is_read(vidgend, data: Path) -> None:
    found = json.loads(vidgend("usage", "--json").stdout)
    assert found["totals"]["calls"] == 30 and found["entries"][0]["day"] == TODAY
    quota = found["quotas"][0]
    assert [(one["span"], one["used"], one["left"]) for one in quota["windows"]] == [
        ("hour", 30, 170), ("month", 30, 19_970),
    ]  # fmt: skip
    assert quota["at_once"] == 70
    result = vidgend("usage", "--by", "job", "--limit", "2")
    assert result.stdout.splitlines()[1].split()[:2] == ["job", "calls"] and "job_2" in result.stdout
    assert "pexels: 30 of 200 this hour, 30 of 20000 this month" in result.stdout


def test_it_reads_beside_a_daemon_too(vidgend, data: Path) -> None:
    lock = DataDir(data)
    lock.acquire()
    try:
        assert json.loads(vidgend("usage", "--local", "--json").stdout)["totals"]["calls"] == 30
    finally:
        lock.release()


def test_what_cannot_be_asked_is_said(vidgend, data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = vidgend("usage", "--from", "yesterday")
    assert wrong.exit_code == 5 and "error: from: must be a date such as 2026-11-27" in wrong.stderr
    assert vidgend("usage", "--by", "week").exit_code == 2
    assert vidgend("usage", "--local", "--url", "http://127.0.0.1:1").exit_code == 2
    gone = vidgend("usage", "--url", "http://127.0.0.1:1")
    assert gone.exit_code != 0 and "no daemon answers" in gone.stderr
    empty = vidgend("usage", "--data-dir", str(tmp_path / "nothing"))
    assert empty.exit_code != 0 and "there is no database" in empty.stderr


def test_doctor_tells_how_much_of_a_quota_is_used(vidgend, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEXELS_API_KEY", "key")
    told = json.loads(vidgend("doctor", "--json").stdout)["findings"]
    texts = [finding["text"] for finding in told if finding["section"] == "footage"]
    assert "pexels: 30 of 200 this hour, 30 of 20000 this month" in texts
