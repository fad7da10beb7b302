"""Written words of any language -> their cores and the marks around them. Pure."""

from __future__ import annotations

import unicodedata

_OPENING = "\"“”„‟‘’‚'([{<«‹>»›*_`|•·¿¡「『（【《#"
_CLOSING = "\"“”„‟‘’'‚)]}>»›<«‹*_`|.,!?;:…—–-。、！？，：；।॥؟،؛۔」』）】》"
TERMINAL = frozenset(".!?…")

_REPLACED = {"’": "'", "ʼ": "'", "−": "-", "℃": "°C", "℉": "°F", "µ": "μ", "⁄": "/", "№": "#", "﹪": "%", "％": "%"}
_KEPT = frozenset("°\u200c\u200d")
_DROPPED = frozenset(("So", "Sk", "Cf", "Cs", "Co", "Cn", "Cc", "Me"))

_MARKS = (
    ("?", "?？؟"), ("!", "!！"), ("…", "…"), ("—", "—–"), (".", ".。।॥۔"), (":", ":："), (";", ";；؛"), (",", ",，、،"),
)  # fmt: skip
"""The mark that is spoken, and how it may be written; the strongest first."""


def clean(word: str) -> str:
    """Without emoji and what is not seen; accents stay, digits of any script become 0 to 9."""
    kept = []
    for char in unicodedata.normalize("NFC", word):
        if char.isdecimal():
            kept.append(str(unicodedata.decimal(char)))
        elif char in _KEPT or not (unicodedata.category(char) in _DROPPED or "\ufe00" <= char <= "\ufe0f"):
            kept.append(_REPLACED.get(char, char))
    return "".join(kept).strip("\u200c\u200d")


def take_apart(text: str) -> tuple[str, str]:
    """The core of a clean word and what closes it; what opens it is not said."""
    opened = text.lstrip(_OPENING)
    if text.startswith("#") and opened[:1].isalnum():
        opened = "#" + opened
    core = opened.rstrip(_CLOSING)
    return core, opened[len(core) :] if core else text


def mark_of(closing: str) -> str:
    """The one mark that the tune needs: the strongest of what is written, or ""."""
    if "..." in closing and not set("?!？！") & set(closing):
        return "…"
    for mark, written in _MARKS:
        if any(char in closing for char in written):
            return mark
    return "—" if "--" in closing else ""
