"""The webhook outbox: an event is a row written with the state change, delivered at least once.

The body's bytes are fixed when the row is written, so every attempt carries the same id and the same content. An
endpoint, which is one owner's URL, that says it is gone, or that fails for days on end, is disabled: its events are
kept as dead, not sent.
"""

from __future__ import annotations

import json
import logging
import random
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vidgend.errors import Conflict, NotFound
from vidgend.store.database import Database
from vidgend.store.webhook_attempts import Attempt, attempts_of, log_attempt

_log = logging.getLogger(__name__)

RETRY_AFTER_S = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Waits before attempts 2 to 10, 75 hours in all. Source: the schedule of Standard Webhooks 1.0.0."""
_JITTER = 0.2
LONGEST_WAIT_S = RETRY_AFTER_S[-1] * (1 + _JITTER)
"""No event waits longer for its next attempt, whatever a receiver asks for and whatever the clock does."""
DISABLE_AFTER_S = 5 * 86_400.0
"""An endpoint that has failed again and again for so long, without one success, is disabled."""
SILENCE_S = LONGEST_WAIT_S + 3600
"""Where nothing was tried for longer than this, nobody knows whether it failed all the time: it begins anew."""
DISABLED_LIVE_S = 90 * 86_400.0
"""A disabled endpoint is forgotten after this, and the next event for it is tried."""
LAST_FAILED = "coalesce(last_failed_at, failing_since, 0)"
_FRONT = 64
_OF_EACH = 4
"""Twice the places that a host has: those that are being sent still look due."""

# The first few due events of every receiver, one seek each, however many events each has.
_TURNS = f"""
WITH RECURSIVE turns (origin) AS (
  SELECT min(origin) FROM outbox INDEXED BY outbox_turns WHERE state = 'pending'
  UNION ALL
  SELECT (SELECT min(origin) FROM outbox INDEXED BY outbox_turns WHERE state = 'pending' AND origin > turns.origin)
  FROM turns WHERE turns.origin IS NOT NULL
)
SELECT id, url FROM turns JOIN outbox ON outbox.rowid IN (
  SELECT o.rowid FROM outbox AS o INDEXED BY outbox_turns
  WHERE o.state = 'pending' AND o.origin = turns.origin AND o.next_at <= ? ORDER BY o.next_at LIMIT {_OF_EACH}
) WHERE turns.origin IS NOT NULL ORDER BY next_at LIMIT 256
"""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    id: str
    job_id: str
    url: str
    event: str
    body: bytes
    attempt: int
    owner: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event as people see it. `next_at` is None unless it is pending; `disabled` is why its endpoint is."""

    id: str
    event: str
    url: str
    state: str
    attempts: int
    last_error: str | None
    next_at: float | None
    created_at: float
    disabled: str | None
    log: tuple[Attempt, ...] = ()
    """The last attempts, oldest first."""


def enqueue_event(
    connection: sqlite3.Connection, *, job_id: str, owner: str, url: str, event: str, now: float, data: dict[str, Any]
) -> None:
    """Write an event inside the caller's transaction. For a disabled endpoint it is dead from the start."""
    at = datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
    body = json.dumps({"type": event, "timestamp": at, "data": data}, separators=(",", ":")).encode()
    disabled = connection.execute(
        "SELECT reason FROM endpoints WHERE owner = ? AND url = ? AND disabled_at IS NOT NULL", (owner, url)
    ).fetchone()
    state, error = ("pending", None) if disabled is None else ("dead", f"disabled: {disabled[0]}")
    connection.execute(
        "INSERT INTO outbox (id, job_id, url, event, body, state, next_at, last_error, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (f"msg_{secrets.token_hex(12)}", job_id, url, event, body, state, now, error, now),
    )


async def events_of(database: Database, job_id: str) -> list[Event]:
    """The events of a job, oldest first."""
    rows = await database.read(
        "SELECT o.id, o.event, o.url, o.state, o.attempt, o.last_error, iif(o.state = 'pending', o.next_at, NULL), "
        "o.created_at, iif(e.disabled_at IS NULL, NULL, e.reason) "
        "FROM outbox AS o JOIN jobs AS j ON j.id = o.job_id "
        "LEFT JOIN endpoints AS e ON e.owner = j.owner AND e.url = o.url "
        "WHERE o.job_id = ? ORDER BY o.created_at, o.rowid",
        (job_id,),
    )
    logs = await attempts_of(database, job_id)
    return [
        Event(
            id=row[0], event=row[1], url=row[2], state=row[3], attempts=row[4], last_error=row[5], next_at=row[6],
            created_at=row[7], disabled=row[8], log=tuple(logs.get(row[0], ())),
        )
        for row in rows
    ]  # fmt: skip


async def redeliver(database: Database, job_id: str, event_id: str | None = None) -> list[str]:
    """Send again, under the same id and now, a job's event, or all of its; those that wait for another try as well.

    Their endpoints are enabled again, and the schedule of attempts begins anew. Returns the events' ids.

    Raises: NotFound, Conflict.
    """
    now = database.clock()

    def transaction(connection: sqlite3.Connection) -> list[str]:
        job = connection.execute("SELECT owner FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if job is None:
            raise NotFound(f"no job {job_id!r}")
        rows = connection.execute(
            "SELECT id, url, state = 'pending' AND next_at <= ?3 FROM outbox "
            "WHERE job_id = ?1 AND (?2 IS NULL OR id = ?2) ORDER BY created_at, rowid",
            (job_id, event_id, now),
        ).fetchall()
        if event_id is not None and not rows:
            raise NotFound(f"the job has no event {event_id!r}")
        again = [(row[0], row[1]) for row in rows if not row[2]]
        if not rows:
            raise Conflict("the job has no event", hint="A job with a callback_url has one once it has ended.")
        if not again:
            raise Conflict("what there is is being sent right now")
        for url in {url for _, url in again}:
            _clear(connection, job[0], url)
        connection.executemany(
            "UPDATE outbox SET state = 'pending', attempt = 0, next_at = ?, last_error = NULL WHERE id = ?",
            [(now, message_id) for message_id, _ in again],
        )
        return [message_id for message_id, _ in again]

    return await database.write(transaction)


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest = 0.0

    async def due(
        self, limit: int = 16, *, wanted: Callable[[str, str], bool] = lambda message_id, url: True
    ) -> tuple[list[Delivery], float | None]:
        """Up to `limit` deliveries whose time has come, oldest first, and the seconds until the next later one.

        `wanted` is asked with the id and URL of each that is due and says whether the caller has room for it. Those
        it leaves do not use up `limit`: a slow receiver with many events must not stand before the others.

        Raises: StorageFull.
        """
        now = self._database.clock()
        await self._mend_times(now)
        front = await self._database.read(
            "SELECT id, url FROM outbox WHERE state = 'pending' AND next_at <= ? ORDER BY next_at LIMIT ?",
            (now, _FRONT),
        )
        chosen: list[str] = []

        def choose(waiting: list[tuple[Any, ...]]) -> None:
            for message_id, url in waiting:
                if len(chosen) >= limit:
                    return
                if message_id not in chosen and wanted(message_id, url):
                    chosen.append(message_id)

        choose(front)
        if len(chosen) < limit and len(front) == _FRONT:
            choose(await self._database.read(_TURNS, (now,)))
        return await self._deliveries(chosen), await self._next_s(now)

    async def _deliveries(self, chosen: list[str]) -> list[Delivery]:
        if not chosen:
            return []
        rows = await self._database.read(
            "SELECT o.id, o.job_id, o.url, o.event, o.body, o.attempt, j.owner "
            "FROM outbox AS o JOIN jobs AS j ON j.id = o.job_id "
            f"WHERE o.state = 'pending' AND o.id IN ({', '.join('?' * len(chosen))}) ORDER BY o.next_at",
            chosen,
        )
        return [
            Delivery(id=row[0], job_id=row[1], url=row[2], event=row[3], body=row[4], attempt=row[5], owner=row[6])
            for row in rows
        ]

    async def _next_s(self, now: float) -> float | None:
        rows = await self._database.read(
            "SELECT min(next_at) FROM outbox WHERE state = 'pending' AND next_at > ?", (now,)
        )
        return None if rows[0][0] is None else float(rows[0][0]) - now

    async def _mend_times(self, now: float) -> None:
        """Where the clock was set back, nobody is to wait longer for it than was meant."""
        set_back_s, self._latest = self._latest - now, now
        if set_back_s > 1:
            await self._database.write(
                lambda connection: connection.execute(
                    "UPDATE outbox SET next_at = next_at - ?1 WHERE state = 'pending' AND next_at > ?2",
                    (set_back_s, now),
                )
            )
        # While vidgend was down nobody saw the clock being set back.
        far = now + LONGEST_WAIT_S
        if await self._database.read("SELECT 1 FROM outbox WHERE state = 'pending' AND next_at > ? LIMIT 1", (far,)):
            await self._database.write(
                lambda connection: connection.execute(
                    "UPDATE outbox SET next_at = ? WHERE state = 'pending' AND next_at > ?", (now, far)
                )
            )

    async def delivered(self, delivery: Delivery, attempt: Attempt | None = None) -> None:
        """Record a success; it clears what was held against the endpoint."""

        def transaction(connection: sqlite3.Connection) -> None:
            if attempt is not None:
                log_attempt(connection, delivery.id, attempt)
            connection.execute(
                "UPDATE outbox SET state = 'delivered', attempt = attempt + 1, last_error = NULL WHERE id = ?",
                (delivery.id,),
            )
            _clear(connection, delivery.owner, delivery.url)

        await self._database.write(transaction)

    async def failed(
        self,
        delivery: Delivery,
        reason: str,
        *,
        retry_after_s: float = 0.0,
        gone: bool = False,
        attempt: Attempt | None = None,
    ) -> float | None:
        """Record a failed attempt. Returns the seconds until the next one, None if there will be none.

        `gone` is a receiver's word that it wants nothing more: its endpoint is disabled.
        """
        now = self._database.clock()
        wait_s: float | None = None
        if delivery.attempt < len(RETRY_AFTER_S):
            wait_s = RETRY_AFTER_S[delivery.attempt] * random.uniform(1 - _JITTER, 1 + _JITTER)
            wait_s = min(max(wait_s, retry_after_s), LONGEST_WAIT_S)

        def transaction(connection: sqlite3.Connection) -> tuple[bool, bool]:
            if attempt is not None:
                log_attempt(connection, delivery.id, attempt)
            state, next_at = ("dead", now) if wait_s is None or gone else ("pending", now + wait_s)
            connection.execute(
                "UPDATE outbox SET state = ?, attempt = attempt + 1, next_at = ?, last_error = ? "
                "WHERE id = ? AND state = 'pending'",
                (state, next_at, reason[:500], delivery.id),
            )
            since, disabled_at = connection.execute(
                "INSERT INTO endpoints (owner, url, failing_since, last_failed_at) VALUES (?1, ?2, ?3, ?3) "
                # A time to come is from a clock that has been set back since.
                "ON CONFLICT (owner, url) DO UPDATE SET last_failed_at = ?3, failing_since = "
                f"iif(?3 - {LAST_FAILED} > ?4, ?3, min(coalesce(failing_since, ?3), ?3)) "
                "RETURNING failing_since, disabled_at",
                (delivery.owner, delivery.url, now, SILENCE_S),
            ).fetchall()[0]
            # Not at the first try of an event: everyone may have one bad moment.
            if not gone and (now - since < DISABLE_AFTER_S or not delivery.attempt):
                return disabled_at is not None, False
            days = round(DISABLE_AFTER_S / 86_400)
            why = "it said 410 Gone" if gone else f"nothing was delivered for {days} days; last: {reason[:200]}"
            _disable(connection, delivery, why, now)
            return True, disabled_at is None

        disabled, anew = await self._database.write(transaction)
        if anew:
            _log.warning("webhook_endpoint_disabled", extra={"job": delivery.job_id, "reason": reason[:500]})
        return None if disabled else wait_s


def _clear(connection: sqlite3.Connection, owner: str, url: str) -> None:
    """Forget what is held against an endpoint."""
    connection.execute("DELETE FROM endpoints WHERE owner = ? AND url = ?", (owner, url))


def _disable(connection: sqlite3.Connection, delivery: Delivery, why: str, now: float) -> None:
    """Call this endpoint of this owner no more, nor for the events that wait for it."""
    connection.execute(
        "UPDATE endpoints SET disabled_at = coalesce(disabled_at, ?), reason = ? WHERE owner = ? AND url = ?",
        (now, why, delivery.owner, delivery.url),
    )
    connection.execute(
        "UPDATE outbox SET state = 'dead', last_error = ? WHERE state = 'pending' AND url = ? "
        "AND origin = (SELECT origin FROM outbox WHERE id = ?) AND (SELECT owner FROM jobs WHERE id = job_id) = ?",
        (f"disabled: {why}", delivery.url, delivery.id, delivery.owner),
    )
