"""When the jobs of this process will be done: what is left of their work is run through the slots in thought.

Jobs share slots by priority and cores by turns, so each one's end depends on what the others still have to do.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from vidgend.pipeline.executor.port import Label
from vidgend.pipeline.rates import Rates
from vidgend.pipeline.step_cost import with_model_load
from vidgend.pipeline.work import Work

_CORES: dict[Label, float] = {"cpu": 0.9, "ffmpeg": 0.8}
"""Share of the machine's cores that all slots of a label take together; the other labels wait for somebody else."""
_FRESH_S = 0.5
"""How long a forecast is good for while nothing begins or ends."""
_SHORT_S, _REST = 0.005, 20
"""After a look that took longer there is none for so many times as long: they are taken in the daemon's loop, and with
a thousand scenes one takes 50 ms."""
_SLOTS = 4
"""Of a label about which nothing was said."""


class Planned(Protocol):
    """A job, as far as its work goes."""

    @property
    def works(self) -> Sequence[Work]: ...

    def estimate(self, rates: Rates) -> None:
        """Say what is planned as well as it is known by now."""
        ...


class Forecast:
    """Knows the running jobs, how fast this machine was of late, and when each job will be done."""

    def __init__(
        self,
        slots: Mapping[Label, int] | None = None,
        *,
        rates: Rates | None = None,
        unloaded: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self.rates = rates or Rates()
        self._unloaded = unloaded
        """How often the voice was removed from memory."""
        self._spoke: int | None = None
        """What that was when it last was loaded."""
        self._slots: Mapping[Label, int] = slots or {}
        self._jobs: list[Planned] = []
        self._running: dict[Work, None] = {}
        self._orders = itertools.count(1)
        self._at = clock()
        self._ends: dict[int, float] = {}
        self._later: dict[int, float] = {}
        self._looked_at = self._at
        self._changed = True
        self._rests_until = 0.0

    def join(self, job: Planned) -> None:
        if job not in self._jobs:
            self._jobs.append(job)
        self._ends.pop(id(job), None)
        self.changed()

    def leave(self, job: Planned) -> None:
        """The job has ended."""
        if job in self._jobs:
            self._jobs.remove(job)
        for work in job.works:
            self._running.pop(work, None)
        self.changed()

    def changed(self) -> None:
        """What was foreseen is no longer true."""
        self._changed = True

    def asked(self, work: Work) -> None:
        """A job waits for a step from now on."""
        work.state, work.order, work.joined = "waiting", next(self._orders), False
        for need in work.needs:
            need.skip()
        self.changed()

    def told(self, work: Work, share: float) -> None:
        """A step has its slot (`share` 0), or reports how far it is. What its job has given up may still report, for
        another one."""
        if work.state not in ("waiting", "running"):
            return
        self._pass_time()
        if share == 0 or work.state != "running":
            work.begun()
            work.joined = share > 0
            self._running[work] = None
            if work.kind == "speech" and self._spoke != self._unloaded():
                self._spoke, work.cost = self._unloaded(), with_model_load(work.cost)
            self.changed()
        work.told(share)

    def ended(self, work: Work, *, ran: bool, failed: bool = False) -> None:
        """A step has ended; `ran` says that it was not found done. One that failed may be asked for again."""
        self._pass_time()
        self._running.pop(work, None)
        if ran and not failed and work.state == "running":
            pace = work.whole_pace()
            if pace is not None:
                self.rates.see(work.cost, pace)
        work.state, work.share = ("planned", 0.0) if failed else ("done", 1.0)
        self.changed()

    def left_s(self, job: Planned) -> tuple[float, float]:
        """Seconds until the job is done, or stops for a review; and seconds of work that come after that review."""
        now = self.clock()
        stale = self._changed or now - self._looked_at > _FRESH_S
        if id(job) not in self._ends or (stale and time.perf_counter() >= self._rests_until):
            began = time.thread_time()
            self._look()
            self._looked_at, self._changed = now, False
            took_s = time.thread_time() - began
            self._rests_until = time.perf_counter() + _REST * took_s if took_s > _SHORT_S else 0.0
        passed_s = now - self._looked_at
        return max(0.0, self._ends.get(id(job), 0.0) - passed_s), self._later.get(id(job), 0.0)

    def _heavy(self, label: Label) -> float:
        """Share of the machine that one step of a label takes."""
        return _CORES.get(label, 0.0) / self._slots.get(label, 1)

    def _speed(self, labels: Iterable[Label]) -> float:
        """How fast heavy steps go when these run side by side, 0..1."""
        return 1 / max(1.0, sum(self._heavy(label) for label in labels))

    def _pass_time(self) -> None:
        now = self.clock()
        passed_s, self._at = now - self._at, now
        speed = self._speed(work.label for work in self._running)
        for work in self._running:
            work.spent_s += passed_s * (speed if self._heavy(work.label) else 1.0)

    def _look(self) -> None:
        """Run what is left in thought."""
        self._pass_time()
        for job in self._jobs:
            job.estimate(self.rates)
        paces = [(work.cost, work.pace_by_now(self.rates)) for work in self._running]
        rates = self.rates.with_steps((cost, pace) for cost, pace in paces if pace is not None)
        of_job = {work: id(job) for job in self._jobs for work in job.works if work.state != "done"}
        self._ends = {id(job): 0.0 for job in self._jobs}
        self._later = dict.fromkeys(self._ends, 0.0)
        left: dict[Work, float] = {}
        loads = self._next_to_load(of_job)
        for work, job_id in of_job.items():
            seconds = work.left_s(rates)
            if work is loads:
                seconds = sum(rates.expected_s(with_model_load(work.cost)))
            if work.later:
                self._later[job_id] += seconds / self._slots.get(work.label, 1)
            else:
                left[work] = seconds
        for work, end_s in self._run(left).items():
            self._ends[of_job[work]] = max(self._ends[of_job[work]], end_s)

    def _next_to_load(self, works: Iterable[Work]) -> Work | None:
        """The speech that will have to load the voice first; None if it is loaded, or there is no more to be said."""
        if self._spoke == self._unloaded():
            return None
        coming = (work for work in works if work.kind == "speech" and work.state != "running" and not work.later)
        return max(coming, key=lambda work: work.priority, default=None)

    def _run(self, left: dict[Work, float]) -> dict[Work, float]:
        """When each work ends, in seconds from now. `left` is used up."""
        ends: dict[Work, float] = {}
        numbers = itertools.count(2**40)
        missing = {work: sum(need in left for need in work.needs) for work in left}
        after: dict[Work, list[Work]] = {}
        for work in left:
            for need in work.needs:
                after.setdefault(need, []).append(work)
        queues: dict[Label, list[tuple[int, int, Work]]] = {}
        running = [work for work in left if work.state == "running"]
        free = {label: self._slots.get(label, _SLOTS) for label in {*(work.label for work in left), "cpu", "ffmpeg"}}
        for work in running:
            free[work.label] -= 1
        models = any(work.label == "cpu" for work in running)
        free["ffmpeg"] -= models

        def queue(work: Work) -> None:
            order = work.order if work.state == "waiting" else next(numbers)
            heapq.heappush(queues.setdefault(work.label, []), (-work.priority, order, work))

        for work in left:
            if work.state != "running" and not missing[work]:
                queue(work)

        def hand_out() -> None:
            """First to the models, which take the place of an encode until all of them are done (`Lodger`)."""
            nonlocal models
            if models and not queues.get("cpu") and free["cpu"] == self._slots.get("cpu", _SLOTS):
                models = False
                free["ffmpeg"] += 1
            elif not models and queues.get("cpu") and free["ffmpeg"] > 0:
                models = True
                free["ffmpeg"] -= 1
            for label, waiting in queues.items():
                while waiting and free[label] > 0 and (models or label != "cpu"):
                    free[label] -= 1
                    running.append(heapq.heappop(waiting)[2])

        now_s = 0.0
        while True:
            hand_out()
            if not running:
                return ends
            speed = self._speed(work.label for work in running)
            paces = [speed if self._heavy(work.label) else 1.0 for work in running]
            step_s = min(left[work] / pace for work, pace in zip(running, paces, strict=True))
            now_s += step_s
            ended = []
            for work, pace in zip(running, paces, strict=True):
                left[work] -= step_s * pace
                if left[work] <= 1e-9:
                    ended.append(work)
                    ends[work] = now_s
                    free[work.label] += 1
            running[:] = [work for work in running if work not in ends]
            hand_out()  # who waits already comes before who can only ask now
            for work in ended:
                for following in after.get(work, ()):
                    missing[following] -= 1
                    if not missing[following] and following.state != "running":
                        queue(following)
