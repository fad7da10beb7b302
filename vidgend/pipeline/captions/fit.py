"""How captions lie in the picture: how long their lines are, how much is outside the safe area, how small they got,
and how fast they must be read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vidgend.models import Caption, join_words
from vidgend.pipeline.captions.events import OVERSHOOT, Stage, box_edges_px
from vidgend.pipeline.captions.line_breaks import reading_length
from vidgend.pipeline.captions.setting import SetCaption


@dataclass(frozen=True, kw_only=True)
class CaptionFit:
    """The worst of some captions: characters of a line, a full-width one as two; pixels outside the safe area; the size
    of the text (one em) as a share of the picture's short side."""

    line_chars: int = 0
    outside_px: float = 0.0
    size: float = 1.0


def fit_of(caption: SetCaption, stage: Stage) -> CaptionFit:
    """Of one picture of text."""
    frame, look = stage.frame, stage.preset.look
    beside_px = above_px = 0.0
    if look == "box":
        pad_px, bar_px = box_edges_px(stage)
        beside_px, above_px = 2 * pad_px + bar_px, pad_px
    grows = OVERSHOOT if look == "pop" else 1.0
    em_px = stage.fitted_px(caption, beside_px=beside_px, grows=grows)
    edges_px = 2 * stage.outline_px + stage.shadow_px
    width_px = caption.width * em_px * grows + beside_px + edges_px
    height_px = caption.height * em_px * grows + above_px + edges_px
    high_px = frame.height_px - frame.top_px - frame.bottom_px
    lines = [join_words(tuple(one.word for one in line)) for line in caption.lines]
    return CaptionFit(
        line_chars=max(reading_length(line) for line in lines),
        outside_px=round(max(0.0, width_px - frame.room_px, height_px - high_px), 1),
        size=round(em_px / frame.short_px, 4),
    )


def worst(fits: Iterable[CaptionFit]) -> CaptionFit:
    found = list(fits)
    return CaptionFit(
        line_chars=max((one.line_chars for one in found), default=0),
        outside_px=max((one.outside_px for one in found), default=0.0),
        size=min((one.size for one in found), default=1.0),
    )


def chars_per_s(captions: Sequence[Caption]) -> float:
    """Of the caption that must be read fastest. Times in subtitle files are whole milliseconds."""
    shown = [(reading_length(join_words(one.words)), one.end_s - one.start_s) for one in captions]
    return round(max((chars / max(0.001, seconds) for chars, seconds in shown), default=0.0), 2)
