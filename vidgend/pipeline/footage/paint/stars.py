"""Stars that hardly twinkle."""

from __future__ import annotations

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Canvas
from vidgend.pipeline.footage.paint.particles import dots


class Stars:
    """Fixed stars down to row `horizon_px`, thinner towards it; a third of them twinkles, slowly."""

    def __init__(self, canvas: Canvas, rng: np.random.Generator, horizon_px: float, count: int = 520) -> None:
        self._canvas = canvas
        self._rows = max(8, min(canvas.h, int(horizon_px)))
        x, y = rng.uniform(0, canvas.w, count), rng.uniform(0, 1, count) ** 1.15 * self._rows
        bright = rng.pareto(2.2, count) * 0.16 + 0.10
        size = canvas.unit / 480
        radius = np.clip(0.42 + bright * 0.5, 0.45, 1.25) * size
        fade = np.clip((self._rows - y) / (0.35 * self._rows), 0, 1)
        self._shape = (self._rows, canvas.w)
        gain = np.minimum(bright * 1.7, 1.0) * fade
        live = rng.random(count) < 0.33
        self._still = dots(self._shape, x[~live], y[~live], radius[~live], gain[~live])
        self._x, self._y, self._radius, self._gain = x[live], y[live], radius[live], gain[live]
        self._rate, self._phase = rng.uniform(0.5, 1.9, live.sum()), rng.uniform(0, 7, live.sum())

    def paint(self, t_s: float, shade: float = 1.0) -> None:
        gain = self._gain * (0.72 + 0.28 * np.sin(self._rate * t_s + self._phase))
        light = dots(self._shape, self._x, self._y, self._radius, gain)
        light += self._still
        light *= np.float32(shade)
        target = self._canvas.rgb[:, : self._rows]
        for plane, value in zip(target, (0.95, 0.97, 1.0), strict=True):
            plane += (1 - plane) * np.minimum(light * np.float32(value), 1)
