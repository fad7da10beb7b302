"""The ocean: open sea, beach, palms, a long lens on the sun, a big sky, a rocky coast."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import mix
from vidgend.pipeline.footage.paint.noise import line
from vidgend.pipeline.footage.paint.plants import Points, palm
from vidgend.pipeline.footage.paint.raster import Silhouette, fill
from vidgend.pipeline.footage.paint.setting import Setting
from vidgend.pipeline.footage.paint.shore import Shore
from vidgend.pipeline.footage.paint.sky import Sky
from vidgend.pipeline.footage.paint.water import Water

_PHASES = 6


class Ocean:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        self._shore: Shore | None = None
        canvas, pal, rng = setting.canvas, setting.palette, setting.rng
        variant = setting.variant % 6
        left = rng.random() < 0.5
        tall = canvas.portrait
        low = min(pal.sun_height, 0.30)
        if variant == 0:
            self._view(setting, horizon=0.50 if tall else 0.46, sun_x=0.40 if left else 0.61, camera_m=3.2)
        elif variant == 1:
            sky = self._view(setting, horizon=0.44 if tall else 0.37, sun_x=0.66 if left else 0.35, camera_m=1.7)
            reach = 4.4
            self._shore = Shore(canvas, pal, rng, sky, reach_m=reach, toe_m=8.6 if tall else 10.5)
        elif variant == 2:
            self._view(setting, horizon=0.60 if tall else 0.56, sun_x=0.56 if left else 0.46, camera_m=2.6)
            self._palms(setting, left)
        elif variant == 3:
            self._view(
                setting,
                horizon=0.36 if tall else 0.30,
                sun_x=0.52,
                camera_m=1.5,
                sun_radius=0.10,
                sun_height=min(low, 0.17) * 0.9,
                zoom=1.4 if tall else 1.9,
                cloud=pal.cloud * 0.86,
                cloud_scale=2.0,
            )
        elif variant == 4:
            self._view(
                setting,
                horizon=0.78 if tall else 0.77,
                sun_x=0.30 if left else 0.70,
                camera_m=6.0,
                cloud=min(0.9, pal.cloud + 0.16),
                cloud_scale=1.9,
                sun_radius=0.034,
            )
        else:
            self._view(setting, horizon=0.47 if tall else 0.42, sun_x=0.66 if left else 0.34, camera_m=4.2)
            self._rocks(setting, left)

    def _view(
        self,
        setting: Setting,
        *,
        horizon: float,
        sun_x: float,
        camera_m: float,
        sun_radius: float = 0.042,
        sun_height: float | None = None,
        zoom: float = 1.0,
        cloud: float | None = None,
        cloud_scale: float = 1.0,
    ) -> Sky:
        canvas, pal, rng = setting.canvas, setting.palette, setting.rng
        self._sky = Sky(
            canvas,
            pal,
            rng,
            horizon_px=canvas.h * horizon,
            sun_x=sun_x,
            sun_height=sun_height,
            sun_radius=sun_radius,
            cloud=cloud,
            cloud_scale=cloud_scale,
            below=0.0,
        )
        self._water = Water(canvas, pal, rng, self._sky, fps=setting.fps, camera_m=camera_m, zoom=zoom)
        return self._sky

    def paint(self, index: int, t_s: float) -> None:
        self._sky.paint(t_s)
        self._water.paint(index)
        if self._shore is not None:
            self._shore.paint(t_s)

    def _palms(self, setting: Setting, left: bool) -> None:
        w, h = setting.canvas.full_width_px, setting.canvas.full_height_px
        unit = setting.canvas.unit * 2
        seed = int(setting.rng.integers(1 << 31))
        side = 1.0 if left else -1.0

        def place(x: float) -> float:
            return x if left else w - x

        def phase(sway: float) -> list[Points]:
            rng = np.random.default_rng(seed)
            size = 0.86 if setting.canvas.portrait else 1.0
            trees = palm(
                rng,
                (place((0.055 * size - 0.02) * unit), h * 1.02),
                0.80 * size * min(unit, h * 1.05),
                side * 0.34,
                sway,
            )
            trees += palm(
                rng, (place(-0.02 * unit), h * 1.02), 0.60 * size * min(unit, h * 1.05), side * 0.12, sway * 0.9
            )
            trees += palm(rng, (place(w * 1.0 - 0.04 * unit), h * 1.04), 0.45 * size * unit, -side * 0.18, sway * 1.1)
            ground = np.linspace(0, w, 60)
            rise = (
                0.035 * h * (0.5 + np.abs(np.linspace(-1, 1, 60)) ** 3) * (1 + 0.2 * line(rng, ground / w, 4, 0.5, 5.0))
            )
            trees.append(np.concatenate([np.stack([ground, h - rise], 1), [[w, h + 9.0], [0, h + 9.0]]]))
            return trees

        masks = [fill(w, h, phase(sway)) for sway in np.linspace(-1, 1, _PHASES)]
        self.overlays.append(Silhouette(masks, mix(setting.palette.land, setting.palette.sky[0], 0.06), period_s=7.0))

    def _rocks(self, setting: Setting, left: bool) -> None:
        w, h = setting.canvas.full_width_px, setting.canvas.full_height_px
        rng, pal = setting.rng, setting.palette
        foot = self._sky.horizon_px * 2
        unit = setting.canvas.unit * 2
        tall, wide = unit * 0.75, unit * 1.33
        x = np.linspace(-0.02, 1.02, 900) * (w / wide)
        away = x if left else w / wide - x
        reaches = min(1.0, w / wide * 1.25)
        for depth, (height, reach, base) in enumerate(((0.20, 0.62, 0.004), (0.34, 0.40, 0.05), (0.20, 0.24, 0.17))):
            reach *= reaches
            shape = np.clip(1 - away / reach, 0, 1) ** 0.75
            jag = 1 + 0.45 * line(rng, x, 8, 0.62, 4.0 + 3 * depth)
            masses = [(shape * jag, shape > 0.002)]
            for _ in range(2):
                # Stacks that stand free in front of the headland.
                middle, width = rng.uniform(reach * 1.05, reach * 1.4), rng.uniform(0.010, 0.028)
                stack = np.clip(1 - np.abs((away - middle) / width) ** 2.4, 0, 1) * rng.uniform(0.18, 0.5)
                masses.append((stack * (1 + 0.7 * line(rng, x, 8, 0.7, 30.0)), stack > 0))
            outlines = []
            for rise, where in masses:
                on = np.nonzero(where)[0]
                if on.size > 2:
                    top = foot + base * tall - np.maximum(rise[on], 0.004) * height * tall
                    low = foot + (base + 0.004 + 0.005 * np.abs(line(rng, x[on], 4, 0.6, 30.0))) * tall
                    outlines.append(
                        np.concatenate([np.stack([x[on] * wide, top], 1), np.stack([x[on] * wide, low], 1)[::-1]])
                    )
            tint = mix(pal.land, pal.haze, (0.52, 0.22, 0.04)[depth])
            self.overlays.append(Silhouette([fill(w, h, outlines)], tint))
