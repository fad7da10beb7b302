"""TEMPORARY until the ranking branch is merged."""

from __future__ import annotations

from collections.abc import Sequence

from vidgend.models import Candidate
from vidgend.pipeline.relevance.port import Ranked, TextSimilarity, Wish


async def rank(similarity: TextSimilarity, wish: Wish, offered: Sequence[tuple[str, Candidate]]) -> tuple[Ranked, ...]:
    described = [f"{candidate.description} {' '.join(candidate.tags)}" for _, candidate in offered]
    matrix = await similarity.compare(wish.queries, described)
    found = []
    for number, (_, candidate) in enumerate(offered):
        fit, query = max((row[number], query) for row, query in zip(matrix, wish.queries, strict=True))
        recent = (wish.recent or {}).get((candidate.provider, candidate.id), 0.0)
        score = fit - 0.2 * recent - 0.001 * number
        found.append(Ranked(candidate=candidate, query=query, score=score, fit=fit, parts=(("words", fit),)))
    return tuple(sorted(found, key=lambda one: -one.score))


def explain(chosen: Ranked, others: Sequence[Ranked]) -> str:
    return f"{chosen.candidate.provider} {chosen.candidate.id} fits {chosen.query!r} {chosen.fit:.2f}"
