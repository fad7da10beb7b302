"""Fire: flames that lick up, and embers over a glowing bed."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import glow, mix, smoothstep
from vidgend.pipeline.footage.paint.noise import Soft, cloud_tile, sample
from vidgend.pipeline.footage.paint.particles import disc, dots, stamp
from vidgend.pipeline.footage.paint.setting import Setting


class Fire:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        self._canvas = canvas = setting.canvas
        pal, rng = setting.palette, setting.rng
        self._flames = setting.variant % 2 == 0
        unit = np.float32(canvas.unit)
        warm = mix((1.0, 0.42, 0.08), pal.accents[0], 0.25)
        stops = np.array(
            [
                (0.015, 0.006, 0.008),
                (0.16, 0.025, 0.012),
                (0.58, 0.11, 0.02),
                warm,
                mix((1.0, 0.76, 0.30), pal.accents[1], 0.2),
                (1.0, 0.95, 0.74),
            ],
            np.float32,
        )
        grid = np.linspace(0, 1, 1024)
        self._ramp = [
            np.interp(grid, (0, 0.16, 0.38, 0.62, 0.84, 1.0), stops[:, part]).astype(np.float32) for part in range(3)
        ]
        self._x = canvas.x / unit
        self._y = canvas.y / unit
        self._tile, self._fine = cloud_tile(rng, 256, 1.55, 2), cloud_tile(rng, 256, 1.2, 4)
        self._up = (canvas.h / unit - self._y).astype(np.float32)
        self._height = canvas.h / canvas.unit
        self._phase = float(rng.uniform(0, 50))
        back = np.exp(-self._up * np.float32(1.7)) * np.exp(-(((canvas.fx - 0.5) * np.float32(1.5)) ** 2))
        dark, red = mix(pal.land, (0.02, 0.008, 0.01), 0.6), mix((0.55, 0.12, 0.03), pal.sky[2], 0.2)
        self._base = np.stack(
            [np.float32(a) + back * np.float32(b - a) for a, b in zip(dark, red, strict=True)]
        ).astype(np.float32)
        self._smoke = Soft(canvas.h, canvas.w, step_y=4, step_x=4)
        count = 190 if not self._flames else 90
        self._n = (
            rng.uniform(0, 1, count),
            rng.uniform(0, 1, count),
            rng.uniform(0.4, 1.6, count),
            rng.uniform(0, 7, count),
        )
        self._discs = [disc(canvas.unit * size, soft=0.45) for size in (0.010, 0.018, 0.03)]
        self._near = [
            (rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.6, 1.4), rng.uniform(0, 7), int(rng.integers(3)))
            for _ in range(16)
        ]
        self._warm = warm
        # Captions stay readable: the bed of the fire is dimmed where they are.
        self._rest = 1 - np.float32(0.35) * smoothstep(0.80, 0.98, canvas.fy)

    def paint(self, index: int, t_s: float) -> None:
        canvas = self._canvas
        np.copyto(canvas.rgb, self._base)
        self._paint_smoke(t_s)
        if self._flames:
            self._paint_flames(t_s + self._phase)
        self._paint_embers(t_s)
        canvas.rgb *= self._rest

    def _paint_smoke(self, t_s: float) -> None:
        x, y = self._smoke.x / np.float32(self._canvas.unit), self._smoke.y / np.float32(self._canvas.unit)
        shape = (y.size, x.size)
        u, v = np.broadcast_to(x * 60, shape), np.broadcast_to(y * 60 + np.float32(t_s * 5), shape)
        cloud = sample(self._tile, u + np.float32(t_s), v) + sample(
            self._tile, u * 1.9 + 70, v * 1.8 + np.float32(t_s * 4)
        )
        low = np.clip(cloud * np.float32(0.30) + np.float32(0.40), 0, 1.5) * np.exp(
            -(self._height - y) * np.float32(1.5)
        )
        glow(self._canvas.rgb, self._smoke.spread(low * np.float32(0.34)), mix(self._warm, (0.6, 0.1, 0.05), 0.4))

    def _paint_flames(self, t: float) -> None:
        # The picture is cut off where no flame reaches, which is a third of the work.
        top = int(self._canvas.h * 0.08)
        x, up = self._x, self._up[top:]
        shape = (up.size, x.size)
        wind = sample(
            self._tile, np.broadcast_to(x * 55, shape), up * 42 - np.float32(t * 34) + np.zeros(shape, np.float32)
        )
        bent = x + wind * up * np.float32(0.13)
        u = bent * np.float32(105)
        v = up * np.float32(48) - np.float32(t * 62)
        body = sample(self._tile, u, v + np.zeros(shape, np.float32))
        licks = sample(
            self._fine,
            u * np.float32(1.15) + 40,
            up * np.float32(64) - np.float32(t * 92) + np.zeros(shape, np.float32),
        )
        width = self._canvas.w / self._canvas.unit
        away = (x - np.float32(width / 2)) / np.float32(width * 0.5)
        tall = np.float32(self._height) * (np.float32(0.70) - np.float32(0.34) * away * away)
        heat = 1.08 - up / tall + body * np.float32(0.30) + licks * np.float32(0.15) * (np.float32(0.4) + up)
        heat -= np.exp(up * np.float32(-16)) * np.float32(0.30)
        heat = np.clip(heat, 0, 1.0)
        heat *= heat * np.float32(0.85) + np.float32(0.15)
        heat *= np.clip(np.float32(1.0) - body * np.float32(0.10), 0.7, 1.1)
        at = (np.minimum(heat, 1) * np.float32(1023)).astype(np.int32)
        cover = np.minimum(heat * np.float32(3.2), 1)
        for part in range(3):
            plane = self._canvas.rgb[part, top:]
            plane += cover * (self._ramp[part].take(at) - plane)

    def _paint_embers(self, t_s: float) -> None:
        canvas = self._canvas
        unit = canvas.unit
        x, y, size, phase = self._n
        life = (y + t_s * (0.10 + 0.07 * size)) % 1.0
        py = canvas.h * (1.05 - 1.1 * life)
        px = (
            x * canvas.w
            + unit * (0.06 * np.sin(1.1 * t_s + phase) + 0.025 * np.sin(2.7 * t_s + 2 * phase))
            + unit * 0.08 * life
        ) % canvas.w
        gain = (
            (0.55 + 0.45 * np.sin(3.0 * t_s * size + phase)) * np.clip((1 - life) * 1.6, 0, 1) * np.clip(life * 8, 0, 1)
        )
        radius = size * unit / 360
        light = dots((canvas.h, canvas.w), px, py, radius, gain * 1.25, reach=int(2.3 * radius.max()) + 1)
        halo = dots(
            (canvas.h, canvas.w), px[::3], py[::3], radius[::3] * 3.2, gain[::3] * 0.22, reach=int(7 * radius.max()) + 1
        )
        glow(canvas.rgb, light, mix(self._warm, (1.0, 0.85, 0.5), 0.55))
        glow(canvas.rgb, halo, self._warm)
        for bx, by, speed, shift, kind in self._near:
            part = (by + t_s * 0.075 * speed) % 1.0
            cx = (bx * canvas.w + unit * 0.09 * np.sin(0.7 * t_s + shift)) % canvas.w
            fade = np.float32(
                0.30 * np.clip(part * 5, 0, 1) * np.clip((1 - part) * 4, 0, 1) * (0.8 + 0.2 * np.sin(2 * t_s + shift))
            )
            stamp(
                canvas.rgb,
                self._discs[kind],
                cx,
                canvas.h * (1.1 - 1.2 * part),
                np.array(self._warm, np.float32) * fade,
            )
