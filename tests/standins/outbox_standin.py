"""An outbox with a sender over it, and a clock that the test sets."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from nobodys import NobodysJobs
from ready_database import ready

from vidgend.http.webhook_signing import Signer
from vidgend.http.webhooks import WebhookSender
from vidgend.models import Brief
from vidgend.store.database import Database
from vidgend.store.jobs import JobStore
from vidgend.store.outbox import Outbox

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Clock:
    """The wall clock of database and sender."""

    now_s: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Post:
    """An outbox, what runs over it, and the ways to look into it."""

    database: Database
    jobs: JobStore
    outbox: Outbox
    clock: Clock
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def event(self, url: str, *, owner: str = "") -> str:
        """Cancel a job that has a callback: the event is in the outbox. Returns the job's id."""
        job_id, _ = await self.jobs.submit(Brief(prompt="p"), callback_url=url, metadata={"order": 7}, owner=owner)
        await self.jobs.request_cancel(job_id)
        self.wake.set()
        return job_id

    @asynccontextmanager
    async def sending(self, **changes: Any) -> AsyncIterator[asyncio.Task[None]]:
        signer = Signer(self.database, SECRET)
        values = {"signer": signer, "allow_networks": LOOPBACK, "clock": self.clock, **changes}
        sender = WebhookSender(outbox=self.outbox, wake=self.wake, **values)
        task = asyncio.create_task(sender.run(), name="webhooks")
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def rows(self) -> list[tuple[Any, ...]]:
        """(state, attempt, last error, seconds until the next attempt) of every event, oldest first."""
        rows = await self.database.read("SELECT state, attempt, last_error, next_at FROM outbox ORDER BY rowid")
        return [(state, attempt, error, next_at - self.clock.now_s) for state, attempt, error, next_at in rows]

    async def put_off(self, wait_s: float) -> None:
        """Let no event that was tried come up again within this time."""
        next_at = self.clock.now_s + wait_s
        await self.database.write(
            lambda connection: connection.execute("UPDATE outbox SET next_at = ? WHERE attempt > 0", (next_at,))
        )

    async def tick(self) -> None:
        """Let others get on while a test waits for a condition; the test's own deadline bounds it."""
        await asyncio.sleep(0.005)

    async def settled(self, attempts: int = 1) -> list[tuple[Any, ...]]:
        """The rows once so many attempts were recorded in all."""
        async with asyncio.timeout(10):
            while True:
                rows = await self.rows()
                if sum(attempt for _, attempt, _, _ in rows) >= attempts:
                    return rows
                await self.tick()


@asynccontextmanager
async def open_post(folder: Path, clock: Clock | None = None) -> AsyncIterator[Post]:
    clock = clock or Clock()
    database = await Database.open(ready(folder / "vidgend.db"), clock)
    try:
        jobs = NobodysJobs(database, boot_id="boot", max_queued=1_000_000)
        await jobs.recover()
        yield Post(database=database, jobs=jobs, outbox=Outbox(database), clock=clock)
    finally:
        await database.close()
