"""The user's own videos and photos, found by the words of their names, their folders and what is written about them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from vidgend.errors import ProviderError, ProviderGarbage
from vidgend.models import Candidate, Credit
from vidgend.pipeline.footage.download import CHUNK_BYTES, disk_error
from vidgend.pipeline.footage.library_files import (
    MAX_FILES,
    SUFFIXES,
    FoundFile,
    Stamp,
    Walk,
    open_regular,
    read_start,
    size_and_time,
    walk,
)
from vidgend.pipeline.footage.library_index import Entry, LibraryIndex
from vidgend.pipeline.footage.library_words import Caption, by_name, of_file
from vidgend.pipeline.footage.port import FootageQuery, SearchKind
from vidgend.pipeline.media_kind import HEAD_BYTES, MediaType, sniff
from vidgend.pipeline.part_file import finish, part_path
from vidgend.pipeline.provider_http import Clock
from vidgend.store.schema import is_damaged

_log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

REFRESH_S = 60.0
PATIENCE_S = 2.0
"""How long a search waits for a walk through slow folders before it answers from what is known already."""
ANSWER_S = 15.0
"""How long a network drive may take to say whether the files that were found are still there."""
STOP_S = 5.0
"""How long a copy that is cancelled is waited for; one from a drive that hangs ends when that answers."""
_DRIVE_THREADS = 4
_BATCH = 500
"""New files in one transaction: what is put can be found while the rest is still read."""


class LibraryFootage:
    """Search over `folders`. Files are copied out, never touched.

    What is known about them is kept at `index_path`, in memory if that is None. The folders are walked through by a
    search if nobody has done so for `refresh_s`; `LibraryWatch` does it all the time, and looks into the files as well.
    """

    name = "library"
    kinds: tuple[SearchKind, ...] = ("any",)

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        index_path: Path | None = None,
        max_files: int = MAX_FILES,
        refresh_s: float = REFRESH_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self.folders = tuple(folders)
        names = "\n".join(str(folder) for folder in self.folders)
        self.identity = f"library:{hashlib.sha256(names.encode()).hexdigest()[:16]}"
        self._places = {str(folder): number for number, folder in reversed(list(enumerate(self.folders)))}
        self._index = LibraryIndex(index_path)
        self._max_files = max_files
        self._refresh_s = refresh_s
        self._clock = clock
        self._walked_s: float | None = None
        self._missing: dict[str, str] = {}
        self._walking: asyncio.Task[None] | None = None
        self._slow = False
        # Threads of their own: a hanging network drive keeps these, and neither the index nor the rest of the process.
        self._index_thread = ThreadPoolExecutor(1, thread_name_prefix="library-index")
        self._files_thread = ThreadPoolExecutor(1, thread_name_prefix="library-files")
        self._offers_thread = ThreadPoolExecutor(1, thread_name_prefix="library-offers")
        self._drive_threads = ThreadPoolExecutor(_DRIVE_THREADS, thread_name_prefix="library-drive")

    async def search(self, query: FootageQuery) -> tuple[Candidate, ...]:
        """Files that share a word with `query.text`, most shared words first; folders that are missing hold nothing.

        Raises: ProviderError if all folders are missing, or the index cannot be read.
        """
        await self._up_to_date()
        if self.folders and len(self._missing) == len(set(self.folders)):
            raise ProviderError("; ".join(f"{folder}: {reason}" for folder, reason in self._missing.items()))
        most = query.limit * 2 + 10  # some may be gone
        found = await self.indexed(LibraryIndex.search, query.text, language=query.language, most=most)
        offered = asyncio.get_running_loop().run_in_executor(self._offers_thread, self._offered, found, query.limit)
        try:
            return await asyncio.wait_for(offered, ANSWER_S)
        except TimeoutError:
            raise ProviderError(f"the folders of the library do not answer within {ANSWER_S:g} s") from None

    async def fetch(self, candidate: Candidate, *, width_px: int, height_px: int, path: Path) -> None:
        """Copy the file. Raises: ProviderError (gone), ProviderGarbage (no media), StorageFull, StepError."""
        stop = threading.Event()
        copying = self._drive_threads.submit(self._copy, candidate.id, path, stop)
        work = asyncio.wrap_future(copying)
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            work.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # nobody is told any more
            if not copying.cancel():
                await asyncio.wait({work}, timeout=STOP_S)
            raise

    async def preview(self, candidate: Candidate, *, path: Path) -> Path:
        """The file itself, where it lies. Raises: ProviderError (gone)."""
        return await self.on_drive(self._resolve, candidate.id)

    async def aclose(self) -> None:
        """Ends the walk that may be under way, and closes the index."""
        if self._walking is not None:
            self._walking.cancel()
            await asyncio.wait({self._walking})
            self._walking = None
        for threads in (self._files_thread, self._offers_thread, self._drive_threads):
            threads.shutdown(wait=False, cancel_futures=True)
        with contextlib.suppress(RuntimeError):  # closed before
            self._index_thread.submit(self._index.close)
        await asyncio.to_thread(self._index_thread.shutdown)

    # --- the index -------------------------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Walk through the folders now and put down what is new, changed or gone. Raises: ProviderError."""
        if self._walking is None or self._walking.done():
            self._walking = asyncio.create_task(self._walk(), name="library walk")
            self._walking.add_done_callback(self._walked)
        await asyncio.shield(self._walking)

    async def indexed(self, work: Callable[Concatenate[LibraryIndex, P], T], /, *args: P.args, **more: P.kwargs) -> T:
        """Run a method of the index on its thread, whole even if the caller is cancelled. A damaged index is emptied.

        Raises: ProviderError if the index cannot be read or written.
        """
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.shield(
                loop.run_in_executor(self._index_thread, partial(work, self._index, *args, **more))
            )
        except sqlite3.Error as error:
            if is_damaged(error):
                _log.warning("library_index_damaged", extra={"error": str(error)})
                await loop.run_in_executor(self._index_thread, self._index.discard)
                self._walked_s = None
            raise ProviderError(f"the index of the library: {error}") from error

    async def on_drive(self, work: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
        """Run something that reads single files of the folders."""
        return await asyncio.get_running_loop().run_in_executor(self._drive_threads, partial(work, *args, **more))

    def resolve(self, folder: str, relative: str) -> Path:
        """Where a file of the index lies. Raises: ProviderError (gone)."""
        return self._resolve(f"{self._places.get(folder, '')}/{relative}")

    async def _up_to_date(self) -> None:
        if self._walked_s is not None and self._clock() - self._walked_s <= self._refresh_s:
            return
        known = self._walked_s is not None or bool(await self.indexed(LibraryIndex.stamps))
        try:
            await asyncio.wait_for(self.refresh(), None if not known else 0.0 if self._slow else PATIENCE_S)
        except TimeoutError:
            if not self._slow:
                _log.info("library_walk_is_slow", extra={"patience_s": PATIENCE_S})
            self._slow = True  # until that walk has ended
        except ProviderError as error:  # a full disk: what is known can still be found
            if not known:
                raise
            _log.warning("library_not_walked", extra={"reason": error.detail})

    def _walked(self, task: asyncio.Task[None]) -> None:
        self._slow = False
        if not task.cancelled():
            task.exception()  # told to those who wait; maybe nobody does any more

    async def _walk(self) -> None:
        began_s = self._clock()
        loop = asyncio.get_running_loop()
        known = await self.indexed(LibraryIndex.stamps)
        found: Walk = await loop.run_in_executor(self._files_thread, walk, self.folders, self._max_files)
        if found.missing != self._missing:
            _log.warning("library_folders_missing", extra={"folders": found.missing})
        self._missing = found.missing
        changed, gone = await loop.run_in_executor(self._files_thread, _compare, known, found)
        for start in range(0, len(changed), _BATCH):
            batch = changed[start : start + _BATCH]
            told = await loop.run_in_executor(self._files_thread, _captions, batch)
            await self.indexed(LibraryIndex.put, told)
        if gone or self._walked_s is None:
            await self.indexed(LibraryIndex.lose, gone)
        self._walked_s = began_s
        if changed or gone:
            _log.info("library_walked", extra={"files": len(found.files), "changed": len(changed), "gone": len(gone)})

    # --- files -----------------------------------------------------------------------------------------------------

    def _offered(self, entries: Sequence[Entry], limit: int) -> tuple[Candidate, ...]:
        found: list[Candidate] = []
        for entry in entries:
            if len(found) >= limit:
                break
            candidate = self._candidate(entry)
            if candidate is not None:
                found.append(candidate)
        return tuple(found)

    def _candidate(self, entry: Entry) -> Candidate | None:
        """None if the file is gone, or is no media as far as can be seen."""
        place = self._places.get(entry.folder)
        if place is None:
            return None
        path = self.folders[place] / entry.relative
        try:
            status = path.stat()
            same = size_and_time(status) == (entry.size_bytes, entry.mtime_ns)
            facts = entry.facts if same else None
            media = _picture(read_start(path, HEAD_BYTES)) if facts is None else None
        except OSError:
            return None
        if facts is None and media is None:
            return None
        kind = facts["kind"] if facts is not None else media.kind if media is not None else "video"
        told = facts or {}
        name = by_name(entry.relative)
        return Candidate(
            provider="library",
            id=f"{place}/{entry.relative}",
            kind="photo" if kind == "photo" else "video",
            description=entry.caption.text or name.text,
            tags=entry.caption.tags,
            credit=Credit(provider="library"),
            version=f"{status.st_size}-{status.st_mtime_ns}",
            duration_s=told.get("duration_s"),
            width_px=told.get("width_px", 0),
            height_px=told.get("height_px", 0),
            average_rgb=told.get("average_rgb"),
        )

    def _copy(self, candidate_id: str, path: Path, stop: threading.Event) -> None:
        source = self._resolve(candidate_id)
        part = part_path(path)
        try:
            head_seen = False
            try:
                reader = open_regular(source)
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
        if not index.isascii() or not index.isdigit() or int(index) >= len(self.folders) or "\0" in relative:
            raise gone
        folder = self.folders[int(index)]
        try:
            root, file = folder.resolve(strict=True), (folder / relative).resolve(strict=True)
            regular = stat.S_ISREG(file.stat().st_mode)
        except (OSError, RuntimeError):
            raise gone from None
        if not regular or not file.is_relative_to(root) or file.suffix.lower() not in SUFFIXES:
            raise gone
        return file


def _compare(known: dict[tuple[str, str], Stamp], found: Walk) -> tuple[list[FoundFile], set[tuple[str, str]]]:
    """The files that are new or changed, and the names of those that are gone."""
    changed = [file for file in found.files if known.get(file.name) != file.stamp]
    return changed, known.keys() - {file.name for file in found.files}


def _captions(files: Sequence[FoundFile]) -> list[tuple[FoundFile, Caption]]:
    return [(file, of_file(file)) for file in files]


def _picture(head: bytes) -> MediaType | None:
    media = sniff(head)
    return media if media is not None and media.kind != "audio" else None
