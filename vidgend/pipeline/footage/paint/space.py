"""Night skies: a nebula, an aurora over hills, the milky way, dawn at a planet's edge."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import colour, glow, mix, smoothstep
from vidgend.pipeline.footage.paint.land import Layer, crest, pan_px, pan_width, ridge_layer
from vidgend.pipeline.footage.paint.mountains import pines
from vidgend.pipeline.footage.paint.noise import Soft, cloud_tile, sample
from vidgend.pipeline.footage.paint.setting import Setting
from vidgend.pipeline.footage.paint.stars import Stars


class Space:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        self._setting = setting
        canvas, pal, rng = setting.canvas, setting.palette, setting.rng
        self._variant = setting.variant % 4
        dark = mix(pal.sky[0], (0.0, 0.0, 0.015), 0.55)
        lower = mix(pal.sky[1], dark, (0.72, 0.35, 0.45, 0.9)[self._variant])
        ramp = smoothstep(0.0, 1.0, canvas.fy)
        self._base = np.stack([np.float32(a) + ramp * np.float32(b - a) for a, b in zip(dark, lower, strict=True)])
        self._base = np.broadcast_to(self._base, (3, canvas.h, canvas.w)).copy()
        self._stars = Stars(canvas, rng, canvas.h * 1.6, count=(900, 700, 1100, 700)[self._variant])
        self._land: list[Layer] = []
        self._speed = canvas.unit * 0.006
        if self._variant == 0:
            self._nebula(band=False)
        elif self._variant == 1:
            self._aurora = Aurora(setting)
            self._ground(0.84)
        elif self._variant == 2:
            self._nebula(band=True)
            self._ground(0.88)
            pines(setting, self.overlays, base=1.01, height=0.30, speed=0.006)
        else:
            self._planet = Planet(setting)

    def _ground(self, base: float) -> None:
        canvas, pal, rng = self._setting.canvas, self._setting.palette, self._setting.rng
        for near in (0.0, 1.0):
            pace = canvas.unit * (0.002 + 0.003 * near)
            profile = crest(canvas, rng, base=base + 0.07 * near, height=0.13 - 0.06 * near, speed_px_s=pace, sharp=0.4)
            tint = mix(pal.land, pal.sky[1], 0.30 * (1 - near))
            self._land.append(
                ridge_layer(
                    canvas,
                    pal,
                    rng,
                    profile,
                    tint=tint,
                    foot=mix(pal.land, pal.sky[1], 0.12),
                    fade_px=canvas.unit * 0.12,
                    speed_px_s=pace,
                )
            )

    def _nebula(self, *, band: bool) -> None:
        """A wide still picture, made once, that pans; stars stand before it and keep still."""
        canvas, pal, rng = self._setting.canvas, self._setting.palette, self._setting.rng
        wide = pan_width(canvas.w, self._speed)
        x = np.arange(wide, dtype=np.float32)[None, :] / np.float32(canvas.unit)
        y = canvas.y / np.float32(canvas.unit)
        big, fine = cloud_tile(rng, 512, 1.9, 2), cloud_tile(rng, 512, 1.35, 5)
        bend_x = sample(big, x * 110 + 40, y * 110) * np.float32(0.10)
        bend_y = sample(big, x * 110 + 240, y * 110 + 77) * np.float32(0.10)
        one = sample(big, (x + bend_x) * 190, (y + bend_y) * 190)
        two = sample(big, (x - bend_y) * 150 + 300, (y + bend_x) * 150 + 111)
        dust = sample(fine, (x + bend_x) * 260, (y + bend_y) * 260)
        if band:
            slope = 0.95 if rng.random() < 0.5 else -0.95
            away = (
                y - 0.42 * canvas.h / canvas.unit - slope * (x - wide / canvas.unit / 2) * 0.75 + bend_y * 0.5
            ) * np.float32(0.8)
            core = np.exp(-((away / 0.17) ** 2))
            lane = np.clip(
                1.0 - np.exp(-(((away + 0.02 + bend_x * 0.4) / 0.055) ** 2)) * np.clip(0.9 + dust * 0.35, 0, 1.3), 0, 1
            )
            cloud = core * np.clip(0.62 + one * 0.22 + dust * 0.10, 0, 1.3) * lane
            tints = (mix(pal.sky[3], pal.accents[2], 0.25), pal.light, pal.accents[0])
            parts = (
                cloud * 0.62,
                core**3 * lane * np.clip(0.35 + dust * 0.25, 0, 1) * 0.50,
                core * np.clip(two, 0, 2) * 0.09 * lane,
            )
        else:
            mask = smoothstep(-0.9, 1.6, one + 0.35 * dust)
            lane = smoothstep(-1.5, 0.4, two - 0.5 * dust + 0.5)
            tints = (pal.accents[2], pal.accents[1], pal.accents[0])
            hot = smoothstep(0.5, 2.2, one + 0.4 * dust + 0.3 * two)
            parts = (mask * lane * 0.50, smoothstep(0.1, 2.4, two + 0.3 * dust) * mask * 0.34, hot * lane * 0.42)
        wide_sky = np.zeros((3, canvas.h, wide), np.float32)
        for light, tint in zip(parts, tints, strict=True):
            glow(wide_sky, light.astype(np.float32), tint)
        count = 2600 if band else 700
        faint = rng.random((2, count))
        rows, columns = (faint[0] * canvas.h).astype(int), (faint[1] * wide).astype(int)
        if band:
            keep = rng.random(count) < 0.15 + 0.85 * parts[0][rows, columns] / max(float(parts[0].max()), 1e-6)
            rows, columns = rows[keep], columns[keep]
        wide_sky[:, rows, columns] += rng.uniform(0.05, 0.30, rows.size).astype(np.float32)
        fall = 1 - (0.35 if band else 0.55) * smoothstep(0.45, 1.0, canvas.fy)
        self._wide = wide_sky * fall

    def paint(self, index: int, t_s: float) -> None:
        canvas = self._setting.canvas
        np.copyto(canvas.rgb, self._base)
        if self._variant in (0, 2):
            at = pan_px(self._speed, t_s)
            left = int(at)
            part = np.float32(at - left)
            light = self._wide[:, :, left : left + canvas.w] * (1 - part)
            light += self._wide[:, :, left + 1 : left + 1 + canvas.w] * part
            canvas.rgb += (1 - canvas.rgb) * light
        if self._variant == 1:
            self._stars.paint(t_s, 0.8)
            self._aurora.paint(t_s)
        else:
            self._stars.paint(t_s)
        if self._variant == 3:
            self._planet.paint(t_s)
        for layer in self._land:
            layer.paint(t_s)


class Aurora:
    """Curtains of light: bands that wander across, each drawn up into rays."""

    def __init__(self, setting: Setting) -> None:
        self._canvas = canvas = setting.canvas
        rng, pal = setting.rng, setting.palette
        self._soft = Soft(canvas.h, canvas.w, step_y=2, step_x=2)
        self._x = (self._soft.x / np.float32(canvas.unit)).astype(np.float32)
        self._y = (self._soft.y / np.float32(canvas.unit)).astype(np.float32)
        self._phase = rng.uniform(0, 7, 6)
        self._tile = cloud_tile(rng, 256, 1.2, 6)
        self._height = canvas.h / canvas.unit
        green = (0.25, 0.95, 0.60)
        self._low, self._high = mix(green, pal.accents[1], 0.22), mix((0.50, 0.25, 0.85), pal.accents[2], 0.5)

    def paint(self, t_s: float) -> None:
        x, y = self._x, self._y
        low = np.zeros((y.size, x.size), np.float32)
        high = np.zeros_like(low)
        for n in range(3):
            p, pace = self._phase[n], t_s * (0.10 + 0.03 * n)
            middle = (
                self._height * (0.60 - 0.13 * n)
                + 0.10 * np.sin(1.7 * x + pace + p)
                + 0.045 * np.sin(4.6 * x - 1.6 * pace + 2 * p)
            )
            rays = sample(
                self._tile, x * 80 + 12 * np.sin(1.3 * x + pace) + 70 * n, np.full_like(x, t_s * 1.1 + 50 * n)
            )
            fine = sample(self._tile, x * 190 - 9 * np.sin(2.1 * x + pace), np.full_like(x, 99 + t_s * 1.6))
            strength = np.clip(0.62 + 0.30 * rays + 0.12 * fine, 0.05, 1.5) * (
                0.75 + 0.25 * np.sin(2.3 * x - pace * 2 + p)
            )
            up = (middle - y).astype(np.float32)
            reach = (0.20 + 0.05 * rays + 0.05 * n).astype(np.float32)
            body = np.exp(-np.maximum(up, 0) / reach) * np.clip(up / np.float32(0.030) + 1, 0, 1)
            body *= (strength * (0.62, 0.50, 0.36)[n]).astype(np.float32)
            mixed = np.clip(np.maximum(up, 0) * np.float32(2.6), 0, 1)
            low += body * (1 - mixed)
            high += body * mixed
        glow(self._canvas.rgb, self._soft.spread(low), self._low)
        glow(self._canvas.rgb, self._soft.spread(high), self._high)


class Planet:
    """The edge of a planet from orbit, its air lit by a sun that is about to rise; clouds turn under it."""

    def __init__(self, setting: Setting) -> None:
        self._canvas = canvas = setting.canvas
        pal, rng = setting.palette, setting.rng
        unit = np.float32(canvas.unit)
        radius = np.float32(2.1)
        x = (canvas.x - canvas.w / 2) / unit
        top = np.float32(canvas.h * 0.56) / unit
        y = canvas.y / unit
        r = np.hypot(x, y - top - radius)
        out = (r - radius).astype(np.float32)
        self._inside = np.clip(-out * unit + np.float32(0.5), 0, 1)
        sun_x = np.float32(0.22 if rng.random() < 0.5 else -0.22)
        lit = np.exp(-((x - sun_x) ** 2) * np.float32(2.6))
        air = np.where(out > 0, np.exp(-out * 38), np.exp(out * 10)) * (np.float32(0.10) + np.float32(0.9) * lit)
        thin = np.exp(-np.abs(out) * 150) * lit
        flare = np.exp(-np.hypot((x - sun_x) * 0.75, y - top - 0.006 - sun_x**2 / (2 * radius)) * 9)
        self._air = (air * 0.9).astype(np.float32)
        self._thin = (thin * 0.9 + flare * 1.1).astype(np.float32)
        depth = np.maximum(-out, 0)
        z = np.sqrt(np.maximum(depth * (2 * radius - depth), 1e-4))
        self._u = (x / (0.35 + z) * 150 + np.zeros_like(y)).astype(np.float32)
        self._v = (np.float32(120) / (0.25 + z)).astype(np.float32)
        self._day = (np.exp(-depth * 3.4) * (np.float32(0.10) + np.float32(0.9) * lit)).astype(np.float32)
        self._tile = cloud_tile(rng, 512, 1.5, 3)
        self._pal = pal
        self._top = max(0, int((top - 0.02) * unit))

    def paint(self, t_s: float) -> None:
        rgb, pal = self._canvas.rgb, self._pal
        rows = slice(self._top, None)
        move = np.float32(t_s * 1.4)
        cloud = sample(self._tile, self._u[rows] + move * 0.6, self._v[rows] + move)
        cloud = np.clip(cloud * np.float32(0.45) + np.float32(0.22), 0, 1) * self._day[rows]
        inside = self._inside[rows]
        sea = mix(pal.water, pal.accents[1], 0.25)
        for plane, water, white in zip(rgb[:, rows], sea, mix(pal.cloud_lit, pal.light, 0.4), strict=True):
            body = self._day[rows] * np.float32(water * 0.8)
            body += cloud * np.float32(white)
            plane += inside * (body - plane)
        rgb += (1 - rgb) * np.minimum(self._air * colour(mix(pal.accents[1], pal.sky[3], 0.4)), 1)
        glow(rgb, self._thin, mix(pal.disc, pal.light, 0.25))
