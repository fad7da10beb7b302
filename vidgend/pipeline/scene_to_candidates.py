"""Scene -> candidates: searches from the specific to the general until something fits, and what they found, ranked.

    level 0   the library, which costs nothing     all searches of the scene
    level 1   each provider in the settings' order the scene's first search, what the provider has best (videos)
    level 2   each provider                        the second search
    level 3   each provider                        the first search, what else it has (photos)
    level 4   each provider                        the searches that are left
    level 5   each provider                        the mood alone, only where nothing at all was found

A level costs one request for each provider and search, so none is begun while something is good enough.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from vidgend.models import Candidate, Scene
from vidgend.pipeline.footage.port import FootageProvider, SearchKind
from vidgend.pipeline.footage_search import LOCAL, FootageSearch, Name
from vidgend.pipeline.relevance.port import Ranked, TextSimilarity, Wish
from vidgend.pipeline.relevance.ranking import rank

LEAST_CANDIDATES = 3
"""So many there are, if the providers have them."""
KEPT_CANDIDATES = 5
"""How many of the candidates the storyboard shows at most."""
GOOD = 0.7
"""A fit that makes it needless to ask another provider the same."""
Look = Callable[[Scene, Wish, tuple[Ranked, ...]], Awaitable[tuple[Ranked, ...]]]
"""Candidates by their words -> by their pictures as well."""
MOOD_SEARCHES = {
    "calm": "calm nature landscape", "energetic": "fast city motion", "happy": "people smiling outdoors",
    "nostalgic": "old film memories", "tender": "warm soft sunlight",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One search of a scene."""

    level: int
    provider: FootageProvider
    text: str
    kind: SearchKind


def asks_of(scene: Scene, providers: Sequence[FootageProvider], mood: str | None) -> Iterator[Ask]:
    """All searches that may be made for a scene, in order."""
    stock = [provider for provider in providers if provider.name not in LOCAL]
    for provider in providers:
        if provider.name == "library":
            for text in scene.queries:
                yield Ask(level=0, provider=provider, text=text, kind=provider.kinds[0])
    for level, texts in ((1, scene.queries[:1]), (2, scene.queries[1:2])):
        for text in texts:
            for provider in stock:
                yield Ask(level=level, provider=provider, text=text, kind=provider.kinds[0])
    for provider in stock:
        for kind in provider.kinds[1:]:
            yield Ask(level=3, provider=provider, text=scene.queries[0], kind=kind)
    for text in scene.queries[2:]:
        for provider in stock:
            yield Ask(level=4, provider=provider, text=text, kind=provider.kinds[0])
    for provider in stock:
        yield Ask(level=5, provider=provider, text=MOOD_SEARCHES[mood or "calm"], kind=provider.kinds[0])


class SceneSearch:
    """What was found for one scene so far, and how to find more."""

    def __init__(
        self,
        scene: Scene,
        *,
        search: FootageSearch,
        providers: Sequence[FootageProvider],
        similarity: TextSimilarity,
        wish: Wish,
        look: Look | None = None,
    ) -> None:
        self.scene = scene
        self.wish = wish
        self._search = search
        self._providers = {provider.name: provider for provider in providers}
        self._similarity = similarity
        self._look = look
        self._asks = asks_of(scene, providers, wish.mood)
        self._next = next(self._asks, None)
        self._found: list[tuple[str, Candidate]] = []
        """Each search with what it found, in the order of the answers."""
        self._ranked: tuple[Ranked, ...] | None = None
        self.asked: dict[str, int] = {}
        """Provider -> how many candidates its answers held, each search counted by itself."""

    def provider_of(self, candidate: Candidate) -> FootageProvider:
        return self._providers[candidate.provider]

    async def begin(self) -> None:
        """Ask until something fits: well, or, once every provider was asked for the best search, at all."""
        while self._next is not None:
            best = max((one.fit for one in await self.ranked(look=False)), default=0.0)
            if best >= GOOD or (self._next.level > 1 and any(one.fits for one in await self.ranked(look=False))):
                break
            if not await self.widen():
                break
        if self._look is not None:
            await self.ranked()  # now, beside other scenes: later they choose one after the other

    async def widen(self) -> bool:
        """Make the next search. False if there is none left that is worth it."""
        ask = self._next
        if ask is None or (ask.level == 5 and await self.ranked()):
            return False
        self._next = next(self._asks, None)
        if self._search.is_down(ask.provider.name):
            return True
        answer = await self._search.search(ask.provider, self.scene, ask.text, kind=ask.kind)
        self.asked[ask.provider.name] = self.asked.get(ask.provider.name, 0) + len(answer)
        self._found += [(ask.text, candidate) for candidate in answer]
        self._ranked = None
        return True

    def add(self, text: str, candidates: Sequence[Candidate]) -> None:
        """What was found elsewhere, for the search `text`."""
        self._found += [(text, candidate) for candidate in candidates]
        self._ranked = None

    async def ranked(self, beside_rgb: tuple[str, ...] | None = None, *, look: bool = True) -> tuple[Ranked, ...]:
        """What was found, best first, without what somebody refused. `beside_rgb` are the colours beside the scene, as
        soon as they are known; without `look` it is ranked by words alone."""
        if beside_rgb is not None and beside_rgb != self.wish.beside_rgb:
            self.wish = replace(self.wish, beside_rgb=beside_rgb)
            self._ranked = None
        if self._ranked is None:
            offered = [(text, one) for text, one in self._found if name_of(one) not in self.scene.refused]
            self._ranked = await rank(self._similarity, self.wish, offered) if offered else ()
        if look and self._look is not None:
            return await self._look(self.scene, self.wish, self._ranked)
        return self._ranked

    async def to_choose_from(
        self,
        chosen: Candidate,
        *,
        taken: Collection[Name],
        without: Collection[Name],
        may_ask: bool,
        paint: AsyncIterator[Candidate] | None,
    ) -> tuple[Candidate, ...]:
        """`chosen` and then others, best first, none of those in `without`; what other scenes show (`taken`) only where
        there are less than LEAST_CANDIDATES without it. While that is too little more is searched for, if it
        `may_ask`, and painted, if there is somebody to `paint`."""

        async def free() -> list[Candidate]:
            others = [one.candidate for one in await self.ranked() if name_of(one.candidate) not in without]
            return [one for one in others if name_of(one) not in taken and name_of(one) != name_of(chosen)]

        found = [chosen, *await free()]
        while may_ask and len(found) < LEAST_CANDIDATES and await self.widen():
            found = [chosen, *await free()]
        while paint is not None and len(found) < LEAST_CANDIDATES:
            painted = await anext(paint, None)
            if painted is None:
                break
            if name_of(painted) not in {*map(name_of, found), *taken, *without}:
                found.append(painted)
        if len(found) < LEAST_CANDIDATES:
            known = {*map(name_of, found), *without}
            repeats = [one.candidate for one in await self.ranked() if name_of(one.candidate) not in known]
            found += repeats[: LEAST_CANDIDATES - len(found)]
        return tuple(found[:KEPT_CANDIDATES])


def name_of(candidate: Candidate) -> Name:
    return candidate.provider, candidate.id


def chosen_first(chosen: Candidate, others: Sequence[Candidate]) -> tuple[Candidate, ...]:
    return (chosen, *(one for one in others if name_of(one) != name_of(chosen)))[:KEPT_CANDIDATES]
