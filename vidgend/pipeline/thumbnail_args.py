"""Arguments of the ffmpeg that makes a thumbnail: one frame of a video, a photo or a painting -> a small JPEG.

Pure, as picture_args.py. Unlike a segment a thumbnail shows the whole picture: nothing is cut off to fit a frame.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ffmpeg

from vidgend.pipeline.picture_args import NO_SEEK, Picture, cover, jfif, still_source
from vidgend.pipeline.probe import input_arguments

FILE = "thumbnail.jpg"
LONG_SIDE_PX = 480
_QUALITY = 4
"""On mjpeg's scale, where 2 is best: some 20 to 40 kB at this size."""


def thumbnail_size(width_px: int, height_px: int) -> tuple[int, int]:
    """(width, height) of the thumbnail of such a picture: its shape, even, at most LONG_SIDE_PX on the longer side."""
    share = min(Fraction(1), Fraction(LONG_SIDE_PX, max(width_px, height_px)))
    return max(2, round(width_px * share / 2) * 2), max(2, round(height_px * share / 2) * 2)


def thumbnail_args(picture: Picture, *, at_s: float = 0.0) -> list[str]:
    """`at_s` is the moment of a video that is shown."""
    width_px, height_px = thumbnail_size(picture.width_px, picture.height_px)
    if picture.kind == "generated":
        stream = cover(_painted(picture), picture, width_px, height_px)
    elif picture.kind == "photo":
        stream = still_source(picture, width_px, height_px)
    else:
        stream = cover(_moment(picture, at_s), picture, width_px, height_px)
    output = ffmpeg.output(
        jfif(stream),
        FILE,
        **{
            "c:v": "mjpeg", "frames:v": 1, "q:v": _QUALITY, "format": "image2", "update": 1, "map_metadata": -1,
            "fflags": "+bitexact", "flags:v": "+bitexact",
        },
    )  # fmt: skip
    return list(output.get_args(overwrite_output=True))


def _painted(picture: Picture) -> Any:
    return ffmpeg.input(
        picture.raw,
        format="rawvideo",
        protocol_whitelist="pipe",
        pix_fmt="rgb24",
        s=f"{picture.width_px}x{picture.height_px}",
    ).video


def _moment(picture: Picture, at_s: float) -> Any:
    options: dict[str, Any] = {**input_arguments(picture.demuxer), "threads": 1}
    by_decoding = picture.demuxer in NO_SEEK
    if at_s > 0 and not by_decoding:
        options["ss"] = f"{at_s:.3f}"
    stream = ffmpeg.input(picture.file, **options)["V"]
    if at_s > 0 and by_decoding:
        stream = stream.filter("trim", start=f"{at_s:.3f}")
    if picture.interlaced:
        flagged = picture.interlaced == "flagged"
        stream = stream.filter(
            "bwdif",
            mode="send_frame",
            parity="auto" if flagged else picture.interlaced,
            deint="interlaced" if flagged else "all",
        )
    return stream
