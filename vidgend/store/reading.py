"""Reading the database of a daemon that may run: nothing is written or checkpointed, and no lock is held."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from vidgend.errors import SchemaTooNew, SettingsInvalid
from vidgend.store.schema import migrations, named


class Reads(Protocol):
    """What a survey needs of a database; `Database` has it too."""

    clock: Callable[[], float]

    async def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...


def open_read_only(path: Path) -> sqlite3.Connection:
    """Raises: DatabaseDamaged when it is no database, DatabaseUnavailable when it cannot be opened."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise named(error, path) from error
    try:
        connection.execute("PRAGMA busy_timeout = 30000").fetchall()
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except sqlite3.Error as error:
        connection.close()
        raise named(error, path) from error
    return connection


def refuse_other_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raises: SchemaTooNew, SettingsInvalid (an older schema)."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    known = len(migrations())
    if version > known:
        raise SchemaTooNew(f"{path} has schema {version}; this vidgend knows up to {known}")
    if version < known:
        raise SettingsInvalid(
            f"{path} has schema {version}, this vidgend has {known}",
            hint="Start `vidgend serve` once; it brings the database up to date.",
        )


class ReadOnly:
    """A `Reads` on a connection of its own. Close it with `await close()`."""

    def __init__(self, connection: sqlite3.Connection, path: Path, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._path = path
        self._turn = asyncio.Lock()
        self.clock = clock

    @classmethod
    async def open(cls, path: Path, clock: Callable[[], float] = time.time) -> ReadOnly:
        """Raises: SchemaTooNew, SettingsInvalid (an older schema), DatabaseDamaged, DatabaseUnavailable."""
        connection = await asyncio.to_thread(open_read_only, path)
        try:
            refuse_other_schema(connection, path)
        except BaseException:
            connection.close()
            raise
        return cls(connection, path, clock)

    async def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Raises: DatabaseDamaged, DatabaseUnavailable."""
        async with self._turn:
            try:
                return await asyncio.to_thread(lambda: self._connection.execute(sql, parameters).fetchall())
            except sqlite3.Error as error:
                raise named(error, self._path) from error

    async def close(self) -> None:
        async with self._turn:
            await asyncio.to_thread(self._connection.close)
