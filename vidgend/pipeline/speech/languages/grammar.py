"""What a language has to tell so that its numbers, dates, units and abbreviations can be said.

A language is one file beside this one with a `LANGUAGE`, perhaps `REGIONS`, and a line in `select.py`. Genders are "m",
"f" and "" (counted without a noun: Spanish `uno`); a language may have more forms for itself, such as "short".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from num2words import num2words

LONGEST_INTEGER = 15
"""Longer runs of digits are read one by one."""


@dataclass(frozen=True, kw_only=True)
class Here:
    """A word's core and its neighbours, none across a paragraph: "" where there is none. `dotted`: a dot follows it;
    `next_to`: nothing stands between it and `after`."""

    core: str
    before: str = ""
    before_that: str = ""
    after: str = ""
    after_that: str = ""
    dotted: bool = False
    next_to: bool = True
    head: str = ""
    """The third word before it."""


def _nothing(_: Here) -> None:
    return None


def _unchanged(noun: str) -> str:
    return noun


@dataclass(frozen=True, kw_only=True)
class Language:
    """The words and the small rules of one language. Everything said is words with single spaces."""

    cardinal: Callable[[int, str], str]
    """A count and the gender of what is counted."""
    ordinal: Callable[[int, str], str]
    gender: Callable[[str], str]
    """The gender of a noun, as far as its ending shows; "" for a word that is no noun."""
    year: Callable[[int], str]
    clock: Callable[[int, int, bool], tuple[str, str]]
    """Hours and minutes, and whether a word for the hour is written behind: what is said for the digits and for that
    word (`vierzehn`, `Uhr dreißig`)."""
    day: Callable[[int, Here], str]
    """The day of a month in a date."""
    roman: Callable[[int, Here], str | None] = lambda _value, _here: None
    """A Roman numeral beside its neighbours, or None if it is read like any other."""
    special: Callable[[Here], tuple[str, str] | None] = _nothing
    """Asked before all other rules: words, and whether a dot behind them is theirs ("", "own", "may end")."""
    of: Callable[[str], str] = _unchanged
    """A noun counted in millions: `de euros`."""

    months: tuple[str, ...]
    date: str
    """With {day}, {month} and {year}."""
    date_of: str = ""
    """The word between a day and its month."""
    dotted_dates: bool = False
    """`03.10.1990` is a date too."""

    decimal: str = ","
    thousands: str = "."
    group: str = r"\d{3}"
    marks: Mapping[str, str]
    """How the decimal mark is said."""
    decimals_as_number: bool = True
    """Two or three decimals are a number (`coma catorce`), else digit by digit."""
    singular_below_two: bool = False
    units: Mapping[str, tuple[str, str]]
    percent: str
    permille: str
    currencies: Mapping[str, tuple[str, str, str, str]]
    cents: str
    """What follows the currency, with {number} and {part}."""
    scales: Mapping[str, tuple[str, str]]
    """Words after a number that belong to it. Those whose plural differs are followed by `of`."""
    hour_words: frozenset[str] = frozenset()
    clock_marks: str = ":h"
    fractions: Mapping[int, tuple[str, str]]
    half: Mapping[str, str]
    """By the gender of what follows."""
    and_half: str
    """Behind a number, with its space."""
    and_part: str = ""
    minus: str
    signs: Mapping[str, str]
    to: str
    """Between the ends of a range."""
    per: str

    ordinal_marks: Mapping[str, str] = field(default_factory=dict)
    """What is written behind a number to make it an ordinal, and its gender."""
    numbered: frozenset[str] = frozenset()
    """Words, in small letters, that a Roman numeral of one letter may follow."""
    joints: frozenset[str] = frozenset()

    symbols: Mapping[str, str]
    addresses: Mapping[str, str]
    number_sign: str
    hashtag: str
    spelled: frozenset[str] = frozenset()
    """Acronyms with a vowel that are spelled nevertheless."""
    titles: Mapping[str, str]
    """With a dot, before a name: no end of a sentence."""
    dotted: Mapping[str, str]
    before_numbers: Mapping[str, str]
    always: Mapping[str, str]
    """Abbreviations with or without a dot."""
    pairs: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """Abbreviations of two words."""
    starters: frozenset[str] = frozenset()
    """What begins a sentence after an abbreviation; empty: any word with a capital."""


@lru_cache(maxsize=1024)
def num(value: int, code: str, to: str = "cardinal") -> str:
    """num2words without its commas."""
    return " ".join(str(num2words(value, lang=code, to=to)).replace(",", " ").split())


def endings(feminine: str, exceptions: str, not_nouns: str) -> Callable[[str], str]:
    """A `gender` from the endings of nouns: a pattern of feminine ones, masculine exceptions and small words."""
    ends, masculine, small = (
        re.compile(rf"(?:{feminine})$"),
        frozenset(exceptions.split()),
        frozenset(not_nouns.split()),
    )

    def gender(word: str) -> str:
        plain = word.lower()
        if not plain[:1].isalpha() or plain in small:
            return ""
        return "f" if plain not in masculine and ends.search(plain) else "m"

    return gender


_COUNTED = (
    "congres", "edici", "ediç", "edizion", "anivers", "annivers", "guerr", "rep", "cumbre", "festival", "dinast",
    "legislatur", "olimp", "concil", "jorna", "giornat",
)  # fmt: skip
"""How nouns begin that are often counted with Roman numerals in Spanish, Italian and Portuguese."""


def before_noun(
    value: int, here: Here, articles: frozenset[str], gender: Callable[[str], str], ordinal: Callable[[int, str], str]
) -> str | None:
    """A Roman numeral between an article and a noun: la II Guerra Mundial."""
    noun = gender(here.after) if here.next_to else ""
    if noun and (here.before.lower() in articles or here.after.lower().startswith(_COUNTED)):
        return ordinal(value, noun)
    return None


def day_with_first(first: str, cardinal: Callable[[int, str], str]) -> Callable[[int, Here], str]:
    """Days are counts, but for the first."""
    return lambda day, _: first if day == 1 else cardinal(day, "")
