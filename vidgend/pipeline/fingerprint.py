"""What a picture looks like, as a short print that survives scaling, encoding and small crops; which two are copies.

A print is 64 hex digits: which of the 255 slowest waves of a picture (a cosine transform) are stronger than their
median. A clip has up to `FRAMES` of them, from frames that the quick look at it decodes anyway.

Measured on nine real clips and fifteen copies of each: the most alike frames of two differ by so many of 255 bits,

    scaled to 480 or 240 lines, crf 35 and 40, brighter, 24 fps   2..44
    the first second cut off, also scaled and encoded anew        4..32
    3 or 5 % of the picture cut off, at a corner too             20..67
    black bars of a tenth above and below                        44..59
    10 % cut off                                                 38..87: two of three are found
    two other clips                                             101..120
    two paintings of one theme                                   76..112
    mirrored; the middle of it in 9:16 or 1:1                    79..116: not told from another clip
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FRAMES = 8
"""Prints of a clip. With three, a copy whose first second is cut off differed by up to 70 bits, with eight by 32."""
ALIKE_BITS = 70
"""Of 255: up to here two pictures are copies (above). Whoever looks for the very same picture may ask for less."""
NOTHING_BITS = 255
"""Where there is nothing to compare."""
FLAT = 6.0
"""Spread of the grey levels below which a picture has too little in it to be recognised."""
_WAVES = 16


def print_of(luma: NDArray[np.generic]) -> str:
    """The print of a grey picture, uint8 or float[height, width], scaled down to about 64 px by averaging: the same
    for a copy of it that is scaled, lightened or encoded anew."""
    down, across = (np.cos(np.pi * np.outer(np.arange(_WAVES), np.arange(side) + 0.5) / side) for side in luma.shape)
    waves = (down @ luma.astype(np.float64) @ across.T).ravel()
    waves[0] = 0.0  # how bright it is
    return np.packbits(waves > np.median(waves[1:])).tobytes().hex()


def moments(count: int) -> NDArray[np.int_]:
    """Which of so many frames are printed: at most `FRAMES`, spread evenly."""
    if count <= FRAMES:
        return np.arange(count)
    return np.linspace(0, count - 1, FRAMES + 2)[1:-1].round().astype(int)


def prints_of(luma: NDArray[np.generic]) -> tuple[str, ...]:
    """Of grey frames, [count, height, width], each print once; () if all of them are flat."""
    return tuple(dict.fromkeys(print_of(one) for one in luma if one.std() >= FLAT))


def average_rgb(frames: NDArray[np.uint8]) -> str:
    """`#rrggbb`, the mean of RGB frames, uint8[..., 3]."""
    mean = frames.reshape(-1, 3).mean(axis=0).round().astype(int)
    return "#" + "".join(f"{value:02x}" for value in mean)


def distance(one: Sequence[str], two: Sequence[str]) -> int:
    """By how many of 255 bits the most alike moments of two clips differ; `NOTHING_BITS` if one has no prints."""
    if not one or not two:
        return NOTHING_BITS
    equal_minus_different = (signs_of(one) @ signs_of(two).T).max()
    return int((_WAVES * _WAVES - equal_minus_different) / 2)


def alike(one: Sequence[str], two: Sequence[str], bits: int = ALIKE_BITS) -> bool:
    """Whether one of two clips (or photos, or previews) is a copy of the other, or of a part of it."""
    return distance(one, two) <= bits


def signs_of(prints: Sequence[str]) -> NDArray[np.float32]:
    """float32[prints, 256] of 1 and -1: the product of two is the number of equal bits less that of different ones."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex("".join(prints)), np.uint8))
    return np.asarray(bits.reshape(len(prints), -1).astype(np.float32) * 2 - 1)
