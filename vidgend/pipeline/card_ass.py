"""Names -> the ASS script of a card that lists them: a heading, names in one or two columns, where each is from. Pure.

The text goes the way of the captions: the same fonts, the same safe area, the same escaping; each line is a text of its
own, so that names of any direction stand side by side. What does not fit at a size that can be read is counted, in one
last line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from unicodedata import category

from vidgend.models import Caption, Word
from vidgend.pipeline.captions.events import Event, colour_tag
from vidgend.pipeline.captions.font_files import FontFace
from vidgend.pipeline.captions.line_breaks import clusters
from vidgend.pipeline.captions.presets import Frame
from vidgend.pipeline.captions.setting import SetCaption, SetWord, event_text, set_caption
from vidgend.pipeline.captions_ass import dialogue, script_head

BASE, DIM, EDGE = "F2F2F2", "B9BEC6", "101010"
SHADE = 0.45
"""How much of the picture behind the text is taken away."""
FADE_MS = 400
HEADING_EM = 0.056
SIZES: tuple[tuple[int, float], ...] = ((1, 0.044), (1, 0.038), (2, 0.038), (2, 0.033))
"""(columns, em as a share of the picture's short side), the best first."""
TALL_SIZES: tuple[tuple[int, float], ...] = ((1, 0.046), (1, 0.040), (1, 0.034))
"""A phone's picture is too narrow for two columns."""
FEW_IN_A_COLUMN = 7
"""More than these are put into two columns in a wide picture."""
PITCH = 1.75
"""From line to line, in em."""
BELOW_HEADING = 1.3
"""Free room under the heading, in em of the names."""
GAP = 0.05
"""Between two columns, of the width."""
LEAST = 0.85
"""A line that is too long is set smaller down to this, then cut."""
SOURCE_SHARE = 0.45
"""Of a line that is too long, for where the name is from, if the name needs the rest."""
ROOM_FOR_DOT = 1.0
"""In em, between the two."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """An ASS script, the faces it names, how many names are on it, and the characters that no face draws."""

    ass: str
    faces: frozenset[FontFace] = frozenset()
    shown: int = 0
    undrawn: frozenset[str] = frozenset()


@dataclass(kw_only=True)
class _Sheet:
    """The lines of a card as they are set."""

    frame: Frame
    faces: Sequence[FontFace]
    until_s: float
    events: list[Event] = field(default_factory=list)
    used: set[FontFace] = field(default_factory=set)

    def write(self, name: str, source: str, *, x: float, y: float, em_px: float, room_px: float) -> None:
        """One line, centred on `x`, whose letters stand one em below `y`, whatever face they are of."""
        done = self._fitted(name, source, room_px / em_px)
        if done is None:
            return
        text, dim = done
        self.used |= text.faces()
        size_px = min(em_px, room_px / text.width)
        y += em_px - size_px * max(face.extents[0] for face in text.faces())

        def tags(one: SetWord, _: int) -> str:
            return f"\\1c{colour_tag(DIM if any(one.word is word for word in dim) else BASE)}"

        where = f"{{\\an8\\pos({x:.1f},{y:.1f})\\fad({FADE_MS},{FADE_MS})}}"
        said = where + event_text(text, size_px, tags)
        self.events.append(Event(start_s=0.0, end_s=self.until_s, text=said, layer=1))

    def _fitted(self, name: str, source: str, room: float) -> tuple[SetCaption, tuple[Word, ...]] | None:
        """The line in at most `room` em, not much smaller than the others: the ends of its parts are cut off."""
        whole = self._set(name, source)
        if whole is None or whole[0].width * LEAST <= room:
            return whole
        alone = self._set(name, "")
        left = room - (alone[0].width * LEAST if alone is not None else 0.0)
        source = self._cut(source, lambda part: self._set("", part), max(left - ROOM_FOR_DOT, room * SOURCE_SHARE))
        name = self._cut(name, lambda part: self._set(part, source), room)
        return self._set(name, source)

    def _set(self, name: str, source: str) -> tuple[SetCaption, tuple[Word, ...]] | None:
        dot = "· " if name and source else ""
        named, dim = _words(name), _words(f"{dot}{source}")
        shown = Caption(lines=((*named, *dim),), start_s=0.0, end_s=self.until_s)
        done, _ = set_caption(shown, shown.lines, self.faces)
        return None if done is None or not done.width else (done, dim)  # joiners alone have a face, and no width

    @staticmethod
    def _cut(text: str, put: Callable[[str], tuple[SetCaption, tuple[Word, ...]] | None], room: float) -> str:
        """As much of `text` as leaves what `put` makes of it within `room` em."""
        kept, shown = clusters(text), text
        while len(kept) > 1 and (done := put(shown)) is not None and done[0].width * LEAST > room:
            kept = kept[: max(1, min(len(kept) - 1, int(len(kept) * room / (done[0].width * LEAST))))]
            shown = "".join(kept).rstrip() + "…"
        return shown


def _words(text: str) -> tuple[Word, ...]:
    return tuple(Word(text=word, start_s=0.0, end_s=0.0) for word in text.split())


def undrawn_letters(text: str, faces: Sequence[FontFace]) -> frozenset[str]:
    """The letters and digits of `text` that no face draws. Without a sign or an emoji a name is still a name."""
    words = _words(text)
    done, missing = set_caption(Caption(lines=(words,), start_s=0.0, end_s=1.0), (words,), faces)
    return frozenset(char for char in missing if done is None or category(char[0])[0] in "LMN")


def card_script(
    names: Sequence[tuple[str, str]],
    *,
    heading: str,
    more: str,
    frame: Frame,
    faces: Sequence[FontFace],
    until_s: float,
) -> Card:
    """`names` are (name, where it is from); `more` has a place for the `count` of those that do not fit or that no
    face can draw. The card is there for `until_s`."""
    undrawn = [undrawn_letters(name, faces) | undrawn_letters(source, faces) for name, source in names]
    rows = [pair for pair, missing in zip(names, undrawn, strict=True) if not missing]
    high_px = frame.height_px - frame.top_px - frame.bottom_px
    heading_px = frame.short_px * HEADING_EM
    columns, em_px, fit = _layout(frame, high_px, heading_px, len(rows), beyond=len(names) > len(rows))
    shown = rows[:fit]
    count = len(names) - len(shown)
    lines = -(-len(shown) // columns)
    below_px = em_px * BELOW_HEADING if lines or count else 0.0
    whole_px = heading_px * PITCH + below_px + (lines + (1.5 if count else 0)) * em_px * PITCH
    y = frame.top_px + max(0.0, (high_px - whole_px) / 2)
    middle, gap_px = frame.width_px / 2, frame.width_px * GAP
    room_px = frame.room_px if columns == 1 else (frame.room_px - gap_px) / 2
    sheet = _Sheet(frame=frame, faces=faces, until_s=until_s)
    sheet.write(heading, "", x=middle, y=y, em_px=heading_px, room_px=frame.room_px)
    y += heading_px * PITCH + below_px
    for number, (name, source) in enumerate(shown):
        column, line = divmod(number, max(1, lines))
        x = middle if columns == 1 else middle + (room_px + gap_px) * (column - 0.5)
        sheet.write(name, source, x=x, y=y + line * em_px * PITCH, em_px=em_px, room_px=room_px)
    if count:
        y += (lines + 0.5) * em_px * PITCH
        sheet.write("", more.format(count=count), x=middle, y=y, em_px=em_px, room_px=frame.room_px)
    shade = f"\\an7\\pos(0,0)\\bord0\\shad0\\1c&H000000&\\1a&H{round((1 - SHADE) * 255):02X}&\\p1"
    area = f"m 0 0 l {frame.width_px} 0 l {frame.width_px} {frame.height_px} l 0 {frame.height_px}"
    events = [Event(start_s=0.0, end_s=until_s, text=f"{{{shade}}}{area}"), *sheet.events]
    face = faces[0]
    base, edge = colour_tag(BASE)[2:8], colour_tag(EDGE)[2:8]
    look = (
        f"{face.family},{em_px * face.line_height:.1f},&H00{base},&H00{base},&H00{edge},&H78{edge},-1,0,0,0,100,100,"
        f"0,0,1,{max(1.0, em_px * 0.04):.1f},0,8,{frame.side_px},{frame.side_px},{frame.top_px},-1"
    )
    return Card(
        ass="\n".join([*script_head(frame, look), *(dialogue(event) for event in events)]) + "\n",
        faces=frozenset(sheet.used),
        shown=len(shown),
        undrawn=frozenset().union(*undrawn),
    )


def _layout(frame: Frame, high_px: float, heading_px: float, count: int, *, beyond: bool) -> tuple[int, float, int]:
    """(columns, em in pixels, how many names fit), at the best size for `count` names; `beyond`: a last line says how
    many there are besides."""
    for columns, share in TALL_SIZES if frame.shape == "tall" else SIZES:
        em_px = frame.short_px * share
        left_px = high_px - heading_px * PITCH - em_px * BELOW_HEADING
        lines = int(left_px / (em_px * PITCH))
        enough = columns == 2 or frame.shape != "wide" or count <= FEW_IN_A_COLUMN
        if enough and count <= int(lines - 1.5 * beyond) * columns:
            return columns, em_px, count
    return columns, em_px, max(0, int(lines - 1.5)) * columns
