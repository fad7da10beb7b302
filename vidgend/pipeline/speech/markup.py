"""A little SSML in a narration: `<break>`, `<say-as>`, `<emphasis>`. Anything else that looks like a tag is text. Pure.

The words are the text without its markup, and that is what everybody else sees; only the voice is told the rest.
Source of names and values: W3C, Speech Synthesis Markup Language 1.1, sections 3.1.8, 3.2.2 and 3.2.3.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LONGEST_BREAK_S = 10.0
STRENGTHS_S = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.35, "strong": 0.7, "x-strong": 1.2}
SAY_AS = ("characters", "spell-out", "digits", "telephone", "cardinal", "number", "ordinal", "date", "time")
"""Of `interpret-as`. Dates, times and what has another name are read by the rules of the language."""
LEVELS = ("strong", "moderate", "none", "reduced")

_Q = "[\"']"
_BREAK = (
    rf"<break(?:\s+time\s*=\s*{_Q}(?P<time>\d+(?:\.\d+)?)(?P<unit>ms|s){_Q}"
    rf"|\s+strength\s*=\s*{_Q}(?P<strength>[a-z-]+){_Q})?\s*(?:/>|>\s*</break>)"
)
_SAY_AS = (
    rf"<say-as\s+interpret-as\s*=\s*{_Q}(?P<kind>[a-z-]+){_Q}(?:\s+format\s*=\s*{_Q}[a-z]*{_Q})?\s*>"
    r"(?P<said>[^<]*)</say-as>"
)
_EMPHASIS = rf"<emphasis(?:\s+level\s*=\s*{_Q}(?P<level>[a-z]+){_Q})?\s*>(?P<stressed>[^<]*)</emphasis>"
_TAG = re.compile(f"{_BREAK}|{_SAY_AS}|{_EMPHASIS}")
_SPEAK = re.compile(r"\s*<speak[^<>]*>(.*)</speak>\s*", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Break:
    """A pause of `seconds` before the character number `at` of the text."""

    at: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Span:
    """Characters `start` to `end` of the text; `kind` as `interpret-as` has it, or `emphasis strong` and the like."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A narration read: its words, and what was said about them."""

    text: str
    breaks: tuple[Break, ...] = ()
    spans: tuple[Span, ...] = ()


def read_markup(narration: str) -> Marked:
    """A tag with a value that nobody knows is text too. Escapes (`&lt;`) are read where there is any markup."""
    inner = _SPEAK.fullmatch(narration)
    source = inner[1].strip() if inner else narration
    tags = [match for match in _TAG.finditer(source) if _known(match)]
    if not tags:
        return Marked(text=source)
    parts: list[str] = []
    breaks: list[Break] = []
    spans: list[Span] = []
    length = at = 0

    def add(text: str) -> None:
        nonlocal length
        parts.append(html.unescape(text))
        length += len(parts[-1])

    for tag in tags:
        add(source[at : tag.start()])
        at = tag.end()
        kind = tag["kind"] or (f"emphasis {tag['level'] or 'moderate'}" if tag["stressed"] is not None else "")
        start = length
        if kind:
            add(tag["said"] if tag["kind"] else tag["stressed"])
            spans.append(Span(start=start, end=length, kind=kind))
        else:
            breaks.append(Break(at=length, seconds=_seconds(tag)))
            before, after = "".join(parts)[-1:], source[at : at + 1]
            if before.isalnum() and after.isalnum():
                add(" ")
    add(source[at:])
    return Marked(text="".join(parts), breaks=tuple(breaks), spans=tuple(spans))


def plain(narration: str) -> str:
    """The words without the markup: what captions, searches and people get."""
    return read_markup(narration).text


def narration_fields(narration: str) -> dict[str, Any]:
    """The fields of a `Scene` that says this."""
    marked = read_markup(narration)
    return {"narration": marked.text, "markup": narration if marked.breaks or marked.spans else None}


def divide(narration: str, texts: Sequence[str]) -> list[str | None]:
    """The markup of a narration for each of the `texts` into which its words were cut; None for one without any.

    The texts hold the words' characters in order, white space apart; if they do not, the markup is lost.
    """
    marked = read_markup(narration)
    if not (marked.breaks or marked.spans):
        return [None] * len(texts)
    if "".join(map(_dense, texts)) != _dense(marked.text):
        return [None] * len(texts)
    counted = [0]  # how many characters that are no white space come before each character
    for char in marked.text:
        counted.append(counted[-1] + (not char.isspace()))
    divided: list[str | None] = []
    first = 0
    for number, text in enumerate(texts):
        last = first + len(_dense(text))
        final = number + 1 == len(texts)
        breaks = [
            (counted[one.at] - first, one.seconds)
            for one in marked.breaks
            if first < counted[one.at] <= last or (counted[one.at] == 0 == number) or (final and counted[one.at] > last)
        ]
        spans = [
            (max(0, counted[one.start] - first), min(counted[one.end], last) - first, one.kind)
            for one in marked.spans
            if counted[one.start] < last and counted[one.end] > first
        ]
        divided.append(_written(text, breaks, spans) if breaks or spans else None)
        first = last
    return divided


def _written(text: str, breaks: Sequence[tuple[int, float]], spans: Sequence[tuple[int, int, str]]) -> str:
    """`text` with tags; places are counted in characters that are no white space."""
    tags: dict[int, str] = {}
    closing: dict[int, str] = {}
    for start, end, kind in spans:
        name, _, level = kind.partition(" ")
        open_tag = f'<emphasis level="{level}">' if level else f'<say-as interpret-as="{name}">'
        tags[start] = tags.get(start, "") + open_tag
        closing[end] = "</emphasis>" if level else "</say-as>"
    for at, seconds in breaks:
        closing[at] = closing.get(at, "") + f'<break time="{round(seconds * 1000)}ms"/>'
    out = [closing.get(0, "")]
    seen = 0
    for char in text:
        if char.isspace():
            out.append(char)
            continue
        out.append(tags.get(seen, "") + html.escape(char, quote=False))
        seen += 1
        out.append(closing.get(seen, ""))
    return "".join(out)


def _known(tag: re.Match[str]) -> bool:
    if tag["strength"] is not None:
        return tag["strength"] in STRENGTHS_S
    if tag["kind"] is not None:
        return tag["kind"] in SAY_AS
    return tag["level"] is None or tag["level"] in LEVELS


def _seconds(tag: re.Match[str]) -> float:
    if tag["time"]:
        seconds = float(tag["time"]) / (1000 if tag["unit"] == "ms" else 1)
        return min(LONGEST_BREAK_S, seconds)
    return STRENGTHS_S[tag["strength"] or "medium"]


def _dense(text: str) -> str:
    return "".join(text.split())
