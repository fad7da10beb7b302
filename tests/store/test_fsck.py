"""Every kind of disagreement between database and disk is found, told, mended, and then no longer found."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stock import NOW, Stock, stock

from vidgend.errors import DatabaseDamaged, DatabaseUnavailable
from vidgend.store.assets.local_files import INCOMING
from vidgend.store.database import Database
from vidgend.store.doomed import work_off
from vidgend.store.fsck import Finding, check
from vidgend.store.fsck_repair import Mended, repair
from vidgend.store.orphans import FEW
from vidgend.store.reading import ReadOnly
from vidgend.store.retention import Rules, collect


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Stock]:
    async with stock(tmp_path) as stocked:
        yield stocked


async def look(store: Stock, *, deep: bool = False, alone: bool = True) -> list[Finding]:
    return await check(store.database, store.blobs, deep=deep, alone=alone)


async def mend(store: Stock, *, deep: bool = False) -> list[Mended]:
    return await repair(store.database, store.assets, await look(store, deep=deep), aside=store.folder / "damaged")


async def healthy(store: Stock) -> None:
    """A store with a bit of everything."""
    clip = await store.blob(b"clip")
    await store.step("clip", clip, jobs=(await store.job("job_live", "queued"),))
    await store.result("job_done", b"video", ended_s_ago=10)
    await store.publish("job_done", await store.blob(b"thumb"), 5, name="thumbnail.jpg")
    await store.job("job_failed", "failed")


@pytest.mark.parametrize("deep", [False, True])
async def test_nothing_is_found_where_nothing_is_wrong(store: Stock, deep: bool) -> None:
    assert await look(store) == []
    await healthy(store)
    assert await look(store, deep=deep) == []
    assert await look(store, deep=deep, alone=False) == []


async def test_nothing_is_found_after_retention(store: Stock) -> None:
    await store.result("job_old", b"old", ended_s_ago=100)
    await store.result("job_same", b"old", ended_s_ago=1)
    rules = Rules(ttl_s=1, cache_max_bytes=0, results_max_age_s=50, results_max_bytes=0)
    gone = await collect(store.database, store.assets, rules, used_since=NOW, lacking_bytes=0)
    assert gone.old_results.count == 1
    await work_off(store.database, store.assets)
    assert await look(store, deep=True) == []


async def test_a_lost_clip_makes_its_steps_run_again(store: Stock) -> None:
    digest = await store.blob(b"clip")
    await store.step("clip", digest)
    store.path(digest).unlink()
    [finding] = await look(store)
    assert finding.kind == "blob_missing" and digest in finding.what
    [mended] = await mend(store)
    assert mended.ok and mended.did == "removed its rows (1 steps run again, 0 results lack a file)"
    assert await store.count("steps") == 0 and await store.count("assets") == 0
    assert await look(store) == []


async def test_a_lost_video_is_taken_from_its_named_file(store: Stock) -> None:
    digest = await store.result("job_a", b"video", ended_s_ago=1)
    store.path(digest).unlink()
    [mended] = await mend(store)
    assert mended.did == "taken from another copy"
    assert store.path(digest).read_bytes() == b"video" and store.named("job_a").read_bytes() == b"video"
    assert await look(store, deep=True) == []


async def test_a_video_that_is_lost_under_both_names_is_taken_out_of_the_result(store: Stock) -> None:
    digest = await store.result("job_a", b"video", ended_s_ago=1)
    store.path(digest).unlink()
    store.named("job_a").unlink()
    mended = await mend(store)
    assert [one.finding.kind for one in mended] == ["blob_missing", "name_missing"] and all(one.ok for one in mended)
    assert await store.count("published") == 0 and await store.count("jobs") == 1
    assert "output.mp4 was lost" in (await store.log("job_a"))[-1]
    assert await look(store) == []


async def test_a_file_of_another_size_is_kept_aside_and_forgotten(store: Stock) -> None:
    digest = await store.blob(b"clip")
    await store.step("clip", digest)
    store.path(digest).chmod(0o600)
    store.path(digest).write_bytes(b"cl")
    [finding] = await look(store)
    assert finding.kind == "blob_damaged" and "has 2 bytes, not 4" in finding.what
    [mended] = await mend(store)
    assert mended.ok and "aside" in mended.did
    assert [path.read_bytes() for path in (store.folder / "assets" / "quarantine").iterdir()] == [b"cl"]
    assert await store.count("steps") == 0 and await look(store) == []


async def test_changed_content_is_found_by_a_deep_check_only(tmp_path: Path) -> None:
    async with stock(tmp_path) as store:
        digest = await store.blob(b"clip")
    store.path(digest).chmod(0o600)
    store.path(digest).write_bytes(b"clop")
    async with stock(tmp_path) as store:  # a store trusts what it checked itself, so a new one
        assert await look(store) == []
        [mended] = await mend(store, deep=True)
        assert mended.finding.kind == "blob_damaged" and mended.ok
        assert await look(store, deep=True) == [] and await store.count("assets") == 0


async def test_a_file_that_no_row_knows_is_deleted(store: Stock) -> None:
    digest = await store.blob(b"orphan")
    await store.sql("DELETE FROM assets")
    await store.blob(b"known")
    for alone in (True, False):
        [finding] = await look(store, alone=alone)
        assert finding.kind == "blob_unknown" and digest in finding.what
    [mended] = await mend(store)
    assert mended.did == "deleted" and not store.path(digest).exists()


async def test_most_of_the_store_is_never_deleted_as_unknown(store: Stock) -> None:
    digests = [await store.blob(b"%d" % number) for number in range(FEW + 1)]
    await store.sql("DELETE FROM assets")
    [mended] = await mend(store)
    assert not mended.ok and mended.finding.kind == "blob_unknown" and "right database" in mended.finding.mend
    assert all(store.path(digest).exists() for digest in digests)


async def test_a_store_that_is_not_mounted_is_not_taken_for_an_empty_one(store: Stock) -> None:
    for number in range(FEW + 1):
        store.path(await store.blob(b"%d" % number)).unlink()
    [mended] = await mend(store)
    assert not mended.ok and mended.finding.kind == "store_missing" and "mounted" in mended.finding.mend
    assert await store.count("assets") == FEW + 1
    found = await check(store.database, store.blobs, deep=False, alone=True, even_if_most_are_lost=True)
    await repair(store.database, store.assets, found, aside=store.folder / "damaged")
    assert await store.count("assets") == 0 and await look(store) == []


async def test_a_published_file_without_a_row_gets_it_back(store: Stock) -> None:
    digest = await store.result("job_a", b"video", ended_s_ago=1)
    await store.sql("DELETE FROM assets")
    [finding] = await look(store)
    assert finding.kind == "blob_unrecorded"
    await mend(store)
    assert await store.database.read("SELECT digest, size_bytes, content_type FROM assets") == [
        (digest, 5, "video/mp4")
    ]
    assert await look(store, deep=True) == []


async def test_missing_names_are_linked_again(store: Stock) -> None:
    await healthy(store)
    store.named("job_done").unlink()
    [finding] = await look(store)
    assert finding.kind == "name_missing" and finding.what == "job_done lacks its named files: output.mp4"
    [mended] = await mend(store)
    assert mended.did == "linked 2 files" and store.named("job_done").read_bytes() == b"video"
    await store.blobs.unpublish("job_done")
    assert (await look(store))[0].what == "job_done lacks its named files: output.mp4, thumbnail.jpg"
    await mend(store)
    assert await look(store) == []


async def test_named_files_without_a_result_are_removed(store: Stock) -> None:
    await store.blobs.publish(await store.blob(b"video"), "job_gone", "output.mp4", "video/mp4")
    [mended] = await mend(store)
    assert mended.finding.kind == "name_unknown" and not store.named("job_gone").exists()


async def test_a_finished_step_without_its_asset_runs_again(store: Stock) -> None:
    await store.step("clip", "ab" * 32)
    [finding] = await look(store)
    assert finding.kind == "step_without_asset"
    await mend(store)
    assert await store.count("steps") == 0 and await look(store) == []


async def test_a_result_whose_files_are_not_published_is_published_again(store: Stock) -> None:
    digest = await store.result("job_a", b"video", ended_s_ago=1)
    await store.sql("DELETE FROM published")
    await store.blobs.unpublish("job_a")
    [finding] = await look(store)
    assert finding.kind == "result_unpublished"
    await mend(store)
    assert await store.database.read("SELECT digest, role, name, size_bytes FROM published") == [
        (digest, "output", "output.mp4", 5)
    ]
    assert store.named("job_a").exists() and await look(store) == []


async def test_wrong_counts_are_counted_again(store: Stock) -> None:
    await healthy(store)
    await store.sql("UPDATE job_counts SET jobs = 7 WHERE state = 'queued'")
    await store.sql("DELETE FROM job_counts WHERE state = 'failed'")
    assert {finding.what for finding in await look(store)} == {
        "7 jobs are counted as queued; there are 1", "0 jobs are counted as failed; there are 1",
    }  # fmt: skip
    await mend(store)
    assert await look(store) == []


async def test_rows_that_belong_to_nothing_are_deleted(store: Stock) -> None:
    await healthy(store)
    connection = sqlite3.connect(store.database.path)
    with connection:
        connection.execute("INSERT INTO job_events (job_id, seq, at, line) VALUES ('job_x', 1, 1, 'x')")
        connection.execute("INSERT INTO step_assets (key, digest) VALUES ('none', 'none')")
    connection.close()
    assert {finding.target for finding in await look(store)} == {"job_events", "step_assets"}
    assert all(one.ok for one in await mend(store))
    assert await look(store) == []


async def test_what_is_to_be_deleted_yet_is_told_and_left_to_the_next_start(store: Stock) -> None:
    await healthy(store)
    digest = hashlib.sha256(b"half a put").hexdigest()
    store.path(digest).parent.mkdir(exist_ok=True)
    store.path(digest).write_bytes(b"half a put")
    await store.sql("INSERT INTO doomed (kind, name, since) VALUES ('blob', ?, 1)", digest)
    assert await look(store, alone=False) == []
    [finding] = await look(store)
    assert finding.kind == "doomed" and finding.harmless and await mend(store) == []
    assert store.path(digest).exists()


async def test_a_mended_step_is_forgotten_by_the_jobs_that_have_ended(store: Stock) -> None:
    digest = await store.blob(b"clip")
    jobs = (await store.job("job_done"), await store.job("job_live", "queued"))
    await store.step("clip", digest, jobs=jobs)
    store.path(digest).unlink()
    assert await mend(store)
    assert await store.database.read("SELECT job_id FROM job_steps") == [("job_live",)]


async def test_what_ran_when_the_daemon_died_is_told_and_left_to_the_next_start(store: Stock) -> None:
    await store.job("job_a", "rendering")
    await store.step("a", state="running")
    assert await look(store, alone=False) == []
    found = await look(store)
    assert [finding.what for finding in found] == [
        "under way when vidgend stopped: 1 job", "under way when vidgend stopped: 1 step",
    ] and all(finding.harmless for finding in found)  # fmt: skip
    assert await mend(store) == []


async def test_a_damaged_database_is_told_and_nothing_else_is_looked_at(tmp_path: Path) -> None:
    async with stock(tmp_path) as store:
        for number in range(500):
            await store.job(f"job_{number}", "failed")
    path = tmp_path / "vidgend.db"
    with path.open("r+b") as file:
        for page in range(path.stat().st_size // 4096 - 10, path.stat().st_size // 4096):
            file.seek(page * 4096 + 100)
            file.write(b"\xff" * 200)
    reads = await ReadOnly.open(path)
    found = await check(reads, store.blobs, deep=True, alone=True)
    await reads.close()
    assert found and all(finding.kind == "database" and not finding.mendable for finding in found)


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "vidgend.db").write_bytes(b"no database at all, but long enough for a header" * 20)
    with pytest.raises(DatabaseDamaged, match="not a database"):
        await ReadOnly.open(tmp_path / "vidgend.db")


async def test_a_check_runs_beside_a_daemon_and_changes_nothing(tmp_path: Path) -> None:
    async with stock(tmp_path) as store:
        await healthy(store)
        reads = await ReadOnly.open(store.database.path)
        (tmp_path / "assets" / INCOMING / "incoming.part").write_bytes(b"on its way in")
        before = sorted(path for path in tmp_path.rglob("*"))
        assert await check(reads, store.blobs, deep=True, alone=False) == []
        with pytest.raises(DatabaseUnavailable, match="readonly"):
            await reads.read("DELETE FROM jobs RETURNING id")
        await reads.close()
        assert sorted(path for path in tmp_path.rglob("*")) == before


async def test_an_older_schema_is_named(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "vidgend.db")
    await database.write(lambda connection: connection.execute("PRAGMA user_version = 1"))
    await database.close()
    with pytest.raises(Exception, match="has schema 1, this vidgend has"):
        await ReadOnly.open(tmp_path / "vidgend.db")
