"""The recipe: everything that decides what is painted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

LARGEST_SIDE_PX = 4096


class RecipeInvalid(ValueError):
    """The recipe cannot be painted; the message says which key is wrong."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """`frames` from `first` on are painted. `variant` is the composition within the theme; `style` bends contrast and
    saturation a little."""

    theme: str
    palette: str
    seed: int
    width_px: int
    height_px: int
    fps: Fraction
    frames: int
    first: int = 0
    variant: int = 0
    style: str = ""

    @staticmethod
    def read(text_or_path: str) -> Recipe:
        """From JSON, or from a file that holds it. Raises: RecipeInvalid."""
        text = text_or_path
        if not text.lstrip().startswith("{"):
            try:
                text = Path(text_or_path).read_text(encoding="utf-8")
            except OSError as error:
                raise RecipeInvalid(f"cannot read the file: {error.strerror}") from error
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise RecipeInvalid("not JSON") from error
        if not isinstance(raw, dict):
            raise RecipeInvalid("not a JSON object")
        return Recipe.of(raw)

    @staticmethod
    def of(raw: dict[str, Any]) -> Recipe:
        """Raises: RecipeInvalid."""
        try:
            recipe = Recipe(
                theme=str(raw["theme"]),
                palette=str(raw["palette"]),
                seed=int(raw.get("seed", 0)),
                width_px=int(raw["width_px"]),
                height_px=int(raw["height_px"]),
                fps=Fraction(str(raw["fps"])),
                frames=int(raw["frames"]),
                first=int(raw.get("first", 0)),
                variant=int(raw.get("variant", 0)),
                style=str(raw.get("style", "")),
            )
        except KeyError as error:
            raise RecipeInvalid(f"{error.args[0]} is missing") from error
        except (ValueError, TypeError, ZeroDivisionError) as error:
            raise RecipeInvalid(str(error)) from error
        if not (16 <= recipe.width_px <= LARGEST_SIDE_PX and 16 <= recipe.height_px <= LARGEST_SIDE_PX):
            raise RecipeInvalid(f"width_px and height_px must be 16..{LARGEST_SIDE_PX}")
        if recipe.fps <= 0 or recipe.frames < 0 or recipe.first < 0:
            raise RecipeInvalid("fps must be above 0, frames and first at least 0")
        return recipe
