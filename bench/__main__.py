"""`python -m bench [NAME ...] [options]`: everything if nothing is named."""

from __future__ import annotations

import argparse
import asyncio
import platform
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bench import (
    daemon,
    draft,
    edit,
    encoders,
    eta,
    events,
    http_load,
    library,
    memory,
    moviepy,
    relevance,
    render,
    s3,
    speech,
    store,
)
from bench.options import Options
from vidgend.cores import cores
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool

Bench = Callable[[Ffmpeg, Options], Coroutine[Any, Any, None]]


async def _idle(_: Ffmpeg, __: Options) -> None:
    await asyncio.to_thread(daemon.idle)


async def _stall(_: Ffmpeg, __: Options) -> None:
    await daemon.stall_and_again()


async def _store(_: Ffmpeg, __: Options) -> None:
    await store.bench()


async def _s3(_: Ffmpeg, __: Options) -> None:
    await s3.bench()


BENCHES: dict[str, Bench] = {
    "idle": _idle,
    "stall": _stall,
    "store": _store,
    "s3": _s3,
    "events": events.bench,
    "library": library.bench,
    "render": render.bench,
    "moviepy": moviepy.bench,
    "edit": edit.bench,
    "draft": draft.bench,
    "memory": memory.bench,
    "4k": memory.uhd,
    "eta": eta.bench,
    "speech": speech.bench,
    "relevance": relevance.bench,
    "http": http_load.bench,
    "encoders": encoders.bench,
}
BY_NAME_ONLY = {"encoders", "speech"}
"""One takes an hour and tells what to choose rather than whether something is well; the other wants more packages and
has its own target, `make bench-speech`."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios and bounds, measured in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHES)}; all if none is named")
    parser.add_argument("--footage", type=Path, help="a folder of videos; without it some are painted")
    parser.add_argument("--pairs", type=int, help="how often each thing is measured (5; with --quick 1)")
    parser.add_argument("--quick", action="store_true", help="once, and smaller where that tells the same")
    parser.add_argument("--moviepy", default="", metavar="PYTHON", help="a Python that has MoviePy, for `moviepy`")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHES):
        parser.error(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    pairs = given.pairs or (1 if given.quick else 5)
    options = Options(footage=given.footage, pairs=pairs, quick=given.quick, moviepy=given.moviepy)
    ffmpeg = asyncio.run(FfmpegTool().get())
    print(f"{cores()} cores, Python {platform.python_version()}, ffmpeg {ffmpeg.version}")
    for name, bench in BENCHES.items():
        if name in given.names or (not given.names and name not in BY_NAME_ONLY):
            asyncio.run(bench(ffmpeg, options))


if __name__ == "__main__":
    main()
