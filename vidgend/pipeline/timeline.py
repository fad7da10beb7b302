"""How long each scene is, and where its speech starts. Pure and exact: frames and samples, no seconds added up."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

from vidgend.timebase import SAMPLE_RATE_HZ, frames_to_samples, s_to_frames, s_to_samples

LEAD_S = Fraction(3, 10)
"""Picture before the first word of a scene."""
TAIL_S = Fraction(4, 10)
"""Picture after the last word of a scene."""
OPENING_S = Fraction(4, 10)
"""More lead for the first scene, which fades in."""
CLOSING_S = Fraction(12, 10)
"""More tail for the last scene, which fades out."""
SILENT_S = Fraction(5, 2)
"""The shortest scene without words."""


@dataclass(frozen=True, kw_only=True)
class SceneNeed:
    """What a scene must hold: its speech (48 kHz samples, 0 for none) and the caller's least length."""

    speech_samples: int
    min_duration_s: float = 0.0


def lead_s(index: int) -> Fraction:
    return LEAD_S + (OPENING_S if index == 0 else 0)


def needed_frames(index: int, count: int, need: SceneNeed, fps: Fraction) -> int:
    """Frames that scene `index` of `count` needs by itself."""
    if need.speech_samples:
        length_s = lead_s(index) + Fraction(need.speech_samples, SAMPLE_RATE_HZ) + TAIL_S
        if index == count - 1:
            length_s += CLOSING_S
    else:
        length_s = SILENT_S
    return s_to_frames(max(length_s, Fraction(need.min_duration_s)), fps)


def stretched_frames(needs: tuple[SceneNeed, ...], fps: Fraction, duration_s: float) -> tuple[int, ...]:
    """Frames of every scene so that the video lasts `duration_s`, if its words leave room for that.

    The free time fills the shorter scenes up first, to one common level, so that no scene drags while another one
    flashes by.
    """
    least = [needed_frames(i, len(needs), need, fps) for i, need in enumerate(needs)]
    target = s_to_frames(duration_s, fps)
    if sum(least) >= target:
        return tuple(least)
    levels = range(target + 1)
    level = bisect_right(levels, target, key=lambda level: sum(max(few, level) for few in least)) - 1
    frames = [max(few, level) for few in least]
    left = target - sum(frames)
    order = sorted(range(len(frames)), key=lambda i: frames[i])
    for number in range(left):
        frames[order[number % len(order)]] += 1
    return tuple(frames)


def speech_start_sample(start_frame: int, index: int, fps: Fraction) -> int:
    """Where the speech of scene `index` starts on the 48 kHz timeline."""
    return frames_to_samples(start_frame, fps) + s_to_samples(lead_s(index))
