"""Scenes -> clips: what fits best, never the same twice while another fits, fetched and checked, with the reason.

Scenes search side by side. Then they choose, the one with the fewest fitting candidates first, so that nothing is taken
from a scene by one that has others. The files come side by side again; a file that looks like one of an earlier scene
gives way to the next candidate that fits.

Where nothing fits, paintings are held against what was found, by the same words: the best of all of them is shown, and
flagged. What the video shows already comes last.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vidgend.errors import NoFootage, NotFound, StepError, UploadLost
from vidgend.models import Brief, Candidate, Choice, Clip, Scene, Storyboard, Substitution
from vidgend.pipeline.clip_reasons import ranked_clip, why_nothing_fits, why_shown
from vidgend.pipeline.fingerprint import alike
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.footage_search import FootageSearch, Name, Offer, no_footage
from vidgend.pipeline.relevance.port import FLOOR, Ranked, TextSimilarity, Wish
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_to_candidates import Look, SceneSearch, chosen_first, name_of
from vidgend.pipeline.vocabulary import speech_s
from vidgend.store.assets.store import AssetStore
from vidgend.store.uploads import PROVIDER

OWN_CLIP = "a clip of its own"
"""What is wanted where a clip has to be shown twice."""
FITTING = "a clip that fits"
"""What is wanted where none was found."""
TRIES = 4
"""How many candidates of one provider are fetched for a scene before the next provider is asked."""
KEPT_RANKS = 3
"""The clip that was chosen and those that came next."""


@dataclass(kw_only=True)
class _Search:
    """What is known about one scene's clip while it is looked for."""

    scene: Scene
    found: SceneSearch
    reasons: list[str] = field(default_factory=list)
    bad: set[Name] = field(default_factory=set)
    """What could not be fetched or rendered."""
    passing: list[StepError] = field(default_factory=list)
    """Errors that another try may better."""
    repeated: bool = False
    """All that is still offered is shown already."""
    left_over: Offer | None = None
    """What was offered after a clip that had to do."""
    replaced: int = 0


@dataclass
class ClipFinder:
    """Finds clips for the scenes of one job.

    `about` says in a few words what the whole video is about, `unused` which providers of the settings cannot be used,
    with the reason, `recent` what recent videos of the same owner have shown, with how lately, 1 to 0.
    """

    run: JobRun
    brief: Brief
    storyboard: Storyboard
    providers: Sequence[FootageProvider]
    unused: Mapping[str, str]
    assets: AssetStore
    similarity: TextSimilarity
    look: Look | None = None
    about: str = ""
    recent: Mapping[Name, float] = field(default_factory=dict)
    _taken: dict[Name, int] = field(default_factory=dict)
    _seeds: dict[str, int] = field(default_factory=dict)
    """Theme and palette -> the first seed of which a painting may be free: a walk over all of them for each scene is
    a minute for two hundred."""
    _colours: dict[int, str] = field(default_factory=dict)
    """Scene -> the average colour of its picture, where it is known."""
    _kept: dict[int, Clip] = field(default_factory=dict)
    """Of scenes that had a clip before this."""
    _shown: dict[int, Clip] = field(default_factory=dict)
    _settled: dict[int, asyncio.Event] = field(default_factory=dict)
    """Of each scene: whether it is known what it shows."""
    _open: dict[int, tuple[_Search, AsyncGenerator[Offer, None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.search = FootageSearch(self.run, self.brief, self.storyboard)

    async def find(self, scenes: asyncio.TaskGroup) -> list[asyncio.Task[Scene]]:
        """One task per scene, in `scenes`, that ends with its clip chosen, fetched and checked."""
        # What was chosen before a restart or an edit stays, if its file is still there.
        chosen = [await self._still_there(scene) for scene in self.storyboard.scenes]
        searches = [_Search(scene=scene, found=self._search_for(scene)) for scene in chosen]
        for scene in chosen:
            self._settled[scene.index] = asyncio.Event()
            picture = scene.clip or (scene.choice.candidate if scene.choice else None)
            if picture is not None:
                self._taken[(picture.provider, picture.id)] = 1
                self._note_colour(scene.index, picture.average_rgb)
            if scene.clip is not None:
                self._kept[scene.index] = scene.clip
        wanting = [one for one in searches if one.scene.clip is None and one.scene.choice is None]
        async with asyncio.TaskGroup() as group:
            for search in wanting:
                group.create_task(search.found.begin(), name=f"search for scene {search.scene.index + 1}")
        fitting = {one.scene.index: sum(item.fits for item in await one.found.ranked()) for one in wanting}
        first: dict[int, Offer | None] = {}
        for search in sorted(searches, key=lambda one: (fitting.get(one.scene.index, -1), one.scene.index)):
            offers = self._offers(search)
            self._open[search.scene.index] = (search, offers)
            first[search.scene.index] = None if search.scene.clip is not None else await anext(offers, None)
        tasks = []
        for search in searches:
            index = search.scene.index
            making = self._fetch_first_good(search, first[index], self._open[index][1])
            tasks.append(scenes.create_task(making, name=f"clip of scene {index + 1}"))
        return tasks

    def _search_for(self, scene: Scene) -> SceneSearch:
        # Clips are described in English: in another language only the searches say anything about them.
        english = (self.storyboard.language or "en").startswith("en")
        wish = Wish(
            queries=scene.queries,
            narration=scene.narration if english else "",
            width_px=self.brief.width_px,
            height_px=self.brief.height_px,
            need_s=max(speech_s(scene.narration, self.storyboard.language), scene.min_duration_s),
            about=self.about if english else "",
            mood=self.storyboard.mood,
            recent=dict(self.recent),
        )
        return SceneSearch(
            scene, search=self.search, providers=self.providers, similarity=self.similarity, wish=wish, look=self.look
        )

    async def _still_there(self, scene: Scene) -> Scene:
        """The scene; where its clip is no longer in the store, the same one is to be fetched again.

        Raises: UploadLost, since nothing can take the place of a person's own file.
        """
        clip = scene.clip
        if clip is None or clip.digest is None or await self.assets.touch(clip.digest):
            return scene
        if clip.provider == PROVIDER:
            raise UploadLost(f"scene {scene.index + 1}: the file {clip.description!r} ({clip.id[:12]}…) is gone")
        same = [one for one in scene.candidates if (one.provider, one.id) == (clip.provider, clip.id)]
        again = Choice(candidate=same[0], in_point_s=clip.in_point_s) if same else scene.choice
        return replace(scene, clip=None, choice=again)

    async def aclose(self) -> None:
        """End the searches that wait for a scene to ask for more."""
        for _, offers in self._open.values():
            await offers.aclose()

    async def replace_clip(self, scene: Scene, error: StepError) -> Scene:
        """The next candidate for a scene whose clip could not be rendered. Raises: NoFootage, UploadLost."""
        assert scene.clip is not None
        if scene.clip.provider == PROVIDER:
            name = f"the file {scene.clip.description!r}"
            raise UploadLost(f"scene {scene.index + 1}: {name} cannot be rendered: {error.detail}", tail=error.tail)
        search, offers = self._open[scene.index]
        search.reasons = [f"{scene.clip.provider} {scene.clip.id}: {error.detail}"]
        search.bad.add((scene.clip.provider, scene.clip.id))
        search.replaced += 1
        if search.replaced > TRIES:
            raise NoFootage(f"scene {scene.index + 1}: {search.replaced} clips in a row could not be rendered")
        search.scene = replace(scene, clip=None)
        offer, search.left_over = search.left_over or await anext(offers, None), None
        return await self._fetch_first_good(search, offer, offers)

    async def _offers(self, search: _Search) -> AsyncGenerator[Offer, None]:
        """Reserve and yield candidates, best first."""
        scene, found = search.scene, search.found
        choice = scene.choice
        if choice is not None:
            for provider in self.providers:
                if provider.name == choice.candidate.provider:
                    yield Offer(provider=provider, query=scene.queries[0], candidate=choice.candidate, fits=True)
            search.reasons.append(f"{choice.candidate.provider} {choice.candidate.id} cannot be had any more")
            await found.begin()
        tries: dict[str, int] = {}

        async def next_free(*, fitting: bool) -> Offer | None:
            for one in await found.ranked(self._colours_beside(scene.index)):
                name = name_of(one.candidate)
                if (one.fits or not fitting) and name not in self._taken and tries.get(name[0], 0) < TRIES:
                    tries[name[0]] = tries.get(name[0], 0) + 1
                    return self._offer(found, one)
            return None

        while True:
            offer = await next_free(fitting=True)
            if offer is not None:
                yield self._reserved(offer, scene.index)
            elif not await found.widen():
                break
        search.reasons += why_nothing_fits(
            await found.ranked(), found.asked, self.search, self.providers, taken=self._taken, queries=scene.queries
        )
        if await found.ranked():
            found.add(scene.queries[0], await self._first_paintings(scene))
        while (offer := await next_free(fitting=False)) is not None:
            yield self._reserved(offer, scene.index)
        async for offer in self._paintings(scene):
            yield self._reserved(offer, scene.index)
        search.repeated = True
        repeats = [one for one in await found.ranked() if self._taken.get(name_of(one.candidate))]
        repeats.sort(key=lambda one: self._taken[name_of(one.candidate)])
        for one in repeats[:TRIES]:
            yield self._reserved(self._offer(found, one), scene.index)

    @staticmethod
    def _offer(found: SceneSearch, one: Ranked) -> Offer:
        return Offer(
            provider=found.provider_of(one.candidate), query=one.query, candidate=one.candidate, fits=one.fits
        )  # fmt: skip

    def _reserved(self, offer: Offer, index: int) -> Offer:
        self._taken[offer.name] = self._taken.get(offer.name, 0) + 1
        self._note_colour(index, offer.candidate.average_rgb)
        return offer

    async def _first_paintings(self, scene: Scene) -> list[Candidate]:
        """A few, to be held against what was found."""
        found = []
        async for offer in self._paintings(scene):
            found.append(offer.candidate)
            if len(found) == TRIES:
                break
        return found

    async def _paintings(self, scene: Scene) -> AsyncIterator[Offer]:
        """Free paintings, best first; another seed is another picture, so there is one for each scene and refusal."""
        for provider in self.providers:
            if provider.name != "generated":
                continue
            first = await self.search.search(provider, scene, scene.queries[0])
            if not first:
                continue
            kind = "-".join(str((first[0].recipe or {}).get(part)) for part in ("theme", "palette"))
            for seed in range(self._seeds.get(kind, 0), len(self.storyboard.scenes) + len(scene.refused) + 1):
                found = await self.search.search(provider, scene, scene.queries[0], seed=seed)
                if seed == self._seeds.get(kind, 0) and all(name_of(candidate) in self._taken for candidate in found):
                    self._seeds[kind] = seed + 1
                for candidate in found:
                    if name_of(candidate) not in self._taken and name_of(candidate) not in scene.refused:
                        yield Offer(provider=provider, query=scene.queries[0], candidate=candidate)

    def _note_colour(self, index: int, rgb: str | None) -> None:
        if rgb is not None:
            self._colours[index] = rgb
        else:
            self._colours.pop(index, None)

    def _colours_beside(self, index: int) -> tuple[str, ...]:
        return tuple(self._colours[at] for at in (index - 1, index + 1) if at in self._colours)

    async def _fetch_first_good(self, search: _Search, offer: Offer | None, more: AsyncGenerator[Offer, None]) -> Scene:
        index = search.scene.index
        try:
            scene = await self._first_good(search, offer, more)
            assert scene.clip is not None
            self._shown[index] = scene.clip
            return scene
        finally:
            self._settled[index].set()

    async def _first_good(self, search: _Search, offer: Offer | None, more: AsyncGenerator[Offer, None]) -> Scene:
        if search.scene.clip is not None:
            return search.scene
        twin: tuple[Offer, Clip] | None = None
        """What looks like what another scene shows. One that fits is better than what does not."""
        while offer is not None and not (twin and (search.repeated or (twin[0].fits and not offer.fits))):
            try:
                clip = await self.search.fetch(offer, search.scene.index)
            except (StepError, NotFound) as error:
                search.reasons.append(f"{offer.candidate.provider} {offer.candidate.id}: {error.detail}")
                search.bad.add(offer.name)
                if isinstance(error, StepError) and error.retryable:
                    search.passing.append(error)
                offer = await anext(more, None)
                continue
            choice = search.scene.choice
            if choice is not None and offer.candidate == choice.candidate:
                clip = replace(clip, in_point_s=choice.in_point_s)
                shown = chosen_first(choice.candidate, search.scene.candidates)
                return replace(search.scene, clip=clip, choice=None, candidates=shown)
            like = await self._looks_like(search.scene.index, clip)
            if like is None or search.repeated:
                return await self._chosen(search, offer, clip, again=search.repeated)
            search.reasons.append(f"{clip.provider} {clip.id}: looks like the clip of scene {like + 1}")
            twin = twin or (offer, clip)
            offer = await anext(more, None)
        if twin is not None:
            search.left_over = offer
            return await self._chosen(search, *twin, again=True)
        number, query = search.scene.index + 1, search.scene.queries[0]
        raise no_footage(
            f"scene {number} ({query!r}): {'; '.join(search.reasons) or 'no provider'}",
            [*search.passing, *self.search.passing()],
        )

    async def _looks_like(self, index: int, clip: Clip) -> int | None:
        """The scene that shows nearly the same: one before this, once all of those know what they show, or one that
        had its clip already."""
        if not clip.prints:
            return None
        for before in range(index):
            await self._settled[before].wait()
        later = {at: one for at, one in self._kept.items() if at > index}
        others = {at: one for at, one in self._shown.items() if at < index or at in later}
        return next((at for at, one in sorted((later | others).items()) if alike(one.prints, clip.prints)), None)

    async def _chosen(self, search: _Search, offer: Offer, clip: Clip, *, again: bool) -> Scene:
        """The scene with what it shows, what else it could show, and why. `again`: another scene shows it too."""
        ranked = await search.found.ranked()
        own = next((one for one in ranked if name_of(one.candidate) == offer.name), None)
        await self._tell(search, clip, own, again=again)
        others = [one for one in ranked if one is not own and name_of(one.candidate) not in search.bad]
        shown = await self._to_choose_from(search, offer.candidate)
        return replace(
            search.scene,
            clip=clip,
            choice=None,
            candidates=shown,
            why=why_shown(offer, own, others, taken=self._taken, by=self.similarity.name),
            ranking=tuple(map(ranked_clip, ([own] if own is not None else []) + others))[:KEPT_RANKS],
        )

    async def _to_choose_from(self, search: _Search, chosen: Candidate) -> tuple[Candidate, ...]:
        """Only for somebody who is about to look is more asked of the web than the search itself has asked."""
        paint = None
        if any(provider.name == "generated" for provider in self.providers):
            paint = self._painted_candidates(search.scene)
        return await search.found.to_choose_from(
            chosen,
            taken=self._taken,
            without={*search.scene.refused, *search.bad},
            may_ask=self.brief.review,
            paint=paint,
        )

    async def _painted_candidates(self, scene: Scene) -> AsyncIterator[Candidate]:
        async for offer in self._paintings(scene):
            yield offer.candidate

    async def _tell(self, search: _Search, clip: Clip, own: Ranked | None, *, again: bool) -> None:
        """Record what was substituted for this scene, if anything was."""
        scene: int | None = search.scene.index + 1
        reasons = search.reasons
        if again:
            wanted, used = OWN_CLIP, f"{clip.provider} {clip.id} again"
        elif clip.kind == "generated":
            wanted, used = "stock footage", "a painted background"
            if all(provider.name == "generated" for provider in self.providers):
                reasons = [f"{name}: {why}" for name, why in self.unused.items()] + reasons
        elif own is not None and not own.fits:
            wanted, used = FITTING, f"{clip.provider} {clip.id}"
            reasons = [*reasons, f"its words fit {own.query!r} by {own.fit:.2f}, {FLOOR} would do"]
        else:
            wanted, used = "the first choice", f"{clip.provider} {clip.id}"
        reasons = list(dict.fromkeys([*reasons, *self.search.out_of_order()]))
        if not reasons:
            return
        if set(search.reasons) <= set(self.search.out_of_order()) and not again and (own is None or own.fits):
            scene = None  # nothing but the set-up: one fact about the video, not one per scene
        await self.run.substitute(
            Substitution(stage="retrieving", scene=scene, wanted=wanted, used=used, reason="; ".join(reasons))
        )
