"""Voices mixed from others: `af_heart:0.6+af_bella:0.4`. A share that is not said is 1; all together make 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

MOST_VOICES = 8
_DIGITS = 3


class BadBlend(ValueError):
    """What is wrong with it, in words."""


def parse_blend(text: str) -> tuple[tuple[str, float], ...] | None:
    """(voice, share) for each of them, the shares summing up to 1; None if it is one voice's name. Raises: BadBlend."""
    if "+" not in text:
        return None
    shares: dict[str, float] = {}
    for part in text.split("+"):
        name, colon, number = (piece.strip() for piece in part.partition(":"))
        if not name or name in shares:
            raise BadBlend(f"the blend {text!r} names {'a voice twice' if name else 'no voice between its signs'}")
        shares[name] = _share(number, text) if colon else 1.0
    if len(shares) > MOST_VOICES:
        raise BadBlend(f"a blend has up to {MOST_VOICES} voices")
    total = sum(shares.values())
    if any(round(share / total, _DIGITS) == 0 for share in shares.values()):
        raise BadBlend(f"the blend {text!r} gives a voice less than a thousandth")
    return tuple((name, share / total) for name, share in shares.items())


def _share(number: str, text: str) -> float:
    try:
        share = float(number)
    except ValueError:
        share = math.nan
    if not 0 < share <= 100:
        raise BadBlend(f"the blend {text!r} gives a voice a share that is no number above 0, up to 100")
    return share


def blend_id(parts: tuple[tuple[str, float], ...]) -> str:
    """One name for all ways to write a blend, so that the same one is spoken once."""
    return "+".join(f"{name}:{round(share, _DIGITS):g}" for name, share in sorted(parts))


def blended(voice: str, style: Callable[[str], Any]) -> Any:
    """The table of a voice, or the mean of those of a blend, each by its share. `style` gives one voice's table."""
    parts = parse_blend(voice)
    return style(voice) if parts is None else sum(style(name) * share for name, share in parts)
