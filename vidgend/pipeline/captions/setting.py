"""Captions set in fonts: which face draws which part, how wide each line is, and at which size it fits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vidgend.models import Caption, Word
from vidgend.pipeline.captions.font_files import FontFace
from vidgend.pipeline.captions.fonts import Run, split_runs
from vidgend.pipeline.captions.text import base_direction, directed, drawable, escape_ass

SAFETY = 1.01
"""Measured widths against drawn ones: kerning across words and rounding to pixels."""


@dataclass(frozen=True, kw_only=True)
class SetWord:
    """A word as it is drawn; its last run ends with the space after it."""

    word: Word
    runs: tuple[Run, ...]


@dataclass(frozen=True, kw_only=True)
class SetCaption:
    """A caption whose every run has a face. `base` is the direction, None where nothing runs from the right."""

    caption: Caption
    lines: tuple[tuple[SetWord, ...], ...]
    base: str | None

    @property
    def words(self) -> tuple[SetWord, ...]:
        return tuple(word for line in self.lines for word in line)

    @property
    def width(self) -> float:
        """Of the widest line, in em."""
        return SAFETY * max(sum(run.face.width(run.text) for one in line for run in one.runs) for line in self.lines)

    @property
    def height(self) -> float:
        """Of all lines, in em, as libass stacks them."""
        return sum(
            max(run.face.extents[0] for one in line for run in one.runs)
            + max(run.face.extents[1] for one in line for run in one.runs)
            for line in self.lines
        )

    def faces(self) -> set[FontFace]:
        return {run.face for one in self.words for run in one.runs}


def set_caption(
    caption: Caption, lines: Sequence[Sequence[Word]], faces: Sequence[FontFace]
) -> tuple[SetCaption | None, set[str]]:
    """`lines` of the caption's words in `faces`, and the characters that none of them draws; None if that is all."""
    missing: set[str] = set()
    base = base_direction(caption.text)
    set_lines: list[tuple[SetWord, ...]] = []
    for line in lines:
        texts = directed([drawable(word.text).strip() for word in line], base)
        done: list[SetWord] = []
        for word, text in zip(line, texts, strict=True):
            runs, undrawn = split_runs(text, faces)
            missing |= undrawn
            if not runs:
                continue
            if done and not word.glued:
                before = done[-1].runs
                spaced = Run(text=f"{before[-1].text} ", face=before[-1].face)
                done[-1] = SetWord(word=done[-1].word, runs=(*before[:-1], spaced))
            done.append(SetWord(word=word, runs=tuple(runs)))
        if done:
            set_lines.append(tuple(done))
    if not set_lines:
        return None, missing
    return SetCaption(caption=caption, lines=tuple(set_lines), base=base), missing


Tags = Callable[[SetWord, int], str]
"""What stands before the run of that number of a word."""


def event_text(caption: SetCaption, em_px: float, tags: Tags) -> str:
    """The text of an event, with `tags` before each run (once while they stay the same) and the changes of face."""
    parts: list[str] = []
    face: FontFace | None = None
    last = ""
    for number, line in enumerate(caption.lines):
        if number:
            parts.append("\\N")
        for one in line:
            for at, run in enumerate(one.runs):
                wanted = tags(one, at)
                here = wanted if wanted != last or "\\k" in wanted else ""
                last = wanted
                if run.face is not face:
                    here += f"\\fn{run.face.family}\\fs{em_px * run.face.line_height:.1f}"
                    face = run.face
                parts.append((f"{{{here}}}" if here else "") + escape_ass(run.text))
    return "".join(parts)
