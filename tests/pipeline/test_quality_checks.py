"""What the checks measure, where their thresholds lie, and that the documentation lists them all."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import media
import numpy as np
import pytest
from studio import open_studio

from vidgend.models import Caption, PictureScan, Word
from vidgend.pipeline.captions.fit import CaptionFit, chars_per_s
from vidgend.pipeline.captions.fonts import machine_fonts
from vidgend.pipeline.captions.presets import PRESETS, Frame
from vidgend.pipeline.captions_ass import caption_script
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.picture_scan import differences, from_output, scan_of
from vidgend.pipeline.quality_checks import (
    FATAL,
    PART_OF,
    Check,
    FileFacts,
    Planned,
    SceneFacts,
    encodes_check,
    file_checks,
    scene_checks,
)
from vidgend.pipeline.words_to_captions import make_captions

FPS = Fraction(30)
GOOD = FileFacts(
    frames=300, picture_s=Fraction(10), sound_s=Fraction(10), monotonic=True, size_px=(320, 180), loudness_lufs=-14.2,
    true_peak_db=-1.0,
)  # fmt: skip
PLANNED = Planned(frames=300, fps=FPS, size_px=(320, 180), speech_end_s=Fraction(9))


VARYING = (
    "frame_count", "duration", "timestamps", "size", "audio_video_drift", "loudness", "silence", "speech_silence",
)  # fmt: skip
"""Checks whose threshold depends on the video, or is no number."""


def failed(checks: tuple[Check, ...]) -> list[tuple[str, int | None]]:
    return [(check.name, check.scene) for check in checks if not check.passed]


def test_a_file_that_is_as_planned_passes() -> None:
    assert failed(file_checks(GOOD, PLANNED)) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("frame_count", {"frames": 299}),
        ("duration", {"picture_s": Fraction(299, 30), "sound_s": Fraction(299, 30)}),
        ("timestamps", {"monotonic": False}),
        ("size", {"size_px": (180, 320)}),
        ("audio_video_drift", {"sound_s": Fraction(10) + Fraction(1, 30)}),
        ("loudness", {"loudness_lufs": -14.6}),
        ("loudness", {"loudness_lufs": -13.3}),
        ("loudness", {"loudness_lufs": None}),
        ("true_peak", {"true_peak_db": -0.9}),
        ("silence", {"silent": ((1.0, 3.1),)}),
    ],
)
def test_each_fault_of_a_file_fails_its_own_check(name: str, change: dict[str, object]) -> None:
    assert failed(file_checks(replace(GOOD, **change), PLANNED)) == [(name, None)]  # type: ignore[arg-type]


def test_narration_after_the_end_fails() -> None:
    late = replace(PLANNED, speech_end_s=Fraction(21, 2))
    (check,) = [one for one in file_checks(GOOD, late) if not one.passed]
    assert (check.name, check.value, check.threshold) == ("narration_end", 0.5, 0.0)


def test_just_inside_the_thresholds_passes() -> None:
    edge = replace(
        GOOD, picture_s=Fraction(10) + Fraction(1, 40), loudness_lufs=-13.5, silent=((0.0, 2.0),)
    )  # fmt: skip
    assert failed(file_checks(edge, PLANNED)) == []


def test_silence_is_no_fault_where_neither_voice_nor_music_was_asked_for() -> None:
    silent = replace(GOOD, loudness_lufs=None, true_peak_db=None, silent=((0.0, 10.0),))
    checks = file_checks(silent, replace(PLANNED, speech_end_s=Fraction(0), silence_s=10.0, has_sound=False))
    assert failed(checks) == []
    assert failed(file_checks(silent, PLANNED)) == [("loudness", None), ("silence", None)]


def test_what_makes_a_file_unusable_is_told_apart() -> None:
    faults = replace(GOOD, frames=1, loudness_lufs=-20.0)
    assert {name for name, _ in failed(file_checks(faults, PLANNED))} & FATAL == {"frame_count"}


def scene(number: int, **more: object) -> SceneFacts:
    facts = SceneFacts(number=number, start_frame=(number - 1) * 100, picture=f"fake {number}")
    return replace(facts, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("black", {"seen": PictureScan(black=((0, 31),))}, {"seen": PictureScan(black=((0, 30),))}),
        ("frozen", {"seen": PictureScan(still=((10, 71),))}, {"seen": PictureScan(still=((10, 70),))}),
        ("speech_silence", {"speech_samples": 480_000, "speech_silent_s": 2.1}, {"speech_samples": 480_000}),
        ("speech_silence", {"speech_samples": 48_000, "speech_silent_s": 1.0}, {"speech_samples": 48_000}),
        ("caption_line_length", {"fit": CaptionFit(line_chars=43)}, {"fit": CaptionFit(line_chars=42)}),
        ("caption_overflow", {"fit": CaptionFit(outside_px=1.0)}, {"fit": CaptionFit()}),
        ("caption_size", {"fit": CaptionFit(size=0.029)}, {"fit": CaptionFit(size=0.03)}),
        ("caption_reading_speed", {"speech_samples": 1, "chars_per_s": 20.1}, {"speech_samples": 1, "chars_per_s": 20}),
    ],
)
def test_each_fault_of_a_scene_fails_its_own_check_there(
    name: str, bad: dict[str, object], good: dict[str, object]
) -> None:
    assert failed(scene_checks([scene(1), scene(2, **bad), scene(3)], GOOD, FPS)) == [(name, 2)]
    assert failed(scene_checks([scene(1), scene(2, **good), scene(3)], GOOD, FPS)) == []


def test_black_in_the_finished_file_is_the_fault_of_the_scene_it_is_in() -> None:
    checks = scene_checks([scene(1), scene(2), scene(3)], replace(GOOD, black=((3.4, 5.6),)), FPS)
    assert failed(checks) == [("black", 2)]
    assert [check.value for check in checks if check.name == "black"] == [2.2]


def test_a_still_that_is_meant_is_no_fault() -> None:
    still = PictureScan(still=((0, 100),))
    meant = [scene(1, seen=still, kind="photo"), scene(2, seen=still, by_hand=True)]
    assert failed(scene_checks(meant, GOOD, FPS)) == []


def test_a_clip_that_is_shown_twice_is_found_by_its_name_or_its_content() -> None:
    scenes = [scene(1, digest="d"), scene(2, picture="fake 1"), scene(3, digest="d"), scene(4)]
    checks = scene_checks(scenes, GOOD, FPS)
    assert failed(checks) == [("repeated_clip", 2), ("repeated_clip", 3)]
    assert [check.detail for check in checks if not check.passed] == [
        "the same clip as in scene 1", "the same file as in scene 1",
    ]  # fmt: skip


def test_of_two_equal_scenes_the_one_that_nobody_chose_is_the_repeat() -> None:
    first, second = scene(1, digest="d"), scene(2, digest="d", by_hand=True)
    assert failed(scene_checks([first, second], GOOD, FPS)) == [("repeated_clip", 1)]
    assert failed(scene_checks([replace(first, by_hand=True), second], GOOD, FPS)) == []


def test_frames_that_a_repair_threw_away_do_not_count_as_a_second_generation() -> None:
    assert encodes_check(300, 0, 300).passed
    assert encodes_check(400, 100, 300).passed
    assert not encodes_check(301, 0, 300).passed


async def scans(ffmpeg: Ffmpeg, folder: Path, *chains: str, frames: int = 90) -> list[PictureScan]:
    """What is seen of segments of three seconds, made from lavfi sources."""
    found = []
    async with open_studio(ffmpeg, folder) as studio:
        for number, chain in enumerate(chains):
            codec = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "28", "-g", "30", "-f", "mp4"]
            source = media.make(ffmpeg.path, ["-f", "lavfi", "-i", chain, *codec], folder / f"{number}.mp4")
            found.append(from_output((await studio.segment(source, frames))["seen"]))
    return found


MOVES = "testsrc2=s=320x180:r=30:d=4"


async def test_black_and_still_stretches_are_seen_while_a_segment_is_encoded(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    black = f"{MOVES},drawbox=color=black:t=fill:enable='gte(t,1)'"
    stops = "testsrc2=s=320x180:r=30:d=1,tpad=stop_mode=clone:stop_duration=3"
    dark, still, moving = await scans(ffmpeg, tmp_path, black, stops, MOVES)
    assert moving.black == moving.still == ()
    ((first, after),) = dark.black
    assert after == 90 and first <= 31 and dark.still == ()
    assert any(after == 90 and after - first >= 58 for first, after in still.still) and still.black == ()


async def test_a_slow_move_is_not_still(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    zoom = "testsrc2=s=1280x720:r=30:d=0.04,zoompan=z='1+on*0.0005':d=120:s=320x180:fps=30"
    (slow,) = await scans(ffmpeg, tmp_path, zoom)
    assert all(after - first < 60 for first, after in slow.still)


async def test_a_clip_is_known_again_when_it_was_scaled_lightened_and_encoded_anew(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    twin = f"{MOVES},scale=640:360,eq=brightness=0.05:contrast=0.95"
    one, two, other = await scans(ffmpeg, tmp_path, MOVES, twin, f"{MOVES},rotate=0.7", frames=30)
    apart = differences([one, None, two, other])
    assert apart[0, 2] <= 24 < 60 < apart[0, 3] and apart[0, 0] == 0
    assert apart[0, 1] == apart[1, 0] == 255 and apart[2, 0] == apart[0, 2]


def test_a_picture_with_nothing_in_it_is_like_no_other() -> None:
    flat = scan_of(np.full((5, 36, 64), 120, np.uint8), frames=30, fps=FPS)
    assert differences([flat, flat])[0, 1] == 255 and flat.still == ((0, 30),)


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (640, 640)])
def test_captions_of_every_preset_lie_inside_the_safe_area(preset: str, size: tuple[int, int]) -> None:
    frame = Frame(width_px=size[0], height_px=size[1])
    texts = "The weather in Wolverhampton was WONDERFUL, magnificently so, all through the internationalisation".split()
    words = tuple(Word(text=text, start_s=at * 0.5, end_s=at * 0.5 + 0.45) for at, text in enumerate(texts))
    captions = make_captions(words, max_chars=PRESETS[preset].max_chars[frame.shape])
    faces = machine_fonts().preference(None, "en")
    fit = caption_script(captions, frame=frame, preset=PRESETS[preset], faces=faces).fit
    assert fit is not None
    facts = scene(1, fit=fit, speech_samples=1, chars_per_s=chars_per_s(captions))
    assert failed(scene_checks([facts], GOOD, FPS)) == []


def test_captions_that_stand_too_high_or_too_long_are_measured() -> None:
    words = tuple(Word(text="mmmmmmmm", start_s=0, end_s=1) for _ in range(8))
    tall = Caption(lines=tuple((word,) for word in words for _ in range(4)), start_s=0, end_s=1)
    wide = Caption(lines=(words,), start_s=0, end_s=1)
    faces = machine_fonts().preference(None, "en")
    frame = Frame(width_px=1280, height_px=720)
    high, long = (
        caption_script([caption], frame=frame, preset=PRESETS["classic"], faces=faces).fit for caption in (tall, wide)
    )
    assert high is not None and high.outside_px > 100 and high.size == 0.048
    assert long is not None and long.line_chars == 71 and long.size < 0.03 and long.outside_px == 0.0
    assert chars_per_s([wide]) == 71.0


def test_the_documentation_lists_every_check_with_its_threshold() -> None:
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \| ([^|]+) \| ", text.partition("## Checks")[2], re.M)
    listed = [name for name, _, _ in rows]
    scenes = [scene(1, fit=CaptionFit(), speech_samples=1, seen=PictureScan())]
    checks = (*file_checks(GOOD, PLANNED), *scene_checks(scenes, GOOD, FPS), encodes_check(1, 0, 1))
    assert listed == [check.name for check in checks]
    assert set(PART_OF) | FATAL <= set(listed)
    for check, (_, unit, threshold) in zip(checks, rows, strict=True):
        assert check.unit == unit
        assert check.name in VARYING or threshold == f"{check.threshold:g}"
