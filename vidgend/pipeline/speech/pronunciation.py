"""The user's pronunciation dictionary: how to write a word so that a voice says it right, for every engine alike.

Captions show the word as it is in the text; the engine's times of what it said are given back to that word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vidgend.models import Word

LONGEST_WORD_CHARS = 100
"""Beyond this nothing is looked up: it is no word."""


def said_for(written: str, dictionary: Mapping[str, str]) -> str:
    """What to say for a word as it stands in the text, or "" if it is not in the dictionary, whose words are
    casefolded. What is around a word does not count."""
    if not dictionary or len(written) > LONGEST_WORD_CHARS:
        return ""
    if (whole := dictionary.get(written.casefold())) is not None:
        return whole
    letters = [place for place, char in enumerate(written) if char.isalnum() or char == "_"]
    if not letters:
        return ""
    before, core, after = written[: letters[0]], written[letters[0] : letters[-1] + 1], written[letters[-1] + 1 :]
    for owner in ("'s", "’s", ""):
        if core.endswith(owner) and (said := dictionary.get(core.removesuffix(owner).casefold())) is not None:
            return f"{before}{said}{owner}{after}"
    return ""


def as_written(
    words: Sequence[Word], written: Sequence[str], counts: Sequence[int], *, glued: bool = False
) -> tuple[Word, ...]:
    """The times of the words as `written`, from those of what was said; () if the engine gave none. `counts` is how
    many words were said for each of them; `glued`: no space stands before the first."""
    if len(words) != sum(counts):
        return ()
    found: list[Word] = []
    at = 0
    for word, count in zip(written, counts, strict=True):
        said = words[at : at + count]
        at += count
        least = min(one.confidence for one in said)
        found.append(replace(said[0], text=word, end_s=said[-1].end_s, confidence=least, glued=glued and not found))
    return tuple(found)
