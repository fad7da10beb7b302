"""Where a file really ends, whatever its header says: it is read through and not decoded."""

from __future__ import annotations

import re
from pathlib import Path

from vidgend.errors import MediaUnreadable, StepError
from vidgend.pipeline.ffmpeg import Ffmpeg

READ_TIMEOUT_S = 120.0
"""For a file of some GB."""


async def end_s(ffmpeg: Ffmpeg, path: Path, options: list[str], *maps: str) -> float:
    """Where the last packet ends. The file is read through and not decoded. Raises: MediaUnreadable."""
    streams = [part for name in maps for part in ("-map", name)]
    try:
        read = await ffmpeg.look(
            [
                *options, "-i", str(path.absolute()), *streams, "-c", "copy", "-progress", "pipe:1", "-stats_period",
                "30", "-f", "null", "-",
            ],
            cwd=path.parent,
            timeout_s=READ_TIMEOUT_S,
            level="error",
        )  # fmt: skip
    except StepError as error:
        raise MediaUnreadable(f"it cannot be read in reasonable time: {error.detail}", tail=error.tail) from error
    times_us = re.findall(rb"^out_time_us=(\d+)", read.stdout, re.M)
    if not times_us:
        raise MediaUnreadable("nothing of it can be read", tail=read.stderr_tail)
    return int(times_us[-1]) / 1e6
