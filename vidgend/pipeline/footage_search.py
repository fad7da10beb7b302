"""The searches and fetches of one job. Each is a step, so that a request is made once, for whichever job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from vidgend.errors import MediaUnreadable, NoFootage, NotPrefetched, ProviderRateLimited, StepError
from vidgend.models import Brief, Candidate, Clip, Scene, Storyboard
from vidgend.pipeline.clip_facts import examine
from vidgend.pipeline.executor.port import Label, StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.footage.port import FootageProvider, FootageQuery, SearchKind
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.vocabulary import fold, words_of
from vidgend.store.assets.store import AssetStore

SEARCH, FETCH = "search", "fetch"
SEARCH_CODE = ("footage_search.py", "footage", "media_kind.py", "vocabulary.py")
FETCH_CODE = (
    "footage/renditions.py",
    "media_kind.py",
    "probe.py",
    "exif.py",
    "clip_facts.py",
    "clip_scan.py",
    "media_end.py",
    "fingerprint.py",
)
"""Without what finds and describes clips: a file that is here stays of use when that is changed."""
ANSWER_LIVES_S = 86_400.0
"""How long a search answer is good for. Pixabay asks for so much, and no stock changes faster."""
LIBRARY_ANSWER_LIVES_S = 60.0
"""The user's folders change under our eyes, and searching them costs nothing."""
LOCAL = ("generated", "library")
"""Providers that ask nobody."""

Name = tuple[str, str]
"""(provider, id)"""

_CANDIDATE = TypeAdapter(Candidate)
_CLIP = TypeAdapter(Clip)
_CANDIDATES = TypeAdapter(tuple[Candidate, ...])
_QUERY = TypeAdapter(FootageQuery)


class SearchStep:
    """args: provider, query -> candidates"""

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


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A candidate for a query of a scene. `fits`: its words say that it is what the scene is about."""

    provider: FootageProvider
    query: str
    candidate: Candidate
    fits: bool = False

    @property
    def name(self) -> Name:
        return self.candidate.provider, self.candidate.id


def no_footage(detail: str, passing: Sequence[StepError], *, hint: str | None = None) -> StepError:
    """The error for a scene without a picture: NoFootage, which is worth another try if one of the causes was, or
    ProviderRateLimited, if nothing else is in the way than quotas that will be renewed."""
    if passing and all(isinstance(cause, ProviderRateLimited) for cause in passing):
        limited = ProviderRateLimited(detail, retry_after_s=min(cause.retry_after_s or 0.0 for cause in passing))
        limited.hint = "Wait until then, or add another provider to footage.providers (`generated` paints)."
        return limited
    error = NoFootage(detail, hint=hint)
    if passing:
        error.retryable = True
        error.max_retries = max(cause.max_retries for cause in passing)
        waits = [cause.retry_after_s for cause in passing if cause.retry_after_s is not None]
        error.retry_after_s = min(waits) if waits else None
    return error


class FootageSearch:
    """Asks the providers for one job. One that fails is out of order from then on: it has no more answers. Offline it
    has those that were prefetched, and only the others are missing."""

    def __init__(self, run: JobRun, brief: Brief, storyboard: Storyboard) -> None:
        self._run = run
        self._brief = brief
        self._storyboard = storyboard
        self._down: dict[str, StepError] = {}
        self._silent: set[str] = set()
        """Providers that did not answer while an earlier answer was there: all earlier ones have to do from then on."""
        self._missing: dict[tuple[str, str], StepError] = {}
        """(provider, text of the search) that nobody may be asked and that was not asked before."""

    async def search(
        self,
        provider: FootageProvider,
        scene: Scene | None,
        text: str,
        *,
        kind: SearchKind | None = None,
        seed: int = 0,
    ) -> tuple[Candidate, ...]:
        """The provider's answer, () once it is out of order. `kind` None is the first of its kinds; `seed` is for
        painted pictures only."""
        if self.is_down(provider.name):
            return ()
        # Stock is asked with the words alone, so that one answer serves every scene and job with the same words.
        paints = provider.name == "generated"
        query = FootageQuery(
            text=text,
            kind=kind or provider.kinds[0],
            language=self._language_of(text, scene) if not paints else "en",
            width_px=self._brief.width_px,
            height_px=self._brief.height_px,
            context=(scene.narration or self._storyboard.title) if paints and scene is not None else "",
            setting=self._storyboard.title if paints else "",
            mood=self._storyboard.mood if paints else None,
            style=self._brief.style if paints else "",
            seed=self._brief.seed + seed if paints else 0,
        )
        args = {"provider": provider.name, "query": _QUERY.dump_python(query, mode="json")}
        lives_s = LIBRARY_ANSWER_LIVES_S if provider.name == "library" else ANSWER_LIVES_S
        any_age = paints or provider.name in self._silent
        spec = replace(
            self._spec(SEARCH, provider, args, label="search", timeout_s=120),
            max_age_s=None if any_age else lives_s,
        )
        try:
            output = await self._run.step(spec, stage="retrieving")
        except NotPrefetched as error:
            self._missing[provider.name, text] = error
            return ()
        except StepError as error:
            self._down.setdefault(provider.name, error)
            return ()
        if spec.key in self._run.stale_keys:
            self._silent.add(provider.name)
        return _CANDIDATES.validate_python(output["candidates"])

    async def fetch(self, offer: Offer, number: int) -> Clip:
        """`number` is that of the scene, or of the search, from 0. Raises: StepError, NotFound."""
        candidate = offer.candidate
        got: dict[str, Any] = {"kind": "generated"}
        if candidate.kind != "generated":
            width_px, height_px = self._brief.cover_px
            size = {"width_px": width_px, "height_px": height_px}
            args = {"provider": candidate.provider, "candidate": _CANDIDATE.dump_python(candidate, mode="json"), **size}
            # What it is called and where its file lies may change, and some addresses do daily; it is the same file.
            same = {"provider": candidate.provider, "id": candidate.id, "version": candidate.version, **size}
            spec = replace(
                self._spec(FETCH, offer.provider, args, label="net", timeout_s=600),
                key=self._run.key(FETCH, same, FETCH_CODE, offer.provider.identity),
            )
            got = await self._run.step(spec, stage="retrieving", scene=number)
        return _CLIP.validate_python(
            {
                "provider": candidate.provider, "id": candidate.id, "description": candidate.description,
                "query": offer.query, "credit": candidate.credit, "recipe": candidate.recipe, **got,
            }
        )  # fmt: skip

    def passing(self) -> list[StepError]:
        """The errors of providers that may answer again later."""
        return [error for error in self._down.values() if error.retryable]

    def is_down(self, name: str) -> bool:
        return name in self._down

    def out_of_order(self) -> list[str]:
        """The providers that failed, with the reason."""
        return [f"{name}: {error.detail}" for name, error in self._down.items()]

    def why_nothing(self, name: str, texts: Sequence[str]) -> str:
        """Why a provider has nothing for any of these searches."""
        if name in self._down:
            detail = self._down[name].detail
            return detail if detail.lower().startswith(name) else f"{name}: {detail}"
        missing = [self._missing[name, text].detail for text in texts if (name, text) in self._missing]
        return f"{name}: {missing[0] if missing else 'no match'}"

    def _language_of(self, text: str, scene: Scene | None) -> str:
        """Planners search in English where they can; a search in the narration's language is made of its words."""
        language = self._storyboard.language or "en"
        if scene is None or language.startswith("en"):
            return "en"
        said = fold(scene.narration)
        return language if all(fold(word) in said for word in words_of(text)) else "en"

    def _spec(
        self, kind: str, provider: FootageProvider, args: dict[str, Any], *, label: Label, timeout_s: float
    ) -> StepSpec:
        """`label` is for what asks somebody."""
        return StepSpec(
            key=self._run.key(kind, args, SEARCH_CODE, provider.identity),
            kind=kind,
            args=args,
            label="io" if provider.name in LOCAL else label,
            timeout_s=timeout_s,
            max_attempts=1,
        )
