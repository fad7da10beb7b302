"""Chinese and Japanese as written -> as said: numbers with what they count, dates, times, addresses. Pure.

A written "word" is all that stands between two spaces, often a whole sentence; what is not looked for stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from vidgend.pipeline.speech.languages.grammar import LONGEST_INTEGER
from vidgend.pipeline.speech.languages.unspaced import Unspaced
from vidgend.pipeline.speech.speakable_marks import clean

_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_MARKUP = re.compile(r"[*_`|•<>#]+")
_NAME = r"[A-Za-z0-9_\-]{0,40}[A-Za-z][A-Za-z0-9_\-]{0,40}"
_ADDRESS = rf"(?<![A-Za-z0-9])(?:https?://)?(?:www\.)?{_NAME}(?:[@.]{_NAME}){{1,6}}[/\w\-]*"
_ENDS = frozenset(".!?…。！？")
_QUOTES = "\"'”’」』）)】》"

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def read_unspaced(words: Sequence[str], language: Unspaced) -> list[tuple[str, bool]]:
    """What is said for each word, and whether a sentence ends there."""
    rules = _rules(language)
    answer = []
    for word in words:
        text = _MARKUP.sub("", clean(word))
        spoken = language.symbols.get(text) or _read(text, rules)
        ends = text.rstrip(_QUOTES)[-1:] in _ENDS if text else False
        answer.append((" ".join(spoken.split()) if any(map(str.isalnum, spoken)) else "", ends))
    return answer


def _read(text: str, rules: Sequence[Rule]) -> str:
    """From the left, the first rule that fits at a place; so what was said is not read again."""
    said: list[str] = []
    at = 0
    for start in re.finditer(r"[A-Za-z0-9\-$¥€£₹]", text):
        if start.start() < at:
            continue
        for pattern, say in rules:
            match = pattern.match(text, start.start())
            if match:
                said += [text[at : match.start()], say(match)]
                at = match.end()
                break
    return "".join([*said, text[at:]])


def _rules(language: Unspaced) -> list[Rule]:
    def number(text: str, form: Callable[[int], str] = language.cardinal) -> str:
        return _number(text, language, form)

    units = "|".join(map(re.escape, sorted(language.units, key=len, reverse=True)))
    symbols = "".join(map(re.escape, language.currencies))
    rules: list[tuple[str, Callable[[re.Match[str]], str]]] = [
        (_ADDRESS, lambda m: _address(m[0], language)),
        (r"(?<![A-Za-z\-])[A-Za-z][A-Za-z\-]*\d*[A-Za-z0-9]*", lambda m: m[0]),
        (r"(?<!\d)(\d{4})[-/](\d\d?)[-/](\d\d?)(?!\d)", lambda m: _date(m, language)),
        (r"(\d{4})年", lambda m: f"{language.year(int(m[1]))}年"),
        (r"(?<!\d)([01]?\d|2[0-4]):([0-5]\d)(?!\d)", lambda m: language.clock(int(m[1]), int(m[2]))),
        (rf"([{symbols}])({_NUMBER})", lambda m: language.currencies[m[1]].format(number(m[2], language.counting))),
        (
            rf"({_NUMBER})[-~〜–]({_NUMBER})%",
            lambda m: language.percent.format(f"{number(m[1])}{language.to}{number(m[2])}"),
        ),
        (rf"({_NUMBER})%", lambda m: language.percent.format(number(m[1]))),
        (
            rf"(?<![\d\w])-({_NUMBER})({units})(?![A-Za-z])",
            lambda m: f"{language.minus}{number(m[1], language.counting)}{language.units[m[2]]}",
        ),
        (rf"({_NUMBER})({units})(?![A-Za-z])", lambda m: f"{number(m[1], language.counting)}{language.units[m[2]]}"),
        (rf"({_NUMBER})(?=[{language.measures}])", lambda m: number(m[1], language.counting)),
        (rf"({_NUMBER})[-~〜–](?={_NUMBER})", lambda m: f"{number(m[1])}{language.to}"),
        (_NUMBER, lambda m: number(m[0])),
    ]
    return [(re.compile(pattern, re.ASCII), say) for pattern, say in rules]


def _number(text: str, language: Unspaced, form: Callable[[int], str]) -> str:
    whole, point, fraction = text.replace(",", "").partition(".")
    if len(whole) > LONGEST_INTEGER or (len(whole) > 1 and whole.startswith("0")):
        spoken = "".join(language.cardinal(int(digit)) for digit in whole)
    else:
        spoken = (language.cardinal if point else form)(int(whole))
    return spoken + (language.point + "".join(language.cardinal(int(digit)) for digit in fraction) if point else "")


def _date(match: re.Match[str], language: Unspaced) -> str:
    year, month, day = (int(match[index]) for index in (1, 2, 3))
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    said = {"year": language.year(year), "month": language.cardinal(month), "day": language.cardinal(day)}
    return language.date.format(**said)


def _address(text: str, language: Unspaced) -> str:
    plain = re.sub(r"^https?://(?:www\.)?|^www\.", "", text).rstrip("/")
    return "".join(f" {language.addresses[char]} " if char in language.addresses else char for char in plain)
