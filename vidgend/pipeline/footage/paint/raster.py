"""Crisp shapes at full size: polygons to smooth-edged masks, and masks laid over the finished frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vidgend.pipeline.footage.paint.canvas import Field, Rgb

_SUB = 4
"""Scan lines per row of pixels; across, coverage is exact."""


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
    return cover.reshape(height_px, _SUB, width_px).mean(axis=1)


class Silhouette:
    """A shape in one colour that moves through a few drawn phases and back, blended so that no step shows.

    `phases` are masks float32[height, width] of one size, from one end of the swing to the other;
    `corner` is where their top left lies in the frame, (x, y) in pixels.
    """

    def __init__(
        self, phases: Sequence[Field], tint: Rgb, *, corner: tuple[int, int] = (0, 0), period_s: float = 6.0,
        shift: float = 0.0,
    ) -> None:  # fmt: skip
        rows = np.nonzero(np.max([mask.max(axis=1) for mask in phases], axis=0) > 0)[0]
        columns = np.nonzero(np.max([mask.max(axis=0) for mask in phases], axis=0) > 0)[0]
        if not rows.size:
            rows = columns = np.array([0])
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        self._x, self._y = corner[0] + int(left), corner[1] + int(top)
        self._clear = [
            np.repeat((255 - 255 * mask[top:bottom, left:right]).astype(np.uint16), 3, axis=1) for mask in phases
        ]
        self._tint = np.tile((np.array(tint) * 255).astype(np.uint16), int(right - left))
        self._period_s, self._shift = period_s, shift
        self._buffer = np.empty_like(self._clear[0])
        self._still = len(phases) == 1
        if self._still:
            self._base = (255 - self._clear[0]) * self._tint + 127

    def draw(self, frame: NDArray[np.uint8], t_s: float) -> None:
        height, width3 = self._buffer.shape
        region = frame.reshape(frame.shape[0], -1)[
            self._y : self._y + height, self._x * 3 : self._x * 3 + width3
        ]
        buffer = self._buffer
        if self._still:
            clear, base = self._clear[0], self._base
        else:
            clear = self._at(t_s)
            base = (255 - clear) * self._tint
        np.multiply(clear, region, out=buffer)
        buffer += base
        buffer += buffer >> np.uint16(8)
        buffer >>= np.uint16(8)
        np.copyto(region, buffer, casting="unsafe")

    def _at(self, t_s: float) -> NDArray[np.uint16]:
        swing = 0.5 + 0.36 * np.sin(2 * np.pi * t_s / self._period_s + self._shift)
        swing += 0.14 * np.sin(2 * np.pi * t_s / (self._period_s * 0.37) + 2 * self._shift)
        place = float(np.clip(swing, 0, 1)) * (len(self._clear) - 1)
        first = min(int(place), len(self._clear) - 2)
        part = np.uint16(round((place - first) * 256))
        blend: NDArray[np.uint16] = self._clear[first] * (np.uint16(256) - part)
        blend += self._clear[first + 1] * part
        blend >>= np.uint16(8)
        return blend
