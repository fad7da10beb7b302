"""Languages: as requests name them (BCP-47) and as Whisper does, and which of them it knows. Pure."""

from __future__ import annotations

from vidgend.pipeline.speech.voices import primary

CODES = frozenset(
    """
    af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is
    it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk
    sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo zh
    """.split()
)
"""What every model for many languages knows. Source: faster-whisper 1.2.1, tokenizer.py; without `yue`, which only
large-v3 has."""

_OTHERWISE = {"nb": "no", "fil": "tl", "jv": "jw", "iw": "he", "in": "id", "ji": "yi", "cmn": "zh", "yue": "zh"}
"""What Whisper calls otherwise. Cantonese is written with the same signs."""
_TAGS = {"no": "nb", "tl": "fil", "jw": "jv"}


def code_of(language: str) -> str | None:
    """What Whisper calls a BCP-47 language; None if it does not know it."""
    own = primary(language)
    code = _OTHERWISE.get(own, own)
    return code if code in CODES else None


def tag_of(code: str) -> str:
    """The BCP-47 tag of what Whisper calls a language."""
    return _TAGS.get(code, code)
