"""`vidgend gc | fsck | backup | restore` with the files on a real S3 server."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from standins.s3_standin import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, s3_server
from stock import Stock, stock

from vidgend.store.assets.select import select_blobs
from vidgend.store.backup import backups

CLIP, VIDEO = b"clip", b"video"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def bucket(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The bucket's folder, with somebody else's files in it. vidgend has no prefix of its own there."""
    settings = {
        "URL": f"s3://{BUCKET}", "ENDPOINT": server.endpoint, "ACCESS_KEY": ACCESS_KEY, "SECRET_KEY": SECRET_KEY,
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(f"VIDGEND_ASSETS__{name}", value)
    foreign = server.object("holidays/beach.jpg")
    foreign.parent.mkdir()
    foreign.write_bytes(b"beach")
    yield server.object("")
    assert foreign.read_bytes() == b"beach", "a file of somebody else was touched"
    for path in server.object("").iterdir():
        shutil.rmtree(path)


@pytest.fixture
def data(home: Path, bucket: Path, server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = home / "data"
    folder.mkdir()
    monkeypatch.setenv("VIDGEND_DATA_DIR", str(folder))

    async def fill(store: Stock) -> None:
        await store.result("job_done", VIDEO, ended_s_ago=10)
        await store.step("clip", await store.blob(CLIP))

    in_stock(folder, server, fill)
    return folder


def in_stock(folder: Path, server: S3Server, work: Callable[[Stock], Awaitable[None]]) -> None:
    async def run() -> None:
        blobs = select_blobs(
            f"s3://{BUCKET}", root=folder / "assets", endpoint=server.endpoint, access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
        )  # fmt: skip
        async with stock(folder, blobs) as store:
            await work(store)

    asyncio.run(run())


def objects(bucket: Path, content: bytes) -> list[Path]:
    return [path for path in (bucket / "blobs").rglob("*") if path.is_file() and path.read_bytes() == content]


def test_a_store_that_is_in_order_is_told_so(vidgend, data: Path) -> None:
    for command in (["fsck", "--deep"], ["gc"], ["gc", "--dry-run"]):
        result = vidgend(*command)
        assert result.exit_code == 0, result.output


def test_a_lost_object_is_put_back_from_its_copy_on_this_machine(vidgend, data: Path, bucket: Path) -> None:
    [clip] = objects(bucket, CLIP)
    clip.unlink()
    assert "is gone" in vidgend("fsck").stdout
    mended = vidgend("fsck", "--repair")
    assert mended.exit_code == 0 and "taken from another copy" in mended.stdout
    assert len(objects(bucket, CLIP)) == 1 and vidgend("fsck", "--deep").exit_code == 0


def test_a_lost_object_without_a_copy_makes_its_step_run_again(vidgend, data: Path, bucket: Path) -> None:
    for path in objects(bucket, CLIP):
        path.unlink()
    shutil.rmtree(data / "assets")
    mended = vidgend("fsck", "--repair")
    assert mended.exit_code == 0 and "1 steps run again" in mended.stdout
    assert vidgend("fsck").exit_code == 0


def test_objects_and_results_that_no_row_knows_are_deleted(vidgend, data: Path, bucket: Path, server: S3Server) -> None:
    async def forget(store: Stock) -> None:
        await store.sql("DELETE FROM steps")
        await store.sql("DELETE FROM assets WHERE size_bytes = ?", len(CLIP))
        await store.sql("DELETE FROM jobs")

    in_stock(data, server, forget)
    foreseen = json.loads(vidgend("gc", "--dry-run", "--json").stdout)
    assert foreseen["orphans"] == {"count": 1, "bytes": len(CLIP)}
    assert vidgend("gc").exit_code == 0
    assert objects(bucket, CLIP) == [] and not list((bucket / "job_done").rglob("*.mp4"))
    assert len(objects(bucket, VIDEO)) == 1, "it has a row, and was used a moment ago"


def test_a_backup_has_the_database_and_leaves_the_files_where_they_are(vidgend, data: Path, home: Path) -> None:
    made = vidgend("backup", "backups")
    assert made.exit_code == 0 and "the files are on S3 and are not in this backup" in made.stdout
    [path] = backups(home / "backups")
    restored = vidgend("restore", str(path), "--data-dir", "new")
    assert restored.exit_code == 0 and "the files stay on S3" in restored.stdout
    assert vidgend("fsck", "--data-dir", "new").exit_code == 0


def test_a_server_that_is_away_is_told_and_nothing_is_deleted(
    vidgend, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDGEND_ASSETS__ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr("vidgend.store.assets.s3_client.CALL_S", 0.5)
    for command in (["fsck"], ["fsck", "--repair"], ["gc"]):
        result = vidgend(*command)
        assert result.exit_code == 75 and result.stderr.startswith("error: "), result.output
