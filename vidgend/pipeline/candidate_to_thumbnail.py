"""Candidate -> thumbnail: a small JPEG, made by our own ffmpeg out of a provider's still or file, a stored clip, or a
painting. What a provider sends is never passed on as it is: it is sniffed, probed, decoded and encoded again.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from vidgend.errors import FfmpegFailed, MediaUnreadable
from vidgend.models import Candidate, Colour
from vidgend.pipeline.executor.port import StepOutput, StepRun
from vidgend.pipeline.exif import HEAD_BYTES, read_orientation
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.media_kind import sniff
from vidgend.pipeline.picture_args import Picture
from vidgend.pipeline.probe import probe
from vidgend.pipeline.thumbnail_args import FILE, thumbnail_args, thumbnail_size
from vidgend.store.assets.store import AssetStore
from vidgend.store.storyboards import THUMBNAIL_STEP

KIND = THUMBNAIL_STEP
CODE = (
    "candidate_to_thumbnail.py", "thumbnail_args.py", "picture_args.py", "colour_args.py", "exif.py", "media_kind.py",
    "probe.py", "footage",
)  # fmt: skip
_INTO_A_FILE = 1 / 3
_LOOK_TIMEOUT_S = 60.0
_PAINT_TIMEOUT_S = 120.0

_CANDIDATE = TypeAdapter(Candidate)


class CandidateThumbnailStep:
    """args: candidate | clip, at_s | recipe, fps, frame -> digest, width_px, height_px"""

    def __init__(self, providers: Sequence[FootageProvider], ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        if "recipe" in args:
            picture = await _paint(ffmpeg, args, run.scratch)
        elif "clip" in args:
            file = run.scratch / "source.media"
            file.symlink_to(await self._assets.local(args["clip"]["digest"]))
            picture = _stored(args["clip"])
            await _take(ffmpeg, picture, args["at_s"], run.scratch)
        else:
            candidate = _CANDIDATE.validate_python(args["candidate"])
            provider = self._providers[candidate.provider]
            path = await provider.preview(candidate, path=run.scratch / "preview.media")
            (run.scratch / "source.media").symlink_to(path.absolute())
            picture, duration_s = await _examined(ffmpeg, path)
            await _take(ffmpeg, picture, duration_s * _INTO_A_FILE, run.scratch)
        width_px, height_px = thumbnail_size(picture.width_px, picture.height_px)
        digest = await self._assets.put(run.scratch / FILE, "image/jpeg")
        output = {"digest": digest, "width_px": width_px, "height_px": height_px}
        return StepOutput(output=output, blobs=(digest,))


def _stored(clip: dict[str, Any]) -> Picture:
    return Picture(
        kind=clip["kind"], width_px=clip["width_px"], height_px=clip["height_px"], demuxer=clip["demuxer"],
        fps=clip["fps"], colour=Colour(**clip["colour"]), interlaced=clip["interlaced"],
        orientation=clip["orientation"],
    )  # fmt: skip


async def _examined(ffmpeg: Ffmpeg, path: Path) -> tuple[Picture, float]:
    """What a file is that nobody has looked into, and how long, 0 if that is not known. Raises: MediaUnreadable."""
    head = await asyncio.to_thread(_head, path)
    kind = sniff(head)
    if kind is None or kind.kind == "audio":
        raise MediaUnreadable("not a video or a photo")
    photo = kind.kind == "photo"
    orientation = read_orientation(head) if photo else 1
    found = await probe(ffmpeg, path, kind.demuxer, orientation=orientation)
    picture = Picture(
        kind="photo" if photo else "video",
        width_px=found.width_px,
        height_px=found.height_px,
        demuxer=kind.demuxer,
        fps=found.fps,
        colour=found.colour,
        interlaced="flagged" if found.interlaced else "",
        orientation=orientation,
    )
    return picture, found.duration_s or 0.0


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise MediaUnreadable(f"it cannot be opened: {error.strerror}") from error


async def _take(ffmpeg: Ffmpeg, picture: Picture, at_s: float, scratch: Path) -> None:
    """One frame of `source.media`, under the limits for files that nobody knows. Raises: MediaUnreadable, StepTimeout.

    Where a file has nothing at that moment, for all that it says, its first frame has to do.
    """
    for moment_s in (at_s, 0.0) if at_s > 0 else (0.0,):
        args = thumbnail_args(picture, at_s=moment_s)
        finished = await ffmpeg.look(args, cwd=scratch, timeout_s=_LOOK_TIMEOUT_S, level="error")
        if finished.returncode == 0 and await asyncio.to_thread(_is_written, scratch / FILE):
            return
    raise MediaUnreadable("no picture can be taken out of it", tail=finished.stderr_tail)


def _is_written(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


async def _paint(ffmpeg: Ffmpeg, args: dict[str, Any], scratch: Path) -> Picture:
    """One frame, painted in the size of the video: some themes compose themselves otherwise in a smaller one."""
    recipe = {**args["recipe"], "fps": args["fps"], "first": args["frame"], "frames": 1}
    file = scratch / "source.json"
    await asyncio.to_thread(file.write_text, json.dumps(recipe))
    picture = Picture(kind="generated", width_px=recipe["width_px"], height_px=recipe["height_px"])
    feeder = [sys.executable, "-m", "vidgend.pipeline.footage.paint", str(file)]
    await ffmpeg.capture(thumbnail_args(picture), cwd=scratch, timeout_s=_PAINT_TIMEOUT_S, feeder=feeder)
    if not await asyncio.to_thread(_is_written, scratch / FILE):
        raise FfmpegFailed("the painter gave no picture")
    return picture
