"""Names in a sentence, by their capitals: `Eiffel Tower`, `Machu Picchu`, `Statue of Liberty`, `Rio de Janeiro`."""

from __future__ import annotations

from collections.abc import Sequence

from vidgend.pipeline.planner.visible import kind_of
from vidgend.pipeline.vocabulary import STOP_WORDS

_LINKS = frozenset(
    "of the de la las los le les del della delle dei degli di da do dos das du des van von der den".split()
)
_LINKS_GERMAN = frozenset("von van zu de la da of".split())
_ARTICLES = frozenset("la las los el le san santa são".split())
"""Stop words that names begin with: Los Angeles, El Salvador, La Paz."""
_CALENDAR = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december""".split()
)
_PLACED = frozenset("in nach aus von bei".split())
"""After these a German noun without an article is often a place."""
_ABSTRACT_ENDINGS = ("ung", "heit", "keit", "schaft", "tion", "tät", "ismus", "nis")
_TITLE_WORDS = 4


def names_in(words: Sequence[str], *, language: str, starts: bool) -> list[tuple[int, int]]:
    """Where names are in the words of a clause, as (first, the one after the last). `starts`: a sentence begins with
    it, so the first capital tells nothing. A text in capitals, or a title in which all words have one, has none."""
    stop = STOP_WORDS.get(language, frozenset())
    said = [word for word in words if word.casefold() not in stop]
    if len(said) >= _TITLE_WORDS and all(_capital(word) for word in said):
        return []
    if language == "de":
        return _german(words)
    found = []
    at = 0
    while at < len(words):
        end = _end(words, at)
        while at < end and not _may_begin(words, at, end, stop, starts, language):
            at += 1
        if at < end:
            found.append((at, end))
        at = max(end, at + 1)
    return found


def _end(words: Sequence[str], at: int, linking: frozenset[str] = _LINKS) -> int:
    """Where the run of capitals from `at` ends, links within it included; `at` if there is none."""
    end = at
    while end < len(words) and _capital(words[end]):
        end += 1
        links = end
        while end > at and links < len(words) and links - end < 2 and words[links] in linking:
            links += 1
        if end < links < len(words) and _capital(words[links]):
            end = links
    return end


def _may_begin(words: Sequence[str], at: int, end: int, stop: frozenset[str], starts: bool, language: str) -> bool:
    low, alone = words[at].casefold(), end - at == 1
    if low in _CALENDAR or not _capital(words[at]):
        return False
    if low in stop or low.replace("’", "'").split("'")[0] in stop:
        return low in _ARTICLES and not alone and not (starts and at == 0)
    if not (starts and at == 0):
        return True
    if language != "en":
        return not alone
    kind = kind_of(low)
    return kind == "unknown" and len(low) > 2 and not low.endswith("ly") if alone else kind != "unseen"


def _german(words: Sequence[str]) -> list[tuple[int, int]]:
    """All nouns have a capital: two in a row are a name, and one where a place is likely."""
    found = []
    at = 0
    while at < len(words):
        first = at + (_capital(words[at]) and words[at].casefold() in STOP_WORDS["de"])
        end = max(first, _end(words, first, _LINKS_GERMAN))
        place = at > 0 and words[at - 1].casefold() in _PLACED and not words[at].endswith(_ABSTRACT_ENDINGS)
        if end - first > 1 or (end - first == 1 and place):
            found.append((first, end))
        at = max(end, at + 1)
    return found


def _capital(word: str) -> bool:
    return word[:1].isupper() and (len(word) > 1 or not word.isascii())
