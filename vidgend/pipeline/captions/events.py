"""Captions -> the events of an ASS script, one way for each look. Pure.

Nothing here is a user's text but what `event_text` has escaped.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from vidgend.models import Caption, Word, join_words
from vidgend.pipeline.captions.colours import DARK, edge_for, readable
from vidgend.pipeline.captions.line_breaks import inner_cost, width
from vidgend.pipeline.captions.presets import Frame, Position, Preset
from vidgend.pipeline.captions.setting import SetCaption, SetWord, event_text

OUTLINE, SHADOW = 0.085, 0.04
"""Of the em. The outline alone gives the contrast; the shadow lifts the text off a busy picture."""
BOX_OPACITY = 0.9
POP_CHARS = 11.0
"""Width of a group of the pop preset, in ordinary letters; a longer word stands alone."""
POP_S = 0.45
"""A group that lasts so long takes no further word."""
_ENDS = tuple(".!?…,;:。！？、，।؟")
OVERSHOOT = 1.06
"""How far a popping group grows past its size."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line under [Events]. Times in seconds, `layer` is drawn later when higher."""

    start_s: float
    end_s: float
    text: str
    layer: int = 0


@dataclass(frozen=True, kw_only=True)
class Dress:
    """The colours of one video, made readable: `edge` outlines both the text and the accent."""

    base: str
    accent: str
    edge: str

    @classmethod
    def of(cls, base: str, accent: str, *, boxed: bool) -> Dress:
        edge = DARK if boxed else edge_for(base)
        return cls(base=readable(base, edge), accent=readable(accent, edge), edge=edge)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What all events of a script share."""

    frame: Frame
    preset: Preset
    position: Position
    highlight: bool
    dress: Dress

    @property
    def em_px(self) -> float:
        return self.frame.short_px * self.preset.em[self.frame.shape]

    @property
    def outline_px(self) -> float:
        return max(2.0, self.em_px * OUTLINE)

    @property
    def shadow_px(self) -> float:
        return max(1.0, self.em_px * SHADOW)

    def fitted_px(self, caption: SetCaption, *, beside_px: float = 0.0, grows: float = 1.0) -> float:
        """The size of the text, smaller where a line would not fit between the safe edges."""
        room_px = (self.frame.room_px - beside_px - 2 * self.outline_px - self.shadow_px) / grows
        return min(self.em_px, room_px / caption.width) if caption.width > 0 else self.em_px


def colour_tag(rgb: str) -> str:
    return f"&H{rgb[4:6]}{rgb[2:4]}{rgb[0:2]}&"


def spans(caption: Caption, words: tuple[Word, ...]) -> list[tuple[float, float]]:
    """When each of the words is the spoken one: from its start to the next one's, inside the caption's time."""
    starts = [caption.start_s, *(word.start_s for word in words[1:]), caption.end_s]
    bounded = list(itertools.accumulate((min(max(t, caption.start_s), caption.end_s) for t in starts), max))
    return list(itertools.pairwise(bounded))


def line_events(caption: SetCaption, stage: Stage) -> Iterator[Event]:
    em_px = stage.fitted_px(caption)
    shown = caption.caption
    base, accent = (f"\\1c{colour_tag(rgb)}" for rgb in (stage.dress.base, stage.dress.accent))
    if not stage.highlight:
        yield Event(start_s=shown.start_s, end_s=shown.end_s, text=event_text(caption, em_px, lambda _, __: base))
        return
    words = caption.words
    for (start_s, end_s), active in zip(spans(shown, tuple(one.word for one in words)), words, strict=True):

        def tags(one: SetWord, _: int, active: SetWord = active) -> str:
            return accent if one is active else base

        yield Event(start_s=start_s, end_s=end_s, text=event_text(caption, em_px, tags))


def karaoke_events(caption: SetCaption, stage: Stage) -> Iterator[Event]:
    shown = caption.caption
    passed = 0
    fills: dict[tuple[int, int], str] = {}
    for one in caption.words:
        start = max(passed, round((min(one.word.start_s, shown.end_s) - shown.start_s) * 100))
        end = max(start, round((min(one.word.end_s, shown.end_s) - shown.start_s) * 100))
        for at, tag in enumerate(_fill(one, end - start, rtl=caption.base is not None)):
            fills[id(one), at] = f"\\k{start - passed}{tag}" if at == 0 else tag
        passed = end
    colours = f"{{\\1c{colour_tag(stage.dress.accent)}\\2c{colour_tag(stage.dress.base)}}}"
    text = event_text(caption, stage.fitted_px(caption), lambda one, at: fills[id(one), at])
    yield Event(start_s=shown.start_s, end_s=shown.end_s, text=colours + text)


def _fill(one: SetWord, hundredths: int, *, rtl: bool) -> list[str]:
    """The tags that fill each run of a word. libass sweeps from the left only, so what runs from the right is filled
    word by word; and it fills no further than a change of face, so every run gets its share."""
    if rtl:
        return ["\\k0"] * (len(one.runs) - 1) + [f"\\k{hundredths}"]
    widths = list(itertools.accumulate(run.face.width(run.text) for run in one.runs))
    ends = [0, *(round(hundredths * (part / widths[-1] if widths[-1] else 1)) for part in widths)]
    return [f"\\kf{end - start}" for start, end in itertools.pairwise(ends)]


def pop_groups(words: tuple[Word, ...]) -> list[tuple[Word, ...]]:
    """The words that pop up together: most of them alone, short ones with their neighbours."""
    groups: list[tuple[Word, ...]] = []
    for word in words:
        last = groups[-1] if groups else ()
        if last and width(join_words((*last, word))) <= POP_CHARS and not last[-1].text.endswith(_ENDS):
            inside = word.glued and inner_cost(last[-1].text, word.text) > 5.0
            if inside or (len(last) < 3 and last[-1].end_s - last[0].start_s < POP_S):
                groups[-1] = (*last, word)
                continue
        groups.append((word,))
    return groups


def pop_events(caption: SetCaption, stage: Stage) -> Iterator[Event]:
    """`caption` is one group, `caption.caption` its time."""
    shown = caption.caption
    rgb = stage.dress.accent if stage.highlight else stage.dress.base
    em_px = stage.fitted_px(caption, grows=OVERSHOOT)
    most = round(OVERSHOOT * 100)
    grow = f"\\fscx72\\fscy72\\t(0,80,\\fscx{most}\\fscy{most})\\t(80,140,\\fscx100\\fscy100)"
    text = event_text(caption, em_px, lambda _, __: "")
    yield Event(start_s=shown.start_s, end_s=shown.end_s, text=f"{{\\1c{colour_tag(rgb)}{grow}}}{text}")


def box_edges_px(stage: Stage) -> tuple[int, int]:
    """(room around the text, width of the line of colour) of the box look."""
    return round(stage.em_px * 0.42), max(4, round(stage.em_px * 0.14))


def box_events(caption: SetCaption, stage: Stage) -> Iterator[Event]:
    shown, frame = caption.caption, stage.frame
    pad_px, bar_px = box_edges_px(stage)
    em_px = stage.fitted_px(caption, beside_px=2 * pad_px + bar_px)
    text_px = caption.width * em_px
    width_px = round(text_px + 2 * pad_px)
    height_px = round(caption.height * em_px + pad_px)
    left_px = frame.side_px
    top_px = {
        "bottom": frame.height_px - frame.bottom_px - height_px,
        "middle": (frame.height_px - height_px) // 2,
        "top": frame.top_px,
    }[stage.position]

    def area(x: int, w: int, rgb: str, opacity: float, layer: int) -> Event:
        shape = f"m 0 0 l {w} 0 l {w} {height_px} l 0 {height_px}"
        tags = f"\\an7\\pos({x},{top_px})\\bord0\\shad0\\1c{colour_tag(rgb)}\\1a&H{round((1 - opacity) * 255):02X}&\\p1"
        return Event(start_s=shown.start_s, end_s=shown.end_s, text=f"{{{tags}}}{shape}", layer=layer)

    yield area(left_px + bar_px, width_px, stage.dress.edge, BOX_OPACITY, 0)
    yield area(left_px, bar_px, stage.dress.accent, 1.0, 1)
    rtl = caption.base == "R"
    at_px = left_px + bar_px + pad_px + (text_px if rtl else 0)
    where = f"\\an{9 if rtl else 7}\\pos({at_px:.1f},{top_px + pad_px / 2:.1f})\\bord0\\shad0"
    text = event_text(caption, em_px, lambda _, __: f"\\1c{colour_tag(stage.dress.base)}")
    yield Event(start_s=shown.start_s, end_s=shown.end_s, text=f"{{{where}}}{text}", layer=2)


LOOKS: dict[str, Callable[[SetCaption, Stage], Iterator[Event]]] = {
    "line": line_events,
    "karaoke": karaoke_events,
    "pop": pop_events,
    "box": box_events,
}


def pictures(caption: Caption, look: str) -> list[tuple[Caption, tuple[tuple[Word, ...], ...]]]:
    """What of a caption stands on the screen together: all of it, or with `pop` one group after the other."""
    if look != "pop":
        return [(caption, caption.lines)]
    groups = pop_groups(caption.words)
    times = spans(caption, tuple(group[0] for group in groups))
    return [
        (replace(caption, lines=(group,), start_s=start_s, end_s=end_s), (group,))
        for group, (start_s, end_s) in zip(groups, times, strict=True)
    ]
