"""How far this machine is from the guesses of `step_cost`: by what was seen last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vidgend.pipeline.step_cost import Cost

_KEPT = 0.6
"""Weight of what was seen before against what is seen now: machines and clips change."""
_UNSURE_S = 0.4
"""So many seconds of guessed cost have to be seen until a kind's own pace counts as much as that of its like."""
_FAR = 4.0
"""No guess about a kind that was never seen is made longer or shorter than this many times."""
_HEAVY = ("speech", "segment", "transition", "sound", "check")
"""Kinds that tell how fast the machine is; the others wait for somebody else."""

Took = tuple[float, float]
"""Seconds that something took, and seconds that it was guessed to take."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What was seen of a step, until its first report and after it."""

    opening: Took
    growing: Took

    @classmethod
    def of_whole(cls, cost: Cost, seconds: float) -> Pace:
        """Of a step of which only the whole is known."""
        ratio = seconds / cost.total_s if cost.total_s else 0.0
        return cls(opening=(ratio * cost.opening_s, cost.opening_s), growing=(ratio * cost.growing_s, cost.growing_s))


class Rates:
    """How many times longer than guessed each kind of step takes on this machine."""

    def __init__(self) -> None:
        self._opening: dict[str, Took] = {}
        self._growing: dict[str, Took] = {}

    def see(self, cost: Cost, pace: Pace) -> None:
        """A step of that cost has ended."""
        for seen, (seconds, guessed_s) in ((self._opening, pace.opening), (self._growing, pace.growing)):
            before = seen.pop(cost.name, (0.0, 0.0))  # the newest stands last
            seen[cost.name] = (before[0] * _KEPT + seconds, before[1] * _KEPT + guessed_s)

    def knows(self, kind: str) -> bool:
        return any(name.split()[0] == kind for name in self._growing)

    def picture(self) -> str | None:
        """The kind of picture that was rendered last."""
        names = [name.split() for name in self._growing]
        return next((name[1] for name in reversed(names) if name[0] == "segment"), None)

    def factors(self, under_way: Iterable[tuple[Cost, Pace]] = ()) -> Factors:
        """With what is seen of steps that are under way."""
        opening, growing = dict(self._opening), dict(self._growing)
        for cost, pace in under_way:
            for seen, took in ((opening, pace.opening), (growing, pace.growing)):
                before = seen.get(cost.name, (0.0, 0.0))
                seen[cost.name] = (before[0] + took[0], before[1] + took[1])
        return Factors(opening, growing)


class Factors:
    """`Rates` at one moment."""

    def __init__(self, opening: Mapping[str, Took], growing: Mapping[str, Took]) -> None:
        heavy = [took for seen in (opening, growing) for name, took in seen.items() if _tells_of_cores(name)]
        machine = min(_FAR, max(1 / _FAR, _ratio(heavy, 1.0)))
        self._parts = tuple(_Part(seen, machine) for seen in (opening, growing))

    def expected_s(self, cost: Cost) -> tuple[float, float]:
        """How long a step will take here until its first report, and after it."""
        opening, growing = self._parts
        return cost.opening_s * opening.factor(cost.name), cost.growing_s * growing.factor(cost.name)


class _Part:
    def __init__(self, seen: Mapping[str, Took], machine: float) -> None:
        self._seen = seen
        self._machine = machine
        self._of: dict[str, float] = {}

    def factor(self, name: str) -> float:
        if name not in self._of:
            kind = name.split()[0]
            factor = _ratio((took for other, took in self._seen.items() if other.split()[0] == kind), self._machine)
            if name in self._seen:
                factor = _ratio([self._seen[name]], factor)
            self._of[name] = factor
        return self._of[name]


def _tells_of_cores(name: str) -> bool:
    kind, *more = name.split()
    return kind in _HEAVY and "gpu" not in more


def _ratio(seen: Iterable[Took], otherwise: float) -> float:
    """Seconds per guessed second of what was seen; little of it counts little against `otherwise`."""
    seconds, guessed_s = otherwise * _UNSURE_S, _UNSURE_S
    for took in seen:
        seconds, guessed_s = seconds + took[0], guessed_s + took[1]
    return seconds / guessed_s
