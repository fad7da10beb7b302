"""A flock far away: small crisp silhouettes that beat their wings and cross the frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidgend.pipeline.footage.paint.canvas import Field, Rgb
from vidgend.pipeline.footage.paint.raster import fill
from vidgend.pipeline.footage.paint.setting import Setting

_BEATS = 12
"""Drawn positions of one half beat, from wings up to wings down."""


class Flock:
    def __init__(self, setting: Setting, tint: Rgb, count: int = 17) -> None:
        canvas, rng = setting.canvas, setting.rng
        unit = canvas.unit * 2
        self._w, self._h, self._unit = canvas.full_width_px, canvas.full_height_px, unit
        self._tint = (np.array(tint) * 255).astype(np.float32)
        near = np.sort(rng.uniform(0.45, 1.0, count))
        place = np.arange(count) - (count - 1) / 2
        self._x = -np.abs(place) * 0.052 + rng.uniform(-0.025, 0.025, count)
        self._y = place * 0.026 + rng.uniform(-0.02, 0.02, count)
        self._rate = rng.uniform(0.9, 1.25, count)
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._sizes = near
        self._high = float(rng.uniform(0.30, 0.44))
        self._sprites = [
            [_bird(unit * 0.030 * size, beat / (_BEATS - 1) * 2 - 1) for beat in range(_BEATS)]
            for size in (0.55, 0.75, 1.0)
        ]

    def draw(self, frame: NDArray[np.uint8], t_s: float) -> None:
        span = self._w / self._unit + 0.9
        lead = (0.62 * span + 0.045 * t_s) % (span + 0.35)
        for n in range(len(self._x)):
            drift = 0.010 * np.sin(0.5 * t_s + self._phase[n])
            x = (lead - 0.25 + self._x[n] + drift) * self._unit
            y = (
                self._h * self._high
                + (self._y[n] + 0.008 * np.sin(0.7 * t_s + 2 * self._phase[n]) - 0.004 * t_s) * self._unit
            )
            # Gliding between bursts of beats.
            effort = 0.55 + 0.45 * np.sin(0.42 * t_s + self._phase[n])
            beat = effort * np.sin(2 * np.pi * 1.5 * self._rate[n] * t_s + self._phase[n]) - 0.12
            row = self._sprites[0 if self._sizes[n] < 0.6 else 1 if self._sizes[n] < 0.85 else 2]
            mask = row[int(np.clip((beat + 1) / 2 * (_BEATS - 1) + 0.5, 0, _BEATS - 1))]
            put(frame, mask, x, y, self._tint, 0.92)


def put(frame: NDArray[np.uint8], mask: Field, x: float, y: float, tint: NDArray[np.float32], strength: float) -> None:
    """Lay `mask` (float32[rows, columns]) in `tint` (0..255) over the frame, top left at (x, y), between pixels too."""
    height, width, _ = frame.shape
    rows, columns = mask.shape
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    fx, fy = np.float32(x - x0), np.float32(y - y0)
    moved = mask[:, 1:] * (1 - fx) + mask[:, :-1] * fx
    moved = moved[1:] * (1 - fy) + moved[:-1] * fy
    top, left = max(0, y0), max(0, x0)
    low, right = min(height, y0 + rows - 1), min(width, x0 + columns - 1)
    if top >= low or left >= right:
        return
    part = moved[top - y0 : low - y0, left - x0 : right - x0, None] * np.float32(strength)
    region = frame[top:low, left:right]
    region[:] = (region + part * (tint - region)).astype(np.uint8)


def _bird(size: float, beat: float) -> Field:
    """`size` is the half span in pixels, `beat` -1 (wings low) .. 1 (wings high)."""
    n = int(size * 2.4) + 4
    middle = n / 2
    t = np.linspace(0, 1, 14)
    wrist = 0.42
    lift = np.where(t < wrist, t * 0.62 * beat, wrist * 0.62 * beat + (t - wrist) * (0.75 * beat - 0.25))
    shorten = 1 - 0.18 * abs(beat)
    chord = 0.15 * (1 - t) ** 0.65 + 0.015
    polygons = []
    for side in (-1.0, 1.0):
        x = middle + side * t * size * shorten
        top = middle - lift * size - chord * size * 0.35
        low = middle - lift * size + chord * size * 0.65 + t * 0.05 * size
        polygons.append(np.concatenate([np.stack([x, top], 1), np.stack([x, low], 1)[::-1]]))
    around = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    polygons.append(np.stack([middle + 0.085 * size * np.cos(around), middle + 0.13 * size * np.sin(around)], 1))
    return fill(n, n, polygons)
