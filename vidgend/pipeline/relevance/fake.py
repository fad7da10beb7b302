"""Similarities for tests: they say what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from vidgend.errors import StepError
from vidgend.pipeline.executor.port import Label


def _all_fit(wanted: str, described: str) -> float:
    return 1.0


class FakeSimilarity:
    """`fit` gives the number for a wanted text and a description; unless it is given, everything fits, so that what
    was found first comes first. `error`, when set, is raised instead. `asked` are the wanted texts of all calls."""

    name = "fake"
    identity = "fake:1"
    label = None

    def __init__(self, fit: Callable[[str, str], float] = _all_fit) -> None:
        self._fit = fit
        self.error: StepError | None = None
        self.asked: list[tuple[str, ...]] = []

    async def compare(self, wanted: Sequence[str], described: Sequence[str]) -> list[list[float]]:
        """Raises: `error`."""
        self.asked.append(tuple(wanted))
        if self.error is not None:
            raise self.error
        return [[self._fit(text, other) for other in described] for text in wanted]

    async def aclose(self) -> None:
        """Nothing is held."""


class FakeLooks:
    """An ImageSimilarity for tests. `look` gives the number for a wanted text and the average colour of a picture, each
    0..255. `error`, when set, is raised instead. `asked` counts the pictures of all calls."""

    name = "fake looks"
    identity = "fake:1"
    label: Label = "cpu"
    problem = ""

    def __init__(self, look: Callable[[str, tuple[float, float, float]], float]) -> None:
        self._look = look
        self.error: StepError | None = None
        self.asked: list[int] = []

    async def compare(self, wanted: Sequence[str], pictures: Sequence[Path]) -> list[list[float]]:
        """Raises: `error`."""
        self.asked.append(len(pictures))
        if self.error is not None:
            raise self.error
        seen = [await asyncio.to_thread(path.read_bytes) for path in pictures]
        colours = [(_average(raw[0::3]), _average(raw[1::3]), _average(raw[2::3])) for raw in seen]
        return [[self._look(text, colour) for colour in colours] for text in wanted]

    async def aclose(self) -> None:
        """Nothing is held."""


def _average(values: bytes) -> float:
    return sum(values) / len(values)
