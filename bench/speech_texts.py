"""What the bench of speech says, and how what was heard is compared with it. Pure but for reading the texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from vidgend.pipeline.speech.speakable import speakable

PARAGRAPH = 4
"""Sentences: about 25 s."""


def sentences() -> list[str]:
    """Twenty, with numbers, names and abbreviations."""
    return _lines("sentences.txt")


def hard_sentences() -> list[str]:
    """Six, with code, homophones, emoji and other scripts as well."""
    return _lines("hard_sentences.txt")


def paragraphs() -> list[str]:
    easy = sentences()
    found = [" ".join(easy[at : at + PARAGRAPH]) for at in range(0, len(easy), PARAGRAPH)]
    return [*found, " ".join(hard_sentences())]


def as_said(text: str) -> str:
    """`text` in the words that are said for it, so that all speak the same."""
    return " ".join(one.text for one in speakable(text.split()) if one.text)


def plain_words(text: str) -> list[str]:
    """The words that are said, in small letters: "70%" and "seventy percent" are the same two."""
    text = re.sub(r"(\d)\.(\d\d)(?=\s*[ap]\.?m\b)", r"\1:\2", text)  # Whisper writes 9.30 a.m.
    said = as_said(text).lower().replace("-", " ").replace("'", "").replace(".", "")
    return re.findall(r"\w+", said)


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words that are put in, left out or changed from the one to the other."""
    row = list(range(len(heard) + 1))
    for index, word in enumerate(said, 1):
        corner, row[0] = row[0], index
        for place, other in enumerate(heard, 1):
            corner, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, corner + (word != other))
    return row[-1]


def _lines(name: str) -> list[str]:
    return Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
