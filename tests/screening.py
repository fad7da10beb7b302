"""A file as a scene would show it: examined, its part chosen, encoded by the real ffmpeg."""

from __future__ import annotations

import itertools
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from vidgend.errors import MediaUnreadable
from vidgend.models import Clip, Credit
from vidgend.pipeline.bounce import unroll
from vidgend.pipeline.clip_args import clip_args, clip_picture
from vidgend.pipeline.clip_facts import examine
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.segment_args import segment_args
from vidgend.pipeline.timeline import Shot

_numbers = itertools.count()
_CLIP = TypeAdapter(Clip)


def clip_of(facts: dict[str, Any]) -> Clip:
    about = {"provider": "test", "id": "1", "description": "", "query": "", "credit": Credit(provider="test")}
    return _CLIP.validate_python({**about, "digest": "0", **facts})


async def show_clip(
    ffmpeg: Ffmpeg, clip: Clip, path: Path, folder: Path, *, frames: int, size: str, fps: str, timeout_s: float = 120
) -> Path:
    width, height = (int(side) for side in size.split("x"))
    scratch = folder / f"show{next(_numbers)}"
    scratch.mkdir()
    encoding = Encoding(width_px=width, height_px=height, fps=Fraction(fps), preset="ultrafast", crf=12, threads=1)
    args = clip_args(
        clip, width_px=width, height_px=height, fps=encoding.fps, need_s=float(frames / encoding.fps)
    )  # fmt: skip
    picture = clip_picture(args)
    (scratch / picture.file).symlink_to(path)
    feeder = None
    if picture.window.bounce_s:
        feeder = await unroll(ffmpeg, picture, encoding, frames=frames, scratch=scratch, timeout_s=timeout_s)
    written = await ffmpeg.run(
        segment_args(picture, encoding, shot=Shot(frames=frames)),
        cwd=scratch,
        timeout_s=timeout_s,
        frames=frames,
        feeder=feeder,
    )
    if written != frames:
        raise MediaUnreadable(f"{written} of {frames} frames")
    return scratch / "segment.mp4"


async def show(
    ffmpeg: Ffmpeg, path: Path, folder: Path, *, frames: int = 30, size: str = "320x180", fps: str = "30"
) -> np.ndarray:
    """The frames that come out, as uint8[frames, height, width, 3]. Raises: MediaUnreadable."""
    clip = clip_of(await examine(ffmpeg, path))
    return rgb(ffmpeg.path, await show_clip(ffmpeg, clip, path, folder, frames=frames, size=size, fps=fps), size)


def rgb(ffmpeg: str, path: Path, size: str) -> np.ndarray:
    """As a player for BT.709 shows it."""
    width, height = (int(side) for side in size.split("x"))
    raw = subprocess.run(
        [ffmpeg, "-nostdin", "-v", "error", "-i", str(path), "-vf", "scale=in_color_matrix=bt709:in_range=tv,format=rgb24",
         "-fps_mode", "passthrough", "-f", "rawvideo", "-"],
        check=True,
        capture_output=True,
    ).stdout  # fmt: skip
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


_OUTCOME = """
import asyncio, pathlib, resource, sys
tool, path, tests, frames, size = sys.argv[1:]
sys.path.insert(0, tests)
from screening import clip_of, show_clip
from vidgend.errors import MediaUnreadable
from vidgend.pipeline.clip_facts import examine
from vidgend.pipeline.ffmpeg import Ffmpeg
async def main():
    ffmpeg, media = Ffmpeg(path=tool, version="", origin="path"), pathlib.Path(path)
    try:
        clip = clip_of(await examine(ffmpeg, media))
        await show_clip(ffmpeg, clip, media, media.parent, frames=int(frames), size=size, fps="30")
        word = "shown"
    except MediaUnreadable:
        word = "refused"
    print(word, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
asyncio.run(main())
"""


def outcome(
    ffmpeg: Ffmpeg, path: Path, *, within_s: float, frames: int = 6, size: str = "1920x1080"
) -> tuple[str, int]:
    """("shown" or "refused", megabytes of the largest child), in a process of its own so that only its children count."""
    argv = [sys.executable, "-c", _OUTCOME, ffmpeg.path, str(path), str(Path(__file__).parent), str(frames), size]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=within_s, check=True)
    word, megabytes = done.stdout.split()
    return word, int(megabytes)
