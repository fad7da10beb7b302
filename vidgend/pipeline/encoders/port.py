"""What vidgend needs to know of one of ffmpeg's video encoders.

One file per family beside this one. A user says one of nine words for the speed and one number for the quality, on
x264's scale; `Scale` says the same in the encoder's own terms, and its numbers are all in scales.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Codec = Literal["h264", "hevc", "av1"]
Preset = Literal["auto", "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"]
"""x264's words for speed against size, fastest first. `auto` is the measured choice for each encoder."""
Filter = tuple[str, dict[str, str]]
"""An ffmpeg filter and its arguments, by keyword."""


@dataclass(frozen=True, kw_only=True)
class Native:
    """Speed and quality in the encoder's own terms. `threads`: 0 lets it decide. `pixels`: width x height."""

    preset: str
    quality: int
    threads: int
    pixels: int


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How x264's words and numbers are said to another encoder.

    `quality` holds (crf, the encoder's own number) pairs, rising in crf; between them the line is straight, beyond
    them it goes on. `least` and `most` bound the result.
    """

    presets: Mapping[str, str]
    quality: tuple[tuple[int, float], ...]
    least: int = 0
    most: int = 51

    def native(self, preset: Preset, crf: int) -> tuple[str, int]:
        """(preset, quality) as the encoder counts them."""
        points = self.quality
        right = min(max(1, bisect_right([one for one, _ in points], crf)), len(points) - 1)
        (one, low), (two, high) = points[right - 1], points[right]
        value = low + (high - low) * (crf - one) / (two - one)
        return self.presets[preset], min(self.most, max(self.least, round(value)))


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """One encoder by ffmpeg's name for it.

    `software` is the encoder of the same codec that takes its place: itself, unless it is hardware. `options` are its
    own output options; `upload` are filters that bring the frames to where it reads them. `decoder`: what ffmpeg must
    have besides a software encoder, since the finished video is looked at.
    """

    name: str
    codec: Codec
    software: str
    scale: Scale
    options: Callable[[Native], dict[str, Any]]
    upload: tuple[Filter, ...] = ()
    decoder: str = ""

    @property
    def hardware(self) -> bool:
        return self.software != self.name


def mp4_tag(codec: Codec) -> str:
    """The name of the codec in an MP4. `hvc1` keeps the parameter sets in the header, which Apple's players ask for."""
    return {"h264": "avc1", "hevc": "hvc1", "av1": "av01"}[codec]
