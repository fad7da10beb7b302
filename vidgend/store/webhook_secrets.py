"""The signing secrets of webhook receivers that have their own, per owner and endpoint, and their rotation.

They are stored as they are, since what signs has to have them: the database is its owner's alone (0600).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from vidgend.store.reading import Reads

ROTATION_S = 86_400.0
"""So long what was valid before signs as well, so that a receiver has time to take the new one."""


@dataclass(frozen=True, kw_only=True)
class EndpointSecret:
    """`previous` signs as well until `previous_until`; None: the secret of those that have none of their own."""

    endpoint: str
    secret: str
    created_at: float
    previous: str | None
    previous_until: float


_COLUMNS = "endpoint, secret, created_at, previous, previous_until"


async def find_secret(database: Reads, *, owner: str, endpoint: str) -> EndpointSecret | None:
    rows = await database.read(
        f"SELECT {_COLUMNS} FROM webhook_secrets WHERE owner = ? AND endpoint = ?", (owner, endpoint)
    )
    return _from_row(rows[0]) if rows else None


def keep_secret(
    connection: sqlite3.Connection, *, owner: str, endpoint: str, fresh: str, now: float, rotate: bool
) -> tuple[EndpointSecret, bool]:
    """The endpoint's secret, and whether it is new: `fresh` becomes it where there is none yet, or to `rotate`.

    Inside the caller's transaction.
    """
    changed = connection.execute(
        "INSERT INTO webhook_secrets (owner, endpoint, secret, created_at, previous, previous_until) "
        "VALUES (?1, ?2, ?3, ?4, NULL, ?4 + ?5) ON CONFLICT (owner, endpoint) DO UPDATE "
        "SET previous = secret, secret = ?3, created_at = ?4, previous_until = ?4 + ?5 WHERE ?6",
        (owner, endpoint, fresh, now, ROTATION_S, rotate),
    ).rowcount
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM webhook_secrets WHERE owner = ? AND endpoint = ?", (owner, endpoint)
    ).fetchone()
    return _from_row(row), bool(changed)


def forget_secret(connection: sqlite3.Connection, *, owner: str, endpoint: str) -> bool:
    """Whether there was one. From now on the secret of all others signs."""
    return bool(
        connection.execute("DELETE FROM webhook_secrets WHERE owner = ? AND endpoint = ?", (owner, endpoint)).rowcount
    )


def _from_row(row: tuple[str, str, float, str | None, float]) -> EndpointSecret:
    return EndpointSecret(endpoint=row[0], secret=row[1], created_at=row[2], previous=row[3], previous_until=row[4])
