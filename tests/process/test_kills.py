"""SIGKILL at any moment: nothing that was acknowledged is lost, nothing that was done is done again.

50 kills by default; KILLS=500 for a long run, KILL_SEED for other moments.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import sqlite3
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import media
import pytest
from daemon_ledger import Ledger, copied
from daemon_load import Clients, CountingPexels, Known, offer_clips
from daemon_process import Daemon
from standins import espeak_standin
from standins.receiver_standin import Receiver, open_receiver, verify

from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.store.assets.filesystem import FilesystemBlobs
from vidgend.store.fsck import check
from vidgend.store.reading import ReadOnly

KILLS = int(os.environ.get("KILLS", "50"))
SEED = os.environ.get("KILL_SEED", "1968")
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
FILES = {"video", "thumbnail", "srt", "vtt", "words", "credits", "description"}
WHAT_GC_TAKES = {"blob_unknown", "name_unknown"}
"""A crash between a file and its row leaves these; the search for orphans deletes them."""
LEAST_IN_STEPS = 0.6
"""Share of the kills that has to come while a step runs: else they have shown nothing."""

pytestmark = pytest.mark.process


@dataclass
class Rig:
    """A daemon that can be killed, its clients, and everybody whom it talks to."""

    daemon: Daemon
    clients: Clients
    ledger: Ledger
    pexels: CountingPexels
    hook: Receiver
    moments: random.Random = field(default_factory=lambda: random.Random(f"moments {SEED}"))
    orphans_gone_s: list[float] = field(default_factory=list)
    kills_at_answers: int = 0
    troubles: Counter[str] = field(default_factory=Counter)

    async def one_life(self) -> None:
        """Start the daemon, use it, kill it in the middle, look."""
        roll = self.moments.random()
        if self.ledger.suspects:
            roll = 1.0
        await self.daemon.spawn()
        clients: asyncio.Task[None] | None = None
        if roll < 0.25:  # before it can answer
            await asyncio.sleep(self.moments.uniform(0.0, statistics.median(self.daemon.ready_after_s or [1.0])))
        else:
            await self.daemon.ready()
            clients = asyncio.create_task(self.clients.use(self.daemon.url))
            least_s, most_s = (0.05, 0.7) if roll < 0.4 else (0.7, 1.7)
            await asyncio.sleep(self.moments.uniform(least_s, most_s))
            # Three crashes in the same step condemn it, by design: let it get on.
            async with asyncio.timeout(20):
                while await asyncio.to_thread(self.ledger.would_condemn):
                    await asyncio.sleep(0.05)
            if roll > 0.75:
                await self._next_acknowledgement(within_s=1.0)
        self.daemon.kill()
        assert self.daemon.child is not None
        await self.daemon.child.wait()
        self.orphans_gone_s.append(await self.daemon.nobody_left(within_s=1.0))
        if clients is not None:
            await clients
        self._read_log()
        await asyncio.to_thread(self.ledger.look, was_ready=clients is not None)

    async def _next_acknowledgement(self, *, within_s: float) -> None:
        """Kill in the very moment that a client has its 202: whatever is not on the disk by then is lost."""
        told = asyncio.Event()

        def kill() -> None:
            self.daemon.kill()
            told.set()
            self.kills_at_answers += 1

        self.clients.on_accepted = kill
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await told.wait()
        self.clients.on_accepted = None

    def _read_log(self) -> None:
        assert self.daemon.child is not None
        for line in self.daemon.child.stderr_tail.splitlines():
            if '"level": "error"' in line or '"level": "critical"' in line or line.startswith("Traceback"):
                self.troubles[line[:300]] += 1


@pytest.mark.timeout(240 + 5 * KILLS)
async def test_however_often_it_is_killed_it_loses_no_job_and_repeats_no_step(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    original = media.clip(ffmpeg.path, tmp_path / "wave.mp4", seconds=3, size="320x180", extra=("-g", "30"))
    clips = await asyncio.to_thread(offer_clips, original, tmp_path / "clips", 60 + 6 * KILLS)
    async with CountingPexels(clips=clips) as pexels, open_receiver() as hook:
        daemon = Daemon(
            folder=tmp_path,
            environ={
                "PATH": f"{espeak_standin.install(tmp_path / 'bin')}:{os.environ['PATH']}",
                "PEXELS_API_KEY": pexels.key, "VIDGEND_FOOTAGE__PEXELS__BASE_URL": pexels.base_url,
                "VIDGEND_EGRESS__ALLOW_NETWORKS": "127.0.0.0/8", "VIDGEND_WEBHOOKS__SECRET": SECRET,
                "VIDGEND_SPEECH__ENGINE": "espeak-ng", "VIDGEND_ALIGNER__ENGINE": "proportional",
                "VIDGEND_RENDER__RESOLUTION": "320x180", "VIDGEND_RENDER__PRESET": "ultrafast",
                "VIDGEND_LOG__FORMAT": "json", "VIDGEND_FOOTAGE__PEXELS__HOURLY_QUOTA": "999999",
                "VIDGEND_FOOTAGE__PEXELS__MONTHLY_QUOTA": "999999",
            },
        )  # fmt: skip
        rig = Rig(
            daemon=daemon,
            clients=Clients(seed=f"clients {SEED}", hook=hook.url(), words=len(clips)),
            ledger=Ledger(tmp_path, daemon.data / "vidgend.db", pexels),
            pexels=pexels,
            hook=hook,
        )
        print(f"\n{KILLS} kills, KILL_SEED={SEED}")
        began = time.monotonic()
        for _ in range(KILLS):
            await rig.one_life()
        killing_s = time.monotonic() - began
        await daemon.start()
        await rig.clients.finish(daemon.url, within_s=120)
        await _check_the_results(rig)
        await _all_events_arrive(rig)
        assert await daemon.terminate() == 0
        rig._read_log()
        with copied(daemon.data / "vidgend.db", tmp_path / "look") as connection:
            summary = rig.ledger.settle(connection)
            events = _check_the_rows(connection, rig)
            noted = _check_the_calls(connection, rig)
    left = await _check_the_store(daemon)
    assert not list(daemon.data.rglob("*.part"))

    jobs, ledger = rig.clients.jobs, rig.ledger
    ends = Counter(job.status for job in jobs.values())
    print(
        f"{ledger.kills} kills in {killing_s:.0f} s, {ledger.kills_in_steps} of them while steps ran and "
        f"{rig.kills_at_answers} at the moment of a 202 "
        f"({dict(ledger.in_flight)}); {len(jobs)} jobs acknowledged, 0 lost: {dict(ends)}, "
        f"{rig.clients.done['POST /mcp/cancel']} cancels, {rig.clients.done['POST /mcp/retry']} retries, "
        f"{len(rig.clients.crash_loops)} crash loops; {summary['done']} steps done in {summary['runs']} runs; "
        f"{noted} calls noted, searches {summary['searches'][1]} for {summary['searches'][0]}, downloads {summary['downloads'][1]} for "
        f"{summary['downloads'][0]}; {events} events in {len(hook.calls)} calls; children gone after "
        f"{max(rig.orphans_gone_s):.2f} s at worst; spawn to READY {statistics.median(daemon.ready_after_s):.2f} s, "
        f"{max(daemon.ready_after_s):.2f} s at worst; left for gc: {dict(left)}; answered {rig.clients.done.total()}, "
        f"unanswered {rig.clients.unanswered.total()}; troubles {dict(rig.troubles)}"
    )
    assert rig.clients.broken == [] and ledger.broken == [] and not rig.troubles
    assert ledger.kills_in_steps >= LEAST_IN_STEPS * KILLS, "the kills came while nothing ran: they show nothing"
    assert rig.kills_at_answers >= KILLS / 10
    assert ends["completed"] >= KILLS / 5 and set(ends) <= {"completed", "cancelled"}
    assert rig.clients.done["POST /mcp/cancel"] and rig.clients.done["POST /mcp/prefetch"]
    assert len(rig.clients.crash_loops) <= max(1, KILLS // 10), rig.clients.crash_loops


async def _check_the_results(rig: Rig) -> None:
    """Every video that a client was told of can be had, and is what the client was told."""
    async with aiohttp.ClientSession(rig.daemon.url) as http:
        for job in rig.clients.jobs.values():
            if job.status != "completed":
                continue
            async with http.get(f"/mcp/result/{job.job_id}") as answer:
                assert answer.status == 200
                result = await answer.json()
            if job.kind == "video":
                assert result["sha256"] == job.sha256
                async with http.get(result["video_url"]) as answer:
                    assert hashlib.sha256(await answer.read()).hexdigest() == job.sha256
            else:
                assert result["failed"] == [] and len(result["clips"]) == 2


def _terminal_events(connection: sqlite3.Connection) -> dict[str, int]:
    """How many ends each job with a callback has had: one, and one more for each time that it was sent again."""
    rows = connection.execute(
        "SELECT id, 1 + (SELECT count(*) FROM job_events WHERE job_id = id AND line = 'sent again by hand') "
        "FROM jobs WHERE callback_url IS NOT NULL"
    )
    return dict(rows.fetchall())


async def _all_events_arrive(rig: Rig) -> None:
    def missing() -> int:
        with copied(rig.daemon.data / "vidgend.db", rig.daemon.folder / "look") as connection:
            return int(connection.execute("SELECT count(*) FROM outbox WHERE state <> 'delivered'").fetchone()[0])

    async with asyncio.timeout(30):
        while await asyncio.to_thread(missing):
            await asyncio.sleep(0.2)


def _check_the_rows(connection: sqlite3.Connection, rig: Rig) -> int:
    """Exactly one result for each completed job, one event for each end. Answers how many events there are."""
    jobs = rig.clients.jobs
    rows = dict(connection.execute("SELECT id, state FROM jobs").fetchall())
    assert set(jobs) <= set(rows), "acknowledged jobs are lost"
    extra = set(rows) - set(jobs)  # accepted, but the answer was cut off
    assert len(extra) <= sum(count for what, count in rig.clients.unanswered.items() if what.startswith("POST /mcp/"))
    assert {rows[job_id] for job_id in extra} <= {"completed", "failed"}
    assert {job_id: job.status for job_id, job in jobs.items()} == {job_id: rows[job_id] for job_id in jobs}
    for job in (job for job in jobs.values() if job.kind == "video"):
        _check_one_result(connection, rig.daemon.data / "assets" / "videos" / job.job_id, job)
    keyed = connection.execute("SELECT key, job_id FROM idempotency").fetchall()
    assert dict(keyed) == {key: known.job_id for key, known in rig.clients.keys.items()}
    expected = _terminal_events(connection)
    written = Counter(row[0] for row in connection.execute("SELECT job_id FROM outbox"))
    assert written == expected
    told = {call.id for call in rig.hook.calls}
    assert told == {row[0] for row in connection.execute("SELECT id FROM outbox")}
    for call in rig.hook.calls:
        verify(SECRET, call)
    return len(told)


def _check_the_calls(connection: sqlite3.Connection, rig: Rig) -> int:
    """Each search that reached Pexels was written down before; the last few before a kill may not have got there."""
    noted = Counter(row[0] for row in connection.execute("SELECT subject FROM provider_calls"))
    came = Counter(search["query"] for search in rig.pexels.searches)
    assert not came - noted
    assert (noted - came).total() <= 4 * rig.ledger.kills
    return noted.total()


def _check_one_result(connection: sqlite3.Connection, folder: Path, job: Known) -> None:
    files = connection.execute("SELECT role, name, digest FROM published WHERE job_id = ?", (job.job_id,)).fetchall()
    if job.status != "completed":
        assert not files
        return
    assert {role for role, _, _ in files} == FILES and len(files) == len(FILES)
    assert {path.name for path in folder.iterdir()} == {name for _, name, _ in files}
    for role, name, digest in files:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert role != "video" or digest == job.sha256


async def _check_the_store(daemon: Daemon) -> Counter[str]:
    """What the deep check finds, by kind; fails on anything that is not just left over."""
    database = await ReadOnly.open(daemon.data / "vidgend.db")
    try:
        findings = await check(database, FilesystemBlobs(daemon.data / "assets"), deep=True, alone=True)
    finally:
        await database.close()
    assert [found for found in findings if found.kind not in WHAT_GC_TAKES] == []
    return Counter(found.kind for found in findings)
