"""How much disk a job will take, before it is begun: rough, and rather too much than too little."""

from __future__ import annotations

from vidgend.models import Brief, PrefetchBrief
from vidgend.pipeline.card_length import card_frames
from vidgend.pipeline.speech.markup import plain
from vidgend.pipeline.speech.sentences import asked_pauses_s

_WORDS_PER_S = 2.3
_SCENE_S = 6.0
_BITS_PER_PIXEL = 0.12
"""x264 veryfast at crf 21 took 0.07 on stock footage (measured); noise and water take more."""
_SOUND_BYTES_PER_S = 500_000
"""Voice, music and their mix, before they are encoded: 0.41 MB a second (measured)."""
_VOICE_OVER_BYTES_PER_S = 2 * 96_000
"""A recording as it is decoded, and with its noise taken away."""
_COPIES = 2.5
"""Segments, the joined video, and what is on its way between them."""
_CLIP_BYTES = 20_000_000
"""A stock clip at 1080p."""
_BOUNCE_BYTES = 400_000_000
"""What a clip that is shown there and back may take while its scene is encoded (`bounce.py`)."""


def estimate_bytes(brief: Brief | PrefetchBrief) -> int:
    """Bytes below the data directory at the job's widest, for all of its videos."""
    if isinstance(brief, PrefetchBrief):
        searches = len(brief.queries) if brief.brief is None else _scenes(brief.brief)
        return searches * brief.per_query * _clip_bytes(brief.width_px, brief.height_px)
    seconds = _length_s(brief)
    scenes = _scenes(brief)
    seconds += card_frames(brief, scenes) / float(brief.frame_rate)
    sizes_px = [(brief.width_px, brief.height_px), *((one.width_px, one.height_px) for one in brief.outputs)]
    pixels = sum(width_px * height_px for width_px, height_px in sizes_px)
    picture = seconds * float(brief.frame_rate) * pixels * _BITS_PER_PIXEL / 8
    bounce = max(_bounce_bytes(*size_px, float(brief.frame_rate)) for size_px in sizes_px)
    sound = round(seconds * _SOUND_BYTES_PER_S)
    if brief.narration_audio is not None:
        sound += round(seconds * _VOICE_OVER_BYTES_PER_S)
    return round(picture * _COPIES) + sound + scenes * _clip_bytes(*brief.cover_px) + bounce


def _scenes(brief: Brief) -> int:
    return len(brief.scenes) or max(1, round(_length_s(brief) / _SCENE_S))


def _clip_bytes(width_px: int, height_px: int) -> int:
    return round(_CLIP_BYTES * max(0.25, width_px * height_px / (1920 * 1080)))


def _bounce_bytes(width_px: int, height_px: int, fps: float) -> int:
    """A few raw seconds at the size of the video, two at once at most."""
    return min(2 * _BOUNCE_BYTES, 2 * round(width_px * height_px * 1.5 * 4 * fps))


def _length_s(brief: Brief) -> float:
    if brief.narration_audio is not None:
        return brief.narration_audio.duration_s + 3.0
    narrations = [brief.script] if brief.script else [scene.narration for scene in brief.scenes]
    said = plain(" ".join(narrations))
    spoken_s = len(said.split()) / _WORDS_PER_S + sum(map(asked_pauses_s, narrations))
    asked_s = sum(scene.duration_s or 0.0 for scene in brief.scenes)
    return max(spoken_s, asked_s, brief.duration_s if brief.duration_given or not said else 0.0, 1.0)
