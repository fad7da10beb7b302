"""Clips to render: vidgend's own painted scenes, encoded once, so that nothing has to be fetched."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

from vidgend.pipeline.ffmpeg import Ffmpeg

THEMES = ("ocean", "mountains", "city", "forest")
CLIPS = 10
SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".m4v"})


def make_clips(ffmpeg: Ffmpeg, folder: Path, *, seconds: int, width_px: int, height_px: int) -> list[Path]:
    """One MP4 for each theme, 30 frames a second, at a quality like that of stock footage."""
    paths = []
    for number, theme in enumerate(THEMES):
        recipe = {
            "theme": theme, "palette": "sunset", "seed": number, "variant": 0, "style": "documentary",
            "width_px": width_px, "height_px": height_px, "fps": "30", "frames": seconds * 30,
        }  # fmt: skip
        recipe_file = folder / f"{theme}.json"
        recipe_file.write_text(json.dumps(recipe))
        path = folder / f"{theme}.mp4"
        painter = subprocess.Popen(
            [sys.executable, "-m", "vidgend.pipeline.footage.paint", str(recipe_file)], stdout=subprocess.PIPE
        )
        subprocess.run(
            [
                ffmpeg.path, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width_px}x{height_px}",
                "-r", "30", "-i", "-", "-vf", "noise=alls=4:allf=t,format=yuv420p", "-c:v", "libx264", "-preset",
                "ultrafast", "-crf", "18", str(path),
            ],
            stdin=painter.stdout, check=True,
        )  # fmt: skip
        painter.wait()
        paths.append(path)
    return paths


def bench_clips(ffmpeg: Ffmpeg, folder: Path, footage: Path | None) -> list[Path]:
    """At least ten videos: those of `footage` by name, or some that are painted (1080p30, a little longer than a scene),
    and if they are too few, the same turned over: vidgend would not show one twice."""
    if footage is None:
        clips = make_clips(ffmpeg, folder, seconds=7, width_px=1920, height_px=1080)
    else:
        clips = sorted(path for path in footage.iterdir() if path.suffix.lower() in SUFFIXES)
        if not clips:
            raise SystemExit(f"there are no videos in {footage}")
    turns = itertools.product(("hflip", "vflip", "hflip,vflip"), clips)
    missing = max(0, CLIPS - len(clips))
    return clips + [
        _turned(ffmpeg, clip, turn, folder / f"turned-{number}.mp4")
        for number, (turn, clip) in enumerate(itertools.islice(turns, missing))
    ]


def _turned(ffmpeg: Ffmpeg, clip: Path, turn: str, path: Path) -> Path:
    args = ["-v", "error", "-y", "-i", str(clip), "-an", "-vf", turn, "-c:v", "libx264", "-preset", "veryfast"]
    subprocess.run([ffmpeg.path, "-nostdin", *args, "-crf", "18", str(path)], check=True)
    return path
