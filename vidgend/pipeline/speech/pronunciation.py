"""The user's pronunciation dictionary: how to write a word so that a voice says it right, for every engine alike.

Captions show the word as it is in the text; the engine's times of what it said are given back to that word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vidgend.models import Word

_PIECES = re.compile(r"\S+|\s+")
_CORE = re.compile(r"^(\W*)(.*?)('s|’s)?(\W*)$", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Respelled:
    """`text` for the engine; `counts` is how many of its words stand for each word of what is written."""

    text: str
    counts: tuple[int, ...]


def respell(text: str, dictionary: Mapping[str, str]) -> Respelled | None:
    """None if no word of `text` is in the dictionary. Case does not count, nor does what is around a word."""
    known = {word.casefold(): said for word, said in dictionary.items()}
    pieces: list[str] = []
    counts: list[int] = []
    for piece in _PIECES.findall(text):
        if piece.isspace():
            pieces.append(piece)
            continue
        said = _said(piece, known) or piece
        pieces.append(said)
        counts.append(len(said.split()))
    spoken = "".join(pieces)
    return Respelled(text=spoken, counts=tuple(counts)) if spoken != text else None


def _said(written: str, known: Mapping[str, str]) -> str:
    if (whole := known.get(written.casefold())) is not None:
        return whole
    match = _CORE.match(written)
    assert match is not None
    before, core, owner, after = match.groups(default="")
    respelt = known.get(core.casefold())
    return f"{before}{respelt}{owner}{after}" if respelt is not None else ""


def as_written(words: Sequence[Word], text: str, counts: Sequence[int]) -> tuple[Word, ...]:
    """The times of the words of `text`, from those of what was said; () if the engine gave none. `counts` as in
    `Respelled`."""
    if len(words) != sum(counts):
        return ()
    found: list[Word] = []
    at = 0
    for written, count in zip(text.split(), counts, strict=True):
        said = words[at : at + count]
        at += count
        least = min(word.confidence for word in said)
        found.append(replace(said[0], text=written, end_s=said[-1].end_s, confidence=least))
    return tuple(found)
