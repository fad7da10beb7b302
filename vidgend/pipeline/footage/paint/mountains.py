"""Mountains: ridge behind ridge, a peak over a lake, fog in the valleys, pines in front."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import mix
from vidgend.pipeline.footage.paint.land import Layer, Mist, crest, pan_width, ridge_layer, trim
from vidgend.pipeline.footage.paint.noise import line
from vidgend.pipeline.footage.paint.plants import Points, pine
from vidgend.pipeline.footage.paint.raster import fill
from vidgend.pipeline.footage.paint.setting import Setting
from vidgend.pipeline.footage.paint.sky import Sky, behind
from vidgend.pipeline.footage.paint.stars import Stars
from vidgend.pipeline.footage.paint.strip import Strip
from vidgend.pipeline.footage.paint.water import Water


class Mountains:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        self._setting = setting
        canvas, pal, rng = setting.canvas, setting.palette, setting.rng
        variant = setting.variant % 4
        self._water: Water | None = None
        self._stack: list[Layer | Mist] = []
        horizon = (0.62, 0.60, 0.66, 0.66)[variant]
        self._sun_x = float(rng.choice([0.30, 0.70]))
        self._sky = Sky(
            canvas,
            pal,
            rng,
            horizon_px=canvas.h * horizon,
            sun_x=self._sun_x,
            cloud_scale=1.2,
            sun_height=max(pal.sun_height, 0.34),
            sun_radius=0.030,
            cloud=pal.cloud * 0.92,
        )
        self._stars = Stars(canvas, rng, canvas.h * horizon) if pal.night > 0.4 else None
        if variant == 0:
            self._ridges(horizon, count=6, mist=0.35)
        elif variant == 1:
            self._lake(horizon)
        elif variant == 2:
            self._ridges(horizon - 0.04, count=5, mist=1.0)
        else:
            self._hero(horizon)
            pines(setting, self.overlays, base=0.96, height=0.34)
        trim(self._stack)

    def _ridges(self, horizon: float, *, count: int, mist: float) -> None:
        canvas, pal, rng = self._setting.canvas, self._setting.palette, self._setting.rng
        for n in range(count):
            near = n / (count - 1)
            base = horizon + (1.0 - horizon) * near**1.35 * 0.92 + 0.02
            speed = canvas.unit * (0.002 + 0.011 * near**1.5)
            height = (0.24 - 0.05 * near) if n else 0.30
            profile = crest(
                canvas,
                rng,
                base=base,
                height=height,
                speed_px_s=speed,
                detail=2.0 + 1.2 * near,
                rough=0.46,
                sharp=0.45 * (1 - near),
            )
            air = 0.90 * (1 - near) ** 1.15
            tint = mix(behind(pal, air), pal.sky[3], 0.25 * air)
            foot = mix(behind(pal, min(1.0, air + 0.30)), pal.sky[3], 0.45 * air)
            lit = mix(tint, pal.light, 0.30)
            self._stack.append(
                ridge_layer(
                    canvas,
                    pal,
                    rng,
                    profile,
                    tint=tint,
                    foot=foot,
                    relief=0.16 + 0.24 * near,
                    lit=lit,
                    fade_px=canvas.unit * 0.30,
                    speed_px_s=speed,
                    light_from=1.0 if self._sun_x > 0.5 else -1.0,
                )
            )
            if n < count - 1:
                fog = mix(mix(pal.haze, pal.sky[3], 0.35), pal.light, 0.12)
                self._stack.append(
                    Mist(
                        canvas,
                        rng,
                        fog,
                        middle_px=canvas.h * (base + 0.035),
                        strength=0.55 * mist + 0.12,
                        spread_px=canvas.unit * (0.07 + 0.05 * mist),
                        speed=0.7 + near,
                    )
                )

    def _peaks(self, base: float, *, tall: float, relief: float = 0.75) -> None:
        canvas, pal, rng = self._setting.canvas, self._setting.palette, self._setting.rng
        speed = canvas.unit * 0.003
        back = crest(canvas, rng, base=base, height=tall * 0.62, speed_px_s=speed * 0.6, detail=2.6, sharp=0.6)
        air = mix(behind(pal, 0.80), pal.sky[2], 0.3)
        self._stack.append(
            ridge_layer(
                canvas,
                pal,
                rng,
                back,
                tint=air,
                foot=mix(air, pal.sky[3], 0.4),
                relief=0.35,
                lit=mix(air, pal.light, 0.4),
                fade_px=canvas.unit * 0.4,
                speed_px_s=speed * 0.6,
                snow_px=canvas.unit * tall * 0.35,
            )
        )
        wide = pan_width(canvas.w, speed)
        x = np.arange(wide, dtype=np.float32) / np.float32(canvas.unit)
        middle = x[wide // 2] + (0.12 if self._sun_x < 0.5 else -0.12)
        away = np.abs(x - middle)
        shape = np.maximum(1 - (away / 0.62) ** 0.86, 0) * tall
        second = (
            np.maximum(1 - (np.abs(x - middle - 0.42 * (1 if self._sun_x < 0.5 else -1)) / 0.44) ** 0.9, 0)
            * tall
            * 0.66
        )
        shape = np.maximum(shape, second)
        shape = shape * (1 + 0.16 * line(rng, x, 8, 0.58, 7.0)) + 0.05 * (1 + line(rng, x, 6, 0.5, 3.0)) * 0.5
        tint = behind(pal, 0.42)
        lit = mix(mix(tint, pal.light, 0.55), pal.cloud_lit, 0.25)
        self._stack.append(
            ridge_layer(
                canvas,
                pal,
                rng,
                canvas.h * np.float32(base) - shape * np.float32(canvas.unit),
                tint=tint,
                foot=behind(pal, 0.72),
                relief=relief,
                lit=lit,
                speed_px_s=speed,
                fade_px=canvas.unit * tall * 1.05,
                snow_px=canvas.unit * tall * 0.62,
                light_from=1.0 if self._sun_x > 0.5 else -1.0,
            )
        )

    def _hero(self, horizon: float) -> None:
        canvas, pal, rng = self._setting.canvas, self._setting.palette, self._setting.rng
        self._peaks(horizon + 0.10, tall=0.58)
        fog = mix(pal.haze, pal.sky[3], 0.35)
        self._stack.append(
            Mist(
                canvas,
                rng,
                fog,
                middle_px=canvas.h * (horizon + 0.10),
                strength=0.85,
                spread_px=canvas.unit * 0.12,
                speed=1.2,
            )
        )

    def _lake(self, horizon: float) -> None:
        canvas, pal, rng = self._setting.canvas, self._setting.palette, self._setting.rng
        self._peaks(horizon + 0.004, tall=0.46)
        speed = canvas.unit * 0.004
        near = crest(canvas, rng, base=horizon + 0.006, height=0.055, speed_px_s=speed, detail=5.0, rough=0.6)
        tint = behind(pal, 0.24)
        self._stack.append(
            ridge_layer(
                canvas, pal, rng, near, tint=tint, foot=behind(pal, 0.5), speed_px_s=speed, fade_px=canvas.unit * 0.08
            )
        )
        fog = mix(pal.haze, pal.sky[3], 0.4)
        self._stack.append(
            Mist(canvas, rng, fog, middle_px=canvas.h * horizon, strength=0.5, spread_px=canvas.unit * 0.035, speed=1.4)
        )
        self._water = Water(
            canvas,
            pal,
            rng,
            self._sky,
            fps=self._setting.fps,
            camera_m=2.2,
            rough=0.045,
            longest_m=5.0,
            waves=40,
            glitter=0.7,
        )

    def paint(self, index: int, t_s: float) -> None:
        self._sky.paint(t_s)
        if self._stars is not None:
            self._stars.paint(t_s)
        for layer in self._stack:
            layer.paint(t_s)
        if self._water is not None:
            canvas, water = self._setting.canvas, self._water
            # The lake mirrors the land above it: what was painted, upside down, dims the water's own mirror.
            rows = min(water.bottom - water.top, water.top)
            above = canvas.rgb[:, water.top - rows : water.top][:, ::-1].copy()
            water.paint(index)
            fade = np.linspace(0.62, 0.30, rows, dtype=np.float32)[:, None]
            shifted = water.ripple(index, rows)
            target = canvas.rgb[:, water.top : water.top + rows]
            target += fade * (above.reshape(3, -1).take(shifted, axis=1) - target)


def pines(setting: Setting, overlays: list[Any], *, base: float, height: float, speed: float = 0.022) -> None:
    """Two crisp rows of spruces that pan past the bottom of the frame."""
    canvas, pal, rng = setting.canvas, setting.palette, setting.rng
    unit, h = canvas.unit * 2, canvas.full_height_px
    for depth, (low, size, count, air) in enumerate(
        ((base - 0.05, height * 0.62, 46, 0.22), (base + 0.04, height, 22, 0.0))
    ):
        pace = unit * speed * (0.55 + 0.45 * depth)
        wide = pan_width(canvas.full_width_px, pace)
        top = int(h * low - unit * size * 1.15)
        trees: list[Points] = []
        for x in np.sort(rng.uniform(-0.05, 1.05, int(count * wide / unit))) * wide:
            middle = abs(x / wide - 0.5) * 2
            tall = unit * size * rng.uniform(0.45, 1.0) * (0.55 + 0.45 * middle)
            trees.extend(pine(rng, (float(x), h * low - top + unit * 0.02), float(tall)))
        ground = np.linspace(0, wide, 80)
        rise = h * low - top - unit * 0.012 * line(rng, ground / unit, 4, 0.5, 3.0)
        trees.append(np.concatenate([np.stack([ground, rise], 1), [[wide, h - top + 5.0], [0, h - top + 5.0]]]))
        overlays.append(Strip(fill(wide, h - max(top, 0), trees), behind(pal, air), top=max(top, 0), speed_px_s=pace))
