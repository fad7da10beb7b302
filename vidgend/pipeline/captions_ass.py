"""Captions -> text of subtitle files: ASS for burning in, SRT and WebVTT beside the video. Pure.

The words are the user's: everything that could be a command of the format is escaped, and the text reaches
ffmpeg only through a file.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from typing import Literal

from vidgend.models import Caption, Word
from vidgend.timebase import clock

FONT = "Inter"


def clean(text: str) -> str:
    """Without control characters and line breaks."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)


def escape_ass(text: str) -> str:
    """Text that libass shows as it is: braces escaped, backslashes made harmless by a word joiner."""
    return clean(text).replace("\\", "\\\u2060").replace("{", "\\{").replace("}", "\\}")


def _ass_colour(rgb: str) -> str:
    return f"&H{rgb[4:6]}{rgb[2:4]}{rgb[0:2]}&"


def _ass_time(seconds: float) -> str:
    hundredths = max(0, round(seconds * 100))
    minutes, hundredths = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{hundredths // 100:02d}.{hundredths % 100:02d}"


def _line_text(caption: Caption, active: Word | None, colour: str, highlight: str) -> str:
    def one(word: Word) -> str:
        text = escape_ass(word.text)
        return f"{{\\1c{highlight}}}{text}{{\\1c{colour}}}" if word is active else text

    return "\\N".join(" ".join(one(word) for word in line) for line in caption.lines)


def ass_text(
    captions: Sequence[Caption],
    *,
    width_px: int,
    height_px: int,
    position: Literal["bottom", "middle", "top"] = "bottom",
    colour: str = "FFFFFF",
    highlight: str | None = "FFD34E",
) -> str:
    """A whole ASS script for a picture of that size; `highlight` colours the word that is being spoken.

    The text keeps clear of the edges: 6 % at the sides, 7 % below (a fifth on portrait pictures, where phones
    put their buttons).
    """
    portrait = height_px > width_px
    size = round(width_px * 0.068) if portrait else round(height_px * (0.05 if width_px == height_px else 0.058))
    outline = max(2, round(size * 0.075))
    side = round(width_px * 0.06)
    vertical = round(height_px * (0.2 if portrait and position == "bottom" else 0.07))
    alignment = {"bottom": 2, "middle": 5, "top": 8}[position]
    base = _ass_colour(colour)
    rows = [
        "[Script Info]",
        "ScriptType: v4.00+",
        f"PlayResX: {width_px}",
        f"PlayResY: {height_px}",
        "WrapStyle: 0",
        "ScaledBorderAndShadow: yes",
        "YCbCr Matrix: TV.709",
        "",
        "[V4+ Styles]",
        "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
        "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
        "MarginR, MarginV, Encoding",
        f"Style: Caption,{FONT},{size},&H00{base[2:8]},&H00{base[2:8]},&H14101010,&H78000000,-1,0,0,0,100,100,0,0,1,"
        f"{outline},{max(1, outline // 2)},{alignment},{side},{side},{vertical},1",
        "",
        "[Events]",
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
    ]
    mark = _ass_colour(highlight) if highlight else base
    for caption in captions:
        spans: list[tuple[float, float, Word | None]] = [(caption.start_s, caption.end_s, None)]
        if highlight:
            words = caption.words
            starts = [caption.start_s, *(word.start_s for word in words[1:]), caption.end_s]
            spans = [(starts[i], starts[i + 1], word) for i, word in enumerate(words)]
        for start_s, end_s, active in spans:
            start, end = _ass_time(start_s), _ass_time(end_s)
            if start != end:
                rows.append(f"Dialogue: 0,{start},{end},Caption,,0,0,0,,{_line_text(caption, active, base, mark)}")
    return "\n".join(rows) + "\n"


def srt_text(captions: Sequence[Caption]) -> str:
    blocks = [
        f"{number}\n{clock(caption.start_s, ',')} --> {clock(caption.end_s, ',')}\n{_plain(caption)}\n"
        for number, caption in enumerate(captions, start=1)
    ]
    return "\n".join(blocks)


def vtt_text(captions: Sequence[Caption]) -> str:
    blocks = [
        f"{clock(caption.start_s)} --> {clock(caption.end_s)}\n{html.escape(_plain(caption), quote=False)}\n"
        for caption in captions
    ]
    return "WEBVTT\n\n" + "\n".join(blocks)


def _plain(caption: Caption) -> str:
    return "\n".join(clean(line) for line in caption.text.split("\n"))
