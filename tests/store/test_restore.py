"""A backup that is sound comes back; one that is not is refused before anything is touched."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from stock import Stock, bring_back, make_backup, no_links, stock

from vidgend.errors import BackupInvalid, Conflict, DataDirLocked, SchemaTooNew
from vidgend.store import backup as backup_module
from vidgend.store.database import Database, DataDir
from vidgend.store.restore import verify


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Stock]:
    (tmp_path / "data").mkdir()
    async with stock(tmp_path / "data") as stocked:
        (stocked.folder / "webhook.secret").write_text("whsec_secret")
        (stocked.folder / "url.key").write_bytes(b"k" * 32)
        yield stocked


async def test_a_backup_comes_back_with_results_secrets_and_jobs(store: Stock, tmp_path: Path) -> None:
    video = await store.result("job_a", b"video", ended_s_ago=10)
    clip = await store.blob(b"clip")
    await store.step("clip", clip, jobs=(await store.job("job_b", "rendering"),))
    made = await make_backup(store, tmp_path / "backups")
    assert (made.files, made.file_bytes, made.copied_bytes, made.expired, made.lost) == (1, 5, 0, (), ())
    for name in ("webhook.secret", "url.key", "vidgend.db"):
        assert (made.path / name).stat().st_mode & 0o777 == 0o600
    restored = await bring_back(made.path, tmp_path / "new")
    assert (restored.jobs, restored.files, restored.dropped, restored.moved_aside) == (2, 1, 1, None)
    assert (tmp_path / "new" / "webhook.secret").read_text() == "whsec_secret"
    assert (tmp_path / "new" / "url.key").stat().st_mode & 0o777 == 0o600
    async with stock(tmp_path / "new") as new:
        assert new.path(video).read_bytes() == b"video"
        assert await new.count("jobs") == 2 and await new.count("published") == 1
        assert await new.database.read("SELECT digest FROM assets") == [(video,)], (
            "the cache was left out, with its rows"
        )
        assert await new.count("steps") == 0


async def test_with_the_cache_finished_steps_come_back_too(store: Stock, tmp_path: Path) -> None:
    clip = await store.blob(b"clip")
    await store.step("clip", clip)
    made = await make_backup(store, tmp_path / "backups", with_cache=True)
    assert (await bring_back(made.path, tmp_path / "new")).dropped == 0
    async with stock(tmp_path / "new") as new:
        assert new.path(clip).read_bytes() == b"clip" and await new.count("steps") == 1


async def test_a_restore_is_not_taken_for_a_crash(store: Stock, tmp_path: Path) -> None:
    await store.sql("INSERT INTO boots (boot_id, started_at, clean_stop) VALUES ('b', 1, 0)")
    await bring_back((await make_backup(store, tmp_path / "backups")).path, tmp_path / "new")
    async with stock(tmp_path / "new") as new:
        assert await new.database.read("SELECT clean_stop FROM boots") == [(1,)]


# --- what is no backup


def _lines(made: Path) -> list[str]:
    return (made / "index.jsonl").read_text().splitlines(keepends=True)


def cut_index(made: Path) -> None:
    (made / "index.jsonl").write_text("".join(_lines(made)[:-1]))


def change_index(made: Path) -> None:
    (made / "index.jsonl").write_text("".join(_lines(made)).replace('"cache":false', '"cache":true'))


def garbage_index(made: Path) -> None:
    (made / "index.jsonl").write_text("hello\n")


def newer_format(made: Path) -> None:
    (made / "index.jsonl").write_text("".join(_lines(made)).replace('"format":1', '"format":9'))


def flip_database(made: Path) -> None:
    content = bytearray((made / "vidgend.db").read_bytes())
    content[len(content) // 2] ^= 1
    (made / "vidgend.db").write_bytes(content)


def lose_secret(made: Path) -> None:
    (made / "url.key").unlink()


def lose_index(made: Path) -> None:
    (made / "index.jsonl").unlink()


def climb(made: Path) -> None:
    lines = [json.loads(line) for line in _lines(made)[:-1]]
    lines.append({"path": "../../etc/passwd", "size_bytes": 1, "sha256": "0" * 64})
    _close_index(made, lines)


def no_database(made: Path) -> None:
    _close_index(made, [line for line in map(json.loads, _lines(made)[:-1]) if line.get("path") != "vidgend.db"])


def _close_index(made: Path, lines: list[dict[str, object]]) -> None:
    with (made / "index.jsonl").open("wb") as file:
        index = backup_module._Index(file)
        for line in lines:
            index.add(line)
        index.close()


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (cut_index, "is not whole"), (change_index, "is not whole"), (garbage_index, "damaged at line 1"),
        (newer_format, "has format 9"), (flip_database, "is damaged"), (lose_secret, "is missing"),
        (lose_index, "no whole backup"), (climb, "not a name that a backup has"), (no_database, "holds no database"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("force", [False, True])
async def test_a_backup_that_was_harmed_is_refused_before_anything_is_touched(
    store: Stock, tmp_path: Path, harm: Callable[[Path], None], reason: str, force: bool
) -> None:
    await store.result("job_a", b"video", ended_s_ago=1)
    made = (await make_backup(store, tmp_path / "backups")).path
    harm(made)
    with pytest.raises(BackupInvalid, match=reason):
        await bring_back(made, tmp_path / "new", force=force)
    assert not (tmp_path / "new").exists()


async def test_a_damaged_video_in_a_backup_is_refused_or_left_out(store: Stock, tmp_path: Path) -> None:
    bad = await store.result("job_a", b"video", ended_s_ago=1)
    good = await store.result("job_b", b"other", ended_s_ago=1)
    made = (await make_backup(store, tmp_path / "backups")).path
    path = made / "assets" / "blobs" / bad[:2] / bad
    path.unlink()
    path.write_bytes(b"vodka")
    with pytest.raises(BackupInvalid, match="is damaged") as caught:
        await bring_back(made, tmp_path / "new")
    assert "--force" in caught.value.hint
    restored = await bring_back(made, tmp_path / "new", force=True)
    assert restored.damaged == (bad,) and restored.files == 1 and restored.dropped == 1
    async with stock(tmp_path / "new") as new:
        assert await new.database.read("SELECT digest FROM published") == [(good,)]


async def test_a_folder_of_backups_names_its_newest(store: Stock, tmp_path: Path) -> None:
    made = await make_backup(store, tmp_path / "backups")
    with pytest.raises(BackupInvalid) as caught:
        verify(tmp_path / "backups")
    assert str(made.path) in caught.value.hint


async def test_a_backup_of_a_newer_vidgend_is_refused(store: Stock, tmp_path: Path) -> None:
    made = (await make_backup(store, tmp_path / "backups")).path
    connection = sqlite3.connect(made / "vidgend.db")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    database = {"path": "vidgend.db", "size_bytes": (made / "vidgend.db").stat().st_size}
    lines = [json.loads(line) for line in _lines(made)[:-1]]
    digest = backup_module._sha256(made / "vidgend.db")
    _close_index(
        made, [{**line, **database, "sha256": digest} if line.get("path") == "vidgend.db" else line for line in lines]
    )
    with pytest.raises(SchemaTooNew, match="999"):
        verify(made)


# --- into a directory that is in use


async def test_an_existing_database_is_only_replaced_by_force_and_kept(store: Stock, tmp_path: Path) -> None:
    await store.job("job_old", "failed")
    made = (await make_backup(store, tmp_path / "backups")).path
    new = tmp_path / "new"
    new.mkdir()
    async with stock(new) as other:
        await other.job("job_other", "failed")
        shutil.copyfile(new / "vidgend.db-wal", tmp_path / "wal")
    shutil.copyfile(tmp_path / "wal", new / "vidgend.db-wal")  # as a killed daemon leaves it
    with pytest.raises(Conflict, match="is there already"):
        await bring_back(made, new)
    restored = await bring_back(made, new, force=True)
    assert restored.moved_aside is not None and not (new / "vidgend.db-wal").exists()
    for path, job_id in ((new / "vidgend.db", "job_old"), (restored.moved_aside, "job_other")):
        database = await Database.open(path)
        assert await database.read("SELECT id FROM jobs") == [(job_id,)]
        await database.close()


async def test_files_that_are_still_in_the_store_are_used(store: Stock, tmp_path: Path) -> None:
    """The usual case: the database is damaged, the files are not."""
    await store.result("job_a", b"video", ended_s_ago=1)
    clip = await store.blob(b"clip")
    await store.step("clip", clip)
    made = (await make_backup(store, tmp_path / "backups")).path
    await store.database.close()
    restored = await bring_back(made, store.folder, force=True)
    assert restored.dropped == 0
    async with stock(store.folder) as again:
        assert await again.count("steps") == 1 and again.path(clip).exists()


async def test_a_damaged_file_in_the_store_is_replaced_from_the_backup(
    store: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = await store.result("job_a", b"video", ended_s_ago=1)
    tried = no_links(monkeypatch, store)
    made = (await make_backup(store, tmp_path / "backups")).path
    assert tried
    store.path(digest).chmod(0o600)
    store.path(digest).write_bytes(b"vodka")
    await store.database.close()
    await bring_back(made, store.folder, force=True)
    assert store.path(digest).read_bytes() == b"video"


async def test_a_running_daemon_keeps_its_directory(store: Stock, tmp_path: Path) -> None:
    made = (await make_backup(store, tmp_path / "backups")).path
    daemon = DataDir(store.folder)
    daemon.acquire()
    try:
        with pytest.raises(DataDirLocked):
            await bring_back(made, store.folder, force=True)
    finally:
        daemon.release()
