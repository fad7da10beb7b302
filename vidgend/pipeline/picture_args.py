"""A source of pictures -> ffmpeg filters that give frames of the right size and rate.

Pure: numbers, names and enums in, a list out; no text of a user ever gets in here. Built with ffmpeg-python, keyword
arguments only: it escapes positional filter arguments twice (docs/adr/0004). File names are fixed names in the step's
scratch folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import ffmpeg

from vidgend.models import MediaKind
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.probe import MAX_PIXELS
from vidgend.timebase import fps_text

SLOWEST = 1.6
"""A clip that is too short for its scene is slowed down to this factor at most, else it is repeated."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The source of a segment: `source.media` in the scratch folder, or raw frames on stdin for painted ones.

    Sizes as shown (rotated, square pixels). `motion` chooses the direction of a photo's pan and zoom.
    """

    kind: MediaKind
    width_px: int
    height_px: int
    demuxer: str | None = None
    fps: float = 0.0
    duration_s: float | None = None
    motion: int = 0


def _cover(stream: Any, picture: Picture, width: int, height: int) -> Any:
    """Scale so that the picture covers width x height, then cut off what is over, centred."""
    factor = max(Fraction(width, picture.width_px), Fraction(height, picture.height_px))
    scaled_width = max(width, ceil(picture.width_px * factor / 2) * 2)
    scaled_height = max(height, ceil(picture.height_px * factor / 2) * 2)
    stream = stream.filter(
        "scale",
        w=scaled_width,
        h=scaled_height,
        flags="bicubic",
        out_color_matrix="bt709",
        out_range="tv",
    )
    if (scaled_width, scaled_height) != (width, height):
        stream = stream.filter("crop", w=width, h=height)
    return stream.filter("setsar", sar=1)


def video_source(picture: Picture, encoding: Encoding, length_s: Fraction) -> Any:
    rate = fps_text(encoding.fps)
    options: dict[str, Any] = {
        "format": picture.demuxer,
        "protocol_whitelist": "file,pipe",
        "max_pixels": MAX_PIXELS,
    }
    have_s = picture.duration_s or 0.0
    need_s = float(length_s)
    slow = 1.0
    if have_s >= need_s + 0.1:
        # Not the very first moment: stock clips often start with a shake or a fade.
        options["ss"] = f"{(have_s - need_s) * 0.25:.3f}"
    elif have_s * SLOWEST >= need_s + 0.1:
        slow = (need_s + 0.1) / have_s
    else:
        options["stream_loop"] = -1
    stream = ffmpeg.input("source.media", **options).video
    if slow > 1.0:
        stream = stream.filter("setpts", expr=f"{slow:.6f}*PTS")
    reduce_first = picture.fps > float(encoding.fps) * 1.01
    if reduce_first:
        stream = stream.filter("fps", fps=rate)
    stream = _cover(stream, picture, encoding.width_px, encoding.height_px)
    return stream if reduce_first else stream.filter("fps", fps=rate)


def photo_source(picture: Picture, encoding: Encoding, frames: int) -> Any:
    # zoompan moves in whole pixels: three times the size makes its steps a third of a pixel.
    scale = 3 if max(encoding.width_px, encoding.height_px) <= 1920 else 2
    stream = ffmpeg.input(
        "source.media", format=picture.demuxer, protocol_whitelist="file,pipe", max_pixels=MAX_PIXELS
    ).video
    stream = _cover(stream, picture, encoding.width_px * scale, encoding.height_px * scale)
    t = f"on/{max(1, frames - 1)}"
    eased = f"({t})*({t})*(3-2*({t}))"
    zoom = f"1.16-0.12*{eased}" if picture.motion & 1 else f"1.04+0.12*{eased}"
    pan = {0: "0.5", 1: f"0.35+0.3*{eased}", 2: f"0.65-0.3*{eased}"}[picture.motion // 2 % 3]
    return stream.filter(
        "zoompan",
        zoom=zoom,
        x=f"(iw-iw/zoom)*({pan})",
        y="(ih-ih/zoom)*0.5",
        d=frames,
        s=f"{encoding.width_px}x{encoding.height_px}",
        fps=fps_text(encoding.fps),
    )


def painted_source(picture: Picture, encoding: Encoding) -> Any:
    stream = ffmpeg.input(
        "pipe:0",
        format="rawvideo",
        pix_fmt="rgb24",
        s=f"{picture.width_px}x{picture.height_px}",
        r=fps_text(encoding.fps),
    ).video
    return _cover(stream, picture, encoding.width_px, encoding.height_px)
