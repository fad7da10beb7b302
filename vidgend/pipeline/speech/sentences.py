"""A narration -> the sentences that a voice is asked for one by one, and the silences between them. Pure.

A sentence is what is spoken, checked, kept and, when something fails, spoken again: a crash costs one, an edit costs
those that changed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from vidgend.pipeline.speech.markup import Marked, Span, read_markup
from vidgend.pipeline.speech.phrases import PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S
from vidgend.pipeline.speech.pronunciation import said_for
from vidgend.pipeline.speech.say_as import say_as
from vidgend.pipeline.speech.speakable import speakable

SHORTEST_CHARS = 20
"""A shorter sentence is spoken together with its neighbour: voices are weak at a few words alone."""

_END_AND_SPACE = re.compile(r"(?<=[.!?…。！？।॥؟۔])\s+")
_STOPS = re.compile(r"[.!?…。！？,;:—–，、；：]['\"”’»)\]」』]*$")


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """`text` is what is written, `said` what the voice is given for it, with `counts[i]` words for the i-th written
    one. `pause_s` of silence follow it, at speed 1 where `pause_kind` is `calm`, whatever the speed where it was
    `asked` for."""

    text: str
    said: str
    counts: tuple[int, ...]
    pause_s: float
    pause_kind: Literal["calm", "asked"] = "calm"


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """`lead_s` of silence come first. The words of all sentences are those of the narration, in order."""

    lead_s: float
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, kw_only=True)
class _Token:
    written: str
    said: str
    paragraph: bool
    break_s: float | None


def sentences(narration: str, *, language: str, pronunciations: Mapping[str, str]) -> Spoken:
    """`narration` may have markup (`markup.py`). Empty if it has no words."""
    marked = read_markup(narration)
    dictionary = {word.casefold(): said for word, said in pronunciations.items()}
    tokens = _tokens(marked, language, dictionary)
    lead_s = sum(one.seconds for one in marked.breaks if not marked.text[: one.at].strip())
    found: list[Sentence] = []
    for start, end in _ranges(tokens, language):
        part = tokens[start:end]
        last = part[-1]
        found.append(
            Sentence(
                text=" ".join(token.written for token in part),
                said=" ".join(token.said for token in part),
                counts=tuple(len(token.said.split()) for token in part),
                pause_s=last.break_s if last.break_s is not None else _calm_s(last, end == len(tokens)),
                pause_kind="calm" if last.break_s is None else "asked",
            )
        )
    return Spoken(lead_s=lead_s, sentences=tuple(_joined(found)))


def roughly_cut(narration: str) -> list[str]:
    """About the sentences of `sentences`, at once."""
    found: list[str] = []
    for part in _END_AND_SPACE.split(narration.strip()):
        if found and min(len(found[-1]), len(part)) < SHORTEST_CHARS:
            found[-1] += f" {part}"
        elif part:
            found.append(part)
    return found


def _calm_s(last: _Token, at_end: bool) -> float:
    if at_end:
        return 0.0
    return PARAGRAPH_PAUSE_S if last.paragraph else SENTENCE_PAUSE_S


def _tokens(marked: Marked, language: str, dictionary: Mapping[str, str]) -> list[_Token]:
    words = list(re.finditer(r"\S+", marked.text))
    tokens: list[_Token] = []
    for number, word in enumerate(words):
        begins = words[number + 1].start() if number + 1 < len(words) else len(marked.text)
        said = _with_markup(word, marked.spans, language)
        said = said or said_for(word[0], dictionary) or word[0]
        gap = marked.text[word.end() : begins]
        breaks = [one.seconds for one in marked.breaks if word.start() < one.at <= begins]
        if number + 1 == len(words):
            breaks = [one.seconds for one in marked.breaks if one.at > word.start()]
        if _starts_stress(words, number, marked.spans) and not _STOPS.search(said):
            said += ","  # the voice draws breath before what it stresses
        if breaks and not _STOPS.search(said):
            said += ","
        tokens.append(
            _Token(
                written=word[0],
                said=said,
                paragraph=bool(re.search(r"\n\s*\n", gap)),
                break_s=sum(breaks) if breaks else None,
            )
        )
    return tokens


def _with_markup(word: re.Match[str], spans: Sequence[Span], language: str) -> str:
    """What is said for a word inside a `<say-as>`, with what stands around it; "" for any other."""
    for span in spans:
        if not span.kind.startswith("emphasis") and span.start < word.end() and span.end > word.start():
            start, end = max(span.start, word.start()) - word.start(), min(span.end, word.end()) - word.start()
            said = say_as(span.kind, word[0][start:end], language)
            return f"{word[0][:start]}{said}{word[0][end:]}" if said else ""
    return ""


def _starts_stress(words: Sequence[re.Match[str]], number: int, spans: Sequence[Span]) -> bool:
    """Whether the next word is the first of what is to be stressed."""
    if number + 1 == len(words):
        return False
    following = words[number + 1]
    return any(
        span.kind in ("emphasis strong", "emphasis moderate")
        and words[number].end() <= span.start < following.end()
        and span.end > following.start()
        for span in spans
    )


def _ranges(tokens: Sequence[_Token], language: str) -> list[tuple[int, int]]:
    """First and one after the last word of each sentence."""
    ranges: list[tuple[int, int]] = []
    start = 0
    for place, token in enumerate(tokens):
        if token.paragraph or place + 1 == len(tokens):
            ends = _ends([one.written for one in tokens[start : place + 1]], language)
            edges = [start, *(start + end for end in ends)]
            for first, last in itertools.pairwise(edges):
                cuts = [at + 1 for at in range(first, last - 1) if tokens[at].break_s is not None]
                ranges += zip([first, *cuts], [*cuts, last], strict=True)
            start = place + 1
    return ranges


def _ends(words: Sequence[str], language: str) -> list[int]:
    """One after the last word of each sentence of a paragraph."""
    ends = [place + 1 for place, one in enumerate(speakable(words, language)) if one.ends_sentence]
    return ends if ends and ends[-1] == len(words) else [*ends, len(words)]


def _joined(found: Sequence[Sentence]) -> list[Sentence]:
    """Sentences too short to sound right alone, joined to the next one, or to the last one at the end."""
    joined: list[Sentence] = []
    for one in found:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.pause_kind == "calm"
            and last.pause_s == SENTENCE_PAUSE_S
            and min(len(last.text), len(one.text)) < SHORTEST_CHARS
        ):
            joined[-1] = replace(
                one, text=f"{last.text} {one.text}", said=f"{last.said} {one.said}", counts=last.counts + one.counts
            )
        else:
            joined.append(one)
    return joined
