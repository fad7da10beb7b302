"""A backup that is sound comes back; one that is not is refused before anything is touched."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from stock import Stock, bring_back, make_backup, no_links, stock

from vidgend.errors import BackupInvalid, Conflict, DataDirLocked, SchemaTooNew
from vidgend.store import backup as backup_module
from vidgend.store import restore as restore_module
from vidgend.store.assets.local_files import digest_of_file
from vidgend.store.database import Database, DataDir
from vidgend.store.restore import refuse_half_restored, verify


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
    digest = digest_of_file(made / "vidgend.db")
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


async def test_secrets_that_are_replaced_are_kept(store: Stock, tmp_path: Path) -> None:
    made = (await make_backup(store, tmp_path / "backups")).path
    await store.database.close()
    (store.folder / "webhook.secret").write_text("whsec_newer")
    restored = await bring_back(made, store.folder, force=True)
    assert (store.folder / "webhook.secret").read_text() == "whsec_secret"
    [kept] = restored.secrets_aside
    assert kept.read_text() == "whsec_newer"
    again = await bring_back(made, store.folder, force=True)
    assert again.secrets_aside == () and kept.read_text() == "whsec_newer"


class Died(BaseException):
    """The process is killed here."""


@pytest.mark.parametrize("step", ["_put_secrets", "_keep", "after _keep"])
@pytest.mark.parametrize("there", [False, True])
async def test_a_restore_that_dies_keeps_others_away_and_can_be_done_again(
    store: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, there: bool
) -> None:
    await store.job("job_old", "failed")
    made = (await make_backup(store, tmp_path / "backups")).path
    new = tmp_path / "new"
    new.mkdir()
    if there:
        async with stock(new) as other:
            await other.job("job_other", "failed")
        (new / "webhook.secret").write_text("whsec_other")
    keep = restore_module._keep

    def die(*given: Any) -> None:
        if step == "after _keep":
            keep(*given)
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(restore_module, step.split()[-1], die)
        with pytest.raises(Died):
            restore_module.restore(made, new, new / "assets", force=True)
    assert (new / "vidgend.db").exists() == there, "a daemon would make an empty one"
    with pytest.raises(Conflict, match="was cut short"):
        refuse_half_restored(new)
    await bring_back(made, new)
    refuse_half_restored(new)
    assert (new / "webhook.secret").read_text() == "whsec_secret"
    async with stock(new) as restored:
        assert await restored.database.read("SELECT id FROM jobs") == [("job_old",)]
    if there:
        assert [path.read_text() for path in new.glob("webhook.secret.before-*")] == ["whsec_other"]
        for kept in new.glob("vidgend.db.before-restore-*Z*"):
            database = await Database.open(kept)
            assert await database.read("SELECT id FROM jobs") == [("job_other",)]
            await database.close()


async def test_what_was_to_be_deleted_at_the_time_of_the_backup_is_not_deleted_after_it(
    store: Stock, tmp_path: Path
) -> None:
    """A newer result may have the same bytes, and this database cannot know."""
    await store.sql("INSERT INTO doomed (kind, name, since) VALUES ('blob', ?, 1)", "a" * 64)
    made = (await make_backup(store, tmp_path / "backups")).path
    await store.sql("DELETE FROM doomed")
    await store.database.close()
    await bring_back(made, store.folder, force=True)
    async with stock(store.folder) as again:
        assert await again.count("doomed") == 0
