"""Scene -> the pictures that a person may choose from: the one it shows first, then others that would do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from typing import Protocol

from vidgend.models import Candidate, Scene
from vidgend.pipeline.footage.port import FootageProvider

LEAST_CANDIDATES = 3
"""So many there are, if the providers have them."""
KEPT_CANDIDATES = 5
"""How many of the candidates the storyboard shows at most."""

Name = tuple[str, str]
"""(provider, id)"""


Known = Callable[[FootageProvider, Scene, str], tuple[Candidate, ...] | None]
"""The answer to a search that was made already; None if it was not."""


class Search(Protocol):
    def __call__(
        self, provider: FootageProvider, scene: Scene, text: str, /, *, seed: int = 0
    ) -> Awaitable[tuple[Candidate, ...]]:
        """() if the provider is out of order."""
        ...


def name_of(candidate: Candidate) -> Name:
    return candidate.provider, candidate.id


def chosen_first(chosen: Candidate, others: Sequence[Candidate]) -> tuple[Candidate, ...]:
    return (chosen, *(one for one in others if name_of(one) != name_of(chosen)))[:KEPT_CANDIDATES]


async def to_choose_from(
    scene: Scene,
    chosen: Candidate,
    *,
    providers: Sequence[FootageProvider],
    known: Known,
    search: Search,
    taken: Collection[Name],
    without: Collection[Name],
    asks: Collection[str],
) -> tuple[Candidate, ...]:
    """`chosen` and then others, best first, none of those in `without`; what other scenes show (`taken`) only where
    there are less than LEAST_CANDIDATES without it.

    What was found already costs nothing. Only while that is too little, the providers named in `asks` are asked for
    more; another seed is another painting, so those never run out.
    """
    free, repeats = {name_of(chosen): chosen}, dict[Name, Candidate]()

    def take(answer: Sequence[Candidate]) -> None:
        for one in answer:
            if name_of(one) in free or name_of(one) in without:
                continue
            (repeats if name_of(one) in taken else free).setdefault(name_of(one), one)

    for provider in providers:
        for text in scene.queries:
            answer = known(provider, scene, text)
            if answer is None and len(free) < LEAST_CANDIDATES and provider.name in asks:
                answer = await search(provider, scene, text)
            take(answer or ())
        if provider.name == "generated" and provider.name in asks:
            for seed in _seeds(len(taken) + len(without)):
                if len(free) >= LEAST_CANDIDATES:
                    break
                take(await search(provider, scene, scene.queries[0], seed=seed))
    found = [*free.values(), *list(repeats.values())[: max(0, LEAST_CANDIDATES - len(free))]]
    return tuple(found[:KEPT_CANDIDATES])


def _seeds(used: int) -> Iterator[int]:
    """Enough to find as many new paintings as are needed, whichever are used already."""
    return iter(range(1, used + LEAST_CANDIDATES + 1))
