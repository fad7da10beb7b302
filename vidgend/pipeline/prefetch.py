"""Searches and downloads ahead of time. Runs the very steps of a job, so the job then finds them done.

What a finished prefetch has fetched is kept until that job is deleted (`LIVE_KEYS` in store/live.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from vidgend.errors import NotFound, StepError
from vidgend.models import Brief, Clip, PrefetchBrief, Scene, Storyboard
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.footage_search import FootageSearch, Name, Offer, no_footage
from vidgend.pipeline.run import JobRun, first_cause
from vidgend.pipeline.scene_to_candidates import name_of
from vidgend.pipeline.scene_to_clip import ClipFinder

_HINT = "`vidgend doctor` says which footage providers are set up."


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


async def prefetch_queries(
    run: JobRun, wanted: PrefetchBrief, providers: Sequence[FootageProvider], unused: Mapping[str, str]
) -> dict[str, Any]:
    """Fetch up to `per_query` clips for each query. Answers the clips and what failed, as text.

    Raises: NoFootage if there is not one.
    """
    await run.enter("retrieving", f"fetching footage for {_counted(len(wanted.queries), 'search', 'searches')}")
    run.progress.plan_prefetch(len(wanted.queries), wanted.per_query)
    nothing = Storyboard(title="", language="", planner="", stretch=False, fps="30", scenes=())
    fetching = _Fetching(
        run, FootageSearch(run, Brief(prompt="", width_px=wanted.width_px, height_px=wanted.height_px), nothing), unused
    )
    fetching.providers = [provider for provider in providers if provider.name != "generated"]
    try:
        async with asyncio.TaskGroup() as group:
            for number, query in enumerate(wanted.queries):
                group.create_task(fetching.query(number, query, wanted.per_query), name=f"prefetch {query}")
    except BaseExceptionGroup as failed:
        raise first_cause(failed) from failed
    return fetching.outcome()


async def prefetch_storyboard(
    run: JobRun, wanted: PrefetchBrief, storyboard: Storyboard, finder: ClipFinder
) -> dict[str, Any]:
    """Fetch what each scene would show, and what else it could show up to `per_query` clips.

    Raises: NoFootage if a scene has nothing at all, or nothing but paintings are shown.
    """
    await run.enter("retrieving", f"fetching footage for {_counted(len(storyboard.scenes), 'scene', 'scenes')}")
    run.progress.plan_prefetch(len(storyboard.scenes), wanted.per_query)
    fetching = _Fetching(run, finder.search, finder.unused)
    fetching.providers = finder.providers
    try:
        async with asyncio.TaskGroup() as group:
            tasks = await finder.find(group)
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(fetching.scene(task.result(), wanted.per_query))
    except BaseExceptionGroup as failed:
        raise first_cause(failed) from failed
    finally:
        await finder.aclose()
    return fetching.outcome()


class _Fetching:
    """What was fetched so far, and what could not be."""

    def __init__(self, run: JobRun, search: FootageSearch, unused: Mapping[str, str]) -> None:
        self._run = run
        self._search = search
        self._unused = unused
        self.providers: Sequence[FootageProvider] = ()
        self._clips: dict[Name, dict[str, Any]] = {}
        self._failed: dict[str, None] = {}
        """In order, each once."""
        self._passing: list[StepError] = []

    async def query(self, number: int, query: str, most: int) -> None:
        got = 0
        for provider in self.providers:
            if got < most:
                found = await self._search.search(provider, None, query)
                offers = [Offer(provider=provider, query=query, candidate=candidate) for candidate in found]
                got += await self._fetch(offers, number, most - got)
        if not got:
            missing = "; ".join(f"{name}: {why}" for name, why in self._unused.items()) or "footage.providers"
            reasons = [self._search.why_nothing(provider.name, [query]) for provider in self.providers]
            self._fail(f"{query!r}: {'; '.join(reasons) or f'no footage provider is set up ({missing})'}")
        self._run.progress.skip_fetches(number)

    async def scene(self, scene: Scene, most: int) -> None:
        assert scene.clip is not None
        if scene.clip.digest is None:
            told = [one for one in self._run.substitutions if one.stage == "retrieving"]
            reasons = [one.reason for one in told if one.scene in (None, scene.index + 1)]
            self._fail(f"{scene.clip.query!r}: {'; '.join(reasons) or 'no provider is asked'}; it will be painted")
        else:
            self._note(scene.clip, scene.clip.query)
        shown = scene.clip.provider, scene.clip.id
        by_name = {provider.name: provider for provider in self.providers}
        offers = [
            Offer(provider=by_name[one.provider], query=scene.clip.query, candidate=one)
            for one in scene.candidates
            if one.provider in by_name and one.kind != "generated" and name_of(one) != shown
        ]
        await self._fetch(offers, scene.index, most - 1)
        self._run.progress.skip_fetches(scene.index)

    def outcome(self) -> dict[str, Any]:
        """Raises: NoFootage."""
        if self._failed and not self._clips:
            raise no_footage("; ".join(self._failed), [*self._passing, *self._search.passing()], hint=_HINT)
        return {"clips": list(self._clips.values()), "failed": list(self._failed)}

    async def _fetch(self, offers: Sequence[Offer], number: int, most: int) -> int:
        """How many were fetched, `most` at most."""
        got = 0
        for offer in offers:
            if got >= most:
                break
            try:
                clip = await self._search.fetch(offer, number)
            except (StepError, NotFound) as error:
                self._fail(f"{offer.query!r}: {error.detail}")
                if isinstance(error, StepError) and error.retryable:
                    self._passing.append(error)
                continue
            self._note(clip, offer.query)
            got += 1
        return got

    def _note(self, clip: Clip, query: str) -> None:
        found = {"query": query, "provider": clip.provider, "id": clip.id, "asset": clip.digest}
        self._clips.setdefault((clip.provider, clip.id), found)

    def _fail(self, reason: str) -> None:
        self._failed[reason] = None
