"""One piece of a job's work: planned, waiting for its slot, under way, done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from vidgend.pipeline.executor.port import Label
from vidgend.pipeline.rates import Pace, Rates
from vidgend.pipeline.step_cost import Cost

_ENOUGH = 0.1
"""A share from which a pace can be told."""
_OVERDUE = 0.1
"""What took as long as expected and says nothing of itself is expected to take this part of its time again."""


@dataclass(eq=False, kw_only=True)
class Work:
    """A step that a job is expected to ask for, or has asked for. `scene` counts from 0; None: the whole video.
    `output` is the number of the video among several of a job, from 0.

    `needs` come before it. `later`: not before somebody has approved the storyboard. `spent_s` are seconds of a machine
    that does nothing else; `told_s` how many there were when `share` was reported.
    """

    kind: str
    scene: int | None = None
    output: int = 0
    label: Label = "io"
    priority: int = 0
    cost: Cost
    needs: tuple[Work, ...] = ()
    later: bool = False
    state: Literal["planned", "waiting", "running", "done"] = "planned"
    order: int = 0
    share: float = 0.0
    spent_s: float = 0.0
    told_s: float = 0.0
    first: tuple[float, float] = (0.0, 0.0)
    """The first share that was reported, and `spent_s` at that time."""
    joined: bool = False
    """It was under way already, for another job: how long it takes cannot be told from it."""

    def begun(self) -> None:
        """It has its slot, maybe not for the first time."""
        self.state = "running"
        self.share = self.spent_s = self.told_s = 0.0
        self.first = (0.0, 0.0)

    def told(self, share: float) -> None:
        """It reports how far it is."""
        if share > self.share:
            self.share, self.told_s = share, self.spent_s
            if not self.first[0]:
                self.first = (share, self.spent_s)

    def skip(self) -> None:
        """It turned out not to be needed, and neither is what only it would have needed."""
        if self.state == "planned":
            self.state = "done"
            for need in self.needs:
                need.skip()

    def pace_by_now(self, rates: Rates) -> Pace | None:
        """How fast it is, as far as that can be told while it runs."""
        opening_s, _ = rates.expected_s(self.cost)
        if not self.share and self.spent_s > opening_s and not self.joined:
            return Pace(opening=(self.spent_s, self.cost.opening_s))  # at least so long
        return self._pace(self.share, self.told_s)

    def whole_pace(self) -> Pace | None:
        """How fast it was, now that it has ended."""
        return self._pace(1.0, self.spent_s) or (None if self.joined else Pace.of_whole(self.cost, self.spent_s))

    def _pace(self, share: float, told_s: float) -> Pace | None:
        first_share, first_s = self.first
        seen = share - first_share
        if self.joined or not first_share or seen < _ENOUGH:
            return None
        whole_s = (told_s - first_s) / seen
        return Pace(
            opening=(max(0.0, first_s - first_share * whole_s), self.cost.opening_s),
            growing=(told_s - first_s, seen * self.cost.growing_s),
        )

    def left_s(self, rates: Rates) -> float:
        """Seconds that it still takes on a machine that does nothing else."""
        opening_s, growing_s = rates.expected_s(self.cost)
        if self.state != "running":
            return opening_s + growing_s
        if not self.share:
            return max(opening_s - self.spent_s, _OVERDUE * max(opening_s, self.spent_s)) + growing_s
        first_share, first_s = self.first
        if self.share - first_share >= _ENOUGH:  # the further it is, the more its own pace tells
            own_s, trust = (self.told_s - first_s) / (self.share - first_share), math.sqrt(self.share)
            growing_s = trust * own_s + (1 - trust) * growing_s
        return max(growing_s * (1 - self.share) - (self.spent_s - self.told_s), 0.0)
