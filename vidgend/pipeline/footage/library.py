"""The user's own videos and photos, found by the words of their file and folder names."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidgend.errors import ProviderError, ProviderGarbage
from vidgend.models import Candidate, Credit
from vidgend.pipeline.footage.download import CHUNK_BYTES, disk_error
from vidgend.pipeline.footage.port import FootageQuery, SearchKind
from vidgend.pipeline.media_kind import HEAD_BYTES, MediaType, sniff
from vidgend.pipeline.part_file import finish, part_path
from vidgend.pipeline.provider_http import Clock
from vidgend.pipeline.vocabulary import stems_of

SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".m4v", ".jpg", ".jpeg", ".png", ".webp"})
MAX_FILES = 50_000
MAX_DEPTH = 16
REFRESH_S = 60.0
_FOLDER_WEIGHT = 0.6
"""A folder's name says less about a file than the file's own."""


@dataclass(frozen=True, kw_only=True)
class _Entry:
    id: str
    path: Path
    file_stems: frozenset[str]
    folder_stems: frozenset[str]


class LibraryFootage:
    """Search over `folders`; the index is kept for `refresh_s` seconds. Files are copied out, never touched.

    Links inside a folder that lead out of it, hidden files, and files that are not what their name says are skipped.
    """

    name = "library"
    kinds: tuple[SearchKind, ...] = ("any",)

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        max_files: int = MAX_FILES,
        refresh_s: float = REFRESH_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self._folders = tuple(folders)
        names = "\n".join(str(folder) for folder in self._folders)
        self.identity = f"library:{hashlib.sha256(names.encode()).hexdigest()[:16]}"
        self._max_files = max_files
        self._refresh_s = refresh_s
        self._clock = clock
        self._entries: tuple[_Entry, ...] = ()
        self._indexed_s: float | None = None
        self._lock = asyncio.Lock()

    async def search(self, query: FootageQuery) -> tuple[Candidate, ...]:
        """Files that share a word with `query.text`, most shared words first; folders that are missing hold nothing."""
        entries = await self._index()
        return await asyncio.to_thread(_matches, entries, query)

    async def fetch(self, candidate: Candidate, *, width_px: int, height_px: int, path: Path) -> None:
        """Copy the file. Raises: ProviderError (gone), ProviderGarbage (no media), StorageFull, StepError."""
        stop = threading.Event()
        work = asyncio.ensure_future(asyncio.to_thread(self._copy, candidate.id, path, stop))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait({work})
            work.exception()
            raise

    async def preview(self, candidate: Candidate, *, path: Path) -> Path:
        """The file itself, where it lies. Raises: ProviderError (gone)."""
        return await asyncio.to_thread(self._resolve, candidate.id)

    async def probe(self) -> tuple[str, ...]:
        """What is wrong with the folders, a sentence each; () if all is well."""
        return await asyncio.to_thread(lambda: tuple(_problems(self._folders)))

    async def aclose(self) -> None:
        """Nothing is held open."""

    async def _index(self) -> tuple[_Entry, ...]:
        async with self._lock:
            if self._indexed_s is None or self._clock() - self._indexed_s > self._refresh_s:
                self._entries = await asyncio.to_thread(_scan, self._folders, self._max_files)
                self._indexed_s = self._clock()
            return self._entries

    def _copy(self, candidate_id: str, path: Path, stop: threading.Event) -> None:
        source = self._resolve(candidate_id)
        part = part_path(path)
        try:
            head_seen = False
            try:
                reader = source.open("rb")
            except OSError as error:
                raise ProviderError(f"cannot read the library file: {error.strerror}") from error
            with reader, part.open("wb") as writer:
                while chunk := reader.read(CHUNK_BYTES):
                    if stop.is_set():
                        return
                    if not head_seen and _picture(chunk[:HEAD_BYTES]) is None:
                        raise ProviderGarbage(f"{source.name} is neither a video nor a photo")
                    head_seen = True
                    writer.write(chunk)
                if not head_seen:
                    raise ProviderGarbage(f"{source.name} is empty")
                writer.flush()
                os.fsync(writer.fileno())
            if not stop.is_set():
                finish(part, path)
        except OSError as error:
            raise disk_error(error) from error
        finally:
            part.unlink(missing_ok=True)

    def _resolve(self, candidate_id: str) -> Path:
        """The file of an id, which may come from outside: it must lie inside its folder after all links."""
        index, _, relative = candidate_id.partition("/")
        gone = ProviderError(f"the library has no file {candidate_id!r}")
        if not index.isascii() or not index.isdigit() or int(index) >= len(self._folders) or "\0" in relative:
            raise gone
        folder = self._folders[int(index)]
        try:
            root, file = folder.resolve(strict=True), (folder / relative).resolve(strict=True)
            regular = stat.S_ISREG(file.stat().st_mode)
        except (OSError, RuntimeError):
            raise gone from None
        if not regular or not file.is_relative_to(root) or file.suffix.lower() not in SUFFIXES:
            raise gone
        return file


def _problems(folders: Sequence[Path]) -> Iterator[str]:
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                next(entries, None)
        except OSError as error:
            yield f"library folder {folder}: {error.strerror}"


def _scan(folders: Sequence[Path], max_files: int) -> tuple[_Entry, ...]:
    """All media files by name, in a fixed order, at most `max_files`."""
    found: list[_Entry] = []
    for index, folder in enumerate(folders):
        root = folder.resolve()
        for relative, path in _walk(folder, root, max_files - len(found)):
            parts = relative.split("/")
            found.append(
                _Entry(
                    id=f"{index}/{relative}",
                    path=path,
                    file_stems=frozenset(stems_of(parts[-1].rpartition(".")[0])),
                    folder_stems=frozenset(stems_of(" ".join(parts[:-1]))),
                )
            )
    return tuple(found)


def _walk(folder: Path, root: Path, most: int) -> Iterator[tuple[str, Path]]:
    todo = [("", folder, 0)]
    seen = 0
    while todo:
        prefix, place, depth = todo.pop()
        try:
            with os.scandir(place) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            continue
        below = []
        for entry in entries:
            if entry.name.startswith(".") or not entry.name.isprintable():
                continue
            seen += 1
            if seen > most:
                return
            if entry.is_dir(follow_symlinks=False):
                if depth < MAX_DEPTH:
                    below.append((f"{prefix}{entry.name}/", Path(entry.path), depth + 1))
            elif Path(entry.name).suffix.lower() in SUFFIXES and _inside(entry, root):
                yield prefix + entry.name, Path(entry.path)
        todo.extend(reversed(below))


def _inside(entry: os.DirEntry[str], root: Path) -> bool:
    if not entry.is_symlink():
        return entry.is_file(follow_symlinks=False)
    try:
        target = Path(entry.path).resolve(strict=True)
    except (OSError, RuntimeError):
        return False
    return target.is_relative_to(root) and target.is_file()


def _matches(entries: Sequence[_Entry], query: FootageQuery) -> tuple[Candidate, ...]:
    wanted = frozenset(stems_of(query.text))
    scored = [(score, entry) for entry in entries if (score := _score(entry, wanted)) > 0]
    scored.sort(key=lambda pair: (-pair[0], pair[1].id))
    found: list[Candidate] = []
    for _, entry in scored:
        if len(found) >= query.limit:
            break
        media = _media(entry.path)
        if media is not None:
            found.append(
                Candidate(
                    provider="library",
                    id=entry.id,
                    kind="photo" if media.kind == "photo" else "video",
                    description=_description(entry.id),
                    credit=Credit(provider="library"),
                    version=_version(entry.path),
                )
            )
    return tuple(found)


def _version(path: Path) -> str:
    """Changes when the file is replaced under its name."""
    try:
        stat = path.stat()
    except OSError:
        return ""
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def _score(entry: _Entry, wanted: frozenset[str]) -> float:
    in_file = len(wanted & entry.file_stems)
    return in_file + _FOLDER_WEIGHT * len(wanted & (entry.folder_stems - entry.file_stems))


def _media(path: Path) -> MediaType | None:
    try:
        with path.open("rb") as file:
            return _picture(file.read(HEAD_BYTES))
    except OSError:
        return None


def _picture(head: bytes) -> MediaType | None:
    media = sniff(head)
    return media if media is not None and media.kind != "audio" else None


def _description(candidate_id: str) -> str:
    relative = candidate_id.partition("/")[2]
    return " ".join(relative.rpartition(".")[0].replace("/", " ").replace("_", " ").replace("-", " ").split())
