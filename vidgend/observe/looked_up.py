"""What stands somewhere and is looked up when Prometheus asks: the queue, the slots, quotas, the disk, the process.

Looked up at most once a second, however many ask; the sum over all files at most once a minute.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from vidgend.errors import VidgendError
from vidgend.models import JobState
from vidgend.observe import names
from vidgend.observe.process import ProcessFacts, process_facts
from vidgend.pipeline.budget.accounts import Accounts
from vidgend.store.database import Database
from vidgend.store.queue_facts import OutboxFacts, QueueFacts, asset_bytes, outbox_facts, queue_facts

_log = logging.getLogger(__name__)
CACHED_S = 1.0
FILES_CACHED_S = 60.0
_STATES: tuple[str, ...] = get_args(JobState)
"""Each has its series from the start, so that a rule never meets a gap."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Places of a label, those of them that are taken, and steps that wait for one."""

    places: int
    used: int
    waiting: int


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where things lie: the database's file, the data directory, and the folder of the assets on this machine."""

    database: Path
    data_dir: Path
    assets: Path


@dataclass(frozen=True, kw_only=True)
class _Disk:
    free: int
    total: int


@dataclass(frozen=True, kw_only=True)
class _Seen:
    queue: QueueFacts | None = None
    outbox: OutboxFacts | None = None
    files: tuple[int, int] | None = None
    disks: Mapping[str, _Disk] | None = None
    database_bytes: int | None = None
    process: ProcessFacts | None = None


class LookedUp(Collector):
    """Call `refresh` before each scrape. `is_ready` is whether a job sent now would be taken, if that is known."""

    def __init__(
        self,
        *,
        database: Database,
        places: Places,
        slots: Callable[[], Mapping[str, Slot]],
        accounts: Accounts,
        draining: Callable[[], bool],
        lacking_bytes: Callable[[], int],
        evictable_bytes: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._places = places
        self._slots = slots
        self._accounts = accounts
        self._draining = draining
        self._lacking_bytes = lacking_bytes
        self._evictable_bytes = evictable_bytes
        self.is_ready: bool | None = None
        self._clock = clock
        self._lock = asyncio.Lock()
        self._at = self._files_at = float("-inf")
        self._seen = _Seen()

    async def refresh(self) -> None:
        """Look again, unless that was just done. What cannot be found out is left out, not guessed."""
        async with self._lock:
            now = self._clock()
            if now - self._at < CACHED_S:
                return
            seen = _Seen()
            try:
                seen = replace(seen, queue=await queue_facts(self._database), outbox=await outbox_facts(self._database))
                files = self._seen.files
                if files is None or now - self._files_at >= FILES_CACHED_S:
                    files, self._files_at = await asset_bytes(self._database), now
                seen = replace(seen, files=files)
            except (VidgendError, sqlite3.Error) as error:
                _log.debug("metrics_incomplete", extra={"error": str(error)})
            disks, size_bytes, process = await asyncio.to_thread(self._look_at_machine)
            self._seen = replace(seen, disks=disks, database_bytes=size_bytes, process=process)
            self._at = now

    def _look_at_machine(self) -> tuple[dict[str, _Disk], int | None, ProcessFacts]:
        disks = {}
        for name, path in (("data", self._places.data_dir), ("assets", self._places.assets)):
            try:
                usage = shutil.disk_usage(path)
            except OSError:
                continue
            disks[name] = _Disk(free=usage.free, total=usage.total)
        try:
            size_bytes: int | None = self._places.database.stat().st_size
        except OSError:
            size_bytes = None
        return disks, size_bytes, process_facts()

    def collect(self) -> Iterable[Metric]:
        yield from self._queue()
        yield from self._outbox()
        yield from self._slot_metrics()
        yield from self._quotas()
        yield from self._storage()
        yield from self._process()

    def _queue(self) -> Iterator[Metric]:
        yield _one("draining", "1 while the daemon is stopping.", float(self._draining()))
        if self.is_ready is not None:
            yield _one("ready", "1 if a job sent now would be taken, 0 if /readyz says why not.", float(self.is_ready))
        seen = self._seen.queue
        if seen is None:
            return
        counts = {**dict.fromkeys(_STATES, 0), **seen.jobs}
        yield _by("jobs", "Jobs by state.", "state", {state: counts[state] for state in _STATES})
        yield _one("jobs_parked", "Queued jobs that wait for the time of their next try.", seen.parked)
        yield _one("queue_paused", "1 while the queue is paused by hand.", float(seen.paused))
        yield _one("queue_oldest_seconds", "For how long the job waits that has been ready longest.", seen.waiting_s)
        yield _by(
            "jobs_oldest_running_seconds", "For how long the oldest job of each stage has been running.", "state",
            {state: seconds for state, seconds in seen.running_s.items() if state in _STATES},
        )  # fmt: skip

    def _outbox(self) -> Iterator[Metric]:
        seen = self._seen.outbox
        if seen is None:
            return
        yield _one("webhooks_pending", "Webhook events that are still to be delivered.", seen.pending)
        yield _one("webhooks_dead", "Webhook events that were given up, counted up to 10000.", seen.dead)
        yield _one("webhook_lag_seconds", "For how long the event is due that has been due longest.", seen.lag_s)
        yield _one("webhook_oldest_seconds", "The age of the oldest event to be delivered.", seen.oldest_s)
        yield _one("webhook_endpoints_disabled", "Receivers that are called no more.", seen.disabled_endpoints)

    def _slot_metrics(self) -> Iterator[Metric]:
        slots = self._slots()
        for name, text in (
            ("places", "Slots there are."),
            ("used", "Slots that are taken."),
            ("waiting", "Steps that wait for one."),
        ):
            metric = "slots" if name == "places" else f"slots_{name}"
            yield _by(metric, text, "label", {label: getattr(slot, name) for label, slot in slots.items()})

    def _quotas(self) -> Iterator[Metric]:
        now = self._database.clock()
        limit = GaugeMetricFamily(
            "vidgend_provider_quota_limit", "Requests that a window allows; window told: as the service says.",
            labels=("service", "window"),
        )  # fmt: skip
        left = GaugeMetricFamily(
            "vidgend_provider_quota_left", "Requests that are left in it.", labels=("service", "window")
        )
        held = GaugeMetricFamily(
            "vidgend_provider_held_seconds", "For how long a service wants no request.", labels=("service",)
        )
        for name, allowance in list(self._accounts.allowances.items()):
            service = names.service(name)
            if service == names.OTHER:
                continue
            for window in allowance.windows:
                limit.add_metric((service, window.span), window.limit)
                left.add_metric((service, window.span), max(0, window.limit - allowance.used(window, now)))
            told = allowance.told
            if told is not None and now < told.reset_s:
                limit.add_metric((service, "told"), told.limit)
                left.add_metric((service, "told"), max(0, told.left))
            held.add_metric((service,), max(0.0, allowance.held_until - now))
        yield from (limit, left, held)
        yield _one("cost_this_month", "What services have cost this month, in usage.currency.",
                   self._accounts.month_so_far(now)[1])  # fmt: skip
        yield _one("cost_monthly_cap", "usage.monthly_cap; 0: none.", self._accounts.money.monthly_cap)

    def _storage(self) -> Iterator[Metric]:
        seen = self._seen
        if seen.disks is not None:
            yield _by("disk_free_bytes", "Free space where the data, and where the assets lie.", "place",
                      {name: disk.free for name, disk in seen.disks.items()})  # fmt: skip
            yield _by("disk_bytes", "The size of those file systems.", "place",
                      {name: disk.total for name, disk in seen.disks.items()})  # fmt: skip
        yield _one("disk_lacking_bytes", "What is missing before a job may be begun.", self._lacking_bytes())
        yield _one("cache_evictable_bytes", "What the cache would give up for space.", self._evictable_bytes())
        if seen.files is not None:
            yield _one("assets_bytes", "The size of all files that are kept.", seen.files[0])
            yield _one("results_bytes", "Of that, results and uploads; the rest is cache.", seen.files[1])
        if seen.database_bytes is not None:
            yield _one("db_bytes", "The size of the database's file.", seen.database_bytes)
        yield _one("db_wal_bytes", "The size of its write-ahead log.", self._database.wal_bytes)
        yield _one("db_writes_queued", "Transactions that wait for the writer.", self._database.queued_writes)
        yield _one("db_healthy", "0 while the disk is in doubt after an I/O error.", self._database.trouble is None)

    def _process(self) -> Iterator[Metric]:
        seen = self._seen.process
        if seen is None:
            return
        yield _one("process_start_time_seconds", "When the process began, since 1970.", seen.began_at)
        yield CounterMetricFamily("vidgend_process_cpu_seconds", "CPU time of the process.", value=seen.cpu_s)
        yield _one("process_resident_memory_bytes", "Memory of the process.", seen.rss_bytes)
        yield _one("process_open_fds", "Files and sockets that are open.", seen.open_fds)
        yield _one("process_max_fds", "How many may be.", seen.max_fds)
        yield _one("process_threads", "Threads.", seen.threads)
        yield _one("children", "Child processes.", seen.children)
        yield _one("children_resident_memory_bytes", "Memory of the child processes.", seen.children_rss_bytes)


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"vidgend_{name}", text, value=float(value))


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"vidgend_{name}", text, labels=(label,))
    for word, value in values.items():
        family.add_metric((word,), value)
    return family
