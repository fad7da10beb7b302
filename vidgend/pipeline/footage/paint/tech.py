"""Technology as abstraction: a net of points, streams of data, a field of light that waves."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Field, Rgb, glow, mix, smoothstep
from vidgend.pipeline.footage.paint.particles import dots
from vidgend.pipeline.footage.paint.setting import Setting


class Tech:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        self._canvas = canvas = setting.canvas
        pal, rng = setting.palette, setting.rng
        self._variant = setting.variant % 3
        unit = np.float32(canvas.unit)
        x, y = (canvas.x - canvas.w / 2) / unit, (canvas.y - canvas.h * np.float32(0.42)) / unit
        dark = mix(mix(pal.sky[0], pal.land, 0.65), (0.0, 0.0, 0.01), 0.40)
        middle = mix(mix(pal.sky[0], pal.land, 0.25), pal.accents[0], 0.14)
        light = np.exp(-(x * x * np.float32(1.1) + y * y * np.float32(1.8)))
        self._base = np.stack(
            [np.float32(a) + light * np.float32(b - a) for a, b in zip(dark, middle, strict=True)]
        ).astype(np.float32)
        self._tints: tuple[Rgb, Rgb] = (mix(pal.accents[0], (1.0, 1.0, 1.0), 0.15), mix(pal.accents[1], pal.light, 0.2))
        self._calm = 1 - np.float32(0.55) * smoothstep(0.78, 0.95, canvas.fy)
        # A faint third light that wanders behind everything.
        self._wander = float(rng.uniform(0, 7))
        self._glow_x, self._glow_y = x, y
        self._part: Net | Streams | Waves = (Net, Streams, Waves)[self._variant](setting)
        self._third = pal.accents[2]

    def paint(self, index: int, t_s: float) -> None:
        canvas = self._canvas
        np.copyto(canvas.rgb, self._base)
        a = 0.16 * t_s + self._wander
        near = np.exp(-((self._glow_x - np.float32(0.45 * np.cos(a))) ** 2) * np.float32(3.4))
        near = near * np.exp(-((self._glow_y - np.float32(0.18 * np.sin(1.3 * a))) ** 2) * np.float32(5.5))
        glow(canvas.rgb, near * np.float32(0.20), self._third)
        first, second = self._part.light(t_s)
        glow(canvas.rgb, first * self._calm, self._tints[0])
        glow(canvas.rgb, second * self._calm, self._tints[1])


class Net:
    """Points that drift in depth; near neighbours are joined, and pulses run along the joints."""

    def __init__(self, setting: Setting, count: int = 120) -> None:
        self._canvas = canvas = setting.canvas
        rng = setting.rng
        self._x, self._y = rng.uniform(-0.08, 1.08, count), rng.uniform(-0.05, 0.98, count)
        self._depth = rng.uniform(0.35, 1.0, count)
        self._a, self._b = rng.uniform(0, 7, count), rng.uniform(0, 7, count)
        self._rate = rng.uniform(0.10, 0.28, count)
        self._pairs = np.array(np.triu_indices(count, 1))
        self._reach = canvas.unit * 0.215
        self._along = np.linspace(0, 1, 110)
        self._pulse = rng.uniform(0, 1, (count, count))

    def light(self, t_s: float) -> tuple[Field, Field]:
        canvas = self._canvas
        unit, shape = canvas.unit, (canvas.h, canvas.w)
        x = (
            self._x * canvas.w
            + unit * self._depth * (0.07 * np.sin(self._rate * t_s + self._a) + 0.006 * t_s)
            - unit * 0.03
        )
        y = self._y * canvas.h + unit * self._depth * 0.06 * np.sin(self._rate * 1.2 * t_s + self._b)
        i, j = self._pairs
        gap = np.hypot(x[i] - x[j], y[i] - y[j]) + np.abs(self._depth[i] - self._depth[j]) * unit * 0.10
        close = gap < self._reach
        i, j, gap = i[close], j[close], gap[close]
        strength = (1 - gap / self._reach) ** 1.2 * (self._depth[i] + self._depth[j]) * 0.5
        s = self._along[None, :]
        lx, ly = x[i, None] + (x[j] - x[i])[:, None] * s, y[i, None] + (y[j] - y[i])[:, None] * s
        # Each line is as many points whatever its length, so a short one needs less of each.
        density = np.hypot(x[i] - x[j], y[i] - y[j])[:, None] / self._along.size
        lines = line_light(
            shape,
            lx.reshape(-1),
            ly.reshape(-1),
            np.broadcast_to(strength[:, None] * density * 0.85, lx.shape).reshape(-1),
        )
        radius = self._depth * unit / 210
        nodes = dots(shape, x, y, radius, 0.35 + 0.60 * self._depth, reach=int(2.4 * radius.max()) + 1)
        halo = dots(shape, x, y, radius * 3.4, 0.16 * self._depth, reach=int(8 * radius.max()) + 1)
        run = (self._pulse[i, j] * 5 + t_s * 0.32) % 2.4
        live = run < 1
        px, py = x[i] + (x[j] - x[i]) * run, y[i] + (y[j] - y[i]) * run
        gain = (np.sin(np.pi * np.clip(run, 0, 1)) * np.minimum(strength * 2.2, 1))[live]
        pulses = dots(
            shape, px[live], py[live], np.full(int(live.sum()), unit / 300), gain, reach=int(unit / 300 * 2.4) + 1
        )
        lines += nodes
        lines += halo
        return lines, pulses


class Streams:
    """Threads of light that flow together, each with bright packets running along it."""

    def __init__(self, setting: Setting, count: int = 54) -> None:
        self._canvas = setting.canvas
        rng = setting.rng
        self._start, self._level = rng.normal(0, 0.34, count), rng.normal(0, 0.10, count)
        self._a, self._b = rng.uniform(0, 7, count), rng.uniform(0.7, 1.5, count)
        self._gain = rng.uniform(0.15, 0.7, count) ** 1.3
        self._packets = rng.uniform(0, 1, (count, 3))
        self._speed = rng.uniform(0.05, 0.13, count)

    def _height(self, s: Field, n: slice, t_s: float) -> Field:
        wide = np.cos(np.pi * (s - 0.5) * 0.9) ** 2
        spread = self._start[n, None] * (1.05 - wide) + self._level[n, None] * wide
        wave = 0.085 * np.sin(5.0 * s * self._b[n, None] + 0.5 * t_s + self._a[n, None] * 0.35) + 0.06 * np.sin(
            2.6 * s - 0.35 * t_s
        )
        height: Field = spread + wave * (0.5 + 0.5 * wide)
        return height

    def light(self, t_s: float) -> tuple[Field, Field]:
        canvas = self._canvas
        unit, shape = canvas.unit, (canvas.h, canvas.w)
        count = int(canvas.w * 0.75)
        s = np.linspace(-0.02, 1.02, count)[None, :]
        every = slice(None)
        y = canvas.h * 0.43 + unit * self._height(s, every, t_s)
        x = np.broadcast_to(s * canvas.w, y.shape)
        steep = np.hypot(np.gradient(y, axis=1), canvas.w * 1.04 / count)
        fade = np.sin(np.pi * np.clip(s, 0, 1)) ** 0.6 * 0.5 + 0.5
        threads = line_light(
            shape, x.reshape(-1), y.reshape(-1), (self._gain[:, None] * steep * fade * 0.46).reshape(-1)
        )
        at = (self._packets + self._speed[:, None] * t_s) % 1.08 - 0.04
        px, py, gain = [], [], []
        for back in range(10):
            place = at - 0.0028 * back
            px.append((place * canvas.w).reshape(-1))
            py.append((canvas.h * 0.43 + unit * self._height(place, every, t_s)).reshape(-1))
            gain.append(np.repeat(0.25 + self._gain, at.shape[1]) * (1 - back / 10) ** 1.5)
        radius = np.full(at.size * 10, unit / 330)
        packets = dots(
            shape,
            np.concatenate(px),
            np.concatenate(py),
            radius,
            np.concatenate(gain) * 0.6,
            reach=int(unit / 330 * 2.5) + 1,
        )
        return threads, packets


class Waves:
    """A plane of points in perspective that rises and falls, brighter on its crests."""

    def __init__(self, setting: Setting) -> None:
        self._canvas = setting.canvas
        columns, rows = 120, 46
        self._x = np.broadcast_to(np.linspace(-1, 1, columns)[None, :] * 4.2, (rows, columns))
        self._z = np.broadcast_to(np.linspace(1.15, 6.5, rows)[:, None], (rows, columns))
        self._phase = float(setting.rng.uniform(0, 7))

    def light(self, t_s: float) -> tuple[Field, Field]:
        canvas = self._canvas
        unit = canvas.unit
        t = 0.75 * t_s + self._phase
        wave = (
            np.sin(1.25 * self._x + 0.8 * t) * 0.5
            + np.sin(1.1 * self._z - 0.9 * t + 0.5 * self._x) * 0.6
            + np.sin(2.3 * self._x - 1.7 * self._z + 0.6 * t) * 0.22
        )
        drop = 0.60 - 0.22 * wave
        x = canvas.w / 2 + unit * 0.95 * self._x / self._z
        y = canvas.h * 0.30 + unit * 0.95 * drop / self._z
        radius = np.clip(unit * 0.0075 / self._z, 0.55, 3)
        near = np.clip(1.5 / self._z, 0.12, 1)
        crest = np.clip(wave * 0.5 + 0.35, 0, 1)
        seen = ((x > -4) & (x < canvas.w + 4)).reshape(-1)
        shape = (canvas.h, canvas.w)
        flat = [part.reshape(-1)[seen] for part in (x, y, radius, near * (0.35 + 0.75 * crest), near * crest**2)]
        reach = int(2.2 * float(flat[2].max())) + 1
        first = dots(shape, flat[0], flat[1], flat[2], flat[3], reach=reach)
        bright = flat[4] > 0.03
        second = dots(
            shape, flat[0][bright], flat[1][bright], flat[2][bright] * 1.4, flat[4][bright] * 1.1, reach=reach + 1
        )
        return first, second


def line_light(shape: tuple[int, int], x: Field, y: Field, gain: Field) -> Field:
    """float32[shape]: the light of many points, each shared among the four pixels round it."""
    h, w = shape
    inside = (x > 0) & (x < w - 2) & (y > 0) & (y < h - 2)
    x, y, gain = x[inside], y[inside], gain[inside]
    left, top = x.astype(np.int64), y.astype(np.int64)
    fx, fy = x - left, y - top
    at = top * w + left
    weights = np.concatenate([gain * (1 - fx) * (1 - fy), gain * fx * (1 - fy), gain * (1 - fx) * fy, gain * fx * fy])
    places = np.concatenate([at, at + 1, at + w, at + w + 1])
    return np.bincount(places, weights, h * w).reshape(h, w).astype(np.float32)
