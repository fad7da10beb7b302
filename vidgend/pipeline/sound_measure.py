"""What a finished sound track is like: its loudness, its true peak, where it is silent.

Measured once, of what was encoded. The video's track is a copy of it, packet by packet, and as long as that is so it is
not decoded again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.probe import packets, read_loudness

SILENT_DB, SILENT_S = -60, 2
"""Softer than this, in dBFS, for longer than this is a silence."""


@dataclass(frozen=True, kw_only=True)
class SoundMeasure:
    """Loudness in LUFS and peak in dBTP, None for silence; silences as (start, end) in seconds. `packets` is a digest
    of the packets that were measured."""

    packets: str
    loudness_lufs: float | None
    true_peak_db: float | None
    silent: list[list[float]]


async def measure_sound(ffmpeg: Ffmpeg, path: Path, scratch: Path) -> SoundMeasure:
    """Of the first audio track of a file that vidgend made, as a player hears it. Raises: FfmpegFailed, StepTimeout."""
    looked = await ffmpeg.capture(
        [
            "-vn", "-i", str(path), "-map", "0:a:0", "-f", "null", "-af",
            f"ebur128=peak=true:framelog=quiet,silencedetect=noise={SILENT_DB}dB:duration={SILENT_S}", "-",
        ],
        cwd=scratch,
        timeout_s=1800,
        level="info",
    )  # fmt: skip
    level, peak = read_loudness(looked.stderr_tail)
    silent = re.findall(r"silence_end: ([\d.]+) \| silence_duration: ([\d.]+)", looked.stderr_tail)
    return SoundMeasure(
        packets=(await packets(ffmpeg, path))["audio"].digest,
        loudness_lufs=level,
        true_peak_db=peak,
        silent=[[round(float(end) - float(length), 3), float(end)] for end, length in silent],
    )
