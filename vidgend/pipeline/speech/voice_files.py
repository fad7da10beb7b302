"""The voices that vidgend ships: 28 English ones of Kokoro-82M v1.0, float16[510, 256] each."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np


def kokoro_voices_path() -> Path:
    return Path(str(files("vidgend") / "data" / "voices" / "kokoro-en-v1.0-fp16.npz"))


def kokoro_voices() -> Any:
    """The open archive: a mapping from voice id to its table, read when asked for. Raises: OSError."""
    return np.load(kokoro_voices_path(), allow_pickle=False)
