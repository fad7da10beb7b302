"""From the half-size float canvas to a full-size rgb24 frame: smooth upscale, film grain, crisp overlays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vidgend.pipeline.footage.paint.canvas import Canvas, Overlay, smoothstep

GRAIN_LEVELS = 0.9
"""Deviation of the grain in 8-bit levels: above half a level it hides every band, and costs few bits."""
BLOCK_ROWS = 16
"""Canvas rows that are upscaled at a time, so that the numbers stay in the processor's cache."""


class Finish:
    """Keeps its buffers; one per process. Upscales by two with weights 3:1, which is a bilinear look-up."""

    def __init__(self, canvas: Canvas, seed: int) -> None:
        h, w = canvas.h, canvas.w
        self._canvas = canvas
        self._scaled = np.empty((3, h, w), np.float32)
        self._planes = np.empty((3, h, w), np.uint16)
        self._padded = np.empty((h + 2, w + 2, 3), np.uint16)
        self._wide = np.empty((h + 2, w, 2, 3), np.uint16)
        self._even = np.empty((h + 2, w * 3), np.uint16)
        self._block = np.empty((BLOCK_ROWS, 2, w * 6), np.uint16)
        self._frame = np.empty((h, 2, w * 6), np.uint8)
        self._seed = seed & 0xFFFFFFFF
        rng = np.random.default_rng([self._seed, 77])
        middle = 3.0 * GRAIN_LEVELS * 256
        pixels = BLOCK_ROWS * 4 * w + 500_009
        grain = np.clip(rng.standard_normal(pixels, np.float32) * (GRAIN_LEVELS * 256) + middle, 0, 2 * middle)
        self._grain = np.repeat(grain.astype(np.uint16), 3)
        self._offsets = pixels - BLOCK_ROWS * 4 * w
        # 14 bits, so that 3 a + b still fits into 16 with the grain on top of it.
        white = np.float32((65535 - 2 * middle) / 4 - 1)
        # Corners a little darker, as a lens has it, and the rows where captions sit.
        corner = ((canvas.fx - 0.5) ** 2 + (canvas.fy - 0.5) ** 2) * np.float32(0.26)
        bottom = smoothstep(0.72, 1.0, canvas.fy) * np.float32(0.13)
        self._white = (white * (1 - corner) * (1 - bottom)).astype(np.float32)

    def frame(self, index: int, t_s: float, overlays: Sequence[Overlay]) -> NDArray[np.uint8]:
        """uint8[height, width, 3]; the same buffer every time."""
        canvas = self._canvas
        w6 = canvas.w * 6
        self._to_fixed_point()
        self._widen()
        rows = self._wide.reshape(canvas.h + 2, w6)
        rng = np.random.default_rng([self._seed, index])
        for start in range(0, canvas.h, BLOCK_ROWS):
            count = min(BLOCK_ROWS, canvas.h - start)
            block = self._block[:count]
            here = rows[start + 1 : start + 1 + count]
            np.multiply(here, np.uint16(3), out=block[:, 0])
            np.add(block[:, 0], rows[start + 2 : start + 2 + count], out=block[:, 1])
            block[:, 0] += rows[start : start + count]
            flat = block.reshape(-1)
            offset = 3 * int(rng.integers(self._offsets))
            flat += self._grain[offset : offset + flat.size]
            flat >>= np.uint16(8)
            self._frame[start : start + count] = block
        frame = self._frame.reshape(canvas.h * 2, canvas.w * 2, 3)
        if frame.shape[:2] != (canvas.full_height_px, canvas.full_width_px):
            frame = np.ascontiguousarray(frame[: canvas.full_height_px, : canvas.full_width_px])
        for overlay in overlays:
            overlay.draw(frame, t_s)
        return frame

    def _to_fixed_point(self) -> None:
        np.clip(self._canvas.rgb, 0, 1, out=self._scaled)
        self._scaled *= self._white
        np.copyto(self._planes, self._scaled, casting="unsafe")
        padded = self._padded
        padded[1:-1, 1:-1].transpose(2, 0, 1)[:] = self._planes
        padded[0] = padded[1]
        padded[-1] = padded[-2]
        padded[:, 0] = padded[:, 1]
        padded[:, -1] = padded[:, -2]

    def _widen(self) -> None:
        rows, w3 = self._padded.shape[0], self._canvas.w * 3
        flat = self._padded.reshape(rows, -1)
        here, left, right = flat[:, 3 : 3 + w3], flat[:, :w3], flat[:, 6 : 6 + w3]
        pixel = np.dtype("V6")
        wide = self._wide.reshape(rows, -1).view(pixel).reshape(rows, self._canvas.w, 2)
        for side, neighbour in enumerate((left, right)):
            np.multiply(here, np.uint16(3), out=self._even)
            self._even += neighbour
            self._even >>= np.uint16(2)
            wide[:, :, side] = self._even.view(pixel)
