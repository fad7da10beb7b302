"""Small pictures of a segment, taken while it is encoded -> where it is black or stands still, what it looks like.

They are taken before captions, bars and fades, which would hide a picture that stands still and show black where it is
wanted. Five a second, 64 pixels wide, cost less than a hundredth of the encode; decoding the finished video once
more would cost an eighth of it (measured at 1080p).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgend.models import PictureScan
from vidgend.pipeline.fingerprint import FLAT, print_of, signs_of

LONG_SIDE_PX = 64
PER_S = 5
BLACK_LUMA = 30
"""Black is 16, white 235. The darkest painted nights have a hundredth of their picture above 50 (measured)."""
STILL_STEPS = 3
"""Grey levels by which no place of a still picture changes in two seconds: what an encoder at crf 38 makes of one. In
the quietest moment of a street scene some place changed by 13 (measured)."""
SHORTEST_S = 0.5
ALIKE_BITS = 24
"""Of 255. For a failed check a scene is made anew, so it asks for more likeness than `fingerprint.ALIKE_BITS`.

The same clip scaled, lightened and encoded anew differs by 8 at most, two other clips by 94 at least, two paintings of
one theme by 68 (measured)."""

BLOCK = 256
"""So many prints are compared with all others at a time."""


def scan_size(width_px: int, height_px: int) -> tuple[int, int]:
    """(width, height) of the small pictures, even."""
    longest = max(width_px, height_px)
    return (
        max(16, round(LONG_SIDE_PX * width_px / longest / 2) * 2),
        max(16, round(LONG_SIDE_PX * height_px / longest / 2) * 2),
    )


def scan_every(fps: Fraction) -> int:
    """Every how many frames one is taken."""
    return max(1, round(fps / PER_S))


def read_scan(raw: bytes, *, size_px: tuple[int, int], frames: int, fps: Fraction) -> PictureScan:
    """What yuv420p frames of `size_px` show of a segment that is `frames` long."""
    width, height = size_px
    each = width * height * 3 // 2
    count = len(raw) // each
    luma = np.frombuffer(raw, np.uint8, count * each).reshape(count, each)[:, : width * height]
    return scan_of(luma.reshape(count, height, width), frames=frames, fps=fps)


def scan_of(luma: NDArray[np.uint8], *, frames: int, fps: Fraction) -> PictureScan:
    """The same, of uint8[count, height, width]."""
    every = scan_every(fps)
    dark = np.percentile(luma, 99, axis=(1, 2)) <= BLACK_LUMA if len(luma) else np.zeros(0, bool)
    count = len(luma)

    def stretches(runs: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        found = ((first * every, frames if last == count - 1 else last * every + 1) for first, last in runs)
        return tuple(one for one in found if (one[1] - one[0]) >= SHORTEST_S * fps)

    return PictureScan(
        black=stretches(_dark_runs(dark)),
        still=stretches(run for run in _still_runs(luma) if not dark[run[0]]),
        prints=tuple(print_of(one) for one in luma if one.std() >= FLAT),
    )


def _dark_runs(dark: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], dark, [False]]).astype(np.int8)))
    return [(int(first), int(after) - 1) for first, after in edges.reshape(-1, 2)]


def _still_runs(luma: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """(first, last) of pictures that look like the first of them. Compared with that one, not with the one before:
    what moves slowly is not still."""
    wide = luma.astype(np.int16)
    runs: list[tuple[int, int]] = []
    first = 0
    for at in range(1, len(wide) + 1):
        if at == len(wide) or np.abs(wide[at] - wide[first]).max() > STILL_STEPS:
            if at - 1 > first:
                runs.append((first, at - 1))
            first = at
    return runs


def differences(scans: Sequence[PictureScan | None]) -> NDArray[np.int_]:
    """By how many bits the most alike moments of each two of some scenes differ, int[scenes, scenes]; 255 where there
    is nothing to compare."""
    apart = np.full((len(scans), len(scans)), 255)
    having = [number for number, scan in enumerate(scans) if scan is not None and scan.prints]
    if not having:
        return apart
    signs = [signs_of(scan.prints) for scan in scans if scan is not None and scan.prints]
    every = np.concatenate(signs).T
    starts = np.cumsum([0, *(len(rows) for rows in signs[:-1])])
    for number, rows in zip(having, signs, strict=True):
        blocks = np.array_split(rows, -(-len(rows) // BLOCK))  # a long scene against a long film is a large product
        most_alike = np.maximum.reduce([(block @ every).max(axis=0) for block in blocks])
        equal_minus_different = np.maximum.reduceat(most_alike, starts)
        apart[number, having] = ((every.shape[0] - equal_minus_different) / 2).astype(int)
    return apart


def as_output(scan: PictureScan) -> dict[str, Any]:
    """As part of a step's output."""
    return asdict(scan)


def from_output(output: dict[str, Any]) -> PictureScan:
    return PictureScan(
        black=tuple((first, after) for first, after in output["black"]),
        still=tuple((first, after) for first, after in output["still"]),
        prints=tuple(output["prints"]),
    )
