"""The webhook outbox: an event is a row written with the state change, delivered at least once.

The body's bytes are fixed when the row is written, so every attempt carries the same id and the same content.
"""

from __future__ import annotations

import json
import random
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vidgend.store.database import Database

RETRY_AFTER_S = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Waits before attempts 2 to 10, 75 hours in all. Source: the schedule of Standard Webhooks 1.0.0."""
_JITTER = 0.2


@dataclass(frozen=True, kw_only=True)
class Delivery:
    id: str
    job_id: str
    url: str
    event: str
    body: bytes
    attempt: int


def enqueue_event(
    connection: sqlite3.Connection, *, job_id: str, url: str, event: str, now: float, data: dict[str, Any]
) -> None:
    """Write an event inside the caller's transaction."""
    at = datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
    body = json.dumps({"type": event, "timestamp": at, "data": data}, separators=(",", ":")).encode()
    connection.execute(
        "INSERT INTO outbox (id, job_id, url, event, body, state, next_at, created_at) "
        "VALUES (?, ?, ?, ?, ?, 'pending', ?, ?)",
        (f"msg_{secrets.token_hex(12)}", job_id, url, event, body, now, now),
    )


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(
        self, limit: int = 16, *, wanted: Callable[[str, str], bool] = lambda message_id, url: True
    ) -> tuple[list[Delivery], float | None]:
        """Up to `limit` deliveries whose time has come, oldest first, and the seconds until the next later one.

        `wanted` is asked with the id and URL of each that is due and says whether the caller has room for it. Those
        it leaves do not use up `limit`: a slow receiver with many events must not stand before the others.
        """
        now = self._database.clock()
        waiting = await self._database.read(
            "SELECT id, url, next_at FROM outbox WHERE state = 'pending' ORDER BY next_at"
        )
        later_s = next((next_at - now for _, _, next_at in waiting if next_at > now), None)
        chosen: list[str] = []
        for message_id, url, next_at in waiting:
            if next_at > now or len(chosen) >= limit:
                break
            if wanted(message_id, url):
                chosen.append(message_id)
        if not chosen:
            return [], later_s
        rows = await self._database.read(
            "SELECT id, job_id, url, event, body, attempt FROM outbox "
            f"WHERE id IN ({', '.join('?' * len(chosen))}) ORDER BY next_at",
            chosen,
        )
        due = [
            Delivery(id=row[0], job_id=row[1], url=row[2], event=row[3], body=row[4], attempt=row[5]) for row in rows
        ]
        return due, later_s

    async def delivered(self, delivery: Delivery) -> None:
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE outbox SET state = 'delivered', attempt = attempt + 1, last_error = NULL WHERE id = ?",
                (delivery.id,),
            )
        )

    async def failed(
        self, delivery: Delivery, reason: str, *, retry_after_s: float = 0.0, final: bool = False
    ) -> float | None:
        """Record a failed attempt. Returns the seconds until the next one, None if there will be none."""
        now = self._database.clock()
        wait_s: float | None = None
        if not final and delivery.attempt < len(RETRY_AFTER_S):
            wait_s = RETRY_AFTER_S[delivery.attempt] * random.uniform(1 - _JITTER, 1 + _JITTER)
            wait_s = max(wait_s, retry_after_s)
        state, next_at = ("dead", now) if wait_s is None else ("pending", now + wait_s)
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE outbox SET state = ?, attempt = attempt + 1, next_at = ?, last_error = ? WHERE id = ?",
                (state, next_at, reason[:500], delivery.id),
            )
        )
        return wait_s
