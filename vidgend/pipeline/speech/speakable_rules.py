"""Written words of any language -> what is said for each, by the words that a `Language` gives. Pure.

`read_aloud` answers with a pair for each word: its spoken words with their mark, and whether a sentence ends there.
Numbers are in `speakable_numbers.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vidgend.pipeline.speech.languages.grammar import Here, Language
from vidgend.pipeline.speech.numbers_en import roman
from vidgend.pipeline.speech.speakable_marks import TERMINAL, clean, mark_of, take_apart
from vidgend.pipeline.speech.speakable_numbers import lone_number, quantity

_ADDRESS = re.compile(r"[\w.+\-]*[^\W\d_][\w\-]*(?:[@.][\w\-]*[^\W\d_][\w\-]*)+(?:/\S*)?")
_LETTERS = r"(?:[^\W\d_]|[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u200c\u200d])+"
_PIECES = re.compile(rf"\d+(?:[.,]\d+)*|{_LETTERS}(?:'{_LETTERS})*|.")
_VOWELS = frozenset("AEIOUYÁÉÍÓÚÀÈÌÒÙÂÊÎÔÛÄÖÜÃÕÅÆØŒ")
_CAPITALS = re.compile(r"[A-ZÄÖÜÇÑ]{2,5}")
_LONGEST_WORD_CHARS = 100

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
            end = own_dot == "may end" and _may_start(line.core(index + 1), language)
            mark = "." if end else ""
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
    if not after or (language and after in language.starters):
        return True
    return not (language and language.starters) and after[0].isupper()


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
    if len(here.core) <= _LONGEST_WORD_CHARS:
        together = quantity(line.cores, line.closings, index, language)
        if together:
            said = zip(line.cores[index:], together, strict=False)
            return [(text, "may end" if core in language.dotted else "") for core, text in said]
    return [(_words(here, language), "")]


def _abbreviation(here: Here, language: Language) -> Said | None:
    core = here.core
    if core in language.always:
        return language.always[core], "may end"
    if core in language.before_numbers and (here.after[:1].isdecimal() or roman(here.after)):
        return language.before_numbers[core], "own"
    if not here.dotted:
        return None
    if core in language.titles:
        return language.titles[core], "own"
    if core in language.dotted:
        return language.dotted[core], "may end"
    if len(core) == 1 and core.isupper() and here.after[:1].isupper():
        return core, "own"  # the initials of a name
    return (core.replace(".", " "), "may end") if re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", core) else None


def _words(here: Here, language: Language) -> str:
    core = here.core
    if core in language.symbols:
        return language.symbols[core]
    if len(core) > _LONGEST_WORD_CHARS:
        return _mixed(core, language)
    for rule in (_roman, _letters, _address, _compound):
        spoken = rule(here, language)
        if spoken is not None:
            return spoken
    return _mixed(core, language)


def _roman(here: Here, language: Language) -> str | None:
    marked = re.fullmatch(r"([IVXLC]+)\.?([^\W\d_IVXLC]+|[ºª])", here.core)
    if marked and marked[2] in language.ordinal_marks and roman(marked[1]):
        return language.ordinal(roman(marked[1]), language.ordinal_marks[marked[2]])
    value = roman(here.core)
    if not value:
        return None
    if here.before.lower() in language.joints and roman(here.before_that):
        here = replace(here, before=here.head)  # siglos XIX y XX
    spoken = language.roman(value, here)
    if spoken is not None:
        return spoken
    numbered = here.before.lower() in language.numbered
    follows_name = here.before[:1].isupper() and len(here.core) > 1 and re.fullmatch("[IVX]+", here.core)
    return language.cardinal(value, "") if numbered or follows_name else None


def _letters(here: Here, language: Language) -> str | None:
    core = here.core
    if not all(char.isalpha() or char in "'-·" or _is_mark(char) for char in core):
        return None
    headline = any(len(word) > 4 and word.isupper() and word.isalpha() for word in (here.before, here.after))
    prefix, apostrophe, name = core.rpartition("'")
    hard = _CAPITALS.fullmatch(name) and not _VOWELS & set(name) and not headline
    return f"{prefix}{apostrophe}{' '.join(name)}" if hard or name in language.spelled else core


def _is_mark(char: str) -> bool:
    """An accent or a vowel sign of its own, or a joiner."""
    return unicodedata.category(char)[0] == "M" or char in "\u200c\u200d"


def _address(here: Here, language: Language) -> str | None:
    """URLs, mail addresses, file names, @names and #tags."""
    core = here.core
    plain = re.sub(r"^https?://(?:www\.)?|^www\.", "", core)
    if plain != core or _ADDRESS.fullmatch(core):
        named = "".join(
            f" {language.addresses[char]} " if char in language.addresses else char for char in plain.rstrip("/")
        )
        return " ".join(_mixed(part, language) for part in named.split())
    name = core.lstrip("#@")
    if name and name != core:
        kind = language.addresses["@"] if core[0] == "@" else language.hashtag
        return f"{language.number_sign if name.isdecimal() else kind} {_inner(name, language)}"
    return None


def _inner(part: str, language: Language) -> str:
    """A part of a word, said by the rules for itself."""
    return lone_number(part, language) or _words(Here(core=part), language)


def _compound(here: Here, language: Language) -> str | None:
    """Words joined by a slash or a dash."""
    slashed = [part for part in here.core.split("/") if part]
    if len(slashed) > 1:
        amount = any(char.isdecimal() for char in slashed[0]) or slashed[0] in language.currencies
        counted = len(slashed) == 2 and amount and slashed[1].isalpha()
        return (f" {language.per} " if counted else " ").join(_inner(part, language) for part in slashed)
    dashed = [part for part in re.split(r"--+|[—–]", here.core) if part]
    if len(dashed) > 1:
        counts = all(any(char.isdecimal() for char in part) for part in dashed)
        return (f" {language.to} " if counts else "— ").join(_inner(part, language) for part in dashed)
    hyphened = [part for part in here.core.split("-") if part]
    if len(hyphened) > 1 and any(char.isdecimal() for char in here.core):
        return " ".join(_inner(part, language) for part in hyphened)
    return None


def _mixed(core: str, language: Language) -> str:
    """Anything else: its runs of letters, its numbers and its symbols, one after the other."""
    out: list[str] = []
    pieces = _PIECES.findall(core)
    for index, piece in enumerate(pieces):
        beside = "".join(pieces[max(0, index - 1) : index] + pieces[index + 1 : index + 2])
        if piece[0].isdecimal():
            out.append(lone_number(piece, language) or piece)
        elif piece[0].isalpha():
            spelled = len(piece) <= 3 and piece.isupper() and any(char == "&" or char.isdecimal() for char in beside)
            out.append(" ".join(piece) if spelled else piece)
        elif piece in language.symbols:
            out.append(language.symbols[piece])
        elif out and (_is_mark(piece) or piece in ",;'"):
            out[-1] += piece
    return " ".join(out).rstrip(",; ")
