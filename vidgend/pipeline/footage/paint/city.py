"""The city: a skyline with lit windows, lamps out of focus, a skyline across the water."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Canvas, Field, Rgb, mix, smoothstep
from vidgend.pipeline.footage.paint.land import Layer, Mist, pan_px, pan_width, trim
from vidgend.pipeline.footage.paint.particles import disc, scatter, stamp
from vidgend.pipeline.footage.paint.setting import Setting
from vidgend.pipeline.footage.paint.sky import Sky, behind
from vidgend.pipeline.footage.paint.stars import Stars
from vidgend.pipeline.footage.paint.water import Water

_LAMPS: tuple[Rgb, ...] = ((1.0, 0.80, 0.52), (1.0, 0.88, 0.68), (0.86, 0.92, 1.0))


class City:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        self._setting = setting
        canvas, pal, rng = setting.canvas, setting.palette, setting.rng
        self._variant = setting.variant % 3
        self._water: Water | None = None
        self._lamps: Bokeh | None = None
        self._kept: dict[int, Field] = {}
        foot = (1.0, 0.94, 0.64)[self._variant]
        sky_foot = min(foot, 0.80)
        self._sky = Sky(
            canvas,
            pal,
            rng,
            horizon_px=canvas.h * sky_foot,
            sun_x=float(rng.choice([0.27, 0.73])),
            cloud_scale=1.3,
            sun_height=max(pal.sun_height, 0.40),
            sun_radius=0.030,
            below=0.5,
        )
        self._stars = Stars(canvas, rng, canvas.h * 0.6, count=260) if pal.night > 0.4 else None
        self._stack: list[Layer | Mist] = []
        self._blinks: list[Blinks] = []
        # Lamps are on when the sky is dim.
        self._dim = float(np.clip(1.25 - 1.5 * sum(pal.sky[1]) / 3, 0.12, 1.0))
        for n in range(4):
            near = n / 3
            self._row(near, foot, 0.80 * (1 - near) ** 1.1)
            if n < 3:
                haze = mix(mix(pal.haze, pal.sky[3], 0.5), pal.accents[0], 0.22 * self._dim)
                self._stack.append(
                    Mist(
                        canvas,
                        rng,
                        haze,
                        middle_px=canvas.h * foot,
                        strength=0.34,
                        spread_px=canvas.unit * 0.16,
                        speed=0.9,
                    )
                )
        trim(self._stack)
        if self._variant == 1:
            self._lamps = Bokeh(setting, dim=max(self._dim, 0.5))
        elif self._variant == 2:
            self._water = Water(
                canvas,
                pal,
                rng,
                self._sky,
                fps=setting.fps,
                camera_m=2.4,
                rough=0.05,
                longest_m=6.0,
                waves=40,
                glitter=0.35,
                from_row=int(canvas.h * foot),
            )

    def _row(self, near: float, foot: float, air: float) -> None:
        canvas, pal, rng = self._setting.canvas, self._setting.palette, self._setting.rng
        pace = canvas.unit * (0.003 + 0.010 * near)
        wide = pan_width(canvas.w, pace)
        unit = canvas.unit
        rows = int(unit * 0.95)
        bottom = int(canvas.h * foot)
        cover = np.zeros((rows, wide), np.float32)
        light = np.zeros((rows, wide), np.float32)
        kind = np.zeros((rows, wide), np.int8)
        cell_x, cell_y = max(2, round(unit * (0.0058 + 0.0042 * near))), max(3, round(unit * (0.0085 + 0.0062 * near)))
        places: list[tuple[int, int]] = []
        x = -int(unit * 0.05)
        scale = (0.85, 0.85, 0.62)[self._variant]
        while x < wide:
            width = max(3, int(unit * rng.uniform(0.045, 0.12) * (0.75 + 0.6 * near)))
            tower = rng.random() < 0.22
            tall = unit * scale * (rng.uniform(0.40, 0.72) if tower else rng.uniform(0.16, 0.42)) * (1.0 - 0.42 * near)
            top = rows - int(tall)
            self._building(cover, x, width, top, tower, rng)
            self._windows(light, kind, places, x, width, top, cell_x, cell_y, rng)
            x += max(1, int(width * rng.uniform(0.82, 1.12)))
        # A row of low houses closes the gaps between the towers.
        cover[rows - int(unit * (0.05 + 0.03 * near)) :] = 1
        tint, low = behind(pal, air), mix(behind(pal, min(1, air + 0.25)), pal.accents[0], 0.10 * self._dim)
        down = np.linspace(0, 1, rows, dtype=np.float32)[:, None] ** 2
        glowing = light * cover * np.float32((0.35 + 0.60 * near) * self._dim)
        planes = []
        lamps = np.array(_LAMPS, np.float32)
        for part in range(3):
            plane = np.float32(tint[part]) + down * np.float32(low[part] - tint[part])
            planes.append((plane + (lamps[kind, part] - plane) * glowing) * cover)
        self._stack.append(
            Layer(canvas, np.stack(planes), cover, top=bottom - rows, speed_px_s=pace)
            if bottom >= rows
            else Layer(canvas, np.stack(planes)[:, rows - bottom :], cover[rows - bottom :], top=0, speed_px_s=pace)
        )
        if near > 0.3 and places:
            self._blinks.append(
                Blinks(self._setting, places, bottom - rows, pace, cell_x, self._dim * (0.3 + 0.5 * near))
            )

    def _building(self, cover: Field, x: int, width: int, top: int, tower: bool, rng: np.random.Generator) -> None:
        unit = self._setting.canvas.unit
        left, right = max(x, 0), min(x + width, cover.shape[1])
        if right <= left:
            return
        cover[max(top, 0) :, left:right] = 1
        step = int(width * 0.2)
        if tower and right - left > 2 * step + 2:
            crown = max(0, top - int(unit * rng.uniform(0.02, 0.06)))
            cover[crown:top, left + step : right - step] = 1
            mast = (left + right) // 2
            spire = max(0, crown - int(unit * rng.uniform(0.04, 0.11)))
            cover[spire:crown, mast : mast + max(1, int(unit * 0.0022))] = 0.9
        elif rng.random() < 0.4:
            box = left + int((right - left) * rng.uniform(0.15, 0.6))
            cover[max(0, top - int(unit * 0.012)) : top, box : box + max(2, int(width * 0.2))] = 1

    @staticmethod
    def _windows(
        light: Field,
        kind: Any,
        places: list[tuple[int, int]],
        x: int,
        width: int,
        top: int,
        cell_x: int,
        cell_y: int,
        rng: np.random.Generator,
    ) -> None:
        share = rng.uniform(0.12, 0.50)
        tone = int(rng.integers(0, 3))
        for row in range(max(top, 0) + cell_y, light.shape[0] - cell_y, cell_y):
            lit = rng.random(max(1, (width - cell_x) // cell_x)) < share * rng.uniform(0.4, 1.5)
            for n in np.nonzero(lit)[0]:
                column = x + cell_x // 2 + 1 + int(n) * cell_x
                if 0 <= column < light.shape[1] - cell_x:
                    wide, tall = max(1, cell_x - max(1, cell_x // 3)), max(1, int(cell_y * 0.55))
                    light[row : row + tall, column : column + wide] = rng.uniform(0.35, 1.0)
                    kind[row : row + tall, column : column + wide] = (
                        tone if rng.random() < 0.8 else int(rng.integers(0, 3))
                    )
                    if rng.random() < 0.05:
                        places.append((column + wide // 2, row + tall // 2))

    def _paint_town(self, t_s: float) -> None:
        self._sky.paint(t_s)
        if self._stars is not None:
            self._stars.paint(t_s)
        for layer in self._stack:
            layer.paint(t_s)
        for blinks in self._blinks:
            blinks.paint(t_s)

    def _paint_blurred(self, index: int, lamps: Bokeh) -> None:
        """Behind the lamps only two pictures a second are painted and mixed: no eye sees it in such a blur."""
        canvas = self._setting.canvas
        fps = self._setting.fps
        every = max(1, round(fps / 2))
        place, step = divmod(index, every)
        for key in (place, place + 1):
            if key not in self._kept:
                self._paint_town(key * every / fps)
                lamps.blur()
                self._kept[key] = canvas.rgb.copy()
        self._kept = {key: kept for key, kept in self._kept.items() if key in (place, place + 1)}
        np.subtract(self._kept[place + 1], self._kept[place], out=canvas.rgb)
        canvas.rgb *= np.float32(step / every)
        canvas.rgb += self._kept[place]

    def paint(self, index: int, t_s: float) -> None:
        canvas = self._setting.canvas
        if self._lamps is not None:
            self._paint_blurred(index, self._lamps)
            self._lamps.paint(t_s)
        else:
            self._paint_town(t_s)
        if self._water is not None:
            water = self._water
            rows = min(water.bottom - water.top, water.top)
            above = canvas.rgb[:, water.top - rows : water.top][:, ::-1].copy()
            water.paint(index)
            fade = np.linspace(0.80, 0.42, rows, dtype=np.float32)[:, None]
            shifted = water.ripple(index, rows)
            target = canvas.rgb[:, water.top : water.top + rows]
            target += fade * (above.reshape(3, -1).take(shifted, axis=1) - target)


class Blinks:
    """Lit points that breathe slowly: a few windows and roof lamps."""

    def __init__(
        self, setting: Setting, places: list[tuple[int, int]], top: int, pace: float, size: int, gain: float
    ) -> None:
        self._canvas, self._top, self._pace, self._gain = setting.canvas, top, pace, gain
        at = np.array(places, np.float64)
        self._x, self._y = at[:, 0], at[:, 1]
        self._radius = np.full(len(at), max(0.8, size * 0.45))
        self._rate, self._phase = setting.rng.uniform(0.3, 1.0, len(at)), setting.rng.uniform(0, 7, len(at))

    def paint(self, t_s: float) -> None:
        canvas = self._canvas
        x = self._x - pan_px(self._pace, t_s)
        gain = self._gain * (0.5 + 0.5 * np.sin(self._rate * t_s + self._phase))
        scatter(canvas.rgb, x, self._y + self._top, self._radius, gain, (1.0, 0.86, 0.62))


class Bokeh:
    """Street lamps and traffic out of focus in front: discs in two lanes that pass each other, and still ones."""

    def __init__(self, setting: Setting, *, dim: float, count: int = 46, over: float = 1.0) -> None:
        self._canvas = canvas = setting.canvas
        rng, pal = setting.rng, setting.palette
        unit = canvas.unit
        self._discs = [disc(unit * size, soft=0.06, rim=0.35) for size in (0.020, 0.031, 0.044)]
        tints = [_LAMPS[0], _LAMPS[1], pal.accents[0], pal.accents[1], pal.accents[2], (1.0, 0.22, 0.16)]
        self._lights: list[tuple[float, float, float, float, int, Any]] = []
        for n in range(count):
            lane = n % 3
            tint = np.array(
                tints[5] if lane == 1 else _LAMPS[1] if lane == 2 else tints[int(rng.integers(5))], np.float32
            )
            y = (rng.uniform(0.30, 0.70), rng.normal(0.80, 0.02), rng.normal(0.72, 0.02))[lane]
            speed = (0.0, 0.050, -0.065)[lane] * rng.uniform(0.7, 1.3)
            gain = dim * over * rng.uniform(0.16, 0.46)
            self._lights.append(
                (
                    rng.uniform(0, 1),
                    float(y),
                    float(speed),
                    rng.uniform(0, 7),
                    int(rng.integers(3)),
                    tint * np.float32(gain),
                )
            )
        self._blur = Blur(canvas, passes=max(1, round(canvas.unit / 240)))
        # What lies behind the lamps is out of focus as well.
        self._veil = np.float32(0.40) * smoothstep(0.25, 0.75, canvas.fy)
        self._veil += np.float32(0.60) * smoothstep(0.84, 0.96, canvas.fy)
        self._shade = mix(pal.land, pal.sky[0], 0.35)

    def blur(self) -> None:
        """What lies behind the lamps is out of focus as well, and darker towards the street."""
        rgb = self._canvas.rgb
        self._blur.apply(rgb)
        for plane, value in zip(rgb, self._shade, strict=True):
            plane += self._veil * (np.float32(value) - plane)

    def paint(self, t_s: float) -> None:
        canvas = self._canvas
        rgb = canvas.rgb
        margin = canvas.unit * 0.06
        span = canvas.w + 2 * margin
        for x, y, speed, phase, size, gain in self._lights:
            at = (x * span + speed * canvas.unit * t_s) % span - margin
            pulse = np.float32(0.86 + 0.14 * np.sin(0.7 * t_s + phase))
            stamp(rgb, self._discs[size], at, y * canvas.h, gain * pulse)


class Blur:
    """A wide blur of the whole canvas: worked out on a picture a quarter as wide and high, and spread again."""

    def __init__(self, canvas: Canvas, passes: int) -> None:
        self._h, self._w, self._passes = canvas.h // 4 * 4, canvas.w // 4 * 4, passes
        self._down = _between(canvas.h, self._h // 4)
        self._across = _between(canvas.w, self._w // 4).T.copy()

    def apply(self, rgb: Field) -> None:
        """Changes float32[3, h, w] in place."""
        small = rgb[:, : self._h : 2, : self._w] + rgb[:, 1 : self._h : 2, : self._w]
        small = small[:, ::2] + small[:, 1::2]
        small = small[:, :, ::2] + small[:, :, 1::2]
        small = (small[:, :, ::2] + small[:, :, 1::2]) * np.float32(1 / 16)
        for _ in range(self._passes):
            for axis in (1, 2):
                padded = np.pad(small, [(0, 0), (axis == 1,) * 2, (axis == 2,) * 2], mode="edge")
                if axis == 1:
                    small = (padded[:, :-2] + padded[:, 2:]) * np.float32(0.25) + small * np.float32(0.5)
                else:
                    small = (padded[:, :, :-2] + padded[:, :, 2:]) * np.float32(0.25) + small * np.float32(0.5)
        for plane, part in zip(rgb, small, strict=True):
            np.matmul(self._down, part @ self._across, out=plane)


def _between(count: int, blocks: int) -> Field:
    """Weights float32[count, blocks] that draw straight lines between the middles of blocks of four."""
    at = np.clip((np.arange(count, dtype=np.float32) - np.float32(1.5)) / 4, 0, blocks - 1)
    weights: Field = np.maximum(1 - np.abs(at[:, None] - np.arange(blocks, dtype=np.float32)[None, :]), 0)
    return weights
