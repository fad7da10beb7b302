"""Generated footage: words to themes, palettes and compositions; always an offer, always an honest one."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidgend.errors import ProviderError
from vidgend.pipeline.footage.generated import GeneratedFootage, emitted_size
from vidgend.pipeline.footage.paint.palette import PALETTES
from vidgend.pipeline.footage.paint.scenes import SCENES
from vidgend.pipeline.footage.paint.words import FITS, PALETTE_WORDS, VARIANTS, Lexicon, stem
from vidgend.pipeline.footage.port import FootageQuery


def a_query(text: str, **other: object) -> FootageQuery:
    return FootageQuery(**{"text": text, "width_px": 1280, "height_px": 720, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "theme", "palette"),
    [
        ("A beautiful sunset over the ocean with waves crashing on the beach", "ocean", "sunset"),
        ("stormy sea", "ocean", "storm"),
        ("tropical island palm trees", "ocean", "tropical"),
        ("clouds drifting", "sky", "day"),
        ("snowy mountains", "mountains", "winter"),
        ("mountain sunrise", "mountains", "sunrise"),
        ("walking in the woods", "forest", "golden"),
        ("autumn forest", "forest", "autumn"),
        ("northern lights", "space", "night"),
        ("galaxies and nebulae", "space", "night"),
        ("city skyline at night", "city", "night"),
        ("rain on a window", "rain", "storm"),
        ("snowflakes falling", "snow", "winter"),
        ("sahara dunes", "desert", "golden"),
        ("campfire", "fire", "fire"),
        ("coral reef", "underwater", "tropical"),
        ("flower meadow in spring", "field", "spring"),
        ("artificial intelligence", "tech", "corporate"),
        ("cloud computing", "tech", "corporate"),
    ],
)
async def test_a_query_is_painted_as_what_it_names(text: str, theme: str, palette: str) -> None:
    best = (await GeneratedFootage().search(a_query(text)))[0]
    assert best.recipe is not None
    assert (best.recipe["theme"], best.recipe["palette"]) == (theme, palette)


@pytest.mark.parametrize("text", ["corporate office meeting", "business people shaking hands"])
async def test_what_cannot_be_painted_becomes_soft_colours_that_suit_it(text: str) -> None:
    best = (await GeneratedFootage().search(a_query(text)))[0]
    assert best.recipe is not None
    assert (best.recipe["theme"], best.recipe["palette"]) == ("abstract", "corporate")


@pytest.mark.parametrize("text", ["", "qwertyuiop", "¿?", "数据", "the of and"])
async def test_there_is_always_an_offer(text: str) -> None:
    found = await GeneratedFootage().search(a_query(text, limit=0))
    assert [candidate.recipe["theme"] for candidate in found if candidate.recipe] == ["abstract"]


async def test_the_narration_fills_in_what_the_query_leaves_open() -> None:
    context = "The tide rolls in and the surf breaks along the shore at dawn."
    best = (await GeneratedFootage().search(a_query("an empty moment", context=context)))[0]
    assert best.recipe is not None
    assert (best.recipe["theme"], best.recipe["palette"]) == ("ocean", "sunrise")


async def test_the_query_outweighs_the_narration() -> None:
    best = (await GeneratedFootage().search(a_query("desert", context="ocean waves sea beach shore tide surf")))[0]
    assert best.recipe is not None and best.recipe["theme"] == "desert"


async def test_the_mood_colours_a_scene_that_names_no_light() -> None:
    best = (await GeneratedFootage().search(a_query("ocean", mood="calm")))[0]
    assert best.recipe is not None and best.recipe["palette"] == "calm"


async def test_compositions_are_all_offered_once_and_words_choose_the_first() -> None:
    found = await GeneratedFootage().search(a_query("palm trees by the ocean"))
    assert len({candidate.id for candidate in found}) == len(found) == len(VARIANTS["ocean"])
    assert "palms" in found[0].description


async def test_another_seed_is_another_picture_and_starts_with_another_composition() -> None:
    one, other = [(await GeneratedFootage().search(a_query("mountains", seed=seed)))[0] for seed in (0, 1)]
    assert one.id != other.id
    assert one.recipe is not None and other.recipe is not None
    assert one.recipe["variant"] != other.recipe["variant"]


async def test_the_limit_is_kept_and_the_credit_says_who_made_it() -> None:
    found = await GeneratedFootage().search(a_query("ocean", limit=2))
    assert len(found) == 2
    assert {candidate.kind for candidate in found} == {"generated"}
    assert found[0].credit.licence == "no rights reserved: made by vidgend"


async def test_fetching_a_painting_is_an_error(tmp_path: Path) -> None:
    provider = GeneratedFootage()
    candidate = (await provider.search(a_query("ocean")))[0]
    with pytest.raises(ProviderError):
        await provider.fetch(candidate, width_px=1280, height_px=720, path=tmp_path / "clip")


@pytest.mark.parametrize(
    ("target", "emitted"),
    [((1280, 720), (1280, 720)), ((1080, 1920), (1080, 1920)), ((3840, 2160), (1920, 1080)), ((641, 361), (640, 360))],
)
def test_the_recipe_names_the_size_that_is_emitted(target: tuple[int, int], emitted: tuple[int, int]) -> None:
    assert emitted_size(*target) == emitted


@pytest.mark.parametrize(
    "family", [("wave", "waves", "waving"), ("mountain", "mountains"), ("snow", "snowing"), ("star", "starry", "stars")]
)
def test_forms_of_a_word_share_a_stem(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


def test_the_tables_agree_with_the_painter() -> None:
    assert set(VARIANTS) == set(FITS) == set(SCENES)
    assert set(PALETTE_WORDS) | {"neutral"} == set(PALETTES)
    assert all(set(palettes) <= set(PALETTES) for palettes in FITS.values())


def test_a_theme_never_gets_a_palette_that_does_not_suit_it() -> None:
    assert Lexicon().read("tropical underwater reef in a blazing fire").palette in FITS["underwater"]
