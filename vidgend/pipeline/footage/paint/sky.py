"""The sky: a graded dome, sun or moon with its glow, moving clouds lit from where the light is, stars."""

from __future__ import annotations

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Canvas, Field, Rgb, glow, mix, smoothstep
from vidgend.pipeline.footage.paint.noise import cloud_tile, sample
from vidgend.pipeline.footage.paint.palette import Palette

_STEPS = ((0.0, 3), (0.14, 2), (0.5, 1), (1.15, 0))
"""Where the palette's four sky colours sit: tangent of the elevation x 1.4, and the index of the colour."""


def dome(palette: Palette, elevation: Field) -> Field:
    """float32[3, ...]: the bare sky's colours at `elevation`, 0 at the horizon and about 1 at the frame's top."""
    at = np.array([step for step, _ in _STEPS], np.float32)
    smooth = np.linspace(0, 1.15, 512, dtype=np.float32)
    planes = []
    for part in range(3):
        values = np.array([palette.sky[index][part] for _, index in _STEPS], np.float32)
        curve = np.interp(smooth, at, values)
        padded = np.pad(curve, 40, mode="edge")
        kernel = np.hanning(81)
        curve = np.convolve(padded, kernel / kernel.sum(), mode="valid")
        planes.append(np.interp(elevation, smooth, curve).astype(np.float32))
    return np.stack(planes)


class Sky:
    """Rows 0..`horizon_px` of the canvas. `sun_x` is a fraction of the width, `sun_y_px` the row of its middle."""

    def __init__(
        self,
        canvas: Canvas,
        palette: Palette,
        rng: np.random.Generator,
        *,
        horizon_px: float,
        sun_x: float = 0.5,
        sun_height: float | None = None,
        sun_radius: float = 0.042,
        cloud: float | None = None,
        cloud_scale: float = 1.0,
        sun: bool = True,
        speed: float = 1.0,
        below: float = 0.12,
    ) -> None:
        self._canvas = canvas
        self._palette = palette
        # Land may dip below the horizon: the sky goes on behind it for `below` of the canvas unit.
        self.rows = max(2, min(canvas.h, int(np.ceil(horizon_px + below * canvas.unit)) + 1))
        self.horizon_px = horizon_px
        height = palette.sun_height if sun_height is None else sun_height
        self.sun_x_px = sun_x * canvas.w
        reach = min(horizon_px, canvas.unit * 0.75)
        self.sun_y_px = horizon_px - height * reach
        self.focal_px = 1.35 * canvas.unit
        self._speed = speed * (0.5 + 0.5 * palette.wind)
        y = canvas.y[: self.rows]
        up = np.maximum(horizon_px - y, 0) / np.float32(canvas.unit)
        self._static = np.broadcast_to(dome(palette, up * np.float32(1.45)), (3, self.rows, canvas.w)).copy()
        dx = (canvas.x - self.sun_x_px) / np.float32(canvas.unit)
        dy = (y - self.sun_y_px) / np.float32(canvas.unit)
        distance = np.hypot(dx, dy)
        near = np.hypot(dx * np.float32(0.62), dy)
        warm = np.exp(-near * np.float32(3.2)) * np.float32(0.55 if palette.night < 0.6 else 0.32)
        warm += np.exp(-np.hypot(dx * np.float32(0.34), up * 1.4) * np.float32(3.5)) * np.float32(0.30)
        # The glow is wider than high near the horizon, where there is more air to light up.
        halo = np.exp(-np.hypot(dx * np.float32(0.8), dy) * np.float32(13)) * np.float32(0.60)
        halo += np.exp(-near * np.float32(6.5)) * np.float32(0.34)
        halo *= np.float32(1.0 if palette.night < 0.6 else 0.45)
        self._halo = halo.astype(np.float32)
        # Under a closed sky there is no disc to be seen.
        sun = sun and (palette.cloud if cloud is None else cloud) < 0.78
        self.has_sun = sun
        if sun:
            for plane, light, disc in zip(self._static, palette.light, palette.disc, strict=True):
                plane += (np.float32(light) - plane) * warm
                plane += (1 - plane) * np.minimum(halo, 1) * np.float32(disc * 0.35 + light * 0.65)
            edge = canvas.unit * sun_radius
            self._disc = np.clip((edge - distance * canvas.unit) / np.float32(max(1.2, edge * 0.10)) + 0.5, 0, 1)
            self._disc_shade = smoothstep(-1.0, 1.0, dy * np.float32(canvas.unit / edge))
            self._disc_rows = np.nonzero(self._disc.max(axis=1) > 0)[0]
        self._near = np.clip(np.exp(-near * np.float32(2.4)), 0, 1)
        self._cover = palette.cloud if cloud is None else cloud
        if self._cover > 0:
            # No cloud hangs below the horizon.
            self._cloud_rows = min(self.rows, max(2, int(np.ceil(horizon_px))))
            self._plan_clouds(rng, up[: self._cloud_rows], dx, cloud_scale)

    def _plan_clouds(self, rng: np.random.Generator, up: Field, dx: Field, scale: float) -> None:
        size = 512
        tile = cloud_tile(rng, size, slope=1.62, lowest=2)
        fine = cloud_tile(rng, size, slope=1.25, lowest=5)
        # Light comes from the sun's side: how density changes along that way, sheared into a second field.
        reach = 5
        towards = np.roll(tile, (reach, 0), axis=(0, 1))
        pair = tile + 1j * (tile - towards)
        self._tile = pair.astype(np.complex64)
        self._fine, self._finer = fine, np.float32(1.9 * max(1.0, scale) ** 0.7)
        # A flat deck seen from below: far clouds shrink towards the horizon. 0.16 keeps them from vanishing there.
        depth = np.float32(1.0) / (up + np.float32(0.16))
        # Every other column is worked out and the rest drawn between: perspective stretches clouds sideways.
        self._u = (dx[:, ::2] * depth * np.float32(52 / scale)).astype(np.float32)
        self._v = np.broadcast_to(depth * np.float32(105 / scale), self._u.shape).astype(np.float32)
        self._fade = smoothstep(0.0, 0.16, up)
        self._bloom = self._halo * np.float32(0.22)
        pal = self._palette
        near = self._near[: self._cloud_rows]
        lit = [
            np.float32(a) + (np.float32(b) - np.float32(a)) * near
            for a, b in zip(pal.cloud_lit, mix(pal.light, pal.disc, 0.45), strict=True)
        ]
        dark_far = mix(pal.cloud_dark, pal.sky[1], 0.35)
        dark = [
            np.float32(a) + (np.float32(b) - np.float32(a)) * near * np.float32(0.55)
            for a, b in zip(dark_far, mix(pal.cloud_dark, pal.light, 0.6), strict=True)
        ]
        self._lit, self._dark = np.stack(lit), np.stack(dark)

    def paint(self, t_s: float) -> None:
        target = self._canvas.rgb[:, : self.rows]
        np.copyto(target, self._static)
        if self.has_sun and self._disc_rows.size:
            self._lay_disc(target)
        if self._cover > 0:
            self._lay_clouds(target[:, : self._cloud_rows], t_s)
            if self.has_sun:
                glow(target, self._bloom, mix(self._palette.light, self._palette.disc, 0.3))

    def _lay_disc(self, target: Field) -> None:
        rows = slice(int(self._disc_rows[0]), int(self._disc_rows[-1]) + 1)
        low = mix(self._palette.disc, self._palette.light, 0.30 * (1 - self._palette.night))
        for plane, value, under in zip(target, self._palette.disc, low, strict=True):
            body = np.float32(value) + np.float32(under - value) * self._disc_shade[rows]
            plane[rows] += self._disc[rows] * (body - plane[rows])

    def _lay_clouds(self, target: Field, t_s: float) -> None:
        move = t_s * self._speed
        coarse = sample(self._tile, self._u + np.float32(move * 2.2), self._v - np.float32(move * 1.1))
        fine = sample(
            self._fine, self._u * self._finer + np.float32(move * 5.2), self._v * self._finer - np.float32(move * 1.2)
        )
        density = coarse.real + fine * np.float32(0.34)
        low = 1.0 - 2.0 * self._cover
        alpha = np.clip((density - np.float32(low)) * np.float32(0.62), 0, 1)
        alpha *= alpha * (3 - 2 * alpha) * self._fade
        alpha *= np.float32(0.94)
        # Thin edges let the light through, thick bodies keep their own shade.
        thin = np.clip(1.15 - (density - np.float32(low)) * np.float32(0.42), 0, 1)
        lit = np.clip(thin * np.float32(0.8) + coarse.imag * np.float32(0.55) + np.float32(0.05), 0, 1)
        lit *= np.float32(np.clip(1.75 - 1.35 * self._cover, 0.45, 1.0))
        alpha, lit = _widen(alpha, target.shape[2]), _widen(lit, target.shape[2])
        for plane, bright, dark in zip(target, self._lit, self._dark, strict=True):
            over = bright - dark
            over *= lit
            over += dark
            over -= plane
            over *= alpha
            plane += over


def _widen(half: Field, columns: int) -> Field:
    """float32[rows, columns] from every other column."""
    wide = np.empty((half.shape[0], half.shape[1] * 2), np.float32)
    wide[:, ::2] = half
    wide[:, 1:-1:2] = half[:, 1:]
    wide[:, 1:-1:2] += half[:, :-1]
    wide[:, 1:-1:2] *= np.float32(0.5)
    wide[:, -1] = half[:, -1]
    return wide[:, :columns]


def behind(palette: Palette, amount: float) -> Rgb:
    """The land's colour seen through `amount` (0..1) of air."""
    return mix(palette.land, palette.haze, amount)
