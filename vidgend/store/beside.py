"""A short write into a database that a daemon may have open: one transaction on a connection of its own."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from vidgend.errors import NotFound, SchemaTooNew, SettingsInvalid
from vidgend.store.schema import connect, migrations, named
from vidgend.store.writer import BUSY_MS

T = TypeVar("T")


def write_beside(path: Path, transaction: Callable[[sqlite3.Connection], T]) -> T:
    """Run `transaction` whole; it is on the disk when this returns. The daemon sees it at its next read.

    Raises: NotFound where there is no database, SchemaTooNew, SettingsInvalid (an older schema), StorageFull,
    DatabaseDamaged, DatabaseUnavailable.
    """
    if not path.is_file():
        raise NotFound(f"there is no database in {path.parent}", hint="Give the daemon's --data-dir.")
    try:
        with contextlib.closing(connect(path)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}").fetchall()
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            _check_schema(connection, path)
            connection.execute("BEGIN IMMEDIATE")
            try:
                answer = transaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return answer
    except sqlite3.Error as error:
        raise named(error, path) from error


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    known = len(migrations())
    if version > known:
        raise SchemaTooNew(f"{path} has schema {version}; this vidgend knows up to {known}")
    if version < known:
        raise SettingsInvalid(
            f"{path} is from an older vidgend (schema {version}, this one has {known})",
            hint="Start the daemon of this version once; it upgrades the database.",
        )
