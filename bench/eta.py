"""How well a running job tells when it will be done: real jobs, painted pictures, a real voice, nothing in the cache."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.measure import below
from bench.options import Options
from vidgend.http.wire import GenerateBody
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.runtime import Runtime
from vidgend.settings_sources import load_settings

BOUND_PERCENT = 20.0
FROM = 0.25
"""The part of a job after which its prediction counts."""
LOOK_EVERY_S = 0.25
SAID = (
    ("A beautiful sunset over the ocean, with waves crashing on the beach.", "ocean sunset"),
    ("Rain falls on the windows of the city while people hurry home.", "rain city"),
    ("In the mountains the first snow lies on the quiet paths.", "snow mountains"),
    ("The forest wakes up, and light comes down between the trees.", "forest light"),
    ("Far above, the stars turn slowly around the pole.", "night stars"),
    ("A small fire keeps the travellers warm until the morning.", "camp fire"),
    ("Numbers run across the screens of a busy office.", "technology office"),
    ("And under the sea the fish do not mind at all.", "under the sea"),
)
PROMPTS = (
    "A beautiful sunset over the ocean with waves crashing on the beach",
    "A walk through a rainy city at night, and the first light of the morning",
)


@dataclass
class Seen:
    """What one job said of itself: (seconds since its start, seconds that it said are left, percent)."""

    looks: list[tuple[float, float | None, float]] = field(default_factory=list)
    total_s: float = 0.0

    @property
    def errors(self) -> list[float]:
        """Of the predicted end, in percent of the job's duration, from a quarter on; 100 where nothing was said."""
        late = [look for look in self.looks if look[0] >= FROM * self.total_s]
        return [
            100.0 if left_s is None else 100 * (at_s + left_s - self.total_s) / self.total_s for at_s, left_s, _ in late
        ]


def _scenes(count: int, *, first: int = 0, **more: Any) -> GenerateBody:
    """A script of so many scenes, spoken word for word."""
    rows = [SAID[(first + number) % len(SAID)] for number in range(count)]
    return GenerateBody.model_validate(
        {"scenes": [{"narration": text, "query": query} for text, query in rows], "resolution": "1280x720", **more}
    )


def _prompt(number: int, duration_s: float, **more: Any) -> GenerateBody:
    return GenerateBody.model_validate(
        {"prompt": PROMPTS[number], "duration_target": duration_s, "resolution": "1280x720", **more}
    )


async def _watch(runtime: Runtime, body: GenerateBody) -> Seen:
    seen = Seen()
    began: float | None = None
    job_id = await runtime.submit_generate(body)
    while not (job := await runtime.jobs.get(job_id)).ended:
        progress = runtime.worker.progress(job_id)
        if progress is not None:
            began = began or time.perf_counter()
            seen.looks.append((time.perf_counter() - began, progress.eta_s(), progress.percent))
        await asyncio.sleep(LOOK_EVERY_S)
    assert job.state == "completed" and began is not None, job.error
    seen.total_s = time.perf_counter() - began
    return seen


def _ticks(path: str) -> int:
    """User and system time of a process and of its children that ended, in clock ticks."""
    try:
        return sum(int(value) for value in Path(path).read_text().rpartition(")")[2].split()[11:15])
    except (FileNotFoundError, ProcessLookupError):
        return 0


class _Others:
    """How much of the processors other programs took: what they take, no prediction can know."""

    def __init__(self) -> None:
        self._began = self._look()

    @staticmethod
    def _look() -> tuple[int, int, int]:
        user, nice, system, idle, iowait, *rest = (
            int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:]
        )
        busy = user + nice + system + sum(rest[:3])
        return busy, busy + idle + iowait, sum(_ticks(f"/proc/{pid}/stat") for pid in below(os.getpid()))

    @property
    def percent(self) -> float:
        busy, total, own = (after - before for before, after in zip(self._began, self._look(), strict=True))
        return 100 * max(0, busy - own) / max(1, total)


async def _measure(runtime: Runtime, name: str, bodies: Sequence[GenerateBody], *, show: bool) -> list[Seen]:
    others = _Others()
    jobs = await asyncio.gather(*(_watch(runtime, body) for body in bodies))
    for seen in jobs:
        errors = seen.errors
        worst = max(errors, key=abs)
        percents = [percent for *_, percent in seen.looks]
        assert percents == sorted(percents) and percents[-1] < 100, "the percentage goes up, and to 100 only at the end"
        print(
            f"eta: {name:34} {seen.total_s:5.1f} s: worst {worst:+4.0f} %, median {statistics.median(map(abs, errors)):2.0f} %, "
            f"at a quarter {errors[0]:+4.0f} % (others took {others.percent:.0f} % of the cores)",
            flush=True,
        )
        if show:
            for at_s, left_s, percent in seen.looks[::4]:
                told = "?" if left_s is None else f"{at_s + left_s:.1f}"
                print(f"     at {at_s:5.1f} s: end foreseen at {told} s, {percent:.1f} %")
    return list(jobs)


async def bench(_: Ffmpeg, options: Options) -> None:
    draft: dict[str, Any] = {"quality": "draft"}
    show = bool(os.environ.get("ETA_LOOKS"))
    seen: list[Seen] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(environ={"VIDGEND_DATA_DIR": folder})
        rounds: list[list[tuple[str, list[GenerateBody]]]] = [
            [
                ("the first job, 24 s, 640x360", [_prompt(0, 24, **draft)]),
                ("3 scenes, 1280x720", [_scenes(3)]),
                ("8 scenes, 640x360", [_scenes(8, first=1, **draft)]),
                ("7 of 8 scenes as before, 640x360", [_scenes(8, first=1, voice="am_michael", **draft)]),
                ("two at once, 24 s, 640x360", [_prompt(1, 24, **draft), _prompt(0, 20, seed=7, **draft)]),
                ("two at once, 3 and 8 scenes", [_scenes(3, first=2, seed=3, **draft), _scenes(8, seed=4, **draft)]),
            ],
            [("after a restart, 40 s, 1280x720", [_prompt(1, 40, seed=5)])],
        ]
        for cases in rounds:
            async with Runtime.open(settings) as runtime:
                for name, bodies in cases:
                    seen += await _measure(runtime, name, bodies, show=show)
    within = [abs(error) <= BOUND_PERCENT for job in seen for error in job.errors]
    worst = max((error for job in seen for error in job.errors), key=abs)
    print(
        f"eta: {len(seen)} jobs, {len(within)} looks from a quarter on: {100 * sum(within) / len(within):.1f} % of them "
        f"within {BOUND_PERCENT:g} % of the job's duration, worst {worst:+.0f} % (bound {BOUND_PERCENT:g} %)"
    )
