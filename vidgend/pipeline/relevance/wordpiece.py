"""Text -> the numbers that a BERT model knows its pieces by, in lower case. Pure.

Source: Devlin et al., "BERT", 2018, and the tokenizer published with it (google-research/bert, tokenization.py):
uncased, accents off, punctuation and CJK characters by themselves, then the longest known piece from the left.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping

CLS, SEP, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
LONGEST_WORD = 100
"""Characters; a longer one is unknown."""
_CJK = (
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF), (0x2F800, 0x2FA1F),
)  # fmt: skip


def vocabulary_of(lines: Iterable[str]) -> dict[str, int]:
    """The pieces of a `vocab.txt`, one a line, numbered from 0."""
    return {line.rstrip("\n"): number for number, line in enumerate(lines)}


def pieces_of(text: str, vocabulary: Mapping[str, int], *, most: int) -> list[int]:
    """The numbers of a text between those of its start and its end, at most `most` in all."""
    found = [vocabulary[CLS]]
    for word in _words(text):
        found += _pieces(word, vocabulary)
        if len(found) >= most:
            break
    return [*found[: most - 1], vocabulary[SEP]]


def _words(text: str) -> Iterator[str]:
    for written in _clean(text).split():
        word = ""
        for char in unicodedata.normalize("NFD", written.lower()):
            if unicodedata.category(char) == "Mn":
                continue
            if _is_mark(char) or _is_cjk(char):
                if word:
                    yield word
                yield char
                word = ""
            else:
                word += char
        if word:
            yield word


def _clean(text: str) -> str:
    """Without control characters; every kind of space is one."""
    return "".join(
        " " if char.isspace() else "" if char == "\ufffd" or unicodedata.category(char)[0] == "C" else char
        for char in text
    )


def _is_mark(char: str) -> bool:
    """Also ASCII signs that Unicode counts as symbols, such as `$` and `^`."""
    ascii_sign = char.isascii() and char.isprintable() and not char.isalnum() and char != " "
    return ascii_sign or unicodedata.category(char).startswith("P")


def _is_cjk(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _CJK)


def _pieces(word: str, vocabulary: Mapping[str, int]) -> list[int]:
    if len(word) > LONGEST_WORD:
        return [vocabulary[UNKNOWN]]
    found, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = word[start:end] if start == 0 else f"##{word[start:end]}"
            if piece in vocabulary:
                found.append(vocabulary[piece])
                start = end
                break
        else:
            return [vocabulary[UNKNOWN]]
    return found
