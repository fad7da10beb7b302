"""The user's library: how long a walk and a search take with ten thousand files, and what a look into a clip costs."""

from __future__ import annotations

import asyncio
import itertools
import random
import statistics
import tempfile
from contextlib import nullcontext
from pathlib import Path

from bench.clips import make_clips
from bench.measure import used
from bench.options import Options
from vidgend.pipeline.executor.port import Label, Load
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.footage.library import LibraryFootage
from vidgend.pipeline.footage.library_watch import LibraryWatch
from vidgend.pipeline.footage.port import FootageQuery

FILES = 10_000
SEARCH_BOUND_MS = 10.0
WALK_BOUND_S = 1.0
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"v" * 500


def _fill(folder: Path, files: int, rng: random.Random) -> list[str]:
    """Folders of fifty files with three words each, some words far more often than others. The words, by how often."""
    syllables = (("ba", "ko", "mi", "tu", "se"), ("ran", "lor", "dit", "wen", "pul"), ("da", "ne", "so", "ki"))
    words = ["".join(word) for word in itertools.product(*syllables)]
    rng.shuffle(words)
    often = [1 / rank for rank in range(1, len(words) + 1)]
    for number in range(files):
        place = folder / f"{words[number // 50 % len(words)]} {number // 50}"
        place.mkdir(exist_ok=True)
        (place / f"{'_'.join(rng.choices(words, often, k=3))}_{number}.mp4").write_bytes(MP4)
    return words


async def _free() -> dict[Label, Load]:
    return {"ffmpeg": Load(queued=0, running=0, free=1)}


async def bench(ffmpeg: Ffmpeg, options: Options) -> None:
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "clips"
        folder.mkdir()
        words = await asyncio.to_thread(_fill, folder, FILES, rng)
        library = LibraryFootage([folder], index_path=Path(name) / "library.sqlite", refresh_s=1e9)
        with used() as first:
            await library.refresh()
        with used() as again:
            await library.refresh()
        took = []
        for _ in range(200):
            query = FootageQuery(text=" ".join(rng.sample(words, 4)), width_px=1920, height_px=1080)
            with used() as search:
                await library.search(query)
            took.append((search.wall_s * 1000, search.cpu_s * 1000))
        await library.aclose()
        size = sum(file.stat().st_size for file in Path(name).glob("library.sqlite*"))
        print(
            f"library: {FILES} files by name in {first.wall_s:.1f} s ({first.cpu_s:.1f} s CPU, {size / 1e6:.1f} MB); a walk "
            f"without changes {again.wall_s:.2f} s ({again.cpu_s:.2f} s CPU, bound {WALK_BOUND_S:g} s); a search "
            f"{statistics.median(wall for wall, _ in took):.1f} ms ({statistics.median(cpu for _, cpu in took):.1f} ms CPU, "
            f"bound {SEARCH_BOUND_MS:g} ms)"
        )
        footage = options.footage
        if footage is None:
            footage = Path(name) / "painted"
            footage.mkdir()
            await asyncio.to_thread(make_clips, ffmpeg, footage, seconds=7, width_px=1920, height_px=1080)
        looks = LibraryFootage([footage])
        watch = LibraryWatch(looks, FfmpegTool(), lambda priority: nullcontext(), _free)
        await looks.refresh()
        with used() as seen:
            count = await watch.look()
        await looks.aclose()
        print(
            f"library: a look into a clip {seen.cpu_s / count:.2f} s CPU, {count / seen.wall_s:.1f} a second, one by one"
        )
