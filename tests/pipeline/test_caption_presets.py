"""Presets as pixels: inside the safe area, readable on any picture, and each with its own look."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from screen import ASPECTS, bounds, draw, grown, ink, like, luminance, script, spoken

from vidgend.errors import UnknownPreset
from vidgend.pipeline.captions.colours import DARK, LIGHT, contrast, edge_for, readable
from vidgend.pipeline.captions.events import Dress
from vidgend.pipeline.captions.fonts import FontCatalog, fonts_folder
from vidgend.pipeline.captions.presets import PRESETS, Frame, find_preset
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.styles import STYLES, find_style

ACCENT = "FFD34E"
LONG = (
    "The quick brown fox, WWWWWWWWWW MMMMMMMMMMMM, jumps over it; Donaudampfschifffahrtsgesellschaftskapitän "
    "of the pneumonoultramicroscopicsilicovolcanoconiosis ward, gypsy jumping quickly."
)


@pytest.fixture(scope="module")
def fonts() -> FontCatalog:
    return FontCatalog([fonts_folder()])


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("position", [None, "top"])
def test_every_preset_keeps_inside_the_safe_area(
    ffmpeg: Ffmpeg, fonts: FontCatalog, tmp_path: Path, preset: str, aspect: str, position: str | None
) -> None:
    width, height = size = ASPECTS[aspect]
    made = script(LONG, fonts, size=size, preset=preset, position=position)
    # All along, and where words have popped up to their largest.
    times = sorted({*np.arange(0.3, 7.0, 0.5).round(2), *(word.start_s + 0.08 for word in spoken(LONG))})
    left, top, right, bottom = bounds(ink(draw(ffmpeg.path, tmp_path / "x", made, fonts, size=size, times=times)))
    above, below = (0.12, 0.22) if aspect == "9:16" else (0.10, 0.10)
    assert left >= width * 0.1 - 1 and right <= width * 0.9 + 1
    assert top >= height * above - 1 and bottom <= height * (1 - below) + 1
    assert right - left > width * 0.2


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280)])
def test_the_size_of_the_text_follows_the_short_side(
    ffmpeg: Ffmpeg, fonts: FontCatalog, tmp_path: Path, size: tuple[int, int]
) -> None:
    heights = []
    for factor in (1, 2):
        small = (size[0] * factor // 2, size[1] * factor // 2)
        made = script("Hxg", fonts, size=small)
        frame = draw(ffmpeg.path, tmp_path / str(factor), made, fonts, size=small, times=[0.4])
        box = bounds(ink(frame))
        heights.append(box[3] - box[1])
    assert heights[1] == pytest.approx(2 * heights[0], abs=4)


def test_the_spoken_word_is_coloured_and_moves_on(ffmpeg: Ffmpeg, fonts: FontCatalog, tmp_path: Path) -> None:
    for preset, highlight in (("classic", True), ("highlight", False)):
        made = script("one two three four", fonts, preset=preset, highlight=highlight, accent=ACCENT)
        frames = draw(ffmpeg.path, tmp_path / preset, made, fonts, times=[0.4, 0.75, 1.1])
        places = [bounds(like(frame, ACCENT)) for frame in frames]
        assert places[0][2] < places[1][0] and places[1][2] < places[2][0]


def test_without_highlight_the_classic_line_has_one_colour(ffmpeg: Ffmpeg, fonts: FontCatalog, tmp_path: Path) -> None:
    made = script("one two three four", fonts, highlight=False)
    assert made.ass.count("Dialogue:") == 1
    assert not like(draw(ffmpeg.path, tmp_path / "x", made, fonts, times=[0.75])[0], ACCENT).any()


def test_karaoke_fills_the_line_from_its_beginning(ffmpeg: Ffmpeg, fonts: FontCatalog, tmp_path: Path) -> None:
    made = script("one two three four", fonts, preset="karaoke", accent=ACCENT)
    frames = draw(ffmpeg.path, tmp_path / "x", made, fonts, times=[0.5, 0.9, 1.3, 1.75])
    filled = [int(like(frame, ACCENT).sum()) for frame in frames]
    assert filled == sorted(filled) and filled[0] > 0 and filled[-1] > 3 * filled[0]
    assert len({bounds(like(frame, ACCENT))[0] for frame in frames}) == 1
    assert not (like(frames[-1], "FFFFFF")).any()


def test_pop_shows_little_at_a_time_and_large(ffmpeg: Ffmpeg, fonts: FontCatalog, tmp_path: Path) -> None:
    text = "Waves roll slowly towards the distant shore"
    classic = script("Waves roll slowly", fonts)
    pop = script(text, fonts, preset="pop")
    heights = {}
    for name, made in (("classic", classic), ("pop", pop)):
        box = bounds(ink(draw(ffmpeg.path, tmp_path / name, made, fonts, times=[1.3])))
        heights[name] = box[3] - box[1]
    assert heights["pop"] > 1.4 * heights["classic"]
    shown = [re.sub(r"\{[^}]*\}", "", row.split(",,", 2)[-1]) for row in pop.ass.splitlines() if "Dialogue:" in row]
    assert all(len(part.split()) <= 3 for part in shown)
    assert " ".join(part.split(",")[-1] for part in shown).split() == text.split()
    grows = draw(ffmpeg.path, tmp_path / "grows", pop, fonts, times=[0.24, 0.30, 0.42])
    widths = [bounds(ink(frame[None])) for frame in grows]
    assert widths[0][2] - widths[0][0] < widths[2][2] - widths[2][0] < widths[1][2] - widths[1][0]


@pytest.mark.parametrize("aspect", ASPECTS)
def test_the_lower_third_is_a_box_at_the_left_with_a_thin_line(
    ffmpeg: Ffmpeg, fonts: FontCatalog, tmp_path: Path, aspect: str
) -> None:
    size = ASPECTS[aspect]
    made = script("A boat comes in", fonts, size=size, preset="lower_third", accent=ACCENT)
    frame = draw(ffmpeg.path, tmp_path / "x", made, fonts, size=size, times=[1.0])[0]
    box, line, text = bounds(ink(frame[None])), bounds(like(frame, ACCENT)), bounds(like(frame, "FFFFFF"))
    assert box[0] == line[0] and abs(box[0] - size[0] * 0.1) <= 1
    assert line[3] - line[1] == box[3] - box[1] and line[2] - line[0] <= 5
    assert line[2] < text[0] and text[2] < box[2] and box[1] < text[1] and text[3] < box[3]
    assert box[2] < size[0] * 0.9


BEHIND = {
    "white": "color=c=white",
    "black": "color=c=black",
    "grey": "color=c=gray",
    "busy": "testsrc2=sar=1",
}


@pytest.mark.parametrize("behind", ["white", "black", "grey", "busy"])
@pytest.mark.parametrize("preset", PRESETS)
def test_text_stands_out_from_whatever_is_behind_it(
    ffmpeg: Ffmpeg, fonts: FontCatalog, tmp_path: Path, preset: str, behind: str
) -> None:
    size = (1280, 720)
    made = script("Bright sails", fonts, size=size, preset=preset, accent=ACCENT)
    plain = draw(ffmpeg.path, tmp_path / "plain", made, fonts, size=size, times=[0.8])[0]
    fill = like(plain, "FFFFFF") | like(plain, ACCENT)
    if preset == "lower_third":
        fill &= ~grown(like(plain, ACCENT), 2)
    seen = luminance(
        draw(
            ffmpeg.path, tmp_path / "seen", made, fonts, size=size, times=[0.8], background=BEHIND[behind], encoded=True
        )[0]
    )
    around = grown(fill, 3) & ~grown(fill, 1)
    box = bounds(fill)
    worst = 99.0
    for left in range(box[0], box[2], 24):
        letters, edge = (mask[box[1] - 4 : box[3] + 4, left : left + 24] for mask in (fill, around))
        if letters.sum() < 20:
            continue
        part = seen[box[1] - 4 : box[3] + 4, left : left + 24]
        light, dark = part[letters].mean(), part[edge].mean()
        worst = min(worst, (max(light, dark) + 0.05) / (min(light, dark) + 0.05))
    assert worst >= 4.5


@pytest.mark.parametrize("style", STYLES.values(), ids=lambda style: style.name)
@pytest.mark.parametrize("boxed", [False, True])
def test_no_style_has_captions_that_cannot_be_read(style: object, boxed: bool) -> None:
    dress = Dress.of(style.caption_colour, style.highlight_colour, boxed=boxed)
    assert contrast(dress.base, dress.edge) >= 4.5
    assert contrast(dress.accent, dress.edge) >= 4.5


@pytest.mark.parametrize("rgb", ["FFFFFF", "000000", "777777", "FF0000", "0000FF", "123456", "808000"])
def test_any_colour_is_made_readable_and_keeps_its_hue_if_it_can(rgb: str) -> None:
    edge = edge_for(rgb)
    assert edge in (DARK, LIGHT)
    assert contrast(readable(rgb, edge), edge) >= 4.5
    assert readable("FFD34E", DARK) == "FFD34E"


def test_presets_have_names_and_a_wrong_one_is_told() -> None:
    assert find_preset(" Lower-Third ").name == "lower_third"
    with pytest.raises(UnknownPreset, match="classic"):
        find_preset("sparkle")


def test_text_lies_on_the_picture_and_never_across_the_edge_of_a_bar() -> None:
    look = find_style("cinematic")
    bar_px = look.bar_px(1920, 1080)
    frame = Frame(width_px=1920, height_px=1080, bar_px=bar_px)
    assert bar_px > 100 and min(frame.bottom_px, frame.top_px) > bar_px + 20
    assert look.bar_px(1080, 1920) == 0
