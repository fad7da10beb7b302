"""What of a text may be drawn, and in which direction it runs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import bidirectional, category

from vidgend.pipeline.captions.line_breaks import clusters

_DIRECTION_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They would turn around what stands beside them."""
MOST_MARKS = 4
"""On one letter: more than any script has, few enough not to climb out of the line."""
LRM, RLM = "\u200e", "\u200f"
_WORD_JOINER = "\u2060"
_PAIRS = {")": "(", "]": "[", "}": "{"}


def clean(text: str) -> str:
    """Without control characters, line breaks, broken surrogates and marks that change the direction."""
    shown = []
    for char in text:
        kind = category(char)
        if kind in ("Cc", "Zl", "Zp"):
            shown.append(" ")
        elif kind != "Cs" and char not in _DIRECTION_CONTROLS:
            shown.append(char)
    return "".join(shown)


def drawable(text: str) -> str:
    """Clean, and no letter with a tower of marks."""
    return "".join(cluster if len(cluster) <= MOST_MARKS else _few_marks(cluster) for cluster in clusters(clean(text)))


def _few_marks(cluster: str) -> str:
    kept, marks = "", 0
    for char in cluster:
        marks = marks + 1 if category(char) in ("Mn", "Me") else 0
        if marks <= MOST_MARKS:
            kept += char
    return kept[: 4 * MOST_MARKS]


def escape_ass(text: str) -> str:
    """Text that libass shows as it is: braces escaped, backslashes made harmless by a word joiner."""
    return clean(text).replace("\\", "\\" + _WORD_JOINER).replace("{", "\\{").replace("}", "\\}")


def base_direction(text: str) -> str | None:
    """`R` or `L`, after the first letter that has a direction; None for a text without any letter from the right."""
    strong = [kind[0].replace("A", "R") for char in text if (kind := bidirectional(char)) in ("L", "R", "AL")]
    return strong[0] if "R" in strong else None


def directed(words: Sequence[str], base: str | None) -> list[str]:
    """The words of a line, with marks that make it run in the direction of its text.

    libass looks at each line alone and knows nothing of pairs of brackets, so `hello (world)` in a Hebrew line would
    get its last bracket on the wrong side.
    """
    if base is None:
        return list(words)
    marked = [list(word) for word in words]
    if base == "R":
        places = [(number, at) for number, word in enumerate(words) for at in range(len(word))]
        opened: list[int] = []
        for here, (number, at) in enumerate(places):
            char = words[number][at]
            if char in _PAIRS.values():
                opened.append(here)
            elif char in _PAIRS and opened:
                start = opened.pop()
                inside = [bidirectional(words[n][i]) for n, i in places[start:here]]
                if "L" in inside and not {"R", "AL"} & set(inside):
                    first, offset = places[start]
                    marked[first][offset] = LRM + marked[first][offset]
                    marked[number][at] += LRM
    if marked:
        marked[0].insert(0, RLM if base == "R" else LRM)
    return ["".join(word) for word in marked]
