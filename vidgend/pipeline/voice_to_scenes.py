"""The words of a recording -> its scenes: which text is said in which piece of it. Pure.

A piece ends in the middle of a pause, where a frame begins; the next one goes on with the very next sample. So all of
the recording is heard as it was spoken, but for silence before its first and after its last sound.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from vidgend.errors import StepError
from vidgend.models import Word, join_words
from vidgend.pipeline.aligner.map_words import Heard, map_words
from vidgend.pipeline.speech.word_times import Span
from vidgend.pipeline.timeline import lead_s
from vidgend.pipeline.vocabulary import is_wide
from vidgend.timebase import SAMPLE_RATE_HZ, frames_to_samples, s_to_samples

PARAGRAPH_PAUSE_S = 0.8
"""Who pauses for so long has come to an end, whatever signs the recogniser writes. Breath between sentences takes 0.3
to 0.6 s."""
BEFORE_S, AFTER_S = 0.15, 0.3
"""What is left of the silence before the first and after the last sound: soft consonants are in it."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """`samples` of the recording from `start` on (48 kHz), and the words that are said in it, in its own time.
    `silent_s` is the longest pause that it has a part of."""

    start: int
    samples: int
    words: tuple[Word, ...]
    silent_s: float = 0.0


def text_with_pauses(words: Sequence[Word], pauses: Sequence[Span]) -> str:
    """What was heard as a text, with a new paragraph after every long pause."""
    long = [(start_s + end_s) / 2 for start_s, end_s in pauses if end_s - start_s >= PARAGRAPH_PAUSE_S]
    paragraphs: list[list[Word]] = [[]]
    for number, word in enumerate(words):
        if paragraphs[-1] and any(_middle(words[number - 1]) < at <= _middle(word) for at in long):
            paragraphs.append([])
        paragraphs[-1].append(word)
    return "\n\n".join(join_words(tuple(paragraph)) for paragraph in paragraphs)


def script_times(
    narrations: Sequence[str], heard: Sequence[Word], length_s: float, *, language: str
) -> tuple[Word, ...]:
    """The narrations' own text with the times of what was heard. What has no spaces is matched sign by sign."""
    units = [unit for text in narrations for unit in _units(text)]
    spoken = [
        Heard(text=part.text, start_s=part.start_s, end_s=part.end_s, probability=part.confidence)
        for word in heard
        for part in _parted(word)
    ]
    return map_words(units, spoken, length_s, language=language)


HEARD_CONFIDENCE = 0.3


def heard_share(timed: Sequence[Word]) -> float:
    """How much of a script was heard, 0..1. A word of which only some letters were heard was not."""
    return sum(word.confidence >= HEARD_CONFIDENCE for word in timed) / len(timed) if timed else 0.0


def words_of_scenes(narrations: Sequence[str], timed: Sequence[Word]) -> list[tuple[Word, ...]]:
    """The words of each narration as they are written, with the times of `timed`, which says the same letter by letter
    but may part them otherwise."""
    letters = [letter for word in timed for letter in _letters(word)]
    at = 0
    scenes = []
    for narration in narrations:
        words = []
        for text in narration.split():
            own = letters[at : at + len(text)] or letters[-1:]
            at += len(text)
            confidence = min(letter.confidence for letter in own)
            words.append(Word(text=text, start_s=own[0].start_s, end_s=own[-1].end_s, confidence=confidence))
        scenes.append(tuple(words))
    return scenes


def without_pauses(timed: Sequence[Word], *, sounding: Span, pauses: Sequence[Span], length_s: float) -> list[Word]:
    """The words with the pauses beside them taken off: recognisers let a word begin or end somewhere in a pause."""
    silences = [(0.0, sounding[0]), *pauses, (sounding[1], length_s)]
    starts = [start_s for start_s, _ in silences]
    found = []
    for word in timed:
        start_s, end_s = word.start_s, word.end_s
        before = silences[max(0, bisect_right(starts, start_s) - 1)]
        if before[0] <= start_s < before[1] < end_s:
            start_s = before[1]
        after = silences[max(0, bisect_left(starts, end_s) - 1)]
        if start_s < after[0] < end_s <= after[1]:
            end_s = after[0]
        found.append(replace(word, start_s=start_s, end_s=end_s))
    return found


def cut(
    scenes: Sequence[Sequence[Word]], *, sounding: Span, pauses: Sequence[Span], length: int, fps: Fraction
) -> list[Piece]:
    """A recording of `length` samples in pieces, one behind the other, one for each scene, none shorter than a frame
    but perhaps the first and the last. Times in seconds of it. `sounding` is where its first sound begins and its last
    one ends.

    No word is cut where a frame begins in a pause beside it, unless scenes that were not heard at the end of the
    recording need the place: they have a frame each.
    Raises: StepError if there are more scenes than frames.
    """
    first_s = min(sounding[0], scenes[0][0].start_s if scenes[0][0].end_s <= sounding[0] else sounding[0])
    last_s = max(sounding[1], scenes[-1][-1].end_s if scenes[-1][-1].start_s >= sounding[1] else sounding[1])
    start = max(0, s_to_samples(first_s - BEFORE_S))
    end = min(length, s_to_samples(last_s + AFTER_S))
    lead = s_to_samples(lead_s(0, recorded=True))

    def place(frame: int) -> int:
        return frames_to_samples(frame, fps) - lead + start

    def nearest(sample: int) -> int:
        return round(Fraction(sample - start + lead, SAMPLE_RATE_HZ) * fps)

    lowest = nearest(start)
    lowest += place(lowest) <= start
    highest = nearest(end)
    highest -= place(highest) >= end
    cuts = len(scenes) - 1
    if highest - lowest + 1 < cuts:
        raise StepError(f"{(end - start) / SAMPLE_RATE_HZ:.1f} s of recording are too short for {len(scenes)} scenes")
    edges = [start]
    for number, (before, after) in enumerate(itertools.pairwise(scenes), 1):
        wanted = _cut_frame(before[-1], after[0], pauses, nearest, place)
        frame = min(max(wanted, lowest), highest - (cuts - number))
        edges.append(place(frame))
        lowest = frame + 1
    edges.append(end)
    return [
        Piece(
            start=begin,
            samples=until - begin,
            words=tuple(_inside(word, begin, until) for word in words),
            silent_s=_longest_s(pauses, begin / SAMPLE_RATE_HZ, until / SAMPLE_RATE_HZ),
        )
        for words, (begin, until) in zip(scenes, itertools.pairwise(edges), strict=True)
    ]


def _cut_frame(
    before: Word, after: Word, pauses: Sequence[Span], nearest: Callable[[int], int], place: Callable[[int], int]
) -> int:
    """The frame next to the middle of the longest pause between two words in which one begins; else next to the middle
    of the longest; where no pause is to be heard, of what is between the words' times.

    Recognisers are off by a tenth of a second and more, so the pause may lie over the edge of a word.
    """
    low_s, high_s = _middle(before), _middle(after)
    near = [
        (min(high_s, end_s) - max(low_s, start_s), start_s, end_s)
        for start_s, end_s in pauses
        if start_s < high_s and end_s > low_s
    ]
    frames = []
    for _, start_s, end_s in sorted(near, reverse=True) or [(0.0, before.end_s, after.start_s)]:
        frames.append(nearest(s_to_samples((start_s + end_s) / 2)))
        if start_s <= place(frames[-1]) / SAMPLE_RATE_HZ <= end_s:
            return frames[-1]
    return frames[0]


def _middle(word: Word) -> float:
    return (word.start_s + word.end_s) / 2


def _inside(word: Word, start: int, end: int) -> Word:
    """A word of the recording in the time of its piece."""
    begin_s, until_s = start / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ
    start_s, end_s = (min(max(at, begin_s), until_s) - begin_s for at in (word.start_s, word.end_s))
    return replace(word, start_s=start_s, end_s=end_s)


def _longest_s(pauses: Sequence[Span], start_s: float, end_s: float) -> float:
    lengths = (end - start for start, end in pauses if start < end_s and end > start_s)
    return round(max(lengths, default=0.0), 3)


def _letters(word: Word) -> list[Word]:
    each_s = (word.end_s - word.start_s) / max(1, len(word.text))
    return [
        replace(word, text=letter, start_s=word.start_s + number * each_s, end_s=word.start_s + (number + 1) * each_s)
        for number, letter in enumerate(word.text)
    ]


def _units(text: str) -> list[str]:
    """Words; where they are not parted by spaces, single signs with the marks behind them."""
    units: list[str] = []
    for word in text.split():
        new = True
        for letter in word:
            wide = is_wide(letter) and letter.isalnum()
            if new or wide or (units[-1] and is_wide(units[-1][0]) and letter.isalnum()):
                units.append(letter)
            else:
                units[-1] += letter
            new = False
    return units


def _parted(word: Word) -> list[Word]:
    parts, letters = _units(word.text), _letters(word)
    if len(parts) == 1:
        return [word]
    found, at = [], 0
    for part in parts:
        own = letters[at : at + len(part)]
        at += len(part)
        found.append(replace(word, text=part, start_s=own[0].start_s, end_s=own[-1].end_s))
    return found
