"""Memory of the whole tree of processes: a job of a real daemon with its voice, a long video against a short one, 4K.

Sums of proportional set sizes, looked at twenty times a second: what processes share counts once.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.clips import bench_clips
from bench.film import SAID, SCENE_S, film_brief, open_vidgend
from bench.measure import Tree
from bench.options import Options
from vidgend.pipeline.ffmpeg import Ffmpeg

JOB_MB, LONG_SHARE, UHD_MB = 900, 1.10, 2500
SLOTS = 2
LONG_SCENES, SHORT_SCENES = 300, 10


async def bench(ffmpeg: Ffmpeg, options: Options) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = bench_clips(ffmpeg, folder, options.footage)
        await asyncio.to_thread(_job, folder / "daemon", clips)
        await _long(folder / "long", clips, SHORT_SCENES * 10 if options.quick else LONG_SCENES)


async def uhd(ffmpeg: Ffmpeg, options: Options) -> None:
    """4K in, 4K out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = bench_clips(ffmpeg, folder, options.footage)[:2]
        large = [await asyncio.to_thread(_enlarged, ffmpeg, clip, folder / f"4k-{clip.stem}.mp4") for clip in clips]
        brief = film_brief(width_px=3840, height_px=2160)
        async with open_vidgend(folder / "uhd") as vidgend:
            board = await vidgend.plan(brief, large, scenes=2 if options.quick else 4)
            with Tree(os.getpid()) as tree:
                made = await vidgend.render(brief, board)
        print(f"  {tree.describe()}")
        print(
            f"4k: {made.result.duration_s:.0f} s of {made.result.width_px}x{made.result.height_px}: at most "
            f"{tree.peak_bytes / 1e6:.0f} MB in all processes (bound {UHD_MB})",
            flush=True,
        )


def _enlarged(ffmpeg: Ffmpeg, clip: Path, path: Path) -> Path:
    subprocess.run(
        [
            ffmpeg.path, "-nostdin", "-v", "error", "-y", "-i", str(clip), "-an", "-vf", "scale=3840:2160,format=yuv420p",
            "-c:v", "libx264", "-preset", "superfast", "-crf", "20", "-refs", "4", "-bf", "2", str(path),
        ],
        check=True,
    )  # fmt: skip
    return path


def _job(folder: Path, clips: Sequence[Path]) -> None:
    """The film from a daemon as it is installed: its own voice, its own models, footage from a folder."""
    footage = folder / "footage"
    footage.mkdir(parents=True)
    scenes = []
    for number, said in enumerate(SAID):
        word = f"bench{chr(ord('a') + number)}"
        shutil.copyfile(clips[number % len(clips)], footage / f"{word}{clips[number % len(clips)].suffix}")
        scenes.append({"narration": f"{said}.", "query": word, "duration": SCENE_S})
    environ = {
        **os.environ, "VIDGEND_DATA_DIR": str(folder / "data"), "VIDGEND_HTTP__PORT": "0",
        "VIDGEND_SLOTS__FFMPEG": str(SLOTS), "VIDGEND_FOOTAGE__LIBRARY__FOLDERS": json.dumps([str(footage)]),
    }  # fmt: skip
    daemon = subprocess.Popen(
        [sys.executable, "-m", "vidgend", "serve"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    try:
        assert daemon.stdout is not None
        url = daemon.stdout.readline().split()[-1].removesuffix("/mcp")
        with Tree(daemon.pid) as tree:
            accepted = _call(f"{url}/mcp/generate", {"prompt": "The film of the bench", "scenes": scenes})
            while (job := _call(f"{url}/mcp/status/{accepted['job_id']}"))["status"] not in ("completed", "failed"):
                time.sleep(0.5)
        if job["status"] == "failed":
            raise SystemExit(json.dumps(job))
    finally:
        daemon.terminate()
        daemon.wait(60)
    print(f"  {tree.describe()}")
    print(
        f"memory: a 60 s job in 1080p on {SLOTS} slots, voice included: at most {tree.peak_bytes / 1e6:.0f} MB in all "
        f"processes (bound {JOB_MB})",
        flush=True,
    )


def _call(url: str, body: dict[str, Any] | None = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


async def _long(folder: Path, clips: Sequence[Path], scenes: int) -> None:
    """A long video against a minute, both small: what grows with the length does not depend on the size."""
    brief = replace(film_brief(), width_px=320, height_px=180)
    peaks = []
    for count in (SHORT_SCENES, scenes):
        async with open_vidgend(folder / str(count), VIDGEND_SLOTS__FFMPEG=str(SLOTS)) as vidgend:
            board = await vidgend.plan(brief, clips, scenes=count)
            with Tree(os.getpid()) as tree:
                made = await vidgend.render(brief, board)
        peaks.append(tree.peak_bytes)
        print(
            f"  {made.result.duration_s / 60:.0f} min at {brief.width_px}x{brief.height_px}: "
            f"{tree.peak_bytes / 1e6:.0f} MB: {tree.describe()}",
            flush=True,
        )
    print(
        f"memory: {scenes * SCENE_S // 60} min over one: {peaks[1] / peaks[0]:.2f} (bound {LONG_SHARE:.2f})", flush=True
    )
