"""How far one job is, how long it will take, and how far each of its scenes is rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vidgend.models import Brief, JobState, Storyboard
from vidgend.pipeline.executor.port import StepEvent, StepSpec
from vidgend.pipeline.forecast import Forecast
from vidgend.pipeline.job_plan import PrefetchPlan, VideoPlan
from vidgend.pipeline.rates import Rates
from vidgend.pipeline.step_cost import Cost, cost_of
from vidgend.pipeline.work import Work

MOST_PERCENT = 99.9
"""Until the job's end is written down."""


@dataclass(frozen=True, kw_only=True)
class SegmentProgress:
    """How far the segment of scene number `scene` is, 0..100 percent of its frames. `output` counts the videos of the
    job from 0."""

    scene: int
    output: int = 0
    state: Literal["waiting", "rendering", "done"]
    percent: float


class Progress:
    """Of one attempt at a job. `percent` is the share of its time that has passed, by what is foreseen; it never goes
    down."""

    def __init__(self, forecast: Forecast | None = None, *, scenes_done: int = 0, scenes_total: int = 0) -> None:
        self.state: JobState = "planning"
        self.scenes_total = scenes_total
        self._scenes_done = Counter({0: scenes_done})
        self.works: list[Work] = []
        self._forecast = forecast or Forecast()
        self._began = self._forecast.clock()
        self._plans: dict[int, VideoPlan | PrefetchPlan] = {}
        """By the number of the video, from 0."""
        self._percent = 0.0

    def plan_video(
        self,
        brief: Brief,
        storyboard: Storyboard,
        encoding: Mapping[str, Any],
        *,
        output: int = 0,
        speech_of: int | None = None,
        translates: bool = False,
    ) -> None:
        """From here on it is known what there is to do for video number `output`; anew when it is made anew.

        `encoding` is what the segments' steps are given, the rest is explained at `VideoPlan`.
        """
        before = self._plans.get(output)
        if speech_of is None and isinstance(before, VideoPlan):
            speech_of = before.speech_of
        self._scenes_done[output] = 0
        plan = VideoPlan(brief, storyboard, encoding, output=output, speech_of=speech_of, translates=translates)
        self._follow(output, plan)
        self.scenes_total = sum(plan.scenes for plan in self._videos())

    def plan_prefetch(self, queries: int, per_query: int) -> None:
        self._follow(0, PrefetchPlan(queries, per_query))

    def _follow(self, output: int, plan: VideoPlan | PrefetchPlan) -> None:
        self._plans[output] = plan
        others = (work for work in self.works if work.output != output)
        self.works = sorted([*others, *plan.works], key=lambda work: work.output)
        self._forecast.join(self)

    def _videos(self) -> Iterator[VideoPlan]:
        return (plan for plan in self._plans.values() if isinstance(plan, VideoPlan))

    @property
    def scenes_done(self) -> int:
        """Of all videos of the job, as `scenes_total`."""
        return self._scenes_done.total()

    def scene_done(self, output: int = 0) -> None:
        """A scene of that video is rendered."""
        self._scenes_done[output] += 1

    def estimate(self, rates: Rates) -> None:
        for plan in self._plans.values():
            plan.estimate(rates)

    def found(self, scene: int, picture: str) -> None:
        """A scene (from 0) has its picture: video, photo, generated."""
        for plan in self._videos():
            plan.found(scene, picture)
        self._forecast.changed()

    def skip_fetches(self, query: int) -> None:
        """No more clips are to be fetched for a query (from 0)."""
        for work in self.works:
            if (work.kind, work.scene) == ("fetch", query):
                work.skip()
        self._forecast.changed()

    def asked(self, spec: StepSpec, scene: int | None, output: int = 0) -> Work:
        """The job waits for a step from now on. Give it back to `told` and `ended`."""
        name = (spec.kind, scene, output)
        alike = [work for work in self.works if (work.kind, work.scene, work.output) == name]
        # What is done is asked for again where hardware gave up in the middle of a video.
        free = [work for state in ("planned", "done") for work in alike if work.state == state]
        if free:
            work = free[0]
        else:
            work = Work(kind=spec.kind, scene=scene, output=output, cost=Cost(name=spec.kind))
            self.works.append(work)
        for plan in self._videos():
            if plan.output == output:
                plan.asked(work)
                plan.estimate(self._forecast.rates)
        work.label, work.priority, work.cost = spec.label, spec.priority, cost_of(spec, work.cost)
        self._forecast.asked(work)
        return work

    def told(self, work: Work, share: float) -> None:
        self._forecast.told(work, share)

    def ended(self, work: Work, event: StepEvent | None) -> None:
        """None: it was given up."""
        done = event is not None and event.state == "done"
        self._forecast.ended(work, ran=event is not None and not event.cached, failed=not done)
        if event is not None and done and work.kind == "narration":
            for plan in self._videos():
                if work.output in (plan.output, plan.speech_of):
                    plan.said(work.scene or 0, event.output["samples"])

    def close(self) -> None:
        """The attempt has ended."""
        self._forecast.leave(self)

    @property
    def percent(self) -> float:
        if self._plans:
            left_s = sum(self._forecast.left_s(self))
            passed_s = self._forecast.clock() - self._began
            now = 100 * passed_s / (passed_s + left_s) if passed_s > 0 else 0.0
            self._percent = max(self._percent, min(MOST_PERCENT, now))
        return self._percent

    def eta_s(self) -> float | None:
        """Seconds until the video is there, or the storyboard waits for its review; None while nobody can tell."""
        return None if not self._plans else self._forecast.left_s(self)[0]

    def segments(self) -> tuple[SegmentProgress, ...]:
        """Of each scene of each video, once there are any."""
        return tuple(_segment(work) for work in self.works if work.kind == "segment")


def _segment(work: Work) -> SegmentProgress:
    scene = (work.scene or 0) + 1
    if work.state == "done":
        return SegmentProgress(scene=scene, output=work.output, state="done", percent=100.0)
    state: Literal["waiting", "rendering"] = "rendering" if work.state == "running" else "waiting"
    return SegmentProgress(scene=scene, output=work.output, state=state, percent=round(100 * work.share, 1))
