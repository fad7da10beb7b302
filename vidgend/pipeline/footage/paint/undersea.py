"""Under water: rays from the surface, a net of light on the sea floor, drifting motes, a school of fish."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import glow, mix, smoothstep
from vidgend.pipeline.footage.paint.forest import Shafts
from vidgend.pipeline.footage.paint.noise import cloud_tile, line, sample
from vidgend.pipeline.footage.paint.particles import dots
from vidgend.pipeline.footage.paint.school import School
from vidgend.pipeline.footage.paint.setting import Setting


class Undersea:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        self._canvas = canvas = setting.canvas
        pal, rng = setting.palette, setting.rng
        self._floor = setting.variant % 2 == 1
        self._light_x = float(rng.choice([0.38, 0.62]))
        bright = mix(mix(pal.water, (0.35, 0.85, 0.88), 0.62), pal.light, 0.30)
        bright = mix(bright, pal.sky[1], 0.55 * pal.night)
        middle = mix(mix(pal.water, (0.02, 0.42, 0.58), 0.45), pal.sky[0], 0.30 * pal.night)
        deep = mix(mix(pal.water, (0.0, 0.05, 0.13), 0.55), pal.land, 0.45)
        x = (canvas.fx - np.float32(self._light_x)) * np.float32(canvas.w / canvas.unit)
        y = canvas.fy * np.float32(canvas.h / canvas.unit)
        near = np.exp(-np.hypot(x * np.float32(0.75), y) * np.float32(2.3))
        depth = smoothstep(0.0, 1.0, canvas.fy * np.float32(1.05))
        planes = []
        for a, b, c in zip(bright, middle, deep, strict=True):
            plane = np.float32(b) + depth * np.float32(c - b)
            planes.append(plane + np.minimum(near * np.float32(1.05), 1) * (np.float32(a) - plane))
        self._base = np.stack(planes).astype(np.float32)
        self._bright = mix(bright, (1.0, 1.0, 1.0), 0.35)
        self._shafts = Shafts(
            canvas, rng, self._light_x, strength=0.62 if not self._floor else 0.40, above=0.55, reach=1.5, fine=1.35
        )
        self._tile = cloud_tile(rng, 256, 2.1, 5)
        self._second = cloud_tile(rng, 256, 2.1, 5)
        if self._floor:
            self._plan_floor(setting, rng, bright, deep)
        else:
            self._plan_surface()
        self.overlays.append(School(setting, mix(deep, pal.land, 0.55), mix(middle, deep, 0.35)))
        count = 120
        self._motes = (
            rng.uniform(0, 1, count),
            rng.uniform(0, 1, count),
            rng.uniform(0.4, 1.5, count),
            rng.uniform(0, 7, count),
        )

    def _plan_surface(self) -> None:
        """The surface seen from below: a bright net, in perspective, across the top of the picture."""
        canvas = self._canvas
        self._rows = slice(0, int(canvas.h * 0.34))
        y = canvas.y[self._rows] / np.float32(canvas.unit)
        depth = np.float32(1.0) / (np.float32(0.52) - np.minimum(y, 0.47))
        x = (canvas.x - np.float32(canvas.w * self._light_x)) / np.float32(canvas.unit)
        self._u = (x * depth * 46).astype(np.float32)
        self._v = np.broadcast_to(depth * 60, self._u.shape).astype(np.float32)
        fall = np.exp(-y * np.float32(8.5)) * np.exp(-np.abs(x) * np.float32(1.1))
        self._net = (fall * 0.95).astype(np.float32)

    def _plan_floor(
        self,
        setting: Setting,
        rng: np.random.Generator,
        bright: tuple[float, float, float],
        deep: tuple[float, float, float],
    ) -> None:
        canvas = self._canvas
        top = int(canvas.h * 0.60)
        self._rows = slice(top, canvas.h)
        unit = np.float32(canvas.unit)
        y = (canvas.y[self._rows] - np.float32(canvas.h * 0.56)) / unit
        depth = 1 / (np.maximum(y, 0) + np.float32(0.06))
        x = (canvas.x - np.float32(canvas.w / 2)) / unit
        self._u = (x * depth * 20).astype(np.float32)
        self._v = np.broadcast_to(depth * 34, self._u.shape).astype(np.float32)
        swell = line(rng, (canvas.x[0] / unit).astype(np.float32), 4, 0.5, 1.4)
        edge = smoothstep(0.02, 0.20, y - np.float32(0.05) + swell[None, :] * np.float32(0.035))
        pal = setting.palette
        sand = mix(mix((0.78, 0.72, 0.55), bright, 0.52), deep, 0.25 + 0.45 * pal.night)
        far = mix(sand, deep, 0.55)
        ripple = np.sin(self._v * np.float32(0.8) + sample(self._tile, self._u * 0.5, self._v * 0.4) * np.float32(2.2))
        tone = 1 + ripple * np.float32(0.05) * smoothstep(0.05, 0.3, y)
        nearness = smoothstep(0.0, 0.45, y)
        shade = 1 - np.float32(0.34) * smoothstep(0.18, 0.45, y)
        for plane, a, b in zip(self._base[:, self._rows], far, sand, strict=True):
            body = (np.float32(a) + nearness * np.float32(b - a)) * tone * shade
            plane += edge * (body - plane)
        self._net = (
            edge * smoothstep(0.0, 0.22, y) * np.float32(0.42) * shade * (np.float32(0.35) + np.exp(-np.abs(x) * 1.2))
        ).astype(np.float32)

    def paint(self, index: int, t_s: float) -> None:
        canvas = self._canvas
        np.copyto(canvas.rgb, self._base)
        move = np.float32(t_s)
        one = sample(self._tile, self._u + move * np.float32(2.1), self._v + move * np.float32(1.4))
        two = sample(
            self._second,
            self._u * np.float32(0.92) - move * np.float32(1.8),
            self._v * np.float32(0.95) + move * np.float32(2.3),
        )
        # Where two moving fields cross zero together, light gathers into bright lines, as it does through waves.
        net = np.abs(one + two) * np.float32(0.9)
        net = np.exp(-net * np.float32(2.6))
        net *= net * np.float32(0.6) + np.float32(0.4)
        glow(canvas.rgb[:, self._rows], net * self._net, self._bright)
        glow(canvas.rgb, self._shafts.light(t_s), self._bright)
        x, y, size, phase = self._motes
        unit = canvas.unit
        px = (x * canvas.w + unit * (0.010 * size * t_s + 0.025 * np.sin(0.5 * t_s + phase))) % canvas.w
        py = (y * canvas.h - unit * (0.010 * size * t_s + 0.012 * np.sin(0.7 * t_s + 2 * phase))) % canvas.h
        radius = size * unit / 430
        gain = 0.26 * (0.6 + 0.4 * np.sin(0.9 * t_s + phase)) * (1.1 - py / canvas.h)
        glow(
            canvas.rgb,
            dots((canvas.h, canvas.w), px, py, radius, gain, reach=int(2.4 * radius.max()) + 1),
            self._bright,
        )
