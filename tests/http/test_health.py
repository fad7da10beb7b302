from __future__ import annotations

import asyncio

import pytest

from vidgend.errors import StorageUnavailable
from vidgend.http.health import Condition, health_of
from vidgend.http.watch import Watch


def test_all_is_well() -> None:
    health = health_of(Condition(ffmpeg_missing=False, assets_away=False))
    assert health.reasons == [] and health.warnings == []
    assert {check.state for check in health.checks} == {"ok"}
    assert all(check.detail.endswith(".") for check in health.checks)


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        (Condition(draining=True), "draining"),
        (Condition(lacking_bytes=5_000_000), "storage_full"),
        (Condition(over_quota=True, kept_bytes=10), "quota"),
        (Condition(database_broken=True), "database"),
        (Condition(ffmpeg_missing=True), "ffmpeg_missing"),
    ],
)
def test_what_keeps_jobs_away_says_why_and_what_to_do(condition: Condition, code: str) -> None:
    health = health_of(condition)
    assert health.reasons == [code] and health.warnings == []
    check = next(one for one in health.checks if one.code == code)
    assert check.detail and check.hint


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        (Condition(assets_away=True), "assets_unreachable"),
        (Condition(ballast_missing=True), "no_ballast"),
        (Condition(paused=True), "queue_paused"),
        (Condition(lag_s=1.5), "loop_lag"),
        (Condition(children="late"), "children"),
        (Condition(children="loose"), "children"),
    ],
)
def test_what_wants_to_be_seen_to_keeps_no_job_away(condition: Condition, code: str) -> None:
    health = health_of(condition)
    assert health.reasons == [] and health.warnings == [code]
    assert next(one for one in health.checks if one.code == code).hint


def test_reasons_come_in_the_order_of_old_and_bytes_are_told() -> None:
    health = health_of(Condition(draining=True, lacking_bytes=5_000_000, over_quota=True, ffmpeg_missing=True))
    assert health.reasons == ["draining", "storage_full", "quota", "ffmpeg_missing"]
    storage = next(one for one in health.checks if one.code == "storage_full")
    assert storage.values == {"lacking_bytes": 5_000_000}
    assert "5 MB" in storage.detail
    broken = health_of(Condition(lacking_bytes=1, database_broken=True, over_quota=True))
    assert broken.reasons == ["storage_full", "database"], "a quota cannot be known without a database"


async def test_what_takes_long_is_looked_at_in_the_background(caplog: pytest.LogCaptureFixture) -> None:
    away = True

    async def has(digest: str) -> bool:
        if away:
            raise StorageUnavailable("nas.lan did not answer in time")
        return False

    async def find() -> None:
        return None

    watch = Watch(find_ffmpeg=find, has_asset=has, every_s=0.01)
    assert watch.ffmpeg_missing is None and watch.assets_away is None
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0.05)
    assert watch.ffmpeg_missing is False and watch.assets_away is True
    assert [record.__dict__["reason"] for record in caplog.records] == ["nas.lan did not answer in time"]
    away = False
    await asyncio.sleep(0.05)
    assert watch.assets_away is False
    task.cancel()
