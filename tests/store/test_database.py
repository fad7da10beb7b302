import asyncio
import sqlite3
from pathlib import Path

import pytest

from vidgend.errors import DataDirLocked, SchemaTooNew, StorageFull
from vidgend.store.database import Database, DataDir


async def test_a_second_vidgend_is_kept_out_of_a_data_directory(tmp_path: Path) -> None:
    first, second = DataDir(tmp_path), DataDir(tmp_path)
    first.acquire()
    with pytest.raises(DataDirLocked, match="process"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


async def test_a_cancelled_writer_still_commits_whole_and_leaves_no_open_transaction(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    await database.write(lambda c: c.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, n INTEGER)"))
    await database.write(lambda c: c.execute("INSERT INTO account VALUES (1, 0), (2, 0)"))

    def move(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE account SET n = n - 1 WHERE id = 1")
        connection.execute("UPDATE account SET n = n + 1 WHERE id = 2")

    tasks = [asyncio.create_task(database.write(move)) for _ in range(200)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) == 100
    await database.write(lambda c: None)
    assert await database.read("SELECT n FROM account ORDER BY id") == [(-200,), (200,)]
    await database.close()


async def test_a_failing_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO boots (boot_id, started_at) VALUES ('x', 1)")
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        await database.write(half)
    assert await database.read("SELECT * FROM boots") == []
    await database.close()


async def test_commits_are_synced_and_logged_ahead(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    values = await database.write(
        lambda c: (c.execute("PRAGMA journal_mode").fetchone()[0], c.execute("PRAGMA synchronous").fetchone()[0])
    )
    assert values == ("wal", 2)
    await database.close()


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


async def test_a_full_disk_is_named_and_passes(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    await database.write(lambda c: c.execute("CREATE TABLE big (x BLOB)"))
    pages = await database.write(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone())
    with pytest.raises(StorageFull):
        await database.write(lambda c: c.execute("INSERT INTO big VALUES (zeroblob(1000000))"))
    await database.write(lambda c: c.execute("PRAGMA max_page_count = 1000000").fetchone())
    await database.write(lambda c: c.execute("INSERT INTO big VALUES (zeroblob(1000000))"))
    assert await database.read("SELECT count(*) FROM big") == [(1,)]
    await database.close()


async def test_a_closed_database_takes_no_writes(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    await database.close()
    with pytest.raises(sqlite3.ProgrammingError):
        await database.write(lambda c: None)


async def test_reads_cannot_write(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    with pytest.raises(sqlite3.OperationalError):
        await database.read("DELETE FROM boots")
    await database.close()
