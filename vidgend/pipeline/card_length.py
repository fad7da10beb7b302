"""How long the closing card is (`credits_to_card.py`). Pure."""

from __future__ import annotations

from fractions import Fraction

from vidgend.models import Brief
from vidgend.timebase import s_to_frames

SHORTEST_S, A_SCENE_S, LONGEST_S = Fraction(3), Fraction(1, 2), Fraction(8)
"""Time for the card itself, and to read one name for each scene."""


def card_frames(brief: Brief, scenes: int) -> int:
    """Of the card of a video of so many scenes; 0 without one."""
    return s_to_frames(min(LONGEST_S, SHORTEST_S + A_SCENE_S * scenes), brief.frame_rate) if brief.credits_card else 0
