"""Open water in perspective: a random sea of many waves that mirrors the sky and throws the sun's glitter.

Each wave is a plane wave, so its phase at a pixel is a fixed part plus a part that only depends on time. The
fixed parts are worked out once as cosines and sines; a frame is then one matrix product. Waves too short for
a pixel fade out, and what they would have added to the slopes goes into the breadth of the glitter instead.

Source: dispersion of deep water waves w = sqrt(g k), e.g. Tessendorf, "Simulating Ocean Water" (2001);
Fresnel after Schlick (1994).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidgend.pipeline.footage.paint.canvas import Canvas, Field, mix, smoothstep
from vidgend.pipeline.footage.paint.palette import Palette
from vidgend.pipeline.footage.paint.sky import Sky, dome

BATCH = 8
"""Frames worked out together: one matrix product for eight frames takes a third of the time of eight."""
_GRAVITY = 9.81


class Water:
    """Rows from the horizon to `bottom_px`. `camera_m` is the eye above the water, `rough` the slope's deviation."""

    def __init__(
        self,
        canvas: Canvas,
        palette: Palette,
        rng: np.random.Generator,
        sky: Sky,
        *,
        fps: float,
        bottom_px: int | None = None,
        camera_m: float = 3.0,
        rough: float = 0.11,
        longest_m: float = 18.0,
        waves: int = 56,
        zoom: float = 1.0,
        glitter: float = 1.0,
        from_row: int | None = None,
    ) -> None:
        self._canvas, self._palette, self._fps = canvas, palette, fps
        # Water may begin in front of a shore that hides the horizon; the sky's own may lie elsewhere then.
        self.top = max(0, int(np.floor(sky.horizon_px)) + 1) if from_row is None else from_row
        horizon_px = sky.horizon_px if from_row is None else from_row - 1.0
        self.bottom = canvas.h if bottom_px is None else min(canvas.h, bottom_px)
        rows = self.bottom - self.top
        focal = sky.focal_px * zoom
        y = canvas.y[self.top : self.bottom] - np.float32(horizon_px)
        x = canvas.x - np.float32(canvas.w / 2)
        self._shape = (rows, canvas.w)
        depth = np.float32(camera_m * focal) / y
        across = x * np.float32(camera_m) / y
        step_x = np.float32(camera_m) / y
        step_z = np.float32(camera_m * focal) / (y * y)
        length = np.hypot(np.hypot(x, y), np.float32(focal))
        down, side, ahead = y / length, x / length, np.float32(focal) / length
        self._down = down
        self._plan_waves(rng, depth, across, step_x, step_z, rough, longest_m, waves, palette.wind, side, ahead)
        self._plan_sun(sky, x, y, focal, glitter)
        self._plan_mirror(sky, down, x, y)

    def _plan_waves(
        self,
        rng: np.random.Generator,
        depth: Field,
        across: Field,
        step_x: Field,
        step_z: Field,
        rough: float,
        longest_m: float,
        waves: int,
        wind: float,
        side: Field,
        ahead: Field,
    ) -> None:
        lengths = longest_m * (0.16 / longest_m) ** np.linspace(0, 1, waves) * rng.uniform(0.85, 1.15, waves)
        k = 2 * np.pi / lengths
        spread = 0.30 + 0.75 * np.linspace(0, 1, waves)
        angle = 0.25 + rng.standard_normal(waves) * spread
        kx, kz = k * np.sin(angle), -k * np.cos(angle)
        slope = rough * (0.7 + 0.3 * wind) * np.sqrt(2.0 / waves) * np.ones(waves)
        self._omega = np.sqrt(_GRAVITY * k) * 0.85
        basis = np.empty((2 * waves, *self._shape), np.float32)
        lost = np.zeros((self._shape[0], 1), np.float32)
        for n in range(waves):
            fade = np.exp(np.float32(-0.42) * ((kx[n] * step_x) ** 2 + (kz[n] * step_z) ** 2)).astype(np.float32)
            lost += np.float32(slope[n] ** 2 / 2) * (1 - fade * fade)
            phase = np.float32(kx[n]) * across + np.float32(kz[n]) * depth
            phase += np.float32(rng.uniform(0, 2 * np.pi))
            np.cos(phase, out=basis[n])
            np.sin(phase, out=basis[waves + n])
            basis[n] *= fade
            basis[waves + n] *= fade
        self._basis = basis.reshape(2 * waves, -1)
        self._slope_x, self._slope_z, self._height = slope * kx / k, slope * kz / k, slope / k
        self._lost = lost
        self._scale = np.float32(1.0 / np.sqrt(np.sum(self._height**2) / 2))
        self._side, self._ahead = side, ahead
        self._block = -1
        self._fields = np.empty((BATCH, 3, *self._shape), np.float32)

    def _plan_sun(self, sky: Sky, x: Field, y: Field, focal: float, glitter: float) -> None:
        sun = np.array([sky.sun_x_px - self._canvas.w / 2, sky.horizon_px - sky.sun_y_px, focal])
        sun[1] = max(sun[1], focal * 0.02)
        sun /= np.linalg.norm(sun)
        half_x = np.float32(sun[0]) - self._side
        half_y = np.float32(sun[1]) + self._down
        half_z = np.float32(sun[2]) - self._ahead
        self._aim_x, self._aim_z = -half_x / half_y, -half_z / half_y
        breadth = self._lost + np.float32(0.00075)
        self._sharp = np.float32(-0.5) / breadth
        fade_in = smoothstep(0.0, 0.006, y / np.float32(self._canvas.unit))
        strength = glitter if sky.has_sun else 0.0
        self._shine = np.sqrt(np.float32(0.0016) / breadth) * np.float32(2.5 * strength) * (0.35 + 0.65 * fade_in)

    def _plan_mirror(self, sky: Sky, down: Field, x: Field, y: Field) -> None:
        pal = self._palette
        elevation = np.linspace(0, 1.2, 256, dtype=np.float32)
        far = dome(pal, elevation * np.float32(1.25))
        glow = np.exp(-elevation * np.float32(2.6))
        light = np.array(mix(pal.light, pal.disc, 0.25), np.float32)[:, None]
        strength = 0.62 if pal.night < 0.6 else 0.35
        near = far + (light - far) * glow * np.float32(strength if sky.has_sun else 0)
        shade = np.array(pal.cloud_dark, np.float32)[:, None]
        cover = np.float32(0.30 * pal.cloud) * smoothstep(0.05, 0.4, elevation)
        self._far = np.ascontiguousarray(far + (shade - far) * cover)
        self._near = np.ascontiguousarray(near + (shade - near) * cover)
        spread = np.float32(self._canvas.unit * 0.34) + y * np.float32(0.45)
        offset = (x + np.float32(self._canvas.w / 2 - sky.sun_x_px)) / spread
        self._towards = np.exp(np.float32(-0.5) * offset * offset)
        facing = np.linspace(0, 1, 256, dtype=np.float32)
        self._fresnel = (0.02 + 0.98 * (1 - facing) ** 5).astype(np.float32)

    def _advance(self, index: int) -> Field:
        block, place = divmod(index, BATCH)
        if block != self._block:
            t = (np.arange(BATCH) + block * BATCH) / self._fps
            angle = self._omega[None, :] * t[:, None]
            c, s = np.cos(angle), np.sin(angle)
            rows = np.empty((BATCH, 3, 2, len(self._omega)))
            for place_of, amount in ((0, self._slope_x), (1, self._slope_z)):
                rows[:, place_of, 0], rows[:, place_of, 1] = amount * c, amount * s
            rows[:, 2, 0], rows[:, 2, 1] = -self._height * s, self._height * c
            left = rows.reshape(BATCH * 3, -1).astype(np.float32)
            np.matmul(left, self._basis, out=self._fields.reshape(BATCH * 3, -1))
            self._block = block
        fields: Field = self._fields[place]
        return fields

    def ripple(self, index: int, rows: int) -> NDArray[np.int64]:
        """int64[rows, w]: for each pixel of the first `rows` rows, which pixel of an upright mirror image of as
        many rows it shows; nearer waves throw the image about more."""
        slope_x, slope_z, _ = self._advance(index)
        size = np.float32(self._canvas.unit)
        y = np.arange(rows, dtype=np.float32)[:, None]
        x = np.arange(self._shape[1], dtype=np.float32)[None, :]
        row: NDArray[np.int64] = np.clip(
            y + slope_z[:rows] * size * np.float32(0.9) + np.float32(0.5), 0, rows - 1
        ).astype(np.int64)
        column = np.clip(x + slope_x[:rows] * size * np.float32(0.35) + np.float32(0.5), 0, self._shape[1] - 1)
        row *= self._shape[1]
        row += column.astype(np.int64)
        return row

    def paint(self, index: int) -> None:
        """Needs nothing of the frame before; paints over every pixel of its rows."""
        slope_x, slope_z, height = self._advance(index)
        facing = slope_z * self._ahead
        facing += slope_x * self._side
        facing += self._down
        up = facing * np.float32(2)
        up -= self._down
        np.abs(facing, out=facing)
        mirror = self._fresnel.take((facing * np.float32(255)).astype(np.int32), mode="clip")
        mirror *= np.float32(0.92)
        at = (np.abs(up) * np.float32(255 / 1.2)).astype(np.int32)
        # Halved across: a wider path than nature's, as a long lens shows it.
        off_x = slope_x - self._aim_x
        off_x *= np.float32(0.5)
        off_z = slope_z - self._aim_z
        off_x *= off_x
        off_z *= off_z
        off_x += off_z
        off_x *= self._sharp
        spec = np.exp(off_x, out=off_x)
        spec *= self._shine
        spec *= mirror * np.float32(1.4) + np.float32(0.25)
        crest = np.clip(height * (self._scale * np.float32(0.30)) + np.float32(0.25), 0, 1)
        pal = self._palette
        target = self._canvas.rgb[:, self.top : self.bottom]
        lit_water = mix(pal.water, mix(pal.sky[2], pal.accents[0], 0.2), 0.34)
        shine = mix(pal.light, pal.disc, 0.45)
        for part in range(3):
            body = crest * np.float32(lit_water[part] - pal.water[part])
            body += np.float32(pal.water[part])
            sky = self._far[part].take(at, mode="clip")
            extra = self._near[part].take(at, mode="clip")
            extra -= sky
            extra *= self._towards
            sky += extra
            sky -= body
            sky *= mirror
            body += sky
            gain = np.minimum(spec * np.float32(shine[part]), 1, out=extra)
            body += (1 - body) * gain
            target[part] = body
