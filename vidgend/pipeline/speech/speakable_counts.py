"""Counts of any language, with the currency, scale and unit around them: `-5 °C`, `1 250,50 €`, `US$ 3 mil`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from vidgend.pipeline.speech.languages.grammar import Language
from vidgend.pipeline.speech.speakable_number import (
    NUMBER,
    Number,
    count,
    count_or_year,
    digits,
    named,
    noun_gender,
    parse,
    singular,
)

_MOST_GROUPS = 4
_LONGEST_ATTACHED_SCALE = 3
"""`10M€` and `5k`, but not `5miles`."""


@dataclass(frozen=True, kw_only=True)
class _Count:
    """What was found. `groups` are the further words of a number, `scale` and `noun` what it counts; those that are
    words of their own are told by `symbol_first`, `scale_apart` and `noun_apart`. `after` is the word behind it all."""

    sign: str
    low: Number | None
    number: Number
    groups: tuple[str, ...]
    symbol_first: bool
    scale: str
    scale_apart: bool
    noun: str
    noun_apart: bool
    after: str


def counted(cores: Sequence[str], closings: Sequence[str], index: int, language: Language) -> list[str] | None:
    """What is said for each of the words from `index` on that make one count, or None if there is none."""
    found = _find(cores, closings, index, language)
    if found:
        return _say(found, language)
    version = re.fullmatch(rf"[vV]?({NUMBER})", cores[index])
    parts = re.split(r"[.,']", version[1]) if version else []
    joint = f" {language.addresses['.']} "
    return [joint.join(count(Number(one), language) for one in parts)] if parts else None


@lru_cache
def _shape(symbols: tuple[str, ...], scales: tuple[str, ...], nouns: tuple[str, ...]) -> re.Pattern[str]:
    first, scale, last = (
        "|".join(map(re.escape, sorted(names, key=len, reverse=True))) for names in (symbols, scales, nouns)
    )
    return re.compile(
        rf"(?P<sign>[-+~≈±–]?)(?P<symbol>{first}|)(?P<minus>-?)(?:(?P<low>{NUMBER})[-–—])?(?P<number>{NUMBER})"
        rf"(?P<scale>(?:{scale})(?=[^\w\s]|$)|)-?(?P<noun>{last}|)\+?"
    )


def _find(cores: Sequence[str], closings: Sequence[str], index: int, language: Language) -> _Count | None:
    def after(at: int) -> str:
        return cores[at + 1] if at + 1 < len(cores) and not closings[at] else ""

    at = index
    symbol = cores[index] in language.currencies and cores[index].upper() == cores[index]
    symbol_first = symbol and after(index)[:1].isdecimal()
    at += symbol_first
    symbols = tuple(language.currencies)
    scales = tuple(name for name in language.scales if len(name) <= _LONGEST_ATTACHED_SCALE)
    match = _shape(symbols, scales, (*language.units, *symbols, "%", "‰")).fullmatch(cores[at])
    number = parse(match["number"], language) if match else None
    low = parse(match["low"], language) if match and match["low"] else None
    if not match or number is None or (match["low"] and low is None):
        return None
    noun = cores[index] if symbol_first else match["symbol"] or match["noun"]
    groups: list[str] = []
    before = cores[index - 1] if index else ""
    if match["number"] == cores[at] and re.fullmatch(r"[1-9]\d{0,2}", cores[at]) and not before[-1:].isdecimal():
        while len(groups) < _MOST_GROUPS and re.fullmatch(rf"\d{{3}}(?:\{language.decimal}\d+)?", after(at)):
            groups.append(after(at))
            at += 1
        whole, _, fraction = "".join((number.whole, *groups)).partition(language.decimal)
        if groups:
            number = Number(whole, fraction, language.decimal if fraction else "", grouped=True)
    scale_apart = not match["scale"] and not match["noun"] and after(at) in language.scales
    scale = after(at) if scale_apart else match["scale"]
    at += scale_apart
    scaled = after(at)[:-1] if after(at)[-1:] in language.currencies else ""  # 10 M€
    scale = scaled if not scale and scaled in language.scales else scale
    noun_apart = not noun and (_is_noun(after(at), language) or (bool(scale) and scale == scaled))
    noun = after(at).removeprefix(scaled) if noun_apart else noun
    at += noun_apart
    return _Count(
        sign="-" if match["minus"] else match["sign"],
        low=low,
        number=number,
        groups=tuple(groups),
        symbol_first=symbol_first,
        scale=scale,
        scale_apart=scale_apart,
        noun=noun,
        noun_apart=noun_apart,
        after=after(at),
    )


def _is_noun(word: str, language: Language) -> bool:
    return word in language.units or word in language.currencies or word in ("%", "‰")


def _say(found: _Count, language: Language) -> list[str]:
    names = _names(found.noun, language)
    scale = language.scales.get(found.scale)
    if scale:
        gender = noun_gender(scale, language) if scale[0] != scale[1] else ""
    elif names:
        gender = noun_gender(names, language)
    else:
        gender = language.gender(found.after) if found.after else ""
    money = found.noun in language.currencies and not scale
    with_cents = money and len(found.number.fraction) == 2
    number = Number(found.number.whole, grouped=found.number.grouped) if with_cents else found.number
    texts = _number_words(found, number, language, gender, counts=bool(names or scale))
    scale_text = scale[0 if singular(number, language) else 1] if scale else ""
    noun_text = _noun_text(found, names, number, language)
    if with_cents and int(found.number.fraction):
        texts, noun_text = _with_cents(found, texts, noun_text, language)
    for text, apart in ((scale_text, found.scale_apart), (noun_text, found.noun_apart)):
        if apart:
            texts.append(text)
        elif text:
            last = max(index for index, one in enumerate(texts) if one)
            texts[last] = f"{texts[last]} {text}".strip()
    if not names and _in_millions(found, number, language):
        texts.append(language.of(found.after))
    return [""] * found.symbol_first + texts


def _names(noun: str, language: Language) -> tuple[str, str] | None:
    if noun in language.currencies:
        return language.currencies[noun][:2]
    return language.units.get(noun)


def _number_words(found: _Count, number: Number, language: Language, gender: str, *, counts: bool) -> list[str]:
    spoken = count(number, language, gender) if counts else count_or_year(number, language, gender)
    sign = language.minus if found.sign in ("-", "–") else language.signs.get(found.sign, "")
    if found.low:
        spoken = _range(found.low, number, spoken, language, gender, counts=counts)
    return _shared(f"{sign} {spoken}".strip(), sign, number, found.groups, language, gender)


def _shared(
    spoken: str, sign: str, number: Number, groups: Sequence[str], language: Language, gender: str
) -> list[str]:
    """The words of a number that is written apart, each with the group that it is the word of."""
    texts = [""] * (len(groups) + 1)
    holder, start = 0, 0
    for index in range(1, len(texts)):
        zeros = "000" * (len(texts) - index)
        upper = f"{sign} {count(Number(number.whole[: -len(zeros)] + zeros), language, gender)}".strip()
        if spoken.startswith(f"{upper} "):
            texts[holder] = spoken[start : len(upper)]
            holder, start = index, len(upper) + 1
    texts[holder] = spoken[start:]
    return texts


def _range(low: Number, high: Number, spoken: str, language: Language, gender: str, *, counts: bool) -> str:
    first = count(low, language, gender) if counts else count_or_year(low, language, gender)
    rises = low.value < high.value or (low.value == high.value and low.fraction < high.fraction)
    shortened = len(low.whole) == 4 and len(high.whole) == 2
    if len(low.whole) in (3, 5) and len(high.whole) == 4:  # a telephone number
        return f"{digits(low.whole, language)} {digits(high.whole, language)}"
    return f"{first} {language.to} {spoken}" if rises or shortened else f"{first} {spoken}"


def _noun_text(found: _Count, names: tuple[str, str] | None, number: Number, language: Language) -> str:
    if found.noun == "%":
        return language.percent
    if found.noun == "‰":
        return language.permille
    if not names:
        return ""
    scale = language.scales.get(found.scale)
    if scale:
        return language.of(names[1]) if scale[0] != scale[1] else names[1]
    return named(number, names, language)


def _in_millions(found: _Count, number: Number, language: Language) -> bool:
    """Two millions and a noun behind, which needs its `of`."""
    whole = number.value and number.value % 1_000_000 == 0 and not number.fraction and not found.scale
    return bool(whole and found.after and language.gender(found.after))


def _with_cents(found: _Count, texts: list[str], noun_text: str, language: Language) -> tuple[list[str], str]:
    one, many = language.currencies[found.noun][2:]
    cents = Number(found.number.fraction.lstrip("0"))
    part = one if singular(cents, language) else many
    spoken = language.cardinal(cents.value, noun_gender((one, many), language))
    if not found.number.value:
        return [spoken, *texts[1:]], part
    return texts, f"{noun_text} {language.cents.format(number=spoken, part=part)}".strip()
