"""Written words of any language -> what is said for each, by the words that a `Language` gives. Pure.

`read_aloud` answers with a pair for each word: its spoken words with their mark, and whether a sentence ends there.
Numbers are in `speakable_numbers.py`, single words in `speakable_words.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vidgend.pipeline.speech.languages.grammar import Here, Language
from vidgend.pipeline.speech.numbers_en import roman
from vidgend.pipeline.speech.speakable_marks import TERMINAL, clean, mark_of, take_apart
from vidgend.pipeline.speech.speakable_numbers import quantity
from vidgend.pipeline.speech.speakable_words import LONGEST_WORD_CHARS, word_said

Said = tuple[str, str]
"""Words, and whether a dot behind them is theirs: "", "own" or "may end"."""


@dataclass(frozen=True)
class _Line:
    cores: Sequence[str]
    closings: Sequence[str]

    def core(self, index: int) -> str:
        return self.cores[index] if 0 <= index < len(self.cores) else ""

    def here(self, index: int) -> Here:
        return Here(
            core=self.cores[index],
            before=self.core(index - 1),
            before_that=self.core(index - 2),
            head=self.core(index - 3),
            after=self.core(index + 1),
            after_that=self.core(index + 2),
            dotted=self.closings[index].startswith("."),
            next_to=not self.closings[index],
        )


def read_aloud(words: Sequence[str], language: Language | None) -> list[tuple[str, bool]]:
    """What is said for each of `words`, one paragraph. Without a language numbers and symbols stay as written."""
    cores, closings = [], []
    for word in words:
        text = clean(word)
        lone_symbol = language is not None and text in language.symbols
        core, closing = (text, "") if lone_symbol else take_apart(text)
        cores.append(core)
        closings.append(closing)
    line = _Line(cores, closings)
    said: list[Said] = []
    while len(said) < len(words):
        said += _next(line, len(said), language) if language else [_as_written(line, len(said))]
    return _with_marks(line, said, language)


def _with_marks(line: _Line, said: Sequence[Said], language: Language | None) -> list[tuple[str, bool]]:
    texts: list[str] = []
    ends: list[bool] = []
    last_said = -1
    for index, (spoken, own_dot) in enumerate(said):
        closing = line.closings[index]
        mark = mark_of(closing)
        end = mark in TERMINAL
        if own_dot and mark == "." and closing.startswith("."):
            last = index + 1 == len(said)
            end = own_dot == "may end" and (last or _may_start(line.core(index + 1), language))
            mark = "." if end else mark_of(closing[1:])
        if spoken and not line.cores[index]:
            mark, end = "", False  # a dash that is said
        texts.append(" ".join(spoken.split()))
        ends.append(end)
        if texts[-1]:
            last_said = index
            texts[-1] += mark
        elif mark and last_said >= 0:  # a mark that stands alone shapes the tune of the word before it
            texts[last_said] = _stronger(texts[last_said], mark)
    return list(zip(texts, ends, strict=True))


def _stronger(text: str, mark: str) -> str:
    bare = text.rstrip(".,!?;:…—")
    return bare + mark_of(text[len(bare) :] + mark)


def _may_start(after: str, language: Language | None) -> bool:
    return after in language.starters if language and language.starters else after[:1].isupper()


def _as_written(line: _Line, index: int) -> Said:
    core = line.cores[index]
    initial = len(core) == 1 and core.isupper() and line.core(index + 1)[:1].isupper()
    return core, "own" if initial else ""


def _next(line: _Line, index: int, language: Language) -> list[Said]:
    """What is said for the word at `index`, and for those that are said together with it."""
    here = line.here(index)
    if not here.core:
        joins = mark_of(line.closings[index]) == "—" or line.closings[index] == "-"
        between = joins and here.before[-1:].isdecimal() and here.after[:1].isdecimal()
        return [(language.to, "own") if between else ("", "")]
    special = language.special(here)
    if special:
        return [special]
    pair = language.pairs.get((here.core, here.after)) if here.dotted or here.next_to else None
    if pair:
        return [(pair[0], "own"), (pair[1], "may end")]
    short = _abbreviation(here, language)
    if short:
        return [short]
    if len(here.core) <= LONGEST_WORD_CHARS:
        together = quantity(line.cores, line.closings, index, language)
        if together:
            said = zip(line.cores[index:], together, strict=False)
            return [(text, "may end" if core in language.dotted else "") for core, text in said]
    return [(word_said(here, language), "")]


def _abbreviation(here: Here, language: Language) -> Said | None:
    core, small = here.core, here.core[:1].lower() + here.core[1:]
    numbered = (here.dotted or not (core.isascii() and core.isalpha())) and (
        here.after[:1].isdecimal() or roman(here.after)
    )
    for written in (core, small):
        if numbered and written in language.before_numbers:
            return language.before_numbers[written], "own"
    if here.dotted and core in language.titles:
        return language.titles[core], "own"
    if core in language.always:
        return language.always[core], "may end"
    for written in (core, small):
        if here.dotted and written in language.dotted:
            return language.dotted[written], "may end"
    if here.dotted and len(core) == 1 and core.isupper() and here.after[:1].isalpha():
        return core, "own"  # the initials of a name
    if here.dotted and re.fullmatch(r"(?:[^\W\d_]\.-?)+[^\W\d_]", core):
        return re.sub(r"[.-]+", " ", core), "own" if here.after else "may end"
    return None
