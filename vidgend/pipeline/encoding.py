"""How the segments of a video are encoded: equal for all of them, so that they can be joined by copying."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any

from vidgend.pipeline.encoders.port import Encoder, Native, Preset, mp4_tag
from vidgend.pipeline.encoders.select import find_encoder


def timescale_of(fps: Fraction) -> int:
    """The time scale of a video track, in ticks per second, in which a frame is a whole number of ticks."""
    return fps.numerator * (1 if fps.denominator > 1 else 512)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How every segment is encoded; equal for all of one video, so that they can be joined by copying.

    `preset` and `crf` are on x264's scale, whatever the encoder. `threads` does not have to be equal: what is written
    for it differs by a thousandth at most (measured: x264, 8 threads against 2), and joins all the same. `bar_px` is
    the height of black that a look leaves above and below the picture. `rough` is for a look only: of frames that no
    other is made from some are left out, and scaling takes the nearest pixels.
    """

    width_px: int
    height_px: int
    fps: Fraction
    encoder: str = "libx264"
    preset: Preset
    crf: int
    threads: int
    source_threads: int | None = None
    bar_px: int = 0
    rough: bool = False

    def on_all(self, cores: int) -> Encoding:
        """For an encode that has the machine to itself. The encoder is the slowest part: more threads for its source
        only cost more (measured on two cores: 5 % of the time)."""
        return replace(self, threads=max(self.threads, cores), source_threads=max(self.threads, cores // 2))

    @property
    def threads_of_source(self) -> int:
        """For decoding, and for the filters. 0: ffmpeg decides."""
        return self.threads if self.source_threads is None else self.source_threads

    @property
    def picture_height_px(self) -> int:
        """Of the picture between the bars: nothing is computed that they would hide."""
        return self.height_px - 2 * self.bar_px

    @property
    def by(self) -> Encoder:
        return find_encoder(self.encoder)

    def options(self) -> dict[str, Any]:
        """Output options. BT.709, closed GOPs of two seconds, a time scale in which a frame is a whole number."""
        encoder = self.by
        preset, quality = encoder.scale.native(self.preset, self.crf)
        native = Native(preset=preset, quality=quality, threads=self.threads, pixels=self.width_px * self.height_px)
        return {
            "c:v": encoder.name,
            "tag:v": mp4_tag(encoder.codec),
            **encoder.options(native),
            "g": ceil(self.fps * 2),
            "flags": "+cgop",
            "colorspace": "bt709",
            "color_primaries": "bt709",
            "color_trc": "bt709",
            "color_range": "tv",
            "video_track_timescale": timescale_of(self.fps),
            "map_metadata": -1,
            "fflags": "+bitexact",
        }
