"""Room on the disk for the jobs that run, and the store kept tidy beside them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from vidgend.errors import StorageFull, VidgendError
from vidgend.models import Brief, PrefetchBrief
from vidgend.pipeline.disk_estimate import estimate_bytes
from vidgend.pipeline.progress import Progress
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.doomed import work_off
from vidgend.store.jobs import Job, JobStore
from vidgend.store.retention import Rules, collect
from vidgend.store.space import Space

_log = logging.getLogger(__name__)

SWEEP_EVERY_S = 600.0
"""The store is tidied up at most this often, unless space is low."""
LOOK_AGAIN_S = 2.0
"""While space is short: how soon it is looked whether there is some again."""


@dataclass(kw_only=True)
class _Use:
    """What a job that runs here takes: all that it used since `began`, and a share of what it may write in all."""

    began: float
    wanted_bytes: int
    progress: Progress


class Upkeep:
    """`rules` say what the store forgets, `quota_bytes` is what one owner's results may take (0: anything). `on_freed`
    is called when a sweep made room."""

    def __init__(
        self,
        *,
        database: Database,
        jobs: JobStore,
        assets: AssetStore,
        space: Space,
        rules: Rules,
        quota_bytes: int,
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._assets = assets
        self._space = space
        self._rules = rules
        self._quota_bytes = quota_bytes
        self._uses: dict[str, _Use] = {}
        self._swept = float("-inf")
        self._sweep_again_s = LOOK_AGAIN_S
        self._sweeping = asyncio.Lock()
        self._untidy = asyncio.Event()
        self.on_freed: Callable[[], None] = lambda: None
        self.lacking_bytes = 0
        """How much disk space is missing before a job may be begun, as it was seen last; 0 if none is."""

    def begin(self, job: Job, progress: Progress) -> None:
        """A job begins: room is kept for what it will still write, and what it uses stays."""
        self._uses[job.id] = _Use(
            began=self._database.clock(), wanted_bytes=estimate_bytes(job.brief), progress=progress
        )

    def end(self, job_id: str) -> None:
        """It has ended, and may have left something behind."""
        self._uses.pop(job_id, None)
        self._space.expect(job_id, 0)
        self._untidy.set()

    def has_space(self) -> bool:
        """Whether there is disk space to work. Blocking."""
        return not self._space.lacking_bytes(0)

    async def check_room(self, brief: Brief | PrefetchBrief, owner: str) -> None:
        """Raises: StorageFull if this job would not fit, or its owner's results fill the quota."""
        wanted_bytes = estimate_bytes(brief)
        if await asyncio.to_thread(self._space.lacking_bytes, wanted_bytes, with_cache=True):
            free_bytes = await asyncio.to_thread(self._space.free_bytes)
            raise StorageFull(
                f"this job may take {_mb(wanted_bytes)}; {_mb(free_bytes)} are free, of which "
                f"{_mb(self._space.min_free_bytes)} stay free (store.min_free_bytes)"
            )
        if not await self.within_quota(owner):
            raise StorageFull(
                "the results and uploads that are kept fill the quota",
                hint="Delete old jobs or uploads (`vidgend delete`, `vidgend uploads --delete`), or raise "
                "assets.quota_bytes.",
            )

    async def within_quota(self, owner: str) -> bool:
        """Whether an owner's results and uploads leave room for another one."""
        return not self._quota_bytes or await self._jobs.kept_bytes(owner) < self._quota_bytes

    async def make_room(self, lacking_bytes: int) -> None:
        """Have the cache give up so many bytes, if it has them."""
        if lacking_bytes <= self._space.evictable_bytes:
            async with self._sweeping:
                await self._sweep(lacking_bytes)

    async def look_at_space(self) -> int:
        """`lacking_bytes` as it is now, for the jobs that run. That something is lacking is said once."""
        now = self._database.clock()
        for job_id, use in self._uses.items():
            use.began = min(use.began, now)  # where the clock was set back, what it uses now looks older than it is
            self._space.expect(job_id, use.wanted_bytes * (1 - use.progress.percent / 100))
        try:
            lacking_bytes = await asyncio.to_thread(self._space.lacking_bytes, 0)
        except OSError as error:  # a disk that cannot be asked is not worked on; it may come back
            _log.error("disk_unreadable", extra={"error": str(error)})
            lacking_bytes = max(1, self.lacking_bytes)
        if lacking_bytes and not self.lacking_bytes:
            _log.error("storage_low", extra={"lacking_bytes": lacking_bytes})
        self.lacking_bytes = lacking_bytes
        return lacking_bytes

    async def tidy_up(self) -> None:
        """For ever: what the store need not keep goes every ten minutes; at once while space is lacking. What a running
        job uses is younger than it and stays."""
        while True:
            lacking_bytes = await self.look_at_space()
            if not lacking_bytes:
                self._sweep_again_s = LOOK_AGAIN_S
            since_s = time.monotonic() - self._swept
            if since_s >= SWEEP_EVERY_S or (lacking_bytes and since_s >= self._sweep_again_s):
                async with self._sweeping:
                    await self._sweep(lacking_bytes)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._untidy.wait()
            if self._untidy.is_set():
                self._untidy.clear()
                await self.delete_doomed()

    async def _sweep(self, lacking_bytes: int) -> None:
        used_since = min((use.began for use in self._uses.values()), default=self._database.clock())
        freed_bytes = 0
        try:
            collected = await collect(
                self._database, self._assets, self._rules, used_since=used_since, lacking_bytes=lacking_bytes
            )
            self._space.evictable_bytes = collected.evictable_bytes
            freed_bytes = collected.bytes
        except (VidgendError, OSError, sqlite3.Error) as error:
            _log.warning("sweep_failed", extra={"reason": str(error)})
        await self.delete_doomed()
        if freed_bytes:
            _log.info("store_swept", extra={"freed_bytes": freed_bytes})
            self.on_freed()
        # While space is lacking, a sweep that frees nothing looks at everything for nothing.
        self._sweep_again_s = LOOK_AGAIN_S if freed_bytes else min(SWEEP_EVERY_S, 2 * self._sweep_again_s)
        self._swept = time.monotonic()

    async def delete_doomed(self) -> None:
        """Delete the files that are to go. What cannot be deleted now stays written down."""
        try:
            await work_off(self._database, self._assets)
        except (VidgendError, OSError, sqlite3.Error) as error:
            _log.warning("doomed_files_left", extra={"reason": str(error)})


def _mb(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes < 10e9 else f"{size_bytes / 1e9:.0f} GB"
