"""What every blob store promises, looked at on a file system and on a real S3 server."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from standins.s3_standin import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, s3_server

from vidgend.errors import AssetDamaged, NotFound
from vidgend.store.assets.filesystem import FilesystemBlobs
from vidgend.store.assets.local_files import INCOMING
from vidgend.store.assets.port import CHUNK_BYTES, BlobStore
from vidgend.store.assets.select import select_blobs

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
LARGE = 20_000_000
MISSING = "b" * 64
JOB = "job_1"


class Bench(Protocol):
    """A store, and ways to get at what it keeps."""

    blobs: BlobStore
    folder: Path

    async def forget_copies(self) -> None: ...
    def spoil(self, digest: str) -> None: ...
    def unfinished(self) -> list[Path]: ...
    def source(self) -> Path: ...


class FileBench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs: BlobStore = FilesystemBlobs(folder / "assets")
        self._elsewhere: Path | None = None

    async def forget_copies(self) -> None:
        """There are none."""

    def spoil(self, digest: str) -> None:
        path = self.folder / "assets" / "blobs" / digest[:2] / digest
        path.chmod(0o644)
        path.write_bytes(b"x" + path.read_bytes()[1:])

    def unfinished(self) -> list[Path]:
        return list((self.folder / "assets" / INCOMING).iterdir())

    def source(self) -> Path:
        """A folder on another file system, from where a put has to copy."""
        if not os.access("/dev/shm", os.W_OK) or Path("/dev/shm").stat().st_dev == self.folder.stat().st_dev:
            pytest.skip("there is no second file system to put from")
        self._elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm"))
        return self._elsewhere

    def close(self) -> None:
        if self._elsewhere is not None:
            shutil.rmtree(self._elsewhere)


class S3Bench:
    def __init__(self, folder: Path, server: S3Server) -> None:
        self.folder = folder
        self._server = server
        self._prefix = f"tests/{folder.name}"
        self.blobs = select_blobs(
            f"s3://{BUCKET}/{self._prefix}",
            root=folder / "cache",
            endpoint=server.endpoint,
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
        )

    async def forget_copies(self) -> None:
        shutil.rmtree(self.folder / "cache")
        await self.blobs.prepare()

    def spoil(self, digest: str) -> None:
        path = self._server.object(f"{self._prefix}/blobs/{digest[:2]}/{digest}")
        path.write_bytes(b"x" + path.read_bytes()[1:])

    def unfinished(self) -> list[Path]:
        return self._server.unfinished()

    def source(self) -> Path:
        return self.folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["file", "s3"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "file":
        files = FileBench(tmp_path)
        await files.blobs.prepare()
        yield files
        await files.blobs.aclose()
        files.close()
    else:
        objects = S3Bench(tmp_path, request.getfixturevalue("server"))
        await objects.blobs.prepare()
        yield objects
        await objects.blobs.aclose()


def write(path: Path, content: bytes) -> tuple[Path, str]:
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


async def put(bench: Bench, content: bytes = CONTENT) -> str:
    path, digest = write(bench.folder / "made", content)
    await bench.blobs.put(path, digest)
    return digest


async def read(blobs: BlobStore, digest: str, first: int = 0, count: int | None = None) -> bytes:
    return b"".join([piece async for piece in blobs.read(digest, first=first, count=count)])


async def test_what_is_put_is_there_under_its_digest_and_cannot_be_changed(bench: Bench) -> None:
    digest = await put(bench)
    assert not (bench.folder / "made").exists()
    assert await bench.blobs.has(digest)
    for _ in ("at once", "after the copies on this machine are gone"):
        path = await bench.blobs.local(digest)
        assert path.read_bytes() == CONTENT and path.stat().st_mode & 0o777 == 0o444
        assert await read(bench.blobs, digest) == CONTENT
        await bench.forget_copies()
    assert [entry async for entry in bench.blobs.list()] == [(digest, SIZE)]


@pytest.mark.parametrize(
    ("first", "count"),
    [(0, 1), (10, 20), (5000, None), (SIZE - 1, 5), (0, SIZE + 5), (SIZE, None), (SIZE + 9, 3), (7, 0)],
)
async def test_any_part_can_be_read(bench: Bench, first: int, count: int | None) -> None:
    digest = await put(bench)
    wanted = CONTENT[first:] if count is None else CONTENT[first : first + count]
    assert await read(bench.blobs, digest, first, count) == wanted
    await bench.forget_copies()
    assert await read(bench.blobs, digest, first, count) == wanted


async def test_an_empty_file_is_a_file(bench: Bench) -> None:
    digest = await put(bench, b"")
    await bench.forget_copies()
    assert await bench.blobs.has(digest)
    assert await read(bench.blobs, digest) == b""
    assert (await bench.blobs.local(digest)).stat().st_size == 0
    assert [entry async for entry in bench.blobs.list()] == [(digest, 0)]


async def test_a_large_file_comes_in_small_pieces(bench: Bench) -> None:
    content = os.urandom(LARGE)
    digest = await put(bench, content)
    await bench.forget_copies()
    sizes, found = [], hashlib.sha256()
    async for piece in bench.blobs.read(digest):
        sizes.append(len(piece))
        found.update(piece)
    assert (sum(sizes), found.hexdigest()) == (LARGE, digest)
    assert max(sizes) <= CHUNK_BYTES
    middle = slice(LARGE // 2 - 7, LARGE // 2 + 5_000_000)
    assert await read(bench.blobs, digest, middle.start, middle.stop - middle.start) == content[middle]
    assert (await bench.blobs.local(digest)).stat().st_size == LARGE


async def test_damaged_bytes_are_never_handed_out_and_can_be_put_again(bench: Bench) -> None:
    digest = await put(bench)
    bench.spoil(digest)
    await bench.forget_copies()
    with pytest.raises(AssetDamaged):
        await bench.blobs.local(digest)
    assert not await bench.blobs.has(digest)
    with pytest.raises(NotFound):
        await bench.blobs.local(digest)
    [kept] = bench.folder.rglob(f"quarantine/{digest}.*")
    assert kept.stat().st_size == SIZE
    assert await put(bench) == digest
    assert (await bench.blobs.local(digest)).read_bytes() == CONTENT


async def test_what_is_not_there_is_not_found(bench: Bench) -> None:
    assert not await bench.blobs.has(MISSING)
    with pytest.raises(NotFound):
        await bench.blobs.local(MISSING)
    with pytest.raises(NotFound):
        await read(bench.blobs, MISSING)
    with pytest.raises(NotFound):
        await bench.blobs.publish(MISSING, JOB, "output.mp4", "video/mp4")
    await bench.blobs.delete(MISSING)
    await bench.blobs.unpublish("job_nobody")
    assert [entry async for entry in bench.blobs.list()] == []
    assert [job_id async for job_id in bench.blobs.published()] == []


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "b" * 63, "b" * 64 + "\n", "/" + "b" * 63])
async def test_what_is_no_digest_is_not_found(bench: Bench, digest: str) -> None:
    with pytest.raises(NotFound):
        await bench.blobs.has(digest)
    with pytest.raises(NotFound):
        await bench.blobs.local(digest)
    with pytest.raises(NotFound):
        await read(bench.blobs, digest)
    with pytest.raises(NotFound):
        await bench.blobs.delete(digest)


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "a\nb", ".hidden", "x" * 200])
async def test_no_name_leads_out_of_its_folder(bench: Bench, name: str) -> None:
    digest = await put(bench)
    with pytest.raises(NotFound):
        await bench.blobs.publish(digest, JOB, name, "video/mp4")
    with pytest.raises(NotFound):
        await bench.blobs.publish(digest, name, "output.mp4", "video/mp4")
    with pytest.raises(NotFound):
        await bench.blobs.unpublish(name)


async def test_two_puts_of_the_same_bytes_at_once_are_one_blob(bench: Bench) -> None:
    path, digest = write(bench.folder / "one", CONTENT)
    other, _ = write(bench.folder / "two", CONTENT)
    await asyncio.gather(bench.blobs.put(path, digest), bench.blobs.put(other, digest))
    assert not path.exists() and not other.exists()
    assert [entry async for entry in bench.blobs.list()] == [(digest, SIZE)]
    assert await read(bench.blobs, digest) == CONTENT


async def test_a_put_that_is_cancelled_midway_leaves_nothing(bench: Bench) -> None:
    path, digest = write(bench.source() / "large", os.urandom(1 << 20) * 160)
    putting = asyncio.create_task(bench.blobs.put(path, digest))
    async with asyncio.timeout(30):
        while not bench.unfinished():
            assert not putting.done(), "it was over before it could be cancelled"
            await asyncio.sleep(0.001)
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert path.exists()
    assert bench.unfinished() == []
    assert not await bench.blobs.has(digest)
    assert [entry async for entry in bench.blobs.list()] == []


async def test_a_deleted_blob_is_gone_and_may_come_again(bench: Bench) -> None:
    digest = await put(bench)
    await bench.blobs.delete(digest)
    assert not await bench.blobs.has(digest)
    with pytest.raises(NotFound):
        await bench.blobs.local(digest)
    await put(bench)
    await bench.forget_copies()
    assert await read(bench.blobs, digest) == CONTENT


async def test_published_files_stay_until_they_are_taken_back(bench: Bench) -> None:
    video, words = await put(bench), await put(bench, b"{}")
    await bench.forget_copies()
    uri = await bench.blobs.publish(video, JOB, "output.mp4", "video/mp4")
    assert uri == await bench.blobs.publish(video, JOB, "output.mp4", "video/mp4")  # after a crash it is done again
    assert uri.endswith(f"/{JOB}/output.mp4") and uri.startswith(f"{bench.blobs.scheme}://")
    await bench.blobs.publish(words, JOB, "words.json", "application/json")
    await bench.blobs.publish(words, "job_2", "words.json", "application/json")
    await bench.blobs.delete(video)
    assert await content_at(bench, uri, "output.mp4") == CONTENT
    assert sorted([job_id async for job_id in bench.blobs.published()]) == [JOB, "job_2"]
    await bench.blobs.unpublish(JOB)
    assert [job_id async for job_id in bench.blobs.published()] == ["job_2"]
    assert [digest async for digest, _ in bench.blobs.list()] == [words]


async def content_at(bench: Bench, uri: str, name: str) -> bytes:
    if bench.blobs.scheme == "file":
        return Path(unquote(urlsplit(uri).path)).read_bytes()
    link = await bench.blobs.link(JOB, name, 60)
    assert link is not None
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(link)).content


async def test_a_name_gets_the_file_that_was_published_last(bench: Bench) -> None:
    first, second = await put(bench, b"first"), await put(bench, b"second")
    await bench.blobs.publish(first, JOB, "output.mp4", "video/mp4")
    uri = await bench.blobs.publish(second, JOB, "output.mp4", "video/mp4")
    assert await content_at(bench, uri, "output.mp4") == b"second"


async def test_a_link_of_the_stores_own_opens_without_the_key_and_cannot_be_changed(bench: Bench) -> None:
    digest = await put(bench)
    await bench.blobs.publish(digest, JOB, "output.mp4", "video/mp4")
    await bench.blobs.publish(await put(bench, b"[]"), JOB, "credits.json", "application/json")
    link = await bench.blobs.link(JOB, "output.mp4", 3600)
    if bench.blobs.scheme == "file":
        assert link is None
        return
    assert link is not None and SECRET_KEY not in link and "X-Amz-Expires=3600" in link
    async with httpx.AsyncClient(trust_env=False) as client:
        whole = await client.get(link)
        assert (whole.status_code, whole.content) == (200, CONTENT)
        assert whole.headers["Content-Type"] == "video/mp4"
        assert whole.headers["Content-Disposition"] == 'inline; filename="output.mp4"'
        part = await client.get(link, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, CONTENT[10:20])
        assert part.headers["Content-Range"] == f"bytes 10-19/{SIZE}"
        for tampered in (
            link.replace("output.mp4", "credits.json"),
            link.replace("Expires=3600", "Expires=360000"),
            link[:-1] + ("0" if link[-1] != "0" else "1"),
            link.partition("?")[0],
        ):
            assert (await client.get(tampered)).status_code == 403


async def test_a_new_process_starts_clean_and_finds_what_was_stored(bench: Bench) -> None:
    digest = await put(bench)
    folder = next(path for path in bench.folder.rglob(INCOMING) if path.is_dir())
    (folder / "half.part").write_bytes(b"x")
    await bench.blobs.prepare()
    assert list(folder.iterdir()) == []
    assert (await bench.blobs.local(digest)).read_bytes() == CONTENT
    assert (bench.blobs.free_bytes() or 0) > 0


async def test_what_comes_in_lies_on_the_stores_disk_and_is_gone_after_a_restart(bench: Bench) -> None:
    one, two = bench.blobs.part("upload"), bench.blobs.part("upload")
    assert one != two
    taken, digest = write(one, CONTENT)
    await bench.blobs.put(taken, digest)
    write(two, b"half of a file")
    await bench.blobs.prepare()
    assert not one.exists() and not two.exists()
    assert await read(bench.blobs, digest) == CONTENT


async def test_bytes_on_their_way_are_a_sign_of_life(bench: Bench) -> None:
    path, digest = write(bench.source() / "large", os.urandom(1 << 20) * 40)
    await bench.blobs.put(path, digest)
    sent = bench.blobs.moved_bytes
    assert sent >= 40 << 20
    await bench.forget_copies()
    assert len(await read(bench.blobs, digest)) == 40 << 20
    assert bench.blobs.moved_bytes - sent >= 40 << 20


async def test_giving_up_copies_loses_nothing(bench: Bench) -> None:
    digest = await put(bench)
    freed = await bench.blobs.trim(10**12, used_since=time.time() + 60)
    assert freed == (0 if bench.blobs.scheme == "file" else SIZE)
    assert await bench.blobs.has(digest) and await read(bench.blobs, digest) == CONTENT
