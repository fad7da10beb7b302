"""Words in time -> captions: what stands on the screen together, broken where a reader would breathe. Pure."""

from __future__ import annotations

import itertools
from unicodedata import east_asian_width

from vidgend.models import Caption, Word

MAX_LINES = 2
LONGEST_S = 6.0
"""Source: the usual broadcast limit for two full lines is 6 to 7 s."""
PAUSE_S = 0.7
"""A silence that ends a caption."""
LINGER_S = 0.35
"""How long a caption stays after its last word, if the next one leaves room."""
LEAD_S = 0.08
"""How long a caption stands before its first word: the eye is slower than the ear."""

_SENTENCE_END = tuple(".!?…。！？।")
_CLAUSE_END = tuple(",;:—–、，；：)")
# Words that open a phrase: a line may end before them, and should not end with them.
_OPENERS = frozenset(
    (
        "a an the and or but nor so yet for of to in on at by with from as than that which who whose when where while "
        "if because into onto over under after before between through during without within about against is are "
        "und oder aber der die das ein eine mit von zu et ou mais le la les un une de du des à y o pero el los las una"
    ).split()
)


def chars_per_line(width_px: int, height_px: int) -> int:
    """Most characters a line may have: 42 on a landscape picture, fewer on narrow ones."""
    if width_px > height_px:
        return 42
    return 32 if width_px == height_px else 24


def _width(text: str) -> float:
    """Room that a text takes, in ordinary letters: full-width characters two, capitals and the like more than one."""
    return sum(
        2.0 if east_asian_width(char) in "WF" else 1.5 if char in "WMQ@%" else 1.25 if char.isupper() else 1.0
        for char in text
    )


def _length(words: tuple[Word, ...]) -> float:
    return sum(_width(word.text) for word in words) + max(0, len(words) - 1)


def _bare(word: Word) -> str:
    return word.text.strip(".,;:!?\"'()[]“”‘’—–").lower()


def _break_cost(left: Word, right: Word) -> float:
    """How bad it is to break between two words: 0 at a sentence's end, high inside a phrase."""
    text = left.text.rstrip("\"'”’)")
    if text.endswith(_SENTENCE_END) or right.start_s - left.end_s >= PAUSE_S:
        return 0.0
    if text.endswith(_CLAUSE_END):
        return 1.0
    if _bare(left) in _OPENERS:
        return 12.0
    return 3.0 if _bare(right) in _OPENERS else 6.0


def split_lines(words: tuple[Word, ...], max_chars: int) -> tuple[tuple[Word, ...], ...]:
    """One line if it fits, else two: balanced, broken at the best place. More lines only if words force it."""
    if _length(words) <= max_chars or len(words) == 1:
        return (words,)
    best: tuple[float, int] | None = None
    for cut in range(1, len(words)):
        top, bottom = _length(words[:cut]), _length(words[cut:])
        if max(top, bottom) > max_chars:
            continue
        cost = _break_cost(words[cut - 1], words[cut]) + abs(top - bottom) * 0.25
        if best is None or cost < best[0]:
            best = (cost, cut)
    if best is not None:
        return words[: best[1]], words[best[1] :]
    lines: list[tuple[Word, ...]] = []
    line: tuple[Word, ...] = ()
    for word in words:
        if line and _length((*line, word)) > max_chars:
            lines.append(line)
            line = ()
        line = (*line, word)
    return (*lines, line)


def _pieces(word: Word, max_chars: int) -> tuple[Word, ...]:
    """A word that no line can hold, cut into parts that share its time; other words as they are."""
    if _width(word.text) <= max_chars:
        return (word,)
    texts = [""]
    for char in word.text:
        if _width(texts[-1] + char) > max_chars:
            texts.append("")
        texts[-1] += char
    each_s = (word.end_s - word.start_s) / len(texts)
    return tuple(
        Word(
            text=text,
            start_s=word.start_s + number * each_s,
            end_s=word.start_s + (number + 1) * each_s,
            confidence=word.confidence,
        )
        for number, text in enumerate(texts)
    )


def _fits(words: tuple[Word, ...], max_chars: int) -> bool:
    if len(words) == 1:
        return True
    if words[-1].end_s - words[0].start_s > LONGEST_S:
        return False
    if any(right.start_s - left.end_s >= PAUSE_S for left, right in itertools.pairwise(words)):
        return False
    lines = split_lines(words, max_chars)
    return len(lines) <= MAX_LINES and all(_length(line) <= max_chars or len(line) == 1 for line in lines)


def make_captions(words: tuple[Word, ...], *, max_chars: int = 42, end_s: float | None = None) -> tuple[Caption, ...]:
    """Group `words` into captions of one or two lines of at most `max_chars` characters.

    The grouping with the least total cost is chosen: breaks at sentences and clauses are cheap, breaks inside phrases
    and captions of a single short word are dear. `end_s` is the end of the scene; no caption outlasts it.
    """
    shown = tuple(piece for word in words if word.text.strip() for piece in _pieces(word, max_chars))
    if not shown:
        return ()
    count = len(shown)
    best: list[tuple[float, int]] = [(0.0, 0)] + [(float("inf"), 0)] * count
    for stop in range(1, count + 1):
        for start in range(stop - 1, -1, -1):
            chunk = shown[start:stop]
            if not _fits(chunk, max_chars):
                break
            cost = best[start][0] + 2.0
            if stop < count:
                cost += _break_cost(shown[stop - 1], shown[stop])
            if _length(chunk) < max_chars * 0.3 and count > len(chunk):
                cost += 3.0
            # A sentence's end inside a caption is worse than a short caption.
            cost += sum(4.0 for one, two in itertools.pairwise(chunk) if _break_cost(one, two) == 0.0)
            if cost < best[stop][0]:
                best[stop] = (cost, start)
    bounds: list[tuple[int, int]] = []
    stop = count
    while stop > 0:
        start = best[stop][1]
        bounds.append((start, stop))
        stop = start
    bounds.reverse()
    captions: list[Caption] = []
    free_from_s = 0.0
    for number, (start, stop) in enumerate(bounds):
        chunk = shown[start:stop]
        begin = max(free_from_s, chunk[0].start_s - LEAD_S)
        limit = shown[stop].start_s - LEAD_S if number + 1 < len(bounds) else end_s
        close = chunk[-1].end_s + LINGER_S
        if limit is not None:
            close = min(close, limit) if limit > chunk[-1].end_s else max(limit, begin)
            # Two captions that nearly touch are joined, or the picture flickers.
            if number + 1 < len(bounds) and limit - close < 0.25:
                close = limit
        captions.append(Caption(lines=split_lines(chunk, max_chars), start_s=begin, end_s=max(close, begin + 0.05)))
        free_from_s = captions[-1].end_s
    return tuple(captions)
