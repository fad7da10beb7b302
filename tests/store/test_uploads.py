"""What users gave is kept through every sweep, check, backup and crash, until they delete it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nobodys import NobodysJobs, NobodysUploads
from stock import DAY_S, NOW, Stock, bring_back, make_backup, stock

from vidgend.errors import NotFound, UploadInUse, UploadUnknown
from vidgend.models import Brief, MusicOptions, Scene, SceneBrief, Storyboard
from vidgend.store.doomed import work_off
from vidgend.store.fsck import check
from vidgend.store.fsck_repair import repair
from vidgend.store.jobs import JobStore
from vidgend.store.orphans import find_orphans
from vidgend.store.retention import Rules, collect, foresee
from vidgend.store.storyboards import StoryboardStore
from vidgend.store.uploads import UploadStore

NOTHING_STAYS = Rules(ttl_s=1, cache_max_bytes=0, results_max_age_s=0, results_max_bytes=0)
PHOTO: dict[str, Any] = {"kind": "photo", "demuxer": "png_pipe", "width_px": 160, "height_px": 90}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Stock]:
    (tmp_path / "data").mkdir()
    async with stock(tmp_path / "data") as stocked:
        yield stocked


def uploads_of(store: Stock) -> UploadStore:
    return NobodysUploads(store.database, store.assets)


async def give(store: Stock, content: bytes = b"photo", *, owner: str = "") -> str:
    path = store.assets.incoming()
    path.write_bytes(content)
    made, _ = await uploads_of(store).add(
        path, kind="photo", name="a.png", content_type="image/png", facts=PHOTO, owner=owner
    )
    return made.digest


async def jobs_of(store: Stock) -> JobStore:
    jobs = NobodysJobs(store.database, boot_id="boot", max_queued=10)
    await jobs.recover()
    return jobs


async def showing(store: Stock, digest: str) -> Brief:
    clip = (await uploads_of(store).get(digest)).clip()
    return Brief(prompt="", scenes=(SceneBrief(narration="One.", clip=clip),))


async def test_no_sweep_takes_an_upload_however_old_it_is(store: Stock) -> None:
    kept, cached = await give(store), await store.blob(b"clip", age_s=90 * DAY_S)
    await store.sql("UPDATE assets SET used_at = ?", NOW - 90 * DAY_S)
    assert (await foresee(store.database, NOTHING_STAYS, used_since=NOW)).unused.count == 1
    gone = await collect(store.database, store.assets, NOTHING_STAYS, used_since=NOW, lacking_bytes=10**12)
    assert gone.unused.count == 1 and not store.path(cached).exists()
    assert store.path(kept).read_bytes() == b"photo"
    assert await store.assets.discard([kept], NOW + DAY_S) == 0


async def test_an_upload_that_a_crash_cut_short_leaves_nothing(store: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    real = store.assets.blobs.put

    async def dies(path: Path, digest: str) -> None:
        await real(path, digest)
        raise KeyboardInterrupt

    with monkeypatch.context() as crash:
        crash.setattr(store.assets.blobs, "put", dies)
        with pytest.raises(KeyboardInterrupt):
            await give(store)
    assert await store.count("uploads") == 0 and await store.count("doomed") == 1
    assert await work_off(store.database, store.assets) == 5
    assert [*(store.folder / "assets" / "blobs").rglob("*.*")] == [] and await store.count("doomed") == 0


async def test_the_same_bytes_of_two_owners_are_kept_until_both_delete_them(store: Stock) -> None:
    digest = await give(store, owner="ann")
    assert await give(store, owner="bob") == digest
    await store.sql("UPDATE assets SET used_at = ?", NOW - 1)
    uploads = uploads_of(store)
    with pytest.raises(NotFound):
        await uploads.remove(digest)
    await uploads.remove(digest, owner="ann")
    assert store.path(digest).exists() and await store.count("doomed") == 0
    assert await uploads.find([digest], owner="ann") == {}
    await uploads.remove(digest, owner="bob")
    assert not store.path(digest).exists() and await store.count("assets") == 0 and await store.count("doomed") == 0


async def test_uploads_count_in_what_an_owner_keeps(store: Stock) -> None:
    jobs = await jobs_of(store)
    await store.result("job_a", b"video", ended_s_ago=10)
    digest = await give(store, b"12345678")
    await give(store, b"12345678")
    assert await jobs.kept_bytes() == 5 + 8 and await jobs.kept_bytes("ann") == 0
    await give(store, b"123", owner="ann")
    assert await jobs.kept_bytes("ann") == 3
    await uploads_of(store).remove(digest)
    assert await jobs.kept_bytes() == 5


async def test_a_job_holds_what_it_needs_until_it_has_ended(store: Stock) -> None:
    jobs, uploads = await jobs_of(store), uploads_of(store)
    photo, song, other = [await give(store, name) for name in (b"photo", b"song", b"other")]
    brief = replace(await showing(store, photo), music=MusicOptions(asset=song))
    job_id, _ = await jobs.submit(brief)
    for digest in (photo, song):
        with pytest.raises(UploadInUse, match=job_id):
            await uploads.remove(digest)
    await uploads.remove(other)
    await jobs.request_cancel(job_id)
    await uploads.remove(photo)
    await jobs.delete(job_id)
    assert await store.count("job_uploads") == 0


async def test_a_job_that_needs_an_upload_that_is_gone_is_not_taken(store: Stock) -> None:
    jobs = await jobs_of(store)
    digest = await give(store)
    brief = await showing(store, digest)
    await uploads_of(store).remove(digest)
    with pytest.raises(UploadUnknown):
        await jobs.submit(brief)
    with pytest.raises(UploadUnknown):
        await jobs.submit(Brief(prompt="sea", music=MusicOptions(asset=digest)))
    assert await store.count("jobs") == 0
    await jobs.submit(Brief(prompt="sea", music=MusicOptions(enabled=False, asset=digest)))


async def test_a_job_may_only_use_uploads_of_its_owner(store: Stock) -> None:
    jobs = await jobs_of(store)
    brief = Brief(prompt="sea", music=MusicOptions(asset=await give(store, owner="ann")))
    with pytest.raises(UploadUnknown):
        await jobs.submit(brief, owner="bob")
    await jobs.submit(brief, owner="ann")


async def test_rendering_again_holds_what_the_new_version_needs_and_nothing_else(store: Stock) -> None:
    jobs, uploads, boards = await jobs_of(store), uploads_of(store), StoryboardStore(store.database)
    first, second = await give(store, b"first"), await give(store, b"second")
    brief = await showing(store, first)
    job_id, _ = await jobs.submit(brief)
    await jobs.request_cancel(job_id)
    for number, digest in ((1, first), (2, second)):
        scene = Scene(index=0, narration="One.", queries=("sea",), clip=(await uploads.get(digest)).clip())
        board = Storyboard(title="", language="en", planner="builtin", stretch=False, fps="30", scenes=(scene,))
        if number == 1:
            await boards.save(job_id, board)
        else:
            await boards.add(job_id, board, brief, author="api", based_on=1, newest=1, changes=[])
    await jobs.render(job_id, version=2, brief=brief)
    with pytest.raises(UploadInUse):
        await uploads.remove(second)
    await uploads.remove(first)
    await jobs.request_cancel(job_id)
    with pytest.raises(UploadUnknown):
        await jobs.render(job_id, version=1, brief=brief)


async def test_fsck_finds_an_upload_whose_file_is_gone_and_one_whose_row_is(store: Stock) -> None:
    lost, unrecorded = await give(store, b"lost"), await give(store, b"unrecorded")
    assert await check(store.database, store.blobs, deep=True, alone=True) == []
    store.path(lost).unlink()
    await store.sql("DELETE FROM assets")
    found = await check(store.database, store.blobs, deep=False, alone=True)
    assert {(one.kind, one.target) for one in found} == {("blob_missing", lost), ("blob_unrecorded", unrecorded)}
    assert (await find_orphans(store.database, store.blobs)).blobs == ()
    mended = await repair(store.database, store.assets, found, aside=store.folder / "damaged")
    assert "the upload a.png is lost" in " ".join(one.did for one in mended)
    assert await store.database.read("SELECT digest, content_type FROM assets") == [(unrecorded, "image/png")]
    assert await store.database.read("SELECT digest FROM uploads") == [(unrecorded,)]
    assert await check(store.database, store.blobs, deep=True, alone=True) == []


async def test_a_backup_has_the_uploads_and_brings_them_back(store: Stock, tmp_path: Path) -> None:
    digest, lost = await give(store, b"kept"), await give(store, b"lost")
    cached = await store.blob(b"clip")
    made = await make_backup(store, tmp_path / "backups")
    assert (made.files, made.lost) == (2, ())
    copy = made.path / "assets" / "blobs" / lost[:2] / lost
    copy.chmod(0o600)
    copy.write_bytes(b"l0st")
    await bring_back(made.path, tmp_path / "new", force=True)
    async with stock(tmp_path / "new") as new:
        assert new.path(digest).read_bytes() == b"kept" and not new.path(cached).exists()
        assert await new.database.read("SELECT digest FROM uploads") == [(digest,)], "a row without its file goes"
