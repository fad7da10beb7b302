"""How the segments of a video are encoded: equal for all of them, so that they can be joined by copying."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any


def timescale_of(fps: Fraction) -> int:
    """The time scale of a video track, in ticks per second, in which a frame is a whole number of ticks."""
    return fps.numerator * (1 if fps.denominator > 1 else 512)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How every segment is encoded; equal for all of one video, so that they can be joined by copying."""

    width_px: int
    height_px: int
    fps: Fraction
    preset: str
    crf: int
    threads: int

    def options(self) -> dict[str, Any]:
        """Output options. BT.709, closed GOPs of two seconds, a time scale in which a frame is a whole number."""
        gop = ceil(self.fps * 2)
        return {
            "c:v": "libx264",
            "preset": self.preset,
            "crf": self.crf,
            "profile:v": "high",
            "pix_fmt": "yuv420p",
            "g": gop,
            "flags": "+cgop",
            "threads": self.threads,
            "colorspace": "bt709",
            "color_primaries": "bt709",
            "color_trc": "bt709",
            "color_range": "tv",
            "video_track_timescale": timescale_of(self.fps),
            "map_metadata": -1,
            "fflags": "+bitexact",
        }
