"""Crisp shapes at full size: polygons to smooth-edged masks, and masks laid over the finished frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vidgend.pipeline.footage.paint.canvas import Field, Rgb

_SUB = 4
"""Scan lines per row of pixels; across, coverage is exact."""
BLOCK_PX = 32
"""Shapes are laid down in bands and steps of this size, so that empty parts of the frame cost nothing."""


def fill(width_px: int, height_px: int, polygons: Sequence[NDArray[np.float64]]) -> Field:
    """float32[height, width], 0..1: the union of all polygons.

    Each entry is float64[n, points, 2] (n polygons of as many points, x then y in pixels) or float64[points, 2].
    """
    starts, ends = [], []
    for entry in polygons:
        many = entry if entry.ndim == 3 else entry[None]
        after = np.roll(many, -1, axis=1)
        area = np.sum(many[..., 0] * after[..., 1] - after[..., 0] * many[..., 1], axis=1)
        # One sense of rotation for all, so that overlaps add up instead of cancelling out.
        many = np.where(area[:, None, None] < 0, many[:, ::-1], many)
        starts.append(many.reshape(-1, 2))
        ends.append(np.roll(many, -1, axis=1).reshape(-1, 2))
    a, b = np.concatenate(starts), np.concatenate(ends)
    down = a[:, 1] < b[:, 1]
    top = np.where(down[:, None], a, b)
    low = np.where(down[:, None], b, a)
    first = np.clip(np.ceil(top[:, 1] * _SUB - 0.5), 0, height_px * _SUB).astype(np.int64)
    last = np.clip(np.ceil(low[:, 1] * _SUB - 0.5), 0, height_px * _SUB).astype(np.int64)
    count = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(a)), count)
    line = np.arange(edge.size) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    slope = (low[:, 0] - top[:, 0]) / np.where(count > 0, low[:, 1] - top[:, 1], 1)
    x = np.clip(top[edge, 0] + ((line + 0.5) / _SUB - top[edge, 1]) * slope[edge], 0, width_px)
    whole = x.astype(np.int64)
    part = x - whole
    sign = np.where(down, 1.0, -1.0)[edge]
    size = (width_px + 2) * height_px * _SUB
    at = line * (width_px + 2) + whole
    change = np.bincount(at, sign * (1 - part), size) + np.bincount(at + 1, sign * part, size)
    cover = np.abs(np.cumsum(change.reshape(height_px * _SUB, width_px + 2), axis=1, dtype=np.float32))
    cover = np.minimum(cover[:, :width_px], 1)
    mask: Field = cover.reshape(height_px, _SUB, width_px).mean(axis=1)
    return mask


def runs(mask: Field) -> list[tuple[int, int, int]]:
    """Where a mask is not empty: (top row, first column, end column) of bands BLOCK_PX high, in steps as wide."""
    rows, columns = mask.shape
    found: list[tuple[int, int, int]] = []
    for top in range(0, rows, BLOCK_PX):
        used = mask[top : top + BLOCK_PX].max(axis=0) > 0
        padded = np.zeros(-(-columns // BLOCK_PX) * BLOCK_PX, bool)
        padded[:columns] = used
        blocks = np.concatenate([[False], padded.reshape(-1, BLOCK_PX).any(axis=1), [False]])
        change = np.nonzero(blocks[1:] != blocks[:-1])[0] * BLOCK_PX
        found.extend(
            (top, int(first), int(min(last, columns))) for first, last in zip(change[::2], change[1::2], strict=True)
        )
    return found


class Silhouette:
    """A shape in one colour that moves through a few drawn phases and back, blended so that no step shows.

    `phases` are masks float32[height, width] of one size, from one end of the swing to the other;
    `corner` is where their top left lies in the frame, (x, y) in pixels.
    """

    def __init__(
        self, phases: Sequence[Field], tint: Rgb, *, corner: tuple[int, int] = (0, 0), period_s: float = 6.0,
        shift: float = 0.0,
    ) -> None:  # fmt: skip
        self._x, self._y = corner
        self._runs = runs(np.max(phases, axis=0))
        self._clear = [np.repeat((255 - 255 * mask).astype(np.uint16), 3, axis=1) for mask in phases]
        self._tint = np.tile((np.array(tint) * 255).astype(np.uint16), phases[0].shape[1])
        self._period_s, self._shift = period_s, shift

    def draw(self, frame: NDArray[np.uint8], t_s: float) -> None:
        flat = frame.reshape(frame.shape[0], -1)
        first_phase, part = self._moment(t_s)
        one, other = self._clear[first_phase], self._clear[min(first_phase + 1, len(self._clear) - 1)]
        for top, first, last in self._runs:
            place = (slice(top, top + BLOCK_PX), slice(first * 3, last * 3))
            clear = one[place]
            if part:
                clear = clear * (np.uint16(256) - part)
                clear += other[place] * part
                clear >>= np.uint16(8)
            region = flat[self._y + top : self._y + top + BLOCK_PX, (self._x + first) * 3 : (self._x + last) * 3]
            base = (255 - clear) * self._tint[first * 3 : last * 3]
            base += clear * region
            base += base >> np.uint16(8)
            base >>= np.uint16(8)
            np.copyto(region, base, casting="unsafe")

    def _moment(self, t_s: float) -> tuple[int, np.uint16]:
        """The phase to show, and how much of the next is mixed in (0..256)."""
        if len(self._clear) == 1:
            return 0, np.uint16(0)
        swing = 0.5 + 0.36 * np.sin(2 * np.pi * t_s / self._period_s + self._shift)
        swing += 0.14 * np.sin(2 * np.pi * t_s / (self._period_s * 0.37) + 2 * self._shift)
        place = float(np.clip(swing, 0, 1)) * (len(self._clear) - 1)
        first = min(int(place), len(self._clear) - 2)
        return first, np.uint16(round((place - first) * 256))
