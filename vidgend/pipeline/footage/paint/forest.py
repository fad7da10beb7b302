"""A forest: trunks behind trunks in the haze, leaves overhead, shafts of light that come and go."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Canvas, Field, Rgb, glow, mix, smoothstep
from vidgend.pipeline.footage.paint.land import Layer, Mist, pan_width, trim
from vidgend.pipeline.footage.paint.noise import Soft, cloud_tile, line, sample
from vidgend.pipeline.footage.paint.particles import dots
from vidgend.pipeline.footage.paint.plants import Points, stroke
from vidgend.pipeline.footage.paint.raster import fill
from vidgend.pipeline.footage.paint.setting import Setting
from vidgend.pipeline.footage.paint.strip import Strip


class Forest:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        self._setting = setting
        canvas, pal, rng = setting.canvas, setting.palette, setting.rng
        variant = setting.variant % 3
        self._variant = variant
        self._light_x = float(rng.choice([0.34, 0.66]))
        leaf = mix(pal.accents[0], (0.16, 0.34, 0.12), 0.66)
        self._air = mix(mix(pal.sky[3], pal.light, 0.40), leaf, 0.10)
        self._air = mix(self._air, pal.sky[1], 0.70 * pal.night + (0.25 if variant == 1 else 0.0))
        dark = mix(pal.land, leaf, 0.14)
        x = (canvas.fx - np.float32(self._light_x)) * np.float32(canvas.w / canvas.unit)
        y = (canvas.fy - np.float32(0.36)) * np.float32(canvas.h / canvas.unit)
        bright = np.exp(-np.hypot(x * 0.9, y) * np.float32(1.9)) * np.float32(1.25)
        deep = mix(leaf, dark, 0.50)
        self._base = np.stack(
            [np.float32(a) + np.minimum(bright, 1) * np.float32(b - a) for a, b in zip(deep, self._air, strict=True)]
        ).astype(np.float32)
        self._stack: list[Layer | Mist] = []
        layers = 4
        for n in range(layers):
            near = n / layers
            self._stack.append(self._trunks(near, mix(mix(self._air, leaf, 0.35), dark, 0.18 + 0.72 * near), leaf))
            self._stack.append(
                Mist(
                    canvas,
                    rng,
                    self._air,
                    middle_px=canvas.h * (0.66 + 0.08 * near),
                    speed=0.8,
                    spread_px=canvas.unit * 0.16,
                    strength=(0.30, 0.62, 0.26)[variant] * (1 - 0.5 * near),
                )
            )
        # What is farthest would hardly move: it becomes part of the still picture behind everything.
        np.copyto(canvas.rgb, self._base)
        self._stack.pop(0).paint(0.0)
        np.copyto(self._base, canvas.rgb)
        trim(self._stack)
        self._front(mix(dark, pal.land, 0.7))
        self._shafts = Shafts(canvas, rng, self._light_x, strength=(0.90, 0.30, 0.65)[variant] * (1 - 0.5 * pal.night))
        count = 70
        self._motes = (
            rng.uniform(0, 1, count),
            rng.uniform(0, 1, count),
            rng.uniform(0.5, 1.6, count),
            rng.uniform(0, 7, count),
        )
        self._leaves = Leaves(setting) if variant == 2 else None
        self._warm = mix(pal.light, pal.disc, 0.35)

    def _trunks(self, near: float, tint: Rgb, leaf: Rgb) -> Layer:
        canvas, rng, pal = self._setting.canvas, self._setting.rng, self._setting.palette
        pace = canvas.unit * (0.003 + 0.014 * near)
        wide = pan_width(canvas.w, pace)
        unit, h = canvas.unit, canvas.h
        count = max(3, int((22 - 16 * near) * wide / unit))
        parts: list[Points] = []
        for at in (np.arange(count) + rng.uniform(-0.38, 0.38, count)) / count * wide:
            parts.extend(
                _trunk(
                    rng,
                    float(at),
                    h * (0.72 + 0.20 * near),
                    unit * (0.014 + 0.040 * near) * rng.uniform(0.6, 1.3),
                    h,
                    unit,
                )
            )
        cover = fill(wide, h, parts)
        x = np.arange(wide, dtype=np.float32)[None, :] / np.float32(unit)
        y = canvas.y / np.float32(unit)
        tile = cloud_tile(rng, 512, 1.15, 3)
        # Leaves hang in from above, thick at the top and torn at the edge; the floor rises from below.
        hang = (0.30 - 0.07 * near) * h / unit + 0.10 * line(rng, x, 4, 0.55, 1.6)
        crown = smoothstep(-0.15, 0.15, (hang - y) * 1.9 + sample(tile, x * 170, y * 170) * 0.28)
        floor = (0.70 + 0.22 * near) * h / unit + 0.02 * line(rng, x, 5, 0.6, 3.0)
        ground = smoothstep(-0.02, 0.02, y - floor + sample(tile, x * 210 + 99, y * 210) * 0.018)
        cover = np.maximum(np.maximum(cover, crown * np.float32(0.93)), ground).astype(np.float32)
        lit = np.clip(sample(tile, x * 130 + 31, y * 130) * 0.5 + 0.1, 0, 1) * np.maximum(crown, ground * 0.5)
        shine = mix(mix(leaf, pal.light, 0.45), tint, 0.15 + 0.5 * pal.night)
        rgb = np.stack(
            [(np.float32(a) + lit * np.float32((b - a) * 0.50)) * cover for a, b in zip(tint, shine, strict=True)]
        )
        return Layer(canvas, rgb.astype(np.float32), cover, top=0, speed_px_s=pace)

    def _front(self, tint: Rgb) -> None:
        """Two or three near trunks and ferns, crisp, that frame the view."""
        canvas, rng = self._setting.canvas, self._setting.rng
        unit, h, w = canvas.unit * 2, canvas.full_height_px, canvas.full_width_px
        pace = unit * 0.024
        wide = pan_width(w, pace)
        parts: list[Points] = []
        for at in (0.10, 0.93):
            x = (at + rng.uniform(-0.03, 0.03)) * w + (wide - w) / 2
            parts.extend(_trunk(rng, float(x), h * 1.02, unit * rng.uniform(0.055, 0.085), h, unit))
        for at in np.sort(rng.uniform(0, 1, int(26 * wide / unit))) * wide:
            parts.extend(_fern(rng, float(at), h * 1.01, unit * rng.uniform(0.08, 0.17)))
        ground = np.linspace(0, wide, 90)
        rise = h * 0.955 - unit * 0.014 * line(rng, ground / unit, 5, 0.6, 4.0)
        parts.append(np.concatenate([np.stack([ground, rise], 1), [[wide, h + 4.0], [0, h + 4.0]]]))
        self.overlays.append(Strip(fill(wide, h, parts), tint, top=0, speed_px_s=pace))

    def paint(self, index: int, t_s: float) -> None:
        canvas = self._setting.canvas
        np.copyto(canvas.rgb, self._base)
        for layer in self._stack:
            layer.paint(t_s)
        light = self._shafts.light(t_s)
        glow(canvas.rgb, light, self._warm)
        x, y, size, phase = self._motes
        px = (x * canvas.w + canvas.unit * (0.012 * size * t_s + 0.03 * np.sin(0.4 * t_s + phase))) % canvas.w
        py = (y * canvas.h + canvas.unit * (0.008 * size * t_s + 0.02 * np.sin(0.6 * t_s + 2 * phase))) % canvas.h
        there = light[py.astype(np.int64).clip(0, canvas.h - 1), px.astype(np.int64).clip(0, canvas.w - 1)]
        radius = size * canvas.unit / 420
        gain = (0.10 + 1.1 * np.minimum(there, 0.6)) * (0.7 + 0.3 * np.sin(1.3 * t_s + phase))
        glow(
            canvas.rgb, dots((canvas.h, canvas.w), px, py, radius, gain, reach=int(2.4 * radius.max()) + 1), self._warm
        )
        if self._leaves is not None:
            self._leaves.paint(t_s)


class Shafts:
    """Rays that fan out from a point above the picture, brighter and dimmer as leaves move up there."""

    def __init__(
        self,
        canvas: Canvas,
        rng: np.random.Generator,
        light_x: float,
        *,
        strength: float,
        above: float = 0.35,
        reach: float = 1.15,
        fine: float = 1.0,
    ) -> None:
        self._soft = Soft(canvas.h, canvas.w, step_y=4, step_x=4)
        x = self._soft.x / np.float32(canvas.unit) - np.float32(light_x * canvas.w / canvas.unit)
        y = self._soft.y / np.float32(canvas.unit) + np.float32(above)
        angle = np.arctan2(x, y)
        distance = np.hypot(x, y) - np.float32(above)
        self._u = (angle * np.float32(60 * fine)).astype(np.float32)
        fall = np.exp(-np.maximum(distance, 0) * np.float32(1.6 / reach)) * np.exp(-(angle**2) * 0.8)
        self._fall = (fall * strength).astype(np.float32)
        self._tile = cloud_tile(rng, 256, 1.15, 4)

    def light(self, t_s: float) -> Field:
        """float32[h, w], to be added as light."""
        v = np.full_like(self._u, t_s * 1.3)
        rays = sample(self._tile, self._u + np.float32(t_s * 0.35), v)
        rays += sample(self._tile, self._u * np.float32(0.43) - np.float32(t_s * 0.5), v + np.float32(80))
        rays = np.clip(rays * np.float32(0.34) + np.float32(0.28), 0, 1.6)
        return self._soft.spread(rays * self._fall)


class Leaves:
    """A few leaves that sail down, turning."""

    def __init__(self, setting: Setting, count: int = 34) -> None:
        self._canvas = setting.canvas
        rng, pal = setting.rng, setting.palette
        self._x, self._y = rng.uniform(0, 1, count), rng.uniform(0, 1, count)
        self._size, self._phase = rng.uniform(0.6, 1.5, count), rng.uniform(0, 7, count)
        self._kind = rng.integers(0, 3, count)
        self._tints = [mix(accent, pal.light, 0.15) for accent in pal.accents]

    def paint(self, t_s: float) -> None:
        canvas = self._canvas
        unit = canvas.unit
        fall = unit * (0.045 + 0.035 * self._size)
        y = (self._y * (canvas.h + 40) + fall * t_s) % (canvas.h + 40) - 20
        x = (self._x * (canvas.w + 40) + unit * (0.02 * t_s + 0.06 * np.sin(0.9 * t_s + self._phase))) % (
            canvas.w + 40
        ) - 20
        turn = np.cos(1.7 * t_s * self._size + self._phase)
        along = np.linspace(-1, 1, 9)
        length = self._size * unit * 0.011
        tilt = 0.7 * np.sin(0.9 * t_s + self._phase + 1)
        for kind, tint in enumerate(self._tints):
            own = self._kind == kind
            px = (x[own, None] + along * (length * np.cos(tilt))[own, None]).reshape(-1)
            py = (y[own, None] + along * (length * np.sin(tilt))[own, None]).reshape(-1)
            thick = np.maximum(
                (np.abs(turn) * self._size * unit * 0.0042)[own, None] * (1 - along**2 * 0.75), 0.45
            ).reshape(-1)
            cover = np.minimum(
                dots((canvas.h, canvas.w), px, py, thick, np.full(px.size, 0.75), reach=int(2.3 * thick.max()) + 1), 1
            )
            for plane, value in zip(canvas.rgb, tint, strict=True):
                plane += cover * (np.float32(value) - plane)


def _trunk(rng: np.random.Generator, x: float, foot: float, width: float, height: float, unit: float) -> list[Points]:
    t = np.linspace(0, 1, 30)
    lean = rng.normal(0, 0.025) * unit
    wave = np.sin(t * rng.uniform(2, 5) + rng.uniform(0, 7)) * width * 0.22
    path = np.stack([x + lean * t + wave, foot - t * (foot + height * 0.05)], 1)
    thick = width * (1.0 - 0.38 * t + 0.75 * np.exp(-t * 22)) * (1 + 0.05 * np.sin(t * rng.uniform(20, 60)))
    parts = [stroke(path, thick)]
    for _ in range(int(rng.integers(2, 5))):
        at = rng.uniform(0.40, 0.9)
        side = rng.choice([-1.0, 1.0])
        start = np.array([np.interp(at, t, path[:, 0]), np.interp(at, t, path[:, 1])])
        s = np.linspace(0, 1, 12)
        length = width * rng.uniform(1.4, 3.4)
        branch = start + np.stack([side * s * length, -length * (0.75 * s**1.05) + length * 0.12 * np.sin(s * 5)], 1)
        parts.append(stroke(branch, width * 0.26 * (1.02 - s)))
    return parts


def _fern(rng: np.random.Generator, x: float, foot: float, size: float) -> list[Points]:
    parts: list[Points] = []
    for _ in range(int(rng.integers(3, 6))):
        angle = rng.uniform(-1.15, 1.15)
        s = np.linspace(0, 1, 16)
        reach = size * rng.uniform(0.6, 1.0)
        spine = np.stack(
            [x + np.sin(angle) * reach * s, foot - reach * (np.cos(angle) * s + 0.25 * s - 0.42 * s**2.4)], 1
        )
        parts.append(stroke(spine, size * 0.018 * (1.05 - s)))
        along = np.gradient(spine, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        leaf = reach * 0.20 * np.sin(np.pi * np.clip(s * 0.85 + 0.15, 0, 1))[:, None]
        for side in (-1.0, 1.0):
            normal = np.stack([-along[:, 1], along[:, 0]], 1) * side
            tip = spine + (along * 0.55 + normal) * leaf
            half = along * size * 0.020
            parts.append(np.stack([spine - half, tip, spine + half], axis=1)[2:])
    return parts
