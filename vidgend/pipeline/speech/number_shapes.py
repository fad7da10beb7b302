"""The shapes in which English texts write numbers, and what is said for each. Pure.

`spoken_number(core, before, after)` answers for a word that is a number through and through; `before` and `after`
are the words beside it, since `$10 billion` and `10 a.m.` spread over two.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from vidgend.pipeline.speech import numbers_en as say
from vidgend.pipeline.speech import speakable_tables as table
from vidgend.pipeline.speech.numbers_en import NUMBER

_SIGNS = {
    "-": "minus ", "−": "minus ", "–": "minus ", "±": "plus or minus ", "~": "about ", "≈": "about ", "+": "plus ",
}  # fmt: skip
_SIGN = "([-−–+±~≈]?)"
_UNIT = "|".join(sorted(map(re.escape, table.UNITS), key=len, reverse=True))
_SCALE = "k|K|mn|mm|m|M|bn|b|B|tn|t|T"
_CURRENCY = "".join(say.CURRENCIES)
_MONEY_FIRST = re.compile(rf"{_SIGN}([A-Z]{{0,2}})([{_CURRENCY}])((?:{NUMBER}[-–—])?)({NUMBER})-?({_SCALE}|)\+?")
_MONEY_LAST = re.compile(rf"{_SIGN}()()((?:{NUMBER}[-–—])?)({NUMBER})()([{_CURRENCY}])")


def spoken_number(core: str, before: str, after: str) -> str | None:
    """The words for `core`, or None if it is no number."""
    for rule in (_second_half, _money, _time, _date, _label):
        spoken = rule(core, before, after)
        if spoken is not None:
            return spoken
    for pattern, say_match in _SHAPES:
        match = pattern.fullmatch(core)
        if match:
            return say_match(match)
    return None


def _second_half(core: str, before: str, _: str) -> str | None:
    """What follows a number and belongs to it: a scale of money, half a day, a unit."""
    symbol = re.match(rf"[-−–±~+]?[A-Z]{{0,2}}([{_CURRENCY}])\S*\d$", before)
    if symbol and core.lower() in table.SCALE_WORDS:
        return f"{core} {say.CURRENCIES[symbol[1]][1]}"
    if core.lower() in table.HALF_DAYS and re.fullmatch(r"\d{1,2}(:\d\d)?", before):
        return table.HALF_DAYS[core.lower()]
    counted = core in table.CLEAR_UNITS or re.fullmatch(rf"[-−–~+]?{NUMBER}", before)
    return _unit("1" if before == "1" else "2", core) if core in table.UNITS and counted else None


def _money(core: str, _: str, after: str) -> str | None:
    match = _MONEY_FIRST.fullmatch(core) or _MONEY_LAST.fullmatch(core)
    if not match:
        return None
    sign, country, symbol, low, number, scale = match.groups()[:6]
    symbol = symbol or match.groups()[-1]
    opening = _SIGNS.get(sign, "") + (f"{say.cardinal(low[:-1])} to " if low else "")
    if not scale and after.lower() in table.SCALE_WORDS:
        return f"{opening}{say.cardinal(number)}"  # the currency is said after the scale, in the next word
    spoken = say.money(symbol, number, scale)
    if country in table.COUNTRIES:
        one, many, *_rest = say.CURRENCIES[symbol]
        spoken = re.sub(rf"\b({many}|{one})\b", rf"{table.COUNTRIES[country]} \1", spoken, count=1)
    return opening + spoken


def _time(core: str, _: str, after: str) -> str | None:
    match = re.fullmatch(r"(\d{1,2})(?::([0-5]\d))?(am|pm|a\.m|p\.m)?", core, re.IGNORECASE)
    if not match or (match[2] is None and match[3] is None) or int(match[1]) > 24:
        return None
    half = (match[3] or "").lower().replace(".", "")
    follows = bool(half) or after.lower().replace(".", "") in ("am", "pm")
    spoken = say.clock_time(match[1], match[2] or "00", half_day_follows=follows)
    return f"{spoken} {table.HALF_DAYS[half]}" if half else spoken


def _date(core: str, before: str, _: str) -> str | None:
    iso = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", core)
    if iso and 1 <= int(iso[2]) <= 12 and 1 <= int(iso[3]) <= 31:
        return f"{table.MONTHS[int(iso[2]) - 1]} {say.ordinal(iso[3])} {say.number_or_year(iso[1])}"
    if re.fullmatch(r"[1-9]|[12]\d|3[01]", core) and (before in table.MONTHS or before in table.SHORT_MONTHS):
        return say.ordinal(core)
    return None


def _label(core: str, _: str, after: str) -> str | None:
    """A number with a letter in a name: 221B Baker Street, 3M Company. Before a small letter it is a scale."""
    match = re.fullmatch(r"(\d{1,4})([A-Z])", core)
    if not match or not after[:1].isupper() or match[2] not in "BMT":
        return None
    return f"{say.cardinal(match[1])} {match[2]}"


def _unit(number: str, unit: str) -> str:
    one, many = table.UNITS[unit]
    return one if number == "1" else many


def _signed(sign: str, spoken: str) -> str:
    return _SIGNS.get(sign, "") + spoken


def _scaled(number: str, scale: str) -> str:
    if scale == "K" and len(number) == 1:
        return f"{say.cardinal(number)} K"  # 4K and 8K name a picture size, 5K a race
    return f"{say.cardinal(number)} {say.SCALES[scale.lower()]}"


def _range(match: re.Match[str]) -> str:
    low, high, unit = match[1], match[2], match[3]
    if len(low) == 3 and len(high) == 4 and not unit:
        return f"{say.digits(low)} {say.digits(high)}"  # 555-1234
    joined = " to " if float(low.replace(",", "")) < float(high.replace(",", "")) else " "
    tail = " percent" if unit == "%" else f" {_unit(high, unit)}" if unit else ""
    return f"{say.number_or_year(low)}{joined}{say.number_or_year(high)}{tail}"


def _and_a_part(match: re.Match[str]) -> str:
    part = say.fraction(match[2], match[3])
    return f"{say.cardinal(match[1])} and {'a' + part[3:] if part.startswith('one ') else part}"


_SHAPES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), say_match)
    for pattern, say_match in (
        (rf"{_SIGN}({NUMBER})%", lambda m: _signed(m[1], f"{say.cardinal(m[2])} percent")),
        (rf"({NUMBER})[-–—]({NUMBER})(%|{_UNIT}|)", _range),
        (r"(\d[\d,]*)(?:st|nd|rd|th|ST|ND|RD|TH)", lambda m: say.ordinal(m[1])),
        (r"'?(\d0|\d{3}0)'?s", lambda m: say.decade(m[1])),
        (rf"{_SIGN}({NUMBER})-?({_UNIT})", lambda m: _signed(m[1], f"{say.cardinal(m[2])} {_unit(m[2], m[3])}")),
        (rf"{_SIGN}({NUMBER})({_SCALE})\+?", lambda m: _signed(m[1], _scaled(m[2], m[3]))),
        (rf"({NUMBER})[x×]", lambda m: f"{say.cardinal(m[1])} times"),
        (rf"({NUMBER})[x×]({NUMBER})", lambda m: f"{say.number_or_year(m[1])} by {say.number_or_year(m[2])}"),
        (r"(\d{1,2})/(\d{1,2})", lambda m: say.fraction(m[1], m[2])),
        (r"(\d+) (\d{1,2})/(\d{1,2})", _and_a_part),
        (r"(\d{1,2}):(\d{1,2})", lambda m: f"{say.cardinal(m[1])} to {say.cardinal(m[2])}"),
        (r"[+]?\d{1,4}(?:-\d{2,4}){2,}", lambda m: say.digits(m[0])),
        (r"[vV]?\d+(?:\.\d+){2,}", lambda m: " point ".join(say.cardinal(n) for n in m[0].strip("vV").split("."))),
        (rf"{_SIGN}({NUMBER})\+?", lambda m: _signed(m[1], say.number_or_year(m[2]))),
    )
)
"""Most particular first."""
