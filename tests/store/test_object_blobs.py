"""What only the S3 store has: copies on this machine, keys, and a server that may be away."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from standins.s3_standin import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, s3_server

from vidgend.errors import NotFound, StorageRefused, StorageUnavailable, ToolMissing
from vidgend.store.assets import s3_client
from vidgend.store.assets.local_copies import IN_USE_S
from vidgend.store.assets.objects import ObjectBlobs
from vidgend.store.assets.select import select_blobs

DIGEST = hashlib.sha256(b"sea").hexdigest()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


async def open_blobs(server: S3Server, folder: Path, **changes: object) -> ObjectBlobs:
    given = {"url": f"s3://{BUCKET}/{folder.name}", "root": folder / "cache", "endpoint": server.endpoint}
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    blobs = select_blobs(**(given | keys | changes))  # type: ignore[arg-type]
    assert isinstance(blobs, ObjectBlobs)
    await blobs.prepare()
    return blobs


async def put(blobs: ObjectBlobs, folder: Path, content: bytes = b"sea") -> str:
    digest = hashlib.sha256(content).hexdigest()
    (folder / "made").write_bytes(content)
    await blobs.put(folder / "made", digest)
    return digest


async def test_what_was_put_here_is_not_fetched_back(server: S3Server, tmp_path: Path) -> None:
    blobs = await open_blobs(server, tmp_path)
    digest = await put(blobs, tmp_path)
    server.object(f"{tmp_path.name}/blobs/{digest[:2]}/{digest}").unlink()
    assert (await blobs.local(digest)).read_bytes() == b"sea"


async def test_many_who_want_the_same_bytes_fetch_them_once(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = await put(await open_blobs(server, tmp_path), tmp_path)
    elsewhere = await open_blobs(server, tmp_path, root=tmp_path / "another")
    fetched, fetch = [], elsewhere._fetch

    async def count(key: str, size_bytes: int, part: Path) -> str:
        fetched.append(key)
        return await fetch(key, size_bytes, part)

    monkeypatch.setattr(elsewhere, "_fetch", count)
    paths = await asyncio.gather(*(elsewhere.local(digest) for _ in range(8)))
    assert len(set(paths)) == 1 and len(fetched) == 1


async def test_a_damaged_copy_is_fetched_again(server: S3Server, tmp_path: Path) -> None:
    blobs = await open_blobs(server, tmp_path)
    digest = await put(blobs, tmp_path)
    path = await blobs.local(digest)
    path.chmod(0o644)
    path.write_bytes(b"see")
    assert (await blobs.local(digest)).read_bytes() == b"sea"
    path.chmod(0o644)
    path.write_bytes(b"Sea")
    assert b"".join([piece async for piece in blobs.read(digest)]) == b"sea"
    assert len(list(tmp_path.rglob("quarantine/*"))) == 2


async def test_copies_that_nobody_used_for_long_make_room_for_new_ones(server: S3Server, tmp_path: Path) -> None:
    blobs = await open_blobs(server, tmp_path, cache_bytes=3000)
    old = [await put(blobs, tmp_path, bytes([number]) * 1000) for number in range(3)]
    long_ago = time.time() - IN_USE_S - 100
    for number, digest in enumerate(old):
        path = await blobs.local(digest)
        os.utime(path, (long_ago + number, path.stat().st_mtime))
    await blobs.local(old[0])  # in use again
    new = await put(blobs, tmp_path, b"n" * 1000)
    left = {path.name for path in (tmp_path / "cache" / "copies" / "blobs").glob("??/*")}
    assert left == {old[0], new}
    assert (await blobs.local(old[1])).read_bytes() == bytes([1]) * 1000  # it is still in the bucket


async def test_copies_make_room_when_it_lacks_but_those_in_use(server: S3Server, tmp_path: Path) -> None:
    blobs = await open_blobs(server, tmp_path)
    digests = [await put(blobs, tmp_path, bytes([number]) * 1000) for number in range(4)]
    now = time.time()
    for digest, age_s in zip(digests, (400, 300, 200, 10), strict=True):
        path = await blobs.local(digest)
        os.utime(path, (now - age_s, path.stat().st_mtime))
    assert await blobs.trim(1) == 0  # all were handed out within hours
    assert await blobs.trim(1001, used_since=now - 100) == 2000
    assert await blobs.trim(10**9, used_since=now - 100) == 1000
    assert [path.name for path in (tmp_path / "cache" / "copies" / "blobs").glob("??/*")] == [digests[3]]
    assert (await blobs.local(digests[0])).read_bytes() == bytes([0]) * 1000


async def test_copies_in_use_stay_even_if_that_is_too_much(server: S3Server, tmp_path: Path) -> None:
    blobs = await open_blobs(server, tmp_path, cache_bytes=100)
    digests = [await put(blobs, tmp_path, bytes([number]) * 1000) for number in range(3)]
    assert {path.name for path in (tmp_path / "cache" / "copies" / "blobs").glob("??/*")} == set(digests)


async def test_reading_a_part_does_not_fetch_the_whole(server: S3Server, tmp_path: Path) -> None:
    content = os.urandom(12_000_000)
    digest = await put(await open_blobs(server, tmp_path), tmp_path, content)
    elsewhere = await open_blobs(server, tmp_path, root=tmp_path / "another")
    object_path = server.object(f"{tmp_path.name}/blobs/{digest[:2]}/{digest}")
    with object_path.open("r+b") as file:  # whoever looks at the whole would see this
        file.write(bytes(100))
    got = b"".join([piece async for piece in elsewhere.read(digest, first=11_000_000, count=1000)])
    assert got == content[11_000_000:11_001_000]
    assert list((tmp_path / "another" / "copies" / "blobs").iterdir()) == []


async def test_a_refused_key_is_named_and_never_shown(server: S3Server, tmp_path: Path) -> None:
    blobs = await open_blobs(server, tmp_path, secret_key="not-the-right-one")
    with pytest.raises(StorageRefused) as refused:
        await blobs.check()
    told = f"{refused.value.detail} {refused.value.hint}"
    assert "SignatureDoesNotMatch" in told and "assets.secret_key" in told
    assert "not-the-right-one" not in told and ACCESS_KEY not in told
    with pytest.raises(StorageRefused):
        await put(blobs, tmp_path)
    assert (tmp_path / "made").exists()


async def test_a_bucket_that_is_not_there_is_named(server: S3Server, tmp_path: Path) -> None:
    blobs = await open_blobs(server, tmp_path, url="s3://no-such-bucket/x")
    with pytest.raises(StorageUnavailable, match="has no bucket 'no-such-bucket'"):
        await put(blobs, tmp_path)


async def test_a_server_that_is_away_is_told_as_such(server: S3Server, tmp_path: Path) -> None:
    blobs = await open_blobs(server, tmp_path, endpoint="http://127.0.0.1:1")
    for call in (blobs.has(DIGEST), blobs.local(DIGEST), blobs.delete(DIGEST), put(blobs, tmp_path)):
        with pytest.raises(StorageUnavailable, match="failed") as away:
            await asyncio.wait_for(call, 40)
        assert away.value.retryable and not isinstance(away.value, NotFound)


async def test_keys_that_are_given_count_whatever_the_environment_says(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_SESSION_TOKEN": "junk",
        "AWS_ACCESS_KEY_ID": "somebody-else",
        "AWS_SECRET_ACCESS_KEY": "junk",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
    }.items():
        monkeypatch.setenv(name, value)
    blobs = await open_blobs(server, tmp_path)
    assert await blobs.has(await put(blobs, tmp_path))


async def test_without_its_library_s3_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "vidgend.store.assets.objects", raising=False)
    monkeypatch.delitem(sys.modules, "vidgend.store.assets.s3_client", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ToolMissing) as missing:
        select_blobs("s3://videos", root=tmp_path)
    assert "obstore" in missing.value.hint


async def test_a_server_that_never_answers_is_given_up(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        asked.set()
        await reader.read()
        writer.close()

    monkeypatch.setattr(s3_client, "CALL_S", 0.3)
    monkeypatch.setattr(s3_client, "ABORT_S", 0.3)
    async with await asyncio.start_server(silent, "127.0.0.1") as listener:
        blobs = await open_blobs(server, tmp_path, endpoint=f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        with pytest.raises(StorageUnavailable, match="in time"):
            await blobs.has(DIGEST)
        assert asked.is_set()
        asked.clear()
        (tmp_path / "made").write_bytes(b"sea")
        sending = asyncio.create_task(blobs._client.upload("key", tmp_path / "made"))
        await asyncio.wait_for(asked.wait(), 10)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(sending, 10)
