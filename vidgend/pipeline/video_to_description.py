"""Finished video -> the text to put under it where it is published: title, summary, chapters, credits. Pure.

Chapters are written as the large video sites read them; source: https://support.google.com/youtube/answer/9884579 (the
first begins at 0:00, there are three or more, each lasts 10 seconds or more).
"""

from __future__ import annotations

from collections.abc import Sequence

from vidgend.models import Brief, MediaCredit, Scene, Storyboard
from vidgend.pipeline.captions.text import clean
from vidgend.pipeline.credit_words import CreditWords, credit_words
from vidgend.pipeline.credits import sentence
from vidgend.pipeline.planner.builtin import title_of
from vidgend.pipeline.vocabulary import has_words
from vidgend.timebase import frames_to_s

CHAPTERS_FROM_S = 120.0
"""A shorter video is seen at one go."""
FEWEST_CHAPTERS, MOST_CHAPTERS = 3, 12
SHORTEST_CHAPTER_S = 10.0
_CHAPTER_CHARS = 60
_SUMMARY_CHARS = 200
_LOOKED_AT = 5
"""Times as many characters of a narration are looked at as may be written: 120 long ones would take 50 ms."""


def description_of(brief: Brief, storyboard: Storyboard, credits: Sequence[MediaCredit]) -> str:
    """Plain text in UTF-8, paragraphs with an empty line between them. Headings are in the video's language where
    vidgend knows it, the credits in the words that the providers ask for, which are English."""
    words = credit_words(brief.language or storyboard.language)
    title = " ".join(clean(storyboard.title).split())
    summary = next((said for scene in storyboard.scenes if (said := _said(scene, _SUMMARY_CHARS))), "")
    blocks = [title, "" if summary.rstrip(" .…。।").casefold() in title.casefold() else summary]
    if chapters := chapters_of(brief, storyboard):
        blocks.append("\n".join([f"{words.chapters}:", *(f"{at} {name}" for at, name in chapters)]))
    if sentences := list(dict.fromkeys(text for credit in credits if (text := sentence(credit)))):
        blocks.append("\n".join([f"{heading(words, credits)}:", *sentences]))
    return "\n\n".join(block for block in blocks if block) + "\n"


def heading(words: CreditWords, credits: Sequence[MediaCredit]) -> str:
    """What the credits are of."""
    songs = [credit for credit in credits if credit.kind == "music"]
    if not songs:
        return words.footage
    return words.both if len(songs) < len(credits) else words.music


def chapters_of(brief: Brief, storyboard: Storyboard) -> list[tuple[str, str]]:
    """(time, name) of each; () for a short video, or one with too few scenes."""
    starts_s = [float(frames_to_s(scene.start_frame or 0, brief.frame_rate)) for scene in storyboard.scenes]
    end_s = starts_s[-1] + float(frames_to_s(storyboard.scenes[-1].frames or 0, brief.frame_rate)) if starts_s else 0.0
    if end_s < CHAPTERS_FROM_S:
        return []
    least_s = max(SHORTEST_CHAPTER_S, end_s / MOST_CHAPTERS)
    begun: list[tuple[float, str]] = []
    for scene, start_s in zip(storyboard.scenes, starts_s, strict=True):
        name = _said(scene, _CHAPTER_CHARS)
        if name and (not begun or (start_s - begun[-1][0] >= least_s and end_s - start_s >= SHORTEST_CHAPTER_S)):
            begun.append((start_s if begun else 0.0, name))
    return [(_clock(at_s), name) for at_s, name in begun] if len(begun) >= FEWEST_CHAPTERS else []


def _said(scene: Scene, limit: int) -> str:
    """The first sentence of a scene, or the beginning of it."""
    text = " ".join(clean(scene.narration[: _LOOKED_AT * limit]).split())
    if not has_words(text):
        return ""
    ends = [at + 1 for at, char in enumerate(text) if char in ".!?。！？।" and text[at + 1 : at + 2] in ("", " ")]
    first = text[: ends[0]] if ends else text
    return first if len(first) <= limit else title_of(first, limit=limit)


def _clock(at_s: float) -> str:
    """`0:00`, `12:34`, `1:02:03`."""
    minutes, seconds = divmod(int(at_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
