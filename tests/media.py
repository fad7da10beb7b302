"""Small media files for tests, made by ffmpeg, and ways to look at results."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np


def make(ffmpeg: str, args: list[str], path: Path) -> Path:
    """Run ffmpeg with `args` into `path`."""
    subprocess.run([ffmpeg, "-nostdin", "-v", "error", "-y", *args, str(path)], check=True)
    return path


def clip(
    ffmpeg: str,
    path: Path,
    *,
    seconds: float = 2.0,
    size: str = "640x360",
    rate: str = "30",
    extra: tuple[str, ...] = (),
) -> Path:
    """A moving picture whose brightness tells the time."""
    source = f"testsrc2=size={size}:rate={rate}:duration={seconds}"
    return make(
        ffmpeg, ["-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast", *extra, "-f", "mp4"], path
    )


def tone(path: Path, *, seconds: float, hertz: float = 440.0, level: float = 0.3, rate: int = 48_000) -> Path:
    """A mono 16-bit WAV with a sine."""
    samples = np.arange(round(seconds * rate))
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes((np.sin(samples * 2 * np.pi * hertz / rate) * level * 32767).astype("<i2").tobytes())
    return path


def pcm(ffmpeg: str, path: Path, rate: int = 48_000) -> np.ndarray:
    """The sound of a file as float32[samples], mono."""
    raw = subprocess.run(
        [ffmpeg, "-nostdin", "-v", "error", "-i", str(path), "-ac", "1", "-ar", str(rate), "-f", "f32le", "-"],
        check=True,
        capture_output=True,
    ).stdout
    return np.frombuffer(raw, "<f4")


def gray(ffmpeg: str, path: Path, *, size: int = 32) -> np.ndarray:
    """Every frame as uint8[frames, size, size]."""
    raw = subprocess.run(
        [ffmpeg, "-nostdin", "-v", "error", "-i", str(path), "-vf", f"scale={size}:{size},format=gray",
         "-fps_mode", "passthrough", "-f", "rawvideo", "-"],
        check=True,
        capture_output=True,
    ).stdout  # fmt: skip
    return np.frombuffer(raw, np.uint8).reshape(-1, size, size)
