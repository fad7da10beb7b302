"""One written number of any language -> its value and its words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vidgend.pipeline.speech.languages.grammar import LONGEST_INTEGER, Language

NUMBER = r"\d+(?:[.,']\d+)*"
"""As loosely as any language writes it; `parse` tells what it is."""

HALVES = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8),
    "⅞": (7, 8),
}  # fmt: skip


@dataclass(frozen=True)
class Number:
    """`mark` is the decimal mark as written; `grouped` says that it had marks of thousands."""

    whole: str
    fraction: str = ""
    mark: str = ""
    grouped: bool = False

    @property
    def value(self) -> int:
        """Its whole part; that of a number too long to name is 0."""
        return int(self.whole) if len(self.whole) <= LONGEST_INTEGER else 0

    @property
    def one(self) -> bool:
        """Exactly one."""
        return self.whole == "1" and not self.fraction


def parse(text: str, language: Language) -> Number | None:
    """`text` as a number of the language, or of English where it can be nothing else; None for `1.2.3`."""
    if text.isdecimal():
        return Number(text)
    thousands, decimal = re.escape(language.thousands), re.escape(language.decimal)
    for grouping, point in ((thousands, decimal), ("'", "[.,]")):
        match = re.fullmatch(rf"(\d{{1,3}}(?:{grouping}{language.group})*{grouping}\d{{3}})(?:({point})(\d+))?", text)
        if match and match[1][0] != "0":
            return Number(re.sub(r"\D", "", match[1]), match[3] or "", match[2] or "", grouped=True)
    match = re.fullmatch(r"(\d+)([.,])(\d+)", text)
    if match:
        return Number(match[1], match[3], match[2])
    match = re.fullmatch(rf"(\d{{1,3}}(?:{decimal}\d{{3}})+)(?:([.,])(\d+))?", text)
    if match:
        return Number(re.sub(r"\D", "", match[1]), match[3] or "", match[2] or "", grouped=True)
    return None


def digits(text: str, language: Language) -> str:
    """Each digit by itself."""
    return " ".join(language.cardinal(int(digit), "") for digit in text)


def count(number: Number, language: Language, gender: str = "") -> str:
    """A number of things of a gender."""
    if number.fraction:
        return (
            f"{_whole(number.whole, language, '')} {language.marks[number.mark]} {decimals(number.fraction, language)}"
        )
    return _whole(number.whole, language, gender)


def _whole(whole: str, language: Language, gender: str) -> str:
    if len(whole) > LONGEST_INTEGER or (len(whole) > 1 and whole.startswith("0")):
        return digits(whole, language)
    return language.cardinal(int(whole), gender)


def decimals(fraction: str, language: Language) -> str:
    """What stands behind the decimal mark."""
    zeros = len(fraction) - len(fraction.lstrip("0"))
    rest = fraction[zeros:]
    if not language.decimals_as_number or len(rest) > 3 or not rest:
        return digits(fraction, language)
    return f"{digits(fraction[:zeros], language)} {language.cardinal(int(rest), '')}".strip()


def count_or_year(number: Number, language: Language, gender: str = "") -> str:
    """Four bare digits from 1100 to 2099 are far more often a year than a count."""
    bare = len(number.whole) == 4 and not number.fraction and not number.grouped
    if bare and 1100 <= number.value < 2100 and not gender:
        return language.year(number.value)
    return count(number, language, gender)


def singular(number: Number, language: Language) -> bool:
    """Whether what is counted stands in the singular."""
    return number.one or (language.singular_below_two and number.whole in ("0", "1"))


def named(number: Number, names: tuple[str, str], language: Language) -> str:
    """The noun for so many."""
    if singular(number, language):
        return names[0]
    millions = number.value and number.value % 1_000_000 == 0 and not number.fraction
    return language.of(names[1]) if millions else names[1]


def noun_gender(names: tuple[str, str], language: Language) -> str:
    """The gender of a unit or a currency, by its first word."""
    return language.gender(names[0].split()[0])


def part(top: int, bottom: int, gender: str, language: Language) -> str | None:
    """`3/4` of something of a gender, if the language has a name for it."""
    if (top, bottom) == (1, 2):
        return language.half.get(gender) or language.half[""]
    names = language.fractions.get(bottom)
    if names is None or not 0 < top < bottom:
        return None
    return f"{language.cardinal(top, noun_gender(names, language) or 'm')} {names[0 if top == 1 else 1]}"
