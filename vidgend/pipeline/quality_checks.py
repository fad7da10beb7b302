"""What a finished video is checked for, each with its name, what was measured, and its threshold. Pure.

docs/report.md describes every check; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from vidgend.models import MediaKind, PictureScan
from vidgend.pipeline.captions.fit import CaptionFit
from vidgend.pipeline.picture_scan import ALIKE_BITS, differences
from vidgend.pipeline.sound_args import LOUDNESS_LUFS, TRUE_PEAK_DB
from vidgend.pipeline.speech.speech_checks import silence_limit_s
from vidgend.timebase import SAMPLE_RATE_HZ, frames_to_s

LOUDNESS_OFF_LU = 0.5
BLACK_S = 1.0
FROZEN_S = 2.0
SILENCE_S = 2.0
"""Silence beyond what is planned: voices begin and end their sentences with some."""
CAPTION_CHARS = 42
CAPTION_SIZE = 0.03
"""Of the picture's short side: 32 pixels at 1080. The presets are at 0.04 and more; a line that is too wide is drawn
smaller."""
READING_CHARS_PER_S = 20.0

FATAL = frozenset(("frame_count", "duration", "timestamps", "size", "audio_video_drift", "narration_end"))
"""A video that fails one of these is not what was meant and is not published."""

Part = Literal["picture", "captions"]
PART_OF: dict[str, Part] = {
    "black": "picture", "frozen": "picture", "repeated_clip": "picture",
    "caption_line_length": "captions", "caption_overflow": "captions", "caption_size": "captions",
}  # fmt: skip
"""The part of a scene that is made anew when it fails; what is not here cannot be repaired."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check and how it went. `threshold` is the most that `value` may be, the one that it must be, or both ends of
    a range. `wanted` and `found` say the same in words; `scene` counts from 1."""

    name: str
    passed: bool
    value: float | int | str | bool | None
    threshold: float | int | str | bool | tuple[float, float]
    unit: str
    wanted: str
    found: str
    detail: str = ""
    scene: int | None = None

    def as_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "name": self.name, "passed": self.passed, "value": self.value,
            "threshold": list(self.threshold) if isinstance(self.threshold, tuple) else self.threshold,
            "unit": self.unit, "detail": self.detail or self.found,
        }  # fmt: skip
        return row if self.scene is None else {**row, "scene": self.scene}


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What was seen and heard of the finished file. Stretches are (start, end) in seconds of the video, of 2 s and
    more;
    black ones are told by the key frames alone. Loudness and peak None: silence."""

    frames: int
    picture_s: Fraction
    sound_s: Fraction
    monotonic: bool
    size_px: tuple[int, int]
    loudness_lufs: float | None
    true_peak_db: float | None
    black: tuple[tuple[float, float], ...] = ()
    silent: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What the file is to be. `silence_s` is the longest silence that is meant: all of it where there is neither voice
    nor music (`has_sound` False)."""

    frames: int
    fps: Fraction
    size_px: tuple[int, int]
    speech_end_s: Fraction = Fraction(0)
    silence_s: float = 0.0
    has_sound: bool = True


@dataclass(frozen=True, kw_only=True)
class SceneFacts:
    """A scene of the video. `picture` is provider and id; `by_hand`: somebody chose it, so that a still or a repeat is
    meant. `fit` None: no captions are burnt in."""

    number: int
    start_frame: int = 0
    kind: MediaKind = "video"
    picture: str = ""
    digest: str | None = None
    by_hand: bool = False
    seen: PictureScan | None = None
    speech_samples: int = 0
    speech_silent_s: float = 0.0
    fit: CaptionFit | None = None
    chars_per_s: float = 0.0


def file_checks(seen: FileFacts, planned: Planned) -> tuple[Check, ...]:
    """Of the file as a whole."""
    frame_s = round(float(1 / planned.fps), 4)
    length_s = frames_to_s(planned.frames, planned.fps)
    off_s, drift_s = abs(seen.picture_s - length_s), abs(seen.picture_s - seen.sound_s)
    late_s = max(Fraction(0), planned.speech_end_s - length_s)
    sizes = ["x".join(map(str, size)) for size in (seen.size_px, planned.size_px)]
    return (
        _equal("frame_count", seen.frames, planned.frames, "frames"),
        Check(
            name="duration", passed=off_s * planned.fps < 1, value=round(float(off_s), 4), threshold=frame_s,
            unit="s", wanted=f"{float(length_s):.3f} s of picture", found=f"{float(seen.picture_s):.3f} s of picture",
        ),
        _equal("timestamps", seen.monotonic, True, "rising", found="rising" if seen.monotonic else "jumping"),
        _equal("size", sizes[0], sizes[1], "px"),
        Check(
            name="audio_video_drift", passed=drift_s * planned.fps < 1, value=round(float(drift_s), 4),
            threshold=frame_s, unit="s", wanted=f"less than a frame ({frame_s:g} s) between sound and picture",
            found=f"{float(drift_s):.3f} s between the ends of sound and picture",
        ),
        Check(
            name="narration_end", passed=not late_s, value=round(float(late_s), 3), threshold=0.0, unit="s",
            wanted="the narration inside the video", found=f"narration for {float(late_s):.3f} s after the end",
        ),
        *_sound(seen, planned),
    )  # fmt: skip


def _sound(seen: FileFacts, planned: Planned) -> Iterable[Check]:
    level, peak = seen.loudness_lufs, seen.true_peak_db
    bounds = (LOUDNESS_LUFS - LOUDNESS_OFF_LU, LOUDNESS_LUFS + LOUDNESS_OFF_LU)
    heard = f"{level:g} LUFS" if level is not None else "silence"
    meant = "" if planned.has_sound else "neither voice nor music was asked for"
    # Measured to a tenth of a unit.
    in_bounds = level is not None and bounds[0] - 0.05 <= level <= bounds[1] + 0.05
    yield Check(
        name="loudness", passed=in_bounds or (level is None and not planned.has_sound), value=level,
        threshold=bounds, unit="LUFS", wanted=f"{LOUDNESS_LUFS:g} LUFS", found=heard, detail=meant,
    )  # fmt: skip
    yield Check(
        name="true_peak", passed=peak is None or peak <= TRUE_PEAK_DB, value=peak, threshold=TRUE_PEAK_DB, unit="dBTP",
        wanted=f"at most {TRUE_PEAK_DB:g} dBTP", found=f"{peak:g} dBTP" if peak is not None else "silence",
    )  # fmt: skip
    longest_s = round(max((end - start for start, end in seen.silent), default=0.0), 3)
    limit_s = round(planned.silence_s + SILENCE_S, 3)
    yield Check(
        name="silence", passed=longest_s <= limit_s, value=longest_s, threshold=limit_s, unit="s",
        wanted=f"at most {limit_s:g} s of silence", found=f"{longest_s:g} s of silence", detail=meant,
    )  # fmt: skip


def scene_checks(scenes: Sequence[SceneFacts], seen: FileFacts, fps: Fraction) -> tuple[Check, ...]:
    """Of the scenes, which are in order: an entry for each that fails, or one with the worst value of all."""
    burnt = [(one, one.fit) for one in scenes if one.fit is not None]
    spoken = [one for one in scenes if one.speech_samples]
    black = [(one, _black_s(one, scenes, seen, fps)) for one in scenes]
    return (
        *_most("black", BLACK_S, "s", "s of black picture", black),
        *_most("frozen", FROZEN_S, "s", "s standing still", [(one, _still_s(one, fps)) for one in scenes]),
        *_repeats(scenes),
        *_speech(spoken),
        *_most(
            "caption_line_length", CAPTION_CHARS, "characters", "characters in a caption line",
            [(one, fit.line_chars) for one, fit in burnt],
        ),
        *_most(
            "caption_overflow", 0.0, "px", "px of captions outside the safe area",
            [(one, fit.outside_px) for one, fit in burnt],
        ),
        *_caption_size(burnt),
        *_most(
            "caption_reading_speed", READING_CHARS_PER_S, "characters/s", "characters of captions a second",
            [(one, one.chars_per_s) for one in spoken],
        ),
    )  # fmt: skip


def _most(name: str, limit: float, unit: str, what: str, rows: Sequence[tuple[SceneFacts, float]]) -> list[Check]:
    def check(value: float, scene: int | None) -> Check:
        return Check(
            name=name, passed=value <= limit, value=value, threshold=limit, unit=unit, scene=scene,
            wanted=f"at most {limit:g} {what}", found=f"{value:g} {what}",
        )  # fmt: skip

    failed = [check(value, one.number) for one, value in rows if value > limit]
    return failed or [check(max((value for _, value in rows), default=0.0), None)]


def _black_s(scene: SceneFacts, scenes: Sequence[SceneFacts], seen: FileFacts, fps: Fraction) -> float:
    """The longest stretch, as seen while the scene was encoded, or in the finished file."""
    inside = _longest_s(scene.seen.black, fps) if scene.seen is not None else 0.0
    ends = [one.start_frame for one in scenes if one.start_frame > scene.start_frame]
    end_s = float(ends[0] / fps) if ends else float("inf")
    start_s = float(scene.start_frame / fps)
    file = (end - start for start, end in seen.black if start_s <= (start + end) / 2 < end_s)
    return round(max(inside, *file, 0.0), 3)


def _still_s(scene: SceneFacts, fps: Fraction) -> float:
    """A photo is moved over, and what somebody chose may stand still."""
    if scene.seen is None or scene.kind == "photo" or scene.by_hand:
        return 0.0
    return _longest_s(scene.seen.still, fps)


def _longest_s(stretches: Sequence[tuple[int, int]], fps: Fraction) -> float:
    return round(float(max((after - first for first, after in stretches), default=0) / fps), 3)


def _repeats(scenes: Sequence[SceneFacts]) -> list[Check]:
    def check(scene: SceneFacts | None, why: str) -> Check:
        return Check(
            name="repeated_clip", passed=scene is None, value=0 if scene is None else 1, threshold=0, unit="repeats",
            scene=scene.number if scene else None, wanted="a clip of its own", detail=why,
            found=f"{scene.picture} again" if scene else "every scene has a clip of its own",
        )  # fmt: skip

    failed = []
    apart = differences([scene.seen for scene in scenes])
    for at, scene in enumerate(scenes):
        if scene.by_hand:
            continue
        # A clip that was chosen by hand may come later; the other scene is the repeat then.
        others = [number for number, one in enumerate(scenes) if number < at or (number > at and one.by_hand)]
        for number in others:
            if why := _likeness(scene, scenes[number], int(apart[at, number])):
                failed.append(check(scene, f"{why} as in scene {scenes[number].number}"))
                break
    return failed or [check(None, "")]


def _likeness(one: SceneFacts, two: SceneFacts, bits: int) -> str:
    """In what two scenes whose pictures differ by `bits` have the same one; "" if they have not."""
    if one.picture == two.picture and one.picture:
        return "the same clip"
    if one.digest is not None and one.digest == two.digest:
        return "the same file"
    return "the same pictures" if bits <= ALIKE_BITS else ""


def _speech(spoken: Sequence[SceneFacts]) -> list[Check]:
    """Each has a limit of its own: short speech may be silent for less."""

    def check(scene: SceneFacts, *, alone: bool) -> Check:
        limit_s = silence_limit_s(scene.speech_samples / SAMPLE_RATE_HZ)
        return Check(
            name="speech_silence", passed=scene.speech_silent_s <= limit_s, value=scene.speech_silent_s,
            threshold=limit_s, unit="s", scene=scene.number if alone else None,
            wanted=f"at most {limit_s:g} s of silence in the narration",
            found=f"{scene.speech_silent_s:g} s of silence in the narration",
        )  # fmt: skip

    failed = [one for scene in spoken if not (one := check(scene, alone=True)).passed]
    if failed or not spoken:
        return failed
    return [check(max(spoken, key=lambda scene: scene.speech_silent_s), alone=False)]


def _caption_size(burnt: Sequence[tuple[SceneFacts, CaptionFit]]) -> list[Check]:
    def check(size: float, scene: int | None) -> Check:
        return Check(
            name="caption_size", passed=size >= CAPTION_SIZE, value=size, threshold=CAPTION_SIZE,
            unit="of the short side", scene=scene,
            wanted=f"captions as high as {CAPTION_SIZE:.1%} of the picture's short side", found=f"{size:.1%} of it",
        )  # fmt: skip

    failed = [check(fit.size, one.number) for one, fit in burnt if fit.size < CAPTION_SIZE]
    return failed or [check(min((fit.size for _, fit in burnt), default=1.0), None)]


def encodes_check(encoded: int, discarded: int, frames: int) -> Check:
    """`encoded` frames were written by this run's encoders, `discarded` of them are in segments that the video does not
    show, since their scene was made anew."""
    value = round((encoded - discarded) / frames, 3)
    more = f"; {discarded} more were thrown away with what was made anew" if discarded else ""
    return Check(
        name="encodes_per_frame", passed=encoded - discarded <= frames, value=value, threshold=1.0, unit="encodes",
        wanted="at most 1 encode of each frame", found=f"{value:g} encodes of each frame",
        detail=f"{encoded - discarded} of {frames} frames were encoded in this run{more}",
    )  # fmt: skip


def _equal(
    name: str, value: int | str | bool, wanted: int | str | bool, unit: str, *, found: str | None = None
) -> Check:
    return Check(
        name=name, passed=value == wanted, value=value, threshold=wanted, unit=unit,
        wanted=f"{wanted} {unit}" if wanted is not True else unit, found=found or f"{value} {unit}",
    )  # fmt: skip
