"""Captions drawn by the real libass, as pixels to look at."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from vidgend.models import Word
from vidgend.pipeline.captions.fonts import FontCatalog, as_args
from vidgend.pipeline.captions.presets import Frame, find_preset
from vidgend.pipeline.captions_ass import CaptionScript, caption_script
from vidgend.pipeline.words_to_captions import make_captions

PLAIN = "color=c=0x507060"
BACKGROUND = np.array([0x50, 0x70, 0x60])
ASPECTS = {"16:9": (640, 360), "9:16": (360, 640), "1:1": (480, 480), "4:5": (400, 500)}


def spoken(text: str, *, each_s: float = 0.35, from_s: float = 0.3) -> tuple[Word, ...]:
    return tuple(
        Word(text=word, start_s=from_s + number * each_s, end_s=from_s + (number + 1) * each_s - 0.03)
        for number, word in enumerate(text.split())
    )


def script(
    text: str | tuple[Word, ...],
    fonts: FontCatalog,
    *,
    size: tuple[int, int] = (640, 360),
    preset: str = "classic",
    language: str = "en",
    font: str | None = None,
    **more: object,
) -> CaptionScript:
    """The captions of `text`, spoken word by word, for a picture of that size."""
    words = spoken(text) if isinstance(text, str) else text
    frame = Frame(width_px=size[0], height_px=size[1])
    chosen = find_preset(preset)
    captions = make_captions(words, max_chars=chosen.max_chars[frame.shape], end_s=words[-1].end_s + 0.5)
    faces = fonts.preference(font, language)
    return caption_script(captions, frame=frame, preset=chosen, faces=faces, **more)  # type: ignore[arg-type]


def draw(
    ffmpeg: str,
    folder: Path,
    made: CaptionScript,
    fonts: FontCatalog,
    *,
    size: tuple[int, int] = (640, 360),
    times: Iterable[float] = (1.0,),
    background: str = PLAIN,
    encoded: bool = False,
) -> np.ndarray:
    """The frames at `times` as uint8[times, height, width, 3]; `encoded` sends them through x264 as a video would."""
    folder.mkdir(parents=True)
    (folder / "captions.ass").write_text(made.ass, "utf-8")
    fonts.lay_into(folder / "fonts", as_args(made.faces), made.ass)
    numbers = [round(at * 50) for at in times]
    chosen = "+".join(f"eq(n,{number})" for number in numbers)
    source = f"{background}:s={size[0]}x{size[1]}:r=50:d={(max(numbers) + 1) / 50}"
    shape = "format=yuv420p," if encoded else "format=rgb24,"
    drawn = f"{shape}ass=filename=captions.ass:fontsdir=fonts,select='{chosen}'"
    raw = ["-pix_fmt", "rgb24", "-fps_mode", "passthrough", "-f", "rawvideo"]
    if encoded:
        _run(ffmpeg, folder, ["-f", "lavfi", "-i", source, "-vf", drawn, "-c:v", "libx264", "-crf", "21", "-fps_mode",
                              "passthrough", "-f", "mp4", "seen.mp4"])  # fmt: skip
        _run(ffmpeg, folder, ["-i", "seen.mp4", *raw, "seen.raw"])
    else:
        _run(ffmpeg, folder, ["-f", "lavfi", "-i", source, "-vf", drawn, *raw, "seen.raw"])
    return np.fromfile(folder / "seen.raw", np.uint8).reshape(len(numbers), size[1], size[0], 3)


def _run(ffmpeg: str, folder: Path, args: list[str]) -> None:
    subprocess.run([ffmpeg, "-nostdin", "-v", "error", "-y", *args], cwd=folder, check=True)


def ink(frames: np.ndarray) -> np.ndarray:
    """Where anything is drawn over the plain background, in any of the frames: bool[height, width]."""
    return (np.abs(frames.astype(int) - BACKGROUND).max(axis=-1) > 12).any(axis=0)


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of what is set; right and bottom are the first free pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert len(rows), "nothing was drawn"
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def like(frame: np.ndarray, rgb: str, *, within: int = 24) -> np.ndarray:
    """Where a frame has about that colour."""
    wanted = np.array([int(rgb[i : i + 2], 16) for i in (0, 2, 4)])
    return np.abs(frame.astype(int) - wanted).max(axis=-1) <= within


def grown(mask: np.ndarray, by: int) -> np.ndarray:
    """The mask and everything within `by` pixels."""
    for _ in range(by):
        wide = mask.copy()
        wide[1:] |= mask[:-1]
        wide[:-1] |= mask[1:]
        wide[:, 1:] |= mask[:, :-1]
        wide[:, :-1] |= mask[:, 1:]
        mask = wide
    return mask


def luminance(frame: np.ndarray) -> np.ndarray:
    part = frame.astype(float) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])
