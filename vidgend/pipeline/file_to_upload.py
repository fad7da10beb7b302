"""Bytes from anywhere -> an upload: received onto the disk of the store, looked at, and taken, or nothing is left."""

from __future__ import annotations

import asyncio
import itertools
import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from io import FileIO
from pathlib import Path

from vidgend.errors import MediaRefused, StepError, StorageFull, UploadTooLarge
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.media_kind import sniff
from vidgend.pipeline.upload_facts import HEAD_BYTES, UploadFacts, examine_upload
from vidgend.store.assets.local_files import full_disk_is_named
from vidgend.store.assets.store import AssetStore
from vidgend.store.assets.to_the_end import in_thread
from vidgend.store.space import Space
from vidgend.store.uploads import Upload, UploadStore

STRIDE_BYTES = 64 * 1024 * 1024
"""How often it is looked whether there is still room."""
WRITE_BYTES = 1024 * 1024
MAX_NAME_CHARS = 200

KeptBytes = Callable[[str], Awaitable[int]]
"""How much the results and uploads of an owner take."""
Slot = Callable[[], AbstractAsyncContextManager[None]]
"""Holds one of the places in which files are looked at."""
MakeRoom = Callable[[int], Awaitable[None]]
"""Has the cache give up so many bytes, if it has them."""


class Intake:
    """`max_bytes` is the largest file that is taken, `quota_bytes` what one owner's results and uploads may take
    together (0: anything)."""

    def __init__(
        self,
        *,
        uploads: UploadStore,
        assets: AssetStore,
        space: Space,
        ffmpeg: FfmpegTool,
        kept_bytes: KeptBytes,
        slot: Slot,
        make_room: MakeRoom,
        max_bytes: int,
        quota_bytes: int = 0,
    ) -> None:
        self._uploads = uploads
        self._assets = assets
        self._space = space
        self._ffmpeg = ffmpeg
        self._kept_bytes = kept_bytes
        self._slot = slot
        self._make_room = make_room
        self._max_bytes = max_bytes
        self._quota_bytes = quota_bytes
        self._numbers = itertools.count(1)
        self._reserving = asyncio.Lock()

    async def check(self, expected_bytes: int | None, *, owner: str) -> int:
        """Whether a file of that size is taken at all. Answers how many bytes it may have.

        Raises: UploadTooLarge, StorageFull.
        """
        most_bytes = self._max_bytes
        if expected_bytes is not None and expected_bytes > most_bytes:
            raise _too_large(most_bytes)
        if self._quota_bytes:
            left_bytes = self._quota_bytes - await self._kept_bytes(owner)
            if left_bytes <= 0 or left_bytes < (expected_bytes or 0):
                raise _over_quota()
            most_bytes = min(most_bytes, left_bytes)
        return most_bytes

    async def take(
        self, pieces: AsyncIterator[bytes], *, name: str, expected_bytes: int | None = None, owner: str
    ) -> tuple[Upload, bool]:
        """Take a file in. Answers (upload, whether it is new): the same bytes again are the upload that there is.

        However it ends, nothing is left of a file that was not taken.
        Raises: MediaRefused, UploadTooLarge, StorageFull, StorageUnavailable, Unavailable, and what `pieces` raises.
        """
        most_bytes = await self.check(expected_bytes, owner=owner)
        sign = f"upload {next(self._numbers)}"
        path = await asyncio.to_thread(self._assets.incoming)
        try:
            await self._receive(pieces, path, sign, most_bytes=most_bytes, expected_bytes=expected_bytes)
            found = await self._look_at(path)
            return await self._uploads.add(
                path,
                kind=found.kind,
                name=clean_name(name) or f"upload{found.suffix}",
                content_type=found.content_type,
                facts=found.facts,
                owner=owner,
            )
        finally:
            self._space.expect(sign, 0)
            await in_thread(lambda: path.unlink(missing_ok=True))

    async def _receive(
        self, pieces: AsyncIterator[bytes], path: Path, sign: str, *, most_bytes: int, expected_bytes: int | None
    ) -> None:
        await self._reserve(sign, expected_bytes if expected_bytes is not None else STRIDE_BYTES)
        opened: list[FileIO] = []
        try:
            await in_thread(lambda: opened.append(path.open("xb", buffering=0)))
            received = written = 0
            waiting, head = bytearray(), b""
            async for piece in pieces:
                received += len(piece)
                if received > most_bytes:
                    raise _over_quota() if most_bytes < self._max_bytes else _too_large(most_bytes)
                waiting += piece
                if not written and not head and len(waiting) >= HEAD_BYTES:
                    head = bytes(waiting[:HEAD_BYTES])
                    _refuse_unknown(head)
                if len(waiting) >= WRITE_BYTES:
                    await in_thread(_write, opened[0], bytes(waiting))
                    if (written + len(waiting)) // STRIDE_BYTES > written // STRIDE_BYTES:
                        left = STRIDE_BYTES if expected_bytes is None else max(0, expected_bytes - received)
                        await self._reserve(sign, left)
                    written += len(waiting)
                    waiting.clear()
            if not received:
                raise MediaRefused("the file is empty")
            if not head:
                _refuse_unknown(bytes(waiting[:HEAD_BYTES]))
            await in_thread(_write, opened[0], bytes(waiting))
        finally:
            for file in opened:
                await in_thread(file.close)

    async def _reserve(self, sign: str, more_bytes: int) -> None:
        """Have room for so much, and say that it will be written. Raises: StorageFull."""
        async with self._reserving:
            self._space.expect(sign, 0)
            lacking_bytes = await asyncio.to_thread(self._space.lacking_bytes, more_bytes)
            if lacking_bytes:
                await self._make_room(lacking_bytes)
                lacking_bytes = await asyncio.to_thread(self._space.lacking_bytes, more_bytes)
            if lacking_bytes:
                raise StorageFull(f"{lacking_bytes / 1e6:.0f} MB of disk space are lacking for this file")
            self._space.expect(sign, more_bytes)

    async def _look_at(self, path: Path) -> UploadFacts:
        async with self._slot():
            ffmpeg = await self._ffmpeg.get_for_request()
            try:
                return await examine_upload(ffmpeg, path)
            except StepError as error:
                raise MediaRefused(error.detail) from error


def _write(file: FileIO, content: bytes) -> None:
    view = memoryview(content)
    with full_disk_is_named():
        while view:
            view = view[file.write(view) :]


def _refuse_unknown(head: bytes) -> None:
    if sniff(head) is None:
        raise MediaRefused("the file is not a video, a photo or sound of a kind that is taken")


def _too_large(most_bytes: int) -> UploadTooLarge:
    return UploadTooLarge(f"a file may have up to {most_bytes:,} bytes")


def _over_quota() -> StorageFull:
    return StorageFull(
        "with this file, the results and uploads that are kept would be more than the quota",
        hint="Delete old jobs or uploads (`vidgend delete`, `vidgend uploads --delete`), or raise assets.quota_bytes.",
    )


def clean_name(name: str) -> str:
    """What a file is called for people: the last part of a path, without signs that cannot be seen; may be empty."""
    last = re.split(r"[/\\]", name)[-1]
    plain = unicodedata.normalize("NFC", last.encode("utf-8", "replace").decode())
    shown = "".join(char if char.isprintable() else " " for char in plain)
    text = " ".join(shown.split())
    if len(text) > MAX_NAME_CHARS:
        stem, dot, suffix = text.rpartition(".")
        keep = f"{dot}{suffix}" if dot and len(suffix) <= 10 else ""
        text = (stem if keep else text)[: MAX_NAME_CHARS - len(keep)].rstrip() + keep
    return text if text.strip(".") else ""
