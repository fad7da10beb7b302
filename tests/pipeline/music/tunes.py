"""Music for tests: made of numbers, so that it is known where its beats are."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

Sound = np.ndarray


def tune(seconds: float, *, bpm: float | None = 120.0, seed: int = 0, rate: int = 48_000, level: float = 0.1) -> Sound:
    """A steady rustle between 150 and 2000 Hz, float32[samples]; with drums on the beats, the first at 0."""
    chance = np.random.default_rng(seed)
    count = round(seconds * rate)
    hertz = np.fft.rfftfreq(count, 1 / rate)
    pad = np.fft.irfft(np.exp(2j * np.pi * chance.random(len(hertz))) * ((hertz > 150) & (hertz < 2000)), count)
    sound = pad * level / np.sqrt(np.mean(np.square(pad)))
    if bpm is not None:
        drum = chance.standard_normal(rate // 20) * np.exp(-np.arange(rate // 20) / (rate / 150)) * level * 4
        for beat in np.arange(0.0, seconds, 60 / bpm):
            start = round(beat * rate)
            end = min(len(sound), start + len(drum))
            sound[start:end] += drum[: end - start]
    return sound.astype(np.float32)


def write_wav(path: Path, sound: Sound, rate: int = 48_000) -> Path:
    """float32[samples] or float32[samples, 2] -> a 16-bit WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if sound.ndim == 1 else 2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def levels_db(sound: Sound, window_s: float, step_s: float = 0.05, rate: int = 48_000) -> Sound:
    """The level of each window of `window_s`, `step_s` apart."""
    power = np.square(sound.astype(np.float64))
    if power.ndim == 2:
        power = power.mean(axis=1)
    total = np.concatenate([[0.0], np.cumsum(power)])
    window, step = round(window_s * rate), round(step_s * rate)
    return 10 * np.log10((total[window:] - total[:-window])[::step] / window + 1e-12)
