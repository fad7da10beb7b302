"""Times of heard words -> times of the script's words. Pure: the recogniser gives times, never spelling."""

from __future__ import annotations

import difflib
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from vidgend.models import Word
from vidgend.pipeline.aligner.onsets import tied
from vidgend.pipeline.speech.speakable import speakable
from vidgend.pipeline.speech.word_times import Span, fill_and_order

GUESSED_CONFIDENCE = 0.0


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A word as a recogniser heard it, in seconds; `probability` 0..1."""

    text: str
    start_s: float
    end_s: float
    probability: float = 1.0


def map_words(
    script: Sequence[str],
    heard: Sequence[Heard],
    length_s: float,
    *,
    language: str,
    pauses: Sequence[Span] = (),
) -> tuple[Word, ...]:
    """`script` in order and as spelled, with times that are monotonic and inside 0..`length_s`.

    Compared is what is said: "$2,000" is three words, whoever wrote it how, and an emoji none. Words that
    were heard take those times. A stretch that was heard as something else, joined or parted is compared letter by
    letter. Words that were not heard at all share the gap between their neighbours, with confidence 0. Then the words
    around the silences in the sound, `pauses`, are tied to them.
    """
    said = _said(script, language=language)
    kept = _heard_parts(_in_order(heard, length_s), language=language)
    slots = _slots([text for text, _ in said], kept)
    timed = _filled([text for text, _ in said], slots, length_s)
    parts: dict[int, list[Word]] = {}
    for (_, owner), word in zip(said, timed, strict=True):
        parts.setdefault(owner, []).append(word)
    spans = {owner: (own[0].start_s, own[-1].end_s) for owner, own in parts.items()}
    ordered = fill_and_order(tied(spans, pauses) if pauses else spans, len(script), length_s)
    return tuple(
        Word(text=word, start_s=start_s, end_s=end_s, confidence=_mean(parts[index]) if index in parts else 1.0)
        for index, (word, (start_s, end_s)) in enumerate(zip(script, ordered, strict=True))
    )


def _said(words: Sequence[str], *, language: str) -> list[tuple[str, int]]:
    """The words that are said for those that are written, as one would compare them, with the index of the latter."""
    texts = [one.text for one in speakable(words, language)]
    return [(plain, index) for index, text in enumerate(texts) for part in text.split() if (plain := _plain(part))]


def _heard_parts(heard: Sequence[Heard], *, language: str) -> list[Heard]:
    """What was heard, word by word as it is said: "$2,000" shares its time among three."""
    parts: dict[int, list[str]] = {}
    for text, index in _said([one.text for one in heard], language=language):
        parts.setdefault(index, []).append(text)
    return [
        Heard(text=part.text, start_s=part.start_s, end_s=part.end_s, probability=part.confidence)
        for index, texts in parts.items()
        for part in share(texts, heard[index].start_s, heard[index].end_s, confidence=heard[index].probability)
    ]


def _slots(said: Sequence[str], kept: Sequence[Heard]) -> list[Word | None]:
    matcher = difflib.SequenceMatcher(a=said, b=[one.text for one in kept], autojunk=False)
    slots: list[Word | None] = [None] * len(said)
    for kind, first, last, heard_first, heard_last in matcher.get_opcodes():
        run = kept[heard_first:heard_last]
        if kind == "equal":
            for word, one in zip(range(first, last), run, strict=True):
                slots[word] = Word(text=said[word], start_s=one.start_s, end_s=one.end_s, confidence=one.probability)
        elif kind == "replace":
            slots[first:last] = _by_letters(said[first:last], run)
    return slots


def _by_letters(said: Sequence[str], run: Sequence[Heard]) -> list[Word]:
    """Times for `said`, which was heard as `run`: its letters stand where the same letters were heard, the others
    between them. The confidence is that of the run, less the letters that were heard otherwise."""
    written, read = "".join(said), "".join(one.text for one in run)
    matcher = difflib.SequenceMatcher(a=written, b=read, autojunk=False)
    edges = [(0, 0), (len(written), len(read))]
    for block in matcher.get_matching_blocks():
        edges += [(block.a, block.b), (block.a + block.size, block.b + block.size)]
    xs, ys = zip(*sorted(set(edges)), strict=True)
    ends = list(accumulate(len(one.text) for one in run))
    confidence = matcher.ratio() * sum(one.probability for one in run) / len(run)
    answer, at = [], 0
    for text in said:
        begin, end = (float(np.interp(place, xs, ys)) for place in (at, at + len(text)))
        at += len(text)
        # A place between two heard words is the end of the one and the start of the other.
        index = min(bisect_right(ends, begin), len(run) - 1)
        last = min(bisect_left(ends, end), len(run) - 1)
        start_s, end_s = _inside(run[index], ends[index], begin), _inside(run[last], ends[last], end)
        answer.append(Word(text=text, start_s=start_s, end_s=max(start_s, end_s), confidence=confidence))
    return answer


def _inside(one: Heard, end: int, place: float) -> float:
    """When the letter at `place` was heard, in a word whose letters end at `end`."""
    share_of_it = (place - (end - len(one.text))) / len(one.text)
    return one.start_s + (one.end_s - one.start_s) * min(max(share_of_it, 0.0), 1.0)


def _mean(words: Sequence[Word]) -> float:
    return sum(word.confidence for word in words) / len(words)


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
