"""The looks through the real ffmpeg: each is a change that one sees, and none is another one's twin."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import media
import numpy as np
import pytest
from studio import Studio, open_studio

from vidgend.models import TRANSITION_S
from vidgend.pipeline.captions.presets import PRESETS
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.generated import GeneratedFootage
from vidgend.pipeline.footage.port import FootageQuery
from vidgend.pipeline.styles import STYLES
from vidgend.pipeline.styles.look import Style
from vidgend.pipeline.timeline import shot_of

WIDTH, HEIGHT = 640, 360
DOCS = Path(__file__).parents[2] / "docs" / "styles.md"


@pytest.fixture
async def studio(ffmpeg: Ffmpeg, tmp_path: Path) -> AsyncIterator[Studio]:
    async with open_studio(ffmpeg, tmp_path) as opened:
        yield opened


def colours(ffmpeg: str, path: Path) -> np.ndarray:
    """float64[frames, height, width, 3]: Y, Cb, Cr."""
    raw = subprocess.run(
        [ffmpeg, "-nostdin", "-v", "error", "-i", str(path), "-vf", "scale=flags=neighbor,format=yuv444p",
         "-f", "rawvideo", "-"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    return np.frombuffer(raw, np.uint8).reshape(-1, 3, HEIGHT, WIDTH).transpose(0, 2, 3, 1).astype(float)


async def seen(studio: Studio, query: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """The same moving picture in every look, and in none."""
    monkeypatch.setitem(STYLES, "none", Style(name="none", description=""))
    (candidate, *_) = await GeneratedFootage().search(FootageQuery(text=query, width_px=WIDTH, height_px=HEIGHT))
    encoding = {**studio.encoding(width=WIDTH, height=HEIGHT), "crf": 12}
    pictures = {}
    for name in STYLES:
        made = await studio.body(
            {
                "clip": {"kind": "generated", "recipe": candidate.recipe}, "encoding": encoding, "style": name,
                "shot": asdict(shot_of(6, before=0, after=0)),
            }
        )  # fmt: skip
        pictures[name] = colours(studio.ffmpeg.path, await studio.assets.local(made["digest"]))
    return pictures


def qualities(picture: np.ndarray) -> dict[str, float]:
    """Of the middle of the picture, which bars do not reach; in steps of 8 bits."""
    middle = picture[:, HEIGHT // 4 : -HEIGHT // 4, WIDTH // 4 : -WIDTH // 4]
    light, blue, red = middle[..., 0], middle[..., 1] - 128, middle[..., 2] - 128
    return {
        "brightness": float(light.mean()), "contrast": float(light.std()), "saturation": float(np.hypot(blue, red).mean()),
        "blue": float(blue.mean()), "red": float(red.mean()),
    }  # fmt: skip


@pytest.mark.parametrize("query", ["ocean sunset", "city at night"])
async def test_every_look_differs_clearly_from_every_other(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    pictures = await seen(studio, query, monkeypatch)
    for one, two in itertools.combinations(pictures, 2):
        distance = np.abs(pictures[one] - pictures[two]).sum(axis=-1).mean()
        # A difference of 5 in Y'CbCr together is plain when two pictures stand side by side; the bars do not count.
        middle = (slice(None), slice(HEIGHT // 4, -HEIGHT // 4))
        inner = np.abs(pictures[one][middle] - pictures[two][middle]).sum(axis=-1).mean()
        assert min(distance, inner) > 5, (one, two, distance, inner)


async def test_each_look_is_what_it_is_called(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = await seen(studio, "ocean sunset", monkeypatch)
    of = {name: qualities(picture) for name, picture in pictures.items()}
    plain = of["none"]
    assert of["noir"]["saturation"] < 1
    assert of["vivid"]["saturation"] > 1.3 * plain["saturation"]
    assert of["documentary"]["saturation"] < 0.95 * plain["saturation"]
    assert of["minimal"]["saturation"] < 0.7 * plain["saturation"]
    assert of["minimal"]["brightness"] > plain["brightness"] + 8
    assert of["social"]["brightness"] > of["vivid"]["brightness"] + 8
    assert of["vivid"]["saturation"] > of["social"]["saturation"] > 1.1 * plain["saturation"]
    assert of["news"]["blue"] > plain["blue"] + 2 and of["news"]["red"] < plain["red"]
    assert of["documentary"]["blue"] < 0.84 * plain["blue"] - 1  # warmer, for so little colour
    assert of["vintage"]["blue"] < 0.62 * plain["blue"] - 5
    assert of["vintage"]["contrast"] < 0.9 * plain["contrast"] < of["noir"]["contrast"]


async def test_grain_moves_and_the_vignette_darkens_the_corners(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = await seen(studio, "ocean sunset", monkeypatch)

    def restless(name: str) -> float:
        """Change from frame to frame beyond what moves: of the finest detail."""
        light = pictures[name][..., 0]
        fine = light[:, 1:-1, 1:-1] - (light[:, :-2, 1:-1] + light[:, 2:, 1:-1]) / 2
        return float(np.diff(fine, axis=0).std())

    assert restless("vintage") > 1.25 * restless("none")
    for name in ("noir", "vintage", "cinematic"):
        light = pictures[name][..., 0] - 16
        plain = pictures["documentary"][..., 0] - 16
        corner = (slice(None), slice(60, 90), slice(0, 40))
        middle = (slice(None), slice(150, 210), slice(280, 360))
        share = (light[corner].mean() + 1) / (light[middle].mean() + 1)
        assert share < 0.92 * (plain[corner].mean() + 1) / (plain[middle].mean() + 1), name


@pytest.mark.parametrize(
    ("width", "height", "barred"), [(1920, 1080, True), (1280, 720, True), (1080, 1920, False), (1080, 1080, False)]
)
def test_the_wide_frame_has_bars_in_16_to_9_only(width: int, height: int, barred: bool) -> None:
    style = STYLES["cinematic"]
    bar_px = style.bar_px(width, height)
    around = [arguments for name, arguments in style.finishing(width, height) if name == "pad"]
    assert bool(bar_px) == bool(around) == barred
    if barred:
        assert abs(width / (height - 2 * bar_px) - 2.39) < 0.02
        assert bar_px % 2 == 0
        assert around == [{"w": str(width), "h": str(height), "x": "0", "y": str(bar_px), "color": "black"}]


def test_looks_name_what_there_is() -> None:
    for name, style in STYLES.items():
        assert style.name == name
        assert style.caption_preset in PRESETS
        assert style.transition.kind in TRANSITION_S
        assert 0.5 <= style.pace <= 2


def test_every_look_is_documented() -> None:
    text = DOCS.read_text()
    for name, style in STYLES.items():
        assert f"### {name}" in text
        assert style.description in text


async def test_a_photo_moves_without_trembling(studio: Studio, tmp_path: Path) -> None:
    """Dots on a photo are followed from frame to frame: off their smooth path by a fiftieth of a pixel at most."""
    dots = np.full((800, 1200), 30.0)
    rows, columns = np.mgrid[-14:15, -14:15]
    spot = 200 * np.exp(-(rows**2 + columns**2) / (2 * 4.0**2))
    for y, x in itertools.product(range(100, 750, 130), range(100, 1150, 150)):
        dots[y - 14 : y + 15, x - 14 : x + 15] += spot
    raw = tmp_path / "dots"
    raw.write_bytes(dots.clip(0, 255).astype(np.uint8).tobytes())
    photo = media.make(
        studio.ffmpeg.path,
        ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "1200x800", "-i", str(raw), "-pix_fmt", "yuvj444p", "-q:v", "1",
         "-f", "mjpeg"],
        tmp_path / "photo",
    )  # fmt: skip
    frames = 90
    encoding = {**studio.encoding(width=WIDTH, height=HEIGHT), "crf": 1}
    clip = await studio.clip(photo, encoding, frames, demuxer="jpeg_pipe")
    args = {"clip": clip, "shot": asdict(shot_of(frames, before=0, after=0)), "encoding": encoding, "motion": 2}
    made = await studio.body({**args, "style": "documentary"})
    light = colours(studio.ffmpeg.path, await studio.assets.local(made["digest"]))[..., 0]

    base = float(np.median(light[0])) + 2

    def centre(frame: np.ndarray, x: float, y: float) -> tuple[float, float]:
        left, top = round(x) - 12, round(y) - 12
        weight = (frame[top : top + 25, left : left + 25] - base).clip(0)
        down, across = np.mgrid[0:25, 0:25]
        return left + (weight * across).sum() / weight.sum(), top + (weight * down).sum() / weight.sum()

    peak = np.unravel_index(light[0, 100:260, 200:440].argmax(), (160, 240))
    x, y = float(peak[1] + 200), float(peak[0] + 100)
    path = []
    for frame in light:
        for _ in range(3):
            x, y = centre(frame, x, y)
        path.append((x, y))
    along = np.linspace(-1, 1, frames)
    track = np.array(path)
    smooth = np.polynomial.chebyshev.chebval(along, np.polynomial.chebyshev.chebfit(along, track, 9)).T
    assert np.abs(track[-1] - track[0]).max() > 3
    assert (track - smooth).std() < 0.02
    speed = np.abs(np.diff(track, axis=0)).sum(axis=1)
    assert speed[:3].mean() < 0.3 * speed.max() and speed[-3:].mean() < 0.3 * speed.max()  # eased
