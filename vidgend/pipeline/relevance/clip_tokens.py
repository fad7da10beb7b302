"""Text -> the numbers that a CLIP model knows its pieces by, in lower case. Pure.

Source: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021, 2.4, and the
tokenizer published with it (github.com/openai/CLIP, clip/simple_tokenizer.py): words, runs of signs and single digits;
each as the letters that stand for its bytes, joined by pairs in the order of `merges.txt`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

LENGTH = 77
"""Of what the model reads, start and end included."""
START, END = "<|startoftext|>", "<|endoftext|>"
_LAST = "</w>"
"""After the last letter of a word."""
_SHORTENED = re.compile(r"'(?:s|t|re|ve|m|ll|d)")

Ranks = Mapping[tuple[str, str], int]


def ranks_of(lines: Iterable[str]) -> dict[tuple[str, str], int]:
    """The pairs of a `merges.txt`, first one first. Its first line says the version. Raises: ValueError."""
    pairs = [line.split() for line in lines if line.strip() and not line.startswith("#version")]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("merges.txt is not a list of pairs")
    return {(one, other): rank for rank, (one, other) in enumerate(pairs)}


def tokens_of(text: str, vocabulary: Mapping[str, int], ranks: Ranks) -> list[int]:
    """LENGTH numbers: the start, the pieces, as many as there is room for, and the end, again and again.

    Raises: KeyError for a vocabulary without `START` or `END`.
    """
    start, end = vocabulary[START], vocabulary[END]
    found: list[int] = []
    for word in _words(" ".join(unicodedata.normalize("NFC", text).split()).lower()):
        letters = [_LETTERS[byte] for byte in word.encode("utf-8", "replace")]
        found += [vocabulary.get(piece, end) for piece in _joined(letters, ranks)]
        if len(found) >= LENGTH - 2:
            break
    found = [start, *found[: LENGTH - 2], end]
    return found + [end] * (LENGTH - len(found))


def _words(text: str) -> Iterator[str]:
    """Shortened endings such as 's, runs of letters, single digits, runs of what is left."""
    at = 0
    while at < len(text):
        kind = _kind(text[at])
        shortened = _SHORTENED.match(text, at)
        end = shortened.end() if shortened else at + 1
        if not shortened and kind != "N":
            while end < len(text) and _kind(text[end]) == kind:
                end += 1
        if kind != " ":
            yield text[at:end]
        at = end


def _kind(char: str) -> str:
    """L for a letter, N for a number, a space or `?`."""
    kind = unicodedata.category(char)[0]
    return " " if char.isspace() else kind if kind in "LN" else "?"


def _joined(letters: list[str], ranks: Ranks) -> list[str]:
    """The pieces of a word. Of all pairs the one that comes first in `ranks` is joined, wherever it is, again and
    again."""
    pieces = [*letters[:-1], letters[-1] + _LAST]
    while len(pieces) > 1:
        best = min(pairwise(pieces), key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        joined, at = [], 0
        while at < len(pieces):
            width = 2 if tuple(pieces[at : at + 2]) == best else 1
            joined.append("".join(pieces[at : at + width]))
            at += width
        pieces = joined
    return pieces


def _letters() -> list[str]:
    """A letter for each byte: itself where it is one that can be seen, else one from U+0100 on."""
    seen = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in seen else next(others)) for byte in range(256)]


_LETTERS = _letters()
