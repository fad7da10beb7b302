"""Scenes -> what the finished video shows and says: captions and words in its own time. Pure."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from vidgend.models import Brief, Caption, Scene, Substitution, Word
from vidgend.pipeline.captions.fonts import FontCatalog, script_of
from vidgend.pipeline.captions.presets import Frame, Preset, find_preset
from vidgend.pipeline.captions_ass import CaptionScript, caption_script
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.timeline import lead_s, speech_start_sample
from vidgend.pipeline.words_to_captions import make_captions
from vidgend.timebase import SAMPLE_RATE_HZ, frames_to_s


def caption_preset(brief: Brief) -> Preset:
    """What the request says, else what its style has."""
    return find_preset(brief.captions.preset or find_style(brief.style).caption_preset)


def frame_of(brief: Brief) -> Frame:
    """The picture that text is set for."""
    width_px, height_px = brief.picture_px
    bar_px = find_style(brief.style).bar_px(width_px, height_px)
    return Frame(width_px=width_px, height_px=height_px, bar_px=bar_px)


def scene_captions(brief: Brief, scene: Scene) -> tuple[Caption, ...]:
    """The captions of a scene, in the scene's own time."""
    if scene.words is None or scene.frames is None:
        return ()
    frame = frame_of(brief)
    return make_captions(
        _shift(scene.words.words, float(lead_s(scene.index, recorded=scene.recorded))),
        max_chars=scene.caption_chars or caption_preset(brief).max_chars[frame.shape],
        end_s=float(frames_to_s(scene.frames, brief.frame_rate)),
    )


def burnt_captions(brief: Brief, captions: tuple[Caption, ...], *, language: str, fonts: FontCatalog) -> CaptionScript:
    """The script that draws a scene's captions: the texts and times of the subtitle files. Reads fonts.

    Raises: UnknownFont if the one that was asked for has been taken away.
    """
    if not brief.captions.enabled or not captions:
        return CaptionScript(ass="")
    style = find_style(brief.style)
    return caption_script(
        captions,
        frame=frame_of(brief),
        preset=caption_preset(brief),
        faces=fonts.preference(brief.captions.font, language),
        position=brief.captions.position,
        highlight=brief.captions.highlight,
        colour=style.caption_colour,
        accent=style.highlight_colour,
    )


def undrawn_text(undrawn: frozenset[str]) -> Substitution:
    """What to tell about characters that no font draws. They are left out of the picture, never shown as boxes."""
    scripts = ", ".join(sorted({script_of(char) for char in undrawn}))
    return Substitution(
        stage="rendering",
        wanted=f"captions with {scripts}",
        used="captions without them; the subtitle files have everything",
        reason="no installed font draws them: install the extra `fonts`, or put a font into captions.fonts_folder",
    )


def video_captions(brief: Brief, scene: Scene, captions: tuple[Caption, ...]) -> tuple[Caption, ...]:
    """The scene's captions, in the video's time."""
    start_s = float(frames_to_s(scene.start_frame or 0, brief.frame_rate))
    return tuple(
        Caption(
            lines=tuple(_shift(line, start_s) for line in caption.lines),
            start_s=caption.start_s + start_s,
            end_s=caption.end_s + start_s,
        )
        for caption in captions
    )


def _shift(words: tuple[Word, ...], by_s: float) -> tuple[Word, ...]:
    return tuple(replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s) for word in words)


def _starts(brief: Brief, scenes: tuple[Scene, ...]) -> list[Fraction]:
    """Where each scene's speech starts in the video, in seconds."""
    return [
        Fraction(
            speech_start_sample(scene.start_frame or 0, scene.index, brief.frame_rate, recorded=scene.recorded),
            SAMPLE_RATE_HZ,
        )
        for scene in scenes
    ]


def video_words(brief: Brief, scenes: tuple[Scene, ...]) -> tuple[Word, ...]:
    return tuple(
        word
        for scene, start_s in zip(scenes, _starts(brief, scenes), strict=True)
        if scene.words is not None
        for word in _shift(scene.words.words, float(start_s))
    )


def speech_end_s(brief: Brief, scenes: tuple[Scene, ...]) -> Fraction:
    ends = [
        start_s + Fraction(scene.speech.samples, SAMPLE_RATE_HZ)
        for scene, start_s in zip(scenes, _starts(brief, scenes), strict=True)
        if scene.speech is not None
    ]
    return max(ends, default=Fraction(0))


def longest_pause_s(brief: Brief, scenes: tuple[Scene, ...], frames: int) -> float:
    """The longest time without narration in a video of so many frames, the pauses of a voice-over among them."""
    spoken = [
        (start_s, start_s + Fraction(scene.speech.samples, SAMPLE_RATE_HZ))
        for scene, start_s in zip(scenes, _starts(brief, scenes), strict=True)
        if scene.speech is not None
    ]
    ends = [Fraction(0), *(end for _, end in spoken)]
    starts = [*(start for start, _ in spoken), frames_to_s(frames, brief.frame_rate)]
    pauses_s = [scene.speech.silent_s for scene in scenes if scene.speech is not None and scene.recorded]
    gaps_s = [float(start - end) for start, end in zip(starts, ends, strict=True)]
    return round(max([*gaps_s, *pauses_s]), 3)
