import re

from hypothesis import given
from hypothesis import strategies as st

from vidgend.models import Caption, Word
from vidgend.pipeline.captions_ass import ass_text, escape_ass, srt_text, vtt_text


def caption(*texts: str) -> Caption:
    words = tuple(Word(text=text, start_s=float(i), end_s=i + 0.9) for i, text in enumerate(texts))
    return Caption(lines=(words,), start_s=0.0, end_s=float(len(texts)))


def dialogues(ass: str) -> list[str]:
    return [line for line in ass.splitlines() if line.startswith("Dialogue:")]


def test_the_spoken_word_is_coloured_in_its_own_time() -> None:
    rows = dialogues(ass_text([caption("one", "two")], width_px=1280, height_px=720, highlight="FFD34E"))
    assert rows[0].startswith("Dialogue: 0,0:00:00.00,0:00:01.00,")
    assert "{\\1c&H4ED3FF&}one{\\1c&HFFFFFF&} two" in rows[0]
    assert "one {\\1c&H4ED3FF&}two" in rows[1]


def test_without_highlight_a_caption_is_one_event() -> None:
    assert len(dialogues(ass_text([caption("one", "two")], width_px=1280, height_px=720, highlight=None))) == 1


@given(st.text(max_size=60))
def test_no_text_can_leave_its_line_or_start_a_command(text: str) -> None:
    escaped = escape_ass(text)
    assert "\n" not in escaped and "\r" not in escaped and "\x00" not in escaped
    assert not re.search(r"(?<!\\)[{}]", escaped)
    assert not re.search(r"\\[nNhpb1-4]", escaped)
    rows = dialogues(ass_text([caption(text or "x")], width_px=1280, height_px=720, highlight=None))
    assert len(rows) == 1


@given(st.text(max_size=60))
def test_subtitle_files_keep_their_structure_whatever_the_text(text: str) -> None:
    assert srt_text([caption(text)]).count("-->") == 1 + text.count("-->")
    vtt = vtt_text([caption(text)])
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n")
    assert vtt.count("-->") == 1


def test_srt_and_vtt_show_the_words_as_written() -> None:
    assert "R&D <costs> 5 €" in srt_text([caption("R&D", "<costs>", "5", "€")])
    assert "R&amp;D &lt;costs&gt; 5 €" in vtt_text([caption("R&D", "<costs>", "5", "€")])


def test_portrait_captions_keep_clear_of_the_phone_buttons() -> None:
    def style(width: int, height: int) -> list[str]:
        row = next(r for r in ass_text([], width_px=width, height_px=height).splitlines() if r.startswith("Style:"))
        return row.split(",")

    assert int(style(1080, 1920)[-2]) >= 1920 * 0.18
    assert int(style(1920, 1080)[-2]) >= 1080 * 0.05
