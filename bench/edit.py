"""What an edit costs: one of ten scenes changed, and the same job again, over the render on an empty store."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench.clips import bench_clips
from bench.film import film_brief, open_vidgend
from bench.options import Options
from vidgend.models import Brief, Transition
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.storyboard_edit import Edit, SceneEdit, apply

EDIT_BOUND, AGAIN_BOUND = 0.15, 0.02
PICTURE: dict[str, Any] = {"in_point_s": 0.5}
WORDS: dict[str, Any] = {"narration": "A green meadow lies beside the old river"}


async def bench(ffmpeg: Ffmpeg, options: Options) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = bench_clips(ffmpeg, folder, options.footage)
        cuts = film_brief(transitions=Transition(kind="cut"))
        for title, brief, encodes in (("cuts", cuts, 1), ("dissolves", film_brief(), 3)):
            await _edits(folder / title, clips, brief, title, options.pairs, encodes=encodes)


async def _edits(folder: Path, clips: list[Path], brief: Brief, title: str, pairs: int, *, encodes: int) -> None:
    """`encodes` is how many segments an edit may make anew."""
    shares: dict[str, list[float]] = {"picture": [], "words": [], "again": []}
    for number in range(pairs):
        async with open_vidgend(folder / str(number)) as vidgend:
            cold = await vidgend.render(brief, await vidgend.plan(brief, clips))
            again = await vidgend.render(brief, cold.storyboard)
            edits = {"again": again}
            for what, changes in (("picture", PICTURE), ("words", WORDS)):
                edited, _ = apply(cold.storyboard, brief, Edit(scenes=(SceneEdit(scene="s5", changes=changes),)))
                edits[what] = await vidgend.render(brief, edited)
            for what, made in edits.items():
                shares[what].append(made.used.wall_s / cold.used.wall_s)
            print(
                f"  {title} {number + 1}: whole {cold.used.wall_s:.1f} s, {cold.encodes} encodes; "
                + "; ".join(f"{w} {m.used.wall_s:.2f} s, {m.encodes} encodes" for w, m in edits.items()),
                flush=True,
            )
            if again.encodes or {edits["picture"].encodes, edits["words"].encodes} != {encodes}:
                raise SystemExit("an edit must encode one scene and its transitions, the same job nothing")
    for what, bound in (("picture", EDIT_BOUND), ("words", EDIT_BOUND), ("again", AGAIN_BOUND)):
        share = statistics.median(shares[what])
        changed = "the same job again" if what == "again" else f"{what} changed in one scene of ten"
        print(f"edit, {title}: {changed}: {share:.3f} of the whole render's wall time (bound {bound})", flush=True)
