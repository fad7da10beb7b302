"""Why a scene shows what it shows, and why it does not show something else: for the storyboard and the report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from vidgend.models import RankedClip
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.footage_search import FootageSearch, Name, Offer
from vidgend.pipeline.relevance.port import Ranked
from vidgend.pipeline.relevance.ranking import explain
from vidgend.pipeline.scene_to_candidates import name_of


def why_shown(offer: Offer, own: Ranked | None, others: Sequence[Ranked], *, taken: Collection[Name], by: str) -> str:
    """One sentence. `own` is the place of the chosen clip, None for a painting; `others` came next, `taken` is
    what scenes of this video show, `by` the name of the similarity."""
    if own is not None:
        return explain([own, *others], by=by)
    best, free = "", [one for one in others if name_of(one.candidate) not in taken]
    if free:
        name = f"{free[0].candidate.provider} {free[0].candidate.id}"
        best = f"; nothing fits that no other scene shows: at best {name} ({free[0].fit:.2f})"
    return f"{offer.candidate.provider}: {offer.candidate.description} for {offer.query!r}{best}"


def why_nothing_fits(
    ranked: Sequence[Ranked],
    asked: Mapping[str, int],
    search: FootageSearch,
    providers: Sequence[FootageProvider],
    *,
    taken: Collection[Name],
    queries: Sequence[str],
) -> list[str]:
    """A reason for each provider that was `asked` for a scene's `queries`, now that all have been."""
    reasons = []
    for name in (provider.name for provider in providers):
        if search.is_down(name):
            reasons.append(search.why_nothing(name, queries))
        elif name in asked:
            own = [one for one in ranked if one.candidate.provider == name]
            free = [one for one in own if name_of(one.candidate) not in taken]
            if not own:
                reasons.append(search.why_nothing(name, queries))
            elif not free or (any(one.fits for one in own) and not any(one.fits for one in free)):
                reasons.append(f"{name}: only clips that this video shows already")
            else:
                best = free[0]
                reasons.append(f"{name}: nothing fits, at best {best.candidate.description[:60]!r} ({best.fit:.2f})")
    return reasons


def ranked_clip(one: Ranked) -> RankedClip:
    """As storyboards keep it."""
    candidate = one.candidate
    return RankedClip(
        provider=candidate.provider,
        id=candidate.id,
        description=candidate.description,
        query=one.query,
        fit=round(one.fit, 3),
        score=round(one.score, 3),
        parts=tuple((name, round(points, 3)) for name, points in one.parts),
    )
