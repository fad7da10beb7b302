"""A draft of the film over its final: wall time until there is a file to play."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from bench.clips import bench_clips
from bench.film import film_brief, open_vidgend
from bench.options import Options
from vidgend.pipeline.ffmpeg import Ffmpeg

BOUND = 0.12


async def bench(ffmpeg: Ffmpeg, options: Options) -> None:
    shares = []
    with tempfile.TemporaryDirectory() as name:
        clips = bench_clips(ffmpeg, Path(name), options.footage)
        for number in range(options.pairs):
            async with open_vidgend(Path(name) / str(number)) as vidgend:
                board = await vidgend.plan(film_brief(), clips)
                draft = await vidgend.render(film_brief(quality="draft"), board)
                final = await vidgend.render(film_brief(), board)
            shares.append(draft.used.wall_s / final.used.wall_s)
            print(
                f"  {number + 1}: draft {draft.result.width_px}x{draft.result.height_px} {draft.used.wall_s:.2f} s wall "
                f"{draft.used.cpu_s:.1f} s CPU, final {final.used.wall_s:.1f} s wall {final.used.cpu_s:.1f} s CPU",
                flush=True,
            )
    print(f"draft: {statistics.median(shares):.3f} of the final's wall time (bound {BOUND})", flush=True)
