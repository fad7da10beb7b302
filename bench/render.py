"""vidgend's render against one hand-written ffmpeg command that makes the same film in a single pass."""

from __future__ import annotations

import asyncio
import re
import shlex
import statistics
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.by_hand import Part, film_frames, hand_args, parts_of, reference_args
from bench.clips import bench_clips
from bench.film import Made, Vidgend, film_brief, open_vidgend
from bench.measure import Used, used
from bench.options import Options
from vidgend.cores import cores
from vidgend.models import Brief, Storyboard, Transition
from vidgend.pipeline.captions.fonts import fonts_folder
from vidgend.pipeline.ffmpeg import Ffmpeg

CPU_BOUND, WALL_BOUND, VMAF_BOUND = 1.05, 1.00, -0.2
EVERY = 5
"""VMAF looks at one frame of so many."""


async def bench(ffmpeg: Ffmpeg, options: Options) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = bench_clips(ffmpeg, folder, options.footage)
        cuts = film_brief(transitions=Transition(kind="cut"))
        for title, brief in (("cuts", cuts), ("dissolves", film_brief())):
            await _pairs(ffmpeg, folder / title, clips, brief, title, options)
        await _quality(ffmpeg, folder / "quality", clips, options)


async def _pairs(ffmpeg: Ffmpeg, folder: Path, clips: list[Path], brief: Brief, title: str, options: Options) -> None:
    rows: list[tuple[Made, Used]] = []
    for number in range(options.pairs):
        async with open_vidgend(folder / str(number)) as vidgend:
            board = await vidgend.plan(brief, clips)
            ours = await vidgend.render(brief, board)
            hand, path = await _by_hand(ffmpeg, folder, vidgend, brief, ours.storyboard, clips)
            rows.append((ours, hand))
            print(
                f"  {title} {number + 1}: vidgend {ours.used.cpu_s:.1f} s CPU {ours.used.wall_s:.1f} s wall "
                f"{ours.path.stat().st_size / 1e6:.1f} MB | by hand {hand.cpu_s:.1f} s CPU {hand.wall_s:.1f} s wall "
                f"{path.stat().st_size / 1e6:.1f} MB",
                flush=True,
            )
    cpu = statistics.median(ours.used.cpu_s / hand.cpu_s for ours, hand in rows)
    wall = statistics.median(ours.used.wall_s / hand.wall_s for ours, hand in rows)
    length_s = rows[0][0].result.duration_s
    print(
        f"render, {title}: {length_s:.0f} s of {brief.width_px}x{brief.height_px}, median of {len(rows)}: "
        f"CPU {cpu:.3f} of one pass by hand (bound {CPU_BOUND}), wall {wall:.3f} (bound {WALL_BOUND:.2f})",
        flush=True,
    )


async def _by_hand(
    ffmpeg: Ffmpeg, folder: Path, vidgend: Vidgend, brief: Brief, board: Storyboard, clips: list[Path]
) -> tuple[Used, Path]:
    parts = parts_of(brief, board, clips)
    (folder / "captions.ass").write_text(vidgend.captions(brief, board).ass)
    if not (folder / "fonts").exists():
        (folder / "fonts").symlink_to(fonts_folder())
    preset, crf = vidgend.x264()
    args = hand_args(
        brief, board, parts, await vidgend.speech(board), vidgend.music(), preset=preset, crf=crf, threads=cores(),
        captions=brief.captions.enabled,
    )  # fmt: skip
    with used() as spent:
        await asyncio.to_thread(subprocess.run, [ffmpeg.path, "-nostdin", *args], cwd=folder, check=True)
    return spent, folder / "hand.mp4"


async def _quality(ffmpeg: Ffmpeg, folder: Path, clips: list[Path], options: Options) -> None:
    """Both against the graded film before any encoder, without captions."""
    brief = film_brief()
    brief = replace(brief, captions=replace(brief.captions, enabled=False))
    async with open_vidgend(folder / "vidgend") as vidgend:
        board = await vidgend.plan(brief, clips, scenes=options.quality_scenes)
        ours = await vidgend.render(brief, board)
        _, hand = await _by_hand(ffmpeg, folder, vidgend, brief, ours.storyboard, clips)
        parts = parts_of(brief, ours.storyboard, clips)
        scores = [await asyncio.to_thread(_vmaf, ffmpeg, brief, parts, path) for path in (ours.path, hand)]
    difference = scores[0] - scores[1]
    print(
        f"quality: VMAF of every {EVERY}th of {film_frames(parts)} frames: vidgend {scores[0]:.2f}, by hand "
        f"{scores[1]:.2f}: {difference:+.2f} (bound {VMAF_BOUND})",
        flush=True,
    )


def _vmaf(ffmpeg: Ffmpeg, brief: Brief, parts: list[Part], path: Path) -> float:
    reference = subprocess.Popen([ffmpeg.path, "-nostdin", *reference_args(brief, parts)], stdout=subprocess.PIPE)
    rate = f"settb=1/({brief.fps}),setpts=N"
    graph = f"[0:v]{rate}[got];[1:v]{rate}[wanted];[got][wanted]libvmaf=n_subsample={EVERY}:n_threads={cores()}"
    args = ["-v", "info", "-i", str(path), "-f", "nut", "-i", "pipe:0", "-lavfi", graph, "-f", "null", "-"]
    looked = subprocess.run([ffmpeg.path, *args], stdin=reference.stdout, capture_output=True, text=True)
    reference.wait()
    found = re.search(r"VMAF score: ([\d.]+)", looked.stderr)
    if found is None:
        raise SystemExit(f"{shlex.join(args)}: {looked.stderr[-500:]}")
    return float(found[1])
