"""What every scene is made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidgend.pipeline.footage.paint.canvas import Canvas
from vidgend.pipeline.footage.paint.palette import Palette


@dataclass(frozen=True, kw_only=True)
class Setting:
    """`rng` is for laying out the scene only, never while frames are painted: frame k must not depend on k-1."""

    canvas: Canvas
    palette: Palette
    rng: np.random.Generator
    variant: int
    fps: float
