"""Captions -> text of subtitle files: ASS for burning in, SRT and WebVTT beside the video. Pure.

The words are the user's: everything that could be a command of the format is escaped, and the text reaches
ffmpeg only through a file.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vidgend.models import Caption
from vidgend.pipeline.captions.events import LOOKS, Dress, Event, Stage, colour_tag, pictures
from vidgend.pipeline.captions.fit import CaptionFit, fit_of, worst
from vidgend.pipeline.captions.font_files import FontFace
from vidgend.pipeline.captions.presets import Frame, Position, Preset
from vidgend.pipeline.captions.setting import set_caption
from vidgend.pipeline.captions.text import clean
from vidgend.timebase import clock


@dataclass(frozen=True, kw_only=True)
class CaptionScript:
    """An ASS script ("" if there is nothing to draw), the faces it names, and characters that no face draws."""

    ass: str
    faces: frozenset[FontFace] = frozenset()
    undrawn: frozenset[str] = frozenset()
    fit: CaptionFit | None = None


def caption_script(
    captions: Sequence[Caption],
    *,
    frame: Frame,
    preset: Preset,
    faces: Sequence[FontFace],
    position: Position | None = None,
    highlight: bool = True,
    colour: str = "FFFFFF",
    accent: str = "FFD34E",
) -> CaptionScript:
    """A whole script for a picture of that size. `faces` in order of preference; `accent` marks the spoken word.

    The colours are changed where they could not be read (`captions.colours`).
    """
    stage = Stage(
        frame=frame,
        preset=preset,
        position=position or preset.position,
        highlight=preset.highlight == "always" or (preset.highlight == "asked" and highlight),
        dress=Dress.of(colour, accent, boxed=preset.look == "box"),
    )
    events: list[Event] = []
    used: set[FontFace] = set()
    undrawn: set[str] = set()
    fits: list[CaptionFit] = []
    for caption in captions:
        for picture, lines in pictures(caption, preset.look):
            done, missing = set_caption(picture, lines, faces)
            undrawn |= missing
            if done is not None:
                used |= done.faces()
                fits.append(fit_of(done, stage))
                events.extend(LOOKS[preset.look](done, stage))
    rows = [row for event in events if (row := dialogue(event))]
    if not rows:
        return CaptionScript(ass="", undrawn=frozenset(undrawn))
    return CaptionScript(
        ass="\n".join([*_head(stage, faces[0]), *rows]) + "\n", faces=frozenset(used), undrawn=frozenset(undrawn),
        fit=worst(fits),
    )  # fmt: skip


def _ass_time(seconds: float) -> str:
    hundredths = max(0, round(seconds * 100))
    minutes, hundredths = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{hundredths // 100:02d}.{hundredths % 100:02d}"


def dialogue(event: Event) -> str:
    """Empty for what is shorter than the format's hundredth of a second."""
    start, end = _ass_time(event.start_s), _ass_time(event.end_s)
    return f"Dialogue: {event.layer},{start},{end},Caption,,0,0,0,,{event.text}" if start != end else ""


def _head(stage: Stage, face: FontFace) -> list[str]:
    frame, dress = stage.frame, stage.dress
    edge_px = stage.outline_px + stage.shadow_px
    vertical = round({"bottom": frame.bottom_px, "middle": 0, "top": frame.top_px}[stage.position] + edge_px)
    alignment = {"bottom": 2, "middle": 5, "top": 8}[stage.position]
    base, accent, edge = (colour_tag(rgb)[2:8] for rgb in (dress.base, dress.accent, dress.edge))
    # Encoding -1: the text tells its direction, and words in colour keep their place in it.
    look = (
        f"{face.family},{stage.em_px * face.line_height:.1f},&H00{base},&H00{accent},&H00{edge},"
        f"&H78{edge},-1,0,0,0,100,100,0,0,1,{stage.outline_px:.1f},{stage.shadow_px:.1f},{alignment},"
        f"{frame.side_px},{frame.side_px},{vertical},-1"
    )
    return script_head(frame, look)


def script_head(frame: Frame, look: str) -> list[str]:
    """All before the first event; `look` is the rest of the line of the one style, after its name `Caption`."""
    return [
        "[Script Info]",
        "ScriptType: v4.00+",
        f"PlayResX: {frame.width_px}",
        f"PlayResY: {frame.height_px}",
        # No line is ever wrapped by the renderer: what does not fit is set smaller.
        "WrapStyle: 2",
        "ScaledBorderAndShadow: yes",
        "YCbCr Matrix: TV.709",
        "",
        "[V4+ Styles]",
        "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
        "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
        "MarginR, MarginV, Encoding",
        f"Style: Caption,{look}",
        "",
        "[Events]",
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
    ]


def srt_text(captions: Sequence[Caption]) -> str:
    blocks = [
        f"{number}\n{clock(caption.start_s, ',')} --> {clock(caption.end_s, ',')}\n{_powerless(_plain(caption))}\n"
        for number, caption in enumerate(captions, start=1)
    ]
    return "\n".join(blocks)


def vtt_text(captions: Sequence[Caption]) -> str:
    blocks = [
        f"{clock(caption.start_s)} --> {clock(caption.end_s)}\n{html.escape(_plain(caption), quote=False)}\n"
        for caption in captions
    ]
    return "WEBVTT\n\n" + "\n".join(blocks)


_COMMANDS = re.compile(r"(?<=<)(?=/?(?:b|i|u|s|font)\b)|(?<=\{)(?=\\)|(?<=--)(?=>)", re.IGNORECASE)


def _powerless(text: str) -> str:
    """SubRip has no escapes, and players take `<b>`, `{\\an8}` and a line with `-->` for commands. A word joiner, which
    is not seen, takes that away."""
    return _COMMANDS.sub("\u2060", text)


def _plain(caption: Caption) -> str:
    return "\n".join(clean(line) for line in caption.text.split("\n"))
