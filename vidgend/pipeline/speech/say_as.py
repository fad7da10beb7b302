"""`<say-as>`: what is marked -> what is said for it, in the language of the text. Pure."""

from __future__ import annotations

import re
import unicodedata

from num2words import num2words

from vidgend.pipeline.speech.languages.grammar import Language
from vidgend.pipeline.speech.languages.select import language_rules
from vidgend.pipeline.speech.voices import primary

_ENGLISH_A = {"A": "ay", "a": "ay"}
"""Alone it would be read as the article."""
_GROUPS = re.compile(r"(?<=\d)[.,](?=\d{3}(?:\D|$))")


def say_as(kind: str, text: str, language: str) -> str:
    """ "" where the usual rules of the language say it as well (dates, times), or where the text is nothing of the
    kind."""
    if kind in ("characters", "spell-out"):
        letters = _ENGLISH_A if primary(language) == "en" else {}
        return " ".join(
            _number(cluster, language) or letters.get(cluster, cluster.upper()) for cluster in _characters(text)
        )
    if kind in ("digits", "telephone"):
        return " ".join(_number(cluster, language) or cluster for cluster in _characters(text))
    digits = _GROUPS.sub("", text)
    if kind in ("cardinal", "number", "ordinal") and re.fullmatch(r"-?\d{1,15}", digits):
        return _number(digits, language, ordinal=kind == "ordinal")
    return ""


def _characters(text: str) -> list[str]:
    """Letters with their marks, and digits."""
    found: list[str] = []
    for char in text:
        if char.isalnum():
            found.append(char)
        elif found and unicodedata.category(char)[0] == "M":
            found[-1] += char
    return found


def _number(digits: str, language: str, *, ordinal: bool = False) -> str:
    """ "" for what is no number, or in a language in which nobody here can say it."""
    if not re.fullmatch(r"-?\d+", digits):
        return ""
    value, rules = int(digits), language_rules(language)
    if isinstance(rules, Language) and value >= 0:
        return (rules.ordinal if ordinal else rules.cardinal)(value, "")
    try:
        said = str(num2words(value, lang=primary(language), to="ordinal" if ordinal else "cardinal"))
    except (NotImplementedError, OverflowError, ValueError, TypeError, KeyError, IndexError):
        return ""
    return " ".join(said.replace("-", " ").replace(",", " ").split())
