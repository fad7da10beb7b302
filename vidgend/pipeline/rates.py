"""How far this machine is from the guesses of `step_cost`: by what was seen last.

A step takes its guess, times the pace of its kind, times the pace of the machine. That of a kind changes little, that
of the machine with what else runs on it: so what is seen of one kind tells something of all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vidgend.pipeline.step_cost import Cost

_UNSURE_S = 0.7
"""A step with a guess of so many seconds counts half: short ones say little."""
_TO_MACHINE, _TO_KIND = 0.25, 0.2
"""Of what is unexpected about a step so much is put down to the machine, and so much to the kind: not all, since one
clip takes longer than another."""
_FAR = math.log(20)
"""Nothing is taken for more than so much (20 times) longer or shorter than guessed."""
_HEAVY = ("speech", "segment", "transition", "card", "sound", "check", "recording", "transcribe")
"""Kinds that take as long as the machine's cores let them; the others wait for somebody else."""
_OPENING, _GROWING = "opening", "growing"

Took = tuple[float, float]
"""Seconds that something took, and seconds that it was guessed to take."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What was seen of a step, until its first report and after it."""

    opening: Took = (0.0, 0.0)
    growing: Took = (0.0, 0.0)

    @classmethod
    def of_whole(cls, cost: Cost, seconds: float) -> Pace:
        """Of a step of which only the whole is known."""
        ratio = seconds / cost.total_s if cost.total_s else 0.0
        return cls(opening=(ratio * cost.opening_s, cost.opening_s), growing=(ratio * cost.growing_s, cost.growing_s))


class Rates:
    """How many times longer than guessed each kind of step takes on this machine; all kept as logarithms."""

    def __init__(self) -> None:
        self._machine = 0.0
        self._kinds: dict[tuple[str, str], float] = {}
        """By part of a step and name of its cost, the newest last."""

    def see(self, cost: Cost, pace: Pace) -> None:
        """A step of that cost has ended."""
        self._see(_OPENING, cost.name, pace.opening)
        self._see(_GROWING, cost.name, pace.growing)

    def _see(self, part: str, name: str, took: Took) -> None:
        seconds, guessed_s = took
        if guessed_s <= 0:
            return
        seen = max(-_FAR, min(_FAR, math.log(max(seconds, 1e-3) / guessed_s)))
        counts = guessed_s / (guessed_s + _UNSURE_S)
        machine = self._machine if _on_cores(name) else 0.0
        known = (part, name) in self._kinds
        before = self._kind(part, name)
        unexpected = counts * (seen - machine - before)
        self._kinds.pop((part, name), None)
        if not known:
            self._kinds[part, name] = before + unexpected
            return
        self._kinds[part, name] = before + _TO_KIND * unexpected
        if _on_cores(name):
            self._machine += _TO_MACHINE * unexpected

    def _kind(self, part: str, name: str) -> float:
        """The pace of a kind; of its like, if it was never seen, or of all."""
        own = self._kinds.get((part, name))
        if own is not None:
            return own
        kind = name.split()[0]
        alike = [pace for (_, other), pace in self._kinds.items() if other.split()[0] == kind]
        if not alike and _on_cores(name):
            alike = [pace for (_, other), pace in self._kinds.items() if _on_cores(other)]
        return sum(alike) / len(alike) if alike else 0.0

    def knows(self, kind: str) -> bool:
        return any(name.split()[0] == kind for _, name in self._kinds)

    def picture(self) -> str | None:
        """The kind of picture that was rendered last."""
        names = [name.split() for _, name in self._kinds]
        return next((name[1] for name in reversed(names) if name[0] == "segment"), None)

    def with_steps(self, under_way: Iterable[tuple[Cost, Pace]]) -> Rates:
        """As it would be if these steps had ended with what is seen of them by now."""
        rates = Rates()
        rates._machine, rates._kinds = self._machine, dict(self._kinds)
        for cost, pace in under_way:
            rates.see(cost, pace)
        return rates

    def expected_s(self, cost: Cost) -> tuple[float, float]:
        """How long a step will take here until its first report, and after it."""
        machine = self._machine if _on_cores(cost.name) else 0.0
        opening, growing = (math.exp(machine + self._kind(part, cost.name)) for part in (_OPENING, _GROWING))
        return cost.opening_s * opening, cost.growing_s * growing


def _on_cores(name: str) -> bool:
    kind, *more = name.split()
    return kind in _HEAVY and "gpu" not in more
