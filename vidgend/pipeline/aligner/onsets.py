"""Where an aligner's words meet the silences that are heard in the sound. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vidgend.pipeline.speech.word_times import Span

SHORTEST_PAUSE_S = 0.12
"""Shorter silences are closures of consonants."""

NEAR_S = 0.15
"""How far from a pause the place between two words may be and still mean it. Recognisers are off by as much."""


def tied(spans: Mapping[int, Span], pauses: Sequence[Span]) -> dict[int, Span]:
    """`spans` of words, by their index, with the words around each pause moved to its edges.

    `pauses` are the silences of the sound in seconds, the first and the last those around it. A pause without a place
    between two words nearby is left alone: so is a word without a pause before it.
    """
    order = sorted(spans)
    if not order:
        return {}
    starts, ends = [spans[word][0] for word in order], [spans[word][1] for word in order]
    first = 1
    for begin_s, end_s in pauses[1:-1]:
        nearest = min(
            range(first, len(order)),
            key=lambda place: (_distance(ends[place - 1], starts[place], begin_s, end_s), abs(starts[place] - end_s)),
            default=None,
        )
        if nearest is not None and _distance(ends[nearest - 1], starts[nearest], begin_s, end_s) <= NEAR_S:
            ends[nearest - 1], starts[nearest] = begin_s, end_s
            first = nearest + 1
    if abs(starts[0] - pauses[0][1]) <= NEAR_S:
        starts[0] = pauses[0][1]
    if abs(ends[-1] - pauses[-1][0]) <= NEAR_S:
        ends[-1] = pauses[-1][0]
    return {word: (start, max(start, end)) for word, start, end in zip(order, starts, ends, strict=True)}


def _distance(end_s: float, start_s: float, pause_begin_s: float, pause_end_s: float) -> float:
    """Between the place from the end of a word to the start of the next, and a pause; 0 where they overlap."""
    return max(0.0, pause_begin_s - start_s, end_s - pause_end_s)
