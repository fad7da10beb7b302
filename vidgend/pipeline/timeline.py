"""How long each scene is, where its speech starts, and which frames are transitions. Pure and exact: frames and
samples, no seconds added up.

A transition lies over the cut between two scenes, half of it before and half after. It takes pictures, not time: scenes
begin where they would begin without it, so speech and captions do not move. For that a scene's picture, its shot, runs
on past the cut: it is as long as the scene and the other halves of its two transitions.

    time      |------ scene 1 ------|------ scene 2 ------|
    shot 1    [=====================--]
    shot 2                       [--=======================--]
    encoded   [      body 1      ][ ][      body 2       ][ ]...
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

from vidgend.models import Transition
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
FADE_S = Fraction(1, 2)
"""Fade from black at the start of a video and to black at its end."""
FEWEST_FRAMES = 4
"""A shorter transition would look like a fault: it becomes a cut."""


@dataclass(frozen=True, kw_only=True)
class SceneNeed:
    """What a scene must hold: its speech (48 kHz samples, 0 for none) and the caller's least length.

    `pace` above 1 shortens what is free in it: the pause after the words, or a scene without any. `recorded`: it is a
    piece of a voice-over, which has its own pauses and is followed at once by the next one.
    """

    speech_samples: int
    min_duration_s: float = 0.0
    pace: float = 1.0
    recorded: bool = False


def lead_s(index: int, *, recorded: bool = False) -> Fraction:
    return LEAD_S + OPENING_S if index == 0 else LEAD_S * (not recorded)


def needed_frames(index: int, count: int, need: SceneNeed, fps: Fraction) -> int:
    """Frames that scene `index` of `count` needs by itself."""
    pace = Fraction(need.pace)
    if need.recorded:
        # It was cut where a frame begins; that this sample was rounded makes it no frame longer.
        length_s = lead_s(index, recorded=True) + Fraction(need.speech_samples - 1, SAMPLE_RATE_HZ)
        if index == count - 1:
            length_s += TAIL_S / pace + CLOSING_S
    elif need.speech_samples:
        length_s = lead_s(index) + Fraction(need.speech_samples, SAMPLE_RATE_HZ) + TAIL_S / pace
        if index == count - 1:
            length_s += CLOSING_S
    else:
        length_s = SILENT_S / pace
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


def speech_start_sample(start_frame: int, index: int, fps: Fraction, *, recorded: bool = False) -> int:
    """Where the speech of scene `index` starts on the 48 kHz timeline."""
    return frames_to_samples(start_frame, fps) + s_to_samples(lead_s(index, recorded=recorded))


def fade_frames(fps: Fraction) -> int:
    return max(1, round(fps * FADE_S))


def wished_frames(wish: Transition, fps: Fraction) -> int:
    """Frames of a transition as wished; 0 for a cut."""
    frames = round(fps * Fraction(wish.duration_s)) if wish.kind != "cut" else 0
    return frames if frames >= FEWEST_FRAMES else 0


def transition_frames(wish: Transition, index: int, count: int, frames: tuple[int, int], fps: Fraction) -> int:
    """Frames of the transition from scene `index` of `count` to the next one; `frames` are the lengths of the two.

    As wished, or as many as leave each scene a picture of its own (and the video its fades); 0 is a cut.
    """
    possible = min(2 * _room(index, count, frames[0], fps), 2 * _room(index + 1, count, frames[1], fps))
    wished = min(wished_frames(wish, fps), possible)
    return wished if wished >= FEWEST_FRAMES else 0


def fits_anywhere(wish: Transition, pace: float, fps: Fraction) -> bool:
    """Whether a transition has room between any two scenes, so that one need not know how long they are."""
    needs = [SceneNeed(speech_samples=samples, pace=pace) for samples in (0, 1)]
    shortest = min(
        _room(index, 3, needed_frames(index, 3, need, fps), fps) for index in range(3) for need in needs
    )  # fmt: skip
    return wished_frames(wish, fps) <= 2 * shortest


def _room(index: int, count: int, frames: int, fps: Fraction) -> int:
    """Frames that a scene can give to the transition at either end of it."""
    fades = fade_frames(fps) * ((index == 0) + (index == count - 1))
    return max(0, (frames - fades - 1) // 2)


@dataclass(frozen=True, kw_only=True)
class Shot:
    """The picture of one scene: `frames` that are seen of it, `start` of them before the scene begins.

    Its first `head` frames are in the transition before it, its last `tail` ones in the transition after it.
    """

    frames: int
    start: int = 0
    head: int = 0
    tail: int = 0

    @property
    def body_frames(self) -> int:
        return self.frames - self.head - self.tail


def shot_of(scene_frames: int, *, before: int, after: int) -> Shot:
    """The shot of a scene between transitions of `before` and `after` frames."""
    start = before // 2
    return Shot(frames=start + scene_frames + after - after // 2, start=start, head=before, tail=after)
