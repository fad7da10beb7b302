"""A short write into a database that a daemon may have open: one transaction on a connection of its own."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vidgend.errors import NotFound
from vidgend.store.reading import refuse_other_schema
from vidgend.store.schema import named
from vidgend.store.writer import BUSY_MS


@contextmanager
def writing_beside(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction on a connection of its own, beside the daemon that has the database; durable on return.

    Raises: NotFound, SchemaTooNew, SettingsInvalid (an older schema), DatabaseUnavailable, StorageFull.
    """
    if not path.is_file():
        raise NotFound(f"there is no database in {path.parent}", hint="Give the daemon's --data-dir.")
    try:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            # The daemon alone writes the log into the file: it knows whether the disk can be trusted.
            for pragma in (
                f"busy_timeout = {BUSY_MS}", "synchronous = FULL", "trusted_schema = OFF", "wal_autocheckpoint = 0",
            ):  # fmt: skip
                connection.execute(f"PRAGMA {pragma}").fetchall()
            connection.execute("BEGIN IMMEDIATE")
            try:
                refuse_other_schema(connection, path)
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise named(error, path) from error
