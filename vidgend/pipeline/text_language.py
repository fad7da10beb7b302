"""The language of a request: the one that it names, else its voice's, else the one that its text is written in.

A text tells its language by its script (Cyrillic, kana), and in Latin letters by its most common words. That is sure
for a sentence or two and needs no model: the best known ones take 80 MB and a second to load (docs/adr/0014).
"""

from __future__ import annotations

import re

from vidgend.models import Brief
from vidgend.pipeline.speech.blend import BadBlend, parse_blend
from vidgend.pipeline.speech.markup import plain
from vidgend.pipeline.speech.voices import known_voice, primary
from vidgend.pipeline.vocabulary import STOP_WORDS, words_of

_LANGUAGE_TAG = re.compile(r"([a-z]{2,3})(?:-[A-Za-z]{2,4})?(?:-|$)")
_SENTENCE_END = re.compile(r"[.!?…:\n]+")
_LOOKED_AT_CHARS = 4000
LEAST_COMMON, COMMON_SHARE, AHEAD = 3, 0.25, 2.0
"""So many of the words have to be common ones of a language, so large a share, and so many times as many as of the
second language, or `LEAST_COMMON` more."""
_MIXED_SHARE, _MIXED_LEAST = 0.25, 3
"""A text with so large a share of them, and so many, in the language that is expected may be a quotation in it."""
_DENSE = ("ja", "ko", "zh")
"""Scripts in which a few characters are many words."""
_SCRIPTS = (
    ("ja", re.compile(r"[\u3041-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ru", re.compile(r"[\u0430-\u044f]")),
    ("el", re.compile(r"[\u03b1-\u03c9]")),
    ("ar", re.compile(r"[\u0621-\u064a]")),
    ("he", re.compile(r"[\u05d0-\u05ea]")),
    ("th", re.compile(r"[\u0e01-\u0e4e]")),
    ("ka", re.compile(r"[\u10a0-\u10ff]")),
    ("hy", re.compile(r"[\u0531-\u0587]")),
    ("bn", re.compile(r"[\u0985-\u09b9]")),
    ("ta", re.compile(r"[\u0b85-\u0bb9]")),
    ("te", re.compile(r"[\u0c05-\u0c39]")),
    ("my", re.compile(r"[\u1000-\u104f]")),
    ("am", re.compile(r"[\u1200-\u135a]")),
    ("km", re.compile(r"[\u1780-\u17d3]")),
    ("hi", re.compile(r"[\u0905-\u0939]")),
)


def has_own_text(brief: Brief) -> bool:
    """Whether a request says word for word what is spoken; else there is but an idea, or a recording tells."""
    return bool(brief.script or brief.scenes)


def brief_language(brief: Brief) -> str:
    """The language asked for; else that of the script the text is written in; else the voice's; else English."""
    return brief.language or script_language(brief) or voice_language(brief.voice) or "en"


def given_language(brief: Brief, *, voice_given: bool) -> str | None:
    """What `brief.language` should be for a request that names none: that of its text, if nothing else tells or if
    what is read word for word would be read by a voice of another language; None to leave it as it is.

    With `voice_given` a mere idea may be in another language than the narration that is wished for.
    """
    if brief.language is not None:
        return brief.language
    if voice_given and not has_own_text(brief):
        return None
    expected = voice_language(brief.voice) or "en"
    found = text_language(_text(brief), expected=expected)
    return found if found != expected else None


def voice_language(voice: str) -> str | None:
    """The language of a voice, without its region, by its id, its tag or the first of a blend; None if its name does
    not tell."""
    try:
        parts = parse_blend(voice)
    except BadBlend:
        parts = None
    known = known_voice(parts[0][0] if parts else voice)
    match = _LANGUAGE_TAG.match(voice.strip())
    return primary(known.language) if known else match[1] if match else None


def script_language(brief: Brief) -> str | None:
    """The language that the text's letters give away; None for those that share the Latin alphabet."""
    return _by_script(_text(brief))


def text_language(text: str, *, expected: str = "en") -> str | None:
    """The language of a text; None if it is too short or too mixed to be sure that it is another than `expected`."""
    text = text[:_LOOKED_AT_CHARS]
    by_script = _by_script(text)
    if by_script is not None:
        return by_script
    sentences = [words_of(part) for part in _SENTENCE_END.split(text.replace("'", " ").replace("’", " "))]
    words = [word for sentence in sentences for word in sentence]
    # With a capital, and not at the beginning of a sentence, it is part of a name: Los Angeles, La Paz.
    common = [
        word.casefold()
        for sentence in sentences
        for number, word in enumerate(sentence)
        if not number or word.islower() or text.isupper()
    ]
    counts = {code: sum(word in table for word in common) for code, table in STOP_WORDS.items()}
    best, second = sorted(counts, key=lambda code: -counts[code])[:2]
    most = counts[best]
    sure = most >= LEAST_COMMON and most >= COMMON_SHARE * sum(not word.isdecimal() for word in words)
    ahead = most >= min(AHEAD * counts[second], counts[second] + LEAST_COMMON)
    mixed = best != expected and counts.get(expected, 0) >= max(_MIXED_LEAST, _MIXED_SHARE * most)
    return best if sure and ahead and not mixed else None


def can_be_told(language: str) -> bool:
    """Whether `text_language` can find it. Of a text in another language (BCP-47) it finds that language's kin: Spanish
    of Catalan, Russian of Ukrainian, Arabic of Persian."""
    return primary(language) in {*STOP_WORDS, *(code for code, _ in _SCRIPTS)}


def written_in_own_letters(text: str, language: str) -> bool:
    """False for a text in Latin letters that should be in a language with letters of its own."""
    own = primary(language) in {code for code, _ in _SCRIPTS}
    return not own or not any(map(str.isalpha, text)) or _by_script(text[:_LOOKED_AT_CHARS]) is not None


def unreadable_as(brief: Brief) -> str | None:
    """The language in whose letters the text is, if it was said to be in one with Latin letters; else None."""
    said, found = primary(brief.language or ""), script_language(brief)
    return found if said in STOP_WORDS else None


def _by_script(text: str) -> str | None:
    text = text.casefold()
    letters_of_all = sum(map(str.isalpha, text))
    for code, letters in _SCRIPTS:
        least = 0.2 if code in _DENSE else 0.5
        if letters_of_all and len(letters.findall(text)) >= least * letters_of_all:
            return code
    return None


def _text(brief: Brief) -> str:
    texts = [brief.prompt, brief.script or "", *(scene.narration for scene in brief.scenes)]
    return plain(" ".join(texts)[:_LOOKED_AT_CHARS])
