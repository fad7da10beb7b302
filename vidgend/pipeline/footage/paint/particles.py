"""Many small lights or flakes: where they are is a function of time, so that frames need no memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidgend.pipeline.footage.paint.canvas import Field, Rgb


def dots(shape: tuple[int, int], x: Field, y: Field, radius: Field, gain: Field, reach: int = 3) -> Field:
    """float32[shape]: soft round dots added up. Positions and radii in pixels; `reach` bounds the radius used."""
    h, w = shape
    x0, y0 = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    offsets = np.arange(-reach, reach + 1)
    dx = offsets[None, :] - (x - x0)[:, None]
    dy = offsets[None, :] - (y - y0)[:, None]
    sharp = -0.5 / np.maximum(radius, 0.4)[:, None] ** 2
    across, along = np.exp(dx * dx * sharp), np.exp(dy * dy * sharp)
    # A dot spread thinner than a pixel keeps its light instead of its peak, or it would twinkle as it moves.
    light = gain * np.minimum(1.0, (radius / 0.75) ** 2)
    weight = (along[:, :, None] * across[:, None, :]) * light[:, None, None]
    rows = y0[:, None, None] + offsets[None, :, None]
    columns = x0[:, None, None] + offsets[None, None, :]
    inside = (rows >= 0) & (rows < h) & (columns >= 0) & (columns < w)
    at = np.where(inside, rows * w + columns, 0).reshape(-1)
    flat = np.bincount(at, np.where(inside, weight, 0.0).reshape(-1), h * w)
    return flat.reshape(h, w).astype(np.float32)


def scatter(target: Field, x: Field, y: Field, radius: Field, gain: Field, tint: Rgb) -> None:
    """Few dots that do not overlap, straight onto float32[3, h, w]; cheaper than `dots` over the whole picture."""
    _, h, w = target.shape
    reach = int(float(radius.max()) * 2.4) + 1
    offsets = np.arange(-reach, reach + 1)
    x0, y0 = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    sharp = (-0.5 / radius**2)[:, None]
    across = np.exp((offsets[None, :] - (x - x0)[:, None]) ** 2 * sharp)
    along = np.exp((offsets[None, :] - (y - y0)[:, None]) ** 2 * sharp) * gain[:, None]
    light = along[:, :, None] * across[:, None, :]
    rows = np.broadcast_to((y0[:, None] + offsets)[:, :, None], light.shape)
    columns = np.broadcast_to((x0[:, None] + offsets)[:, None, :], light.shape)
    inside = (rows >= 0) & (rows < h) & (columns >= 0) & (columns < w)
    at, light = rows[inside] * w + columns[inside], light[inside].astype(np.float32)
    for plane, value in zip(target.reshape(3, -1), tint, strict=True):
        plane[at] += (1 - plane[at]) * np.minimum(light * np.float32(value), 1)


def disc(radius_px: float, *, soft: float = 0.25, rim: float = 0.0) -> Field:
    """A lamp out of focus: float32[n, n], flat with a soft edge (`soft` of the radius) and a brighter rim."""
    n = int(np.ceil(radius_px * (1 + soft))) * 2 + 5
    at = np.arange(n, dtype=np.float32) - np.float32((n - 1) / 2)
    distance = np.hypot(at[None, :], at[:, None]) / np.float32(max(radius_px, 0.5))
    t = np.clip((1 + soft - distance) / max(2 * soft, 1.2 / max(radius_px, 0.5)), 0, 1)
    body = t * t * (3 - 2 * t)
    if rim:
        body = body * (1 - rim + rim * np.clip(distance, 0, 1) ** 4)
    return np.asarray(body, np.float32)


def stamp(target: Field, sprite: Field, x: float, y: float, gain: NDArray[np.float32], room: bool = True) -> None:
    """Add `sprite` times `gain` (float32[3]) to float32[3, h, w] with its middle at (x, y), between pixels too.

    With `room`, the light only fills what is left below white.
    """
    n = sprite.shape[0]
    left, top = x - (n - 1) / 2, y - (n - 1) / 2
    x0, y0 = int(np.floor(left)), int(np.floor(top))
    fx, fy = np.float32(left - x0), np.float32(top - y0)
    _, h, w = target.shape
    # One row and column less than the sprite has, because each pixel is mixed from two.
    first_x, first_y = max(0, x0 + 1), max(0, y0 + 1)
    last_x, last_y = min(w, x0 + n), min(h, y0 + n)
    if first_x >= last_x or first_y >= last_y:
        return
    sx, sy = first_x - x0, first_y - y0
    columns, rows = last_x - first_x, last_y - first_y
    a = sprite[sy - 1 : sy + rows, sx : sx + columns] * (1 - fx)
    a += sprite[sy - 1 : sy + rows, sx - 1 : sx + columns - 1] * fx
    body = a[1:] * (1 - fy) + a[:-1] * fy
    for plane, value in zip(target[:, first_y:last_y, first_x:last_x], gain, strict=True):
        if room:
            plane += (1 - plane) * np.minimum(body * value, 1)
        else:
            plane += body * value
