"""Whether an English word names something that a camera can see. Derived from WordNet: `tools/visual_nouns.py`."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import Literal

FILE = "../data/words/english.txt.gz"
"""From `vidgend/pipeline`: part of what a plan depends on."""

Kind = Literal["thing", "partly", "action", "look", "unseen", "unknown"]
"""A thing that is seen, one that is seen in part of its senses, an action that is seen, how a thing looks, neither, and
a word that is not in the list: often a new or a rare thing."""

_KINDS: dict[str, Kind] = {"n": "thing", "m": "partly", "v": "action", "a": "look", "x": "unseen"}
_SHORTEST_STEM = 3


@cache
def _words() -> tuple[dict[str, Kind], dict[str, str]]:
    """Words and their kind; irregular forms and their words. Takes 10 to 20 ms and 3.4 MB, once."""
    lines = gzip.decompress((files("vidgend") / "data" / "words" / "english.txt.gz").read_bytes()).decode().splitlines()
    kinds: dict[str, Kind] = {}
    forms: dict[str, str] = {}
    for line in lines:
        letter, *words = line.split()
        if letter == "=":
            forms = dict(word.split(":", 1) for word in words)
        else:
            kinds.update(dict.fromkeys(words, _KINDS[letter]))
    return kinds, forms


def kind_of(word: str) -> Kind:
    """The kind of a word in any of its forms (`waves`, `baked`, `children`); of the last one of several."""
    kinds, forms = _words()
    low = word.split()[-1].casefold().replace("’", "'").removesuffix("'s") if word.split() else ""
    verb = _verb_of(low, kinds)
    if low.endswith("ing") and verb == "action" and kinds.get(low) != "thing":
        return "action"
    if low in kinds:
        return kinds[low]
    if low in forms:
        kind = kinds.get(forms[low], "unknown")
        return "unseen" if kind == "action" else kind  # wrote, ran: what is told, not what is shown
    for ending, put in (("ies", "y"), ("s", ""), ("es", "")):
        if low.endswith(ending) and len(low) - len(ending) >= 2 and (found := kinds.get(low[: -len(ending)] + put)):
            return found
    if verb is not None:
        return "look" if low.endswith("ed") and verb in ("action", "thing") else verb
    if "-" in low:
        return kind_of(low.rpartition("-")[2])
    return "unseen" if low.endswith(("ness", "ity", "ism", "ship", "tion", "sion", "ance", "ence")) else "unknown"


def _verb_of(low: str, kinds: dict[str, Kind]) -> Kind | None:
    """The kind of the word that a form in -ing or -ed belongs to."""
    for ending in ("ing", "ed"):
        if not low.endswith(ending) or len(low) - len(ending) < _SHORTEST_STEM:
            continue
        stem = low[: -len(ending)]
        undoubled = stem[:-1] if stem[-1] == stem[-2] else stem
        for base in (stem, f"{stem}e", undoubled):
            if base in kinds:
                return kinds[base]
    return None
