"""Scenes -> clips: search the providers in order, choose without repeats, fetch, check, fall through with a reason."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from vidgend.errors import MediaUnreadable, NoFootage, NotFound, StepError, UploadLost
from vidgend.models import Brief, Candidate, Choice, Clip, Scene, Storyboard, Substitution
from vidgend.pipeline.clip_facts import examine
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.footage.port import FootageProvider, FootageQuery
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_to_candidates import chosen_first, to_choose_from
from vidgend.store.assets.store import AssetStore
from vidgend.store.uploads import PROVIDER

SEARCH, FETCH = "search", "fetch"
CODE = (
    "scene_to_clip.py",
    "footage",
    "media_kind.py",
    "vocabulary.py",
    "probe.py",
    "exif.py",
    "clip_facts.py",
    "clip_scan.py",
    "media_end.py",
)
OWN_CLIP = "a clip of its own"
"""What is wanted where a clip has to be shown twice."""
TRIES = 4
"""How many candidates of one provider are fetched for a scene before the next provider is asked."""

_CANDIDATE = TypeAdapter(Candidate)
_CLIP = TypeAdapter(Clip)
_CANDIDATES = TypeAdapter(tuple[Candidate, ...])
_QUERY = TypeAdapter(FootageQuery)
SEARCH_EPOCH_S = 86_400.0
"""How long a search answer is good for."""
LIBRARY_EPOCH_S = 60.0
"""The user's folders change under our eyes, and searching them costs nothing."""
_LOCAL = ("generated", "library")


class SearchStep:
    """args: provider, query, epoch -> candidates"""

    def __init__(self, providers: Sequence[FootageProvider]) -> None:
        self._providers = {provider.name: provider for provider in providers}

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        found = await self._providers[args["provider"]].search(_QUERY.validate_python(args["query"]))
        return StepOutput(output={"candidates": _CANDIDATES.dump_python(found, mode="json")})


class FetchStep:
    """args: provider, candidate, width_px, height_px -> digest, and what `examine` found"""

    def __init__(self, providers: Sequence[FootageProvider], ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        candidate = _CANDIDATE.validate_python(args["candidate"])
        path = run.scratch / "source.media"
        await self._providers[args["provider"]].fetch(
            candidate, width_px=args["width_px"], height_px=args["height_px"], path=path
        )
        try:
            examined = await examine(await self._ffmpeg.get(), path)
        except MediaUnreadable as error:
            raise MediaUnreadable(f"{candidate.provider} {candidate.id}: {error.detail}", tail=error.tail) from error
        digest = await self._assets.put(path)
        return StepOutput(output={"digest": digest, **examined}, blobs=(digest,))


@dataclass(kw_only=True)
class _Search:
    """What is known about one scene's search while it goes on."""

    scene: Scene
    reasons: list[str] = field(default_factory=list)
    bad: set[tuple[str, str]] = field(default_factory=set)
    """(provider, id) of what could not be fetched or rendered."""
    passing: list[StepError] = field(default_factory=list)
    """Errors that another try may better."""
    repeated: bool = False
    replaced: int = 0


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A candidate for a query of a scene."""

    provider: FootageProvider
    query: str
    candidate: Candidate


def no_footage(detail: str, passing: Sequence[StepError], *, hint: str | None = None) -> NoFootage:
    """The error for a scene without a picture. It is worth another try if one of the causes was."""
    error = NoFootage(detail, hint=hint)
    if passing:
        error.retryable = True
        error.max_retries = max(cause.max_retries for cause in passing)
        waits = [cause.retry_after_s for cause in passing if cause.retry_after_s is not None]
        error.retry_after_s = min(waits) if waits else None
    return error


@dataclass
class ClipFinder:
    """Finds clips for the scenes of one job.

    `unused` are providers that the settings name but that cannot be used, with the reason.
    """

    run: JobRun
    brief: Brief
    storyboard: Storyboard
    providers: Sequence[FootageProvider]
    unused: Mapping[str, str]
    assets: AssetStore
    _down: dict[str, StepError] = field(default_factory=dict)
    _taken: dict[tuple[str, str], int] = field(default_factory=dict)
    _answers: dict[tuple[str, str, int | None], tuple[Candidate, ...]] = field(default_factory=dict)
    """By provider, search and, for painted pictures alone, scene: what was found, without other seeds."""
    _all_chosen: asyncio.Event = field(default_factory=asyncio.Event)
    """Each scene has a first candidate of its own."""
    _open: dict[int, tuple[_Search, AsyncGenerator[Offer, None]]] = field(default_factory=dict)

    async def find(self, scenes: asyncio.TaskGroup) -> list[asyncio.Task[Scene]]:
        """One task per scene, in `scenes`, that ends with its clip chosen, fetched and checked.

        The scenes choose one after the other, so that the first gets the best; the files come side by side.
        """
        if self.providers:
            wanting = [scene for scene in self.storyboard.scenes if scene.clip is None and scene.choice is None]
            first = {scene.queries[0]: scene for scene in wanting}
            async with asyncio.TaskGroup() as searches:
                for text, scene in first.items():
                    searches.create_task(self._search(self.providers[0], scene, text), name=f"search {text}")
        # What was chosen before a restart or an edit stays, if its file is still there.
        chosen = [await self._still_there(scene) for scene in self.storyboard.scenes]
        for scene in chosen:
            picture = scene.clip or (scene.choice.candidate if scene.choice else None)
            if picture is not None:
                self._taken[(picture.provider, picture.id)] = 1
        tasks = []
        for scene in chosen:
            name = f"clip of scene {scene.index + 1}"
            search = _Search(scene=scene)
            offers = self._offers(search)
            self._open[scene.index] = (search, offers)
            first_offer = None if scene.clip is not None else await anext(offers, None)
            tasks.append(scenes.create_task(self._fetch_first_good(search, first_offer, offers), name=name))
        self._all_chosen.set()
        return tasks

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
        return await self._fetch_first_good(search, await anext(offers, None), offers)

    async def _offers(self, search: _Search) -> AsyncGenerator[Offer, None]:
        """Reserve and yield candidates, best first: fresh ones of every provider, then repeats."""
        choice = search.scene.choice
        if choice is not None:
            for provider in self.providers:
                if provider.name == choice.candidate.provider:
                    yield Offer(provider=provider, query=search.scene.queries[0], candidate=choice.candidate)
            search.reasons.append(f"{choice.candidate.provider} {choice.candidate.id} cannot be had any more")
        repeats: list[Offer] = []
        for provider in self.providers:
            tries = matches = 0
            for text in search.scene.queries:
                for candidate in await self._search(provider, search.scene, text):
                    matches += 1
                    if (candidate.provider, candidate.id) in search.scene.refused:
                        continue
                    offer = Offer(provider=provider, query=text, candidate=candidate)
                    if self._name(offer) in self._taken:
                        repeats.append(offer)
                    elif tries < TRIES:
                        tries += 1
                        self._taken[self._name(offer)] = 1
                        yield offer
            if provider.name in self._down:
                search.reasons.append(self._out_of_order(provider.name))
            elif not tries and provider.name != "generated":
                why = "only clips that this video shows already" if matches else "no match"
                search.reasons.append(f"{provider.name}: {why}")
            if provider.name == "generated":  # it never runs out: another seed is another picture
                for number in range(1, len(self.storyboard.scenes) + len(search.scene.refused)):
                    for candidate in await self._search(provider, search.scene, search.scene.queries[0], seed=number):
                        offer = Offer(provider=provider, query=search.scene.queries[0], candidate=candidate)
                        if self._name(offer) not in self._taken and self._name(offer) not in search.scene.refused:
                            self._taken[self._name(offer)] = 1
                            yield offer
        search.repeated = True
        for offer in sorted(repeats, key=lambda offer: self._taken[self._name(offer)])[:TRIES]:
            self._taken[self._name(offer)] += 1
            yield offer

    @staticmethod
    def _name(offer: Offer) -> tuple[str, str]:
        return offer.candidate.provider, offer.candidate.id

    async def _search(
        self, provider: FootageProvider, scene: Scene | None, text: str, *, seed: int = 0
    ) -> tuple[Candidate, ...]:
        """The provider's answer; () once it is out of order for this job. `seed` is for painted pictures only."""
        if provider.name in self._down:
            return ()
        # Stock is asked with the words alone, so that one answer serves every scene and job with the same words.
        paints = provider.name == "generated"
        query = FootageQuery(
            text=text,
            width_px=self.brief.width_px,
            height_px=self.brief.height_px,
            context=(scene.narration or self.storyboard.title) if paints and scene is not None else "",
            setting=self.storyboard.title if paints else "",
            mood=self.storyboard.mood if paints else None,
            style=self.brief.style if paints else "",
            seed=self.brief.seed + seed if paints else 0,
        )
        args = {
            "provider": provider.name,
            "query": _QUERY.dump_python(query, mode="json"),
            "epoch": int(time.time() // (LIBRARY_EPOCH_S if provider.name == "library" else SEARCH_EPOCH_S)),
        }
        try:
            output = await self.run.step(self._spec(SEARCH, provider, args, timeout_s=90), stage="retrieving")
        except StepError as error:
            self._down.setdefault(provider.name, error)
            return ()
        found = _CANDIDATES.validate_python(output["candidates"])
        if not seed:
            self._answers[self._search_name(provider, scene, text)] = found
        return found

    @staticmethod
    def _search_name(provider: FootageProvider, scene: Scene | None, text: str) -> tuple[str, str, int | None]:
        return provider.name, text, scene.index if provider.name == "generated" and scene is not None else None

    def _known(self, provider: FootageProvider, scene: Scene, text: str) -> tuple[Candidate, ...] | None:
        """What a search of this job has found already; None if there was none."""
        return self._answers.get(self._search_name(provider, scene, text))

    async def _candidates(self, search: _Search, chosen: Candidate) -> tuple[Candidate, ...]:
        """What the scene shows and what else a person may choose. Only for somebody who is about to look is more asked
        of the web than the search itself has asked."""
        if self.brief.review:
            await self._all_chosen.wait()
        names = [provider.name for provider in self.providers]
        return await to_choose_from(
            search.scene,
            chosen,
            providers=self.providers,
            known=self._known,
            search=self._search,
            taken=self._taken,
            without={*search.scene.refused, *search.bad},
            asks=names if self.brief.review else _LOCAL,
        )

    def _spec(self, kind: str, provider: FootageProvider, args: dict[str, Any], *, timeout_s: float) -> StepSpec:
        return StepSpec(
            key=self.run.key(kind, args, CODE, provider.identity),
            kind=kind,
            args=args,
            label="io" if provider.name in _LOCAL else "net",
            timeout_s=timeout_s,
            max_attempts=1,
        )

    async def _fetch_first_good(self, search: _Search, offer: Offer | None, more: AsyncGenerator[Offer, None]) -> Scene:
        if search.scene.clip is not None:
            return search.scene
        while offer is not None:
            try:
                clip = await self.fetch(offer, search.scene.index)
            except (StepError, NotFound) as error:
                search.reasons.append(f"{offer.candidate.provider} {offer.candidate.id}: {error.detail}")
                search.bad.add(self._name(offer))
                if isinstance(error, StepError) and error.retryable:
                    search.passing.append(error)
                offer = await anext(more, None)
                continue
            choice = search.scene.choice
            if choice is not None and offer.candidate == choice.candidate:
                clip = replace(clip, in_point_s=choice.in_point_s)
                shown = chosen_first(choice.candidate, search.scene.candidates)
                return replace(search.scene, clip=clip, choice=None, candidates=shown)
            await self._tell(search, clip)
            why = f"{clip.provider}: first free match for {clip.query!r}"
            shown = await self._candidates(search, offer.candidate)
            return replace(search.scene, clip=clip, choice=None, candidates=shown, why=why)
        number, query = search.scene.index + 1, search.scene.queries[0]
        raise no_footage(
            f"scene {number} ({query!r}): {'; '.join(search.reasons) or 'no provider'}",
            [*search.passing, *self.passing()],
        )

    async def offers_for(self, provider: FootageProvider, text: str) -> list[Offer]:
        """All that one provider has for one query, best first."""
        found = await self._search(provider, None, text)
        return [Offer(provider=provider, query=text, candidate=candidate) for candidate in found]

    def passing(self) -> list[StepError]:
        """The errors of providers that may answer again later."""
        return [error for error in self._down.values() if error.retryable]

    def out_of_order(self) -> list[str]:
        """The providers that failed, with the reason."""
        return [self._out_of_order(name) for name in self._down]

    def _out_of_order(self, name: str) -> str:
        return f"{name}: {self._down[name].detail}"

    async def fetch(self, offer: Offer, number: int) -> Clip:
        """`number` is that of the scene, or of the search, from 0. Raises: StepError, NotFound."""
        candidate = offer.candidate
        got: dict[str, Any] = {"kind": "generated"}
        if candidate.kind != "generated":
            width_px, height_px = self.brief.cover_px
            args = {
                "provider": offer.provider.name,
                "candidate": _CANDIDATE.dump_python(replace(candidate, preview_url=None), mode="json"),
                "width_px": width_px,
                "height_px": height_px,
            }
            spec = self._spec(FETCH, offer.provider, args, timeout_s=600)
            got = await self.run.step(spec, stage="retrieving", scene=number)
        return _CLIP.validate_python(
            {
                "provider": candidate.provider, "id": candidate.id, "description": candidate.description,
                "query": offer.query, "credit": candidate.credit, "recipe": candidate.recipe, **got,
            }
        )  # fmt: skip

    async def _tell(self, search: _Search, clip: Clip) -> None:
        """Record what was substituted for this scene, if anything was."""
        scene: int | None = search.scene.index + 1
        reasons = search.reasons
        if search.repeated:
            wanted, used = OWN_CLIP, f"{clip.provider} {clip.id} again"
        elif clip.kind == "generated":
            wanted, used = "stock footage", "a painted background"
            reasons = [f"{name}: {why}" for name, why in self.unused.items()] + reasons
        else:
            wanted, used = "the first choice", f"{clip.provider} {clip.id}"
        if not reasons:
            return
        if set(search.reasons) <= set(self.out_of_order()) and not search.repeated:
            scene = None  # nothing but the set-up: one fact about the video, not one per scene
        reason = "; ".join(reasons)
        await self.run.substitute(
            Substitution(stage="retrieving", scene=scene, wanted=wanted, used=used, reason=reason)
        )
