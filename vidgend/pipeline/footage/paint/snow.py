"""Winter: snow on hills, among pines, and large soft flakes close by."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Canvas, glow, mix, smoothstep
from vidgend.pipeline.footage.paint.land import Layer, Mist, crest, pan_width, ridge_layer, trim
from vidgend.pipeline.footage.paint.mountains import pines
from vidgend.pipeline.footage.paint.noise import line
from vidgend.pipeline.footage.paint.particles import disc, dots, stamp
from vidgend.pipeline.footage.paint.plants import Points, pine
from vidgend.pipeline.footage.paint.raster import fill
from vidgend.pipeline.footage.paint.setting import Setting
from vidgend.pipeline.footage.paint.sky import Sky, behind


class Snow:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        canvas, pal, rng = setting.canvas, setting.palette, setting.rng
        variant = setting.variant % 3
        self._canvas = canvas
        # Snow is white where captions sit: shade it there.
        self._rest = 1 - np.float32(0.20) * smoothstep(0.60, 0.95, canvas.fy)
        self._stack: list[Layer | Mist] = []
        horizon = (0.55, 0.62, 0.70)[variant]
        self._sky = Sky(
            canvas,
            pal,
            rng,
            horizon_px=canvas.h * horizon,
            sun_x=float(rng.choice([0.3, 0.7])),
            cloud=min(0.8, pal.cloud + 0.12),
            cloud_scale=1.8,
            sun_radius=0.03,
            sun_height=max(0.25, pal.sun_height),
        )
        white = mix(pal.cloud_lit, pal.sky[3], 0.35)
        blue = mix(pal.cloud_dark, pal.sky[0], 0.35)
        for n in range(4):
            near = n / 3
            pace = canvas.unit * (0.003 + 0.012 * near)
            base = horizon + 0.03 + (1.0 - horizon) * near**1.4 * 0.66
            profile = crest(
                canvas, rng, base=base, height=0.17 - 0.06 * near, speed_px_s=pace, detail=1.5, rough=0.36, octaves=6
            )
            air = 0.75 * (1 - near)
            tint = mix(white, pal.sky[3], air * 0.8)
            foot = mix(mix(blue, pal.sky[0], 0.35 * near), pal.sky[3], air * 0.8)
            self._stack.append(
                ridge_layer(
                    canvas,
                    pal,
                    rng,
                    profile,
                    tint=tint,
                    foot=foot,
                    fade_px=canvas.unit * (0.26 - 0.08 * near),
                    speed_px_s=pace,
                    relief=0.10,
                    lit=mix(white, pal.light, 0.3),
                )
            )
            if n in (0, 1):
                self._trees(setting, base + 0.035, air)
            self._stack.append(
                Mist(
                    canvas,
                    rng,
                    mix(white, pal.sky[3], 0.5),
                    middle_px=canvas.h * (base + 0.03),
                    spread_px=canvas.unit * 0.06,
                    strength=0.30,
                    speed=1.5,
                )
            )
        trim(self._stack)
        if variant == 1:
            pines(setting, self.overlays, base=1.0, height=0.52)
        counts = (420, 380, 240)[variant]
        self._flakes = Flakes(canvas, rng, counts, big=(10, 8, 46)[variant], wind=pal.wind)

    def _trees(self, setting: Setting, base: float, air: float) -> None:
        """A far dark wood along the foot of a hill."""
        canvas, pal, rng = setting.canvas, setting.palette, setting.rng
        pace = canvas.unit * 0.005
        wide = pan_width(canvas.w, pace)
        rows, unit = int(canvas.unit * 0.2), canvas.unit
        trees: list[Points] = []
        x = np.sort(rng.uniform(-0.02, 1.02, int(150 * wide / unit))) * wide
        wood = line(rng, (x / unit).astype(np.float32), 3, 0.5, 2.2)
        for at, thick in zip(x, wood, strict=True):
            if thick > -0.25:
                tall = unit * (0.035 + 0.055 * min(1.0, thick + 0.35)) * rng.uniform(0.6, 1.1)
                trees.extend(pine(rng, (float(at), rows - unit * 0.028 * float(rng.uniform(0, 1))), float(tall)))
        cover = fill(wide, rows, trees or [np.zeros((3, 2))])
        down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
        tint, foot = behind(pal, 0.30 + 0.5 * air), mix(behind(pal, 0.55 + 0.4 * air), pal.cloud_lit, 0.25)
        rgb = np.stack([(np.float32(a) + down**3 * np.float32(b - a)) * cover for a, b in zip(tint, foot, strict=True)])
        self._stack.append(Layer(canvas, rgb, cover, top=int(base * canvas.h - rows), speed_px_s=pace))

    def paint(self, index: int, t_s: float) -> None:
        self._sky.paint(t_s)
        for layer in self._stack:
            layer.paint(t_s)
        self._canvas.rgb *= self._rest
        self._flakes.paint(t_s)


class Flakes:
    """Falling snow in depth; `big` of the flakes are near the lens and out of focus."""

    def __init__(self, canvas: Canvas, rng: np.random.Generator, count: int, *, big: int, wind: float) -> None:
        self._canvas = canvas
        unit = canvas.unit
        count = int(count)
        near = rng.random(count) ** 1.6
        self._x, self._y = rng.uniform(0, 1, count), rng.uniform(0, 1, count)
        self._fall = unit * (0.045 + 0.13 * near)
        self._drift = unit * (0.008 + 0.03 * near) * wind
        self._radius = (0.5 + 1.25 * near) * unit / 480
        self._gain = 0.30 + 0.45 * near
        self._rate, self._phase = rng.uniform(0.4, 1.2, count), rng.uniform(0, 7, count)
        self._big = [
            (rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.7, 1.3), rng.uniform(0, 7), int(rng.integers(3)))
            for _ in range(big)
        ]
        self._discs = [disc(unit * size, soft=0.75) for size in (0.010, 0.016, 0.026)]
        self._wind = wind

    def paint(self, t_s: float) -> None:
        canvas = self._canvas
        w, h, unit = canvas.w, canvas.h, canvas.unit
        x = (self._x * (w + 20) + self._drift * t_s + unit * 0.012 * np.sin(self._rate * t_s + self._phase)) % (
            w + 20
        ) - 10
        y = (self._y * (h + 20) + self._fall * t_s) % (h + 20) - 10
        light = dots((h, w), x, y, self._radius, self._gain, reach=int(np.ceil(2.2 * self._radius.max())))
        glow(canvas.rgb, light, (1.0, 1.0, 1.0))
        for px, py, speed, phase, size in self._big:
            reach = unit * 0.05
            bx = (
                px * (w + 2 * reach) + unit * 0.05 * self._wind * speed * t_s + unit * 0.03 * np.sin(0.6 * t_s + phase)
            ) % (w + 2 * reach)
            by = (py * (h + 2 * reach) + unit * 0.20 * speed * t_s) % (h + 2 * reach)
            stamp(canvas.rgb, self._discs[size], bx - reach, by - reach, np.full(3, 0.30 - 0.06 * size, np.float32))
