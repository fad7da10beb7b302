"""The data directory opened by a command: beside a daemon for reading, or instead of one."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidgend.errors import DataDirLocked, NotFound

if TYPE_CHECKING:
    from vidgend.settings import Settings
    from vidgend.store.assets.port import BlobStore
    from vidgend.store.assets.store import AssetStore
    from vidgend.store.database import Database
    from vidgend.store.reading import ReadOnly


FOUND_WRONG = 1
"""The exit code of a command that found something wrong and left it so."""
SHOWN = 50
"""More lines of a kind than this are for --json."""


def _database_path(settings: Settings) -> Path:
    path = settings.data_dir / "vidgend.db"
    if not path.is_file():
        raise NotFound(f"there is no database in {settings.data_dir}", hint="Give the daemon's --data-dir.")
    return path


@asynccontextmanager
async def reading_rows(settings: Settings) -> AsyncIterator[ReadOnly]:
    """The database, beside a daemon."""
    from vidgend.store.reading import ReadOnly

    reads = await ReadOnly.open(_database_path(settings))
    try:
        yield reads
    finally:
        await reads.close()


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[tuple[ReadOnly, BlobStore]]:
    """Beside a daemon. The store is not prepared: that would empty the folder of what is on its way in."""
    from vidgend.runtime import open_blobs

    async with reading_rows(settings) as reads:
        blobs = open_blobs(settings)
        try:
            yield reads, blobs
        finally:
            await blobs.aclose()


@asynccontextmanager
async def owning(settings: Settings) -> AsyncIterator[tuple[Database, AssetStore]]:
    """Instead of a daemon. On a full disk it has the ballast to work with. Raises: DataDirLocked."""
    from vidgend.runtime import open_blobs
    from vidgend.store.assets.store import AssetStore
    from vidgend.store.ballast import Ballast
    from vidgend.store.database import Database, DataDir
    from vidgend.store.restore import refuse_half_restored

    path = _database_path(settings)
    ballast = Ballast(settings.data_dir / "ballast", settings.store.ballast_bytes)
    data_dir = DataDir(settings.data_dir)
    data_dir.acquire(ballast.drop)
    try:
        refuse_half_restored(settings.data_dir)
        database = await Database.open(path, on_full=ballast.drop)
        try:
            assets = AssetStore(database, open_blobs(settings))
            try:
                await assets.prepare()
                yield database, assets
            finally:
                await assets.aclose()
        finally:
            await database.close()
    finally:
        data_dir.release()


def is_locked(data_dir: Path) -> bool:
    """Whether a daemon (or another command) runs here. The lock is let go at once, so that one may start."""
    import fcntl

    try:
        file = (data_dir / "vidgend.lock").open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def disk_errors(settings: Settings) -> Iterator[None]:
    """Raises: SettingsInvalid for folders and databases that cannot be used."""
    from vidgend.cli.here import data_dir_errors

    with data_dir_errors(settings):
        yield


@contextmanager
def hint_when_locked(text: str) -> Iterator[None]:
    """What to do when the data directory is in use."""
    try:
        yield
    except DataDirLocked as error:
        error.hint = text
        raise


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """One line on a terminal's stderr that says how far the work is; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda line: None
        return

    def tell(line: str) -> None:
        click.echo(f"\r\x1b[K{line} ...", nl=False, err=True)

    try:
        yield tell
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)
