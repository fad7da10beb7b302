from __future__ import annotations

import re
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from nobodys import NobodysJobs
from observe.scraped import looked_up, read, series, value
from ready_database import ready

from vidgend.models import Brief
from vidgend.observe.loop_lag import LoopLag
from vidgend.observe.metrics import Metrics
from vidgend.observe.scrape import Scrape
from vidgend.observer import Commit, JobEnd, Observers, ProviderCall, RequestEnd, StepEnd
from vidgend.pipeline.budget.accounts import Accounts, Money
from vidgend.pipeline.budget.allowance import Allowance, Told, Window
from vidgend.store.database import Database
from vidgend.store.outbox import enqueue_event

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3")


@pytest.fixture
async def database(tmp_path: Path, metrics: Metrics) -> AsyncIterator[Database]:
    database = await Database.open(ready(tmp_path / "vidgend.db"), observer=metrics)
    yield database
    await database.close()


def step(**more: Any) -> StepEnd:
    usual = {"key": "k", "kind": "segment", "label": "ffmpeg", "job_id": "j", "outcome": "done"}
    return StepEnd(**(usual | more))


def job(**more: Any) -> JobEnd:
    usual: dict[str, Any] = {
        "job_id": "j", "kind": "video", "state": "completed", "seconds": 1, "waited_s": 0, "attempt": 1,
        "steps_run": 1, "steps_found": 0,
    }  # fmt: skip
    return JobEnd(**(usual | more))


async def test_prometheus_and_openmetrics_read_the_same_page(
    metrics: Metrics, database: Database, tmp_path: Path
) -> None:
    scrape = Scrape(registry=metrics.registry, looked_up=looked_up(database, tmp_path))
    metrics.step_ended(step(seconds=2))
    page, content_type = await scrape("text/html, */*", True)
    assert content_type.startswith("text/plain")
    old = read(page)
    page, content_type = await scrape(OPEN_METRICS, True)
    assert content_type.startswith("application/openmetrics-text")
    new = read(page, open_metrics=True)
    assert series(old.values()) - {name for name in series(old.values()) if name.endswith("_created")} <= series(
        new.values()
    )
    assert value(new, "vidgend_steps_total", kind="segment", outcome="done") == 1
    assert value(new, "vidgend_build_info", version="1.2.3") == 1


async def test_names_have_our_prefix_and_base_units(metrics: Metrics, database: Database, tmp_path: Path) -> None:
    scrape = Scrape(registry=metrics.registry, looked_up=looked_up(database, tmp_path))
    page, _ = await scrape(OPEN_METRICS, True)
    families = read(page, open_metrics=True).values()
    assert len(families) > 50
    for family in families:
        assert re.fullmatch(r"vidgend_[a-z][a-z0-9_]*", family.name) and family.documentation.endswith(".")
        assert not re.search(r"_(ms|millis|milliseconds|minutes|hours|kb|mb|gb|percent)(_|$)", family.name)


def test_no_two_registries_mix() -> None:
    one, other = Metrics("1"), Metrics("1")
    one.loop_lagged(1.0)
    counts = [m.registry.get_sample_value("vidgend_event_loop_lag_seconds_count") for m in (one, other)]
    assert counts == [1, 0]


async def test_the_queue_is_looked_up(metrics: Metrics, tmp_path: Path) -> None:
    now = [1000.0]
    database = await Database.open(ready(tmp_path / "vidgend.db"), clock=lambda: now[0], observer=metrics)
    try:
        jobs = NobodysJobs(database, boot_id="b", max_queued=10, observer=metrics)
        await jobs.recover()
        for _ in range(3):
            await jobs.submit(Brief(prompt="x"))
        now[0] += 30
        claimed = await jobs.claim()
        assert claimed is not None
        now[0] += 12
        await jobs.pause("by hand")
        await database.write(
            lambda connection: enqueue_event(
                connection, job_id=claimed.id, owner="", url="http://x", event="job.completed", now=now[0] - 5, data={}
            )
        )
        await database.write(
            lambda connection: connection.execute("INSERT INTO endpoints (owner, url, disabled_at) VALUES ('', 'u', 1)")
        )
        looked = looked_up(database, tmp_path)
        await looked.refresh()
        seen = {family.name: family for family in looked.collect()}
        assert value(seen, "vidgend_jobs", state="queued") == 2 and value(seen, "vidgend_jobs", state="planning") == 1
        assert value(seen, "vidgend_jobs", state="failed") == 0, "there from the start, so that no rule meets a gap"
        assert value(seen, "vidgend_queue_oldest_seconds") == 42
        assert value(seen, "vidgend_jobs_oldest_running_seconds", state="planning") == 12
        assert value(seen, "vidgend_queue_paused") == 1
        assert value(seen, "vidgend_webhooks_pending") == 1 and value(seen, "vidgend_webhook_lag_seconds") == 5
        assert value(seen, "vidgend_webhook_endpoints_disabled") == 1
        assert value(seen, "vidgend_slots_used", label="ffmpeg") == 1
        assert value(seen, "vidgend_slots_waiting", label="ffmpeg") == 3
        assert value(seen, "vidgend_disk_free_bytes", place="data") > 0
        assert value(seen, "vidgend_process_resident_memory_bytes") > 10_000_000
        assert value(seen, "vidgend_process_open_fds") > 3
        assert metrics.registry.get_sample_value("vidgend_jobs_accepted_total", {"kind": "video"}) == 3
    finally:
        await database.close()


async def test_a_job_that_was_sent_again_has_not_waited_since_it_was_made(tmp_path: Path) -> None:
    now = [1000.0]
    database = await Database.open(ready(tmp_path / "vidgend.db"), clock=lambda: now[0])
    try:
        jobs = NobodysJobs(database, boot_id="b", max_queued=10)
        await jobs.recover()
        job_id, _ = await jobs.submit(Brief(prompt="x"))
        await jobs.request_cancel(job_id)
        now[0] += 100_000
        await jobs.retry(job_id)
        now[0] += 3
        looked = looked_up(database, tmp_path)
        await looked.refresh()
        assert value({f.name: f for f in looked.collect()}, "vidgend_queue_oldest_seconds") == 3
    finally:
        await database.close()


async def test_many_scrapes_look_once(metrics: Metrics, database: Database, tmp_path: Path) -> None:
    clock = [0.0]
    looked = looked_up(database, tmp_path, clock=lambda: clock[0])
    await looked.refresh()
    reads = metrics.registry.get_sample_value("vidgend_db_read_seconds_count")
    await looked.refresh()
    assert metrics.registry.get_sample_value("vidgend_db_read_seconds_count") == reads
    clock[0] += 1.5
    await looked.refresh()
    assert (metrics.registry.get_sample_value("vidgend_db_read_seconds_count") or 0) > (reads or 0)


async def test_a_broken_database_leaves_gaps_and_no_error(
    metrics: Metrics, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> list[tuple[Any, ...]]:
        import sqlite3

        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(database, "read", broken)
    page, _ = await Scrape(registry=metrics.registry, looked_up=looked_up(database, tmp_path))("", True)
    names = series(read(page).values())
    assert "vidgend_jobs" not in names and "vidgend_disk_free_bytes" in names


async def test_quotas_and_money_stand_as_the_accounts_have_them(database: Database, tmp_path: Path) -> None:
    now = database.clock()
    told = Told(limit=200, left=17, reset_s=now + 60, at=now)
    allowance = Allowance("pexels", (Window(limit=50, length_s=3600.0),), sent=[now - 5] * 4, told=told)
    accounts = Accounts(
        money=Money(monthly_cap=20.0), allowances={"pexels": allowance, "evil{}": Allowance("evil{}", ())}
    )
    accounts.spend(1.25, now=now)
    looked = looked_up(database, tmp_path, accounts)
    await looked.refresh()
    seen = {family.name: family for family in looked.collect()}
    assert value(seen, "vidgend_provider_quota_limit", service="pexels", window="hour") == 50
    assert value(seen, "vidgend_provider_quota_left", service="pexels", window="hour") == 46
    assert value(seen, "vidgend_provider_quota_left", service="pexels", window="told") == 17
    assert value(seen, "vidgend_cost_this_month") == 1.25 and value(seen, "vidgend_cost_monthly_cap") == 20
    assert "evil" not in repr(seen.values())


def test_an_encode_is_told_in_frames_seconds_and_speed(metrics: Metrics) -> None:
    metrics.step_ended(step(seconds=2.0, waited_s=1.0, encoder="libx264", frames=150, fps=25.0))
    metrics.step_ended(step(outcome="found"))
    get = metrics.registry.get_sample_value
    assert get("vidgend_encoded_frames_total", {"encoder": "libx264"}) == 150
    assert get("vidgend_encode_seconds_total", {"encoder": "libx264"}) == 2
    assert get("vidgend_encode_realtime_ratio_sum", {"encoder": "libx264"}) == 3
    assert get("vidgend_slot_wait_seconds_sum", {"label": "ffmpeg"}) == 1
    assert (get("vidgend_steps_run_total"), get("vidgend_steps_found_total")) == (1, 1)


async def test_the_database_is_timed(metrics: Metrics, database: Database) -> None:
    for _ in range(5):
        await database.write(lambda connection: time.sleep(0.01))
    await database.read("SELECT 1")
    get = metrics.registry.get_sample_value
    assert (get("vidgend_db_transactions_total") or 0) >= 5
    assert (get("vidgend_db_transaction_seconds_sum") or 0) >= 0.05
    assert (get("vidgend_db_commit_seconds_count") or 0) >= 5
    assert (get("vidgend_db_read_seconds_count") or 0) >= 1


async def test_a_blocked_loop_is_seen(metrics: Metrics) -> None:
    import asyncio

    lag = LoopLag(metrics, every_s=0.01)
    task = asyncio.create_task(lag.run())
    await asyncio.sleep(0.05)
    time.sleep(0.2)  # noqa: ASYNC251  the block that is to be seen
    await asyncio.sleep(0.05)
    task.cancel()
    assert lag.typical_s >= 0
    below = metrics.registry.get_sample_value("vidgend_event_loop_lag_seconds_bucket", {"le": "0.1"})
    assert metrics.registry.get_sample_value("vidgend_event_loop_lag_seconds_count") == (below or 0) + 1


HOSTILE = ('"} evil{a="', "\n# HELP", "é" * 500, "../../etc", "vg_0123456789ab_" + "s" * 40, "A", "", "job_1")


def test_no_label_is_of_anybody_elses_making(metrics: Metrics) -> None:
    """Whatever a request, a job or a service says: the words of labels are ours, and few."""
    for number in range(400):
        for text in (*HOSTILE, f"word{number}", f"/x/{number}"):
            metrics.request_began(text, text)
            metrics.request_ended(RequestEnd(route=text, method=text, status=number, seconds=0.1))
            metrics.job_accepted(text, text)
            metrics.job_ended(job(job_id=text, kind=text, state=text, code=text))
            metrics.step_ended(
                step(
                    key=text, kind=text, label=text, job_id=text, outcome=text, encoder=text, frames=1, fps=1, seconds=1
                )
            )
            metrics.provider_called(ProviderCall(service=text, operation=text, status=number, seconds=1))
            metrics.webhook_tried(text, 1.0)
    seen = [
        (name, word) for family in metrics.registry.collect() for sample in family.samples
        for name, word in sample.labels.items()
    ]  # fmt: skip
    assert len({one for one in seen if one[0] not in ("le", "version")}) < 900
    for name, word in seen:
        assert name == "le" or re.fullmatch(r"[A-Za-z0-9/_.{} -]{0,90}", word), (name, word)
        assert name not in ("job_id", "key", "owner", "url", "prompt", "client")
    words = {word for name, word in seen if name in ("service", "method", "encoder", "status")}
    assert words <= {"pexels", "pixabay", "openverse", "llm", "other", "none", "1xx", "2xx", "3xx", "4xx", "5xx"} | {
        "GET", "POST", "libx264"
    }  # fmt: skip
    assert not any("s" * 20 in word for _, word in seen)


def test_everybody_who_watches_is_told_everything() -> None:
    """`Observers` forwards every method there is."""
    from vidgend.observer import Observer

    names = [name for name in vars(Observer) if callable(getattr(Observer, name)) and not name.startswith("_")]
    assert len(names) >= 12

    class Heard(Observer):
        def __init__(self) -> None:
            self.heard: list[str] = []

    for name in names:
        setattr(Heard, name, lambda self, *_, name=name: self.heard.append(name))
    one, other = Heard(), Heard()
    both = Observers(one, other)
    for name in names:
        method = getattr(both, name)
        method(*[object()] * (method.__code__.co_argcount - 1))
    assert one.heard == other.heard == names


def test_threads_may_tell_at_once(metrics: Metrics) -> None:
    def tell() -> None:
        for _ in range(500):
            metrics.committed(Commit(transactions=1, waited_s=0, run_s=0, commit_s=0))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metrics.registry.get_sample_value("vidgend_db_transactions_total") == 2000


@pytest.mark.parametrize("kind", ["video", "prefetch"])
def test_the_first_job_that_fails_is_an_increase(metrics: Metrics, kind: str) -> None:
    """A series that only begins with the first failure hides it from the rule: what is new has not increased."""
    labels = {"kind": kind, "state": "failed"}
    assert metrics.registry.get_sample_value("vidgend_job_run_seconds_count", labels) == 0
    metrics.job_ended(job(kind=kind, state="failed", code="footage_missing"))
    assert metrics.registry.get_sample_value("vidgend_job_run_seconds_count", labels) == 1
