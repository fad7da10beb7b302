"""What only the file system store has: hard links, syncs, full disks, a folder that is the user's."""

import asyncio
import errno
import hashlib
import logging
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from vidgend.errors import AssetDamaged, NotFound, StorageFull
from vidgend.store.assets import filesystem, local_files
from vidgend.store.assets.filesystem import FilesystemBlobs
from vidgend.store.assets.local_files import INCOMING

SEA = hashlib.sha256(b"sea").hexdigest()


@pytest.fixture
async def blobs(tmp_path: Path) -> FilesystemBlobs:
    blobs = FilesystemBlobs(tmp_path / "assets")
    await blobs.prepare()
    return blobs


def made(folder: Path) -> Path:
    path = folder / "made"
    path.write_bytes(b"sea")
    return path


async def test_a_blob_is_on_the_disk_before_the_put_returns(
    blobs: FilesystemBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def note_sync(fd: int) -> None:
        done.append(f"sync {Path(f'/proc/self/fd/{fd}').readlink().name}")
        sync(fd)

    def note_replace(self: Path, target: Path) -> Path:
        done.append(f"rename {self.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    await blobs.put(made(tmp_path), SEA)
    assert done == ["sync blobs", "sync made", "rename made", f"sync {SEA[:2]}"]
    done.clear()
    await FilesystemBlobs(blobs.root).put(made(tmp_path), SEA)  # whoever put the first may have died before its syncs
    assert done == ["sync blobs", f"sync {SEA[:2]}"]


async def test_a_published_file_is_another_name_of_the_blob(blobs: FilesystemBlobs, tmp_path: Path) -> None:
    await blobs.put(made(tmp_path), SEA)
    uri = await blobs.publish(SEA, "job_1", "output.mp4", "video/mp4")
    path = Path(unquote(urlsplit(uri).path))
    assert path.samefile(await blobs.local(SEA))
    assert await blobs.publish(SEA, "job_1", "output.mp4", "video/mp4") == uri
    assert path.stat().st_nlink == 2 and list((blobs.root / INCOMING).iterdir()) == []
    await blobs.delete(SEA)
    assert path.read_bytes() == b"sea"


@pytest.mark.parametrize("number", [errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP])
async def test_where_no_link_can_be_made_the_file_is_copied(
    blobs: FilesystemBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refused = []

    def refuse(source: Path, target: Path) -> None:
        refused.append(target)
        raise OSError(number, os.strerror(number))

    await blobs.put(made(tmp_path), SEA)
    monkeypatch.setattr(filesystem.os, "link", refuse)
    uri = await blobs.publish(SEA, "job_1", "output.mp4", "video/mp4")
    path = Path(unquote(urlsplit(uri).path))
    assert refused and path.read_bytes() == b"sea" and path.stat().st_nlink == 1


async def test_a_file_is_checked_once_per_process_and_again_when_it_changes(
    blobs: FilesystemBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await blobs.put(made(tmp_path), SEA)
    checked, digest_of = [], local_files.digest_of
    monkeypatch.setattr(local_files, "digest_of", lambda *given: checked.append(given) or digest_of(*given))
    await blobs.local(SEA)
    assert len(checked) == 0  # what was just put is known
    another = FilesystemBlobs(blobs.root)
    path = await another.local(SEA)
    await another.local(SEA)
    assert len(checked) == 1
    path.chmod(0o644)
    path.write_bytes(b"see")
    with caplog.at_level(logging.ERROR), pytest.raises(AssetDamaged):
        await another.local(SEA)
    assert len(checked) == 2
    [record] = [record for record in caplog.records if record.message == "asset_damaged"]
    assert record.__dict__["digest"] == SEA
    assert [kept.read_bytes() for kept in (blobs.root / "quarantine").iterdir()] == [b"see"]


async def test_a_put_over_a_damaged_file_mends_it(blobs: FilesystemBlobs, tmp_path: Path) -> None:
    await blobs.put(made(tmp_path), SEA)
    path = await blobs.local(SEA)
    path.chmod(0o644)
    path.write_bytes(b"see")
    await blobs.put(made(tmp_path), SEA)
    assert (await blobs.local(SEA)).read_bytes() == b"sea"


async def test_a_sector_that_cannot_be_read_is_damage(
    blobs: FilesystemBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await blobs.put(made(tmp_path), SEA)

    def broken(*_: object) -> str:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(local_files, "digest_of", broken)
    with pytest.raises(AssetDamaged):
        await FilesystemBlobs(blobs.root).local(SEA)
    assert not await blobs.has(SEA)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
async def test_a_full_disk_is_named_and_takes_nothing_away(
    blobs: FilesystemBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path, failed = made(tmp_path), []

    def full(fd: int) -> None:
        failed.append(fd)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(local_files.os, "fsync", full)
    with pytest.raises(StorageFull):
        await blobs.put(path, SEA)
    assert failed and path.read_bytes() == b"sea"
    assert not await blobs.has(SEA)


async def test_a_reader_keeps_what_is_deleted_under_it(blobs: FilesystemBlobs, tmp_path: Path) -> None:
    content = os.urandom(2_000_000)
    digest = hashlib.sha256(content).hexdigest()
    (tmp_path / "made").write_bytes(content)
    await blobs.put(tmp_path / "made", digest)
    pieces = blobs.read(digest)
    got = await anext(pieces)
    await blobs.delete(digest)
    got += b"".join([piece async for piece in pieces])
    assert got == content
    with pytest.raises(NotFound):
        await anext(blobs.read(digest))


async def test_a_cancelled_read_leaves_no_file_open(blobs: FilesystemBlobs, tmp_path: Path) -> None:
    await blobs.put(made(tmp_path), SEA)
    for _ in range(20):
        reading = asyncio.ensure_future(anext(blobs.read(SEA)))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    opened = [entry.readlink().name for entry in Path("/proc/self/fd").iterdir() if entry.exists()]
    assert SEA not in opened


async def test_what_was_on_its_way_in_is_cleared_at_start_and_nothing_of_the_users(blobs: FilesystemBlobs) -> None:
    (blobs.root / INCOMING / "half.part").write_bytes(b"x")
    theirs = [blobs.root / "tmp" / "draft.txt", blobs.root / "steps" / "ab" / "ab12.json"]
    for path in theirs:
        path.parent.mkdir(parents=True)
        path.write_text("not ours")
    (blobs.root / "blobs" / "ab").mkdir()
    (blobs.root / "blobs" / "ab" / "notes.txt").write_text("not ours")
    await blobs.prepare()
    assert list((blobs.root / INCOMING).iterdir()) == []
    assert all(path.read_text() == "not ours" for path in theirs)
    assert [entry async for entry in blobs.list()] == []


async def test_names_that_cannot_be_removed_are_told(
    blobs: FilesystemBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await blobs.put(made(tmp_path), SEA)
    await blobs.publish(SEA, "job_1", "output.mp4", "video/mp4")

    def refuse(*given: object, **named: object) -> None:
        raise PermissionError(errno.EACCES, "not allowed")

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", refuse)
        with pytest.raises(PermissionError):
            await blobs.unpublish("job_1")
    await blobs.unpublish("job_1")
    assert [job_id async for job_id in blobs.published()] == []
