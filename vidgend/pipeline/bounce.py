"""A clip that is far too short for its scene goes forward and backward, without a jump and without standing still.

ffmpeg's `reverse` keeps every frame in memory. So the clip is decoded once into a file of raw frames, in the output's
size, and this module, as a program, sends them to the encoder in their order there and back: one decode and one encode,
flat memory, and disk space of at most `MOST_BYTES` while it lasts.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from vidgend.errors import FfmpegFailed, MediaUnreadable
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.picture_args import Picture, unroll_args, unrolled_file, unrolled_rate

MOST_BYTES = 400_000_000
"""Of raw frames: 4.3 s of 1080p30, 1.1 s of 2160p30."""


def frame_bytes(encoding: Encoding) -> int:
    """Of a frame in 4:2:0."""
    width, height = encoding.width_px, encoding.picture_height_px
    return width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)


def longest_bounce_s(width_px: int, height_px: int, fps: Fraction) -> float:
    """How long a part of a clip can be unrolled."""
    return float(MOST_BYTES // (width_px * height_px * 3 // 2) / fps)


async def unroll(
    ffmpeg: Ffmpeg,
    picture: Picture,
    encoding: Encoding,
    *,
    frames: int,
    first: int = 0,
    scratch: Path,
    timeout_s: float,
) -> list[str]:
    """Decode the part that goes back and forth. The answer is a program that writes the shot's frames from `first` to
    `first + frames` to its stdout, for `Picture.raw`.

    Raises: MediaUnreadable, StorageFull, StepTimeout.
    """
    size = frame_bytes(encoding)
    rate = unrolled_rate(picture, encoding)
    most = max(2, min(MOST_BYTES // size, round(picture.window.bounce_s * rate)))
    try:
        await ffmpeg.run(unroll_args(picture, encoding, frames=most), cwd=scratch, timeout_s=timeout_s)
    except FfmpegFailed as error:
        raise MediaUnreadable(f"the clip cannot be decoded: {error.detail}", tail=error.tail) from error
    path = scratch / unrolled_file(picture)
    count = path.stat().st_size // size
    if not count:
        raise MediaUnreadable("not one frame of the clip can be decoded")
    step = rate / encoding.fps / Fraction(picture.window.slow).limit_denominator(1000)
    program = [sys.executable, "-m", "vidgend.pipeline.bounce", str(path)]
    return [*program, str(size), str(count), str(first), str(frames), str(step)]


def frame_at(number: int, count: int, step: Fraction) -> int:
    """Which of `count` frames is shown as the `number`th. The turning points are shown once, not twice."""
    if count == 1:
        return 0
    period = 2 * (count - 1)
    place = int(number * step) % period
    return place if place < count else period - place


def main(argv: list[str]) -> int:
    """FILE FRAME_BYTES COUNT FIRST FRAMES STEP: write FRAMES frames of FILE to stdout."""
    path, (size, count, first, frames), step = argv[1], (int(one) for one in argv[2:6]), Fraction(argv[6])
    with Path(path).open("rb", buffering=0) as file, suppress(BrokenPipeError):  # the reader may have all it wants
        for number in range(first, first + frames):
            file.seek(frame_at(number, count, step) * size)
            view = memoryview(file.read(size))
            while len(view):
                view = view[os.write(1, view) :]
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
