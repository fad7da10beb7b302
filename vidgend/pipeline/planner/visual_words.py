"""What can be filmed, from nine languages into the English that stock footage is described in.

The table (`vidgend/data/words/visual_words.tsv`) holds some 370 things, looks and actions; what is not in it is not
guessed. Words of spaced languages are found in their usual forms, those of Chinese and Japanese as the longest piece.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

FILE = "../data/words/visual_words.tsv"
"""From `vidgend/pipeline`: part of what a plan depends on."""
UNSPACED = ("ja", "zh")
MOST_WORDS = 4
_NUKTA = "\u093c"

_ENDINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "es": (("es", ""), ("s", "")),
    "fr": (("s", ""), ("x", "")),
    "it": (("chi", "co"), ("ghi", "go"), ("che", "ca"), ("ghe", "ga"), ("i", "o"), ("i", "e"), ("e", "a"), ("i", "io")),
    "pt": (("ões", "ão"), ("ães", "ão"), ("ns", "m"), ("is", "l"), ("es", ""), ("s", "")),
    "de": (("ern", ""), ("en", ""), ("er", ""), ("es", ""), ("e", ""), ("n", ""), ("s", "")),
    "nl": (("en", ""), ("s", ""), ("'s", ""), ("je", ""), ("jes", "")),
    "hi": (("ियाँ", "ी"), ("ियां", "ी"), ("ियों", "ी"), ("ों", ""), ("ें", ""), ("ओं", ""), ("े", "ा"), ("ों", "ा")),
}
"""By language: what a form ends in, and what its word ends in instead."""


@cache
def _table(language: str) -> dict[str, str]:
    """Word, or words with single spaces -> English; "" for what only looks like one. Empty for other languages."""
    lines = (files("vidgend") / "data" / "words" / "visual_words.tsv").read_text("utf-8").splitlines()
    heads, *rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    found: dict[str, str] = {}
    if language not in heads[1:]:
        return found
    column = heads.index(language)
    for row in rows:
        for word in row[column].split("|"):
            if word != "-":
                found.setdefault(_key(word, language), "" if row[0] == "-" else row[0])
    return found


@cache
def _longest(language: str) -> int:
    return max(map(len, _table(language)), default=0)


def is_known(language: str) -> bool:
    """Whether there is a table for it."""
    return bool(_table(language))


def english_at(words: Sequence[str], start: int, *, language: str) -> tuple[str, int] | None:
    """The English for the words from `start` on, and how many of them it stands for."""
    table = _table(language)
    for count in range(min(MOST_WORDS, len(words) - start), 0, -1):
        for form in _forms(" ".join(words[start : start + count]), language):
            if table.get(form):
                return table[form], count
    return None


def english_in(text: str, *, language: str) -> Iterator[str]:
    """The English for all that is known in a text without spaces, in its order."""
    table, longest = _table(language), _longest(language)
    text = _key(text, language)
    place = 0
    while place < len(text):
        size = next((size for size in range(longest, 0, -1) if text[place : place + size] in table), 0)
        if size and (english := table[text[place : place + size]]):
            yield english
        place += size or 1


def _forms(word: str, language: str) -> Iterator[str]:
    """The forms under which a word may stand in the table, the likeliest first."""
    keys = [_key(word, language)]
    if "'" in word.replace("’", "'") and " " not in word and language in ("fr", "it", "pt"):
        keys.append(keys[0].partition("'")[2])
    for key in keys:
        yield key
        for ending, put in _ENDINGS.get(language, ()):
            ending, put = _key(ending, ""), _key(put, "")
            if key.endswith(ending) and len(key) - len(ending) >= 2:
                base = key[: len(key) - len(ending)] + put
                yield base
                if language == "nl" and base[-1:] == base[-2:-1]:  # katten, kat
                    yield base[:-1]
                if language == "de":  # Häuser, Haus
                    yield _plain(base)


def _key(word: str, language: str) -> str:
    """For looking up: one spelling. German nouns keep their capital, which tells `Weg` from `weg`."""
    word = unicodedata.normalize("NFC", word.replace("’", "'")).replace("œ", "oe").replace("Œ", "Oe")
    if language == "hi":
        return unicodedata.normalize("NFD", word).replace(_NUKTA, "")
    return word if language == "de" else word.casefold()


def _plain(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))
