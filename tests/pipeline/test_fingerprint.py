"""Prints of clips and photos: copies are told from other pictures, whatever was done to them."""

from __future__ import annotations

import itertools
from pathlib import Path

import media
import numpy as np
import pytest

from vidgend.pipeline.clip_facts import examine
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.fingerprint import (
    ALIKE_BITS,
    FRAMES,
    NOTHING_BITS,
    alike,
    average_rgb,
    distance,
    moments,
    print_of,
    prints_of,
)


def scenery(seed: int, height: int = 432, width: int = 768) -> np.ndarray:
    """uint8[height, width]: noise in which slow waves are strong and fast ones weak, as in pictures of the world."""
    down, across = np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None] * width
    strength = 1 / np.maximum(1.0, np.hypot(down, across)) ** 1.3
    phase = np.random.default_rng(seed).random(strength.shape) * 2j * np.pi
    picture = np.fft.irfft2(strength * np.exp(phase), (height, width))
    return np.clip(128 + picture / picture.std() * 45, 0, 255).astype(np.uint8)


def pan(ffmpeg: Ffmpeg, path: Path, seed: int, *more: str) -> Path:
    """Four seconds of a slow pan over it. `more` are ffmpeg's options for the output."""
    still = path.with_suffix(".gray")
    still.write_bytes(scenery(seed).tobytes())
    pictures = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-s",
        "768x432",
        "-r",
        "20",
        "-stream_loop",
        "79",
        "-i",
        str(still),
    ]
    filters = ",".join(["crop=640:360:12*t:9*t", *(more[1:2] if more[:1] == ("-vf",) else ())])
    rest = more[2:] if more[:1] == ("-vf",) else more
    encoded = ["-vf", filters, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", *rest]
    return media.make(ffmpeg.path, [*pictures, *encoded], path)


@pytest.mark.parametrize(
    "change",
    [
        ("-vf", "scale=-2:180", "-crf", "36"),
        ("-vf", "crop=iw*0.95:ih*0.95"),
        ("-vf", "crop=iw*0.95:ih*0.95:0:0"),
        ("-vf", "eq=brightness=0.06:contrast=1.1"),
        ("-ss", "1"),
        ("-r", "24"),
    ],
    ids=["small", "crop", "corner", "lighter", "later", "24fps"],
)
async def test_a_copy_is_alike(ffmpeg: Ffmpeg, tmp_path: Path, change: tuple[str, ...]) -> None:
    original = await examine(ffmpeg, pan(ffmpeg, tmp_path / "a.mp4", 1))
    copy = await examine(ffmpeg, pan(ffmpeg, tmp_path / "b.mp4", 1, *change))
    assert alike(original["prints"], copy["prints"]), distance(original["prints"], copy["prints"])


async def test_other_clips_are_not_alike(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    paths = [pan(ffmpeg, tmp_path / f"{seed}.mp4", seed) for seed in range(4)]
    paths.append(media.clip(ffmpeg.path, tmp_path / "bars.mp4"))
    found = [(await examine(ffmpeg, path))["prints"] for path in paths]
    assert all(0 < len(prints) <= FRAMES for prints in found)
    apart = [distance(one, two) for one, two in itertools.combinations(found, 2)]
    assert min(apart) > ALIKE_BITS, apart


async def test_a_photo_and_a_preview_of_a_clip_are_known_again(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = pan(ffmpeg, tmp_path / "a.mp4", 1)
    photo = media.make(ffmpeg.path, ["-ss", "2", "-i", str(clip), "-frames:v", "1", "-q:v", "6"], tmp_path / "a.jpg")
    seen = await examine(ffmpeg, photo)
    assert seen["kind"] == "photo" and len(seen["prints"]) == 1
    assert alike((await examine(ffmpeg, clip))["prints"], seen["prints"])
    preview = media.gray(ffmpeg.path, photo, size=64)[0]
    assert alike((print_of(preview),), seen["prints"])


async def test_a_flat_clip_has_no_prints_and_is_like_nothing(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    facts = await examine(
        ffmpeg, media.make(ffmpeg.path, ["-f", "lavfi", "-i", "color=0x204080:s=320x180:r=10:d=2"], tmp_path / "a.mp4")
    )
    assert facts["prints"] == ()
    red, green, blue = (int(facts["average_rgb"][at : at + 2], 16) for at in (1, 3, 5))
    assert abs(red - 0x20) <= 3 and abs(green - 0x40) <= 3 and abs(blue - 0x80) <= 3
    assert not alike((), ()) and distance((), ("0" * 64,)) == NOTHING_BITS


def test_a_print_says_nothing_about_size_or_light() -> None:
    picture = scenery(1).astype(float)
    small = picture.reshape(36, 12, 64, 12).mean(axis=(1, 3))
    assert len(print_of(picture)) == 64
    assert print_of(small * 0.5 + 20) == print_of(small)
    assert distance((print_of(small),), (print_of(picture),)) <= 8
    assert distance((print_of(picture[:, ::-1]),), (print_of(picture),)) > ALIKE_BITS


def test_prints_are_spread_over_the_clip_and_each_is_told_once() -> None:
    assert list(moments(3)) == [0, 1, 2] and len(moments(0)) == 0
    spread = moments(91)
    assert len(spread) == FRAMES and set(np.diff(spread)) == {10} and (spread[0], spread[-1]) == (10, 80)
    pictures = np.random.default_rng(2).random((3, 36, 64)) * 255
    assert prints_of(pictures) == tuple(print_of(one) for one in pictures)
    assert len(prints_of(pictures[:1].repeat(20, axis=0))) == 1
    assert average_rgb(np.full((2, 4, 4, 3), (1, 128, 255), np.uint8)) == "#0180ff"
