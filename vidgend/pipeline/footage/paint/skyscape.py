"""The sky itself: drifting clouds over a thin strip of land, a sea of clouds from above, birds on their way."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.birds import Flock
from vidgend.pipeline.footage.paint.canvas import mix, smoothstep
from vidgend.pipeline.footage.paint.land import Layer, crest, ridge_layer
from vidgend.pipeline.footage.paint.noise import cloud_tile, sample
from vidgend.pipeline.footage.paint.setting import Setting
from vidgend.pipeline.footage.paint.sky import Sky, behind
from vidgend.pipeline.footage.paint.stars import Stars


class Skyscape:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        canvas, pal, rng = setting.canvas, setting.palette, setting.rng
        variant = setting.variant % 3
        self._deck: CloudDeck | None = None
        self._land: list[Layer] = []
        sun_x = float(rng.choice([0.28, 0.72]))
        horizon = (0.93, 0.52, 0.90)[variant]
        self._sky = Sky(
            canvas,
            pal,
            rng,
            horizon_px=canvas.h * horizon,
            sun_x=sun_x,
            cloud_scale=(1.6, 0.9, 1.3)[variant],
            sun_height=(None, max(0.16, pal.sun_height * 0.7), max(0.3, pal.sun_height))[variant],
            cloud=(min(0.85, pal.cloud + 0.1), pal.cloud * 0.7, pal.cloud)[variant],
            sun_radius=0.034,
            speed=1.5,
        )
        self._stars = Stars(canvas, rng, canvas.h * horizon) if pal.night > 0.4 else None
        if variant == 1:
            self._deck = CloudDeck(setting, self._sky)
        else:
            for near, air in ((0.0, 0.55), (1.0, 0.12)):
                pace = canvas.unit * (0.006 + 0.006 * near)
                profile = crest(
                    canvas,
                    rng,
                    base=horizon + 0.012 + 0.045 * near,
                    height=0.05,
                    speed_px_s=pace,
                    detail=1.6,
                    rough=0.42,
                )
                self._land.append(
                    ridge_layer(
                        canvas,
                        pal,
                        rng,
                        profile,
                        tint=behind(pal, air),
                        speed_px_s=pace,
                        foot=behind(pal, air + 0.12),
                        fade_px=canvas.unit * 0.1,
                    )
                )
        if variant == 2:
            self.overlays.append(Flock(setting, mix(pal.land, pal.sky[1], 0.12)))

    def paint(self, index: int, t_s: float) -> None:
        self._sky.paint(t_s)
        if self._stars is not None:
            self._stars.paint(t_s)
        if self._deck is not None:
            self._deck.paint(t_s)
        for layer in self._land:
            layer.paint(t_s)


class CloudDeck:
    """A sea of clouds below the eye, lit by the sky's sun."""

    def __init__(self, setting: Setting, sky: Sky) -> None:
        self._canvas = canvas = setting.canvas
        pal, rng = setting.palette, setting.rng
        self._top = int(sky.horizon_px) - 1
        y = canvas.y[self._top :] - np.float32(sky.horizon_px)
        down = np.maximum(y, 0) / np.float32(canvas.unit)
        depth = 1.0 / (down + np.float32(0.05))
        across = (canvas.x - np.float32(sky.sun_x_px)) / np.float32(canvas.unit)
        shape = (y.shape[0], canvas.w)
        self._u = (across * depth * 26 + np.zeros(shape)).astype(np.float32)
        self._v = np.broadcast_to(depth * 42, shape).astype(np.float32)
        tile = cloud_tile(rng, 512, 1.8, 3)
        self._tile = (tile + 1j * (tile - np.roll(tile, -5, axis=0))).astype(np.complex64)
        self._fine = cloud_tile(rng, 256, 1.5, 5)
        self._far = np.exp(-down * np.float32(7))
        self._near_sun = np.exp(-np.abs(across) * np.float32(1.6)) * np.exp(-down * np.float32(1.5))
        self._dim = 1 - np.float32(0.30) * smoothstep(0.25, 0.75, down)
        self._pal = pal

    def paint(self, t_s: float) -> None:
        move = np.float32(t_s)
        body = sample(self._tile, self._u + move * 1.0, self._v + move * np.float32(2.6))
        fine = sample(self._fine, self._u * 1.7 + move * np.float32(1.8), self._v * 1.7 + move * np.float32(4.0))
        lit = body.imag * np.float32(0.75) + body.real * np.float32(0.16) + fine * np.float32(0.07) + np.float32(0.46)
        lit = np.clip(lit, 0, 1)
        lit = lit * lit * (3 - 2 * lit)
        pal = self._pal
        dark = mix(pal.cloud_dark, pal.sky[1], 0.35)
        warm = mix(pal.light, pal.disc, 0.4)
        target = self._canvas.rgb[:, self._top :]
        edge = np.clip((self._canvas.y[self._top :] - np.float32(self._top)) * np.float32(0.4), 0, 1)
        for part in range(3):
            bright = np.float32(pal.cloud_lit[part]) + self._near_sun * np.float32(warm[part] - pal.cloud_lit[part])
            plane = np.float32(dark[part]) + lit * (bright - np.float32(dark[part]))
            plane *= self._dim
            plane += self._far * (np.float32(mix(pal.sky[3], pal.light, 0.2)[part]) - plane)
            target[part] += edge * (plane - target[part])
