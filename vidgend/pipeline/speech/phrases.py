"""Text -> phrases: what is given to a speech model in one call. Pure, but for the phonemiser given.

A phrase is a list of phoneme symbols and, beside each, the written word it belongs to. That second list is what
lets word times come out for the words as written, whatever was said for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from vidgend.pipeline.speech.speakable import Spoken, speakable

Phonemise = Callable[[str], list[str]]
"""Spoken words separated by single spaces -> the phonemes of each, punctuation attached. One string per word, ""
for what has no sound; another count means that the phonemiser joined or dropped words."""

PUNCTUATION = frozenset('.,!?;:—…"()“”')
NOBODY = -1
"""Owner of the space between two words."""

SHORTEST_SYMBOLS = 20
LONGEST_SYMBOLS = 400
"""Kokoro was trained on phrases of about 100 to 200 symbols: it is weak below 10 to 20, hurries above 400, and takes at
most 510 a call. A shorter sentence joins its neighbour, a longer one is cut at a comma or a space.
Source: the notes on voices in the Kokoro-82M model card."""

SENTENCE_PAUSE_S = 0.30
PARAGRAPH_PAUSE_S = 0.60
CLAUSE_PAUSE_S = 0.10
"""Silence between two calls, on top of the margins that trimming leaves (about 0.1 s), at speed 1. Together some 0.4 s
between sentences: what Kokoro itself leaves inside one call, and calm enough to change the picture in."""


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """`owners[i]` is the index of the written word that `symbols[i]` belongs to, or NOBODY. `pause_s` follows it."""

    symbols: tuple[str, ...]
    owners: tuple[int, ...]
    pause_s: float


@dataclass
class _Sentence:
    symbols: list[str]
    owners: list[int]
    pause_s: float

    def join(self, other: _Sentence) -> None:
        if self.symbols and other.symbols:
            self.symbols.append(" ")
            self.owners.append(NOBODY)
        self.symbols += other.symbols
        self.owners += other.owners
        self.pause_s = other.pause_s


def phrases(
    text: str, phonemise: Phonemise, alphabet: Container[str], language: str = "en", longest: int = LONGEST_SYMBOLS
) -> list[Phrase]:
    """The phrases of `text`, which is in `language` (BCP-47), in order, of up to `longest` symbols. Symbols outside
    `alphabet` are left out; empty if nothing can be said."""
    sentences: list[_Sentence] = []
    offset = 0
    for paragraph in re.split(r"\n\s*\n", text):
        words = paragraph.split()
        found = _sentences(words, offset, phonemise, alphabet, language)
        if found:
            found[-1].pause_s = PARAGRAPH_PAUSE_S
        sentences += found
        offset += len(words)
    return [piece for sentence in _joined(sentences) for piece in _cut(sentence, longest)]


def _sentences(
    words: Sequence[str], offset: int, phonemise: Phonemise, alphabet: Container[str], language: str
) -> list[_Sentence]:
    spoken = speakable(words, language)
    ends = [index + 1 for index, one in enumerate(spoken) if one.ends_sentence]
    if len(words) not in ends:
        ends.append(len(words))
    found, start = [], 0
    for end in ends:
        sentence = _phonemes(spoken[start:end], offset + start, phonemise, alphabet)
        start = end
        if any(symbol not in PUNCTUATION for symbol in sentence.symbols):
            if sentence.symbols[-1] not in PUNCTUATION:  # a title or a list item: let the voice come to rest
                sentence.symbols.append(".")
                sentence.owners.append(sentence.owners[-1])
            found.append(sentence)
    return found


def _phonemes(spoken: Sequence[Spoken], offset: int, phonemise: Phonemise, alphabet: Container[str]) -> _Sentence:
    said = [(word, offset + index) for index, one in enumerate(spoken) for word in one.text.split()]
    # The whole sentence first, since "the" and "read" depend on their neighbours; word by word if it lost count.
    groups = phonemise(" ".join(word for word, _ in said)) if said else []
    if len(groups) != len(said):
        groups = ["".join(phonemise(word)) for word, _ in said]
    sentence = _Sentence(symbols=[], owners=[], pause_s=SENTENCE_PAUSE_S)
    for group, (_, owner) in zip(groups, said, strict=True):
        symbols = [symbol for symbol in group if symbol in alphabet]
        sentence.join(_Sentence(symbols=symbols, owners=[owner] * len(symbols), pause_s=SENTENCE_PAUSE_S))
    return sentence


def _joined(sentences: Sequence[_Sentence]) -> list[_Sentence]:
    """Sentences too short to sound right alone, joined to the next one, or to the last one at the end."""
    joined: list[_Sentence] = []
    for sentence in sentences:
        last = joined[-1] if joined else None
        if (
            last
            and last.pause_s < PARAGRAPH_PAUSE_S
            and (len(last.symbols) < SHORTEST_SYMBOLS or len(sentence.symbols) < SHORTEST_SYMBOLS)
        ):
            last.join(sentence)
        else:
            joined.append(sentence)
    return joined


def _cut(sentence: _Sentence, longest: int) -> list[Phrase]:
    pieces: list[Phrase] = []
    start, total = 0, len(sentence.symbols)
    while start < total:
        left = total - start
        if left <= longest:
            end, next_start, pause_s = total, total, sentence.pause_s
        else:
            # Aim for pieces of like length, so that no crumb is left over.
            aim = start + -(-left // -(-left // longest))
            end, next_start, pause_s = _break(sentence, start, aim, longest)
        if any(symbol not in PUNCTUATION and symbol != " " for symbol in sentence.symbols[start:end]):
            pieces.append(
                Phrase(
                    symbols=tuple(sentence.symbols[start:end]),
                    owners=tuple(sentence.owners[start:end]),
                    pause_s=pause_s,
                )
            )
        start = next_start
    return pieces


def _break(sentence: _Sentence, start: int, aim: int, longest: int) -> tuple[int, int, float]:
    """Where to cut before `longest`: (end, start of the next, pause). Best after punctuation, else at a space."""
    symbols = sentence.symbols
    limit = min(start + longest, len(symbols) - 1)
    spaces = [index for index in range(start + 1, limit + 1) if symbols[index] == " "]
    clauses = [index for index in spaces if symbols[index - 1] in PUNCTUATION]
    near = [index for index in clauses if index - start >= longest // 4]
    if near:
        best = min(near, key=lambda index: abs(index - aim))
        return best, best + 1, CLAUSE_PAUSE_S
    if spaces:
        best = min(spaces, key=lambda index: abs(index - aim))
        return best, best + 1, 0.0
    return limit, limit, 0.0
