"""The relevance port: how well the description of a clip fits the words that it is to go with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vidgend.models import Candidate
from vidgend.pipeline.executor.port import Label


class TextSimilarity(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str:
        """What changes the numbers besides our own code: the model. Part of the step's key."""
        ...

    @property
    def label(self) -> Label | None:
        """What comparing costs; None: next to nothing, so that it is no step."""
        ...

    async def compare(self, wanted: Sequence[str], described: Sequence[str]) -> list[list[float]]:
        """One row for each wanted text, in it one number for each description: 0 (nothing in common) .. 1 (the same),
        on one scale for all implementations: FLOOR and more is a fit.

        The lines of a description are of less and less worth: the title, the tags, folder or album (`described`).
        Raises: StepError.
        """
        ...

    async def aclose(self) -> None: ...


SEEN_PX = 224
"""Width and height of a picture as an ImageSimilarity sees it."""


class ImageSimilarity(Protocol):
    """How well what a picture shows fits the words that it is to go with."""

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str:
        """As that of a TextSimilarity."""
        ...

    @property
    def label(self) -> Label:
        """What looking costs."""
        ...

    @property
    def problem(self) -> str:
        """Why it cannot look, as far as that is known before it is asked, or ""."""
        ...

    async def compare(self, wanted: Sequence[str], pictures: Sequence[Path]) -> list[list[float]]:
        """One row for each wanted text, in it one number for each picture: 0 (something else) .. 1 (just that).

        A picture is a file of uint8[SEEN_PX, SEEN_PX, 3], red, green, blue, without a header. Raises: StepError.
        """
        ...

    async def aclose(self) -> None: ...


FLOOR = 0.5
"""From here on a description is taken to fit."""


MAX_TEXT_CHARS = 400
"""Of a text that is compared; a title has forty, a scene's narration two hundred."""


def described(candidate: Candidate) -> str:
    """What is said of a candidate, as `compare` takes it. Comes from outside, so it is cut."""
    title = " ".join(candidate.description.split())[:MAX_TEXT_CHARS]
    tags = " ".join(" ".join(candidate.tags).split())[:MAX_TEXT_CHARS]
    return f"{title}\n{tags}" if tags else title


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a scene needs of a clip. `queries` are its searches, best first, in the order of their worth; `narration` is
    what is heard meanwhile; `need_s` how long it will be seen, 0 if that is not known yet. `about` says in a few words
    what the whole video is about (its title or prompt): it tells the crane that is a bird from the one that lifts.

    `beside_rgb` are the average colours, `#rrggbb`, of what comes before and after, as far as they are known. `recent`
    are (provider, id) that recent videos of the same owner have shown, with how lately: 1 in the last one, then less.
    """

    queries: tuple[str, ...]
    narration: str
    width_px: int
    height_px: int
    need_s: float = 0.0
    about: str = ""
    mood: str | None = None
    beside_rgb: tuple[str, ...] = ()
    recent: dict[tuple[str, str], float] | None = None


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A candidate with its place: `score` orders, higher first; `fit` is what its words alone say, 0..1, to be held
    against FLOOR.

    `parts` is what the score is made of, (name, points), biggest first, as the report tells it.
    """

    candidate: Candidate
    query: str
    """The search that it fits best."""
    score: float
    fit: float
    parts: tuple[tuple[str, float], ...] = ()

    @property
    def fits(self) -> bool:
        return self.fit >= FLOOR
