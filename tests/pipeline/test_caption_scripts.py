"""Scripts, fonts and hostile texts, as pixels: nothing is drawn as a box, nothing as a command."""

from __future__ import annotations

import importlib.util
import itertools
import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import media
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from screen import bounds, draw, ink, like, script, spoken
from studio import open_studio

from vidgend.errors import UnknownFont
from vidgend.models import Word, join_words
from vidgend.pipeline.captions import line_breaks
from vidgend.pipeline.captions.fonts import FontCatalog, as_args, fonts_folder, machine_fonts, script_of, split_runs
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.timeline import shot_of
from vidgend.pipeline.video_text import undrawn_text
from vidgend.pipeline.words_to_captions import CHARS_PER_S, make_captions

ACCENT = "FFD34E"
SHIPPED = {
    "en": "Quick “quotes” – and dashes… 50 %",
    "cs": "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "vi": "Tất cả mọi người sinh ra đều được tự do",
    "ru": "Съешь же ещё этих мягких французских булок",
    "el": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
    "ar": "السلام عليكم ورحمة الله، كيف حالك؟ 42",
    "fa": "همهٔ مردم آزاد به دنیا می‌آیند",
    "he": "שלום לכולם, זה משפט (קצר) עם מספר 42.",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के क्षेत्र में।",
    "th": "สวัสดีชาวโลก นี่คือคำบรรยาย",
}
EXTRA = {
    "ja": "吾輩は猫である。「名前」はまだ無い。",
    "zh": "人人生而自由，在尊严和权利上一律平等。",
    "ko": "모든 인간은 태어날 때부터 자유로우며",
    "ta": "மனிதப் பிறவியினர் மொழி",
    "bn": "সমস্ত মানুষ স্বাধীনভাবে",
    "ka": "ყველა ადამიანი იბადება",
}
needs_extra = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("manimgx_fonts", "manimgx_fonts_cjk")),
    reason="the extra `fonts` is not installed",
)


@pytest.fixture(scope="module")
def shipped() -> FontCatalog:
    return FontCatalog([fonts_folder()])


@pytest.fixture(scope="module")
def everything() -> FontCatalog:
    return machine_fonts()


@pytest.mark.parametrize("language", SHIPPED)
def test_the_shipped_fonts_draw_these_scripts_without_any_other(
    ffmpeg: Ffmpeg, shipped: FontCatalog, tmp_path: Path, language: str
) -> None:
    made = script(SHIPPED[language], shipped, language=language)
    assert made.undrawn == frozenset()
    assert ink(draw(ffmpeg.path, tmp_path / "x", made, shipped)).sum() > 300


@needs_extra
@pytest.mark.parametrize("language", EXTRA)
def test_the_extra_fonts_draw_the_rest(
    ffmpeg: Ffmpeg, everything: FontCatalog, shipped: FontCatalog, tmp_path: Path, language: str
) -> None:
    assert script(EXTRA[language], shipped, language=language).undrawn
    made = script(EXTRA[language], everything, language=language)
    assert made.undrawn == frozenset()
    assert ink(draw(ffmpeg.path, tmp_path / "x", made, everything)).sum() > 300


@needs_extra
def test_the_language_chooses_between_chinese_and_japanese_forms(everything: FontCatalog) -> None:
    for language, family in (("ja", "JP"), ("zh", "SC"), ("zh-TW", "TC"), ("ko", "KR")):
        (face,) = script("直接", everything, language=language).faces
        assert face.family.endswith(family)


@needs_extra
def test_variable_fonts_are_drawn_bold_and_only_with_what_is_needed(
    ffmpeg: Ffmpeg, everything: FontCatalog, tmp_path: Path
) -> None:
    text = "国国国国国国国国"
    made = script(text, everything, language="ja", highlight=False, size=(1280, 720))
    bold = like(draw(ffmpeg.path, tmp_path / "bold", made, everything, size=(1280, 720))[0], "FFFFFF").sum()
    assert sum(file.stat().st_size for file in (tmp_path / "bold" / "fonts").iterdir()) < 100_000
    (face,) = made.faces
    thin = tmp_path / "thin" / "fonts"
    thin.mkdir(parents=True)
    (thin / "thin.ttc").symlink_to(face.path)

    class Thin(FontCatalog):
        def lay_into(self, *_: object) -> None:
            shutil.copytree(thin, tmp_path / "seen" / "fonts", symlinks=True)

    seen = like(draw(ffmpeg.path, tmp_path / "seen", made, Thin([]), size=(1280, 720))[0], "FFFFFF").sum()
    assert bold > 1.5 * seen


def test_hebrew_begins_at_the_right_and_its_full_stop_ends_at_the_left(
    ffmpeg: Ffmpeg, shipped: FontCatalog, tmp_path: Path
) -> None:
    made = script("אחת שתיים שלוש ארבע.", shipped, accent=ACCENT, language="he")
    frames = draw(ffmpeg.path, tmp_path / "x", made, shipped, times=[0.4, 0.75, 1.1, 1.5])
    lefts = [bounds(like(frame, ACCENT))[0] for frame in frames]
    assert lefts == sorted(lefts, reverse=True)
    # The last word is coloured now: what is leftmost of it is low and small, the full stop.
    last = like(frames[-1], ACCENT)
    left, _, _, bottom = bounds(last)
    stop = bounds(last[:, left : left + 3])
    assert stop[3] >= bottom - 1 and stop[3] - stop[1] <= 5


def test_karaoke_fills_arabic_from_the_right(ffmpeg: Ffmpeg, shipped: FontCatalog, tmp_path: Path) -> None:
    made = script("السلام عليكم ورحمة الله", shipped, preset="karaoke", accent=ACCENT, language="ar")
    frames = draw(ffmpeg.path, tmp_path / "x", made, shipped, times=[0.5, 0.9, 1.3])
    boxes = [bounds(like(frame, ACCENT)) for frame in frames]
    assert boxes[0][0] > boxes[1][0] > boxes[2][0]
    assert max(box[2] for box in boxes) - min(box[2] for box in boxes) <= 3


def test_brackets_round_latin_words_in_a_hebrew_line_stay_a_pair(shipped: FontCatalog) -> None:
    made = script("עם hello (world) כאן", shipped, language="he", highlight=False)
    assert "\u200e(world)\u200e" in made.ass


def test_arabic_letters_are_joined_and_devanagari_marks_take_no_room(shipped: FontCatalog) -> None:
    faces = shipped.preference(None, "ar")
    (run,) = split_runs("السلام", faces)[0]
    assert run.face.width("السلام") < 0.9 * sum(run.face.width(char) for char in "السلام")
    (run,) = split_runs("क्षत्रि", faces)[0]
    assert run.face.width("क्षत्रि") < 0.7 * sum(run.face.width(char) for char in "क्षत्रि")


def test_words_that_no_font_draws_are_left_out_and_told(ffmpeg: Ffmpeg, shipped: FontCatalog, tmp_path: Path) -> None:
    made = script(EXTRA["ja"], shipped)
    assert made.ass == "" and "吾" in made.undrawn
    told = undrawn_text(made.undrawn)
    assert "Hiragana" in told.wanted and "Chinese characters" in told.wanted and "fonts" in told.reason
    # No box stands for what is missing: the picture is the same as without it.
    mixed = script(
        (*spoken("see"), Word(text="海", start_s=0.7, end_s=1.0), Word(text="now", start_s=1.0, end_s=1.3)), shipped
    )
    alone = script((*spoken("see"), Word(text="now", start_s=1.0, end_s=1.3)), shipped)
    pictures = [
        draw(ffmpeg.path, tmp_path / name, one, shipped, times=[1.2]) for name, one in (("a", mixed), ("b", alone))
    ]
    assert np.array_equal(*pictures)
    assert script_of("😀") == "symbols" and script_of("த") == "Tamil"


def test_a_font_is_named_by_its_family(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    own = tmp_path / "own" / "deep"
    own.mkdir(parents=True)
    shutil.copy(fonts_folder() / "Inter-SemiBold.otf", own / "mine.otf")
    (own / "broken.ttf").write_bytes(b"not a font")
    fonts = FontCatalog([fonts_folder(), tmp_path / "own"])
    made = script("Own font", fonts, font="inter semi bold")
    assert {face.family for face in made.faces} == {"Inter Semi Bold"}
    assert ink(draw(ffmpeg.path, tmp_path / "x", made, fonts)).any()
    with pytest.raises(UnknownFont, match="no font family 'Intre'") as refused:
        fonts.find("Intre")
    assert "Did you mean Inter" in refused.value.hint
    assert all(set(font) == {"digest", "index", "family"} for font in as_args(made.faces))


def test_a_font_that_was_taken_away_is_told(tmp_path: Path, shipped: FontCatalog) -> None:
    with pytest.raises(UnknownFont, match="not installed any more"):
        shipped.lay_into(tmp_path / "f", [{"digest": "0" * 64, "index": 0, "family": "Inter"}], "")


CJK = st.text(
    st.one_of(
        st.characters(min_codepoint=0x3041, max_codepoint=0x30FE),
        st.sampled_from("。、」』）！？ー々ゃュ「『（…‥ａ１日本語漢字人a1 "),
    ),
    min_size=1,
    max_size=120,
)


@given(CJK, st.sampled_from([24, 32, 42]))
def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one(text: str, max_chars: int) -> None:
    words = spoken(text)
    if not words:
        return
    captions = make_captions(words, max_chars=max_chars)
    joined = ""
    for caption in captions:
        for line in caption.lines:
            shown = join_words(line)
            joined += shown
            assert line_breaks.width(shown) <= max_chars
            first, last = line[0], line[-1]
            # Only a run of marks that no line can hold may be cut between them.
            if first.glued and line_breaks.width(first.text) < max_chars / 2:
                assert first.text[0] not in "。、」』）！？ー々ゃュ"
            if line_breaks.width(last.text) < max_chars / 2 and last.text != text.split()[-1][-len(last.text) :]:
                assert last.text[-1] not in "「『（"
    assert joined.replace(" ", "") == "".join(text.split())


def test_japanese_lines_end_where_a_reader_pauses() -> None:
    text = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"
    words = (Word(text=text, start_s=0.0, end_s=8.0),)
    assert make_captions(words, max_chars=42)[0].text.endswith("。")
    for caption in make_captions(words, max_chars=24):
        for line in caption.lines:
            assert line_breaks.width(join_words(line)) <= 24


def test_letters_are_never_parted_from_their_marks() -> None:
    for text in ("e\u0301" * 40, "กำ" * 40, "เก" * 40, "👩‍👩‍👧" * 20, "क्षि" * 30):
        for caption in make_captions((Word(text=text, start_s=0.0, end_s=9.0),), max_chars=24):
            for word in caption.words:
                assert unicodedata.category(word.text[0])[0] != "M" and word.text[0] not in "\u200dำ"
                assert word.text[-1] not in "\u200dเ"


COMMANDS = [
    "{\\pos(0,0)}moved", "{\\p1}m 0 0 l 900 0 900 900 0 900{\\p0}", "{\\1c&H0000FF&}red", "{\\fs400}huge",
    "{\\an7}corner", "a\\Nb\\nc\\hd", "\\{\\fs300\\}x", "{", "}", "\\", "{\\t(0,1,\\fs300)}", "x\x00y", "a\r\nb",
    "Dialogue:0,0:00:00.00,0:00:09.00,Caption,,0,0,0,,evil", "\u202egnirts\u202c", "\u2066\u2067\u2069", "\ud800", "\u2028z",
    "Z" + "\u0301" * 500, "[Events]", "{\\clip(0,0,1,1)}gone", "{\\fnWingdings}x", "W" * 3000, "\uffff\ufdd0",
]  # fmt: skip


def looks_harmless(picture: np.ndarray) -> None:
    width, height = 640, 360
    seen = ink(picture)
    if not seen.any():
        return
    left, top, right, bottom = bounds(seen)
    assert left >= width * 0.1 - 1 and right <= width * 0.9 + 1
    # Two lines at the bottom, and a little for marks above letters.
    assert top >= height * 0.9 - 2 * 27 - 20 and bottom <= height * 0.9 + 1
    red = (picture[..., 0].astype(int) - picture[..., 1] > 90) & (picture[..., 2] < 60)
    assert not red.any()


@pytest.mark.parametrize("text", COMMANDS, ids=range(len(COMMANDS)))
def test_no_text_is_taken_for_a_command(ffmpeg: Ffmpeg, shipped: FontCatalog, tmp_path: Path, text: str) -> None:
    words = (Word(text="see", start_s=0.1, end_s=0.3), Word(text=text, start_s=0.3, end_s=1.5))
    made = script(words, shipped, highlight=False)
    assert made.ass.count("\nDialogue:") == made.ass.count("Dialogue: 0,")
    for number, at in enumerate((0.2, 0.8, 1.4)):
        looks_harmless(draw(ffmpeg.path, tmp_path / str(number), made, shipped, times=[at]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.one_of(st.characters(), st.sampled_from("{}\\Nnh\x00\u202e\u0301&;,()p1")), min_size=1, max_size=80))
def test_whatever_is_written_stays_in_its_place(
    ffmpeg: Ffmpeg, shipped: FontCatalog, tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    words = tuple(Word(text=part, start_s=0.1, end_s=1.5) for part in [text.strip() or "x"])
    made = script(words, shipped, highlight=False)
    if made.ass:
        folder = tmp_path_factory.mktemp("hostile") / "x"
        looks_harmless(draw(ffmpeg.path, folder, made, shipped, times=[0.6]))


def test_a_word_of_a_hundred_thousand_letters_ends_with_its_scene(shipped: FontCatalog) -> None:
    words = (Word(text="y" * 100_000, start_s=0.2, end_s=5.0),)
    captions = make_captions(words, max_chars=42, end_s=6.0)
    assert captions[-1].end_s <= 6.0 + 1e-9
    assert sum(len(word.text) for caption in captions for word in caption.words) == 100_000


@given(st.lists(st.floats(0.02, 0.9), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_nothing_is_shown_faster_than_it_can_be_read_if_the_scene_is_long_enough(
    lengths: list[float], random: object
) -> None:
    at, words = 0.2, []
    for number, each_s in enumerate(lengths):
        words.append(Word(text="abcdefghij"[: 2 + number * 7 % 9], start_s=at, end_s=at + each_s))
        at += each_s + 0.01
    end_s = at + 0.5
    captions = make_captions(tuple(words), end_s=end_s)
    speeds = [len(caption.text) / (caption.end_s - caption.start_s) for caption in captions]
    letters = sum(len(caption.text) + 0.3 for caption in captions)
    assert captions[-1].end_s <= end_s + 1e-9
    if letters / CHARS_PER_S < end_s:
        assert max(speeds) <= CHARS_PER_S
    for before, after in itertools.pairwise(captions):
        assert before.end_s <= after.start_s + 1e-9


async def test_text_reaches_ffmpeg_by_a_file_only(
    ffmpeg: Ffmpeg, shipped: FontCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    run = Ffmpeg.run

    async def recorded(self: Ffmpeg, args: Sequence[str], **more: Any) -> int:
        seen.append(list(args))
        return await run(self, args, **more)

    monkeypatch.setattr(Ffmpeg, "run", recorded)
    black = media.make(
        ffmpeg.path, ["-f", "lavfi", "-i", "color=c=black:s=320x180:d=1.5:r=30", "-f", "mp4"], tmp_path / "b"
    )
    async with open_studio(ffmpeg, tmp_path) as studio:
        clip = await studio.clip(black, studio.encoding(), 30)
        for text in ("plain", "it's; [x]:a=b,%{pts} $(id) `id` ../../etc", "{\\fnEvil\\pos(0,0)}\\N{\\p1}"):
            made = script((Word(text=text, start_s=0.1, end_s=0.9),), shipped, size=(320, 180))
            shot = asdict(shot_of(30, before=0, after=0))
            await studio.body({"clip": clip, "shot": shot, "ass": made.ass, "fonts": as_args(made.faces)})
    assert len(seen) == 3 and seen[0] == seen[1] == seen[2]
    assert any("captions.ass" in arg or "ass=" in arg for arg in seen[0])
