"""Words in time -> captions: what stands on the screen together, broken where a reader would breathe. Pure."""

from __future__ import annotations

import itertools
from bisect import bisect_right

from vidgend.models import Caption, Word, join_words
from vidgend.pipeline.captions import line_breaks

LONGEST_S = 6.0
"""Of the words of a caption. Source: the usual broadcast limit for two full lines is 6 to 7 s."""
STANDS_S = 7.0
"""How long a caption is shown at most."""
SHORTEST_S = 0.8
"""How long a caption is shown at least, where the next one leaves room."""
CHARS_PER_S = 20.0
"""What a reader can take in; full-width characters count twice. Source: the usual limit of streaming services."""
PAUSE_S = 0.7
"""A silence that ends a caption."""
LINGER_S = 0.35
"""How long a caption stays after its last word, if the next one leaves room."""
LEAD_S = 0.08
"""How long a caption stands before its first word: the eye is slower than the ear."""

_SENTENCE_END = tuple(".!?…。！？।؟۔")
_CLAUSE_END = tuple(",;:—–、，；：)،؛")
_QUOTES = "\"'”’)」』）】"
# Words that open a phrase: a line may end before them, and should not end with them.
_OPENERS = frozenset(
    (
        "a an the and or but nor so yet for of to in on at by with from as than that which who whose when where while "
        "if because into onto over under after before between through during without within about against is are "
        "und oder aber der die das ein eine mit von zu et ou mais le la les un une de du des à y o pero el los las una"
    ).split()
)


def _length(words: tuple[Word, ...]) -> float:
    return line_breaks.width(join_words(words))


def _bare(word: Word) -> str:
    return word.text.strip(".,;:!?\"'()[]“”‘’—–").lower()


def _break_cost(left: Word, right: Word) -> float:
    """How bad it is to break between two words: 0 at a sentence's end, high inside a phrase."""
    text = left.text.rstrip(_QUOTES) or left.text
    if text.endswith(_SENTENCE_END) or right.start_s - left.end_s >= PAUSE_S:
        return 0.0
    if text.endswith(_CLAUSE_END):
        return 1.0
    if right.glued:
        return line_breaks.inner_cost(left.text, right.text)
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
    """A word cut where its script lets lines end, or where no line can hold it. The parts share its time."""
    if word.text.isascii() and len(word.text) * 1.5 <= max_chars:
        return (word,)
    texts = [part for token in line_breaks.tokens(word.text) for part in line_breaks.cut(token, max_chars)]
    each_s = (word.end_s - word.start_s) / len(texts)
    return tuple(
        Word(
            text=text,
            start_s=word.start_s + number * each_s,
            end_s=word.start_s + (number + 1) * each_s,
            confidence=word.confidence,
            glued=number > 0 or word.glued,
        )
        for number, text in enumerate(texts)
    )


def needed_s(words: tuple[Word, ...]) -> float:
    """How long a reader needs for these words."""
    # A hundredth more, since times in subtitle files are rounded.
    return line_breaks.reading_length(join_words(words)) / CHARS_PER_S + 0.01


class _Row:
    """All words of a scene, with running sums, so that a long text is grouped in a moment."""

    def __init__(self, words: tuple[Word, ...], max_chars: int, end_s: float | None) -> None:
        self.words = words
        self._max_chars = max_chars
        self._end_s = end_s if end_s is not None else float("inf")
        pairs = list(itertools.pairwise(words))
        self.costs = [0.0, *(_break_cost(left, right) for left, right in pairs), 0.0]
        """Of breaking before the word of that number."""
        spaces = [0.0 if word.glued else 1.0 for word in words]
        self._spaces = spaces
        sizes = [line_breaks.width(word.text) + space for word, space in zip(words, spaces, strict=True)]
        self._widths = [0.0, *itertools.accumulate(sizes)]
        reads = [line_breaks.reading_length(word.text) + space for word, space in zip(words, spaces, strict=True)]
        self._reads = [0.0, *itertools.accumulate(reads)]
        self._sentences = [0, *itertools.accumulate(int(cost == 0.0) for cost in self.costs[1:])]
        self._pauses = [
            0,
            0,
            *itertools.accumulate(int(right.start_s - left.end_s >= PAUSE_S) for left, right in pairs),
        ]

    def length(self, start: int, stop: int) -> float:
        return self._widths[stop] - self._widths[start] - self._spaces[start]

    def fits(self, start: int, stop: int) -> bool:
        """Whether these words may be one caption."""
        if stop - start == 1:
            return True
        if self.words[stop - 1].end_s - self.words[start].start_s > LONGEST_S:
            return False
        if self._pauses[stop] > self._pauses[start + 1]:
            return False
        cut = bisect_right(self._widths, self._widths[start] + self._spaces[start] + self._max_chars) - 1
        return cut >= stop or (cut > start and self.length(cut, stop) <= self._max_chars)

    def cost(self, start: int, stop: int) -> float:
        """How bad it is that these words are a caption of their own."""
        count = len(self.words)
        cost = 2.0 + (self.costs[stop] if stop < count else 0.0)
        if self.length(start, stop) < self._max_chars * 0.3 and count > stop - start:
            cost += 3.0
        room_s = (self.words[stop].start_s if stop < count else self._end_s) - self.words[start].start_s
        need_s = (self._reads[stop] - self._reads[start]) / CHARS_PER_S
        cost += 20.0 * max(0.0, need_s - room_s) + 4.0 * max(0.0, SHORTEST_S - room_s)
        # A sentence's end inside a caption is worse than a short caption.
        return cost + 4.0 * (self._sentences[stop - 1] - self._sentences[start])


def _group(row: _Row) -> list[tuple[Word, ...]]:
    """The grouping with the least total cost."""
    count = len(row.words)
    best: list[tuple[float, int]] = [(0.0, 0)] + [(float("inf"), 0)] * count
    for stop in range(1, count + 1):
        for start in range(stop - 1, -1, -1):
            if not row.fits(start, stop):
                break
            cost = best[start][0] + row.cost(start, stop)
            if cost < best[stop][0]:
                best[stop] = (cost, start)
    chunks: list[tuple[Word, ...]] = []
    stop = count
    while stop > 0:
        start = best[stop][1]
        chunks.append(row.words[start:stop])
        stop = start
    return chunks[::-1]


def _times(chunks: list[tuple[Word, ...]], end_s: float | None) -> list[tuple[float, float]]:
    """When each caption begins and ends: with its words, but none so short that it cannot be read.

    What speech leaves no time for is taken from the next pause, and where the scene ends too soon for that, captions
    stand before their words. Only words that are spoken faster than anyone reads, all through, are shown faster too.
    """
    needs = [needed_s(chunk) for chunk in chunks]
    begins = [max(0.0, chunk[0].start_s - LEAD_S) for chunk in chunks]
    times: list[tuple[float, float]] = []
    free_from_s = 0.0
    for number, (chunk, need) in enumerate(zip(chunks, needs, strict=True)):
        begin = max(free_from_s, begins[number])
        limit = begins[number + 1] if number + 1 < len(chunks) else end_s if end_s is not None else float("inf")
        close = min(max(chunk[-1].end_s + LINGER_S, begin + SHORTEST_S), begin + STANDS_S, max(limit, chunk[-1].end_s))
        # Two captions that nearly touch are joined, or the picture flickers.
        if number + 1 < len(chunks) and 0 < limit - close < 0.25:
            close = limit
        close = max(close, begin + need)
        times.append((begin, close))
        free_from_s = close
    if end_s is None or times[-1][1] <= end_s:
        return times
    if sum(needs) > end_s:
        ends = [share * end_s / sum(needs) for share in itertools.accumulate(needs)]
        return list(zip([0.0, *ends[:-1]], ends, strict=True))
    limit = end_s
    for number in range(len(times) - 1, -1, -1):
        close = min(times[number][1], limit)
        limit = min(times[number][0], close - needs[number])
        times[number] = (max(0.0, limit), close)
    return times


def make_captions(words: tuple[Word, ...], *, max_chars: int = 42, end_s: float | None = None) -> tuple[Caption, ...]:
    """Group `words` into captions of one or two lines of at most `max_chars` characters.

    The grouping with the least total cost is chosen: breaks at sentences and clauses are cheap, breaks inside phrases,
    captions of a single short word and those that must be read in haste are dear. `end_s` is the end of the scene; no
    caption outlasts it.
    """
    shown = tuple(piece for word in words if word.text.strip() for piece in _pieces(word, max_chars))
    if not shown:
        return ()
    chunks = _group(_Row(shown, max_chars, end_s))
    return tuple(
        Caption(lines=split_lines(chunk, max_chars), start_s=start_s, end_s=close_s)
        for chunk, (start_s, close_s) in zip(chunks, _times(chunks, end_s), strict=True)
    )
