"""Durations of symbols -> times of written words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from vidgend.pipeline.speech.phrases import PUNCTUATION, Phrase

Span = tuple[float, float]
"""Start and end in seconds."""


SHORTEST_PAUSE_S = 0.06
"""A silence shorter than this is the closure of a consonant, not a pause."""

NEAR_PAUSE_S = 0.08
"""How far behind a pause the counted start of a word may lie and still mean it: more than the largest error seen."""


def spans_in_phrase(
    phrase: Phrase, bounds_s: Sequence[float], *, pauses: Sequence[Span], space_share: float
) -> dict[int, Span]:
    """Where each written word of `phrase` sounds: word index -> seconds from the start of the phrase's audio.

    `bounds_s` has one entry more than the phrase has symbols: symbol i lasts from `bounds_s[i]` to `bounds_s[i + 1]`.
    `pauses` are the silences in the audio, the first and the last being those around the sound. A word starts the
    share `space_share` into the space before it. Where punctuation stands between two words their times come from
    the pause that is heard there: models stretch the symbols before it over up to 0.4 s of silence (measured).
    Words without sound are not in the answer.
    """
    letters: dict[int, list[int]] = {}
    for index, (symbol, owner) in enumerate(zip(phrase.symbols, phrase.owners, strict=True)):
        if owner >= 0 and symbol not in PUNCTUATION:
            letters.setdefault(owner, []).append(index)
    owners = sorted(letters)
    starts = {owner: _start_s(phrase, bounds_s, letters[owner][0], space_share) for owner in owners}
    ends: dict[int, float] = {}
    for owner, following in pairwise(owners):
        between = phrase.symbols[letters[owner][-1] : letters[following][0]]
        marked = any(symbol in PUNCTUATION for symbol in between)
        pause = _pause_at(starts[following], pauses) if marked else None
        if pause:
            ends[owner], starts[following] = pause
        else:
            ends[owner] = starts[following]
    if owners:
        starts[owners[0]] = pauses[0][1]
        ends[owners[-1]] = pauses[-1][0]
    return {owner: (starts[owner], max(starts[owner], ends[owner])) for owner in owners}


def _start_s(phrase: Phrase, bounds_s: Sequence[float], first: int, space_share: float) -> float:
    before = first - 1
    while before >= 0 and phrase.symbols[before] in PUNCTUATION:
        before -= 1
    if before < 0 or phrase.symbols[before] != " ":
        return bounds_s[first]
    return bounds_s[before] + space_share * (bounds_s[before + 1] - bounds_s[before])


def _pause_at(at_s: float, pauses: Sequence[Span]) -> Span | None:
    return next((pause for pause in pauses if pause[0] <= at_s <= pause[1] + NEAR_PAUSE_S), None)


def fill_and_order(spans: dict[int, Span], count: int, length_s: float) -> list[Span]:
    """One span for each of `count` words, monotonic and inside 0..`length_s`.

    A word that says nothing (an emoji, a lone dash) gets a moment without length where its neighbours meet.
    """
    answer: list[Span] = []
    clock = 0.0
    for index in range(count):
        if index in spans:
            start = min(max(clock, spans[index][0]), length_s)
            end = min(max(start, spans[index][1]), length_s)
            following = next((spans[later][0] for later in range(index + 1, count) if later in spans), None)
            if following is not None:
                end = max(start, min(end, following))
        else:
            start = end = clock
        answer.append((start, end))
        clock = end
    return answer
