import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from vidgend.errors import DatabaseUnavailable, StorageFull
from vidgend.store.database import Database
from vidgend.store.writer import WriterLimits


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
    try:
        with pytest.raises(DatabaseUnavailable, match="readonly"):
            await database.read("DELETE FROM boots")
    finally:
        await database.close()


async def test_a_read_sees_what_was_written_before_it_however_many_others_read(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    await database.write(lambda c: c.execute("CREATE TABLE counter AS SELECT 0 AS n"))

    def count(connection: sqlite3.Connection) -> int:
        found: int = connection.execute("UPDATE counter SET n = n + 1 RETURNING n").fetchone()[0]
        return found

    async def write_and_read(times: int) -> None:
        for _ in range(times):
            written = await database.write(count)
            ((read,),) = await database.read("SELECT n FROM counter")
            assert read >= written

    outcomes = await asyncio.gather(*(write_and_read(times) for times in range(40)), return_exceptions=True)
    await database.close()
    assert [error for error in outcomes if error is not None] == []


async def test_a_database_that_cannot_be_used_now_is_told_from_a_bug(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")

    def io_error(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    try:
        with pytest.raises(DatabaseUnavailable, match="disk I/O error"):
            await database.write(io_error)
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await database.write(lambda c: c.execute("DELETE FROM nowhere"))
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await database.read("SELECT 1 FROM nowhere")
        with pytest.raises(sqlite3.IntegrityError):
            await database.write(lambda c: c.execute("INSERT INTO boots (boot_id) VALUES ('x')"))
    finally:
        await database.close()


class Held:
    """Keeps the writer busy until it is let go, so that what comes meanwhile is queued and shares a commit."""

    def __init__(self, database: Database) -> None:
        self._begun = threading.Event()
        self._go = threading.Event()
        self._task = asyncio.create_task(database.write(self._wait))

    def _wait(self, connection: sqlite3.Connection) -> None:
        self._begun.set()
        assert self._go.wait(10)

    async def __aenter__(self) -> None:
        while not self._begun.is_set():  # else the writer could still take some of what comes along with this
            await asyncio.sleep(0.001)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0)  # those who were begun meanwhile put their transaction into the queue
        self._go.set()
        await self._task


def boot_row(name: str) -> Callable[[sqlite3.Connection], str]:
    def transaction(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO boots (boot_id, started_at) VALUES (?, 1)", (name,))
        return name

    return transaction


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "db")
    yield opened
    await opened.close()


async def test_what_is_queued_together_is_committed_together(database: Database) -> None:
    seen: list[int] = []

    def transaction(connection: sqlite3.Connection) -> None:
        boot_row(f"b{len(seen)}")(connection)
        seen.append(connection.execute("SELECT count(*) FROM boots").fetchone()[0])

    reader = sqlite3.connect(database.path, check_same_thread=False)
    committed: list[int] = []

    def count() -> int:
        return int(reader.execute("SELECT count(*) FROM boots").fetchone()[0])

    async with Held(database):
        tasks = [asyncio.create_task(database.write(transaction)) for _ in range(20)]
        tasks.append(asyncio.create_task(database.write(lambda _: committed.append(count()))))
    await asyncio.gather(*tasks)
    assert seen == list(range(1, 21))
    assert committed == [0], "some were committed before the last of the batch had run"
    assert count() == 20
    reader.close()


async def test_one_that_fails_leaves_those_that_share_its_commit_whole(database: Database) -> None:
    def half(connection: sqlite3.Connection) -> None:
        boot_row("half")(connection)
        raise ValueError("in the middle")

    async with Held(database):
        tasks: list[asyncio.Task[object]] = [
            asyncio.create_task(database.write(boot_row("a"))),
            asyncio.create_task(database.write(half)),
            asyncio.create_task(database.write(boot_row("a"))),
            asyncio.create_task(database.write(boot_row("b"))),
        ]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, ValueError, sqlite3.IntegrityError, str]
    assert await database.read("SELECT boot_id FROM boots ORDER BY boot_id") == [("a",), ("b",)]


async def test_a_commit_that_fails_is_the_failure_of_him_who_spoils_it(database: Database) -> None:
    await database.write(
        lambda c: c.execute(
            "CREATE TABLE late (id TEXT PRIMARY KEY, b TEXT REFERENCES boots (boot_id) DEFERRABLE INITIALLY DEFERRED)"
        ).fetchall()
    )
    runs: list[str] = []

    def good(connection: sqlite3.Connection) -> None:
        runs.append("good")
        boot_row("a")(connection)

    async with Held(database):
        tasks: list[asyncio.Task[object]] = [
            asyncio.create_task(database.write(good)),
            asyncio.create_task(
                database.write(lambda c: c.execute("INSERT INTO late VALUES ('x', 'nobody')").fetchall())
            ),
            asyncio.create_task(database.write(lambda c: c.execute("INSERT INTO late VALUES ('y', 'a')").fetchall())),
        ]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert runs == ["good", "good"], "the commit did not fail as a whole"
    assert isinstance(outcomes[1], sqlite3.IntegrityError)
    assert outcomes[0] is None and outcomes[2] == []
    assert await database.read("SELECT id FROM late") == [("y",)]


async def test_a_full_disk_fails_only_those_that_do_not_fit(tmp_path: Path) -> None:
    asked: list[str] = []

    def nothing_to_give() -> bool:
        asked.append(threading.current_thread().name)
        return False

    database = await Database.open(tmp_path / "db", on_full=nothing_to_give)
    await database.write(lambda c: c.execute("CREATE TABLE big (x BLOB)").fetchall())
    pages = await database.write(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone())
    async with Held(database):
        tasks: list[asyncio.Task[object]] = [
            asyncio.create_task(database.write(boot_row("a"))),
            asyncio.create_task(
                database.write(lambda c: c.execute("INSERT INTO big VALUES (zeroblob(100000))").fetchall())
            ),
            asyncio.create_task(database.write(boot_row("b"))),
        ]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, StorageFull, str]
    assert asked == ["sqlite-writer"]
    assert await database.read("SELECT count(*) FROM boots") == [(2,)]
    await database.close()


async def test_when_space_was_made_the_transaction_is_run_once_more(tmp_path: Path) -> None:
    connections: list[sqlite3.Connection] = []

    def make_space() -> bool:
        connections[0].execute("PRAGMA max_page_count = 1000000").fetchone()
        return True

    database = await Database.open(tmp_path / "db", on_full=make_space)
    await database.write(lambda c: connections.append(c))
    await database.write(lambda c: c.execute("CREATE TABLE big (x BLOB)").fetchall())
    pages = await database.write(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone())
    await database.write(lambda c: c.execute("INSERT INTO big VALUES (zeroblob(100000))").fetchall())
    assert await database.read("SELECT count(*) FROM big") == [(1,)]
    connections.clear()
    await database.close()


async def test_the_ballast_is_left_to_those_who_may_drop_it(tmp_path: Path) -> None:
    dropped: list[str] = []
    connections: list[sqlite3.Connection] = []

    def make_space() -> bool:
        dropped.append("ballast")
        connections[0].execute("PRAGMA max_page_count = 1000000").fetchone()
        return True

    def add(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO big VALUES (zeroblob(100000))")

    database = await Database.open(tmp_path / "db", on_full=make_space)
    await database.write(lambda c: connections.append(c))
    await database.write(lambda c: c.execute("CREATE TABLE big (x BLOB)").fetchall())
    pages = await database.write(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone())
    database.post(add)
    with pytest.raises(StorageFull):
        await database.write(add, may_drop_ballast=False)
    assert dropped == [] and await database.read("SELECT count(*) FROM big") == [(0,)]
    await database.write(add)
    assert dropped == ["ballast"] and await database.read("SELECT count(*) FROM big") == [(1,)]
    connections.clear()
    await database.close()


async def test_what_is_posted_is_written_and_its_failure_is_only_logged(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.post(boot_row("a"))
    database.post(boot_row("a"))
    await database.write(boot_row("b"))
    assert await database.read("SELECT count(*) FROM boots") == [(2,)]
    assert caplog.messages == ["database_post_failed"]


async def test_what_is_posted_before_the_end_is_still_written(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    for number in range(1000):
        database.post(boot_row(str(number)))
    await database.close()
    database.post(boot_row("too late"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["db"]
    assert sqlite3.connect(tmp_path / "db").execute("SELECT count(*) FROM boots").fetchone() == (1000,)


async def test_the_log_stays_small_although_somebody_read_for_long(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = WriterLimits(idle_s=0.1, warn_wal_bytes=2**26, warn_every_s=3600)
    database = await Database.open(tmp_path / "db", limits=limits)
    await database.write(lambda c: c.execute("CREATE TABLE note (body BLOB)").fetchall())
    reader = sqlite3.connect(tmp_path / "db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM note").fetchall()
    for _ in range(100):
        await asyncio.gather(
            *(
                database.write(lambda c: c.execute("INSERT INTO note VALUES (zeroblob(24000))").fetchall())
                for _ in range(30)
            )
        )
    assert database.wal_bytes > 2**26, "the reader held nothing up"
    deadline = time.monotonic() + 10
    while caplog.messages != ["wal_large"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    reader.close()
    deadline = time.monotonic() + 10
    while database.wal_bytes > 4 * 2**20:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert await database.read("SELECT count(*) FROM note") == [(3000,)]
    await database.close()


async def test_the_log_stays_small_under_steady_writes(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db", limits=WriterLimits(idle_s=3600))
    await database.write(lambda c: c.execute("CREATE TABLE note (body BLOB)").fetchall())
    largest_bytes = 0
    for _ in range(400):
        await database.write(lambda c: c.execute("INSERT INTO note VALUES (zeroblob(100000))").fetchall())
        largest_bytes = max(largest_bytes, database.wal_bytes)
    assert 2**20 < largest_bytes < 2**24
    await database.close()
