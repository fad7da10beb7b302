"""The picture that a scene paints on: half the size of the frame, planar float32, 0 is black and 1 is white."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Field = NDArray[Any]
"""float32, mostly [rows, columns] of the canvas, or something that broadcasts to it."""
Rgb = tuple[float, float, float]


class Canvas:
    """`rgb` is float32[3, h, w]. `unit` is the square root of its area in pixels: lengths that are given as
    fractions of it look alike in landscape, portrait and square."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self.full_width_px = width_px
        self.full_height_px = height_px
        self.w = (width_px + 1) // 2
        self.h = (height_px + 1) // 2
        self.unit = float(np.sqrt(self.w * self.h))
        self.rgb = np.zeros((3, self.h, self.w), np.float32)
        self.x: Field = np.arange(self.w, dtype=np.float32)[None, :]
        self.y: Field = np.arange(self.h, dtype=np.float32)[:, None]
        self.fx: Field = (self.x + np.float32(0.5)) / np.float32(self.w)
        self.fy: Field = (self.y + np.float32(0.5)) / np.float32(self.h)

    @property
    def portrait(self) -> bool:
        return self.h > self.w * 1.1


class Overlay(Protocol):
    """Something crisp that is drawn over the finished full-size frame."""

    def draw(self, frame: NDArray[np.uint8], t_s: float) -> None:
        """`frame` is uint8[height, width, 3], changed in place."""
        ...


class Scene(Protocol):
    overlays: list[Any]

    def paint(self, index: int, t_s: float) -> None:
        """Paint frame `index`, which is shown `t_s` seconds after the first, on the scene's canvas."""
        ...


def colour(value: Rgb) -> Field:
    """float32[3, 1, 1], to multiply with fields."""
    return np.array(value, np.float32)[:, None, None]


def smoothstep(low: float, high: float, value: Any) -> Any:
    """0 below `low`, 1 above `high`, and a smooth s between; float32 in, float32 out."""
    t = np.clip((value - np.float32(low)) * np.float32(1.0 / (high - low)), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Rgb, b: Rgb, amount: float) -> Rgb:
    """`a` at 0, `b` at 1."""
    return (
        a[0] + (b[0] - a[0]) * amount,
        a[1] + (b[1] - a[1]) * amount,
        a[2] + (b[2] - a[2]) * amount,
    )


def lay(target: Field, alpha: Field, over: Rgb) -> None:
    """Lay one flat colour over float32[3, ...] in place; `alpha` broadcasts."""
    for plane, value in zip(target, over, strict=True):
        plane += alpha * (np.float32(value) - plane)


def glow(target: Field, light: Field, over: Rgb) -> None:
    """Add light in place, so that it approaches white and never passes it (screen)."""
    for plane, value in zip(target, over, strict=True):
        plane += (1 - plane) * np.minimum(light * np.float32(value), 1)
