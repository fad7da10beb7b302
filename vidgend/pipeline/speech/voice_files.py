"""Kokoro's voices, which vidgend ships: all 54 of Kokoro-82M v1.0, float16[510, 256] each."""

from __future__ import annotations

from collections import ChainMap
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

_ARCHIVES = ("kokoro-en-v1.0-fp16.npz", "kokoro-others-v1.0-fp16.npz")


def kokoro_voice_files() -> tuple[Path, ...]:
    """The archives with the English voices, and with those of the other languages."""
    return tuple(Path(str(files("vidgend") / "data" / "voices" / name)) for name in _ARCHIVES)


def kokoro_voices() -> Any:
    """A mapping from voice id to its table, which is read when asked for. Raises: OSError."""
    return ChainMap(*(np.load(path, allow_pickle=False) for path in kokoro_voice_files()))
