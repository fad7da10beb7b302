"""From a scene's text to searches for what a camera can see.

The idea is RAKE's (runs of words between stop words are the phrases that matter), cut down to what a stock footage
search needs: few words, in the order in which the text says them. What can be seen counts most, names stay whole, and
what nobody can film is left out. A text in another language is searched for in English as far as its words are known
(`visual_words.py`), and then in its own.

Source: Rose, Engel, Cramer, Cowley, "Automatic keyword extraction from individual documents", 2010.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from vidgend.pipeline.planner.names import names_in
from vidgend.pipeline.planner.visible import Kind, kind_of
from vidgend.pipeline.planner.visual_words import UNSPACED, english_at, english_in, is_known
from vidgend.pipeline.speech.voices import primary
from vidgend.pipeline.vocabulary import STOP_WORDS, stem, words_of

MAX_QUERY_WORDS = 4
MAX_QUERY_CHARS = 80
MAX_QUERIES = 3
LAST_RESORT = "abstract background"
"""For a text without a single usable word, such as `...`."""

_WEIGHTS: dict[Kind, float] = {"thing": 3.0, "partly": 1.5, "unknown": 1.5, "action": 1.0, "look": 0.6, "unseen": 0.4}
_NAME, _NAME_WORD = 3.0, 1.5
"""Of a name of one word, and of each further word."""
_SUBJECT = 1.0
"""What a sentence begins with is mostly what it is about."""
_MOST_TOKENS = 3
_BREAK = re.compile(r"([^\w\s'’\-\u0300-\u036f\u0900-\u0963\u200c\u200d]+|\s[-'’]+|(?<![-'’])[-'’]+\s|\n)")
_SENTENCE_END = re.compile(r"[.!?:…।。！？\n]")
_HAN_KATAKANA = re.compile(r"[\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff]{2,}")
_KANA = re.compile(r"[\u3041-\u30ff]")
_CHINESE_GLUE = re.compile(r"[的了在是和与就也都而及着或上下里中不有]")
_STOP_HINDI = frozenset(
    """का के की को में से पर है हैं था थे थी हो होता होती होते यह वह ये वे एक और या भी ही
    तो ने कि जो तक लिए साथ बाद पहले अपने अपनी अपना उस इस उन इन कुछ कई सब सभी बहुत हर जब
    तब अब यहाँ वहाँ कर करता करते करती करने किया गया गई गए जाता जाते जाती रहा रहे रही
    नहीं न मैं हम आप तुम उनके उसके इसके हुआ हुए हुई वाला वाले वाली द्वारा लेकिन क्योंकि
    जैसे फिर""".split()
)
_ELIDED = re.compile(r"^(?:[a-z]{1,2}|dell|nell|sull|all|dall)['’](?=\w)", re.IGNORECASE)
_ARTICLES = frozenset(("a", "an", "the"))
_FOLLOWS_NOUN = ("es", "fr", "it", "pt")
"""Languages whose adjectives stand behind their noun; in English they come first."""


@dataclass(frozen=True, kw_only=True)
class _Token:
    """A word, or a whole name, of a search."""

    text: str
    weight: float
    kind: Kind
    named: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is a name of several words, which begins a phrase."""
        return self.named and " " in self.text


@dataclass(frozen=True)
class _Phrase:
    """Tokens that stand together in the text, in its sentence of that number."""

    tokens: tuple[_Token, ...]
    sentence: int = 0

    @property
    def text(self) -> str:
        return " ".join(token.text for token in self.tokens)

    @property
    def weight(self) -> float:
        return sum(token.weight for token in self.tokens)

    @property
    def shown(self) -> bool:
        """Whether there is a thing or a name in it, or what may be one."""
        return any(token.named or token.kind in ("thing", "partly", "unknown") for token in self.tokens)


_Reader = Callable[[Sequence[str], int, int], tuple[_Token | None, int]]
"""(words, at, end of the name that begins there, or at) -> the token, None for what is left out, and its words."""


def queries_for(text: str, *, language: str, fallback: Iterable[str] = (), first: str | None = None) -> tuple[str, ...]:
    """Searches for `text`, at most three, best first: its concrete phrases, a shorter one, then `fallback` phrases.

    `first` is the caller's own search and leads. The result is never empty and holds no duplicate. For another
    `language` (BCP-47) than English the last search is in that language.
    """
    language = primary(language)
    spare = _distinct(fallback)
    phrases = _phrases(text, language) or ([] if spare else _phrases(text, language, unseen=True))
    if spare and not any(phrase.shown for phrase in phrases):
        phrases = [phrase for phrase in phrases if any(token.kind == "action" for token in phrase.tokens)]
    own = [] if language == "en" else _own_searches(text, language)
    queries = _distinct([first or "", *_searches(phrases)])
    if own and queries[bool(first) :]:
        return tuple(_distinct([*queries[: MAX_QUERIES - 1], *own[:1], *spare])[:MAX_QUERIES])
    queries = _distinct([*queries, *own])
    kept = MAX_QUERIES - 1 if spare else MAX_QUERIES
    return tuple(_distinct([*queries[:kept], *spare, *queries[kept:]])[:MAX_QUERIES]) or (LAST_RESORT,)


def main_phrases(text: str, *, language: str, limit: int = 2) -> tuple[str, ...]:
    """What the whole of `text` is about, for scenes that show nothing by themselves: what it names most often."""
    language = primary(language)
    phrases = _phrases(text, language)
    counts = Counter(stem(token.text) for phrase in phrases for token in phrase.tokens)

    def worth(phrase: _Phrase) -> tuple[float, float]:
        often = sum(counts[stem(token.text)] * token.weight for token in phrase.tokens) / len(phrase.tokens)
        return often, phrase.weight

    best = sorted(_distinct_phrases(phrases), key=worth, reverse=True)
    found = _distinct(_joined([phrase]) for phrase in best if phrase.shown)
    return tuple((found or _own_searches(text, language) if language != "en" else found)[:limit])


def _searches(phrases: Sequence[_Phrase]) -> list[str]:
    """The best phrases of the sentence that shows most together, then of the next one; the best one alone, and the
    things alone that they are about. Of two sentences together nothing could be shown."""
    of_sentence: dict[int, list[_Phrase]] = {}
    for phrase in _distinct_phrases(phrases):
        of_sentence.setdefault(phrase.sentence, []).append(phrase)
    found = sorted((_of_sentence(own) for own in of_sentence.values()), key=lambda one: -one[0])
    together = [queries[0] for _, queries in found[:2]]
    return [*together, *(query for _, queries in found for query in queries[1:])]


def _of_sentence(distinct: Sequence[_Phrase]) -> tuple[float, list[str]]:
    """How much there is to see, and the searches."""
    subject = next((phrase for phrase in distinct if phrase.shown), None)
    ranked = sorted(distinct, key=lambda phrase: -phrase.weight - _SUBJECT * (phrase is subject))
    best = ranked[:2]
    if (
        len(ranked) > 2
        and ranked[2].shown
        and sum(len(phrase.text.split()) for phrase in ranked[:3]) <= MAX_QUERY_WORDS
    ):
        best = ranked[:3]
    heads = [phrase.tokens[-1] for phrase in best if len(phrase.tokens) > 1]
    things = [token.text for token in heads if token.kind == "thing" and not token.named]
    together = _joined([phrase for phrase in distinct if phrase in best])
    left_out = [phrase.text for phrase in best[1:] if phrase.text not in together]
    worth = sum(phrase.weight for phrase in best)
    strongest = max(distinct, key=lambda phrase: phrase.weight)
    return worth, [together, strongest.text, *left_out, *things]


def _phrases(text: str, language: str, *, unseen: bool = False) -> list[_Phrase]:
    """The phrases of `text` in its order, in English. `unseen` lets words in that nobody can film."""
    if language in UNSPACED:
        sentences = enumerate(_SENTENCE_END.split(text))
        return [
            _Phrase((_known(english),), number)
            for number, part in sentences
            for english in english_in(part, language=language)
        ]
    if language != "en" and not is_known(language):
        return []
    phrases = _runs(text, language, lambda words, at, end: _read(words, at, end, language, unseen=unseen))
    if any(phrase.shown for phrase in phrases):
        phrases = [phrase for phrase in phrases if phrase.shown or any(one.kind == "action" for one in phrase.tokens)]
    return phrases


def _runs(text: str, language: str, read: _Reader) -> list[_Phrase]:
    """The tokens of `text` that stand together: names of several words begin a phrase, what is left out ends one."""
    phrases: list[_Phrase] = []
    sentence = 0
    for words, starts in _clauses(text):
        sentence += starts
        names = dict(names_in(words, language=language, starts=starts))
        run: list[_Token] = []
        at = 0
        while at < len(words):
            token, count = read(words, at, names.get(at, at))
            if token is None or token.whole:
                phrases += _cut(run, language, sentence)
                run = []
            if token is not None:
                run.append(token)
            at += count
        phrases += _cut(run, language, sentence)
    return phrases


def _read(words: Sequence[str], at: int, name_end: int, language: str, *, unseen: bool) -> tuple[_Token | None, int]:
    """The token that begins at a word, None for a word that belongs into no search; and how many words it takes."""
    if name_end > at:
        count = name_end - at
        weight = _NAME + _NAME_WORD * (count - 1)
        return _Token(text=" ".join(words[at:name_end]), weight=weight, kind="unknown", named=True), count
    if _is_stop(words[at], language):
        return None, 1
    if language != "en":
        found = english_at(words, at, language=language)
        return (_known(found[0]), found[1]) if found else (None, 1)
    token = _token(words[at])
    if token.kind == "action" and at and words[at - 1].casefold() in _ARTICLES and not words[at].endswith("ing"):
        token = replace(token, kind="thing", weight=_WEIGHTS["thing"])  # a seal, the watch
    adverb = words[at].casefold().endswith("ly") and len(words[at]) > 5 and token.kind in ("unknown", "look", "unseen")
    return (None if adverb or (token.kind == "unseen" and not unseen) else token), 1


def _known(english: str) -> _Token:
    """Of the table of what can be filmed, which holds no verbs but those in -ing: its `duck` is a bird."""
    token = _token(english)
    if token.kind not in ("unseen", "action") or english.endswith("ing"):
        return token
    return replace(token, kind="thing", weight=_WEIGHTS["thing"])


def _token(english: str) -> _Token:
    kind = kind_of(english)
    return _Token(text=english, kind=kind, weight=_WEIGHTS[kind])


def _cut(run: Sequence[_Token], language: str, sentence: int) -> list[_Phrase]:
    """Long runs in pieces: the last word of an English noun phrase is its head, so pieces are taken from the end."""
    tokens = list(run)
    if language in _FOLLOWS_NOUN:
        tokens.sort(key=lambda token: token.kind != "look")
    while tokens and tokens[-1].kind == "look" and len(tokens) > 1 and language == "en":
        tokens.pop()
    pieces = []
    while tokens:
        size = len(tokens) if len(tokens) <= _MOST_TOKENS else 2
        pieces.append(_Phrase(tuple(tokens[-size:]), sentence))
        tokens = tokens[:-size]
    return pieces[::-1]


def _clauses(text: str) -> Iterable[tuple[list[str], bool]]:
    """The words between two marks, and whether a sentence begins with them."""
    starts = True
    for part in _BREAK.split(text):
        words = words_of(part)
        if words:
            yield words, starts
            starts = False
        elif part:
            starts = starts or bool(_SENTENCE_END.search(part))


def _is_stop(word: str, language: str) -> bool:
    low = word.casefold()
    stop = STOP_WORDS.get(language, _STOP_HINDI if language == "hi" else frozenset())
    if low in stop or low[:1].isdigit() or (len(word) == 1 and word.isascii()):
        return True
    low = low.replace("’", "'")
    before = low.partition("'")[0]
    return language == "en" and before != low and (before in stop or low.endswith("n't"))  # you're, don't


def _own_searches(text: str, language: str) -> list[str]:
    """Searches in the text's own words, the best one first: runs between stop words, longer words first."""
    if _HAN_KATAKANA.search(text):
        pieces = _wide_phrases(text)
        best = sorted(pieces, key=lambda piece: -min(len(piece), 6))[:2]
        return _distinct([" ".join(piece for piece in pieces if piece in best), *best])

    def read(words: Sequence[str], at: int, end: int) -> tuple[_Token | None, int]:
        count = max(end - at, 1)
        said = " ".join(words[at:end]) or _ELIDED.sub("", words[at])
        if end <= at and (_is_stop(words[at], language) or _is_stop(said, language)):
            return None, count
        return _Token(text=said, weight=1.5 * count + min(len(said), 24) / 12, kind="unknown", named=end > at), count

    return _searches(_runs(text, language, read))


def _wide_phrases(text: str) -> list[str]:
    """Chinese and Japanese have no spaces. Japanese marks its grammar in hiragana; in Chinese a few characters do."""
    found = _HAN_KATAKANA.findall(text)
    if not _KANA.search(text):
        found = [piece for run in found for piece in _CHINESE_GLUE.split(run) if len(piece) >= 2]
    return _distinct(piece[:8] for piece in found)[:50]


def _joined(phrases: Iterable[_Phrase]) -> str:
    """As many whole tokens as a search may have words; at least one."""
    words: dict[str, None] = {}
    for token in (token for phrase in phrases for token in phrase.tokens):
        more = token.text.split()
        if words and len(words) + len(more) > MAX_QUERY_WORDS:
            continue
        words.update(dict.fromkeys(more))
    return " ".join(words)


def _distinct_phrases(phrases: Iterable[_Phrase]) -> list[_Phrase]:
    return list({phrase.text.casefold(): phrase for phrase in reversed(list(phrases))}.values())[::-1]


def _distinct(phrases: Iterable[str]) -> list[str]:
    seen: dict[str, str] = {}
    for phrase in phrases:
        clean = " ".join(phrase.split())[:MAX_QUERY_CHARS].strip()
        if clean:
            seen.setdefault(clean.casefold(), clean)
    return list(seen.values())
