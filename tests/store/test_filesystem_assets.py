import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from vidgend.errors import NotFound
from vidgend.store.assets.filesystem import FilesystemAssets

KEY = "a" * 64


@pytest.fixture
def assets(tmp_path: Path) -> FilesystemAssets:
    assets = FilesystemAssets(tmp_path / "assets")
    assets.prepare()
    return assets


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


async def test_a_blob_is_named_by_its_content_and_cannot_be_changed(assets: FilesystemAssets, tmp_path: Path) -> None:
    digest = await assets.put(write(tmp_path / "a", b"sea"))
    assert digest == hashlib.sha256(b"sea").hexdigest()
    path = await assets.local(digest)
    assert path.read_bytes() == b"sea" and path.stat().st_mode & 0o222 == 0
    assert not (tmp_path / "a").exists()
    assert await assets.put(write(tmp_path / "b", b"sea")) == digest


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "b" * 64, "b" * 63])
async def test_what_is_not_there_is_not_found(assets: FilesystemAssets, digest: str) -> None:
    with pytest.raises(NotFound):
        await assets.local(digest)


async def test_the_first_manifest_wins(assets: FilesystemAssets, tmp_path: Path) -> None:
    one = await assets.put(write(tmp_path / "a", b"1"))
    two = await assets.put(write(tmp_path / "b", b"2"))
    assert await assets.put_manifest(KEY, {"digest": one}, (one,)) == {"digest": one}
    assert await assets.put_manifest(KEY, {"digest": two}, (two,)) == {"digest": one}
    assert await assets.manifest(KEY) == {"digest": one}


async def test_a_step_whose_blob_is_gone_is_not_done(assets: FilesystemAssets, tmp_path: Path) -> None:
    digest = await assets.put(write(tmp_path / "a", b"1"))
    await assets.put_manifest(KEY, {"digest": digest}, (digest,))
    (await assets.local(digest)).unlink()
    assert await assets.manifest(KEY) is None
    again = await assets.put(write(tmp_path / "a", b"2"))
    assert await assets.put_manifest(KEY, {"digest": again}, (again,)) == {"digest": again}


async def test_a_published_file_outlives_the_sweep_of_its_blob(assets: FilesystemAssets, tmp_path: Path) -> None:
    digest = await assets.put(write(tmp_path / "a", b"video"))
    uri = await assets.publish(digest, "job_1", "output.mp4")
    await sweep(assets, max_bytes=0)
    assert Path(uri.removeprefix("file://")).read_bytes() == b"video"


async def test_the_sweep_takes_the_oldest_first_and_never_what_is_kept(
    assets: FilesystemAssets, tmp_path: Path
) -> None:
    digests = []
    for number in range(4):
        digest = await assets.put(write(tmp_path / "a", bytes([number]) * 1000))
        os.utime(await assets.local(digest), (number * 1000, number * 1000))
        digests.append(digest)
    # What is kept does not count as cache: one of the other three has to go.
    assert await sweep(assets, keep=frozenset({digests[0]}), max_bytes=2500) == 1000
    left = [digest for digest in digests if await assets.touch(digest)]
    assert left == [digests[0], *digests[2:]]


async def test_what_a_running_job_uses_is_not_swept(assets: FilesystemAssets, tmp_path: Path) -> None:
    old = await assets.put(write(tmp_path / "a", b"old"))
    os.utime(await assets.local(old), (1000, 1000))
    used = await assets.put(write(tmp_path / "a", b"used"))
    os.utime(await assets.local(used), (1000, 1000))
    began = time.time() - 1
    await assets.put_manifest(KEY, {"digest": used}, (used,))
    assert await assets.manifest(KEY) is not None  # taking a finished step counts as use
    await sweep(assets, max_bytes=0, used_since=began)
    assert not await assets.touch(old) and await assets.touch(used)


async def test_low_space_is_made_good_from_the_cache(assets: FilesystemAssets, tmp_path: Path) -> None:
    digest = await assets.put(write(tmp_path / "a", b"x" * 1000))
    assert await sweep(assets, min_free_bytes=2**60) == 1000
    assert not await assets.touch(digest)


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"output": {}, "blobs": ["../x"]}'])
async def test_a_torn_manifest_is_no_manifest(assets: FilesystemAssets, torn: str) -> None:
    await assets.put_manifest(KEY, {"n": 1}, ())
    path = assets.root / "steps" / KEY[:2] / f"{KEY}.json"
    path.write_text(torn)
    assert await assets.manifest(KEY) is None
    assert await assets.put_manifest(KEY, {"n": 2}, ()) == {"n": 2}


async def sweep(assets: FilesystemAssets, **more: Any) -> int:
    rules = {"keep": frozenset(), "max_bytes": 10**9, "max_age_s": 1e12, "min_free_bytes": 0, "used_since": 4e9}
    return await assets.sweep(**{**rules, **more})


async def test_leftovers_of_a_crash_are_cleared_at_start(assets: FilesystemAssets) -> None:
    (assets.root / "tmp" / "half.part").write_bytes(b"x")
    assets.prepare()
    assert list((assets.root / "tmp").iterdir()) == []
