"""Words that a prompt says to the maker of the video and that nobody wants to hear spoken.

English only, and only at the start: `Make a 30 second video about X`, `Create a cinematic clip of X`, `Tell me about
X`; and, where the prompt is too short to be a script, `A short film about X`, `Explain how X works`, `Show the X`.
After such a start, later sentences that give directions (`Use a calm voice.`, `Add upbeat music.`, `Keep it short.`)
are dropped as well. A prompt that does not begin this way is taken as it stands.
"""

from __future__ import annotations

import re

_POLITE = (
    r"(?:(?:please|hey|hi|hello|kindly|can you|could you|would you|will you|i want you to|i need you to|let's|let us|"
    r"i want to|i'd like to|i would like to|i'd like you to|i would like you to)[\s,]+){0,3}"
)
_VERB = (
    r"(?:make|create|generate|produce|render|build|write|do|film|prepare|design|give|show|craft|develop|"
    r"i want|i need|i'd like|i would like|we need|we want)"
)
_THING = (
    r"(?:video|videos|clip|film|movie|short|reel|documentary|animation|story|montage|tiktok|explainer|slideshow|"
    r"presentation|trailer|ad|advert|advertisement|commercial|vlog|promo|teaser|infomercial|narration|script)"
)
_LINK = (
    r"(?:\s*[:–—]\s*|\s+(?:about|of|on|showing|featuring|explaining|describing|depicting|where|in which|titled|called|"
    r"with|for|that\s+(?:shows|explains|describes|tells|is about|talks about|covers|features))"
    r"\s+(?:the (?:topic|subject|theme) of\s+)?)"
)
_ADJECTIVES = r"(?:[\w\-'’.]+[\s,]+){0,8}?"
_ORDERS = (
    re.compile(rf"{_POLITE}{_VERB}\s+(?:me\s+|us\s+)?{_ADJECTIVES}{_THING}{_LINK}", re.IGNORECASE),
    re.compile(
        rf"{_POLITE}(?:tell (?:me|us)(?: a story)?|talk|teach (?:me|us)|inform (?:me|us)|write)\s+(?:about|on)\s+",
        re.IGNORECASE,
    ),
)
"""Plainly said to the maker, even before a longer text."""
_LEADS = (
    *_ORDERS,
    re.compile(
        rf"(?:an?\s+|the\s+)?(?:[\w\-'’.]+\s+){{0,4}}?(?:video|clip|film|reel|documentary){_LINK}", re.IGNORECASE
    ),
    re.compile(rf"{_POLITE}(?:show|depict|visuali[sz]e)\s+(?:me\s+|us\s+)?(?=(?:the|an?|some)\s)", re.IGNORECASE),
    re.compile(rf"{_POLITE}(?:explain|describe)(?:\s+to (?:me|us))?[:,]?\s+", re.IGNORECASE),
)
_DIRECTION = re.compile(
    r"(?:please\s+)?(?:"
    r"(?:use|add|include|insert|apply|choose|put)\b.*\b(?:music|voice|narration|narrator|voiceover|voice-over|captions|"
    r"subtitles|tone|style|transitions|footage|clips|images|visuals|effects|soundtrack|font|colors|colours)\b"
    r"|(?:make|keep)\s+(?:it|the video|this|sure)\b"
    r"|(?:it|the (?:video|tone|style|music|voice|narration|length|duration|audience|narrator))\s+"
    r"(?:should|must|needs to|has to|is)\b"
    r"|(?:style|tone|mood|length|duration|format|audience|target audience|music|voice|aspect ratio|language)\s*[:=]"
    r"|(?:no|without)\s+(?:music|captions|subtitles|narration|voice)\b"
    r")",
    re.IGNORECASE,
)
_DURATION = re.compile(r"\b(\d{1,4}(?:\.\d)?)\s*[-‐–]?\s*(s|secs?|seconds?|m|mins?|minutes?)\b", re.IGNORECASE)
_HEAD_CHARS = 300


def strip_lead(prompt: str, *, orders_only: bool = False) -> tuple[str, bool]:
    """The prompt without its order to the maker, first letter capital, and whether there was one.

    `orders_only` leaves starts alone that a text to be read out may have too (`A film about the war was shown.`).
    """
    text = prompt.strip()
    for pattern in _ORDERS if orders_only else _LEADS:
        match = pattern.match(text[:_HEAD_CHARS])
        rest = text[match.end() :].lstrip(" ,:;-–—\"'“”") if match else ""
        if rest:
            return rest[0].upper() + rest[1:], True
    return text, False


def is_direction(sentence: str) -> bool:
    """Whether a sentence tells the maker what to do instead of the viewer what is so."""
    return _DIRECTION.match(sentence) is not None


def prompt_duration_s(prompt: str) -> float | None:
    """A length in seconds that the order at the start names (`Make a 30 second video about ...`), 1..3600, or None."""
    text = prompt.strip()
    for pattern in (_LEADS[0], _LEADS[2]):
        match = pattern.match(text[:_HEAD_CHARS])
        found = _DURATION.search(match.group()) if match else None
        if found:
            seconds = float(found.group(1)) * (60 if found.group(2).lower().startswith("m") else 1)
            return seconds if 1 <= seconds <= 3600 else None
    return None
