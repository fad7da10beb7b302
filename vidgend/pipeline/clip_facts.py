"""What a fetched file is: sniffed, probed, looked at, or refused with a reason. Nothing else decides that."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vidgend.errors import MediaUnreadable
from vidgend.pipeline.clip_scan import find_fields, look_at
from vidgend.pipeline.clip_window import STILL_S
from vidgend.pipeline.exif import HEAD_BYTES, read_orientation
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.media_end import end_s
from vidgend.pipeline.media_kind import sniff
from vidgend.pipeline.probe import input_options, probe


async def examine(ffmpeg: Ffmpeg, path: Path) -> dict[str, Any]:
    """What a fetched file is and shows, as fields of `Clip`. Raises: MediaUnreadable, with the reason."""
    return (await examine_and_read(ffmpeg, path))[0]


async def examine_and_read(ffmpeg: Ffmpeg, path: Path) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    """The same, and what is written in the file about it (`Probe.said`)."""
    kind = sniff(await asyncio.to_thread(_head, path, 4096))
    if kind is None:
        raise MediaUnreadable("not a video or a photo")
    if kind.kind == "audio":
        raise MediaUnreadable("there is only sound in it, no picture")
    photo = kind.kind == "photo"
    orientation = read_orientation(await asyncio.to_thread(_head, path, HEAD_BYTES)) if photo else 1
    found = await probe(ffmpeg, path, kind.demuxer, orientation=orientation)
    look = await look_at(ffmpeg, path, kind.demuxer, found, orientation=orientation)
    duration_s = found.duration_s or look.duration_s
    if not photo and duration_s is None:  # what browsers and some cameras record
        duration_s = await end_s(ffmpeg, path, input_options(kind.demuxer), "0:V:0")
    if not photo and (look.still or (duration_s or 0.0) < STILL_S):
        photo = True  # one frame, or the same again and again: as a photo it moves
    facts = {
        "kind": "photo" if photo else "video",
        "demuxer": kind.demuxer,
        "width_px": found.width_px,
        "height_px": found.height_px,
        "fps": found.fps,
        "duration_s": None if photo else duration_s,
        "colour": asdict(found.colour),
        "interlaced": "" if photo else await find_fields(ffmpeg, path, kind.demuxer, found),
        "orientation": orientation,
        "scan": asdict(look.scan),
        "prints": look.prints,
        "average_rgb": look.average_rgb,
    }
    return facts, found.said


def _head(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)
