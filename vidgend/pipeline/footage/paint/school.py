"""A school of fish far off: small silhouettes that beat their tails and swim through together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidgend.pipeline.footage.paint.birds import put
from vidgend.pipeline.footage.paint.canvas import Field, Rgb
from vidgend.pipeline.footage.paint.raster import fill
from vidgend.pipeline.footage.paint.setting import Setting

_BEATS = 10


class School:
    """`tint` for near fish, `far` for those that the water half hides."""

    def __init__(self, setting: Setting, tint: Rgb, far: Rgb, count: int = 30) -> None:
        canvas, rng = setting.canvas, setting.rng
        self._w, self._h, self._unit = canvas.full_width_px, canvas.full_height_px, canvas.unit * 2
        self._near, self._far = (np.array(tone) * 255 for tone in (tint, far))
        self._x, self._y = rng.normal(0, 0.15, count), rng.normal(0, 0.055, count)
        self._size = rng.choice([0, 0, 1, 1, 2], count)
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._high = float(rng.uniform(0.40, 0.52))
        self._left = bool(rng.random() < 0.5)
        self._sprites = [
            [_fish(self._unit * size, beat / (_BEATS - 1) * 2 - 1, self._left) for beat in range(_BEATS)]
            for size in (0.014, 0.021, 0.030)
        ]

    def draw(self, frame: NDArray[np.uint8], t_s: float) -> None:
        span = self._w / self._unit + 1.0
        lead = (0.52 * span + 0.040 * t_s) % span - 0.5
        for n in np.argsort(self._size):
            along = lead + self._x[n] + 0.02 * np.sin(0.3 * t_s + self._phase[n])
            x = (self._w / self._unit - along if self._left else along) * self._unit
            y = (
                self._h * self._high
                + (self._y[n] + 0.012 * np.sin(0.6 * t_s + 0.8 * self._phase[n]) + 0.03 * np.sin(3 * along))
                * self._unit
            )
            beat = np.sin(5.5 * t_s + self._phase[n] * 3)
            mask = self._sprites[self._size[n]][int((beat + 1) / 2 * (_BEATS - 1) + 0.5)]
            part = self._size[n] / 2
            put(frame, mask, x, y, (self._far + (self._near - self._far) * part).astype(np.float32), 0.55 + 0.3 * part)


def _fish(size: float, beat: float, left: bool) -> Field:
    n = int(size * 2.3) + 4
    t = np.linspace(0, 1, 18)
    half = 0.26 * np.sin(np.pi * t**0.72) ** 0.9 * (1 - 0.35 * t) + 0.012
    bend = 0.10 * beat * np.maximum(t - 0.35, 0) ** 1.4
    x, y = n / 2 + (0.95 - 1.75 * t) * size, n / 2 + bend * size
    body = np.concatenate([np.stack([x, y - half * size], 1), np.stack([x, y + half * size], 1)[::-1]])
    reach = 1 - 0.45 * abs(beat)
    root = np.array([x[-2], y[-2]])
    tail = root + size * np.array(
        [
            [0.05, 0.0],
            [-0.34 * reach, -0.26 + 0.14 * beat],
            [-0.20 * reach, 0.06 * beat],
            [-0.34 * reach, 0.26 + 0.14 * beat],
        ]
    )
    fin = np.array(
        [
            [x[6], y[6] - half[6] * size * 0.8],
            [x[11], y[11] - half[6] * size * 1.55],
            [x[13], y[13] - half[13] * size * 0.6],
        ]
    )
    mask = fill(n, n, [body, tail, fin])
    return mask[:, ::-1] if left else mask
