"""English numbers as words: counts, years, ordinals, money, times of day, fractions. Pure.

Every function takes digits as they stand in a text and returns lower-case words with single spaces, no commas
and no hyphens, so that the number of words is the number of spaces plus one.
"""

from __future__ import annotations

import re

from num2words import num2words

LONGEST_INTEGER = 15
"""Longer runs of digits are read one by one: nobody follows a spoken number beyond trillions."""

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
"""A number as English writes it: `7`, `1,250`, `3.5`, `.5`."""

SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "mm": "million", "b": "billion", "bn": "billion",
    "t": "trillion", "tn": "trillion", "thousand": "thousand", "million": "million", "billion": "billion",
    "trillion": "trillion",
}  # fmt: skip

CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₩": ("won", "won", "jeon", "jeon"),
    "₽": ("rouble", "roubles", "kopeck", "kopecks"),
    "₿": ("bitcoin", "bitcoins", "satoshi", "satoshi"),
}


def _plain(text: str) -> str:
    return " ".join(text.replace("-", " ").replace(",", " ").split())


def digits(text: str) -> str:
    """Each digit by itself: `007` is zero zero seven."""
    return " ".join(_plain(num2words(int(digit))) for digit in text if digit.isdecimal())


def cardinal(number: str) -> str:
    """A count, with or without commas and decimals; leading zeros are read as digits."""
    whole, point, fraction = number.replace(",", "").partition(".")
    if not whole:
        spoken = ""
    elif len(whole) > LONGEST_INTEGER or (len(whole) > 1 and whole.startswith("0")):
        spoken = digits(whole)
    else:
        spoken = _plain(num2words(int(whole)))
    return f"{spoken} point {digits(fraction)}".strip() if point else spoken


def year(number: str) -> str:
    """Four digits as a year: `1999` is nineteen ninety nine."""
    return _plain(num2words(int(number), to="year"))


def number_or_year(number: str) -> str:
    """Four bare digits from 1100 to 2099 are far more often a year than a count, the rest is a count."""
    if re.fullmatch(r"\d{4}", number) and 1100 <= int(number) < 2100:
        return year(number)
    return cardinal(number)


def ordinal(number: str) -> str:
    """`2` is second. Numbers too long to name are read as digits."""
    plain = number.replace(",", "")
    if len(plain) > LONGEST_INTEGER:
        return digits(plain)
    return _plain(num2words(int(plain), to="ordinal"))


def plural(words: str) -> str:
    """Makes the last word of a number plural: nineteen ninety becomes nineteen nineties."""
    return words[:-1] + "ies" if words.endswith("y") else words + ("es" if words.endswith("x") else "s")


def decade(number: str) -> str:
    """`1990s` and `90s`, given without the s."""
    return plural(number_or_year(number))


def money(symbol: str, number: str, scale: str = "") -> str:
    """`$` and `5.50` are five dollars and fifty cents; with a scale the decimals belong to the scale."""
    one, many, small_one, small_many = CURRENCIES[symbol]
    if scale:
        return f"{cardinal(number)} {SCALES[scale.lower()]} {many}"
    whole, _, fraction = number.replace(",", "").partition(".")
    if len(fraction) != 2:
        return f"{cardinal(number)} {one if number == '1' else many}"
    small = f"{cardinal(str(int(fraction)))} {small_one if int(fraction) == 1 else small_many}"
    if not int(whole or 0):
        return small
    large = f"{cardinal(whole)} {one if int(whole) == 1 else many}"
    return f"{large} and {small}" if int(fraction) else large


def clock_time(hours: str, minutes: str, *, half_day_follows: bool) -> str:
    """`10:30` is ten thirty, `10:05` ten oh five, `10:00` ten o'clock (ten before a.m. or p.m.)."""
    hour = _plain(num2words(int(hours)))
    if int(minutes) == 0:
        if half_day_follows:
            return hour
        return f"{hour} o'clock" if 1 <= int(hours) <= 12 else f"{hour} hundred"
    return f"{hour} oh {digits(minutes[1])}" if minutes[0] == "0" else f"{hour} {cardinal(minutes)}"


_SAID_APART = {("9", "11"), ("24", "7"), ("50", "50")}


def fraction(top: str, bottom: str) -> str:
    """`3/4` is three quarters; what is not a small proper fraction is read as two numbers."""
    above, below = int(top), int(bottom)
    if (top, bottom) in _SAID_APART or not (0 < above < below <= 100):
        return f"{cardinal(top)} {cardinal(bottom)}"
    part = {2: "half", 4: "quarter"}.get(below) or ordinal(bottom)
    if above == 1:
        return f"one {part}"
    return f"{cardinal(top)} {'halves' if below == 2 else plural(part)}"


_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def roman(text: str) -> int:
    """The value of a well-formed Roman numeral up to 399; 0 if it is none."""
    if not re.fullmatch(r"C{0,3}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})", text) or not text:
        return 0
    values = [_ROMAN[letter] for letter in text]
    return sum(
        -value if index + 1 < len(values) and value < values[index + 1] else value for index, value in enumerate(values)
    )
