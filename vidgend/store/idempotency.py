"""Repeats of earlier requests, found without a write: they are answered even when nothing new is taken."""

from __future__ import annotations

from vidgend.errors import IdempotencyMismatch
from vidgend.store.database import Database

KEEP_S = 7 * 86_400.0
"""A key is known for so long at least."""


async def earlier_job(database: Database, key: str, body_sha256: str, *, owner: str) -> str | None:
    """The job that was accepted under this key, or None. Raises: IdempotencyMismatch."""
    rows = await database.read("SELECT job_id, body_sha256 FROM idempotency WHERE owner = ? AND key = ?", (owner, key))
    if not rows:
        return None
    job_id, known_sha256 = rows[0]
    if known_sha256 != body_sha256:
        raise IdempotencyMismatch
    return str(job_id)
