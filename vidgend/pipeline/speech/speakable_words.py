"""One written word of any language that is no number through and through -> its spoken words. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from vidgend.pipeline.speech.languages.grammar import Here, Language
from vidgend.pipeline.speech.numbers_en import roman
from vidgend.pipeline.speech.speakable_number import HALVES
from vidgend.pipeline.speech.speakable_numbers import lone_number

_ADDRESS = re.compile(r"[\w.+\-]*[^\W\d_][\w\-]*(?:[@.][\w\-]*[^\W\d_][\w\-]*)+(?:/\S*)?")
_LETTERS = r"(?:[^\W\d_¼½¾⅐-⅞]|[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u200c\u200d])+"
_PIECES = re.compile(rf"\d+(?:[.,]\d+)*|{_LETTERS}(?:'{_LETTERS})*|.")
_VOWELS = frozenset("AEIOUYÁÉÍÓÚÀÈÌÒÙÂÊÎÔÛÄÖÜÃÕÅÆØŒ")
_CAPITALS = re.compile(r"[A-ZÄÖÜÇÑ]{2,5}")
LONGEST_WORD_CHARS = 100
"""Beyond this a "word" is noise and is read piece by piece."""


def word_said(here: Here, language: Language) -> str:
    """What is said for a word that is no count, no date and no abbreviation."""
    core = here.core
    if core in language.symbols:
        return language.symbols[core]
    if core in ("x", "X") and here.before[-1:].isdecimal() and here.after[:1].isdecimal():
        return language.symbols["×"]
    if len(core) > LONGEST_WORD_CHARS:
        return _mixed(core, language)
    for rule in (_roman, _unit, _letters, _address, _compound):
        spoken = rule(here, language)
        if spoken is not None:
            return spoken
    return _mixed(core, language)


def _roman(here: Here, language: Language) -> str | None:
    marked = re.fullmatch(r"(?![LC]\w$)([IVXLC]+)\.?(e|ème|ᵉ|[ºª]|(?<=^I)(?:er|re|ère))", here.core)
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
    numbered = here.before.lower() in language.numbered or here.before in language.before_numbers
    return language.cardinal(value, "") if numbered or re.fullmatch("[IVX]{2,}", here.core) else None


def _unit(here: Here, language: Language) -> str | None:
    """A unit behind a fraction, or one that can be nothing else."""
    names = language.units.get(here.core)
    if names is None or not (re.search(r"\d/\d+$|[¼½¾⅐-⅞]$", here.before) or re.search("[/²³°]", here.core)):
        return None
    return names[0 if re.fullmatch(r"1/2|½", here.before) else 1]


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
    counted = re.fullmatch(r"[Nn]\.?[°º](\d+)", core)
    name = counted[1] if counted else core.lstrip("#@")
    if name and name != core:
        kind = language.addresses["@"] if core[0] == "@" else language.hashtag
        return f"{language.number_sign if name.isdecimal() else kind} {_inner(name, language)}"
    return None


def _inner(part: str, language: Language) -> str:
    """A part of a word, said by the rules for itself."""
    return lone_number(part, language) or word_said(Here(core=part), language)


def _compound(here: Here, language: Language) -> str | None:
    """Words joined by a slash or a dash."""
    slashed = [part for part in here.core.split("/") if part]
    if len(slashed) > 1:
        if len(slashed) == 2 and slashed[0] in language.units and slashed[1] in language.units:
            return f"{language.units[slashed[0]][1]} {language.per} {language.units[slashed[1]][0]}"
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
        if piece[0].isdecimal() or piece in HALVES:
            out.append(lone_number(piece, language) or piece)
        elif piece[0].isalnum():
            spelled = len(piece) <= 3 and piece.isupper() and any(char == "&" or char.isdecimal() for char in beside)
            out.append(" ".join(piece) if spelled else piece)
        elif piece in language.symbols:
            out.append(language.symbols[piece])
        elif out and (_is_mark(piece) or piece in ",;'"):
            out[-1] += piece
    return re.sub(r"(?<=[^\W\d_]') ", "", " ".join(out)).rstrip(",; ")
