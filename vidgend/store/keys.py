"""The keys of the API: who has one, what it may do, until when. Of a key's secret only its SHA-256 is kept.

The secret is 32 random bytes, so a fast hash is enough: there is nothing to guess. What writes is a function of a
connection, since `vidgend keys` works beside a daemon, on a connection of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import sqlite3
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vidgend.errors import BadInput, Conflict, NotFound, SettingsInvalid
from vidgend.store.database import Database
from vidgend.store.reading import open_read_only, refuse_other_schema
from vidgend.store.schema import named

SCOPES = ("read", "write", "admin")
"""Each includes those before it."""
DEFAULT_SCOPES = ("read", "write")
DEFAULT_OWNER = "default"
"""What people call the owner "", whose is all that was made without a key or with http.api_key."""
KEY_FORM = re.compile(r"vg_([0-9a-f]{12})_([0-9a-f]{64})")
_NAME = re.compile(r"[^\W_][\w.@+-]{0,63}")
_COLUMNS = "id, name, owner, scopes, created_at, expires_at, last_used_at, revoked_at, secret_sha256"
_LIVE = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"

State = Literal["live", "expired", "revoked"]


@dataclass(frozen=True, kw_only=True)
class Key:
    """Times in seconds since the epoch. `id` is the public part of the key, also part of its text."""

    id: str
    name: str
    owner: str
    scopes: tuple[str, ...]
    created_at: float
    expires_at: float | None
    last_used_at: float | None
    revoked_at: float | None
    secret_sha256: bytes

    def state(self, now: float) -> State:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "live"


def _key(row: tuple[Any, ...]) -> Key:
    return Key(
        id=row[0], name=row[1], owner=row[2], scopes=tuple(row[3].split()), created_at=row[4], expires_at=row[5],
        last_used_at=row[6], revoked_at=row[7], secret_sha256=row[8],
    )  # fmt: skip


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "backslashreplace")).digest()


def with_implied(scopes: Iterable[str]) -> tuple[str, ...]:
    """The scopes and what they include, in the order of SCOPES."""
    return SCOPES[: 1 + max((SCOPES.index(scope) for scope in scopes), default=-1)]


def name_of(text: str, *, what: str = "name") -> str:
    """A name of a key or an owner as it is kept. Raises: BadInput."""
    name = unicodedata.normalize("NFC", text.strip())
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{text[:80]!r} cannot be the {what} of a key",
            hint="Take 1 to 64 letters, digits and . _ - @ +, the first a letter or a digit.",
        )
    return name


# --- inside a transaction ------------------------------------------------------------------------------------------


def create_key(
    connection: sqlite3.Connection,
    *,
    name: str,
    owner: str | None = None,
    scopes: Iterable[str] = DEFAULT_SCOPES,
    now: float,
    expires_at: float | None = None,
) -> tuple[Key, str]:
    """A new key and its text, which is nowhere kept. Its owner is its name unless one is given; "" is `default`.

    Raises: BadInput, Conflict.
    """
    name = name_of(name)
    owner = name_of(name if owner is None else owner, what="owner")
    taken = connection.execute(f"SELECT id FROM keys WHERE name = ? AND {_LIVE}", (name, now)).fetchone()
    if taken is not None:
        raise Conflict(f"there is a key {name!r} already ({taken[0]})", hint="Take another name, or revoke that key.")
    identity, secret = secrets.token_hex(6), secrets.token_hex(32)
    key = Key(
        id=identity, name=name, owner="" if owner == DEFAULT_OWNER else owner, scopes=with_implied(scopes),
        created_at=now, expires_at=expires_at, last_used_at=None, revoked_at=None, secret_sha256=digest_of(secret),
    )  # fmt: skip
    connection.execute(
        f"INSERT INTO keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key.id, key.name, key.owner, " ".join(key.scopes), key.created_at, key.expires_at, None, None,
            key.secret_sha256,
        ),
    )  # fmt: skip
    return key, f"vg_{identity}_{secret}"


def revoke_key(connection: sqlite3.Connection, id_or_name: str, *, now: float) -> Key:
    """End a key for good. One that has ended already stays as it is. Raises: NotFound."""
    name = unicodedata.normalize("NFC", id_or_name)
    row = connection.execute(
        # An id goes before a name, a live key before one that has ended, the newest first.
        f"SELECT id FROM keys WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC, "
        f"{_LIVE.replace('?', '?2')} DESC, created_at DESC LIMIT 1",
        (name, now),
    ).fetchone()
    if row is None:
        raise NotFound(f"no key {id_or_name[:80]!r}", hint="`vidgend keys list` shows them.")
    connection.execute("UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", (now, row[0]))
    return _key(connection.execute(f"SELECT {_COLUMNS} FROM keys WHERE id = ?", row).fetchone())


def forget_keys(connection: sqlite3.Connection, *, now: float) -> int:
    """Delete the rows of all keys that have ended; how many there were."""
    return connection.execute(f"DELETE FROM keys WHERE NOT ({_LIVE})", (now,)).rowcount


def all_keys(connection: sqlite3.Connection) -> list[Key]:
    """The oldest first."""
    return [_key(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM keys ORDER BY created_at, id")]


# --- beside a daemon -----------------------------------------------------------------------------------------------


def read_keys(path: Path) -> list[Key]:
    """All keys of a database that a daemon may have open; none where there is no database, or one from before keys.

    One with an older schema tells its keys too: a new version asks for them before it brings the database up to date.
    Raises: DatabaseDamaged, DatabaseUnavailable, SchemaTooNew.
    """
    if not path.is_file():
        return []
    with contextlib.closing(open_read_only(path)) as connection:
        try:
            with contextlib.suppress(SettingsInvalid):
                refuse_other_schema(connection, path)
            made = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'keys'").fetchone()
            return all_keys(connection) if made is not None else []
        except sqlite3.Error as error:
            raise named(error, path) from error


# --- in the daemon -------------------------------------------------------------------------------------------------


class KeyStore:
    """What the daemon needs of the keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, identity: str) -> Key | None:
        rows = await self._database.read(f"SELECT {_COLUMNS} FROM keys WHERE id = ?", (identity,))
        return _key(rows[0]) if rows else None

    async def any(self) -> bool:
        """Whether there is a key, also one that has ended."""
        return bool(await self._database.read("SELECT 1 FROM keys LIMIT 1"))

    def touch(self, identity: str, *, at: float) -> None:
        """Note that a key was used, without waiting for it. Lost in a crash, it was used a little earlier."""
        self._database.post(
            lambda connection: connection.execute(
                "UPDATE keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?", (at, identity)
            )
        )
