"""Mono sound as float32[samples] in [-1, 1]: trim, limit, join, and 16-bit WAV files."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float32]

SILENCE_DBFS = -50.0
"""Below this a window is silent. Kokoro's silence is below -100 dBFS, its softest consonants lie above -45."""

WINDOW_S = 0.005
LEAD_S = 0.05
TAIL_S = 0.08
"""What is left before the first and after the last sound: enough that no soft consonant is cut."""

NOTHING_TO_SAY_S = 0.5
"""Length of the silence for a text without letters or digits, such as a lone emoji."""

FADE_S = 0.003
KNEE = 0.8
CEILING = 0.98


def sounding(samples: Samples, rate_hz: int, threshold_dbfs: float = SILENCE_DBFS) -> tuple[int, int]:
    """First sample that is not silent and the one after the last; (0, 0) if all is silent."""
    loud = np.flatnonzero(loud_windows(samples, rate_hz, threshold_dbfs))
    if not len(loud):
        return 0, 0
    size = max(1, round(WINDOW_S * rate_hz))
    return int(loud[0]) * size, min(len(samples), (int(loud[-1]) + 1) * size)


def loud_windows(samples: Samples, rate_hz: int, threshold_dbfs: float = SILENCE_DBFS) -> npt.NDArray[np.bool_]:
    """For each window of WINDOW_S whether its RMS is above the threshold."""
    size = max(1, round(WINDOW_S * rate_hz))
    padded = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)
    power = np.mean(np.square(padded, dtype=np.float64), axis=1)
    return np.asarray(power > 10 ** (threshold_dbfs / 10))


def pauses(samples: Samples, rate_hz: int, shortest_s: float) -> list[tuple[float, float]]:
    """The silences of at least `shortest_s`, as (start, end) in seconds; the first and the last are those around the
    sound, however short. Only (0, length) and (length, length) if all is silent."""
    length_s = len(samples) / rate_hz
    loud = np.concatenate([[True], loud_windows(samples, rate_hz), [True]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(loud))
    window_s = max(1, round(WINDOW_S * rate_hz)) / rate_hz
    runs = [(float(a) * window_s, min(length_s, float(b) * window_s)) for a, b in edges.reshape(-1, 2)]
    if not runs or runs[0][0] > 0:
        runs.insert(0, (0.0, 0.0))
    if runs[-1][1] < length_s or len(runs) == 1:
        runs.append((length_s, length_s))
    inner = [run for run in runs[1:-1] if run[1] - run[0] >= shortest_s]
    return [runs[0], *inner, runs[-1]]


def trim(samples: Samples, rate_hz: int) -> tuple[Samples, int]:
    """`samples` without the silence around, but LEAD_S and TAIL_S of it, and how many samples went off the front."""
    first, last = sounding(samples, rate_hz)
    if not last:
        return samples, 0
    start = max(0, first - round(LEAD_S * rate_hz))
    end = min(len(samples), last + round(TAIL_S * rate_hz))
    kept = samples[start:end].copy()
    fade = min(round(FADE_S * rate_hz), len(kept) // 2)
    if fade:
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        kept[:fade] *= ramp
        kept[-fade:] *= ramp[::-1]
    return kept, start


def limit(samples: Samples) -> Samples:
    """Bends what is above KNEE smoothly under CEILING. Some voices pass full scale, and clipping crackles."""
    size = np.abs(samples)
    over = size > KNEE
    if not over.any():
        return samples
    room = CEILING - KNEE
    bent = np.sign(samples) * (KNEE + room * np.tanh((size - KNEE) / room))
    limited: Samples = np.where(over, bent, samples).astype(np.float32)
    return limited


def silence(seconds: float, rate_hz: int) -> Samples:
    return np.zeros(max(0, round(seconds * rate_hz)), dtype=np.float32)


def join(parts: Sequence[Samples]) -> Samples:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def write_wav(path: Path, samples: Samples, rate_hz: int) -> None:
    """16-bit PCM, mono. Raises: OSError."""
    pcm = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")
    # Opened apart: where that fails, as in a folder that is gone, a half-made Wave_write would fail again when it goes.
    with path.open("wb") as opened, wave.open(opened, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm.tobytes())


def read_wav(path: Path) -> tuple[Samples, int]:
    """Samples and rate in hertz of a 16-bit PCM WAV; several channels are averaged.

    Raises: OSError, ValueError (not such a file).
    """
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise ValueError(f"{path.name} has {8 * file.getsampwidth()}-bit samples, not 16")
            channels, rate_hz = file.getnchannels(), file.getframerate()
            pcm = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path.name} is not a PCM WAV file: {error}") from error
    return from_pcm(pcm, channels), rate_hz


def wav_samples(path: Path) -> int:
    """The length of a WAV. Raises: OSError, wave.Error."""
    with wave.open(str(path), "rb") as file:
        return file.getnframes()


def join_wavs(paths: Sequence[Path], pauses_s: Sequence[float], end_s: float, target: Path) -> None:
    """16-bit mono WAVs of one rate after each other, with a silence before each and at the end, written piece by piece.

    Raises: OSError, wave.Error, ValueError (they do not fit together).
    """
    with target.open("wb") as opened, wave.open(opened, "wb") as joined:
        joined.setnchannels(1)
        joined.setsampwidth(2)
        rate_hz = 0
        for path, pause_s in zip(paths, pauses_s, strict=True):
            with wave.open(str(path), "rb") as part:
                if not rate_hz:
                    rate_hz = part.getframerate()
                    joined.setframerate(rate_hz)
                if (part.getnchannels(), part.getsampwidth(), part.getframerate()) != (1, 2, rate_hz):
                    raise ValueError("the sentences have different sample formats")
                _write_silence(joined, pause_s, rate_hz)
                while frames := part.readframes(rate_hz):
                    joined.writeframes(frames)
        _write_silence(joined, end_s, rate_hz)


def _write_silence(file: wave.Wave_write, seconds: float, rate_hz: int) -> None:
    left = round(seconds * rate_hz)
    while left > 0:
        file.writeframes(bytes(2 * min(left, rate_hz)))
        left -= rate_hz


def from_pcm(pcm: bytes, channels: int) -> Samples:
    """16-bit PCM; several channels are averaged, a frame that is cut off at the end is left out."""
    values = np.frombuffer(pcm[: len(pcm) // (2 * channels) * 2 * channels], dtype="<i2").reshape(-1, channels)
    samples: Samples = (values.mean(axis=1, dtype=np.float32) / 32768).astype(np.float32)
    return samples
