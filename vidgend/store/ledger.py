"""The ledger: every request to a service that counts or costs, on the disk before it is sent. Sums by day and by job.

The sums are kept by triggers (migrations/0004_calls.sql), so that they are read at once however many calls there are.
Days are UTC. An owner of None means all of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

from vidgend.errors import BudgetSpent, ProviderRateLimited
from vidgend.store.database import Database
from vidgend.store.reading import Reads

DAY_S = 86_400
MAX_SUBJECT_CHARS = 200
LLM = "llm"
"""The service that takes money; all others are footage providers."""
_MOST = 2**53
"""Numbers that services name are cut to this; SQLite holds no longer ones."""
_SUMS = ", ".join(f"coalesce(sum({name}), 0)" for name in ("calls", "failed", "tokens_in", "tokens_out", "cost"))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a call. `status` None: no answer. Times in seconds since 1970, `cost` in the settings' currency."""

    status: int | None = None
    seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    quota_limit: int | None = None
    quota_left: int | None = None
    quota_reset_at: float | None = None
    retry_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Sums:
    calls: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The sums of a `day` (days since 1970), or of an owner (`key`) or a service (`name`)."""

    name: str | int
    sums: Sums
    services: dict[str, int]
    """Calls of each service."""


@dataclass(frozen=True, kw_only=True)
class JobEntry:
    """The sums of a job, with the times of its first and last call."""

    job_id: str
    owner: str
    first_at: float
    last_at: float
    sums: Sums


@dataclass(frozen=True, kw_only=True)
class State:
    """What a service said last: how much is `quota_left` by now, and when it wants to be asked again."""

    quota_limit: int | None
    quota_left: int | None
    quota_reset_at: float | None
    told_at: float | None
    held_until: float


@dataclass(frozen=True, kw_only=True)
class OwnerLimits:
    """What may be asked on account of one owner: footage providers in a day (UTC), and what the language model may cost
    in a month. 0: anything."""

    calls_per_day: int = 0
    cost_per_month: float = 0.0

    def check(self, connection: sqlite3.Connection, owner: str, service: str, *, at: float) -> None:
        """Raises: ProviderRateLimited, BudgetSpent."""
        if not (self.cost_per_month if service == LLM else self.calls_per_day):
            return
        now = datetime.fromtimestamp(at, UTC)
        begins = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if service == LLM:
            begins = begins.replace(day=1)
        ends = begins + timedelta(days=1)
        while service == LLM and ends.day != 1:
            ends += timedelta(days=1)
        calls, cost = connection.execute(
            "SELECT coalesce(sum(calls) FILTER (WHERE service <> ?1), 0), coalesce(sum(cost), 0) FROM usage_days "
            "WHERE owner = ?2 AND day >= ?3 AND day < ?4",
            (LLM, owner, int(begins.timestamp()) // DAY_S, int(ends.timestamp()) // DAY_S),
        ).fetchone()
        left_s = (ends - now).total_seconds()
        if service != LLM and calls >= self.calls_per_day:
            raise ProviderRateLimited(
                f"all {self.calls_per_day} requests that one owner may have made in a day are used "
                f"(limits.provider_calls_per_day); the next day begins at {ends:%Y-%m-%d %H:%M} UTC",
                retry_after_s=left_s,
            )
        if service == LLM and cost >= self.cost_per_month:
            spent = BudgetSpent(
                f"the language model has cost {cost:.2f} for this owner this month, and limits.cost_per_month is "
                f"{self.cost_per_month:.2f}; the next month begins on {ends:%Y-%m-%d}",
                hint="Raise limits.cost_per_month, or wait for the next month; `vidgend usage --by key` tells more.",
            )
            spent.retry_after_s = left_s
            raise spent


class LedgerReads:
    """Looking. Works beside a daemon too."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    @property
    def now(self) -> float:
        return self._reads.clock()

    async def sent(self, service: str, *, since: float, last: int) -> list[float]:
        """When the `last` calls since then were made, oldest first."""
        rows = await self._reads.read(
            "SELECT at FROM provider_calls WHERE service = ? AND at > ? ORDER BY at DESC LIMIT ?",
            (service, since, last),
        )
        return [at for (at,) in reversed(rows)]

    async def states(self) -> dict[str, State]:
        """By service. Calls that were made after one was told are taken off what is left."""
        rows = await self._reads.read(
            "SELECT service, quota_limit, quota_left - (SELECT count(*) FROM provider_calls AS c INDEXED BY "
            "provider_calls_by_service WHERE c.service = s.service AND c.id > s.told_call AND c.at >= "
            "(SELECT at FROM provider_calls WHERE id = s.told_call)), "
            "quota_reset_at, told_at, held_until FROM provider_states AS s"
        )
        return {
            row[0]: State(
                quota_limit=row[1], quota_left=row[2], quota_reset_at=row[3], told_at=row[4], held_until=row[5]
            )
            for row in rows
        }

    async def totals(self, first_day: int, last_day: int, *, owner: str | None = None) -> Sums:
        return _sums((await self._day_rows(_SUMS, "", first_day, last_day, owner))[0])

    async def costs(self) -> list[tuple[int, float]]:
        """(day, cost) of each day that had any."""
        rows = await self._reads.read("SELECT day, sum(cost) FROM usage_days WHERE cost > 0 GROUP BY day")
        return [(day, cost) for day, cost in rows]

    async def entries(
        self, by: Literal["day", "key", "service"], first_day: int, last_day: int, *, owner: str | None = None
    ) -> list[Entry]:
        """One for each day (the newest first), owner or service that has calls."""
        column = {"day": "day", "key": "owner", "service": "service"}[by]
        group = f"GROUP BY {column}, service ORDER BY {column}{' DESC' if by == 'day' else ''}, service"
        rows = await self._day_rows(f"{column}, service, {_SUMS}", group, first_day, last_day, owner)
        found: dict[str | int, list[tuple[Any, ...]]] = {}
        for name, *rest in rows:
            found.setdefault(name, []).append(tuple(rest))
        return [
            Entry(
                name=name,
                sums=_sums([sum(column) for column in zip(*(row[1:] for row in group), strict=True)]),
                services={row[0]: row[1] for row in group},
            )
            for name, group in found.items()
        ]

    async def _day_rows(
        self, columns: str, group: str, first_day: int, last_day: int, owner: str | None
    ) -> list[tuple[Any, ...]]:
        where, parameters = "day BETWEEN ? AND ?", list[Any]([first_day, last_day])
        if owner is not None:
            where, parameters = f"owner = ? AND {where}", [owner, *parameters]
        return await self._reads.read(f"SELECT {columns} FROM usage_days WHERE {where} {group}", parameters)

    async def jobs(
        self,
        first_day: int,
        last_day: int,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        owner: str | None = None,
    ) -> list[JobEntry]:
        """The jobs whose first call was in that time, the newest first, each with all of its calls. `before` is the
        (first_at, job_id) of the last one seen."""
        where, given = "first_at >= ? AND first_at < ?", list[Any]([first_day * DAY_S, (last_day + 1) * DAY_S])
        if owner is not None:
            where, given = f"owner = ? AND {where}", [owner, *given]
        if before is not None:
            where, given = f"{where} AND (first_at, job_id) < (?, ?)", [*given, *before]
        rows = await self._reads.read(
            "SELECT job_id, owner, first_at, last_at, calls, failed, tokens_in, tokens_out, cost FROM usage_jobs "
            f"WHERE {where} ORDER BY first_at DESC, job_id DESC LIMIT ?",
            [*given, limit],
        )
        return [
            JobEntry(job_id=row[0], owner=row[1], first_at=row[2], last_at=row[3], sums=_sums(row[4:])) for row in rows
        ]


class Ledger(LedgerReads):
    def __init__(self, database: Database, limits: OwnerLimits | None = None) -> None:
        super().__init__(database)
        self._database = database
        self._limits = limits or OwnerLimits()

    async def begin(self, service: str, operation: str, subject: str, *, job_id: str, at: float) -> int:
        """Write down a call that will be made now; its number. On the disk when this returns.

        Raises: StorageFull, DatabaseUnavailable, ProviderRateLimited and BudgetSpent where the job's owner has had what
        one may have; it is then not to be made.
        """
        subject = subject.encode("utf-8", "replace").decode().replace("\0", "")[:MAX_SUBJECT_CHARS]

        def transaction(connection: sqlite3.Connection) -> int:
            row = connection.execute("SELECT owner FROM jobs WHERE id = ?", (job_id,)).fetchone()
            owner = row[0] if row else ""
            self._limits.check(connection, owner, service, at=at)
            cursor = connection.execute(
                "INSERT INTO provider_calls (at, service, operation, subject, job_id, owner) VALUES (?, ?, ?, ?, ?, ?)",
                (at, service, operation, subject, job_id, owner),
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid

        return await self._database.write(transaction, may_drop_ballast=False)

    async def check_money(self, owner: str, *, at: float) -> None:
        """Raises: BudgetSpent if this owner has had what one may have of the language model in a month."""
        if self._limits.cost_per_month:
            check = partial(self._limits.check, owner=owner, service=LLM, at=at)
            await self._database.write(check, may_drop_ballast=False)

    def end(self, number: int, service: str, answer: Answer) -> None:
        """Write down what came of a call, without waiting for it."""
        limit, left = _bounded(answer.quota_limit), _bounded(answer.quota_left)
        ended_at = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE provider_calls SET status = ?, seconds = ?, tokens_in = ?, tokens_out = ?, cost = ?, "
                "quota_limit = ?, quota_left = ?, quota_reset_at = ?, retry_at = ? WHERE id = ?",
                (
                    answer.status, answer.seconds, answer.tokens_in, answer.tokens_out, answer.cost, limit, left,
                    answer.quota_reset_at, answer.retry_at, number,
                ),
            )  # fmt: skip
            if left is not None:
                connection.execute(
                    "INSERT INTO provider_states (service, told_call, told_at, quota_limit, quota_left, "
                    "quota_reset_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (service) DO UPDATE SET "
                    "told_call = excluded.told_call, told_at = excluded.told_at, quota_limit = excluded.quota_limit, "
                    "quota_left = excluded.quota_left, quota_reset_at = excluded.quota_reset_at "
                    "WHERE told_call IS NULL OR told_call < excluded.told_call",
                    (service, number, ended_at, limit, left, answer.quota_reset_at),
                )
            if answer.retry_at is not None:
                connection.execute(
                    "INSERT INTO provider_states (service, held_until) VALUES (?, ?) ON CONFLICT (service) "
                    "DO UPDATE SET held_until = max(held_until, excluded.held_until)",
                    (service, answer.retry_at),
                )

        self._database.post(transaction)


def _bounded(number: int | None) -> int | None:
    return None if number is None else max(0, min(number, _MOST))


def _sums(row: Sequence[Any]) -> Sums:
    return Sums(calls=row[0], failed=row[1], tokens_in=row[2], tokens_out=row[3], cost=row[4])
