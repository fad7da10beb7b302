"""A crisp full-size silhouette that pans: pines, grass, trunks in front of what the canvas holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidgend.pipeline.footage.paint.canvas import Field, Rgb
from vidgend.pipeline.footage.paint.land import pan_px
from vidgend.pipeline.footage.paint.raster import BLOCK_PX, runs


class Strip:
    """`mask` is float32[rows, wide] as wide as land.pan_width says; `speed_px_s` in full-size pixels. Its colour
    runs from `tint` at the top to `foot` at the bottom."""

    def __init__(self, mask: Field, tint: Rgb, *, top: int, speed_px_s: float, foot: Rgb | None = None) -> None:
        self._top, self._speed = top, speed_px_s
        self._clear = np.repeat((255 - 255 * mask).astype(np.uint16), 3, axis=1)
        self._runs = runs(mask)
        down = np.linspace(0, 1, mask.shape[0])[:, None]
        ramp = np.array(tint)[None, :] + down * (np.array(foot or tint) - np.array(tint))[None, :]
        self._ramp = (ramp * 255).astype(np.uint16)
        self._wide_ramp: NDArray[np.uint16] | None = None

    def draw(self, frame: NDArray[np.uint8], t_s: float) -> None:
        height, width, _ = frame.shape
        rows = min(self._clear.shape[0], height - self._top)
        if self._wide_ramp is None:
            self._wide_ramp = np.tile(self._ramp, (1, width))
        at = pan_px(self._speed, t_s)
        left = int(at)
        part = np.uint16(round((at - left) * 256))
        flat = frame.reshape(height, -1)
        for top, first, last in self._runs:
            low = min(top + BLOCK_PX, rows)
            # Between two pixels, a shape reaches one pixel further to the left.
            start, end = max(first - 1, left), min(last, left + width)
            if top >= low or start >= end:
                continue
            clear = self._clear[top:low, start * 3 : end * 3] * (np.uint16(256) - part)
            clear += self._clear[top:low, (start + 1) * 3 : (end + 1) * 3] * part
            clear >>= np.uint16(8)
            region = flat[self._top + top : self._top + low, (start - left) * 3 : (end - left) * 3]
            base = (255 - clear) * self._wide_ramp[top:low, : (end - start) * 3]
            clear *= region
            base += clear
            base += base >> np.uint16(8)
            base >>= np.uint16(8)
            np.copyto(region, base, casting="unsafe")
