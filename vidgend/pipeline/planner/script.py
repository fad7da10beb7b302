"""A script into scenes, word for word: cut at sentences, long sentences at clauses, short ones joined.

Nothing is added, dropped or moved: the narrations in order hold exactly the characters of the script, white space
apart. Lengths are estimates of speech (`speech_s`); a scene lasts MIN_SCENE_S..MAX_SCENE_S where the text allows it.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable

from vidgend.pipeline.vocabulary import is_wide, speech_s, word_count

MIN_SCENE_S = 3.0
"""Of the parts of a sentence that is cut."""
ALONE_S = 1.75
"""From here on a whole sentence has a picture of its own: two short ones mostly speak of two things."""
MAX_SCENE_S = 10.0
HARD_MAX_S = 16.0
"""A sentence without any comma is cut between words only when it is longer than this."""
SCRIPT_SENTENCES = 2
SCRIPT_WORDS = 12

_PARAGRAPH = re.compile(r"\n\s*\n")
_CHUNK_CHARS = 2000
"""Longest text given to pysbd at once: it takes more than linear time (1 s for 20 kB), and holds the GIL meanwhile."""
_VERSE_LINE_CHARS = 60
_CLOSING = "\"'”’»)]」』》〉）】"
_SENTENCE_END = re.compile(rf"(?<![.!?…。！？।॥])[.!?…。！？।॥]+[{re.escape(_CLOSING)}]*\s+|[。！？]+[」』”]*")
_DANDA = re.compile(rf"[।॥]+[{re.escape(_CLOSING)}]*\s*")
_CLAUSE_END = re.compile(r"[,;:][\"'”’»)]*\s+|\s+[–—-]+\s+|—|[、，；：]")
_CONJUNCTION = re.compile(
    r"\s(?=(?:and|but|or|because|while|when|where|which|who|so|although|though|since|before|after|until|unless|if|"
    r"und|aber|oder|weil|denn|während|wenn|dass|et|mais|ou|parce|car|quand|pendant|qui|y|pero|porque|cuando|mientras|"
    r"que|ma|perché|quando|mentre|che|e|en|maar|omdat|terwijl|और|लेकिन|क्योंकि|जब|जो)\s)",
    re.IGNORECASE,
)
_UNSPACED_WORD_END = re.compile(r"(?<=[はがをにでてと])(?=[\u30a0-\u30ff\u4e00-\u9fff])|(?<=[的了着])(?=\w)")
"""Where a word ends for sure in Japanese or Chinese."""
_ABBREVIATIONS = {
    "es": "sr sra srta sres dr dra d dña av avda c pág núm ud uds ej prof gral lic ing arq sto sta fray cía tel aprox",
    "fr": "m mm mme mmes mlle dr pr me av apr st ste env p ex chap fig vol bd",
    "it": "sig sigg dott ssa prof avv ing arch geom pag es fig p s gen feb mar apr giu lug ago set ott nov dic ca tel",
    "pt": "sr sra srta srs dr dra av prof profa eng pág ex exmo exma núm tel aprox d fig cap séc",
    "nl": "dhr mevr mr dr prof ir ing blz bijv nr ca tel st jhr",
}
"""Without their dot, those after which a sentence does not end. What pysbd knows by itself is not repeated."""
_LAST_WORD = re.compile(r"(?<![^\W\d_])([^\W\d_]{1,20})\.$")
_PYSBD_LANGUAGES = frozenset(
    ("en", "hi", "mr", "zh", "es", "am", "ar", "hy", "bg", "ur", "ru", "pl", "fa", "nl", "da", "fr", "my", "el", "it",
     "ja", "de", "kk", "sk")
)  # fmt: skip


def is_script(sentences: list[str]) -> bool:
    """The rule that tells a prompt to be read out from an idea: two or more sentences with twelve or more words."""
    return len(sentences) >= SCRIPT_SENTENCES and sum(map(word_count, sentences)) >= SCRIPT_WORDS


def script_to_narrations(text: str, *, language: str) -> list[str]:
    """Narrations of scenes, in order. Slow for long texts (pysbd): call it off the event loop."""
    pieces: list[str] = []
    for sentence in sentences_of(text, language=language):
        pieces.extend(_split_long(sentence, language))
    return _join_short(pieces, language)


def sentences_of(text: str, *, language: str) -> list[str]:
    """The sentences of `text`, stripped, white space inside folded to single spaces."""
    found: list[str] = []
    for paragraph in _PARAGRAPH.split(text):
        lines = [" ".join(line.split()) for line in paragraph.splitlines()]
        lines = [line for line in lines if line]
        if len(lines) > 1 and max(map(len, lines)) > _VERSE_LINE_CHARS:
            lines = [" ".join(lines)]
        for line in lines:
            for chunk in _chunks(line):
                found.extend(_segment(chunk, language))
    return found


def _chunks(line: str) -> list[str]:
    chunks = []
    while len(line) > _CHUNK_CHARS:
        ends = [match.end() for match in _SENTENCE_END.finditer(line, 0, _CHUNK_CHARS)]
        cut = ends[-1] if ends else line.rfind(" ", 0, _CHUNK_CHARS)
        cut = cut if cut > 0 else _whole_char(line, _CHUNK_CHARS)
        chunks.append(line[:cut])
        line = line[cut:]
    return [*chunks, line]


def _segment(text: str, language: str) -> list[str]:
    """Sentences of one line. pysbd only says where; the characters are always those of `text`."""
    import pysbd  # half a second of regular expressions, wanted only here

    code = language[:2].lower()
    try:
        segmenter = pysbd.Segmenter(language=code if code in _PYSBD_LANGUAGES else "en", clean=False)
        # Not `segment`: it looks every sentence up in the whole text, 2 s for 2000 short ones that are alike.
        sizes = [_dense_len(part) for part in segmenter.processor(text).process()]
    except (re.error, ValueError, IndexError, KeyError, TypeError, AttributeError):
        sizes = []
    if sum(sizes) != _dense_len(text):
        return _cut_at(text, [match.end() for match in _SENTENCE_END.finditer(text)])
    cuts, seen, parts = [], 0, iter(sizes)
    wanted = next(parts, 0)
    for index, char in enumerate(text):
        seen += not char.isspace()
        while wanted and seen == wanted:
            if text[index + 1 : index + 2].isspace() or is_wide(char):  # not within an address such as a?b=1
                cuts.append(index + 1)
            seen, wanted = 0, next(parts, 0)
    if code == "hi":
        cuts += [match.end() for match in _DANDA.finditer(text)]
    return _cut_at(text, [cut for cut in (_past_closing(text, cut) for cut in cuts) if _ends_there(text, cut, code)])


def _past_closing(text: str, cut: int) -> int:
    while cut < len(text) and text[cut] in _CLOSING and text[cut - 1 : cut] != " ":
        cut += 1
    return cut


def _ends_there(text: str, cut: int, language: str) -> bool:
    """Whether a sentence may end before `cut`: not after an abbreviation, and not before a small letter."""
    before, after = text[:cut].rstrip(), text[cut:].lstrip()
    if after[:1].islower() and before[-1:] not in "!?…:":
        return False
    last = _LAST_WORD.search(before)
    return last is None or last[1].casefold() not in _ABBREVIATIONS.get(language, "").split()


def _dense_len(text: str) -> int:
    return sum(not char.isspace() for char in text)


def _cut_at(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(set(cuts)), len(text)]
    parts = [text[start:end].strip() for start, end in itertools.pairwise(edges)]
    return [part for part in parts if part]


def _split_long(sentence: str, language: str) -> list[str]:
    """Halve at the boundary nearest to the middle until every part is short enough or has no boundary left."""
    done: list[str] = []
    todo = [sentence]
    while todo:
        part = todo.pop()
        length_s = speech_s(part, language)
        halves = [part]
        if length_s > MAX_SCENE_S:
            halves = _halve(part, lambda text: [match.end() for match in _CLAUSE_END.finditer(text)], language)
        if len(halves) == 1 and length_s > MAX_SCENE_S:
            halves = _halve(part, lambda text: [match.end() for match in _CONJUNCTION.finditer(text)], language)
        if len(halves) == 1 and length_s > HARD_MAX_S:
            halves = _halve(part, lambda text: [match.end() for match in re.finditer(r"\s+", text)], language)
        if len(halves) == 1 and length_s > HARD_MAX_S:
            halves = _halve(part, lambda text: [match.end() for match in _UNSPACED_WORD_END.finditer(text)], language)
        if len(halves) == 1 and length_s > HARD_MAX_S:
            middle = _whole_char(part, len(part) // 2)
            halves = [part[:middle].strip(), part[middle:].strip()]
        if len(halves) == 1 or not all(halves):
            done.append(part)
        else:
            todo.extend(reversed(halves))
    return done


def _halve(text: str, boundaries: Callable[[str], list[int]], language: str) -> list[str]:
    """Two parts of at least MIN_SCENE_S each, as equal as the boundaries allow; the whole if there is no such cut."""
    middle = len(text) / 2
    for cut in sorted(boundaries(text), key=lambda place: abs(place - middle)):
        left, right = text[:cut].strip(), text[cut:].strip()
        if left and right and min(speech_s(left, language), speech_s(right, language)) >= MIN_SCENE_S:
            return [left, right]
    return [text]


def _whole_char(text: str, cut: int) -> int:
    """Move `cut` on so that no accent, joiner or variation selector is parted from its letter."""
    while 0 < cut < len(text) and (
        unicodedata.combining(text[cut]) or text[cut] in "\u200d\ufe0f" or text[cut - 1] == "\u200d"
    ):
        cut += 1
    return max(1, cut)


def _join_short(pieces: list[str], language: str) -> list[str]:
    joined: list[str] = []
    for index, piece in enumerate(pieces):
        following = pieces[index + 1] if index + 1 < len(pieces) else ""
        if joined and _belongs(joined[-1], piece, following, language):
            joined[-1] = join_texts(joined[-1], piece)
        else:
            joined.append(piece)
    if len(joined) > 1 and not word_count(joined[0]):
        joined[:2] = [join_texts(joined[0], joined[1])]
    last_two_s = [speech_s(piece, language) for piece in joined[-2:]]
    if len(joined) > 1 and last_two_s[1] < ALONE_S and sum(last_two_s) <= MAX_SCENE_S:
        joined[-2:] = [join_texts(*joined[-2:])]
    return joined


def join_texts(before: str, after: str) -> str:
    """Two texts as one, with a space between them unless they are written without spaces."""
    left = is_wide(before[-1:]) or (before[-1:] in "”’…—" and is_wide(before[-2:-1]))
    right = is_wide(after[:1]) or (after[:1] in "“‘…—" and is_wide(after[1:2]))
    return before + after if left and right else f"{before} {after}"


def _belongs(before: str, piece: str, following: str, language: str) -> bool:
    """Whether `piece` is spoken in the same scene as `before`: one of them is too short to stand alone."""
    if not word_count(piece):
        return True
    before_s, piece_s = speech_s(before, language), speech_s(piece, language)
    tiny = min(before_s, piece_s) < ALONE_S / 2
    if before_s + piece_s > (1.2 if tiny else 1.0) * MAX_SCENE_S:
        return False
    if before_s < ALONE_S:
        return True
    if piece_s >= ALONE_S:
        return False
    following_s = speech_s(following, language)
    if not following or piece_s + following_s > MAX_SCENE_S:
        return True
    leads_on = piece.endswith(("?", "？", ":", "："))
    return not leads_on and before_s <= following_s and before_s + piece_s <= MAX_SCENE_S
