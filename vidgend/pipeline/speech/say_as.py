"""`<say-as>`: a word -> what is said for it, in the language of the text. Pure."""

from __future__ import annotations

import re

from num2words import num2words

_ENGLISH_A = {"A": "ay", "a": "ay"}
"""Alone it would be read as the article."""


def say_as(kind: str, text: str, language: str) -> str:
    """ "" where the usual rules of the language say it as well (dates, times), or where the text is nothing of the
    kind."""
    code = language.replace("_", "-").split("-")[0].lower()
    if kind in ("characters", "spell-out"):
        letters = _ENGLISH_A if code == "en" else {}
        return " ".join(_number(char, code) or letters.get(char, char.upper()) for char in text if char.isalnum())
    if kind in ("digits", "telephone"):
        return " ".join(_number(char, code) or char for char in text if char.isalnum())
    digits = re.sub(r"(?<=\d)[.,](?=\d{3}(?:\D|$))", "", text)
    if kind in ("cardinal", "number", "ordinal") and re.fullmatch(r"-?\d{1,15}", digits):
        return _number(digits, code, to="ordinal" if kind == "ordinal" else "cardinal")
    return ""


def _number(digits: str, code: str, to: str = "cardinal") -> str:
    """ "" for what is no number, or in a language in which nobody here can say it."""
    if not re.fullmatch(r"-?\d+", digits):
        return ""
    try:
        said = str(num2words(int(digits), lang=code, to=to))
    except (NotImplementedError, OverflowError, ValueError, TypeError, KeyError, IndexError):
        return ""
    return " ".join(said.replace("-", " ").replace(",", " ").split())
