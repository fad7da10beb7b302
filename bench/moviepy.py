"""vidgend's render against a MoviePy 2 pipeline of the usual shape at the same preset and CRF (moviepy_film.py)."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.by_hand import parts_of
from bench.clips import bench_clips
from bench.film import Vidgend, film_brief, open_vidgend
from bench.measure import used
from bench.options import Options
from vidgend.cores import cores
from vidgend.models import Brief, Storyboard, Transition
from vidgend.pipeline.captions.fonts import fonts_folder
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.timeline import speech_start_sample
from vidgend.timebase import SAMPLE_RATE_HZ

CPU_BOUND, WALL_BOUND = 0.33, 0.30
HOW = (
    "moviepy: left out, this Python has no MoviePy. Put it into an environment of its own, so that it changes nothing here:\n"
    "  python3 -m venv /tmp/moviepy && /tmp/moviepy/bin/pip install moviepy\n"
    "  python -m bench moviepy --moviepy /tmp/moviepy/bin/python"
)


async def bench(ffmpeg: Ffmpeg, options: Options) -> None:
    python = options.moviepy or sys.executable
    if (await asyncio.to_thread(subprocess.run, [python, "-c", "import moviepy"], capture_output=True)).returncode:
        print(HOW)
        return
    rows = []
    brief = film_brief(transitions=Transition(kind="cut"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = bench_clips(ffmpeg, folder, options.footage)
        for number in range(options.pairs):
            async with open_vidgend(folder / str(number)) as vidgend:
                ours = await vidgend.render(brief, await vidgend.plan(brief, clips))
                plan = folder / "plan.json"
                plan.write_text(json.dumps(await _plan(vidgend, brief, ours.storyboard, clips)))
                script = Path(__file__).with_name(
                    "moviepy_film.py"
                )  # -P: beside it lies a moviepy.py that is not MoviePy
                with used() as theirs:
                    await asyncio.to_thread(
                        subprocess.run, [python, "-P", str(script), str(plan), str(folder / "moviepy.mp4")], check=True
                    )
            rows.append((ours.used, theirs))
            print(
                f"  {number + 1}: vidgend {ours.used.cpu_s:.1f} s CPU {ours.used.wall_s:.1f} s wall | "
                f"MoviePy {theirs.cpu_s:.1f} s CPU {theirs.wall_s:.1f} s wall",
                flush=True,
            )
    cpu = statistics.median(ours.cpu_s / theirs.cpu_s for ours, theirs in rows)
    wall = statistics.median(ours.wall_s / theirs.wall_s for ours, theirs in rows)
    print(
        f"moviepy: 60 s of 1080p30, median of {len(rows)}: CPU {cpu:.3f} of MoviePy's (bound {CPU_BOUND}), "
        f"wall {wall:.3f} (bound {WALL_BOUND:.2f})",
        flush=True,
    )


async def _plan(vidgend: Vidgend, brief: Brief, board: Storyboard, clips: list[Path]) -> dict[str, Any]:
    preset, crf = vidgend.x264()
    return {
        "width_px": brief.width_px, "height_px": brief.height_px, "fps": int(brief.frame_rate), "crf": crf,
        "preset": preset, "threads": cores(), "font": str(fonts_folder() / "Inter-Bold.otf"), "font_size": brief.height_px // 20,
        "music": str(vidgend.music()),
        "scenes": [
            {
                "file": str(part.file), "start_s": part.start_s, "slow": part.slow,
                "length_s": float(part.shot.frames / brief.frame_rate),
            }
            for part in parts_of(brief, board, clips)
        ],
        "captions": [
            {"text": one.text, "start_s": one.start_s, "end_s": one.end_s} for one in vidgend.texts(brief, board)
        ],
        "speech": [
            {
                "file": str(path),
                "start_s": speech_start_sample(scene.start_frame or 0, scene.index, brief.frame_rate) / SAMPLE_RATE_HZ,
            }
            for scene, path in zip(board.scenes, await vidgend.speech(board), strict=True)
        ],
    }  # fmt: skip
