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

from vidgend.pipeline.speech.markup import LONGEST_BREAK_S, Marked, Span, read_markup
from vidgend.pipeline.speech.phrases import PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S
from vidgend.pipeline.speech.pronunciation import said_for
from vidgend.pipeline.speech.say_as import say_as
from vidgend.pipeline.speech.speakable import speakable

SHORTEST_CHARS = 20
"""A shorter sentence is spoken together with its neighbour: voices are weak at a few words alone."""
PAUSES_IN_ALL_S = 60.0
"""That a narration may ask for; what is more is left out."""

_END_AND_SPACE = re.compile(r"(?<=[.!?…。！？।॥؟۔])\s+|(?<=[。！？])(?=\w)")
_STOPS = re.compile(r"[.!?…。！？,;:—–，、；：]['\"”’»)\]」』]{0,9}$")
_PIECE = re.compile(r"[^\s。！？]*+[。！？][。！？…‥!?」』”’）)】》〉\"']*+|\S++")
"""A word, or one of the sentences in a run that is written without spaces."""


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """`words` are as they are written, `said` what the voice is given for them, with `counts[i]` words for the i-th.
    `glued`: no space stands before it. `pause_s` of silence follow it, at speed 1 where `pause_kind` is `calm`,
    whatever the speed where it was `asked` for."""

    words: tuple[str, ...]
    said: str
    counts: tuple[int, ...]
    pause_s: float
    pause_kind: Literal["calm", "asked"] = "calm"
    glued: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, kw_only=True)
class Narrated:
    """`lead_s` of silence come first. The words of all sentences are those of the narration, in order."""

    lead_s: float
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, kw_only=True)
class _Token:
    written: str
    said: str
    glued: bool
    ends: bool
    """A sentence ends here, whatever the rules say of it."""
    paragraph: bool
    break_s: float | None


def sentences(narration: str, *, language: str, pronunciations: Mapping[str, str]) -> Narrated:
    """`narration` may have markup (`markup.py`). Empty if it has no words."""
    marked = read_markup(narration)
    dictionary = {word.casefold(): said for word, said in pronunciations.items()}
    tokens = _tokens(marked, language, dictionary)
    lead_s = min(LONGEST_BREAK_S, sum(one.seconds for one in marked.breaks if not marked.text[: one.at].strip()))
    left_s = PAUSES_IN_ALL_S - lead_s
    found: list[Sentence] = []
    for start, end in _ranges(tokens, language):
        part = tokens[start:end]
        last = part[-1]
        pause_s = _calm_s(last, end == len(tokens))
        if last.break_s is not None:
            pause_s = min(last.break_s, left_s)
            left_s -= pause_s
        found.append(
            Sentence(
                words=tuple(token.written for token in part),
                said=" ".join(token.said for token in part),
                counts=tuple(len(token.said.split()) for token in part),
                pause_s=pause_s,
                pause_kind="calm" if last.break_s is None else "asked",
                glued=part[0].glued,
            )
        )
    return Narrated(lead_s=lead_s, sentences=tuple(_joined(found)))


def asked_pauses_s(narration: str) -> float:
    """How long all pauses together are that a narration asks for."""
    return sum(one.seconds for one in read_markup(narration).breaks)


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
    words = list(_PIECE.finditer(marked.text))
    tokens: list[_Token] = []
    for number, word in enumerate(words):
        following = words[number + 1] if number + 1 < len(words) else None
        gap = marked.text[word.end() : following.start()] if following else ""
        paragraph = bool(re.search(r"\n\s*\n", gap))
        until = following.start() if following else len(marked.text)
        breaks = [one.seconds for one in marked.breaks if word.start() < one.at <= until]
        said = _with_markup(word, marked.spans, language) or said_for(word[0], dictionary) or word[0]
        stressed = following is not None and not paragraph and _starts_stress(word, following, marked.spans)
        if (breaks or stressed) and not _STOPS.search(said[-12:]):
            said += ","  # the voice draws breath there
        tokens.append(
            _Token(
                written=word[0],
                said=said,
                glued=number > 0 and words[number - 1].end() == word.start(),
                ends=following is not None and following.start() == word.end(),
                paragraph=paragraph,
                break_s=min(LONGEST_BREAK_S, sum(breaks)) if breaks else None,
            )
        )
    return tokens


def _with_markup(word: re.Match[str], spans: Sequence[Span], language: str) -> str:
    """What is said for a word with a `<say-as>` in it, with what stands around that; "" for any other."""
    said, at = "", word.start()
    for span in spans:
        start, end = max(span.start, at), min(span.end, word.end())
        if span.kind.startswith("emphasis") or start >= end:
            continue
        text = word.string[start:end]
        said += word.string[at:start] + (" " if said else "") + (say_as(span.kind, text, language) or text)
        at = end
    return said + word.string[at : word.end()] if at > word.start() else ""


def _starts_stress(word: re.Match[str], following: re.Match[str], spans: Sequence[Span]) -> bool:
    """Whether the next word is the first of what is to be stressed."""
    return any(
        span.kind in ("emphasis strong", "emphasis moderate")
        and word.end() <= span.start < following.end()
        and span.end > following.start()
        for span in spans
    )


def _ranges(tokens: Sequence[_Token], language: str) -> list[tuple[int, int]]:
    """First and one after the last word of each sentence."""
    ranges: list[tuple[int, int]] = []
    start = 0
    for place, token in enumerate(tokens):
        if token.paragraph or place + 1 == len(tokens):
            spoken = speakable([one.written for one in tokens[start : place + 1]], language)
            inner = [
                start + at + 1
                for at, one in enumerate(spoken[:-1])
                if one.ends_sentence or tokens[start + at].ends or tokens[start + at].break_s is not None
            ]
            ranges += itertools.pairwise([start, *inner, place + 1])
            start = place + 1
    return ranges


def _joined(found: Sequence[Sentence]) -> list[Sentence]:
    """Sentences too short to sound right alone, joined to the next one, or to the last one at the end."""
    joined: list[Sentence] = []
    for one in found:
        last = joined[-1] if joined else None
        if (
            last is not None
            and not one.glued
            and last.pause_kind == "calm"
            and last.pause_s == SENTENCE_PAUSE_S
            and min(len(last.text), len(one.text)) < SHORTEST_CHARS
        ):
            joined[-1] = replace(
                one, words=last.words + one.words, said=f"{last.said} {one.said}", counts=last.counts + one.counts,
                glued=last.glued,
            )  # fmt: skip
        else:
            joined.append(one)
    return joined
