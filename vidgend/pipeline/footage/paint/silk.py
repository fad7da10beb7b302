"""Abstract soft: folds of silk in the palette's colours. The fall-back for everything that cannot be painted."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Field, Rgb, mix
from vidgend.pipeline.footage.paint.setting import Setting

_TURN = np.float32(2 * np.pi)


class Silk:
    """Waves that bend one another's paths; a second pass gives the folds their sheen."""

    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        self._canvas = canvas = setting.canvas
        self._variant = setting.variant % 4
        pal = setting.palette
        dark = mix(pal.land, pal.sky[0], 0.55)
        order: list[list[Rgb]] = [
            [dark, pal.sky[0], mix(pal.sky[1], pal.accents[0], 0.35), mix(pal.sky[2], pal.accents[0], 0.3), pal.sky[3]],
            [
                dark,
                mix(pal.sky[0], pal.accents[2], 0.4),
                pal.sky[1],
                mix(pal.sky[3], pal.accents[1], 0.4),
                pal.cloud_lit,
            ],
            [dark, pal.water, mix(pal.water, pal.accents[0], 0.6), mix(pal.sky[3], pal.accents[0], 0.4), pal.disc],
            [dark, mix(dark, pal.accents[2], 0.6), mix(pal.accents[2], pal.accents[0], 0.5), pal.light, pal.disc],
        ]
        stops = np.array(order[self._variant], np.float32)
        at = np.linspace(0, 1, len(stops))
        grid = np.linspace(0, 1, 1024)
        self._ramp = [np.interp(grid, at, stops[:, part]).astype(np.float32) for part in range(3)]
        angle = setting.rng.uniform(-0.5, 0.5) + (0.9, -0.4, 0.3, 1.3)[self._variant]
        x = (canvas.x - canvas.w / 2) / np.float32(canvas.unit)
        y = (canvas.y - canvas.h / 2) / np.float32(canvas.unit)
        self._a = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
        self._b = -x * np.float32(np.sin(angle)) + y * np.float32(np.cos(angle))
        self._phase = setting.rng.uniform(0, 100)
        # Captions sit at the bottom: a little darker there, and towards the corners.
        fall = np.exp(-((np.maximum(canvas.fy - 0.62, 0) / 0.45) ** 2))
        self._shade = (fall * (1 - 0.28 * (x * x + y * y))).astype(np.float32)

    def paint(self, index: int, t_s: float) -> None:
        t = np.float32(self._phase + t_s * 0.22)
        a, b = self._a, self._b
        bend: Field = np.sin(b * np.float32(3.6) + t) * np.float32(0.20)
        bend += np.sin(a * np.float32(2.7) - t * np.float32(0.8) + b) * np.float32(0.19)
        across = a + bend
        along = b + np.sin(across * np.float32(4.2) - t * np.float32(0.6)) * np.float32(0.20)
        fold = np.sin(
            across * np.float32(9.5) + np.sin(along * np.float32(3.2) + t) * np.float32(1.3) + t * np.float32(0.5)
        )
        fine = np.sin(across * np.float32(34.0) + along * np.float32(2.0) - t * np.float32(0.9))
        sheen = np.maximum(np.cos(across * np.float32(9.5) + np.sin(along * np.float32(3.2) + t) * np.float32(1.3)
                                  + t * np.float32(0.5) - np.float32(0.5)), 0)  # fmt: skip
        sheen *= sheen
        sheen *= sheen
        tone = fold * np.float32(0.22)
        tone += fine * np.float32(0.03)
        tone += along * np.float32(0.26) + np.float32(0.40)
        tone += sheen * np.float32(0.16)
        tone *= self._shade
        at = (np.clip(tone, 0, 1) * np.float32(1023)).astype(np.int32)
        sheen *= self._shade * np.float32(0.12)
        for part in range(3):
            plane = self._ramp[part].take(at)
            plane *= self._shade * np.float32(0.35) + np.float32(0.65)
            plane += sheen
            self._canvas.rgb[part] = plane
