"""`vidgend backup | restore`: a data directory saved, and brought back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.data_dir import FOUND_WRONG, SHOWN, disk_errors, hint_when_locked, owning, progress_line
from vidgend.cli.options import Options, echo_json, json_option, shared
from vidgend.cli.outcome import human_bytes
from vidgend.errors import BadInput

if TYPE_CHECKING:
    from vidgend.settings import Settings
    from vidgend.store.backup import Backup
    from vidgend.store.restore import Restored


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Afterwards remove all but the newest N in DIR.")
@click.option("--cache", is_flag=True, help="Also what can be made again: clips, speech, segments.")
@json_option
@shared()
@click.pass_obj
def backup(options: Options, folder: Path, keep: int | None, cache: bool, as_json: bool) -> None:
    """Save the database, the results' files and the secrets into DIR/vidgend-DATE. Runs beside a daemon.

    Ends with 1 if files that should be there are missing; then nothing older is removed.
    """
    from vidgend.store.backup import back_up, keep_newest

    settings = options.settings()
    on_s3 = settings.assets.url.startswith("s3:")
    with disk_errors(settings), _folder_errors(folder), progress_line() as tell:
        made = back_up(
            settings.data_dir,
            None if on_s3 else settings.assets_dir,
            folder,
            with_cache=cache,
            progress=lambda done, total: tell(f"{done} of {total} files"),
        )
        removed = keep_newest(folder, keep) if keep and not made.lost else []
    if as_json:
        echo_json(_backup_told(made, removed))
    else:
        _print_backup(made, removed, keep=keep)
    if made.lost:
        raise click.exceptions.Exit(FOUND_WRONG)


@contextmanager
def _folder_errors(folder: Path) -> Iterator[None]:
    """Raises: BadInput where DIR cannot be written to."""
    try:
        yield
    except OSError as error:
        place = Path(str(error.filename2 or error.filename or "")).absolute()
        if not place.is_relative_to(folder.absolute()) and not folder.absolute().is_relative_to(place):
            raise
        raise BadInput(f"cannot write to {folder}: {(error.strerror or str(error)).lower()}") from None


def _backup_told(made: Backup, removed: list[Path]) -> dict[str, Any]:
    return {**asdict(made), "path": str(made.path), "removed": [str(path) for path in removed]}


def _print_backup(made: Backup, removed: list[Path], *, keep: int | None) -> None:
    if not made.with_files:
        click.echo("note: the files are on S3 and are not in this backup")
    if made.expired:
        click.echo(f"note: {len(made.expired)} files were deleted by the daemon meanwhile")
    for digest in made.lost[:SHOWN]:
        click.echo(f"wrong: the file {digest} is missing or damaged in the store")
    if made.lost:
        kept = "; older backups were kept" if keep else ""
        click.echo(f"wrong: {len(made.lost)} files are not in this backup; run `vidgend fsck --deep`{kept}")
    if removed:
        click.echo(f"removed {len(removed)} older backup{'s' * (len(removed) > 1)}")
    files = f" and {made.files} files ({human_bytes(made.file_bytes)})" if made.with_files else ""
    click.echo(f"{made.path}: the database ({human_bytes(made.database_bytes)}){files}")


@click.command()
@click.argument("source", metavar="BACKUP", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a database that is there (it is kept), leave damaged files out.")
@json_option
@shared()
@click.pass_obj
def restore(options: Options, source: Path, force: bool, as_json: bool) -> None:
    """Bring a backup back into data_dir, after checking all of it. The daemon must be stopped."""
    import asyncio

    from vidgend.store.restore import restore as bring_back

    settings = options.settings()
    on_s3 = settings.assets.url.startswith("s3:")
    with disk_errors(settings), hint_when_locked("Stop the daemon first."), progress_line() as tell:
        restored = bring_back(
            source,
            settings.data_dir,
            None if on_s3 else settings.assets_dir,
            force=force,
            progress=lambda done, total: tell(f"checking {done} of {total} files"),
        )
        named = 0 if on_s3 else asyncio.run(_link_names(settings, tell))
    if as_json:
        echo_json(_restored_told(restored, named))
    else:
        _print_restored(restored, on_s3=on_s3)


async def _link_names(settings: Settings, tell: Callable[[str], None]) -> int:
    """The names of results' files are links, which a backup does not hold. Returns how many results have theirs."""
    from vidgend.store.fsck_repair import link_names

    async with owning(settings) as (database, assets):
        jobs = await database.read("SELECT DISTINCT job_id FROM published")
        for number, (job_id,) in enumerate(jobs):
            if number % 100 == 0:
                tell(f"naming the files of {number} of {len(jobs)} results")
            await link_names(database, assets, job_id)
        return len(jobs)


def _restored_told(restored: Restored, named: int) -> dict[str, Any]:
    aside = str(restored.moved_aside) if restored.moved_aside else None
    secrets = [str(path) for path in restored.secrets_aside]
    return {
        **asdict(restored), "data_dir": str(restored.data_dir), "moved_aside": aside, "secrets_aside": secrets,
        "results": named,
    }  # fmt: skip


def _print_restored(restored: Restored, *, on_s3: bool) -> None:
    if restored.moved_aside:
        click.echo(f"note: the database that was there is now {restored.moved_aside}")
    for path in restored.secrets_aside:
        click.echo(f"note: the secret that was there is now {path}")
    if restored.damaged:
        click.echo(f"note: {len(restored.damaged)} files are damaged in the backup and were left out")
    if restored.dropped:
        click.echo(f"note: {restored.dropped} files are not here any more; their steps run again when they are wanted")
    if on_s3:
        click.echo("note: the files stay on S3; `vidgend fsck` compares them with the database")
    made_at = datetime.fromtimestamp(restored.made_at).strftime("%Y-%m-%d %H:%M")
    files = f" and {restored.files} files ({human_bytes(restored.file_bytes)})" if restored.with_files else ""
    click.echo(f"{restored.data_dir}: {restored.jobs} jobs{files}, as they were at {made_at}")
