"""From a scene's text to searches for what a camera can see.

The idea is RAKE's (runs of words between stop words are the phrases that matter), cut down to what a stock footage
search needs: few words, concrete ones, in the order in which the text says them.

Source: Rose, Engel, Cramer, Cowley, "Automatic keyword extraction from individual documents", 2010.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from vidgend.pipeline.vocabulary import ABSTRACT_WORDS, STOP_WORDS, stem, words_of

MAX_QUERY_WORDS = 4
MAX_QUERY_CHARS = 80
MAX_QUERIES = 3
LAST_RESORT = "abstract background"
"""For a text without a single usable word, such as `...`."""

_BREAK = re.compile(r"([^\w\s'’\-]+|\s[-'’]+|[-'’]+\s|\n)")
_SENTENCE_END = re.compile(r"[.!?:…\n]")
_HAN_KATAKANA = re.compile(r"[\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff]{2,}")
_KANA = re.compile(r"[\u3041-\u30ff]")
_CHINESE_GLUE = re.compile(r"[的了在是和与就也都而及着或上下里中不有]")


def queries_for(text: str, *, language: str, fallback: Iterable[str] = (), first: str | None = None) -> tuple[str, ...]:
    """Searches for `text`, at most three, best first: its concrete phrases, a shorter one, then `fallback` phrases.

    `first` is the caller's own search and leads. The result is never empty and holds no duplicate.
    """
    weights = _weights(text, language)
    best = sorted(weights, key=lambda phrase: -weights[phrase])[:2]
    found = [first or "", _join(phrase for phrase in weights if phrase in best), *best[:1], *_heads(best)]
    queries = _distinct(found)
    spare = _distinct(fallback)
    kept = MAX_QUERIES - 1 if spare else MAX_QUERIES
    return tuple(_distinct([*queries[:kept], *spare, *queries[kept:]])[:MAX_QUERIES]) or (LAST_RESORT,)


def main_phrases(text: str, *, language: str, limit: int = 2) -> tuple[str, ...]:
    """What the whole of `text` is about, for scenes that show nothing by themselves: what it names most often."""
    weights = _weights(text, language)
    counts = Counter(stem(word) for word in words_of(text))

    def often(phrase: str) -> float:
        words = words_of(phrase)
        return sum(counts[stem(word)] for word in words) / max(1, len(words))

    return tuple(sorted(weights, key=lambda phrase: (often(phrase), weights[phrase]), reverse=True)[:limit])


def _weights(text: str, language: str) -> dict[str, float]:
    """The concrete phrases of `text` in its order, each with how much it says."""
    if _HAN_KATAKANA.search(text):
        return {phrase: min(len(phrase), 6) for phrase in _wide_phrases(text)}
    stop = STOP_WORDS.get(language, frozenset())
    found: dict[str, float] = {}
    starts = True
    for part in _BREAK.split(text):
        words = words_of(part)
        run: list[str] = []
        for index, word in enumerate([*words, ""]):
            named = word[:1].isupper() and not (starts and index == 0)
            if word and not _is_empty(word, stop, named=named):
                run.append(word)
                continue
            for phrase in _chunks(run):
                found.setdefault(phrase, _weight(phrase, at_start=starts and words[0] in phrase))
            run = []
        starts = not words and bool(_SENTENCE_END.search(part)) if part.strip() else starts
    distinct: dict[str, tuple[str, float]] = {}
    for phrase, weight in found.items():
        distinct.setdefault(phrase.casefold(), (phrase, weight))
    return dict(distinct.values())


def _is_empty(word: str, stop: frozenset[str], *, named: bool) -> bool:
    low = word.casefold()
    if low in stop or low.replace("’", "'").split("'")[0] in stop or low[:1].isdigit():
        return True
    if len(word) == 1 and word.isascii():
        return True
    adverb = low.endswith("ly") and len(low) > 5
    return not named and (low in ABSTRACT_WORDS or adverb)


def _chunks(run: list[str]) -> list[str]:
    """Long runs in pieces: the last word of an English noun phrase is its head, so pieces are taken from the end."""
    pieces = []
    while run:
        size = len(run) if len(run) <= 3 else 2
        pieces.append(" ".join(run[-size:]))
        run = run[:-size]
    return pieces[::-1]


def _weight(phrase: str, *, at_start: bool) -> float:
    """More and longer words say more, a proper name says most, a bare verb form least."""
    words = phrase.split()
    named = all(word[0].isupper() for word in words) and not (at_start and len(words) == 1)
    score = 1.5 * len(words) + min(sum(map(len, words)), 24) / 12
    return score + (1.0 if named else 0.0) - (0.8 if words[-1].endswith("ing") else 0.0)


def _heads(phrases: list[str]) -> list[str]:
    """The single nouns that phrases of common words end in; names are not taken apart."""
    heads = []
    for phrase in phrases:
        words = [word for word in phrase.split() if not word.endswith("ing")]
        if words and not words[-1][0].isupper():
            heads.append(words[-1])
    return heads


def _wide_phrases(text: str) -> list[str]:
    """Chinese and Japanese have no spaces. Japanese marks its grammar in hiragana; in Chinese a few characters do."""
    found = _HAN_KATAKANA.findall(text)
    if not _KANA.search(text):
        found = [piece for run in found for piece in _CHINESE_GLUE.split(run) if len(piece) >= 2]
    return _distinct(piece[:8] for piece in found)[:50]


def _join(phrases: Iterable[str]) -> str:
    words = [word for phrase in phrases for word in phrase.split()]
    return " ".join(dict.fromkeys(words[:MAX_QUERY_WORDS]))


def _distinct(phrases: Iterable[str]) -> list[str]:
    seen: dict[str, str] = {}
    for phrase in phrases:
        clean = " ".join(phrase.split())[:MAX_QUERY_CHARS].strip()
        if clean:
            seen.setdefault(clean.casefold(), clean)
    return list(seen.values())
