"""Land in layers: pictures wider than the canvas that slide at their own speed, far ones slower (parallax)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Canvas, Field, Rgb, mix, smoothstep
from vidgend.pipeline.footage.paint.noise import Soft, cloud_tile, line, sample
from vidgend.pipeline.footage.paint.palette import Palette

_SWING_S = 76.0
"""A slow pan there and back; it starts in the middle, where it is fastest."""


def pan_px(speed_px_s: float, t_s: float) -> float:
    """Where a pan is at `t_s`: 0 .. 2 x its reach, `speed_px_s` at the start."""
    reach = pan_reach_px(speed_px_s)
    return reach + reach * float(np.sin(2 * np.pi * t_s / _SWING_S))


def pan_reach_px(speed_px_s: float) -> float:
    return abs(speed_px_s) * _SWING_S / (2 * np.pi)


def pan_width(width_px: int, speed_px_s: float) -> int:
    """How wide a picture must be, to be panned over at that speed."""
    return width_px + int(np.ceil(2 * pan_reach_px(speed_px_s))) + 3


class Layer:
    """Premultiplied colour float32[3, rows, wide] and cover float32[rows, wide], its top at canvas row `top`."""

    def __init__(self, canvas: Canvas, rgb: Field, cover: Field, *, top: int, speed_px_s: float) -> None:
        self._canvas, self.top, self._speed = canvas, top, speed_px_s
        rows = max(0, min(cover.shape[0], canvas.h - top))
        self._rows = rows
        self._all = np.concatenate([rgb[:, :rows], (1 - cover[None, :rows])]).astype(np.float32)
        # Rows that are covered all over need no mixing, which is most of the rows of most layers.
        full = cover[:rows].min(axis=1) >= 0.999
        self._solid = rows - int(np.argmin(full[::-1])) if rows and not full.all() else 0
        self._buffer = np.empty((4, _BLOCK_ROWS, canvas.w), np.float32)

    @property
    def solid_from(self) -> int:
        """The canvas row from which on down nothing behind this layer is seen."""
        return (
            self.top + self._solid
            if self._solid < self._rows and self.top + self._rows >= self._canvas.h
            else self._canvas.h
        )

    def cut_below(self, row: int) -> None:
        """Do not paint below canvas row `row`: a nearer layer hides it."""
        self._rows = max(0, min(self._rows, row - self.top))

    def paint(self, t_s: float) -> None:
        at = pan_px(self._speed, t_s)
        left = int(at)
        part = np.float32(at - left)
        w = self._canvas.w
        # A few rows at a time stay in the processor's cache; whole pictures would not.
        for first in range(0, self._rows, _BLOCK_ROWS):
            last = min(first + _BLOCK_ROWS, self._rows)
            planes = 3 if first >= self._solid else 4
            a = self._all[:planes, first:last, left : left + w]
            b = self._all[:planes, first:last, left + 1 : left + 1 + w]
            target = self._canvas.rgb[:, self.top + first : self.top + last]
            moved = self._buffer[:planes, : last - first] if planes == 4 else target
            np.subtract(b, a, out=moved)
            moved *= part
            moved += a
            if planes == 4:
                target *= moved[3]
                target += moved[:3]


_BLOCK_ROWS = 20


def trim(stack: Sequence[Layer | Mist]) -> None:
    """Tell every layer and mist of a stack, given from far to near, what the nearer layers hide."""
    hidden = 1 << 30
    for item in reversed(stack):
        item.cut_below(hidden)
        if isinstance(item, Layer):
            hidden = min(hidden, item.solid_from)


def ridge_layer(
    canvas: Canvas,
    palette: Palette,
    rng: np.random.Generator,
    profile: Field,
    *,
    tint: Rgb,
    foot: Rgb,
    fade_px: float,
    speed_px_s: float,
    relief: float = 0.0,
    lit: Rgb | None = None,
    snow_px: float = 0.0,
    light_from: float = 1.0,
) -> Layer:
    """A ridge whose crest is at the rows `profile` (float[wide]); `tint` above melts into `foot` over `fade_px`.

    `relief` 0..1 carves slopes that take the light `lit` from `light_from` (-1 left, 1 right); the uppermost
    `snow_px` under the highest crest are snowy.
    """
    top = max(0, int(np.floor(profile.min())) - 1)
    y = np.arange(top, canvas.h, dtype=np.float32)[:, None]
    crest = profile[None, :].astype(np.float32)
    cover = np.clip(y - crest + np.float32(0.5), 0, 1)
    down = np.maximum(y - crest, 0)
    haze = smoothstep(0.0, 1.0, down / np.float32(max(fade_px, 1)))
    rgb = np.stack([np.float32(a) + haze * np.float32(b - a) for a, b in zip(tint, foot, strict=True)])
    if relief > 0 and lit is not None:
        scale = np.float32(520.0 / canvas.unit)
        x = np.arange(profile.size, dtype=np.float32)[None, :] * scale
        tile = cloud_tile(rng, 512, 1.75, 4)
        slope = sample(tile, x * 1.2 + down * scale * 0.5, down * scale * 0.55)
        slope += sample(tile, x * 1.3 - down * scale * 0.5 + 99, down * scale * 0.6 + 201)
        shifted = sample(tile, (x + 3.0 * light_from) * 1.2 + down * scale * 0.5, down * scale * 0.55)
        shifted += sample(tile, (x + 3.0 * light_from) * 1.3 - down * scale * 0.5 + 99, down * scale * 0.6 + 201)
        face = np.clip((slope - shifted) * np.float32(1.5) + np.float32(0.28), 0, 1) * (1 - haze)
        if snow_px > 0:
            high = smoothstep(
                0.0,
                1.0,
                (profile.min() + snow_px - y + slope * np.float32(snow_px * 0.14)) / np.float32(snow_px * 0.35),
            )
            white = mix(palette.cloud_lit, (1.0, 1.0, 1.0), 0.35 * (1 - palette.night))
            shade = mix(palette.cloud_dark, palette.sky[0], 0.25)
            for plane, bright, dark in zip(rgb, white, shade, strict=True):
                plane += high * (1 - haze) * (np.float32(dark) - plane) * np.float32(0.8)
                plane += high * face * (np.float32(bright) - plane)
        for plane, bright in zip(rgb, lit, strict=True):
            plane += face * np.float32(relief) * (np.float32(bright) - plane)
    return Layer(canvas, rgb * cover, cover, top=top, speed_px_s=speed_px_s)


def crest(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    base: float,
    height: float,
    speed_px_s: float,
    detail: float = 2.2,
    rough: float = 0.5,
    octaves: int = 8,
    sharp: float = 0.0,
) -> Field:
    """Rows of a crest for a pan at `speed_px_s`: about `base` (fraction of the canvas height, down) minus hills of
    `height` (fraction of its unit). `sharp` 0..1 turns round tops into peaks."""
    wide = pan_width(canvas.w, speed_px_s)
    x = np.arange(wide, dtype=np.float32) / np.float32(canvas.unit)
    shape = line(rng, x, octaves, rough, detail)
    if sharp > 0:
        peaks = 1 - 2 * np.abs(line(rng, x, octaves, rough, detail * 0.8))
        shape = shape * np.float32(1 - sharp) + peaks * np.float32(sharp)
    return canvas.h * np.float32(base) - np.float32(canvas.unit * height) * (shape * np.float32(0.5) + np.float32(0.5))


class Mist:
    """Drifting fog: thickest at `middle_px`, thinning out over `spread_px` above and below."""

    def __init__(
        self,
        canvas: Canvas,
        rng: np.random.Generator,
        tint: Rgb,
        *,
        middle_px: float,
        spread_px: float,
        strength: float,
        speed: float = 1.0,
        scale: float = 1.0,
    ) -> None:
        self._canvas, self._tint, self._speed = canvas, tint, speed
        self._top = max(0, int(middle_px - 2.2 * spread_px))
        self._bottom = min(canvas.h, int(middle_px + 2.2 * spread_px) + 1)
        y = canvas.y[self._top : self._bottom]
        self._density = np.exp(-(((y - np.float32(middle_px)) / np.float32(spread_px)) ** 2)) * np.float32(strength)
        self._tile = cloud_tile(rng, 256, 1.9, 2)
        unit = np.float32(canvas.unit)
        self._soft = Soft(max(1, self._bottom - self._top), canvas.w, step_y=4, step_x=8)
        shape = (self._soft.y.size, self._soft.x.size)
        self._u = np.broadcast_to(self._soft.x / unit * np.float32(110 / scale), shape)
        self._v = np.broadcast_to((self._soft.y + self._top) / unit * np.float32(330 / scale), shape)

    def cut_below(self, row: int) -> None:
        """Do not paint below canvas row `row`: a nearer layer hides it."""
        self._bottom = min(self._bottom, row)

    def paint(self, t_s: float) -> None:
        if self._bottom <= self._top:
            return
        move = np.float32(t_s * self._speed)
        fog = sample(self._tile, self._u + move * 3, self._v)
        fog += sample(self._tile, self._u * np.float32(1.7) + move * 6.5, self._v * np.float32(1.4) + move)
        fog *= np.float32(0.24)
        fog += np.float32(0.62)
        np.clip(fog, 0, 1.25, out=fog)
        rows = self._bottom - self._top
        fog = self._soft.spread(fog, rows)
        fog *= self._density[:rows]
        np.minimum(fog, 1, out=fog)
        for plane, value in zip(self._canvas.rgb[:, self._top : self._bottom], self._tint, strict=True):
            plane += fog * (np.float32(value) - plane)
