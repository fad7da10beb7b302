"""What every painted scene promises: exact, repeatable, alive, calm, and readable under captions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from vidgend.pipeline.footage.paint.palette import PALETTES
from vidgend.pipeline.footage.paint.recipe import Recipe
from vidgend.pipeline.footage.paint.scenes import SCENES, Painter
from vidgend.pipeline.footage.paint.words import FITS, VARIANTS

LANDSCAPE, PORTRAIT, SQUARE = (128, 72), (72, 128), (96, 96)


def a_recipe(
    theme: str, size: tuple[int, int] = LANDSCAPE, *, variant: int = 0, palette: str = "", **other: object
) -> Recipe:
    return Recipe.of(
        {
            "theme": theme,
            "palette": palette or FITS[theme][0],
            "seed": 11,
            "variant": variant,
            "width_px": size[0],
            "height_px": size[1],
            "fps": "30",
            "frames": 60,
            **other,
        }
    )


def picture(painter: Painter, index: int) -> np.ndarray:
    """Frame `index` without its grain: means of 4x4 blocks, float64."""
    frame = painter.pixels(index)
    h, w = frame.shape[0] // 4 * 4, frame.shape[1] // 4 * 4
    return frame[:h, :w].reshape(h // 4, 4, w // 4, 4, 3).mean(axis=(1, 3))


@cache
def gallery(theme: str, size: tuple[int, int]) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]:
    """Frames 0, 1 and 30 without grain: of every composition in landscape, of the first one in other shapes."""
    painted = []
    for variant in range(len(VARIANTS[theme]) if size == LANDSCAPE else 1):
        painter = Painter(a_recipe(theme, size, variant=variant))
        painted.append((picture(painter, 0), picture(painter, 1), picture(painter, 30)))
    return tuple(painted)


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT, SQUARE], ids=["landscape", "portrait", "square"])
@pytest.mark.parametrize("theme", sorted(SCENES))
def test_every_theme_paints_a_picture_that_lives_and_does_not_flicker(theme: str, size: tuple[int, int]) -> None:
    # Flames leap; nothing else may.
    jump, pulse = (12, 2.5) if theme == "fire" else (4, 0.5)
    for first, second, later in gallery(theme, size):
        assert first.max() > 40, "not black"
        assert first.std() > 6, "not flat"
        assert np.abs(later - first).mean() > 0.4, "moves within a second"
        assert np.abs(second - first).mean() < jump, "does not jump from one frame to the next"
        assert abs(second.mean() - first.mean()) < pulse, "the light of the whole picture is steady"
        assert first[-max(1, first.shape[0] // 6) :].mean() < 200, "white text has something to stand on"


@pytest.mark.parametrize("theme", sorted(SCENES))
def test_the_compositions_of_a_theme_look_clearly_different(theme: str) -> None:
    seen = [first for first, _, _ in gallery(theme, LANDSCAPE)]
    for place, one in enumerate(seen):
        for other in seen[place + 1 :]:
            assert np.abs(one - other).mean() > 5


@pytest.mark.parametrize("theme", sorted(SCENES))
def test_a_frame_depends_on_its_number_and_not_on_what_was_painted_before(theme: str) -> None:
    _, _, later = gallery(theme, SQUARE)[0]
    assert np.array_equal(picture(Painter(a_recipe(theme, SQUARE, frames=31)), 30), later)


@pytest.mark.parametrize("palette", sorted(PALETTES))
def test_every_palette_paints_sea_and_silk(palette: str) -> None:
    for theme in ("ocean", "abstract"):
        frame = picture(Painter(a_recipe(theme, palette=palette)), 3)
        assert frame.max() > 40
        assert frame.std() > 4


def test_another_seed_paints_another_picture() -> None:
    assert not np.array_equal(Painter(a_recipe("sky")).pixels(0), Painter(a_recipe("sky", seed=12)).pixels(0))


def test_motion_runs_in_seconds_and_not_in_frames() -> None:
    slow, fast = Painter(a_recipe("abstract", fps="25")), Painter(a_recipe("abstract", fps="50"))
    assert np.abs(picture(slow, 25) - picture(fast, 50)).mean() < 0.5


def test_odd_sizes_and_broadcast_rates_are_painted_exactly() -> None:
    recipe = a_recipe("ocean", (101, 57), fps="30000/1001")
    assert recipe.fps == Fraction(30000, 1001)
    assert Painter(recipe).pixels(4).shape == (57, 101, 3)
    assert len(Painter(recipe).frame(0)) == 101 * 57 * 3


@pytest.mark.parametrize("theme", sorted(SCENES))
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_the_smallest_and_narrowest_pictures_are_painted_too(theme: str) -> None:
    for variant in range(len(VARIANTS[theme])):
        assert Painter(a_recipe(theme, (16, 16), variant=variant)).pixels(0).shape == (16, 16, 3)
    assert Painter(a_recipe(theme, (17, 90))).pixels(9000).shape == (90, 17, 3)


def test_a_smooth_sky_has_grain_instead_of_bands() -> None:
    painter = Painter(a_recipe("abstract", (256, 144)))
    frame = painter.pixels(0).astype(int)
    # In a banded picture most neighbours are equal; grain leaves few equal pairs.
    equal = (np.diff(frame[..., 1], axis=1) == 0).mean()
    assert equal < 0.5


def test_an_unknown_theme_and_palette_paint_the_neutral_abstract() -> None:
    known = Painter(a_recipe("abstract", palette="neutral")).pixels(0)
    assert np.array_equal(Painter(replace(a_recipe("abstract"), theme="submarine", palette="plaid")).pixels(0), known)


@pytest.mark.parametrize("style", ["noir", "vivid"])
def test_a_style_bends_the_colours(style: str) -> None:
    plain = picture(Painter(a_recipe("ocean")), 0)
    bent = picture(Painter(a_recipe("ocean", style=style)), 0)
    colourfulness = [(frame.max(axis=2) - frame.min(axis=2)).mean() for frame in (plain, bent)]
    assert (colourfulness[1] < colourfulness[0]) == (style == "noir")
