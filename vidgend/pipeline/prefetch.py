"""Searches and downloads ahead of time. Runs the very steps of a job, so the job then finds them done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from vidgend.errors import NotFound, StepError
from vidgend.models import Brief, PrefetchBrief, Storyboard
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_to_clip import ClipFinder, no_footage
from vidgend.store.assets.store import AssetStore


async def prefetch(
    run: JobRun,
    brief: PrefetchBrief,
    providers: Sequence[FootageProvider],
    unused: Mapping[str, str],
    assets: AssetStore,
) -> dict[str, Any]:
    """Fetch up to `per_query` clips for each query. Answers the clips and what failed, as text.

    Raises: NoFootage if there is not one.
    """
    await run.enter("retrieving", f"fetching footage for {len(brief.queries)} searches")
    finder = ClipFinder(
        run=run,
        brief=Brief(prompt="", width_px=brief.width_px, height_px=brief.height_px),
        storyboard=Storyboard(title="", language="", planner="", stretch=False, fps="30", scenes=()),
        providers=[provider for provider in providers if provider.name != "generated"],
        unused={},
        assets=assets,
    )
    clips: list[dict[str, Any]] = []
    failed: list[str] = []
    passing: list[StepError] = []

    run.progress.plan_prefetch(len(brief.queries), brief.per_query)

    async def one(number: int, query: str) -> None:
        wanted = brief.per_query
        for provider in finder.providers:
            for offer in await finder.offers_for(provider, query):
                if wanted <= 0:
                    break
                try:
                    clip = await finder.fetch(offer, number)
                except (StepError, NotFound) as error:
                    failed.append(f"{query!r}: {error.detail}")
                    if isinstance(error, StepError) and error.retryable:
                        passing.append(error)
                    continue
                clips.append({"query": query, "provider": clip.provider, "id": clip.id, "asset": clip.digest})
                wanted -= 1
        if wanted == brief.per_query:
            missing = "; ".join(f"{name}: {why}" for name, why in unused.items())
            why = "no match" if finder.providers else f"no footage provider is set up ({missing})"
            failed.append(f"{query!r}: {'; '.join(finder.out_of_order()) or why}")
        run.progress.skip_fetches(number)

    async with asyncio.TaskGroup() as group:
        for number, query in enumerate(brief.queries):
            group.create_task(one(number, query), name=f"prefetch {query}")
    if failed and not clips:
        hint = "`vidgend doctor` says which footage providers are set up."
        raise no_footage("; ".join(failed), [*passing, *finder.passing()], hint=hint)
    return {"clips": clips, "failed": failed}
