"""`python -m bench [render] [idle] [stall] [store] [s3]`: everything if nothing is named."""

from __future__ import annotations

import asyncio
import platform
import sys

from bench.daemon import idle, stall_and_again
from bench.render import bench as render
from bench.s3 import bench as s3
from bench.store import bench as store
from vidgend.parts import cores
from vidgend.pipeline.ffmpeg import FfmpegTool


def main() -> None:
    chosen = set(sys.argv[1:]) or {"render", "idle", "stall", "store", "s3"}
    ffmpeg = asyncio.run(FfmpegTool().get())
    print(f"{cores()} cores, Python {platform.python_version()}, ffmpeg {ffmpeg.version}")
    if "idle" in chosen:
        idle()
    if chosen & {"stall", "again"}:
        asyncio.run(stall_and_again())
    if "store" in chosen:
        asyncio.run(store())
    if "s3" in chosen:
        asyncio.run(s3())
    if "render" in chosen:
        asyncio.run(render(ffmpeg))


if __name__ == "__main__":
    main()
