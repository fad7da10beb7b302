"""`python -m bench [render] [idle] [stall]`: everything if nothing is named."""

from __future__ import annotations

import asyncio
import platform
import sys

from bench.daemon import idle, stall_and_again
from bench.render import bench as render
from vidgend.parts import cores
from vidgend.pipeline.ffmpeg import FfmpegTool


def main() -> None:
    chosen = set(sys.argv[1:]) or {"render", "idle", "stall"}
    ffmpeg = asyncio.run(FfmpegTool().get())
    print(f"{cores()} cores, Python {platform.python_version()}, ffmpeg {ffmpeg.version}")
    if "idle" in chosen:
        idle()
    if chosen & {"stall", "again"}:
        asyncio.run(stall_and_again())
    if "render" in chosen:
        asyncio.run(render(ffmpeg))


if __name__ == "__main__":
    main()
