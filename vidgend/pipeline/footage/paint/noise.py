"""Tileable noise, and sampling it between its pixels."""

from __future__ import annotations

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Field


def cloud_tile(rng: np.random.Generator, size: int = 256, slope: float = 1.7, lowest: float = 1.0) -> Field:
    """float32[size, size], mean 0, deviation 1, that repeats without a seam. `size` is a power of two.

    Random phases with amplitudes that fall as frequency ** -slope; `lowest` is the first frequency in cycles
    per tile that is kept, which keeps a tile from having one obvious big blob that gives the repeat away.
    """
    fy = np.fft.fftfreq(size)[:, None] * size
    fx = np.fft.rfftfreq(size)[None, :] * size
    frequency = np.hypot(fx, fy)
    amplitude = np.where(frequency < lowest, 0.0, np.maximum(frequency, 1.0) ** -slope)
    spectrum = amplitude * np.exp(2j * np.pi * rng.random(amplitude.shape))
    tile = np.fft.irfft2(spectrum, s=(size, size))
    tile -= tile.mean()
    scaled: Field = (tile / tile.std()).astype(np.float32)
    return scaled


def sample(tile: Field, u: Field, v: Field) -> Field:
    """Bilinear look-up with wrap-around; `u` and `v` in tile pixels, any range. Complex tiles carry two fields."""
    size = tile.shape[0]
    mask = size - 1
    u0 = np.floor(u)
    v0 = np.floor(v)
    fu = u - u0
    fv = v - v0
    left = u0.astype(np.int32) & mask
    top = (v0.astype(np.int32) & mask) * size
    right = (left + 1) & mask
    bottom = (top + size) & (size * size - 1)
    flat = tile.reshape(-1)
    a: Field = flat.take(top + left)
    b = flat.take(top + right)
    b -= a
    b *= fu
    a += b
    c = flat.take(bottom + left)
    d = flat.take(bottom + right)
    d -= c
    d *= fu
    c += d
    c -= a
    c *= fv
    a += c
    return a


class Soft:
    """Works a soft field out on a coarse grid and spreads it smoothly over `rows` x `columns` canvas pixels."""

    def __init__(self, rows: int, columns: int, *, step_y: int = 2, step_x: int = 4) -> None:
        self.y = np.arange(0, rows + step_y, step_y, dtype=np.float32)[:, None]
        self.x = np.arange(0, columns + step_x, step_x, dtype=np.float32)[None, :]
        self._down = _hats(rows, self.y[:, 0], step_y)
        self._across = _hats(columns, self.x[0], step_x).T.copy()

    def spread(self, coarse: Field, rows: int | None = None) -> Field:
        """float32[rows, columns] from float32[len(y), len(x)]; only the first `rows` rows if given."""
        field: Field = self._down[:rows] @ (coarse @ self._across)
        return field


def _hats(count: int, knots: Field, step: int) -> Field:
    at = np.arange(count, dtype=np.float32)[:, None]
    return np.maximum(1 - np.abs(at - knots[None, :]) / np.float32(step), 0).astype(np.float32)


def line(rng: np.random.Generator, x: Field, octaves: int = 7, rough: float = 0.5, first: float = 1.0) -> Field:
    """A jagged 1-D profile over `x` (any units), about -1..1; it never repeats soon.

    `first` is its lowest frequency per unit; each octave is about twice as fast and `rough` times as high.
    """
    total = np.zeros_like(x)
    height = 1.0
    weight = 0.0
    table = rng.uniform(-1, 1, 4096).astype(np.float32)
    for octave in range(octaves):
        at = x * np.float32(first * 1.93**octave) + np.float32(rng.uniform(0, 4000))
        whole = np.floor(at)
        part = at - whole
        part = part * part * (3 - 2 * part)
        left = whole.astype(np.int64) & 4095
        total += np.float32(height) * (table[left] * (1 - part) + table[(left + 1) & 4095] * part)
        weight += height
        height *= rough
    return total / np.float32(weight) * np.float32(1.6)
