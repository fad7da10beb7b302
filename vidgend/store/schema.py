"""Opening the database file: settings of the connection, a look for damage, and upgrades of the schema.

All pending migrations are one transaction: a file has the old schema or the newest one, never something between.
Before that, the old state is copied to `<name>.before-<schema>`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from importlib import resources
from pathlib import Path

from vidgend.errors import DatabaseDamaged, DatabaseUnavailable, SchemaTooNew, StorageFull
from vidgend.store.writer import BUSY_MS, empty_log, is_full

APPLICATION_ID = 0x76696467
"""Says "vidg" in the file's header, so that `file` and we know whose it is."""

_log = logging.getLogger(__name__)
_OPEN_WAIT_MS = 5000
_PRAGMAS = f"""
PRAGMA busy_timeout = {BUSY_MS};
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA temp_store = MEMORY;
PRAGMA wal_autocheckpoint = 1000;
PRAGMA journal_size_limit = 67108864;
"""


def connect(path: Path) -> sqlite3.Connection:
    # Made here, for its owner only: SQLite would make it as the process's mask says, and -wal and -shm after it.
    with contextlib.suppress(OSError):  # SQLite names what is the matter
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def is_damaged(error: sqlite3.Error) -> bool:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def named(error: sqlite3.Error, path: Path) -> Exception:
    """What an error of SQLite means to whoever met it: no space, damage, or a database that cannot be used now.

    What the statement is to blame for (no such table, a broken constraint) stays as it is.
    """
    if is_full(error):
        return StorageFull(f"the file system of {path} is full")
    if is_damaged(error):
        return DatabaseDamaged(f"{path}: {error}")
    code: int = getattr(error, "sqlite_errorcode", 0)
    operational = isinstance(error, sqlite3.OperationalError) and code != sqlite3.SQLITE_ERROR
    if operational or type(error) is sqlite3.DatabaseError:  # the latter for codes that Python has no class for
        return DatabaseUnavailable(f"{path}: {error}")
    return error


def prepare(connection: sqlite3.Connection, path: Path, *, check_s: float) -> None:
    """Set up a fresh connection and bring the file to the newest schema.

    Raises: SchemaTooNew, DatabaseDamaged, sqlite3.Error.
    """
    _refuse_foreign(connection, path)
    for pragma in _PRAGMAS.strip().splitlines():
        connection.execute(pragma).fetchall()
    _check_after_a_crash(connection, path, check_s)
    # A process before this one may have died of a failed sync. The kernel shows us what it wrote as if it were on
    # the disk, and nothing new must be built on that: so first all of it goes into the file and is synced.
    if not empty_log(connection, _OPEN_WAIT_MS):
        _log.warning("wal_held", extra={"hint": "another process is reading the database"})
    migrate(connection, path, migrations())
    connection.execute("PRAGMA foreign_keys = ON")


def migrations() -> list[str]:
    """The scripts, oldest first; the schema's number is how many of them have run."""
    folder = resources.files("vidgend.store") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text() for name in names]


def statements(script: str) -> list[str]:
    """Split a script; a trigger is one statement although there are semicolons in it."""
    found: list[str] = []
    part = ""
    for line in script.splitlines(keepends=True):
        if not part and (not line.strip() or line.lstrip().startswith("--")):
            continue
        part += line
        if sqlite3.complete_statement(part):
            found.append(part.strip())
            part = ""
    if part:
        raise ValueError(f"a migration's last statement has no end: {part.strip()!r}")
    return found


def migrate(connection: sqlite3.Connection, path: Path, scripts: list[str]) -> None:
    """Run the scripts that this file has not seen yet, all of them or none."""
    version = _number(connection, "user_version")
    if version == len(scripts):
        return
    if version > 0:
        _copy(connection, path.with_name(f"{path.name}.before-{len(scripts)}"))
    connection.execute("PRAGMA foreign_keys = OFF")  # a rebuilt table would take its children's rows along
    connection.execute("BEGIN IMMEDIATE")
    try:
        for script in scripts[version:]:
            for statement in statements(script):
                connection.execute(statement)
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            table, rowid, parent, _ = broken[0]
            raise DatabaseDamaged(f"{path}: row {rowid} of {table} refers to a row of {parent} that is not there")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(scripts)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if version > 0:
        _log.info("schema_upgraded", extra={"before": version, "now": len(scripts)})


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    value: int = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return value


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Before anything is changed in the file."""
    version, newest = _number(connection, "user_version"), len(migrations())
    application = _number(connection, "application_id")
    if application not in (0, APPLICATION_ID):
        raise DatabaseDamaged(f"{path} is a database of another program (application_id {application})")
    if version > newest:
        raise SchemaTooNew(f"{path} has schema {version}; this vidgend knows up to {newest}")


def _check_after_a_crash(connection: sqlite3.Connection, path: Path, check_s: float) -> None:
    """Look for damage if the last stop was not clean; no longer than `check_s`, since a large file takes seconds."""
    if _number(connection, "user_version") == 0:
        return
    last = connection.execute("SELECT clean_stop FROM boots ORDER BY rowid DESC LIMIT 1").fetchone()
    if last is None or last[0]:
        return
    looked = threading.Event()

    def end_in_time() -> None:
        pause_s = check_s
        while not looked.wait(pause_s):  # again and again: an interrupt before the statement has begun is lost
            connection.interrupt()
            pause_s = 0.01

    timer = threading.Thread(target=end_in_time, name="quick check")
    timer.start()
    try:
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        _log.warning("quick_check_unfinished", extra={"hint": "`vidgend fsck` looks at all of the database"})
        return
    finally:
        looked.set()
        timer.join()
    if answer != "ok":
        raise DatabaseDamaged(f"{path}: {answer}")


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    """A copy of the old state that is whole as soon as it has its name."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        connection.execute("VACUUM INTO ?", (str(part),))
        for path in (part, None):
            fd = os.open(path or target.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
            if path is not None:
                path.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
