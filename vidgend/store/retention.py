"""What may go, and when: old results, unused cache, old rows. Nothing that a job still needs is ever touched.

Work comes in small batches: a read page by page along an index, then one short transaction for what it found. So a
store of a million files is gone through beside running jobs, and whoever submits one waits for a batch at most.
Each transaction looks again at what protects its rows, since time has passed since the page was read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vidgend.store.database import Database
from vidgend.store.feed import FEED_KEPT
from vidgend.store.idempotency import KEEP_S
from vidgend.store.live import ENDED, LIVE_KEYS
from vidgend.store.outbox import DISABLED_LIVE_S, LAST_FAILED, SILENCE_S
from vidgend.store.reading import Reads
from vidgend.store.retention_hands import BATCH_ROWS, NOTHING, Counting, Deleting, Freed, Hands

if TYPE_CHECKING:
    from vidgend.store.assets.store import AssetStore

PAGE_ROWS = 1000
EVENTS_LIVE_S = 30 * 86_400.0
"""Delivered webhook events; the dead ones stay with their job."""
BOOTS_KEPT = 1000
CALLS_LIVE_S = 400 * 86_400.0
"""Calls in the ledger, and their sums: a year and the month that it is compared with."""
CALLS_KEPT = 2_000_000
"""Above it (about 340 MB with their indexes and sums) the oldest calls go; their sums stay."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Zero means no limit for results (`results_*`), and none at all for the cache (`cache_max_bytes`)."""

    ttl_s: float
    cache_max_bytes: int
    results_max_age_s: float
    results_max_bytes: int


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What went, by reason. The first two count jobs and the bytes of their files, the next four files.
    `evictable_bytes`: what is left of the cache and could go, since nothing protects it."""

    old_results: Freed = NOTHING
    results_over_limit: Freed = NOTHING
    unused: Freed = NOTHING
    cache_over_limit: Freed = NOTHING
    space_low: Freed = NOTHING
    orphans: Freed = NOTHING
    steps: int = 0
    idempotency_keys: int = 0
    events: int = 0
    endpoints: int = 0
    boots: int = 0
    calls: int = 0
    evictable_bytes: int = 0

    @property
    def bytes(self) -> int:
        files = self.unused, self.cache_over_limit, self.space_low, self.orphans
        return sum(freed.bytes for freed in (self.old_results, self.results_over_limit, *files))


async def collect(
    database: Database, assets: AssetStore, rules: Rules, *, used_since: float, lacking_bytes: int
) -> Collected:
    """Delete what the rules do not keep. `used_since`: when the oldest running job began, now if none runs; what was
    used after it stays. `lacking_bytes`: free at least so much if the cache has it, the least recently used first.

    Named files of old results are only doomed here; `doomed.work_off` deletes them.

    Raises: StorageFull, DatabaseUnavailable, StorageUnavailable, OSError; what was done until then stays done.
    """
    hands = Deleting(database, assets, used_since)
    return await _sweep(database, hands, rules, used_since=used_since, lacking_bytes=lacking_bytes)


async def foresee(reads: Reads, rules: Rules, *, used_since: float, lacking_bytes: int = 0) -> Collected:
    """What `collect` would delete now; nothing is touched. Bytes are an upper bound where files are shared."""
    return await _sweep(reads, Counting(reads), rules, used_since=used_since, lacking_bytes=lacking_bytes)


async def _sweep(reads: Reads, hands: Hands, rules: Rules, *, used_since: float, lacking_bytes: int) -> Collected:
    now = reads.clock()
    gone = await _results(reads, hands, rules, now)
    unused_since = min(now - rules.ttl_s, used_since)
    found = await _go_through(reads, hands, unused_since=unused_since, used_since=used_since)
    gone = replace(gone, unused=found.unused)
    gone = await _evict(
        reads,
        hands,
        replace(gone, evictable_bytes=found.evictable_bytes),
        over_bytes=found.kept_bytes - rules.cache_max_bytes,
        lacking_bytes=lacking_bytes,
        after=unused_since,
        before=used_since,
    )
    steps = await hands.drop(
        "steps",
        f"state IN ('done', 'failed', 'ready') AND used_at < ? AND key NOT IN ({LIVE_KEYS})",
        unused_since,
    )
    keys = await hands.drop("idempotency", "created_at < ?", now - KEEP_S)
    # `next_at` of a delivered event is when its last attempt was due; the index has it.
    events = await hands.drop("outbox", "state = 'delivered' AND next_at < ?", now - EVENTS_LIVE_S)
    endpoints = await hands.drop("endpoints", f"disabled_at IS NULL AND {LAST_FAILED} < ?", now - SILENCE_S)
    endpoints += await hands.drop("endpoints", f"{LAST_FAILED} < ?", now - DISABLED_LIVE_S)
    # The order in which they began, whatever the clock said: so this one is the newest, and stays.
    boots = await hands.drop("boots", "rowid <= (SELECT max(rowid) FROM boots) - ?", BOOTS_KEPT)
    # The newest call stays too: the numbers go on after it, and by them it is known which answer is the later one.
    calls = await hands.drop(
        "provider_calls", "at < ? AND id < (SELECT max(id) FROM provider_calls)", now - CALLS_LIVE_S
    )
    calls += await hands.drop("provider_calls", "id <= (SELECT max(id) FROM provider_calls) - ?", CALLS_KEPT)
    await hands.drop("feed", "id <= (SELECT max(id) FROM feed) - ?", FEED_KEPT)
    await hands.drop("usage_days", "day < ?", (now - CALLS_LIVE_S) // 86_400)
    await hands.drop("usage_jobs", "first_at < ?", now - CALLS_LIVE_S)
    return replace(
        gone, steps=steps, idempotency_keys=keys, events=events, endpoints=endpoints, boots=boots, calls=calls
    )


# --- results -------------------------------------------------------------------------------------------------------


async def _results(reads: Reads, hands: Hands, rules: Rules, now: float) -> Collected:
    gone = Collected()
    if not rules.results_max_age_s and not rules.results_max_bytes:
        return gone
    kept_bytes = await published_bytes(reads) if rules.results_max_bytes else 0
    too_old = now - rules.results_max_age_s if rules.results_max_age_s else float("-inf")
    async for job_id, finished_at in _ended_with_files(reads):
        if finished_at < too_old:
            freed, shown_bytes = await hands.expire(job_id, f"after {_span(rules.results_max_age_s)}")
            gone = replace(gone, old_results=gone.old_results + freed)
        elif rules.results_max_bytes and kept_bytes > rules.results_max_bytes:
            why = f"to keep results under {rules.results_max_bytes:,} bytes"
            freed, shown_bytes = await hands.expire(job_id, why)
            gone = replace(gone, results_over_limit=gone.results_over_limit + freed)
        else:
            break
        kept_bytes -= shown_bytes
    return gone


async def published_bytes(reads: Reads) -> int:
    """Bytes of all results; what several jobs show counts once."""
    total_bytes, after = 0, ""
    while True:
        page: list[tuple[str, int]] = await reads.read(
            "SELECT digest, max(size_bytes) FROM published WHERE digest > ? GROUP BY digest ORDER BY digest LIMIT ?",
            (after, PAGE_ROWS),
        )
        total_bytes += sum(size_bytes for _, size_bytes in page)
        if len(page) < PAGE_ROWS:
            return total_bytes
        after = page[-1][0]


async def _ended_with_files(reads: Reads) -> AsyncIterator[tuple[str, float]]:
    """Ended jobs that have files, the one that ended first first."""
    after = (float("-inf"), "")
    while True:
        page = await reads.read(
            "SELECT id, finished_at FROM jobs INDEXED BY jobs_with_files WHERE published_bytes IS NOT NULL "
            f"AND state IN ({ENDED}) AND (finished_at, id) > (?, ?) ORDER BY finished_at, id LIMIT ?",
            (*after, PAGE_ROWS),
        )
        for job_id, finished_at in page:
            yield job_id, finished_at
        if len(page) < PAGE_ROWS:
            return
        after = page[-1][1], page[-1][0]


def _span(seconds: float) -> str:
    for unit, length_s in (("day", 86_400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= length_s:
            count = round(seconds / length_s, 1)
            return f"{count:g} {unit}{'s' if count != 1 else ''}"
    return f"{seconds:g} seconds"


# --- cache ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Cache:
    """`unused` went; `kept_bytes` is what is left of the cache, `evictable_bytes` what of that no running job uses."""

    unused: Freed
    kept_bytes: int
    evictable_bytes: int


async def _go_through(reads: Reads, hands: Hands, *, unused_since: float, used_since: float) -> _Cache:
    """Delete what was not used for long, and count the rest."""
    needed = await needed_by_jobs(reads)
    unused, kept_bytes, evictable_bytes = Freed(), 0, 0
    async for page in _pages(reads, after=float("-inf"), before=float("inf")):
        free = [entry for entry in page if not entry.kept and entry.digest not in needed]
        old = [(entry.digest, entry.size_bytes) for entry in free if entry.used_at < unused_since]
        for first in range(0, len(old), BATCH_ROWS):
            unused += await hands.discard(old[first : first + BATCH_ROWS])
        kept_bytes += sum(entry.size_bytes for entry in free if entry.used_at >= unused_since)
        evictable_bytes += sum(entry.size_bytes for entry in free if unused_since <= entry.used_at < used_since)
    return _Cache(unused=unused, kept_bytes=kept_bytes, evictable_bytes=evictable_bytes)


async def _evict(
    reads: Reads,
    hands: Hands,
    gone: Collected,
    *,
    over_bytes: int,
    lacking_bytes: int,
    after: float,
    before: float,
) -> Collected:
    """Delete the least recently used until `over_bytes` are gone, and with all that went already `lacking_bytes`."""
    lacking_bytes -= gone.bytes
    if lacking_bytes > 0:
        lacking_bytes -= await hands.trim(lacking_bytes)
    if over_bytes <= 0 and lacking_bytes <= 0:
        return gone
    needed = await needed_by_jobs(reads)
    async for page in _pages(reads, after=after, before=before):
        oldest = [entry for entry in page if not entry.kept and entry.digest not in needed]
        while oldest:
            if over_bytes <= 0 and lacking_bytes <= 0:
                return gone
            batch, batch_bytes = list[tuple[str, int]](), 0
            while oldest and batch_bytes < max(over_bytes, lacking_bytes) and len(batch) < BATCH_ROWS:
                entry = oldest.pop(0)
                batch.append((entry.digest, entry.size_bytes))
                batch_bytes += entry.size_bytes
            freed = await hands.discard(batch)
            if over_bytes > 0:
                gone = replace(gone, cache_over_limit=gone.cache_over_limit + freed)
            else:
                gone = replace(gone, space_low=gone.space_low + freed)
            gone = replace(gone, evictable_bytes=max(0, gone.evictable_bytes - batch_bytes))
            over_bytes -= freed.bytes
            lacking_bytes -= freed.bytes
    return gone


@dataclass(frozen=True, slots=True)
class _Entry:
    digest: str
    size_bytes: int
    used_at: float
    kept: bool
    """A result shows it, or it is an upload."""


async def _pages(reads: Reads, *, after: float, before: float) -> AsyncIterator[list[_Entry]]:
    """The assets with after <= used_at < before, least recently used first."""
    cursor = (after, "")
    while True:
        rows = await reads.read(
            "SELECT a.digest, a.size_bytes, a.used_at, EXISTS (SELECT 1 FROM published AS p WHERE p.digest = a.digest) "
            "OR EXISTS (SELECT 1 FROM uploads AS u WHERE u.digest = a.digest) "
            "FROM assets AS a WHERE (a.used_at, a.digest) > (?, ?) AND a.used_at < ? "
            "ORDER BY a.used_at, a.digest LIMIT ?",
            (*cursor, before, PAGE_ROWS),
        )
        yield [_Entry(row[0], row[1], row[2], bool(row[3])) for row in rows]
        if len(rows) < PAGE_ROWS:
            return
        cursor = rows[-1][2], rows[-1][0]


async def needed_by_jobs(reads: Reads) -> frozenset[str]:
    """What the steps of jobs that have not ended are made of."""
    rows = await reads.read(f"SELECT DISTINCT digest FROM step_assets WHERE key IN ({LIVE_KEYS})")
    return frozenset(row[0] for row in rows)
