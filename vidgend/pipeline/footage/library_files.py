"""The files of the library's folders: which there are, and reading of them what is asked, without ever being led away.

Names are looked at, not contents. Measured for 10 000 files in 200 folders on a local disk: docs/library.md.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".m4v", ".jpg", ".jpeg", ".png", ".webp"})
SIDECARS = (".txt", ".xmp", ".json", ".info.json", ".supplemental-metadata.json")
"""Of `dog.mp4`: `dog.txt` or `dog.mp4.txt`, and so on. The last two are those of yt-dlp and Google Takeout."""
MAX_FILES = 50_000
MAX_DEPTH = 16
MAX_ENTRIES = 500_000
"""Names of any kind that are looked at below one folder."""
_BLOCK_BYTES = 65_536
_MOST = 2**63 - 1
"""The index holds no larger numbers. Network drives and merged ones have inodes of 64 bits, and any time of change."""

Stamp = tuple[int, int, int, str]
"""Size in bytes, time of change in ns, inode, and the same of the sidecars as text: equal if nothing was changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundFile:
    """A media file by its name. `relative` to `folder`, with slashes."""

    folder: str
    relative: str
    stamp: Stamp
    sidecars: tuple[str, ...] = ()
    """Paths."""

    @property
    def name(self) -> tuple[str, str]:
        return self.folder, self.relative


@dataclass(kw_only=True)
class Walk:
    """What a walk through the folders found. `missing` are folders that cannot be read, with the reason."""

    files: list[FoundFile] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


def size_and_time(status: os.stat_result) -> tuple[int, int]:
    """Size in bytes and time of change in ns, as a stamp has them."""
    return status.st_size, max(-_MOST, min(_MOST, status.st_mtime_ns))


def walk(folders: Sequence[Path], max_files: int = MAX_FILES) -> Walk:
    """All media files by name, in a fixed order, at most `max_files`.

    Links that lead out of their folder, hidden names and what is no regular file are left out.
    """
    found = Walk()
    for folder in folders:
        try:
            root = folder.resolve(strict=True)
            with os.scandir(root) as entries:
                next(entries, None)
        except (OSError, RuntimeError) as error:
            found.missing[str(folder)] = getattr(error, "strerror", None) or str(error)
            continue
        found.files += _walk(folder, root, max_files - len(found.files))
    return found


def _walk(folder: Path, root: Path, most: int) -> Iterator[FoundFile]:
    todo = [("", str(folder), 0)]
    seen, left = 0, MAX_ENTRIES
    while todo and left > 0:
        prefix, place, depth = todo.pop()
        try:
            with os.scandir(place) as listing:
                entries = sorted(itertools.islice(listing, left), key=lambda entry: entry.name)
        except OSError:
            continue
        left -= len(entries)
        names = {entry.name: entry for entry in entries}
        below = []
        for entry in entries:
            if entry.name.startswith(".") or not entry.name.isprintable():
                continue
            suffix = _suffix(entry.name)
            if suffix in SUFFIXES:
                if (status := _regular(entry, root)) is not None:
                    seen += 1
                    if seen > most:
                        return
                    sidecars = _sidecars(entry.name, suffix, names, root)
                    side = " ".join(f"{one.name} {size} {mtime_ns}" for one, size, mtime_ns in sidecars)
                    yield FoundFile(
                        folder=str(folder), relative=prefix + entry.name,
                        stamp=(*size_and_time(status), status.st_ino & _MOST, side),
                        sidecars=tuple(one.path for one, _, _ in sidecars),
                    )  # fmt: skip
            elif depth < MAX_DEPTH and _is_folder(entry):
                below.append((f"{prefix}{entry.name}/", entry.path, depth + 1))
        todo.extend(reversed(below))


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122  ten thousand Paths take as long as the listing itself


def _sidecars(
    name: str, suffix: str, names: dict[str, os.DirEntry[str]], root: Path
) -> list[tuple[os.DirEntry[str], int, int]]:
    found = []
    for base in (name[: -len(suffix)], name):
        for ending in SIDECARS:
            entry = names.get(base + ending)
            if entry is not None and (status := _regular(entry, root)) is not None:
                found.append((entry, status.st_size, status.st_mtime_ns))
    return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Where the listing does not say, the file system is asked, and may refuse."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _regular(entry: os.DirEntry[str], root: Path) -> os.stat_result | None:
    """Of a regular file that lies inside `root`, also at the end of a link; None for anything else."""
    try:
        if entry.is_symlink() and not Path(entry.path).resolve(strict=True).is_relative_to(root):
            return None
        status = entry.stat()
    except (OSError, RuntimeError):
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def read_start(path: str | Path, most_bytes: int) -> bytes:
    """The first bytes of a regular file. Raises: OSError."""
    with open_regular(path) as file:
        return file.read(most_bytes)


def read_digest(path: Path) -> str:
    """Tells files apart without reading all of them: a hash of the length, the beginning, the middle and the end.

    Two files that somebody made to differ elsewhere only are taken for one. Raises: OSError.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(size.to_bytes(8, "big"))
        for at in sorted({0, max(0, size // 2 - _BLOCK_BYTES // 2), max(0, size - _BLOCK_BYTES)}):
            file.seek(at)
            digest.update(file.read(_BLOCK_BYTES))
    return digest.hexdigest()[:32]


def open_regular(path: str | Path) -> BinaryIO:
    """To read; its caller closes. Never waits for a pipe. Raises: OSError."""
    file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")  # noqa: PTH123, SIM115  its caller closes
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file")
    return file
