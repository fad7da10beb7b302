"""A backup back into a data directory. It is read and checked whole before anything is touched."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from vidgend.errors import BackupInvalid, Conflict, SchemaTooNew
from vidgend.store.assets.local_files import digest_of_file, fsync
from vidgend.store.assets.port import check_digest
from vidgend.store.backup import DATABASE, FORMAT, INDEX, TellCount, backups, take_blob
from vidgend.store.database import DataDir
from vidgend.store.live import forget_makers
from vidgend.store.schema import migrations
from vidgend.store.secret_files import SECRETS, write_secret

RESTORING = f"{DATABASE}.restoring"
"""The new database while what belongs to it is put in place. It becomes the database in the last step, so a directory
where it lies is of two moments."""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """`moved_aside` is the database that was there before, `secrets_aside` are its secrets where they are others.
    `dropped` are rows of files that are neither in the backup nor in the store: steps run again, results without their
    files answer 410, uploads have to be sent again."""

    data_dir: Path
    made_at: float
    jobs: int
    files: int
    file_bytes: int
    with_files: bool
    dropped: int
    moved_aside: Path | None
    secrets_aside: tuple[Path, ...]
    damaged: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the index of a backup says. `path` is the backup; `damaged` are digests of files that cannot be used."""

    path: Path
    made_at: float
    with_files: bool
    files: int
    file_bytes: int
    damaged: tuple[str, ...]


def restore(
    source: Path,
    data_dir: Path,
    assets_root: Path | None,
    *,
    force: bool = False,
    progress: TellCount = lambda done, total: None,
) -> Restored:
    """Put a backup into `data_dir`, with its files in `assets_root` (None: they are on S3 and stay there).

    `force` replaces a database that is there already, which is then kept beside the new one with its secrets, and goes
    on without those files of results that are damaged in the backup. Cut short, it can be done again; until then
    `refuse_half_restored` keeps others away.

    Raises: BackupInvalid, SchemaTooNew, DataDirLocked, Conflict, OSError.
    """
    contents = verify(source, leave_out_damaged=force, progress=progress)
    lock = DataDir(data_dir)
    lock.acquire()
    try:
        database = data_dir / DATABASE
        restoring = data_dir / RESTORING
        if database.exists() and not force and not restoring.exists():
            raise Conflict(
                f"{database} is there already", hint="--force keeps it as vidgend.db.before-restore-... and goes on."
            )
        part = data_dir / f"{DATABASE}.restore"
        part.unlink(missing_ok=True)
        shutil.copyfile(source / DATABASE, part)
        part.chmod(0o600)
        if contents.with_files and assets_root is not None:
            _put_files(contents, assets_root)
        jobs, dropped = _make_fit(part, assets_root)
        fsync(part)
        part.replace(restoring)
        fsync(data_dir)
        suffix = _free_suffix(data_dir)
        secrets_aside = _put_secrets(source, data_dir, suffix)
        moved_aside = _keep(database, suffix)
        fsync(data_dir)
        restoring.replace(database)
        fsync(data_dir)
    finally:
        lock.release()
    return Restored(
        data_dir=data_dir, made_at=contents.made_at, jobs=jobs, files=contents.files, file_bytes=contents.file_bytes,
        with_files=contents.with_files, dropped=dropped, moved_aside=moved_aside,
        secrets_aside=secrets_aside, damaged=contents.damaged,
    )  # fmt: skip


def refuse_half_restored(data_dir: Path) -> None:
    """Raises: Conflict where a restore was cut short: the secrets and the database may not belong together."""
    if (data_dir / RESTORING).exists():
        raise Conflict(
            f"a restore into {data_dir} was cut short", hint="Run `vidgend restore` again; it goes on where it was."
        )


# --- checking ------------------------------------------------------------------------------------------------------


def verify(
    source: Path, *, leave_out_damaged: bool = False, progress: TellCount = lambda done, total: None
) -> Contents:
    """Read every byte of a backup and compare it with the index. Raises: BackupInvalid, SchemaTooNew."""
    if not (source / INDEX).is_file():
        inside = backups(source)
        hint = f"The newest one in that folder is {inside[-1]}." if inside else None
        raise BackupInvalid(f"{source} has no {INDEX}, so it is no whole backup", hint=hint)
    lines = list_index(source / INDEX)
    head = next(lines)
    total = _count_lines(source / INDEX)
    files = file_bytes = 0
    names, damaged = set(), list[str]()
    for done, line in enumerate(lines):
        if done % 100 == 0:
            progress(done, total)
        if "missing" in line:
            continue
        wrong = _check_file(source, line)
        if line["path"] in (DATABASE, *SECRETS):
            if wrong:
                raise BackupInvalid(wrong)
            names.add(line["path"])
        elif wrong:
            if not leave_out_damaged:
                raise BackupInvalid(wrong, hint="--force goes on without such files; their results answer 410.")
            damaged.append(line["sha256"])
        else:
            files, file_bytes = files + 1, file_bytes + line["size_bytes"]
    if DATABASE not in names:
        raise BackupInvalid(f"{source} holds no database")
    _check_database(source / DATABASE)
    return Contents(
        path=source, made_at=float(head["made_at"]), with_files=bool(head["files"]), files=files,
        file_bytes=file_bytes, damaged=tuple(damaged),
    )  # fmt: skip


def list_index(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of an index without the last one, which is compared with what came before. Raises: BackupInvalid."""
    sha256, count, closed = hashlib.sha256(), 0, False
    with path.open("rb") as file:
        for text in file:
            try:
                line = json.loads(text)
                if count == 0 and line["format"] != FORMAT:
                    raise BackupInvalid(f"{path} has format {line['format']}; this vidgend knows {FORMAT}")
                if "end" in line:
                    closed = line["end"] == count and line["sha256"] == sha256.hexdigest()
                    break
            except (ValueError, KeyError, TypeError):
                raise BackupInvalid(f"{path} is damaged at line {count + 1}") from None
            sha256.update(text)
            count += 1
            yield line
    if not closed:
        raise BackupInvalid(f"{path} is not whole")


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _check_file(source: Path, line: dict[str, Any]) -> str:
    """What is wrong with a file; empty if nothing is. Raises: BackupInvalid for a line that makes no sense."""
    try:
        name, size_bytes, expected = line["path"], line["size_bytes"], line["sha256"]
        parts = PurePosixPath(name).parts
    except (KeyError, TypeError):
        raise BackupInvalid(f"a line of {source / INDEX} makes no sense: {line}") from None
    if name not in (DATABASE, *SECRETS) and parts != ("assets", "blobs", expected[:2], check_digest(expected)):
        raise BackupInvalid(f"{name} is not a name that a backup has")
    path = source / name
    if not path.is_file():
        return f"{path} is missing"
    if path.stat().st_size != size_bytes:
        return f"{path} has {path.stat().st_size} bytes, not {size_bytes}"
    return "" if _holds(path, expected) else f"{path} is damaged: its SHA-256 is not that of the index"


def _holds(path: Path, sha256: str) -> bool:
    try:
        return digest_of_file(path) == sha256
    except OSError:
        return False


def _check_database(path: Path) -> None:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        answer = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise BackupInvalid(f"{path}: {error}") from error
    finally:
        connection.close()
    if answer != "ok":
        raise BackupInvalid(f"{path}: {answer}")
    if version > len(migrations()):
        raise SchemaTooNew(f"{path} has schema {version}; this vidgend knows up to {len(migrations())}")


# --- writing -------------------------------------------------------------------------------------------------------


def _put_files(contents: Contents, root: Path) -> None:
    folders = {root, root / "blobs"}
    for line in list_index(contents.path / INDEX):
        place = PurePosixPath(str(line.get("path", "")))
        if place.parts[:1] != ("assets",) or line["sha256"] in contents.damaged:
            continue
        target, source = root / place.relative_to("assets"), contents.path / place
        if target.is_file() and (target.samefile(source) or _holds(target, target.name)):
            continue
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folders.add(target.parent)
        part = target.with_name(f"{target.name}.part")
        part.unlink(missing_ok=True)
        take_blob(source, part, line["size_bytes"])
        part.replace(target)
    for folder in sorted(folders, reverse=True):
        if folder.is_dir():
            fsync(folder)


def _make_fit(database: Path, assets_root: Path | None) -> tuple[int, int]:
    """Drop the rows of files that are nowhere, and say that the daemon did not crash: it was only copied.

    Returns (jobs, dropped rows). An older schema is left to the upgrade at start, and then to `vidgend fsck`.
    """
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE boots SET clean_stop = 1")
        dropped = 0
        if assets_root is not None and connection.execute("PRAGMA user_version").fetchone()[0] == len(migrations()):
            rows = connection.execute(
                "SELECT digest FROM assets UNION SELECT digest FROM published UNION SELECT digest FROM uploads"
            ).fetchall()
            gone = [(digest,) for (digest,) in rows if not (assets_root / "blobs" / digest[:2] / digest).is_file()]
            for (digest,) in gone:
                forget_makers(connection, digest)
            connection.executemany("DELETE FROM published WHERE digest = ?", gone)
            connection.executemany("DELETE FROM assets WHERE digest = ?", gone)
            connection.executemany("DELETE FROM uploads WHERE digest = ?", gone)
            dropped = len(gone)
            # What was to be deleted at that time may belong to a newer result by now, which this database cannot know.
            connection.execute("DELETE FROM doomed")
        connection.execute("COMMIT")
        return connection.execute("SELECT count(*) FROM jobs").fetchone()[0], dropped
    finally:
        connection.close()


def _free_suffix(data_dir: Path) -> str:
    """What is kept gets this behind its name."""
    stamp = datetime.fromtimestamp(time.time(), UTC).strftime("before-restore-%Y-%m-%dT%H-%M-%SZ")
    suffix, number = stamp, 1
    while any((data_dir / f"{name}.{suffix}").exists() for name in (DATABASE, *SECRETS)):
        number += 1
        suffix = f"{stamp}-{number}"
    return suffix


def _keep(database: Path, suffix: str) -> Path | None:
    """Keep the database that is there under another name too. Its log is moved: beside another database it would be
    taken for that one's. The name itself never lacks a database, or a daemon would make an empty one."""
    kept = database.with_name(f"{database.name}.{suffix}")
    if database.exists():
        with contextlib.suppress(sqlite3.Error):  # a damaged one is kept as it is
            connection = sqlite3.connect(database, isolation_level=None)
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.close()
        _link(database, kept)
    for end in ("-wal", "-shm"):
        log = database.with_name(database.name + end)
        if log.exists():
            log.replace(log.with_name(kept.name + end))
    return kept if kept.exists() else None


def _put_secrets(source: Path, data_dir: Path, suffix: str) -> tuple[Path, ...]:
    """Returns where those are kept that were there and are others."""
    kept = []
    for name in SECRETS:
        if not (source / name).is_file():
            continue
        content, target = (source / name).read_bytes(), data_dir / name
        if target.is_file() and target.read_bytes() != content:
            aside = data_dir / f"{name}.{suffix}"
            _link(target, aside)
            kept.append(aside)
        write_secret(target, content)
    return tuple(kept)


def _link(path: Path, name: Path) -> None:
    try:
        os.link(path, name)
    except OSError:  # a file system without links
        shutil.copy2(path, name)
        fsync(name)
