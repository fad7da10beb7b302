"""Files that no row knows: deleted by hand only, and not when it is the database that is the wrong one."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stock import Stock, stock

from vidgend.errors import Conflict
from vidgend.store.orphans import FEW, collect_orphans, find_orphans


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Stock]:
    async with stock(tmp_path) as store:
        yield store


def put_blob(store: Stock, content: bytes) -> str:
    """A blob that somebody else put there."""
    digest = hashlib.sha256(content).hexdigest()
    store.path(digest).parent.mkdir(exist_ok=True)
    store.path(digest).write_bytes(content)
    return digest


@pytest.mark.parametrize("count", [1, FEW])
async def test_a_database_that_knows_nothing_deletes_nothing(store: Stock, count: int) -> None:
    """It was lost, or data_dir or assets.url is another one: the few files may be all videos that there are."""
    files = [put_blob(store, b"%d" % number) for number in range(count)]
    with pytest.raises(Conflict, match=f"knows 0 files.*not know {count} files"):
        await collect_orphans(store.database, store.assets)
    assert all(store.path(digest).exists() for digest in files)
    assert (await collect_orphans(store.database, store.assets, even_if_doubtful=True)).count == count


async def test_results_that_nobody_knows_are_doubt_too(store: Stock) -> None:
    await store.blobs.publish(put_blob(store, b"video"), "job_other", "output.mp4", "video/mp4")
    with pytest.raises(Conflict, match="and 1 results"):
        await collect_orphans(store.database, store.assets)
    assert store.named("job_other").exists()


async def test_an_empty_store_is_no_doubt(store: Stock) -> None:
    assert (await find_orphans(store.database, store.blobs)).doubt is None


async def test_what_is_doomed_is_not_unknown(store: Stock) -> None:
    digest = put_blob(store, b"half a put")
    await store.blobs.publish(digest, "job_gone", "output.mp4", "video/mp4")
    await store.sql("INSERT INTO doomed (kind, name, since) VALUES ('blob', ?, 1), ('names', 'job_gone', 1)", digest)
    found = await find_orphans(store.database, store.blobs)
    assert found.blobs == () and found.jobs == ()


async def test_a_job_that_got_its_result_meanwhile_keeps_its_names(
    store: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = await store.blob(b"video")
    for job_id in ("job_a", "job_b"):
        await store.job(job_id, "failed")
        await store.blobs.publish(digest, job_id, "output.mp4", "video/mp4")
    unpublish, gone = store.blobs.unpublish, []

    async def slow(job_id: str) -> None:
        gone.append(job_id)
        [other] = {"job_a", "job_b"} - {job_id}
        await store.sql("UPDATE jobs SET state = 'completed' WHERE id = ?", other)
        await store.publish(other, digest, 5)
        await unpublish(job_id)

    monkeypatch.setattr(store.blobs, "unpublish", slow)
    await collect_orphans(store.database, store.assets)
    assert len(gone) == 1
    assert {"job_a", "job_b"} - set(gone) == {job_id async for job_id in store.blobs.published()}
