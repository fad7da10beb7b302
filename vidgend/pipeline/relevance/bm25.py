"""How well words fit words: BM25 of a wanted text over short descriptions, with other names for the same things.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; for fields of different
weight, section 3.6 (BM25F): a word counts by its best field.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence

from vidgend.pipeline.executor.port import Label
from vidgend.pipeline.relevance.related import related
from vidgend.pipeline.vocabulary import stem, stems_of

Near = Mapping[str, Mapping[str, float]]

K1, B = 1.2, 0.2
"""The usual saturation. Titles are short, so their length says little about what else they are about."""
USUAL_STEMS = 5.0
"""In a title of a stock site."""
FIELDS = (1.0, 0.7, 0.4)
"""Worth of a word in the lines of a description: title, tags, folder."""
PRIOR = 40
"""So many descriptions are taken to have been seen before those at hand."""
RARE, GENERIC = 0.01, 0.15
"""Share of them in which a word stands, and one of those that stand everywhere."""
HALF = 3.8
"""BM25's sum at which a description is taken to fit: more than one shared word gives, however rare, since a word alone
may mean another thing (bench/relevance, dev: 10 of 32 wrong choices pass, and 4 of 5 right ones)."""

_GENERIC = frozenset(
    map(
        stem,
        """
        aerial angle background beautiful black close clip drone female footage group hand holding looking low male man
        men motion people person scene shot sitting slow standing time lapse timelapse top up using video view walking
        white wide woman women young
        """.split(),
    )
)


class Bm25Similarity:
    """A TextSimilarity that needs no model. `synonyms` False counts the very words alone."""

    label: Label | None = None

    def __init__(self, *, synonyms: bool = True) -> None:
        self.name = "bm25" if synonyms else "bm25-literal"
        self.identity = self.name
        self._synonyms = synonyms

    async def compare(self, wanted: Sequence[str], described: Sequence[str]) -> list[list[float]]:
        """Takes a few milliseconds for a scene, in a thread."""
        return await asyncio.to_thread(self._compare, wanted, described)

    async def aclose(self) -> None:
        """There is nothing to end."""

    def _compare(self, wanted: Sequence[str], described: Sequence[str]) -> list[list[float]]:
        near: Near = related() if self._synonyms else {}
        documents = [_document(text) for text in described]
        seen = Counter(word for document in documents for word in document)
        wants = [stems_of(text) for text in wanted]
        return [
            [_score(_weights(want, seen, len(documents)), document, near) for document in documents] for want in wants
        ]


def _document(text: str) -> dict[str, float]:
    """The stems of a description, each with the worth of the best line that has it."""
    found: dict[str, float] = {}
    for number, line in enumerate(text.splitlines()):
        for word in stems_of(line):
            found.setdefault(word, FIELDS[min(number, len(FIELDS) - 1)])
    return found


def _weights(want: Sequence[str], seen: Mapping[str, int], count: int) -> dict[str, float]:
    """How much each wanted word says: a rare one much, one in all descriptions little."""
    weights = {}
    for word in want:
        before = PRIOR * (GENERIC if word in _GENERIC else RARE)
        weights[word] = -math.log((seen.get(word, 0) + before) / (count + PRIOR))
    return weights


def _score(weights: Mapping[str, float], document: Mapping[str, float], near: Near) -> float:
    length = sum(document.values())
    norm = K1 * (1 - B + B * length / USUAL_STEMS)
    total = 0.0
    for word, weight in weights.items():
        found = document.get(word, 0.0)
        for other, worth in near.get(word, {}).items() if not found else ():
            found = max(found, worth * document.get(other, 0.0))
        total += weight * found * (K1 + 1) / (found + norm)
    return total / (total + HALF)
