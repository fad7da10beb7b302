"""The first and last frames of shots, graded and raw, kept for a moment for the transitions that show them.

A scene's body has just decoded and graded the frames around it. A transition that finds them here need not go to the
key frame before them, decode from there on and grade again, which costs more than its own encode. What is not here is
made again (after a restart, an edit, or for a very long transition), with the same result: so nothing depends on this.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from vidgend.pipeline.bounce import frame_bytes
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.segment_args import TAIL_LEAD
from vidgend.pipeline.timeline import Shot

End = Literal["head", "tail"]

LONGEST_BYTES = 200_000_000
"""Of one end of a shot: half a second of 2160p30. A longer one is not kept."""
MOST_BYTES = 1_000_000_000
"""Of all that are kept; the oldest go first."""
KEPT_S = 900.0
"""Transitions come right after the bodies beside them. What nobody has taken by then is of a job that has ended."""


@dataclass(frozen=True, kw_only=True)
class _Kept:
    path: Path
    size_bytes: int
    lead: int
    timer: asyncio.TimerHandle


class ShotEnds:
    """Files in `folder`, known to this process only. Each is given away once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, _Kept] = {}

    @staticmethod
    def wanted(shot: Shot, encoding: Encoding) -> bool:
        """Whether a body should leave the ends of its shot: there are some, and they are not too long."""
        return 0 < max(shot.head, shot.tail) <= LONGEST_BYTES // frame_bytes(encoding)

    async def keep(self, args: dict[str, Any], style: str, encoding: Encoding, scratch: Path) -> None:
        """Take `head.yuv` and `tail.yuv` out of the scratch folder of a body. `args` are those of the shot's picture
        (clip, shot, motion). What is shorter than it should be is of a damaged clip, and left where it is."""
        shot = Shot(**args["shot"])
        if shot.head:
            await self.add(args, style, encoding, "head", scratch / "head.yuv")
        if shot.tail:
            await self.add(args, style, encoding, "tail", scratch / "tail.yuv", lead=TAIL_LEAD)

    async def _add(self, name: str, path: Path, size_bytes: int, lead: int) -> None:
        await self._drop(name)
        while self._kept and size_bytes + sum(one.size_bytes for one in self._kept.values()) > MOST_BYTES:
            await self._drop(next(iter(self._kept)))
        kept = self._folder / name
        if await asyncio.to_thread(_moved, path, kept, size_bytes):
            timer = asyncio.get_running_loop().call_later(KEPT_S, self._expire, name)
            self._kept[name] = _Kept(path=kept, size_bytes=size_bytes, lead=lead, timer=timer)

    def has(self, args: dict[str, Any], style: str, encoding: Encoding, end: End) -> bool:
        """Whether that end of a shot is here."""
        return _name(args, style, encoding, end) in self._kept

    async def add(
        self, args: dict[str, Any], style: str, encoding: Encoding, end: End, path: Path, *, lead: int = 0
    ) -> None:
        """Take a file as that end of a shot, after `lead` other frames, if it is whole."""
        shot = Shot(**args["shot"])
        frames = shot.head if end == "head" else shot.tail
        await self._add(_name(args, style, encoding, end), path, (lead + frames) * frame_bytes(encoding), lead)

    async def take(self, args: dict[str, Any], style: str, encoding: Encoding, end: End, path: Path) -> int | None:
        """Move that end of a shot to `path`; how many other frames lead in it. None if it is not here."""
        kept = self._forget(_name(args, style, encoding, end))
        if kept is None or not await asyncio.to_thread(_moved, kept.path, path, kept.size_bytes):
            return None
        return kept.lead

    def _forget(self, name: str) -> _Kept | None:
        kept = self._kept.pop(name, None)
        if kept is not None:
            kept.timer.cancel()
        return kept

    async def _drop(self, name: str) -> None:
        kept = self._forget(name)
        if kept is not None:
            await asyncio.to_thread(kept.path.unlink, missing_ok=True)

    def _expire(self, name: str) -> None:
        kept = self._forget(name)
        if kept is not None:
            asyncio.get_running_loop().run_in_executor(None, partial(kept.path.unlink, missing_ok=True))

    async def aclose(self) -> None:
        """Delete everything that is still here."""
        for name in list(self._kept):
            await self._drop(name)


def _moved(old: Path, new: Path, size_bytes: int) -> bool:
    """Move a file within a file system, if it is there and whole."""
    try:
        if old.stat().st_size != size_bytes:
            return False
        new.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        old.replace(new)
    except FileNotFoundError:
        return False
    return True


def _name(args: dict[str, Any], style: str, encoding: Encoding, end: End) -> str:
    """All that the frames depend on; program and code are those of this process."""
    size = [encoding.width_px, encoding.picture_height_px, str(encoding.fps), encoding.rough]
    said = json.dumps([args["clip"], args["shot"], args["motion"], style, size], sort_keys=True)
    return f"{hashlib.sha256(said.encode()).hexdigest()[:32]}-{end}"
