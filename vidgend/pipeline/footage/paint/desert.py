"""Dunes with sharp crests: a lit side and a shadow side, sand that blows off the crests."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Rgb, mix, smoothstep
from vidgend.pipeline.footage.paint.land import Layer, Mist, pan_width, trim
from vidgend.pipeline.footage.paint.noise import cloud_tile, line, sample
from vidgend.pipeline.footage.paint.setting import Setting
from vidgend.pipeline.footage.paint.sky import Sky
from vidgend.pipeline.footage.paint.stars import Stars


class Desert:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        canvas, pal, rng = setting.canvas, setting.palette, setting.rng
        low_sun = setting.variant % 2 == 1
        horizon = 0.50 if low_sun else 0.46
        self._from_right = bool(rng.random() < 0.5)
        sun_x = 0.5 if low_sun else (0.80 if self._from_right else 0.20)
        self._sky = Sky(
            canvas,
            pal,
            rng,
            horizon_px=canvas.h * (horizon + 0.06),
            sun_x=sun_x,
            cloud=pal.cloud * 0.72,
            sun_height=0.17 if low_sun else max(0.36, pal.sun_height),
            cloud_scale=1.3,
            sun_radius=0.075 if low_sun else 0.034,
        )
        self._stars = Stars(canvas, rng, canvas.h * horizon) if pal.night > 0.4 else None
        night = 0.72 * pal.night
        lit = mix(mix((0.93, 0.68, 0.42), pal.light, 0.45), pal.sky[0], night)
        shade = mix(mix((0.42, 0.22, 0.17), pal.cloud_dark, 0.42), pal.land, 0.25 + 0.3 * night)
        air = mix(pal.sky[3], pal.haze, 0.45)
        self._stack: list[Layer | Mist] = []
        layers = 5
        for n in range(layers):
            near = n / (layers - 1)
            far = 0.74 * (1 - near) ** 1.4
            self._stack.append(
                self._dune(setting, near, horizon, mix(lit, air, far), mix(shade, air, far * 0.9), low_sun)
            )
            if n < layers - 1:
                blown = mix(air, lit, 0.35)
                self._stack.append(
                    Mist(
                        canvas,
                        rng,
                        blown,
                        middle_px=canvas.h * (horizon + 0.06 + 0.36 * near**1.3),
                        spread_px=canvas.unit * 0.05,
                        strength=0.26,
                        speed=3.0 + 3 * near,
                    )
                )
        trim(self._stack)

    def _dune(self, setting: Setting, near: float, horizon: float, lit: Rgb, shade: Rgb, back_lit: bool) -> Layer:
        canvas, rng = setting.canvas, setting.rng
        pace = canvas.unit * (0.003 + 0.016 * near)
        wide = pan_width(canvas.w, pace)
        x = np.arange(wide, dtype=np.float32) / np.float32(canvas.unit)
        base = canvas.h * (horizon + 0.05 + (0.96 - horizon) * 0.70 * near**1.25)
        height = canvas.unit * (0.10 + 0.16 * near)
        wave = line(rng, x, 3, 0.38, 1.5 - 0.55 * near)
        ridge = 1 - np.abs(wave) * np.float32(1.6)
        profile = (base - height * (ridge * 0.6 + 0.2 * line(rng, x, 3, 0.3, 0.9))).astype(np.float32)
        top = max(0, int(profile.min()) - 1)
        y = np.arange(top, canvas.h, dtype=np.float32)[:, None]
        cover = np.clip(y - profile[None, :] + np.float32(0.5), 0, 1)
        down = np.maximum(y - profile[None, :], 0) / np.float32(canvas.unit)
        # The crest line wanders down the slope from each top: left and right of it are the two sides of the dune.
        slope = np.gradient(profile)
        slope = np.convolve(np.pad(slope, 10, mode="edge"), np.hanning(21) / np.hanning(21).sum(), "valid")
        side = slope / (np.abs(slope).max() + 1e-6) * (1.0 if self._from_right else -1.0)
        meander = np.sin(down * 11 + x[None, :] * 0.9) * 0.05 + np.sin(down * 27 + x[None, :] * 2.1) * 0.012
        lean = 0.5 if self._from_right else -0.9
        at = np.arange(wide)[None, :] + (down * lean + meander * np.minimum(down * 6, 1)) * canvas.unit
        face = np.clip(0.5 + side[np.clip(at, 0, wide - 1).astype(np.int64)] * 2.6, 0, 1)
        face = smoothstep(0.15, 0.85, face)
        # Light that the sand throws back brightens the shadow further down.
        face = face + (np.float32(0.62) - face) * smoothstep(0.05, 0.42, down) * np.float32(0.8)
        if back_lit:
            face = face * 0.45 + np.exp(-down * np.float32(26)) * np.float32(0.5)
        unit = np.float32(520 / canvas.unit)
        depth = np.float32(1.0) + down * np.float32(1.5)
        across = np.arange(wide, dtype=np.float32)[None, :] * unit
        warp = sample(cloud_tile(rng, 256, 2.0, 2), across * np.float32(0.35), down * 140)
        ripple = np.sin(
            (down * np.float32(520) / depth + warp * np.float32(5.5) + across * np.float32(0.05)) * np.float32(0.9)
        )
        ripple *= np.float32(0.06 * near) * smoothstep(0.01, 0.12, down)
        grain = sample(cloud_tile(rng, 256, 0.8, 8), across * 1.1, y * unit * 1.1) * np.float32(0.012)
        fade = 1 - np.float32(0.42 * near) * smoothstep(0.02, 0.5, down)
        rgb = np.stack(
            [
                (np.float32(b) + face * np.float32(a - b)) * (1 + ripple + grain) * fade
                for a, b in zip(lit, shade, strict=True)
            ]
        )
        return Layer(canvas, rgb * cover, cover, top=top, speed_px_s=pace)

    def paint(self, index: int, t_s: float) -> None:
        self._sky.paint(t_s)
        if self._stars is not None:
            self._stars.paint(t_s)
        for layer in self._stack:
            layer.paint(t_s)
