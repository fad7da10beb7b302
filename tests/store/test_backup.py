"""A backup is whole or not there, holds all that was acknowledged before it began, and can be lived in afterwards."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

import pytest
from stock import NOW, Stock, bring_back, make_backup, no_links, stock

from vidgend.errors import AssetDamaged, Conflict, NotFound, StorageFull
from vidgend.store import backup as backup_module
from vidgend.store.backup import back_up, backups, keep_newest
from vidgend.store.database import Database
from vidgend.store.restore import restore, verify
from vidgend.store.retention import Rules, collect


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Stock]:
    (tmp_path / "data").mkdir()
    async with stock(tmp_path / "data") as stocked:
        (stocked.folder / "webhook.secret").write_text("whsec_secret")
        (stocked.folder / "url.key").write_bytes(b"k" * 32)
        yield stocked


def integrity(path: Path) -> str:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


async def test_files_on_s3_are_left_to_s3(store: Stock, tmp_path: Path) -> None:
    await store.result("job_a", b"video", ended_s_ago=10)
    made = await asyncio.to_thread(back_up, store.folder, None, tmp_path / "backups")
    assert not made.with_files and made.files == 0 and not (made.path / "assets").exists()
    restored = await asyncio.to_thread(restore, made.path, tmp_path / "new", None)
    assert not restored.with_files and restored.dropped == 0
    async with stock(tmp_path / "new") as new:
        assert await new.count("published") == 1 and await new.count("assets") == 1


async def test_every_backup_of_a_busy_database_is_whole_and_has_all_that_was_acknowledged(
    store: Stock, tmp_path: Path
) -> None:
    acknowledged: list[str] = []
    stop = asyncio.Event()

    async def submit(client: int) -> None:
        number = 0
        while not stop.is_set():
            job_id = f"job_{client}_{number}"
            await store.job(job_id, "queued" if number % 2 else "failed")
            acknowledged.append(job_id)
            number += 1

    async def publish() -> None:
        number = 0
        while not stop.is_set():
            await store.result(f"job_video_{number}", os.urandom(2000), ended_s_ago=0)
            acknowledged.append(f"job_video_{number}")
            number += 1

    clients = [asyncio.create_task(submit(number)) for number in range(6)] + [asyncio.create_task(publish())]
    try:
        for number in range(10):
            before, at_least = set(acknowledged), len(acknowledged)
            made = await make_backup(store, tmp_path / "backups", with_cache=bool(number % 2))
            assert made.lost == () and made.expired == ()
            assert integrity(made.path / "vidgend.db") == "ok"
            shutil.copyfile(made.path / "vidgend.db", tmp_path / "copy.db")
            restored = await bring_back(made.path, tmp_path / f"new{number}")
            for path in (tmp_path / "copy.db", restored.data_dir / "vidgend.db"):
                database = await Database.open(path)
                assert before <= {row[0] for row in await database.read("SELECT id FROM jobs")}
                await database.close()
            assert restored.files >= 1 or number == 0
            assert len(acknowledged) > at_least, "nobody wrote meanwhile, so this showed nothing"
    finally:
        stop.set()
        await asyncio.gather(*clients)
    assert len(backups(tmp_path / "backups")) == 10


async def test_files_that_the_daemon_deletes_meanwhile_are_told_and_harm_nothing(
    store: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.result("job_old", b"old", ended_s_ago=100)
    kept = await store.result("job_young", b"young", ended_s_ago=1)
    loop = asyncio.get_running_loop()
    take = backup_module._Writing._take_files

    def late(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        rules = Rules(ttl_s=1e9, cache_max_bytes=10**9, results_max_age_s=50, results_max_bytes=0)
        collecting = collect(store.database, store.assets, rules, used_since=NOW, lacking_bytes=0)
        assert asyncio.run_coroutine_threadsafe(collecting, loop).result().old_results.count == 1
        take(self, *arguments)

    monkeypatch.setattr(backup_module._Writing, "_take_files", late)
    made = await make_backup(store, tmp_path / "backups")
    assert len(made.expired) == 1 and made.lost == () and made.files == 1
    assert (await bring_back(made.path, tmp_path / "new")).dropped == 1
    async with stock(tmp_path / "new") as new:
        assert await new.database.read("SELECT digest FROM published") == [(kept,)]


async def test_a_file_that_the_store_has_lost_is_told_and_the_rest_is_saved(store: Stock, tmp_path: Path) -> None:
    lost = await store.result("job_a", b"lost", ended_s_ago=1)
    await store.result("job_b", b"kept", ended_s_ago=1)
    store.path(lost).unlink()
    made = await make_backup(store, tmp_path / "backups")
    assert made.lost == (lost,) and made.files == 1
    assert (await bring_back(made.path, tmp_path / "new")).files == 1


async def test_on_another_file_system_files_are_copied_once(
    store: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = await store.result("job_a", b"video", ended_s_ago=1)
    tried = no_links(monkeypatch, store)
    first = await make_backup(store, tmp_path / "backups")
    second = await make_backup(store, tmp_path / "backups")
    assert len(tried) == 2 and (first.copied_bytes, second.copied_bytes) == (5, 0)
    copies = [made.path / "assets" / "blobs" / digest[:2] / digest for made in (first, second)]
    assert copies[0].samefile(copies[1]) and not copies[0].samefile(store.path(digest))
    assert copies[0].read_bytes() == b"video" and copies[0].stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("linked", [True, False])
async def test_damage_is_not_saved(store: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: bool) -> None:
    digest = await store.result("job_a", b"video", ended_s_ago=1)
    store.path(digest).chmod(0o600)
    store.path(digest).write_bytes(b"vodka")
    if not linked:
        no_links(monkeypatch, store)
    made = await make_backup(store, tmp_path / "backups")
    assert made.lost == (digest,) and made.files == 0
    with pytest.raises(AssetDamaged):
        backup_module.take_blob(store.path(digest), tmp_path / "copy", 5)
    assert not (tmp_path / "copy").exists()


async def test_a_file_that_was_cut_off_is_not_saved_as_if_it_were_whole(store: Stock, tmp_path: Path) -> None:
    """It would be linked, and its content is only read when it is copied."""
    cut = await store.result("job_a", b"video", ended_s_ago=1)
    await store.result("job_b", b"other", ended_s_ago=1)
    await make_backup(store, tmp_path / "backups")
    store.path(cut).unlink()
    store.path(cut).write_bytes(b"vid")
    made = await make_backup(store, tmp_path / "backups")
    assert made.lost == (cut,) and made.files == 1
    assert (await bring_back(made.path, tmp_path / "new")).dropped == 1


@pytest.mark.parametrize("where", ["data", "backups"])
async def test_the_disk_that_is_full_is_named(
    store: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def full(*_: object) -> None:
        error = sqlite3.OperationalError("full")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE if where == "data" else sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(backup_module._Writing, "_copy_database", full)
    with pytest.raises(StorageFull, match=f"/{where} is full"):
        await make_backup(store, tmp_path / "backups")


# --- whole, or not there


async def test_a_full_disk_leaves_nothing_behind(store: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.result("job_a", b"video", ended_s_ago=1)
    no_links(monkeypatch, store)
    full = []

    def copy(*_: object) -> None:
        full.append(1)
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(backup_module, "take_blob", copy)
    with pytest.raises(StorageFull, match="backups is full"):
        await make_backup(store, tmp_path / "backups")
    assert full and list((tmp_path / "backups").iterdir()) == []


def _kill_a_backup(data: Path, folder: Path, *, after_s: float) -> None:
    """Where it is hit is the point, so there is no condition to wait for."""
    program = (
        "import sys; from pathlib import Path; from vidgend.store.backup import back_up\n"
        "data, folder = map(Path, sys.argv[1:])\nprint('go', flush=True)\n"
        "while True: back_up(data, data / 'assets', folder)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", program, data, folder], stdout=subprocess.PIPE, cwd=root) as child:
        assert child.stdout is not None and child.stdout.readline() == b"go\n"
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)


async def test_a_killed_backup_is_not_there_and_its_leftovers_go_with_the_next_one(
    store: Stock, tmp_path: Path
) -> None:
    for number in range(300):
        await store.result(f"job_{number}", b"%d" % number, ended_s_ago=1)
    folder = tmp_path / "backups"
    cut = 0
    for attempt in range(6):
        await asyncio.to_thread(_kill_a_backup, store.folder, folder, after_s=0.02 + 0.03 * attempt)
        cut += sum(path.name.endswith(".part") for path in folder.iterdir())
    assert cut, "no backup was hit in the middle"
    for path in backups(folder):
        assert verify(path).files == 300
    await make_backup(store, folder)
    assert all(not path.name.endswith(".part") for path in folder.iterdir())


async def test_one_backup_at_a_time_in_a_folder(store: Stock, tmp_path: Path) -> None:
    with backup_module._alone_in(tmp_path), pytest.raises(Conflict, match="another backup"):
        await make_backup(store, tmp_path)


async def test_the_newest_are_kept_and_other_files_are_left_alone(store: Stock, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    made = [(await make_backup(store, folder)).path for _ in range(4)]
    (folder / "notes.txt").write_text("mine")
    (folder / "vidgend-2020-01-01T00-00-00Z").mkdir()  # no index: not a backup of ours
    assert backups(folder) == made
    assert keep_newest(folder, 2) == made[:2]
    assert backups(folder) == made[2:]
    assert (folder / "notes.txt").exists() and (folder / "vidgend-2020-01-01T00-00-00Z").exists()


async def test_without_a_database_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no database"):
        back_up(tmp_path / "none", None, tmp_path / "backups")
    assert not (tmp_path / "backups").exists()


async def test_a_database_of_the_first_version_can_be_backed_up_before_the_upgrade(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    connection = sqlite3.connect(data / "vidgend.db")
    connection.executescript(
        (resources.files("vidgend.store") / "migrations" / "0001_first.sql").read_text()
        + "PRAGMA user_version = 1; INSERT INTO jobs (id, kind, state, brief, created_at, updated_at) "
        "VALUES ('job_a', 'video', 'queued', '{}', 1, 1);"
    )
    connection.close()
    made = back_up(data, data / "assets", tmp_path / "backups", with_cache=True)
    assert (await bring_back(made.path, tmp_path / "new")).jobs == 1
    database = await Database.open(tmp_path / "new" / "vidgend.db")
    assert await database.read("SELECT id FROM jobs") == [("job_a",)]
    await database.close()
