"""Fields: grass in the wind against the light, a flower meadow, hills with fields."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import glow, mix
from vidgend.pipeline.footage.paint.land import Layer, Mist, crest, ridge_layer, trim
from vidgend.pipeline.footage.paint.particles import dots
from vidgend.pipeline.footage.paint.plants import Points, blades, stroke
from vidgend.pipeline.footage.paint.raster import Silhouette, fill
from vidgend.pipeline.footage.paint.setting import Setting
from vidgend.pipeline.footage.paint.sky import Sky
from vidgend.pipeline.footage.paint.stars import Stars

_PHASES = 7


class Field:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        self._setting = setting
        canvas, pal, rng = setting.canvas, setting.palette, setting.rng
        variant = setting.variant % 3
        horizon = (0.66, 0.62, 0.52)[variant]
        sun_x = float(rng.choice([0.32, 0.68]))
        self._sky = Sky(
            canvas,
            pal,
            rng,
            horizon_px=canvas.h * horizon,
            sun_x=sun_x,
            cloud_scale=1.4,
            sun_height=min(0.6, max(pal.sun_height, 0.16)),
            sun_radius=0.05 if variant == 0 else 0.034,
        )
        self._stars = Stars(canvas, rng, canvas.h * horizon) if pal.night > 0.4 else None
        self._stack: list[Layer | Mist] = []
        leaf = mix(pal.accents[0], (0.30, 0.48, 0.14), 0.62)
        green = mix(mix(leaf, pal.light, 0.25), pal.land, 0.42 + 0.45 * pal.night)
        count = 5 if variant == 2 else 3
        for n in range(count):
            near = n / (count - 1)
            pace = canvas.unit * (0.003 + 0.011 * near)
            base = horizon + 0.015 + (1 - horizon) * 0.62 * near**1.2
            profile = crest(
                canvas, rng, base=base, height=0.13 - 0.05 * near, speed_px_s=pace, detail=1.3, rough=0.33, octaves=6
            )
            air = 0.74 * (1 - near) ** 1.2
            tone = mix(green, mix(leaf, pal.light, 0.45), 0.55 if n % 2 else 0.10)
            tint = mix(mix(tone, pal.light, 0.16), pal.haze, air)
            self._stack.append(
                ridge_layer(
                    canvas,
                    pal,
                    rng,
                    profile,
                    tint=tint,
                    foot=mix(mix(tone, pal.land, 0.35), pal.haze, air),
                    fade_px=canvas.unit * 0.24,
                    speed_px_s=pace,
                    relief=0.12,
                    lit=mix(tint, pal.light, 0.5),
                )
            )
            if n < count - 1:
                self._stack.append(
                    Mist(
                        canvas,
                        rng,
                        mix(pal.haze, pal.sky[3], 0.5),
                        middle_px=canvas.h * (base + 0.03),
                        spread_px=canvas.unit * 0.05,
                        strength=0.28,
                    )
                )
        trim(self._stack)
        if variant == 0:
            self._grass(0.46, 250, pal.land, flowers=False)
        elif variant == 1:
            self._grass(0.30, 190, mix(pal.land, green, 0.25), flowers=True)
        else:
            self._grass(0.10, 420, pal.land, flowers=False)
        n = 46
        self._dust = (rng.uniform(0, 1, n), rng.uniform(0, 1, n), rng.uniform(0.5, 1.5, n), rng.uniform(0, 7, n))

    def _grass(self, height: float, density: int, tint: tuple[float, float, float], *, flowers: bool) -> None:
        canvas, rng, pal = self._setting.canvas, self._setting.rng, self._setting.palette
        w, h, unit = canvas.full_width_px, canvas.full_height_px, canvas.unit * 2
        tall = unit * height
        rows = int(min(h, tall * 1.15))
        seed = int(rng.integers(1 << 31))
        count = int(density * w / unit)
        # Short grass everywhere, long stalks towards the sides: the middle stays open.
        for layer, (share, size, shade) in enumerate(((1.6, 0.42, 0.16), (1.0, 0.62, 0.0), (0.09, 1.0, 0.0))):

            def stalks(sway: float, layer: int = layer, share: float = share, size: float = size) -> list[Points]:
                own = np.random.default_rng([seed, layer])
                x = own.uniform(-0.03, 1.03, int(count * share)) * w
                frame = 0.50 + 0.50 * np.abs(x / w - 0.5) * 2
                tallness = tall * size * own.uniform(0.5, 1.0, x.size) * frame
                grown = blades(own, x, rows + 4.0, tallness, sway)
                parts: list[Points] = [grown]
                if layer == 2:
                    parts.extend(_heads(own, grown, unit))
                return parts

            masks = [fill(w, rows, stalks(sway)) for sway in np.linspace(-1, 1, _PHASES if layer else 3)]
            self.overlays.append(
                Silhouette(
                    masks,
                    mix(tint, pal.haze, shade),
                    corner=(0, h - rows),
                    period_s=5.2 - 0.6 * layer,
                    shift=0.9 * layer,
                )
            )
        if flowers:
            self._flowers(seed, rows, tall, tint)

    def _flowers(self, seed: int, rows: int, tall: float, tint: tuple[float, float, float]) -> None:
        canvas, pal = self._setting.canvas, self._setting.palette
        w, h, unit = canvas.full_width_px, canvas.full_height_px, canvas.unit * 2
        for kind in range(3):

            def heads(sway: float, kind: int = kind) -> list[Points]:
                own = np.random.default_rng([seed, 50 + kind])
                count = int((60, 46, 34)[kind] * w / unit)
                x, size = own.uniform(-0.02, 1.02, count) * w, unit * own.uniform(0.004, 0.0115, count)
                y = rows - tall * own.uniform(0.05, 0.85, count) * (0.55 + 0.45 * np.abs(x / w - 0.5) * 2)
                x = x + sway * (rows - y) * 0.09
                turn = own.uniform(0, 2 * np.pi, count)
                flat = own.uniform(0.45, 0.9, count)
                around = np.linspace(0, 2 * np.pi, 40, endpoint=False)
                petals = 1 + 0.20 * np.cos(around[None, :] * 5 + turn[:, None])
                px = x[:, None] + size[:, None] * petals * np.cos(around)[None, :]
                py = y[:, None] + size[:, None] * petals * np.sin(around)[None, :] * flat[:, None]
                return [np.stack([px, py], axis=2)]

            tone = mix((pal.accents[1], pal.accents[2], pal.cloud_lit)[kind], tint, 0.10 + 0.5 * pal.night)
            masks = [fill(w, rows, heads(sway)) for sway in np.linspace(-1, 1, _PHASES)]
            self.overlays.append(Silhouette(masks, tone, corner=(0, h - rows), period_s=4.6, shift=0.9))

    def paint(self, index: int, t_s: float) -> None:
        canvas, pal = self._setting.canvas, self._setting.palette
        self._sky.paint(t_s)
        if self._stars is not None:
            self._stars.paint(t_s)
        for layer in self._stack:
            layer.paint(t_s)
        x, y, size, phase = self._dust
        px = (x * canvas.w + canvas.unit * (0.02 * t_s * size + 0.03 * np.sin(0.5 * t_s + phase))) % canvas.w
        py = (
            y * canvas.h - canvas.unit * 0.006 * t_s * size + canvas.unit * 0.02 * np.sin(0.8 * t_s + 2 * phase)
        ) % canvas.h
        radius = size * canvas.unit / 380
        gain = 0.34 * (0.6 + 0.4 * np.sin(1.1 * t_s + phase))
        glow(
            canvas.rgb,
            dots((canvas.h, canvas.w), px, py, radius, gain, reach=int(2.4 * radius.max()) + 1),
            mix(pal.light, pal.disc, 0.5),
        )


def _heads(rng: np.random.Generator, grown: Points, unit: float) -> list[Points]:
    """Seed heads at the tips of the tallest stalks."""
    parts = []
    for blade in grown[::2]:
        tip, below = blade[2], blade[1]
        way = (tip - below) / max(float(np.linalg.norm(tip - below)), 1e-6)
        length = unit * rng.uniform(0.028, 0.05)
        path = tip[None, :] - way[None, :] * np.linspace(0, length, 8)[:, None]
        parts.append(stroke(path, unit * 0.0075 * np.array([0.2, 0.6, 0.9, 1.0, 1.0, 0.85, 0.6, 0.3])))
    return parts
