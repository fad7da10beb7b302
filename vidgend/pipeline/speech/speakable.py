"""Written words -> what is said for each of them. Pure; one answer for every written word, in order.

Phonemisers read words well and everything else badly ("$10 billion" came out as "ten dollars billion"), and a
caption needs the time of the word *as written*. So each written word is turned into its spoken words here, and
the count stays known: `$2,000` is one written word and three spoken ones, an emoji is one and none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from vidgend.pipeline.speech import numbers_en as say
from vidgend.pipeline.speech import speakable_tables as table
from vidgend.pipeline.speech.languages.select import language_rules
from vidgend.pipeline.speech.languages.unspaced import Unspaced
from vidgend.pipeline.speech.number_shapes import spoken_number
from vidgend.pipeline.speech.numbers_en import NUMBER
from vidgend.pipeline.speech.speakable_rules import read_aloud
from vidgend.pipeline.speech.speakable_unspaced import read_unspaced
from vidgend.pipeline.speech.voices import primary

_OPENING = re.compile(r"[\"“”‘’'(\[{<«*_`|•·¿¡>]+")
_CLOSING = "\"“”‘’')]}>»*_`|.,!?;:…—–-"
_TERMINAL = frozenset(".!?…")
_PLAIN = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*(?:-[A-Za-z]+(?:'[A-Za-z]+)*)*'?")
_ADDRESS = re.compile(r"[\w.+\-]*[A-Za-z][\w\-]*(?:[@.][\w\-]*[A-Za-z][\w\-]*)+(?:/\S*)?")
_PIECES = re.compile(rf"{NUMBER}|[A-Z]+(?=[^A-Za-z]|$)|[A-Za-z]+(?:'[A-Za-z]+)*|.")

LONGEST_WORD_CHARS = 100
"""Beyond this a "word" is noise; it is read piece by piece, since the patterns would take quadratic time."""


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """What is said for one written word: no, one or several words, with the punctuation that shapes the tune.

    `ends_sentence` says that the voice should come to rest after it.
    """

    text: str
    ends_sentence: bool = False


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """The cores of the words next to one, whether it starts a sentence, and whether a dot follows it."""

    before: str = ""
    after: str = ""
    first: bool = False
    dotted: bool = False


def speakable(words: Sequence[str], language: str = "en") -> tuple[Spoken, ...]:
    """The spoken form of each of `words`, which are one paragraph split at white space. `language` is BCP-47; in one
    without rules numbers and symbols stay as they are written."""
    if primary(language) == "en":
        return _english(words)
    rules = language_rules(language)
    said = read_unspaced(words, rules) if isinstance(rules, Unspaced) else read_aloud(words, rules)
    return tuple(Spoken(text=text, ends_sentence=ends) for text, ends in said)


def _english(words: Sequence[str]) -> tuple[Spoken, ...]:
    cores, closings = zip(*map(_take_apart, words), strict=True) if words else ((), ())
    answer: list[Spoken] = []
    first = True
    for index, (core, closing) in enumerate(zip(cores, closings, strict=True)):
        before = cores[index - 1] if index else ""
        after = cores[index + 1] if index + 1 < len(cores) else ""
        mark = _mark(closing)
        beside = _Beside(before=before, after=after, first=first, dotted=closing.startswith("."))
        spoken, own_dot = _say(core, beside)
        ends = mark in _TERMINAL
        if own_dot and mark == "." and beside.dotted:
            # The dot belongs to the abbreviation; it ends a sentence as well only before a word that starts one.
            last = index + 1 == len(cores)
            ends = own_dot == "may end" and (last or after in table.SENTENCE_STARTERS)
            mark = "." if ends and not spoken.endswith(".") else ""
        if not spoken:
            mark = mark if mark in ("—", "…") else ""
        answer.append(Spoken(text=spoken + mark, ends_sentence=ends))
        if core or ends:
            first = ends
    return tuple(answer)


def _clean(word: str) -> str:
    """Without emoji, joiners and accents; what is left is what English spelling knows."""
    kept = []
    for char in unicodedata.normalize("NFKD", word):
        category = unicodedata.category(char)
        if category.startswith("L") and not char.isascii():
            kept.append(table.LETTERS.get(char, ""))
        elif char == "°" or category not in ("Mn", "Me", "So", "Sk", "Cf", "Cs", "Co", "Cn", "Cc"):
            kept.append(char)
    return "".join(kept)


def _take_apart(word: str) -> tuple[str, str]:
    """The core of a written word and its closing punctuation; opening punctuation is not said."""
    text = word
    for written, plain in table.BEFORE_CLEANING.items():
        text = text.replace(written, plain)
    text = _clean(text).replace("⁄", "/").strip()
    if text in table.SYMBOLS:
        return text, ""
    opening = _OPENING.match(text)
    start = opening.end() if opening else 0
    end = max(start, len(text.rstrip(_CLOSING)))
    return text[start:end], text[end:]


def _mark(closing: str) -> str:
    """The one mark that the tune needs: the strongest of what is written, or ""."""
    for mark, written in table.MARKS:
        if written in closing:
            return mark
    return "—" if closing == "-" else ""


def _say(core: str, beside: _Beside) -> tuple[str, str]:
    """The words for `core`, and whether a dot behind it is its own: "", "own" or "may end"."""
    if not core:
        return "", ""
    short = _abbreviation(core, beside)
    if short:
        return short
    return " ".join(_words(core, beside).split()), "may end" if beside.dotted and _is_half_day(core, beside) else ""


def _is_half_day(core: str, beside: _Beside) -> bool:
    return core.lower() in table.HALF_DAYS and beside.before[:1].isdecimal()


def _abbreviation(core: str, beside: _Beside) -> tuple[str, str] | None:
    if core in table.ALWAYS:
        return table.ALWAYS[core], "may end"
    if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", core):
        # U.S., a.m.: spelled by the phonemiser, which wants the dots. The last one stands in the closing part.
        return (f"{core}." if beside.dotted else core.replace(".", "")), "may end"
    if not beside.dotted:
        return None
    if len(core) == 1 and core.isupper() and beside.after[:1].isupper():
        return ("ay" if core == "A" else core), "own"  # the initials of a name
    if core in table.TITLES:
        return table.TITLES[core], "own"
    if core == "St":
        street = beside.before[:1].isupper() and not beside.after[:1].isupper()
        return ("Street", "may end") if street else ("Saint", "own")
    if core in table.BEFORE_NUMBERS and beside.after[:1].isdecimal():
        return table.BEFORE_NUMBERS[core], "own"
    return (table.DOTTED[core], "may end") if core in table.DOTTED else None


def _words(core: str, beside: _Beside) -> str:
    if core in table.SYMBOLS:
        return table.SYMBOLS[core]
    if len(core) > LONGEST_WORD_CHARS:
        return _mixed(core)
    for rule in (_roman, _number, _letters, _address, _compound):
        spoken = rule(core, beside)
        if spoken is not None:
            return spoken
    return _mixed(core)


def _roman(core: str, beside: _Beside) -> str | None:
    if not beside.before[:1].isupper() or (len(core) == 1 and beside.before not in table.NUMBERED):
        return None
    value = say.roman(core)
    if not value:
        return None
    return f"the {say.ordinal(str(value))}" if beside.before in table.REGNAL else say.cardinal(str(value))


def _number(core: str, beside: _Beside) -> str | None:
    return spoken_number(core, beside.before, beside.after)


def _letters(core: str, beside: _Beside) -> str | None:
    in_capitals = any(len(word) > 1 and word.isupper() for word in (beside.before, beside.after))
    if core in table.SPELLED and not in_capitals:
        return table.SPELLED[core]
    if core == "A" and not beside.first and (beside.before.lower() in table.LETTERED or not beside.after):
        return "ay"
    return core if _PLAIN.fullmatch(core) else None


def _address(core: str, beside: _Beside) -> str | None:
    """URLs, mail addresses, file names, @names and #tags."""
    plain = re.sub(r"^https?://(?:www\.)?|^www\.", "", core)
    if plain != core or _ADDRESS.fullmatch(core):
        named = "".join(table.IN_ADDRESSES.get(char, char) for char in plain.rstrip("/"))
        return " ".join(map(_mixed, named.split()))
    name = core.lstrip("#@")
    if name and name != core:
        kind = "at" if core[0] == "@" else "number" if name.isdecimal() else "hashtag"
        return f"{kind} {_words(name, _Beside())}"
    return None


def _compound(core: str, beside: _Beside) -> str | None:
    """Two or more words joined by a slash or a dash: each is said by the rules for itself."""
    slashed = [part for part in core.split("/") if part]
    if len(slashed) > 1:
        per = " per " if len(slashed) == 2 and slashed[0][-1].isdecimal() and slashed[1].isalpha() else " "
        return per.join(_words(part, _Beside()) for part in slashed)
    dashed = [part for part in re.split(r"--+|[—–]", core) if part]
    counts = all(any(char.isdecimal() for char in part) for part in dashed)
    if len(dashed) > 1:
        return (" to " if counts else "— ").join(_words(part, _Beside()) for part in dashed)
    hyphened = [part for part in core.split("-") if part]
    if len(hyphened) > 1 and any(char.isdecimal() for char in core):
        joint = " to " if len(hyphened) == 2 and all(part[0].isdecimal() for part in hyphened) else " "
        return joint.join(_words(part, _Beside()) for part in hyphened)
    return None


def _mixed(core: str) -> str:
    """Anything else: its runs of letters, its numbers, its symbols, one after the other."""
    out: list[str] = []
    pieces = _PIECES.findall(core)
    for index, piece in enumerate(pieces):
        beside = "".join(pieces[max(0, index - 1) : index] + pieces[index + 1 : index + 2])
        if piece[-1].isdecimal():
            out.append(say.number_or_year(piece))
        elif piece[0].isalpha():
            spelled = len(piece) <= 3 and piece.isupper() and any(c == "&" or c.isdecimal() for c in beside)
            out.append(" ".join("ay" if c == "A" else c for c in piece) if spelled else piece)
        elif piece in table.INNER_SYMBOLS:
            out.append(table.INNER_SYMBOLS[piece])
        elif piece in ",;" and out:
            out[-1] += piece
    return " ".join(part for part in out if part).rstrip(",; ")
