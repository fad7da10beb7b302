"""Rain: drops on a window with a blurred world behind it, and rain that falls on a lake."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Canvas, Field, glow, mix, smoothstep
from vidgend.pipeline.footage.paint.land import Layer, Mist, crest, ridge_layer
from vidgend.pipeline.footage.paint.noise import cloud_tile, sample
from vidgend.pipeline.footage.paint.particles import disc, stamp
from vidgend.pipeline.footage.paint.setting import Setting
from vidgend.pipeline.footage.paint.sky import Sky, behind
from vidgend.pipeline.footage.paint.water import Water


class Rain:
    def __init__(self, setting: Setting) -> None:
        self.overlays: list[Any] = []
        self._scene = Window(setting) if setting.variant % 2 == 0 else Lake(setting)

    def paint(self, index: int, t_s: float) -> None:
        self._scene.paint(index, t_s)


class Window:
    """Drops are lenses: each shows the world behind it small and upside down."""

    def __init__(self, setting: Setting) -> None:
        self._canvas = canvas = setting.canvas
        pal, rng = setting.palette, setting.rng
        unit = canvas.unit
        fy = canvas.fy
        top, low = mix(pal.sky[1], pal.sky[0], 0.45), mix(pal.land, pal.sky[0], 0.45)
        middle = mix(pal.sky[2], pal.haze, 0.5)
        up, down = smoothstep(0.0, 0.55, fy), smoothstep(0.48, 0.95, fy)
        patches = sample(cloud_tile(rng, 256, 2.4, 1), canvas.x / unit * 90, canvas.y / unit * 60) * np.float32(0.05)
        layers = []
        for a, b, c in zip(top, middle, low, strict=True):
            plane = np.float32(a) + up * np.float32(b - a)
            layers.append(plane + down * (np.float32(c) - plane) + patches)
        self._base = np.stack(layers).astype(np.float32)
        lamp = [pal.accents[0], pal.accents[1], pal.light, mix(pal.accents[2], pal.light, 0.4)]
        self._discs = [disc(unit * size, soft=0.30) for size in (0.045, 0.065, 0.09)]
        self._lamps = [
            (
                rng.uniform(0, 1),
                rng.normal(0.54, 0.10),
                rng.uniform(-0.012, 0.012),
                rng.uniform(0, 7),
                int(rng.integers(3)),
                np.array(lamp[int(rng.integers(4))], np.float32) * np.float32(rng.uniform(0.16, 0.40)),
            )
            for _ in range(26)
        ]
        self._plan_drops(rng)
        self._runners = [
            (
                rng.uniform(0.02, 0.98),
                rng.uniform(0, 1),
                rng.uniform(0.5, 1.5),
                rng.uniform(0, 7),
                unit * rng.uniform(0.012, 0.021),
            )
            for _ in range(16)
        ]

    def _plan_drops(self, rng: np.random.Generator) -> None:
        canvas = self._canvas
        unit, h, w = canvas.unit, canvas.h, canvas.w
        pixel = np.arange(h * w).reshape(h, w)
        look = pixel.copy()
        shade = np.zeros((h, w), np.float32)
        sizes = np.sort(unit * (0.0030 + 0.0125 * rng.random(int(620 * h * w / unit**2)) ** 3.2))
        for size in sizes:
            x, y = rng.uniform(0, w), rng.uniform(0, h)
            self._lens(look, shade, x, y, size, size * rng.uniform(1.0, 1.25))
        self._look, self._shade = look.reshape(-1), shade

    def _lens(self, look: Any, shade: Field, x: float, y: float, rx: float, ry: float) -> None:
        """Write one drop: which pixels it shows (`look`) and how much lighter or darker it is (`shade`)."""
        h, w = shade.shape
        left, right = max(0, int(x - rx - 1)), min(w, int(x + rx + 2))
        top, low = max(0, int(y - ry - 1)), min(h, int(y + ry + 2))
        if left >= right or top >= low:
            return
        dx = (np.arange(left, right)[None, :] - x) / rx
        dy = (np.arange(top, low)[:, None] - y) / ry
        r2 = dx * dx + dy * dy
        inside = r2 < 1
        bend = self._canvas.unit * 0.34
        sx = np.clip(x - dx * bend * (0.35 + 0.65 * r2), 0, w - 1).astype(np.int64)
        sy = np.clip(y - dy * bend * (0.35 + 0.65 * r2), 0, h - 1).astype(np.int64)
        patch = look[top:low, left:right]
        patch[inside] = (sy * w + sx)[inside]
        light = 0.55 * np.exp(-((dx + 0.30) ** 2 + (dy + 0.42) ** 2) * 14) - 0.42 * smoothstep(0.55, 1.0, r2)
        light += 0.16 * smoothstep(0.0, 0.9, dy) * (1 - r2)
        part = shade[top:low, left:right]
        part[inside] = light[inside]

    def paint(self, index: int, t_s: float) -> None:
        canvas = self._canvas
        rgb = canvas.rgb
        np.copyto(rgb, self._base)
        margin = canvas.unit * 0.12
        span = canvas.w + 2 * margin
        for x, y, speed, phase, size, gain in self._lamps:
            at = (x * span + speed * canvas.unit * t_s) % span - margin
            stamp(rgb, self._discs[size], at, y * canvas.h, gain * np.float32(0.88 + 0.12 * np.sin(0.8 * t_s + phase)))
        look, shade = self._look.reshape(canvas.h, canvas.w).copy(), self._shade.copy()
        for x, start, speed, phase, radius in self._runners:
            travel = canvas.h * 1.25
            # Drops stick, swell and slip: the way goes in steps that are smooth.
            way = 0.075 * speed * t_s + start
            way = way + 0.05 * np.sin(2 * np.pi * 2.6 * way + phase) / 2.6
            y = (way % 1.0) * travel - canvas.h * 0.12
            px = x * canvas.w + canvas.unit * 0.012 * np.sin(y / canvas.unit * 14 + phase)
            for n in range(7):
                ty = y - canvas.unit * (0.026 + 0.030 * n) - radius
                wobble = canvas.unit * 0.012 * np.sin(ty / canvas.unit * 14 + phase)
                bead = radius * (0.46 - 0.05 * n)
                if bead > 1:
                    self._lens(look, shade, x * canvas.w + wobble, ty, bead, bead * 1.3)
            self._lens(look, shade, px, y, radius, radius * 1.35)
        flat = look.reshape(-1)
        seen = rgb.reshape(3, -1).take(flat, axis=1).reshape(rgb.shape)
        np.copyto(rgb, seen)
        bright = np.maximum(shade, 0)
        rgb *= 1 + np.minimum(shade, 0)
        rgb += (1 - rgb) * bright


class Lake:
    def __init__(self, setting: Setting) -> None:
        self._canvas = canvas = setting.canvas
        pal, rng = setting.palette, setting.rng
        horizon = canvas.h * 0.42
        self._sky = Sky(
            canvas,
            pal,
            rng,
            horizon_px=horizon,
            cloud=max(0.62, pal.cloud),
            cloud_scale=1.6,
            sun_x=0.6,
            sun=pal.night < 0.4 and pal.cloud < 0.62,
        )
        self._stack: list[Layer | Mist] = []
        for near in (0.0, 1.0):
            pace = canvas.unit * (0.002 + 0.003 * near)
            profile = crest(
                canvas, rng, base=0.425 + 0.006 * near, height=0.20 - 0.08 * near, speed_px_s=pace, sharp=0.2
            )
            tint = behind(pal, 0.62 - 0.32 * near)
            self._stack.append(
                ridge_layer(
                    canvas,
                    pal,
                    rng,
                    profile,
                    tint=tint,
                    foot=behind(pal, 0.75),
                    speed_px_s=pace,
                    fade_px=canvas.unit * 0.16,
                )
            )
            self._stack.append(
                Mist(
                    canvas,
                    rng,
                    mix(pal.haze, pal.sky[3], 0.3),
                    middle_px=horizon,
                    strength=0.6,
                    spread_px=canvas.unit * 0.07,
                    speed=2.0,
                )
            )
        self._water = Water(
            canvas, pal, rng, self._sky, fps=setting.fps, camera_m=2.0, rough=0.07, longest_m=4.0, glitter=0.5
        )
        self._rings = Rings(canvas, rng, horizon)
        self._fall = Streaks(canvas, rng)
        self._tint = mix(pal.sky[3], (1.0, 1.0, 1.0), 0.35)

    def paint(self, index: int, t_s: float) -> None:
        self._sky.paint(t_s)
        for layer in self._stack:
            layer.paint(t_s)
        self._water.paint(index)
        self._rings.paint(t_s, self._tint)
        glow(self._canvas.rgb, self._fall.light(t_s), self._tint)


class Rings:
    """Where drops hit the water: rings that widen and fade, each place in its own rhythm."""

    def __init__(self, canvas: Canvas, rng: np.random.Generator, horizon_px: float, count: int = 56) -> None:
        self._canvas = canvas
        near = rng.uniform(0.12, 1.0, count) ** 0.8
        self._y = horizon_px + near * (canvas.h - horizon_px)
        self._near = near
        self._period, self._phase = rng.uniform(1.3, 2.4, count), rng.uniform(0, 1, count)
        self._seed_x = rng.uniform(0, 1, (count, 16))

    def paint(self, t_s: float, tint: tuple[float, float, float]) -> None:
        canvas = self._canvas
        for n in range(len(self._y)):
            turns, age = divmod(t_s / self._period[n] + self._phase[n], 1.0)
            x = self._seed_x[n, int(turns) % 16] * canvas.w
            radius = canvas.unit * (0.004 + 0.050 * age) * self._near[n]
            flat = 0.16 + 0.20 * self._near[n]
            thick = max(1.0, canvas.unit * 0.0028 * self._near[n])
            left, right = max(0, int(x - radius - 3)), min(canvas.w, int(x + radius + 4))
            reach = radius * flat + 3
            top, low = max(0, int(self._y[n] - reach)), min(canvas.h, int(self._y[n] + reach) + 1)
            if left >= right or top >= low:
                continue
            dx = canvas.x[:, left:right] - np.float32(x)
            dy = (canvas.y[top:low] - np.float32(self._y[n])) / np.float32(flat)
            away = (np.hypot(dx, dy) - np.float32(radius)) / np.float32(thick * (1 + 0.6 / flat * 0.25))
            strength = np.float32(0.5 * (1 - age) ** 1.5 * min(1.0, age * 12) * (0.35 + 0.65 * self._near[n]))
            ring = np.exp(-away * away) * strength
            ring -= np.exp(-((away - 2.2) ** 2)) * strength * np.float32(0.55)
            for plane, value in zip(canvas.rgb[:, top:low, left:right], tint, strict=True):
                plane += ring * np.float32(value) * np.float32(0.6)


class Streaks:
    """Rain in the air: three depths of fine slanted lines from tiles that slide down."""

    def __init__(self, canvas: Canvas, rng: np.random.Generator) -> None:
        self._canvas = canvas
        unit = canvas.unit
        self._layers: list[tuple[Field, float, float]] = []
        for length, speed, gain, count in ((0.05, 1.2, 0.20, 150), (0.085, 1.8, 0.17, 80), (0.15, 2.6, 0.13, 36)):
            h, w = canvas.h + int(unit * 0.4), canvas.w
            tile = np.zeros((h, w), np.float32)
            n = int(length * unit)
            ramp = np.sin(np.linspace(0, np.pi, max(n, 3))).astype(np.float32) * np.float32(gain)
            for x, y in zip(
                rng.uniform(0, w, int(count * w / unit)), rng.uniform(0, h, int(count * w / unit)), strict=True
            ):
                rows = (int(y) + np.arange(ramp.size)) % h
                at = x - np.arange(ramp.size) * 0.10
                left = np.floor(at).astype(np.int64)
                part = (at - left).astype(np.float32)
                tile[rows, left % w] += ramp * (1 - part)
                tile[rows, (left + 1) % w] += ramp * part
            self._layers.append((np.concatenate([tile, tile[: canvas.h]]), speed * unit, float(h)))

    def light(self, t_s: float) -> Field:
        """float32[h, w]."""
        h = self._canvas.h
        total: Field | None = None
        for tile, speed, period in self._layers:
            start = round(-speed * t_s % period) % int(period)
            part = tile[start : start + h]
            total = part.copy() if total is None else total + part
        assert total is not None
        return total
