"""Kokoro-82M on the CPU through onnxruntime: the voice of a bare machine.

Model (8-bit, 92 MB) from four registry packages or from the models folder, voices from vidgend's own data, English
phonemes without espeak. Measured on 2 cores: 0.3 to 0.45 s of work for a second of speech, 0.7 GB of memory.
"""

from __future__ import annotations

from pathlib import Path

from vidgend.pipeline.speech.in_child import SpeechInChild
from vidgend.pipeline.speech.kokoro_languages import kokoro_voices_here, readers
from vidgend.pipeline.speech.kokoro_model_file import PUBLISHED_SHA256


class KokoroOnnx(SpeechInChild):
    """`models_dir` keeps the joined model; `threads` 0 means all cores."""

    def __init__(self, *, models_dir: Path, threads: int = 0) -> None:
        super().__init__(
            name="kokoro-onnx",
            identity=f"{PUBLISHED_SHA256[:12]}:{readers()}",
            label="cpu",
            voices=kokoro_voices_here("kokoro-onnx"),
            blends=True,
            options=("--models-dir", str(models_dir.absolute()), "--threads", str(threads)),
        )
