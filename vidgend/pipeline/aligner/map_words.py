"""Times of heard words -> times of the script's words. Pure: the recogniser gives times, never spelling."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from vidgend.models import Word

GUESSED_CONFIDENCE = 0.0
REPLACED_SHARE = 0.5
"""A run that was heard as other words ("two thousand" for "2,000") has the right place but shared-out times."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A word as a recogniser heard it, in seconds; `probability` 0..1."""

    text: str
    start_s: float
    end_s: float
    probability: float = 1.0


def map_words(script: Sequence[str], heard: Sequence[Heard], length_s: float) -> tuple[Word, ...]:
    """`script` in order and as spelled, with times that are monotonic and inside 0..`length_s`.

    Words that were heard take those times. A run heard as something else shares that stretch by length; words that
    were not heard at all share the gap between their neighbours, with confidence 0.
    """
    kept = _in_order(heard, length_s)
    matcher = difflib.SequenceMatcher(
        a=[_plain(word) for word in script], b=[_plain(one.text) for one in kept], autojunk=False
    )
    slots: list[Word | None] = [None] * len(script)
    for kind, first, last, heard_first, heard_last in matcher.get_opcodes():
        run = kept[heard_first:heard_last]
        if kind == "equal":
            for word, one in zip(range(first, last), run, strict=True):
                slots[word] = Word(text=script[word], start_s=one.start_s, end_s=one.end_s, confidence=one.probability)
        elif kind == "replace":
            mean = sum(one.probability for one in run) / len(run)
            shared = share(script[first:last], run[0].start_s, run[-1].end_s, confidence=REPLACED_SHARE * mean)
            slots[first:last] = shared
    return _filled(script, slots, length_s)


def share(words: Sequence[str], start_s: float, end_s: float, *, confidence: float) -> list[Word]:
    """`words` one after the other over a stretch, each as long as it is to say."""
    weights = [spoken_length(word) for word in words]
    total = sum(weights)
    answer = []
    done = 0.0
    for word, weight in zip(words, weights, strict=True):
        begin = start_s + (end_s - start_s) * done / total
        done += weight
        until = start_s + (end_s - start_s) * min(1.0, done / total)
        answer.append(Word(text=word, start_s=begin, end_s=max(begin, until), confidence=confidence))
    return answer


def spoken_length(word: str) -> float:
    """How long a word is to say, in letters: a digit is a whole word, a symbol nearly nothing."""
    length = 0.0
    for char in word:
        if char.isdecimal():
            length += 3.5
        elif char.isalpha():
            # A letter of a script without spaces stands for a syllable or more.
            length += 1.0 if ord(char) < 0x0900 else 2.0
        elif char in "$€£%&@+=":
            length += 4.0
    return max(length, 0.5)


def _plain(word: str) -> str:
    """What two spellings of one word have in common."""
    folded = unicodedata.normalize("NFKD", word.casefold().replace("&", "and"))
    return re.sub(r"[\W_]+", "", "".join(char for char in folded if not unicodedata.combining(char)))


def _in_order(heard: Sequence[Heard], length_s: float) -> list[Heard]:
    """Recognisers overlap and overrun a little; this does not. Words without letters or digits are left out."""
    kept: list[Heard] = []
    clock = 0.0
    for one in heard:
        if not _plain(one.text):
            continue
        start = min(max(clock, one.start_s), length_s)
        end = min(max(start, one.end_s), length_s)
        probability = min(max(one.probability, 0.0), 1.0)
        kept.append(Heard(text=one.text, start_s=start, end_s=end, probability=probability))
        clock = end
    return kept


def _filled(script: Sequence[str], slots: Sequence[Word | None], length_s: float) -> tuple[Word, ...]:
    answer: list[Word] = []
    index = 0
    while index < len(script):
        slot = slots[index]
        if slot is not None:
            answer.append(slot)
            index += 1
            continue
        end = index
        while end < len(script) and slots[end] is None:
            end += 1
        following = slots[end] if end < len(script) else None
        until_s = following.start_s if following is not None else length_s
        start_s = min(answer[-1].end_s if answer else 0.0, until_s)
        answer += share(script[index:end], start_s, until_s, confidence=GUESSED_CONFIDENCE)
        index = end
    return tuple(answer)
