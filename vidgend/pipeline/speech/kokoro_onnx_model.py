"""Kokoro-82M in onnxruntime, on the CPU. Runs in the child; heavy imports happen when it is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vidgend.pipeline.speech.blend import blended
from vidgend.pipeline.speech.kokoro_languages import phonemiser
from vidgend.pipeline.speech.kokoro_model_file import timed_model
from vidgend.pipeline.speech.kokoro_symbols import LONGEST_CALL_SYMBOLS, PAD, SYMBOLS
from vidgend.pipeline.speech.phrases import Phonemise
from vidgend.pipeline.speech.sound import Samples
from vidgend.pipeline.speech.speaking import onnx_session, run_onnx
from vidgend.pipeline.speech.voice_files import kokoro_voices

FRAME_S = 1 / 40
"""A duration of 1 is 600 samples. Source: hop sizes in Kokoro-82M's config.json (2 x 10 x 6 x 5)."""


class KokoroOnnxModel:
    """Same answer for the same text, voice, speed and number of threads, call after call."""

    rate_hz = 24_000
    alphabet = SYMBOLS
    space_share = 0.5
    """Measured on 40 to 63 pauses: 9 to 25 ms after the sound's onset, against 49 ms counted from the phoneme."""

    def __init__(self, *, models_dir: Path, threads: int) -> None:
        self._session = onnx_session(str(timed_model(models_dir)), threads)
        self._voices = kokoro_voices()
        self._styles: dict[str, Any] = {}

    def phonemiser(self, voice: str) -> Phonemise:
        return phonemiser(voice[0])

    def _style(self, voice: str) -> Any:
        """float32[510, 256]: a row for each number of symbols."""
        if voice not in self._styles:
            self._styles[voice] = blended(voice, self._table)
        return self._styles[voice]

    def _table(self, voice: str) -> Any:
        if voice not in self._voices:
            raise ValueError(f"Kokoro has no voice {voice!r}")
        return self._voices[voice].astype(np.float32)

    def run(self, symbols: Sequence[str], *, voice: str, speed: float) -> tuple[Samples, list[float]]:
        assert 0 < len(symbols) <= LONGEST_CALL_SYMBOLS
        audio, frames = run_onnx(
            self._session,
            ["audio", "duration"],
            {
                "tokens": np.array([[PAD, *(SYMBOLS[symbol] for symbol in symbols), PAD]], np.int64),
                "style": self._style(voice)[len(symbols) - 1].reshape(1, 256),
                "speed": np.array([speed], np.float32),
            },
        )
        # The first duration is that of the pad: where it ends, the first symbol starts.
        ends_s = np.cumsum(np.asarray(frames).ravel()[:-1]) * FRAME_S
        return np.asarray(audio, dtype=np.float32).ravel(), ends_s.tolist()
