"""The user's pronunciation dictionary: how to write a word so that a voice says it right, for every engine alike.

Captions show the word as it is in the text; the engine's times of what it said are given back to that word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vidgend.models import Word

_CORE = re.compile(r"^(\W*)(.*?)('s|’s)?(\W*)$", re.DOTALL)


def said_for(written: str, dictionary: Mapping[str, str]) -> str:
    """What to say for a word as it stands in the text, or "" if it is not in the dictionary, whose words are
    casefolded. What is around a word does not count."""
    if (whole := dictionary.get(written.casefold())) is not None:
        return whole
    match = _CORE.match(written)
    assert match is not None
    before, core, owner, after = match.groups(default="")
    respelt = dictionary.get(core.casefold())
    return f"{before}{respelt}{owner}{after}" if respelt is not None else ""


def as_written(words: Sequence[Word], written: Sequence[str], counts: Sequence[int]) -> tuple[Word, ...]:
    """The times of the words as `written`, from those of what was said; () if the engine gave none. `counts` is how
    many words were said for each of them."""
    if len(words) != sum(counts):
        return ()
    found: list[Word] = []
    at = 0
    for word, count in zip(written, counts, strict=True):
        said = words[at : at + count]
        at += count
        least = min(one.confidence for one in said)
        found.append(replace(said[0], text=word, end_s=said[-1].end_s, confidence=least))
    return tuple(found)
