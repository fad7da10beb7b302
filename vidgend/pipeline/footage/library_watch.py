"""Keeps the library's index true while the daemon runs: a walk a minute, and a look into each file once, one by one.

Walking instead of inotify: that sees nothing of what another machine does on a network drive, and needs a watch for
every folder; a walk over 10 000 files costs a tenth of a second.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidgend.errors import ProviderError, StepError, StepTimeout, ToolMissing
from vidgend.models import ClipScan
from vidgend.pipeline.clip_facts import examine_and_read
from vidgend.pipeline.clip_scan import shots_of
from vidgend.pipeline.executor.port import Label, Load
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.footage.library import REFRESH_S, LibraryFootage
from vidgend.pipeline.footage.library_files import read_digest, read_start, size_and_time
from vidgend.pipeline.footage.library_index import LibraryIndex, Pending
from vidgend.pipeline.footage.library_words import of_header, of_xmp
from vidgend.pipeline.provider_http import Clock

_log = logging.getLogger(__name__)

LAST = -1000
"""The priority of a look: every step of a job goes before it."""
BUSY_WAIT_S = 10.0
"""While jobs compute, there is one look in so many seconds: half a second of processor time."""
_XMP_BYTES = 262_144
_KEPT = ("kind", "width_px", "height_px", "fps", "duration_s", "average_rgb", "prints")


class LibraryWatch:
    """`slot` gives a place among the encodes to somebody with that priority. `load` tells how busy the machine is: a
    look never waits for a place, since a model that lives there would make way for it."""

    def __init__(
        self,
        library: LibraryFootage,
        ffmpeg: FfmpegTool,
        slot: Callable[[int], AbstractAsyncContextManager[None]],
        load: Callable[[], Awaitable[Mapping[Label, Load]]],
        *,
        every_s: float = REFRESH_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self._library = library
        self._ffmpeg = ffmpeg
        self._slot = slot
        self._load = load
        self._every_s = every_s
        self._clock = clock

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            due_s = self._clock() + self._every_s
            try:
                await self._library.refresh()
                await self.look(until_s=due_s)
            except (ProviderError, ToolMissing) as error:
                _log.warning("library_not_indexed", extra={"reason": error.detail})
            except Exception:  # noqa: BLE001  a bug here, or a drive with moods, ends no job
                _log.exception("library_watch_crashed")
            await asyncio.sleep(max(0.0, due_s - self._clock()))

    async def look(self, *, until_s: float = float("inf"), told: Callable[[int], object] = lambda looked: None) -> int:
        """Look into all files that nobody has looked into, till then; how many. `told` hears of each.

        Raises: ToolMissing, ProviderError (the index).
        """
        looked = after = 0
        while self._clock() < until_s:
            file = await self._library.indexed(LibraryIndex.pending, after)
            if file is None:
                break
            after = file.id
            try:
                await self._look_into(file)
            except (ProviderError, ToolMissing):
                raise
            except Exception as bug:  # noqa: BLE001  one odd file keeps nobody from the others
                _log.exception("library_look_crashed", extra={"file": file.relative})
                await self._library.indexed(LibraryIndex.postpone, file, f"{type(bug).__name__}: {bug}")
            looked += 1
            told(looked)
        return looked

    async def _look_into(self, file: Pending) -> None:
        """Puts down what is found, or why nothing is. Raises: ToolMissing, ProviderError (the index)."""
        index, drive = self._library.indexed, self._library.on_drive
        try:
            path = await drive(self._library.resolve, file.folder, file.relative)
        except ProviderError:
            return  # it is gone; the next walk sees it
        try:
            digest = await drive(read_digest, path)
        except OSError as error:
            trouble = error.strerror or str(error)
            await index(LibraryIndex.postpone, file, trouble)
            return
        if await index(LibraryIndex.adopt, file, digest):
            return
        await self._quiet()
        async with self._slot(LAST):
            found = await self._facts(await self._ffmpeg.get(), path)
        if await drive(_changed, file, path):
            return
        if isinstance(found, _Unusable):
            _log.info("library_file_unusable", extra={"file": file.relative, "reason": found.reason})
            if found.for_now:
                await index(LibraryIndex.postpone, file, found.reason)
            else:
                await index(LibraryIndex.record, file, digest, {}, problem=found.reason)
        else:
            await index(LibraryIndex.record, file, digest, found)

    async def _facts(self, ffmpeg: Ffmpeg, path: Path) -> dict[str, Any] | _Unusable:
        """As `Entry.facts`."""
        try:
            examined, said = await examine_and_read(ffmpeg, path)
            caption = of_header(said)
            if examined["kind"] == "photo":
                caption += of_xmp(await self._library.on_drive(read_start, path, _XMP_BYTES))
        except StepError as error:
            in_time = not isinstance(error, StepTimeout) and not isinstance(error.__cause__, StepTimeout)
            return _Unusable(reason=error.detail, for_now=not in_time)
        except OSError as error:
            return _Unusable(reason=error.strerror or str(error), for_now=True)
        facts = {name: examined[name] for name in _KEPT}
        shots = shots_of(ClipScan(**examined["scan"])) if examined["kind"] == "video" else ()
        return {**facts, "shots": shots, "text": caption.text, "tags": caption.tags}

    async def _quiet(self) -> None:
        """Wait until a look is in nobody's way."""
        patient_s = self._clock() + BUSY_WAIT_S
        while True:
            load = await self._load()
            busy = any(one.running or one.queued for label, one in load.items() if label in ("ffmpeg", "cpu", "gpu"))
            if load["ffmpeg"].free > 0 and (not busy or self._clock() >= patient_s):
                return
            await asyncio.sleep(1.0)


@dataclass(frozen=True, kw_only=True)
class _Unusable:
    """`for_now`: it was not looked at to the end, and another day that may do."""

    reason: str
    for_now: bool


def _changed(file: Pending, path: Path) -> bool:
    try:
        status = path.stat()
    except OSError:
        return True
    return size_and_time(status) != (file.size_bytes, file.mtime_ns)
