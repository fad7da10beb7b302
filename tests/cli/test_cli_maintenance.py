"""`vidgend gc | fsck | backup | restore` on a real data directory."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from stock import DAY_S, Stock, stock

from vidgend.store.backup import backups
from vidgend.store.database import DataDir
from vidgend.store.orphans import FEW
from vidgend.store.restore import RESTORING


@pytest.fixture
def data(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with a result, a clip, and a job that waits."""
    folder = home / "data"
    folder.mkdir()
    monkeypatch.setenv("VIDGEND_DATA_DIR", str(folder))

    async def fill(store: Stock) -> None:
        await store.result("job_done", b"video", ended_s_ago=40 * DAY_S)
        clip = await store.blob(b"clip")
        await store.step("clip", clip, jobs=(await store.job("job_waits", "queued"),))
        await store.step("loose", await store.blob(b"loose"))

    in_stock(folder, fill)
    return folder


@pytest.fixture
def running(data: Path) -> Iterator[None]:
    lock = DataDir(data)
    lock.acquire()
    yield
    lock.release()


def in_stock(folder: Path, work: Callable[[Stock], Awaitable[None]]) -> None:
    async def run() -> None:
        async with stock(folder) as store:
            await work(store)

    asyncio.run(run())


def blob(data: Path, content: bytes) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    return data / "assets" / "blobs" / digest[:2] / digest


def age_everything(data: Path) -> None:
    async def run(store: Stock) -> None:
        await store.sql("UPDATE assets SET used_at = 1")
        await store.sql("UPDATE steps SET used_at = 1")
        await store.sql("UPDATE jobs SET finished_at = 1 WHERE finished_at IS NOT NULL")

    in_stock(data, run)


# --- gc


def test_gc_finishes_what_a_crash_left_to_be_deleted(vidgend, data: Path) -> None:
    blob(data, b"half a put").parent.mkdir(exist_ok=True)
    blob(data, b"half a put").write_bytes(b"half a put")

    async def doom(store: Stock) -> None:
        digest = hashlib.sha256(b"half a put").hexdigest()
        await store.sql("INSERT INTO doomed (kind, name, since, size_bytes) VALUES ('blob', ?, 1, 10)", digest)

    in_stock(data, doom)
    assert vidgend("gc", "--dry-run").stdout.splitlines()[-1] == "10 B would be freed"
    assert vidgend("gc").stdout.splitlines() == ["       1  files that no row knows: 10 B", "10 B freed"]
    assert not blob(data, b"half a put").exists()


def test_gc_deletes_nothing_when_the_database_was_lost(vidgend, data: Path) -> None:
    for path in data.glob("vidgend.db*"):
        path.unlink()
    in_stock(data, lambda store: store.job("job_new", "queued"))
    refused = vidgend("gc")
    assert refused.exit_code == 6 and "knows 0 files and 0 results" in refused.stderr
    assert all(blob(data, content).exists() for content in (b"video", b"clip", b"loose"))


def test_gc_says_when_there_is_nothing_to_delete(vidgend, data: Path) -> None:
    result = vidgend("gc")
    assert (result.exit_code, result.output) == (0, "there is nothing to delete\n")


def test_gc_deletes_by_the_rules_and_says_what_went(vidgend, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    age_everything(data)
    monkeypatch.setenv("VIDGEND_ASSETS__MAX_AGE_S", str(30 * DAY_S))
    blob(data, b"orphan").parent.mkdir(exist_ok=True)
    blob(data, b"orphan").write_bytes(b"orphan")
    foreseen = vidgend("gc", "--dry-run")
    assert foreseen.exit_code == 0, foreseen.stderr
    assert foreseen.output.splitlines()[-1] == "16 B would be freed"
    assert blob(data, b"video").exists() and blob(data, b"orphan").exists()
    result = vidgend("gc")
    assert result.exit_code == 0, result.stderr
    assert result.output.splitlines() == [
        "       1  results older than assets.max_age_s: 5 B",
        "       1  files not used for cache.ttl_s: 5 B",
        "       1  files that no row knows: 6 B",
        "16 B freed",
    ]
    assert not any(blob(data, content).exists() for content in (b"video", b"loose", b"orphan"))
    assert blob(data, b"clip").exists(), "the waiting job needs it"


def test_gc_has_json(vidgend, data: Path) -> None:
    age_everything(data)
    found = json.loads(vidgend("gc", "--dry-run", "--json").stdout)
    assert found["dry_run"] is True and found["unused"] == {"count": 1, "bytes": 5} and found["steps"] == 1
    assert json.loads(vidgend("gc", "--json").stdout)["bytes"] == 5


def test_a_running_daemon_keeps_gc_out_but_not_its_dry_run(vidgend, data: Path, running: None) -> None:
    result = vidgend("gc")
    assert result.exit_code == 75
    assert "hint: The daemon collects by itself every ten minutes" in result.stderr
    assert vidgend("gc", "--dry-run").exit_code == 0


def test_gc_does_not_empty_a_store_of_another_database(vidgend, data: Path) -> None:
    contents = [b"%d" % number for number in range(FEW + 4)]
    for content in contents:
        blob(data, content).parent.mkdir(exist_ok=True)
        blob(data, content).write_bytes(content)
    for command in (["gc"], ["gc", "--dry-run"]):
        result = vidgend(*command)
        assert result.exit_code == 6 and "--unknown" in result.stderr and "not know 54 files" in result.stderr
    assert all(blob(data, content).exists() for content in contents)
    assert vidgend("gc", "--unknown").exit_code == 0
    assert not any(blob(data, content).exists() for content in contents) and blob(data, b"video").exists()


@pytest.mark.parametrize("command", [["gc"], ["gc", "--dry-run"], ["fsck"], ["fsck", "--repair"], ["backup", "b"]])
def test_without_a_database_nothing_is_made(vidgend, home: Path, command: list[str]) -> None:
    result = vidgend(*command, "--data-dir", "empty")
    assert result.exit_code == 3 and "there is no database in" in result.stderr
    assert not (home / "empty").exists() and not (home / "b").exists()


# --- fsck


def test_fsck_says_that_all_is_well(vidgend, data: Path) -> None:
    result = vidgend("fsck")
    assert result.exit_code == 0
    assert result.output == "the database and the files agree; --deep reads the content of the files too\n"
    assert vidgend("fsck", "--deep").output == "the database and the files agree\n"
    assert json.loads(vidgend("fsck", "--json").stdout) == {"ok": True, "findings": []}


def test_fsck_ends_with_1_until_what_is_wrong_is_mended(vidgend, data: Path) -> None:
    blob(data, b"loose").unlink()
    found = vidgend("fsck")
    assert found.exit_code == 1 and found.stdout.startswith("wrong: the file ")
    assert found.stdout.splitlines()[-1].startswith("1 thing is wrong; `vidgend fsck --repair` mends")
    mended = vidgend("fsck", "--repair")
    assert mended.exit_code == 0
    assert mended.stdout.splitlines()[1:] == [
        "  -> removed its rows (1 steps run again, 0 results lack a file)", "1 thing was wrong; all is mended",
    ]  # fmt: skip
    assert vidgend("fsck", "--repair").exit_code == 0


def test_fsck_finds_changed_content_by_a_deep_look(vidgend, data: Path) -> None:
    path = blob(data, b"loose")
    path.chmod(0o600)
    path.write_bytes(b"moose")
    assert vidgend("fsck").exit_code == 0
    found = json.loads(vidgend("fsck", "--deep", "--json").stdout)
    assert not found["ok"] and found["findings"][0]["kind"] == "blob_damaged"
    assert vidgend("fsck", "--repair").exit_code == 0
    assert vidgend("fsck", "--deep").exit_code == 0
    assert [kept.read_bytes() for kept in (data / "assets" / "quarantine").iterdir()] == [b"moose"]


def test_fsck_tells_a_damaged_database(vidgend, data: Path) -> None:
    (data / "vidgend.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 8000)
    for command in (["fsck"], ["fsck", "--repair"]):
        result = vidgend(*command)
        assert result.exit_code == 1, result.output
        assert "wrong: the database is damaged" in result.stdout and "vidgend restore" in result.stdout


def test_fsck_runs_beside_a_daemon_but_does_not_repair(vidgend, data: Path, running: None) -> None:
    assert vidgend("fsck").exit_code == 0
    result = vidgend("fsck", "--repair")
    assert result.exit_code == 75 and "hint: Stop the daemon first" in result.stderr


def test_fsck_notes_what_a_killed_daemon_left_running(vidgend, data: Path) -> None:
    in_stock(data, lambda store: store.sql("UPDATE jobs SET state = 'rendering' WHERE id = 'job_waits'"))
    result = vidgend("fsck")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "note: under way when vidgend stopped: 1 job\n  -> the next start takes them up again"
    )


# --- backup and restore


def test_a_backup_is_made_beside_a_daemon_and_restored(vidgend, data: Path, home: Path, running: None) -> None:
    made = vidgend("backup", "backups")
    assert made.exit_code == 0, made.stderr
    [path] = backups(home / "backups")
    assert made.stdout.startswith(f"backups/{path.name}: the database (")
    assert made.stdout.endswith(" and 1 files (5 B)\n")
    restored = vidgend("restore", f"backups/{path.name}", "--data-dir", "new")
    assert restored.exit_code == 0, restored.stderr
    assert "note: 2 files are not here any more" in restored.stdout
    assert "new: 2 jobs and 1 files (5 B), as they were at " in restored.stdout
    assert (home / "new" / "assets" / "videos" / "job_done" / "output.mp4").read_bytes() == b"video"
    assert vidgend("fsck", "--deep", "--data-dir", "new").exit_code == 0


def test_backups_are_kept_up_to_a_number(vidgend, data: Path, home: Path) -> None:
    for _ in range(3):
        found = json.loads(vidgend("backup", "backups", "--keep", "2", "--cache", "--json").stdout)
        assert found["files"] == 3 and found["lost"] == []
    assert len(found["removed"]) == 1 and len(backups(home / "backups")) == 2


def test_a_backup_that_lacks_files_is_told_and_keeps_the_older_ones(vidgend, data: Path, home: Path) -> None:
    assert vidgend("backup", "backups").exit_code == 0
    blob(data, b"video").unlink()
    result = vidgend("backup", "backups", "--keep", "1")
    assert result.exit_code == 1 and "1 files are not in this backup" in result.stdout
    assert len(backups(home / "backups")) == 2


def test_restore_needs_force_over_a_database_and_keeps_it(vidgend, data: Path, home: Path) -> None:
    assert vidgend("backup", "backups").exit_code == 0
    [path] = backups(home / "backups")
    refused = vidgend("restore", str(path))
    assert refused.exit_code == 6 and "is there already" in refused.stderr and "--force" in refused.stderr
    restored = json.loads(vidgend("restore", str(path), "--force", "--json").stdout)
    assert Path(restored["moved_aside"]).name.startswith("vidgend.db.before-restore-")
    assert (restored["jobs"], restored["results"], restored["dropped"]) == (2, 1, 0)
    assert vidgend("fsck").exit_code == 0


def test_secrets_that_a_restore_replaces_are_kept_and_told(vidgend, data: Path, home: Path) -> None:
    (data / "webhook.secret").write_text("whsec_old")
    assert vidgend("backup", "backups").exit_code == 0
    (data / "webhook.secret").write_text("whsec_new")
    restored = vidgend("restore", str(backups(home / "backups")[0]), "--force")
    assert restored.exit_code == 0 and "the secret that was there is now " in restored.stdout
    assert (data / "webhook.secret").read_text() == "whsec_old"
    [kept] = data.glob("webhook.secret.before-restore-*")
    assert kept.read_text() == "whsec_new"


def test_a_directory_whose_restore_was_cut_short_is_left_alone(vidgend, data: Path, home: Path) -> None:
    assert vidgend("backup", "backups").exit_code == 0
    (data / RESTORING).write_bytes(b"")
    for command in (["gc"], ["fsck", "--repair"]):
        refused = vidgend(*command)
        assert refused.exit_code == 6 and "was cut short" in refused.stderr and "vidgend restore" in refused.stderr
    assert vidgend("restore", str(backups(home / "backups")[0])).exit_code == 0
    assert vidgend("fsck").exit_code == 0


def test_restore_waits_for_the_daemon_to_stop(vidgend, data: Path, home: Path, running: None) -> None:
    assert vidgend("backup", "backups").exit_code == 0
    result = vidgend("restore", str(backups(home / "backups")[0]), "--force")
    assert result.exit_code == 75 and "hint: Stop the daemon first" in result.stderr


def test_what_is_no_backup_is_refused(vidgend, data: Path, home: Path) -> None:
    (home / "folder").mkdir()
    result = vidgend("restore", "folder", "--data-dir", "new")
    assert result.exit_code != 0 and "is no whole backup" in result.stderr and not (home / "new").exists()
    assert vidgend("restore", "nothing").exit_code == 2


def test_a_place_that_cannot_be_written_is_told(vidgend, data: Path, home: Path) -> None:
    (home / "file").write_text("")
    result = vidgend("backup", "file/backups")
    assert result.exit_code == 5 and result.stderr.startswith("error: cannot write to ")


def test_maintenance_commands_load_little_before_they_run() -> None:
    code = "import sys; from vidgend.cli.maintenance import MAINTENANCE_COMMANDS\n" + (
        "print([name for name in ('aiohttp', 'pydantic', 'aiosqlite', 'sqlite3', 'asyncio') if name in sys.modules])"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
