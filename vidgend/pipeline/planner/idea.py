"""A short idea into phrases. The idea's own words are all there is; nothing is made up."""

from __future__ import annotations

import re

from vidgend.pipeline.planner.instructions import is_direction, strip_lead
from vidgend.pipeline.planner.script import is_script, join_texts, sentences_of
from vidgend.pipeline.vocabulary import word_count

MIN_PHRASE_WORDS = 3
MIN_JOINED_WORDS = 4
"""Least words on either side of an `and`: `a young boy and a girl` is one picture."""
LONG_PHRASE_WORDS = 12
"""A longer phrase is cut at weaker places too."""

_STRONG = re.compile(
    r"[,;:]\s+|\s+[–—-]+\s+|[、，；]|"
    r"\s+(?=(?:with|while|as|where|when|through|across|along|beside|beneath|followed by|then|before|after|until|"
    r"because|but|although|near|behind|during|including|featuring|mit|während|wo|durch|avec|pendant|où|con|mientras|"
    r"donde|mentre|dove|com|enquanto|onde|met|terwijl|waar)\s)",
    re.IGNORECASE,
)
_JOINING = re.compile(r"\s+(?=(?:and|or|und|oder|et|ou|y|o|e|en)\s)", re.IGNORECASE)
_WEAK = re.compile(
    r"\s+(?=(?:over|under|above|into|onto|towards?|from|in|on|at|by|for|to|that|which|who|and|or)\s)", re.IGNORECASE
)


def idea_sentences(prompt: str, *, language: str) -> list[str]:
    """The sentences of a prompt without its orders to the maker."""
    sentences = sentences_of(prompt, language=language)
    text, ordered = strip_lead(prompt, orders_only=is_script(sentences))
    if not ordered:
        return sentences
    sentences = sentences_of(text, language=language)
    return [item for item in sentences if not is_direction(item)] or sentences[:1]


def idea_to_phrases(sentences: list[str]) -> list[str]:
    """Narrations for an idea: phrases of three or more words; one scene if the idea is shorter than that."""
    phrases: list[str] = []
    for sentence in sentences:
        parts = _split(sentence, _STRONG, MIN_PHRASE_WORDS)
        parts = [piece for part in parts for piece in _split(part, _JOINING, MIN_JOINED_WORDS)]
        for part in parts:
            phrases.extend(_split(part, _WEAK, MIN_JOINED_WORDS) if word_count(part) > LONG_PHRASE_WORDS else [part])
    joined: list[str] = []
    for phrase in phrases:
        if joined and (word_count(joined[-1]) < MIN_PHRASE_WORDS or not word_count(phrase)):
            joined[-1] = join_texts(joined[-1], phrase)
        else:
            joined.append(phrase)
    return [phrase.rstrip(" ,;:，；、–—-") or phrase for phrase in joined]


def _split(text: str, boundary: re.Pattern[str], least_words: int) -> list[str]:
    """Cut at every boundary that leaves `least_words` before and after it; a short rest stays with its phrase."""
    parts, start = [], 0
    for match in boundary.finditer(text):
        before, after = text[start : match.end()], text[match.end() :]
        if word_count(before) >= least_words and word_count(after) >= least_words:
            parts.append(before.strip())
            start = match.end()
    parts.append(text[start:].strip())
    return [part for part in parts if part]
