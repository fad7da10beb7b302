"""The text of subtitle files: structure that no text can break, and the same captions in all of them."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vidgend.models import Caption, Word
from vidgend.pipeline.captions.fonts import FontCatalog, fonts_folder
from vidgend.pipeline.captions.presets import PRESETS, Frame, find_preset
from vidgend.pipeline.captions.text import escape_ass
from vidgend.pipeline.captions_ass import caption_script, srt_text, vtt_text

FACES = FontCatalog([fonts_folder()]).preference(None, "en")


def caption(*texts: str) -> Caption:
    words = tuple(Word(text=text, start_s=float(i), end_s=i + 0.9) for i, text in enumerate(texts))
    return Caption(lines=(words,), start_s=0.0, end_s=float(len(texts)))


def ass(*captions: Caption, preset: str = "classic", **more: bool) -> str:
    frame = Frame(width_px=1280, height_px=720)
    return caption_script(captions, frame=frame, preset=find_preset(preset), faces=FACES, **more).ass


def dialogues(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("Dialogue:")]


def test_the_spoken_word_is_coloured_in_its_own_time() -> None:
    rows = dialogues(ass(caption("one", "two")))
    assert rows[0].startswith("Dialogue: 0,0:00:00.00,0:00:01.00,")
    assert re.search(r"\{\\1c&H4ED3FF&[^}]*\}one \{\\1c&HFFFFFF&\}two$", rows[0])
    assert re.search(r"\{\\1c&HFFFFFF&[^}]*\}one \{\\1c&H4ED3FF&\}two$", rows[1])


def test_without_highlight_a_caption_is_one_event() -> None:
    assert len(dialogues(ass(caption("one", "two"), highlight=False))) == 1
    assert len(dialogues(ass(caption("one", "two"), preset="highlight", highlight=False))) == 2


@given(st.text(max_size=60))
@example("\u093a")  # a vowel sign that goes with no Latin letter
@example("\U0001f3fb")
def test_no_text_can_leave_its_line_or_start_a_command(text: str) -> None:
    escaped = escape_ass(text)
    assert "\n" not in escaped and "\r" not in escaped and "\x00" not in escaped
    assert not re.search(r"(?<!\\)[{}]", escaped)
    assert not re.search(r"\\[nNhpb1-4]", escaped)
    rows = dialogues(ass(caption(f"x{text}"), highlight=False))
    assert len(rows) == 1
    # All that is left between braces is ours.
    assert re.fullmatch(
        r"(\{(\\1c&H[0-9A-F]{6}&)?(\\fn[\w ]+\\fs[\d.]+)?\}([^{}]|\\[{}])*)+", rows[0].split(",,0,0,0,,")[1]
    )


@given(st.text(max_size=60))
def test_subtitle_files_keep_their_structure_whatever_the_text(text: str) -> None:
    assert srt_text([caption(text)]).count("-->") == 1
    vtt = vtt_text([caption(text)])
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n")
    assert vtt.count("-->") == 1
    vtt.encode("utf-8")


def test_what_players_of_srt_take_for_a_command_is_text() -> None:
    made = srt_text([caption("<b>x</b>", r"{\an8}y", "<FONT color=red>", "a<b", "-->", "1 < 2")])
    assert not re.search(r"(?i)</?(b|font)\b|\{\\|-->", made.partition("\n")[2].partition("\n")[2])
    assert "1 < 2" in made and made.replace("\u2060", "").endswith("a<b --> 1 < 2\n")


def test_srt_and_vtt_show_the_words_as_written() -> None:
    assert "R&D <costs> 5 €" in srt_text([caption("R&D", "<costs>", "5", "€")])
    assert "R&amp;D &lt;costs&gt; 5 €" in vtt_text([caption("R&D", "<costs>", "5", "€")])


@pytest.mark.parametrize("preset", PRESETS)
def test_the_picture_shows_the_texts_of_the_subtitle_files_at_their_times(preset: str) -> None:
    captions = (caption("one", "two,", "three"), Caption(lines=caption("four").lines, start_s=3.5, end_s=4.25))
    rows = [row.split(",", 9) for row in dialogues(ass(*captions, preset=preset)) if "\\p1" not in row]

    def seconds(clock: str) -> float:
        hours, minutes, rest = clock.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(rest)

    for one in captions:
        own = [row for row in rows if one.start_s <= seconds(row[1]) < one.end_s]
        assert (min(seconds(row[1]) for row in own), max(seconds(row[2]) for row in own)) == (one.start_s, one.end_s)
        texts = [re.sub(r"\{[^}]*\}", "", row[9]).replace("\\N", " ") for row in own]
        assert all(text == one.text for text in texts) or " ".join(texts) == one.text
        assert one.text in srt_text(captions)


def test_phone_captions_keep_clear_of_what_apps_draw() -> None:
    def margin(width: int, height: int, position: str) -> int:
        frame = Frame(width_px=width, height_px=height)
        made = caption_script(
            [caption("x")], frame=frame, preset=find_preset("classic"), faces=FACES, position=position
        )  # type: ignore[arg-type]
        return int(next(row for row in made.ass.splitlines() if row.startswith("Style:")).split(",")[-2])

    assert margin(1080, 1920, "bottom") >= 1920 * 0.22
    assert margin(1080, 1920, "top") >= 1920 * 0.12
    assert margin(1920, 1080, "bottom") >= 1080 * 0.1


def test_nothing_to_draw_is_no_script() -> None:
    assert ass() == "" and ass(caption("\u200d", " ")) == ""
