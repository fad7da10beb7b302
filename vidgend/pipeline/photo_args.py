"""A photo -> ffmpeg filters that pan and zoom over it, eased at both ends.

Pure, as picture_args.py. The camera moves by fractions of a pixel: `perspective` samples between pixels. `zoompan`
crops at whole ones, so that a slow move trembles: by 0.21 px even at three times the size, where this trembles by
0.006 px (rms against the ideal path, 1080p; 26 ms of CPU a frame against 16).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.picture_args import Picture, still_source
from vidgend.timebase import fps_text

NEAR, FAR = 1.16, 1.04
"""The ends of a zoom. Never 1: the pan needs room at the sides."""
_CANVAS = Fraction(11, 10)
"""The photo is sampled from a picture so much larger than the frame, the middle of the zoom, to stay sharp."""


def photo_source(picture: Picture, encoding: Encoding, shot_frames: int, *, first: int = 0, count: int) -> Any:
    """Frames `first` to `first + count` of a move over the photo that takes `shot_frames`."""
    width = round(encoding.width_px * _CANVAS / 2) * 2
    height = round(encoding.height_px * _CANVAS / 2) * 2
    stream = still_source(picture, width, height)
    # The number of the frame: `on` of `perspective` counts from one.
    t = f"min(1,({first}+on-1)/{max(1, shot_frames - 1)})"
    eased = f"({t}*{t}*(3-2*{t}))"
    zoom = f"({NEAR}-{NEAR - FAR:.2f}*{eased})" if picture.motion & 1 else f"({FAR}+{NEAR - FAR:.2f}*{eased})"
    across = {0: "0.5", 1: f"(0.35+0.3*{eased})", 2: f"(0.65-0.3*{eased})"}[picture.motion // 2 % 3]
    left, top = f"(W-W/{zoom})*{across}", f"(H-H/{zoom})*0.5"
    # The whole canvas shows more than the frame does: the frame is its top left part, cut out afterwards.
    right = f"{left}+W/{zoom}*{width / encoding.width_px:.6f}"
    bottom = f"{top}+H/{zoom}*{height / encoding.height_px:.6f}"
    return (
        stream.filter("loop", loop=-1, size=1)
        .filter("setpts", expr=f"N/({fps_text(encoding.fps)})/TB")
        .filter("fps", fps=fps_text(encoding.fps), start_time=0)
        .filter("trim", end_frame=count)
        .filter(
            "perspective",
            x0=left, y0=top, x1=right, y1=top, x2=left, y2=bottom, x3=right, y3=bottom,
            interpolation="linear", sense="source", eval="frame",
        )
        .filter("crop", w=encoding.width_px, h=encoding.picture_height_px, x=0, y=encoding.bar_px)
    )  # fmt: skip
