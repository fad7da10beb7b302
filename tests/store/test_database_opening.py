"""Taking a data directory and opening its database: locked, full, foreign, held by others."""

import asyncio
import errno
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from vidgend.errors import DatabaseUnavailable, DataDirLocked, SchemaTooNew, StorageFull
from vidgend.store.database import Database, DataDir
from vidgend.store.reading import ReadOnly


async def test_a_second_vidgend_is_kept_out_of_a_data_directory(tmp_path: Path) -> None:
    first, second = DataDir(tmp_path), DataDir(tmp_path)
    first.acquire()
    with pytest.raises(DataDirLocked, match="process"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(SchemaTooNew, match="999"):
        await Database.open(path)


async def test_odd_characters_in_the_path_change_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "a#b ?%20"
    folder.mkdir()
    database = await Database.open(folder / "db")
    assert await database.read("SELECT count(*) FROM jobs") == [(0,)]
    await database.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a#b ?%20"]


async def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    with pytest.raises(DatabaseUnavailable, match="unable to open"):
        await Database.open(tmp_path / "db")
    with pytest.raises(DatabaseUnavailable, match="unable to open"):
        await ReadOnly.open(tmp_path / "none")


async def test_a_database_that_is_held_by_another_program_is_unavailable(tmp_path: Path) -> None:
    await (await Database.open(tmp_path / "db")).close()
    holder = sqlite3.connect(tmp_path / "db", isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
    holder.execute("BEGIN EXCLUSIVE")

    def impatient(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)

    with pytest.raises(DatabaseUnavailable, match="locked"):
        await Database.open(tmp_path / "db", connect=impatient)
    holder.close()


async def test_a_disk_full_at_the_start_is_tried_once_more_when_space_was_made(tmp_path: Path) -> None:
    asked: list[bool] = []

    class Full(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql.startswith("BEGIN") and not any(asked):
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
            return super().execute(sql, *parameters)

    def connect(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Full)

    def make_space(answer: bool) -> bool:
        asked.append(answer)
        return answer

    with pytest.raises(StorageFull):
        await Database.open(tmp_path / "db", connect=connect)
    with pytest.raises(StorageFull):
        await Database.open(tmp_path / "db", connect=connect, on_full=lambda: make_space(False))
    await (await Database.open(tmp_path / "db", connect=connect, on_full=lambda: make_space(True))).close()
    assert asked == [False, True]


def test_a_lock_is_taken_although_there_is_no_space_for_the_process_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = DataDir(tmp_path)
    first.acquire()
    first.release()
    before = (tmp_path / "vidgend.lock").read_bytes()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        second = DataDir(tmp_path)
        second.acquire()
    assert caplog.messages == ["pid_not_written"]
    assert (tmp_path / "vidgend.lock").read_bytes() == before
    with pytest.raises(DataDirLocked):
        DataDir(tmp_path).acquire()
    second.release()


def test_where_not_even_the_lock_file_can_be_made_space_is_asked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = False
    real = os.open

    def opening(*arguments: object, **named: object) -> int:
        if not space:
            raise OSError(errno.ENOSPC, "no space")
        return real(*arguments, **named)  # type: ignore[arg-type]

    def make_space() -> bool:
        nonlocal space
        space = True
        return True

    monkeypatch.setattr(os, "open", opening)
    with pytest.raises(StorageFull):
        DataDir(tmp_path).acquire()
    data_dir = DataDir(tmp_path)
    data_dir.acquire(make_space)
    data_dir.release()


async def test_giving_up_while_it_opens_leaves_no_thread_behind(tmp_path: Path) -> None:
    task = asyncio.create_task(Database.open(tmp_path / "db"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not [thread for thread in threading.enumerate() if thread.name == "sqlite-writer"]
