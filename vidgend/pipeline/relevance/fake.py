"""A similarity for tests: it says what it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vidgend.errors import StepError


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
