from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nobodys import NobodysJobs

from vidgend.errors import DatabaseDamaged, SchemaTooNew
from vidgend.store import schema
from vidgend.store.database import Database
from vidgend.store.feed import Feed

ROWS = 2000
NEWEST = len(schema.migrations())
UPGRADE_KILLS = 50 if os.environ.get("LONG_TESTS") == "1" else 20


def first_release(path: Path, rows: int = ROWS) -> None:
    """A database as the first release left it, in the middle of its work."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.executescript("BEGIN; " + schema.migrations()[0] + "; PRAGMA user_version = 1; COMMIT;")
    connection.execute("BEGIN")
    connection.execute("INSERT INTO boots VALUES ('b1', 1, 0)")
    connection.executemany(
        "INSERT INTO jobs (id, kind, state, priority, brief, created_at, updated_at) VALUES (?, 'video', ?, ?, ?, ?, ?)",
        [(f"job_{n}", ("queued", "completed")[n % 2], n % 5, "x" * 500, n, n) for n in range(rows)],
    )
    connection.executemany("INSERT INTO job_events VALUES (?, 1, 1, 'accepted')", [(f"job_{n}",) for n in range(rows)])
    connection.executemany(
        "INSERT INTO published VALUES (?, ?, 'video', 'video.mp4', 'video/mp4', 9)",
        [(f"{n:064d}", f"job_{n}") for n in range(1, rows, 2)],
    )
    connection.execute("COMMIT")
    connection.close()


def look(path: Path) -> tuple[int, int]:
    """(schema, jobs) of a file that has to be sound."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        columns = {row[1] for row in connection.execute("PRAGMA table_info (jobs)")}
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert ("rank" in columns) == ("steps" in tables) == (version > 1)
        return version, connection.execute("SELECT count(*) FROM jobs").fetchone()[0]
    finally:
        connection.close()


async def test_a_database_of_the_first_release_is_upgraded_and_a_copy_is_kept(tmp_path: Path) -> None:
    first_release(tmp_path / "db")
    database = await Database.open(tmp_path / "db")
    assert await database.read("SELECT state, sum(jobs) FROM job_counts GROUP BY state ORDER BY state") == [
        ("completed", ROWS // 2),
        ("queued", ROWS // 2),
    ]
    assert await database.read("SELECT count(*) FROM assets") == [(ROWS // 2,)]
    shown = await database.read("SELECT sum(size_bytes), count(DISTINCT job_id) FROM published")
    assert await database.read("SELECT sum(published_bytes), count(published_bytes) FROM jobs") == shown
    assert await database.read("SELECT owner, published_bytes FROM owner_bytes") == [("", shown[0][0])]
    assert await database.read("PRAGMA application_id") == [(schema.APPLICATION_ID,)]
    assert await database.write(lambda c: c.execute("PRAGMA foreign_keys").fetchone()) == (1,)
    await database.close()
    assert look(tmp_path / "db") == (NEWEST, ROWS)
    assert look(tmp_path / f"db.before-{NEWEST}") == (1, ROWS)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["db", f"db.before-{NEWEST}"]


async def test_jobs_from_before_keys_and_events_go_on_and_are_followed(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "db", isolation_level=None)
    connection.executescript("BEGIN; " + "\n".join(schema.migrations()[:5]) + "; PRAGMA user_version = 5; COMMIT;")
    connection.execute("INSERT INTO boots VALUES ('old', 1, 0)")
    for job_id, state, boot_id in (
        ("job_a", "queued", None),
        ("job_b", "rendering", "old"),
        ("job_c", "completed", None),
    ):
        connection.execute(
            "INSERT INTO jobs (id, kind, state, boot_id, brief, created_at, updated_at, rank) "
            "VALUES (?, 'video', ?, ?, '{\"prompt\": \"sea\"}', 1, 1, 1)",
            (job_id, state, boot_id),
        )
    connection.close()
    database = await Database.open(tmp_path / "db")
    try:
        jobs, feed = NobodysJobs(database, boot_id="new", max_queued=9), Feed(database)
        assert await jobs.counts(owner="") == {"queued": 1, "rendering": 1, "completed": 1}
        assert await feed.newest() == 0 and await feed.has_all_after(0)
        assert (await jobs.recover()).requeued == 1
        await jobs.request_cancel("job_a")
        assert await jobs.counts(owner="") == {"queued": 1, "cancelled": 1, "completed": 1} == await jobs.counts()
        told = [(one.job_id, one.text) for one in await feed.after(0, limit=9) if one.kind == "status"]
        assert told == [("job_b", "queued"), ("job_a", "cancelled")]
    finally:
        await database.close()


async def test_receivers_that_were_disabled_are_so_for_whoever_calls_them(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "db", isolation_level=None)
    connection.executescript("BEGIN; " + "\n".join(schema.migrations()[:9]) + "; PRAGMA user_version = 9; COMMIT;")
    connection.execute("INSERT INTO boots VALUES ('old', 1, 1)")
    for number, (owner, url) in enumerate(
        (("ann", "http://a"), ("ann", "http://a"), ("bob", "http://a"), ("bob", "b"))
    ):
        connection.execute(
            "INSERT INTO jobs (id, kind, state, owner, brief, created_at, updated_at) "
            "VALUES (?, 'video', 'queued', ?, '{}', 1, 1)",
            (f"job_{number}", owner),
        )
        connection.execute(
            "INSERT INTO outbox (id, job_id, url, event, body, state, next_at, created_at) "
            "VALUES (?, ?, ?, 'job.failed', x'7b7d', 'dead', 1, 1)",
            (f"msg_{number}", f"job_{number}", url),
        )
    connection.execute("UPDATE jobs SET state = 'failed' WHERE owner = 'ann'")
    assert ("queued", "ann", 0) in connection.execute("SELECT * FROM job_counts").fetchall()
    for url in ("http://a", "http://nobody"):
        connection.execute("INSERT INTO endpoints VALUES (?, 1, 2, 3, 'it said 410 Gone')", (url,))
    connection.close()
    database = await Database.open(tmp_path / "db")
    try:
        rows = await database.read("SELECT * FROM endpoints ORDER BY owner")
        assert rows == [(owner, "http://a", 1, 2, 3, "it said 410 Gone") for owner in ("ann", "bob")]
        counts = await database.read("SELECT * FROM job_counts ORDER BY owner")
        assert counts == [("failed", "ann", 2), ("queued", "bob", 2)]
        await database.write(lambda c: c.execute("UPDATE jobs SET state = 'failed' WHERE id = 'job_2'"))
        await database.write(lambda c: c.execute("DELETE FROM jobs WHERE owner = 'ann' OR id = 'job_3'"))
        assert await database.read("SELECT * FROM job_counts") == [("failed", "bob", 1)]
    finally:
        await database.close()


async def test_a_new_database_has_the_newest_schema_and_no_copy(tmp_path: Path) -> None:
    await (await Database.open(tmp_path / "db")).close()
    assert look(tmp_path / "db") == (NEWEST, 0)
    assert [p.name for p in tmp_path.iterdir()] == ["db"]


async def test_a_migration_that_fails_leaves_the_old_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = [*schema.migrations(), "ALTER TABLE jobs ADD COLUMN later TEXT;\nINSERT INTO nowhere VALUES (1);\n"]
    monkeypatch.setattr(schema, "migrations", lambda: scripts)
    first_release(tmp_path / "db")
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        await Database.open(tmp_path / "db")
    assert look(tmp_path / "db") == (1, ROWS)


async def test_a_migration_that_orphans_rows_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = [*schema.migrations(), "DELETE FROM jobs WHERE id = 'job_7';\n"]
    monkeypatch.setattr(schema, "migrations", lambda: scripts)
    first_release(tmp_path / "db")
    with pytest.raises(DatabaseDamaged, match="refers to a row of jobs"):
        await Database.open(tmp_path / "db")
    assert look(tmp_path / "db") == (1, ROWS)


def test_a_trigger_is_one_statement_and_a_comment_is_none() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  UPDATE b SET n = 1;\n  DELETE FROM c;\nEND;"
    script = f"-- First; of all\nCREATE TABLE a (x TEXT DEFAULT ';');\n\n{trigger}\n-- the end;\n"
    assert schema.statements(script) == ["CREATE TABLE a (x TEXT DEFAULT ';');", trigger]
    with pytest.raises(ValueError, match="no end"):
        schema.statements("CREATE TABLE a (x)\n")


@pytest.mark.parametrize(
    ("pragma", "error"), [("user_version = 999", SchemaTooNew), ("application_id = 7", DatabaseDamaged)]
)
async def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(
    tmp_path: Path, pragma: str, error: type[Exception]
) -> None:
    connection = sqlite3.connect(tmp_path / "db")
    connection.execute("CREATE TABLE theirs (x)")
    connection.execute(f"PRAGMA {pragma}")
    connection.close()
    before = (tmp_path / "db").read_bytes()
    with pytest.raises(error):
        await Database.open(tmp_path / "db")
    assert (tmp_path / "db").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["db"]


async def test_a_file_that_is_no_database_is_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"not a database, whatever its name says " * 100)
    with pytest.raises(DatabaseDamaged, match="not a database"):
        await Database.open(tmp_path / "db")


async def _with_a_hole(path: Path, clean_stop: int) -> None:
    """A database in which one page is overwritten, somewhere in the jobs."""
    first_release(path)
    await (await Database.open(path)).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE boots SET clean_stop = ?", (clean_stop,))
    connection.commit()
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    page = connection.execute(
        "SELECT pageno FROM dbstat WHERE name = 'jobs' AND pagetype = 'leaf' ORDER BY pageno LIMIT 1 OFFSET 20"
    ).fetchone()[0]
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


async def test_after_a_crash_damage_is_found_at_the_start(tmp_path: Path) -> None:
    await _with_a_hole(tmp_path / "db", clean_stop=0)
    with pytest.raises(DatabaseDamaged):
        await Database.open(tmp_path / "db", check_s=30)


async def test_damage_that_is_met_later_is_called_damage_too(tmp_path: Path) -> None:
    await _with_a_hole(tmp_path / "db", clean_stop=1)
    database = await Database.open(tmp_path / "db")
    try:
        with pytest.raises(DatabaseDamaged):
            await database.read("SELECT sum(length(brief)) FROM jobs")
        with pytest.raises(DatabaseDamaged):
            await database.write(lambda c: c.execute("UPDATE jobs SET brief = brief || 'x'").fetchall())
    finally:
        await database.close()


async def test_the_look_for_damage_ends_in_time_and_says_that_it_did_not_finish(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first_release(tmp_path / "db", rows=100_000)
    await (await Database.open(tmp_path / "db", check_s=30)).close()
    assert caplog.messages == []
    began = time.monotonic()
    await (await Database.open(tmp_path / "db", check_s=0.001)).close()
    assert caplog.messages == ["quick_check_unfinished"]
    assert time.monotonic() - began < 5


async def test_after_a_clock_in_the_future_the_newest_start_is_still_the_last_one(tmp_path: Path) -> None:
    await _with_a_hole(tmp_path / "db", clean_stop=1)
    connection = sqlite3.connect(tmp_path / "db")
    connection.execute("UPDATE boots SET started_at = 4e9")
    connection.execute("INSERT INTO boots (boot_id, started_at) VALUES ('b2', 2e9)")
    connection.commit()
    connection.close()
    with pytest.raises(DatabaseDamaged):  # looked for only after a crash
        await Database.open(tmp_path / "db", check_s=30)


_UPGRADE = """
import asyncio, sys
from pathlib import Path
from vidgend.store.database import Database
async def main():
    print("begun", flush=True)
    database = await Database.open(Path(sys.argv[1]))
    print("upgraded", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def _upgrade_for(path: Path, after_s: float | None) -> tuple[bool, float]:
    """Start an upgrade and kill it after so long. Answers (whether it was done by then, seconds since it began)."""
    child = subprocess.Popen([sys.executable, "-c", _UPGRADE, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        began = time.monotonic()
        if after_s is None:
            assert child.stdout.readline() == "upgraded\n"
        else:
            time.sleep(after_s)
        took_s = time.monotonic() - began
        os.kill(child.pid, signal.SIGKILL)
        return after_s is None or child.stdout.read() != "", took_s
    finally:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


@pytest.mark.process
async def test_kills_during_an_upgrade_leave_the_old_schema_or_the_new_one(tmp_path: Path) -> None:
    first_release(tmp_path / "old", rows=5000)
    content = (tmp_path / "old").read_bytes()
    (tmp_path / "whole").write_bytes(content)
    _, usual_s = _upgrade_for(tmp_path / "whole", None)
    dice = random.Random(17)

    def one(number: int, moment_s: float) -> tuple[int, bool, bool]:
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "db").write_bytes(content)
        done, _ = _upgrade_for(folder / "db", moment_s)
        copy = folder / f"db.before-{NEWEST}"
        if copy.exists():
            assert look(copy) == (1, 5000)
        version, jobs = look(folder / "db")
        assert jobs == 5000
        assert version in (1, NEWEST)
        assert version == NEWEST or not done
        return version, done, copy.exists()

    versions, done_before_the_kill, copies = [], 0, 0
    for at in range(0, UPGRADE_KILLS, 2):  # two at a time: most of a child's life is importing Python
        moments = [dice.uniform(0, 1.3 * usual_s) for _ in range(2)]
        pair = [asyncio.to_thread(one, at + n, moment_s) for n, moment_s in enumerate(moments)]
        for version, done, copied in await asyncio.gather(*pair):
            usual_s *= 0.9 if version == NEWEST else 1.1  # the machine gets slower and faster
            versions.append(version)
            done_before_the_kill += done
            copies += copied
    assert versions.count(1) >= 3, "no kill fell before the end of the upgrade"
    assert versions.count(NEWEST) >= 3, "no kill fell after the upgrade"
    assert copies > done_before_the_kill, "no kill fell between the copy and the end"
    # What was killed can be opened, whatever it was.
    for number in range(0, UPGRADE_KILLS, 10):
        await (await Database.open(tmp_path / str(number) / "db")).close()
        assert look(tmp_path / str(number) / "db") == (NEWEST, 5000)
