"""Theme -> scene, and the painter that turns a recipe's scene into frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vidgend.pipeline.footage.paint.canvas import Canvas, Scene
from vidgend.pipeline.footage.paint.city import City
from vidgend.pipeline.footage.paint.desert import Desert
from vidgend.pipeline.footage.paint.field import Field
from vidgend.pipeline.footage.paint.finish import Finish
from vidgend.pipeline.footage.paint.fire import Fire
from vidgend.pipeline.footage.paint.forest import Forest
from vidgend.pipeline.footage.paint.mountains import Mountains
from vidgend.pipeline.footage.paint.ocean import Ocean
from vidgend.pipeline.footage.paint.palette import PALETTES, styled
from vidgend.pipeline.footage.paint.rain import Rain
from vidgend.pipeline.footage.paint.recipe import Recipe
from vidgend.pipeline.footage.paint.setting import Setting
from vidgend.pipeline.footage.paint.silk import Silk
from vidgend.pipeline.footage.paint.skyscape import Skyscape
from vidgend.pipeline.footage.paint.snow import Snow
from vidgend.pipeline.footage.paint.space import Space
from vidgend.pipeline.footage.paint.tech import Tech
from vidgend.pipeline.footage.paint.undersea import Undersea

SCENES: dict[str, Callable[[Setting], Scene]] = {
    "ocean": Ocean,
    "sky": Skyscape,
    "mountains": Mountains,
    "forest": Forest,
    "space": Space,
    "city": City,
    "rain": Rain,
    "snow": Snow,
    "desert": Desert,
    "fire": Fire,
    "underwater": Undersea,
    "field": Field,
    "tech": Tech,
    "abstract": Silk,
}


class Painter:
    """One recipe's frames. An unknown theme or palette paints the neutral abstract rather than nothing."""

    def __init__(self, recipe: Recipe) -> None:
        canvas = Canvas(recipe.width_px, recipe.height_px)
        palette = styled(PALETTES.get(recipe.palette, PALETTES["neutral"]), recipe.style)
        setting = Setting(
            canvas=canvas,
            palette=palette,
            rng=np.random.default_rng([recipe.seed & 0xFFFFFFFF, recipe.variant & 0xFFFF]),
            variant=recipe.variant,
            fps=float(recipe.fps),
        )
        self._fps = recipe.fps
        self._scene = SCENES.get(recipe.theme, Silk)(setting)
        self._finish = Finish(canvas, recipe.seed)

    def frame(self, index: int) -> memoryview:
        """The bytes of frame `index`, rgb24; they are good until the next call."""
        return self.pixels(index).reshape(-1).data

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """uint8[height, width, 3]."""
        t_s = float(index / self._fps)
        self._scene.paint(index, t_s)
        return self._finish.frame(index, t_s, self._scene.overlays)
