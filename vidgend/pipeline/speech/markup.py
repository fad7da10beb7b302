"""A little SSML in a narration: `<break>`, `<say-as>`, `<emphasis>`. Anything else that looks like a tag is text. Pure.

The words are the text without its markup, and that is what everybody else sees; only the voice is told the rest.
Source of names and values: W3C, Speech Synthesis Markup Language 1.1, sections 3.1.8, 3.2.2 and 3.2.3.
"""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vidgend.models import Brief
from vidgend.pipeline.vocabulary import is_wide

LONGEST_BREAK_S = 10.0
STRENGTHS_S = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.35, "strong": 0.7, "x-strong": 1.2}
SAY_AS = ("characters", "spell-out", "digits", "telephone", "cardinal", "number", "ordinal", "date", "time")
"""Of `interpret-as`. Dates and times are read by the rules of the language."""
LEVELS = ("strong", "moderate", "none", "reduced")
ESCAPES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}

_TAG = re.compile(r"<(/?)(speak|break|say-as|emphasis)((?:\s[^<>]*?)?)(/?)>")
_ATTRIBUTE = re.compile(r"\s++([\w:-]++)\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)')")
_TIME = re.compile(r"(\d{1,6}(?:\.\d{1,3})?|\.\d{1,3})(ms|s)")
_ESCAPE = re.compile("|".join(ESCAPES))
_OPENING_MARKS = frozenset("([{«„“‘\"'$€£¿¡—–-")
_CLOSING_MARKS = frozenset(".,;:!?…)]}»”’\"'%—–-")
"""A mark on such a side of a break stays with its word."""


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
    """A tag with a value that nobody knows, or without its other half, is text too. Escapes (`&lt;`) are read where
    there is any markup. Words on both sides of a break are parted."""
    tags = _known_tags(narration)
    if not tags:
        return Marked(text=narration)
    text = ""
    at = 0
    breaks: list[Break] = []
    spans: list[Span] = []
    opened: list[tuple[int, str]] = []
    for tag, kind in tags:
        text += _unescaped(narration[at : tag.start()])
        at = tag.end()
        if kind is None:
            continue
        if isinstance(kind, float):
            breaks.append(Break(at=len(text), seconds=kind))
        elif tag[1]:
            start, opening = opened.pop()
            if opening and text[start:].strip():
                spans.append(Span(start=start, end=len(text), kind=opening))
        else:
            opened.append((len(text), kind))
    text += _unescaped(narration[at:])
    return _parted(Marked(text=text, breaks=tuple(breaks), spans=tuple(sorted(spans, key=lambda one: one.start))))


def _known_tags(narration: str) -> list[tuple[re.Match[str], str | float | None]]:
    """The tags that mean something, in order: seconds of a break (None for its other half), the kind of what is opened,
    "" for what is not told the voice (`<speak>`) and for what is closed."""
    found: dict[int, tuple[re.Match[str], str | float | None]] = {}
    opened: list[tuple[int, re.Match[str], str]] = []
    for place, tag in enumerate(_TAG.finditer(narration)):
        name, closes, alone = tag[2], bool(tag[1]), bool(tag[4])
        if name == "break":
            seconds = _seconds(tag[3]) if not closes else None
            if seconds is not None:
                found[place] = (tag, seconds)
            elif closes and place - 1 in found and found[place - 1][0].end() == tag.start():
                found[place] = (tag, None)  # <break></break>
        elif closes:
            while opened and opened[-1][1][2] != name:
                opened.pop()  # it was never closed, so it is text
            if opened:
                first, opening, kind = opened.pop()
                found[first], found[place] = (opening, kind), (tag, "")
        elif not alone and (kind_of := _kind(name, tag[3])) is not None:
            opened.append((place, tag, kind_of))
    return [found[place] for place in sorted(found)]


def _parted(marked: Marked) -> Marked:
    """With a space where a break stands between two words, in scripts that have spaces."""
    text = marked.text
    places = sorted({one.at for one in marked.breaks if _is_between_words(text, one.at)})
    if not places:
        return marked
    edges = [0, *places, len(text)]
    return Marked(
        text=" ".join(text[start:end] for start, end in itertools.pairwise(edges)),
        breaks=tuple(replace(one, at=one.at + bisect_left(places, one.at)) for one in marked.breaks),
        spans=tuple(
            replace(one, start=one.start + bisect_right(places, one.start), end=one.end + bisect_left(places, one.end))
            for one in marked.spans
        ),
    )


def _is_between_words(text: str, place: int) -> bool:
    before, after = text[place - 1 : place] if place else "", text[place : place + 1]
    if not before.strip() or not after.strip() or before in _OPENING_MARKS or after in _CLOSING_MARKS:
        return False
    return not (is_wide(before) or is_wide(after) or unicodedata.category(after)[0] == "M")


def plain(narration: str) -> str:
    """The words without the markup: what captions, searches and people get."""
    return read_markup(narration).text


def plain_brief(brief: Brief) -> Brief:
    """A request with the words alone."""
    return replace(
        brief,
        prompt=plain(brief.prompt),
        script=plain(brief.script) if brief.script else brief.script,
        scenes=tuple(replace(scene, narration=plain(scene.narration)) for scene in brief.scenes),
    )


def narration_fields(narration: str) -> dict[str, Any]:
    """The fields of a `Scene` that says this."""
    marked = read_markup(narration)
    return {"narration": marked.text, "markup": narration if marked.text != narration else None}


def divide(narration: str, texts: Sequence[str]) -> list[str | None]:
    """The markup of a narration for each of the `texts` into which its words were cut; None for one without any.

    The texts hold the words' characters in order, white space apart; if they do not, the markup is lost.
    """
    marked = read_markup(narration)
    if marked.text == narration:
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
        written = _written(text, breaks, spans)
        divided.append(written if plain(written) != written or breaks or spans else None)
        first = last
    return divided


def _written(text: str, breaks: Sequence[tuple[int, float]], spans: Sequence[tuple[int, int, str]]) -> str:
    """`text` with tags; places are counted in characters that are no white space."""
    before: dict[int, str] = {}
    behind: dict[int, str] = {}
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):  # what is outside, first
        name, _, level = kind.partition(" ")
        tag, given = ("emphasis", f'level="{level}"') if level else ("say-as", f'interpret-as="{name}"')
        before[start] = before.get(start, "") + f"<{tag} {given}>"
        behind[end] = f"</{tag}>" + behind.get(end, "")
    for at, seconds in breaks:
        behind[at] = behind.get(at, "") + f'<break time="{round(seconds * 1000)}ms"/>'
    out = [behind.get(0, "")]
    seen = 0
    for char in text:
        if char.isspace():
            out.append(char)
            continue
        out.append(before.get(seen, "") + html.escape(char, quote=False))
        seen += 1
        out.append(behind.get(seen, ""))
    return "".join(out)


def _kind(name: str, attributes: str) -> str | None:
    """What a tag opens; None for a tag that nobody knows."""
    given = _attributes(attributes)
    if name == "speak":
        return ""
    if given is None:
        return None
    if name == "emphasis":
        level = given.get("level", "moderate")
        return f"emphasis {level}" if level in LEVELS and len(given) <= 1 else None
    kind = given.get("interpret-as")
    return kind if kind in SAY_AS and given.keys() <= {"interpret-as", "format"} else None


def _seconds(attributes: str) -> float | None:
    """How long a break is; None for one that nobody knows."""
    given = _attributes(attributes)
    if given is None or not given.keys() <= {"time", "strength"}:
        return None
    if "time" in given:
        time = _TIME.fullmatch(given["time"].strip())
        return min(LONGEST_BREAK_S, float(time[1]) / (1000 if time[2] == "ms" else 1)) if time else None
    return STRENGTHS_S.get(given.get("strength", "medium"))


def _attributes(text: str) -> dict[str, str] | None:
    text, at = text.rstrip(), 0
    found: dict[str, str] = {}
    while at < len(text):
        match = _ATTRIBUTE.match(text, at)
        if match is None:
            return None
        found[match[1]] = match[2] or match[3] or ""
        at = match.end()
    return found


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: ESCAPES[match[0]], text)


def _dense(text: str) -> str:
    return "".join(text.split())
