"""The beach in front of the water: breakers that roll in, foam that runs up the sand and drains away."""

from __future__ import annotations

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Canvas, Field, mix, smoothstep
from vidgend.pipeline.footage.paint.noise import cloud_tile, sample
from vidgend.pipeline.footage.paint.palette import Palette
from vidgend.pipeline.footage.paint.sky import Sky, dome

_PERIOD_S = 6.4
_SPEED_M_S = 2.3
_LEAD_S = 13.0
"""How long a breaker is seen before it reaches the sand."""
_RUN_S = 2.9
"""From the toe of the sand to the highest point."""
_DRAIN_S = 6.5


class Shore:
    """Painted over the water; lengths along the view are metres from the eye. `toe_m` is where the sand begins."""

    def __init__(
        self,
        canvas: Canvas,
        palette: Palette,
        rng: np.random.Generator,
        sky: Sky,
        *,
        camera_m: float = 1.7,
        toe_m: float = 10.5,
        reach_m: float = 4.2,
    ) -> None:
        self._canvas, self._palette = canvas, palette
        self._camera_m, self._toe_m, self._reach_m = camera_m, toe_m, reach_m
        self._horizon, self._focal = sky.horizon_px, sky.focal_px
        self._profiles = rng.standard_normal((32, 64)).astype(np.float32)
        kernel = np.array([0.25, 0.5, 0.25])
        self._profiles = np.stack([np.convolve(np.tile(row, 3), kernel, "same")[64:128] for row in self._profiles])
        self._jitter = rng.uniform(-0.7, 0.7, 32)
        web = np.minimum(np.abs(cloud_tile(rng, 256, 2.3, 9)), np.abs(cloud_tile(rng, 256, 2.3, 16)) * 1.25)
        self._web = (1 - np.clip(web / 0.9, 0, 1)).astype(np.float32)
        self._churn = cloud_tile(rng, 256, 1.1, 4)
        self._top = int(sky.horizon_px + camera_m * sky.focal_px / (toe_m + 4.5))
        y = canvas.y[self._top :] - np.float32(sky.horizon_px)
        x = canvas.x - np.float32(canvas.w / 2)
        self._z = np.float32(camera_m * sky.focal_px) / y
        world_x = x * self._z / np.float32(sky.focal_px)
        self._u = (world_x * np.float32(34)).astype(np.float32)
        self._v = np.broadcast_to(self._z * np.float32(24), self._u.shape).astype(np.float32)
        self._side_m = (x[0] * (toe_m - 2) / sky.focal_px).astype(np.float64)
        self._x_px = x[0]
        self._paint_sand(rng, sky, x, y)

    def _paint_sand(self, rng: np.random.Generator, sky: Sky, x: Field, y: Field) -> None:
        pal = self._palette
        grain = sample(cloud_tile(rng, 256, 0.9, 4), self._u * 0.8, self._v * 0.8)
        ripple = sample(cloud_tile(rng, 256, 1.8, 2), self._u * 0.16, self._v * 0.5)
        down = y / np.hypot(y, np.float32(sky.focal_px))
        mirrored = dome(pal, down * np.float32(1.3))
        dry = mix(mix(pal.land, (0.66, 0.54, 0.42), 0.62 - 0.40 * pal.night), pal.sky[2], 0.26)
        wet = mix(pal.land, dry, 0.30)
        texture = np.clip(1 + grain * np.float32(0.045) + ripple * np.float32(0.07), 0.6, 1.4)
        near = smoothstep(0.0, 1.0, (y - y[0]) / np.float32(max(1.0, float(y[-1, 0] - y[0, 0]))))
        fall = 1 - np.float32(0.45) * near
        beam = np.exp(
            -(((x + np.float32(self._canvas.w / 2 - sky.sun_x_px)) / np.float32(0.10 * self._canvas.unit)) ** 2)
        )
        wide = np.exp(
            -(((x + np.float32(self._canvas.w / 2 - sky.sun_x_px)) / np.float32(0.42 * self._canvas.unit)) ** 2)
        )
        gleam = 0.55 if sky.has_sun else 0.0
        self._dry = np.stack([np.float32(part) * texture * fall for part in dry])
        shine = mix(pal.light, pal.disc, 0.35)
        mirror = np.float32(0.74) - np.float32(0.40) * near
        rough = np.clip(1 + ripple * np.float32(0.12), 0.5, 1.5)
        layers = []
        for part in range(3):
            reflected = mirrored[part] + wide * np.float32(0.35 * gleam) * (np.float32(shine[part]) - mirrored[part])
            plane = np.float32(wet[part]) * texture * fall
            plane = plane + (reflected - plane) * mirror
            plane += (1 - plane) * beam * rough * np.float32(gleam * shine[part]) * (1 - near * np.float32(0.65))
            layers.append(plane)
        self._wet = np.stack(layers).astype(np.float32)

    def _profile(self, event: int, at_m: Field) -> Field:
        row = self._profiles[event % 32]
        place = (at_m / 1.7 + event * 3.7) % 64
        left = np.floor(place).astype(np.int64)
        part = place - left
        part = part * part * (3 - 2 * part)
        value: Field = row[left % 64] * (1 - part) + row[(left + 1) % 64] * part
        return value

    def _events(self, t_s: float) -> list[tuple[int, float]]:
        first = int(np.floor((t_s - _RUN_S - _DRAIN_S - 1) / _PERIOD_S))
        last = int(np.floor((t_s + _LEAD_S + 1) / _PERIOD_S)) + 1
        return [(n, t_s - (n + 0.15) * _PERIOD_S - float(self._jitter[n % 32])) for n in range(first, last + 1)]

    def _edge(self, event: int, age_s: float) -> tuple[Field, Field]:
        """How near the water of one run comes at each column, and the nearest it will have come; metres."""
        lobes = self._profile(event, self._side_m) * 0.55 + self._profile(event + 7, self._side_m * 2.7) * 0.16
        highest = self._toe_m - self._reach_m * (0.86 + 0.14 * float(self._jitter[(event * 5) % 32])) + lobes
        if age_s < _RUN_S:
            eased = 1 - (1 - age_s / _RUN_S) ** 2
            return self._toe_m + 1.2 - (self._toe_m + 1.2 - highest) * eased, highest
        back = min((age_s - _RUN_S) / _DRAIN_S, 1.0)
        back = back * back * (3 - 2 * back)
        return highest + (self._toe_m + 1.5 - highest) * back, highest

    def paint(self, t_s: float) -> None:
        events = self._events(t_s)
        for event, age_s in reversed(events):
            if -_LEAD_S < age_s < 0.6:
                self._breaker(event, -age_s)
        self._swash([(event, age_s) for event, age_s in events if 0 <= age_s < _RUN_S + _DRAIN_S], t_s)

    def _swash(self, events: list[tuple[int, float]], t_s: float) -> None:
        target = self._canvas.rgb[:, self._top :]
        edge = np.full(self._canvas.w, self._toe_m + 1.5)
        wet = np.full(self._canvas.w, self._toe_m - self._reach_m * 1.02)
        foam = np.zeros(self._u.shape, np.float32)
        slide = np.float32(0)
        for event, age_s in events:
            line, highest = self._edge(event, age_s)
            edge = np.minimum(edge, line)
            wet = np.minimum(wet, np.where(age_s < _RUN_S, line, highest + 0.10 * (age_s - _RUN_S)))
            behind = self._z - line.astype(np.float32)[None, :]
            young = 1.0 if age_s < _RUN_S else float(np.exp(-(age_s - _RUN_S) / 1.8))
            old = float(np.exp(-age_s / 4.2))
            inside = np.clip(behind * np.float32(14) + 1, 0, 1)
            behind = np.maximum(behind, 0)
            foam += inside * (
                np.exp(behind * np.float32(-3.2)) * np.float32(0.95 * young + 0.25 * old)
                + np.exp(behind * np.float32(-0.55)) * np.float32(0.72 * old)
            )
            slide = np.float32(float(line.mean()) * 24)
        web = sample(self._web, self._u, self._v - slide * np.float32(0.8))
        film = self._z - edge.astype(np.float32)[None, :]
        sheet = smoothstep(0.0, 3.6, film) * np.float32(0.80)
        sheet += np.clip(film * np.float32(10) + 0.5, 0, 1) * np.float32(0.20)
        damp = smoothstep(-0.9, 0.35, self._z - wet.astype(np.float32)[None, :])
        # A dark rim where the film ends, as water bends light away from its edge.
        rim = np.exp(-np.abs(film + np.float32(0.05)) * np.float32(16)) * np.float32(0.16)
        froth = np.clip(foam * np.float32(1.55) + web - np.float32(1.02), 0, 1)
        froth *= np.float32(1.5)
        np.clip(froth, 0, 1, out=froth)
        froth *= np.float32(0.9)
        white = self._foam_tint()
        for part in range(3):
            sand = self._wet[part] - self._dry[part]
            sand *= damp
            sand += self._dry[part]
            plane = target[part]
            plane -= sand
            plane *= sheet
            plane += sand
            plane *= 1 - rim
            plane += froth * (np.float32(white[part]) - plane)

    def _foam_tint(self) -> tuple[float, float, float]:
        pal = self._palette
        return mix(mix(pal.sky[3], (1.0, 1.0, 1.0), 0.55 - 0.45 * pal.night), pal.light, 0.18 + 0.2 * pal.night)

    def _breaker(self, event: int, until_s: float) -> None:
        """A raised ridge of water that comes nearer, steepens, and turns white from its crest down."""
        z = self._toe_m + 1.0 + _SPEED_M_S * max(until_s, 0.0)
        grown = float(np.clip(1.25 - until_s / _LEAD_S, 0, 1) * np.clip((_LEAD_S - until_s) / 3, 0, 1))
        sunk = float(np.clip(0.25 + until_s / 1.6, 0, 1)) if until_s < 1.2 else 1.0
        at_m = self._x_px.astype(np.float64) * z / self._focal
        shape = self._profile(event, at_m * 0.22) * 0.62 + self._profile(event + 3, at_m * 0.8) * 0.18
        height = np.clip(0.55 + shape * 0.50, 0.05, 1.1) * 0.66 * grown * sunk
        wander = self._profile(event + 11, at_m * 0.2) * 0.7
        crest = (self._horizon + (self._camera_m - height) * self._focal / (z + wander)).astype(np.float32)
        base = (self._horizon + self._camera_m * self._focal / (z + wander - 0.55 - height * 0.9)).astype(np.float32)
        top, bottom = int(np.floor(crest.min())) - 2, int(np.ceil(base.max())) + 3
        top, bottom = max(top, int(self._horizon) + 1), min(bottom, self._canvas.h)
        if bottom - top < 2:
            return
        y = self._canvas.y[top:bottom]
        span = np.maximum(base - crest, 1)[None, :]
        down = (y - crest[None, :]) / span
        alpha = np.clip(y - crest[None, :] + np.float32(0.5), 0, 1) * np.clip((1 - down) * np.float32(2.6), 0, 1)
        broken = np.clip(1.15 - until_s / 7.5 + shape * 1.15, 0, 1).astype(np.float32)[None, :]
        u = (at_m * 16).astype(np.float32)[None, :] + np.zeros_like(y)
        v = (y - base[None, :]) * np.float32(z * 0.055) - np.float32(until_s * 9)
        churn = sample(self._churn, u, v)
        white = (broken * np.float32(2.1) - down * np.float32(1.15) - np.float32(0.35)) * np.float32(2.2)
        white = np.clip(white + churn * np.float32(0.34), 0, 1) * np.clip(broken * 3, 0, 1)
        pal = self._palette
        lip = np.exp(down * np.float32(-4)) * np.float32(0.62)
        foam = mix(self._foam_tint(), pal.cloud_dark, 0.12)
        shadow = mix(pal.cloud_dark, pal.water, 0.35)
        through = mix(pal.sky[2], pal.light, 0.35)
        shade = np.clip(np.float32(1.0) - down * np.float32(0.75) + churn * np.float32(0.13), 0.12, 1)
        face = mix(pal.water, pal.sky[1], 0.18)
        target = self._canvas.rgb[:, top:bottom]
        for part in range(3):
            body = np.float32(face[part]) + lip * np.float32(through[part] - face[part])
            froth = np.float32(shadow[part]) + shade * np.float32(foam[part] - shadow[part])
            body += white * (froth - body)
            target[part] += alpha * (body - target[part])
