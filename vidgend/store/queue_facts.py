"""How the queue and the outbox stand, for whoever watches: a few seeks, however many rows there are."""

from __future__ import annotations

from dataclasses import dataclass, field

from vidgend.models import TERMINAL_STATES
from vidgend.store.database import Database

MOST_DEAD = 10_000
"""Events that were given up are counted up to here."""
_FRONT = 200
"""Of the oldest jobs that wait, so many are looked at for the one that waits longest: one that was sent again is old
and has not waited long."""


@dataclass(frozen=True, kw_only=True)
class QueueFacts:
    """Jobs by state; seconds since the longest-waiting one is ready, and since the oldest of each state under way was
    begun. `parked` are those queued ones that wait for a time to come."""

    jobs: dict[str, int]
    parked: int
    paused: bool
    waiting_s: float
    running_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OutboxFacts:
    """`lag_s` is how long the event has been due that is due longest; `oldest_s` is the age of the oldest."""

    pending: int
    dead: int
    lag_s: float
    oldest_s: float
    disabled_endpoints: int


async def queue_facts(database: Database) -> QueueFacts:
    now = database.clock()
    counts = dict(await database.read("SELECT state, sum(jobs) FROM job_counts GROUP BY state"))
    row = (
        await database.read(
            "SELECT (SELECT count(*) FROM jobs INDEXED BY jobs_parked WHERE state = 'queued' AND ready = 0), "
            "(SELECT count(*) FROM pauses WHERE name = 'queue'), "
            "(SELECT min(updated_at) FROM (SELECT updated_at FROM jobs INDEXED BY jobs_by_state "
            "WHERE state = 'queued' AND ready = 1 ORDER BY created_at, id LIMIT ?))",
            (_FRONT,),
        )
    )[0]
    held = await database.read("SELECT state, min(claimed_at) FROM jobs WHERE boot_id IS NOT NULL GROUP BY state")
    return QueueFacts(
        jobs={state: jobs for state, jobs in counts.items()},
        parked=row[0],
        paused=bool(row[1]),
        waiting_s=0.0 if row[2] is None else max(0.0, now - row[2]),
        running_s={
            state: max(0.0, now - claimed_at)
            for state, claimed_at in held
            if claimed_at is not None and state not in TERMINAL_STATES
        },
    )


async def outbox_facts(database: Database) -> OutboxFacts:
    now = database.clock()
    row = (
        await database.read(
            "SELECT (SELECT count(*) FROM outbox WHERE state = 'pending'), "
            f"(SELECT count(*) FROM (SELECT 1 FROM outbox WHERE state = 'dead' LIMIT {MOST_DEAD})), "
            "(SELECT min(next_at) FROM outbox WHERE state = 'pending'), "
            "(SELECT min(created_at) FROM (SELECT created_at FROM outbox WHERE state = 'pending' ORDER BY next_at "
            f"LIMIT {_FRONT})), (SELECT count(*) FROM endpoints WHERE disabled_at IS NOT NULL)"
        )
    )[0]
    return OutboxFacts(
        pending=row[0],
        dead=row[1],
        lag_s=0.0 if row[2] is None else max(0.0, now - row[2]),
        oldest_s=0.0 if row[3] is None else max(0.0, now - row[3]),
        disabled_endpoints=row[4],
    )


async def asset_bytes(database: Database) -> tuple[int, int]:
    """(all files, those of them that are results or uploads). Reads every row of the table of files."""
    row = (
        await database.read(
            "SELECT (SELECT coalesce(sum(size_bytes), 0) FROM assets), "
            "(SELECT coalesce(sum(published_bytes + uploaded_bytes), 0) FROM owner_bytes)"
        )
    )[0]
    return int(row[0]), int(row[1])
