"""How loud a recording is, moment by moment: where its words pause, and where only its noise is heard.

A recording has its own noise and its own level, so what counts as silence is told by itself. Levels are in dBFS (RMS)
of windows of WINDOW_S around their mean, since a constant offset is heard by nobody; read piece by piece: an hour takes
as little memory as a minute.
"""

from __future__ import annotations

import itertools
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vidgend.pipeline.speech.sound import from_pcm
from vidgend.pipeline.speech.word_times import Span
from vidgend.timebase import SAMPLE_RATE_HZ

Levels: TypeAlias = npt.NDArray[np.float32]

WINDOW_S = 0.01
SHORTEST_PAUSE_S = 0.08
"""Shorter silences are closures of consonants."""
NOTHING_DB = -90.0
"""A microphone that is on is louder; below it is a sound that was switched off."""
SILENT_DB = -60.0
"""What nobody hears, whatever else there is."""
SHORTEST_SAID_S = 0.1
"""Clicks are shorter; so is what a filter makes of the edge of a constant offset (20 ms)."""
ABOVE_NOISE_DB = 10.0
"""Breath and soft consonants begin about there."""
BELOW_WORDS_DB = (40.0, 12.0)
"""No sound of a word is softer than the first against the loud ones; a pause is softer by the second."""
HUSH_S, HUSH_EVERY_S = 0.1, 60.0
PROFILE_S = 0.4
"""How long only noise has to be heard to know what it is like."""
NOISE_BELOW_WORDS_DB = (10.0, 55.0)
"""Noise nearer to the words than the first cannot be told from them; farther away than the second nobody hears it."""


def levels_of(path: Path) -> Levels:
    """Of a mono 16-bit WAV at 48 kHz. Blocks."""
    size = round(WINDOW_S * SAMPLE_RATE_HZ)
    parts = []
    with wave.open(str(path), "rb") as file:
        while pcm := file.readframes(size * 1000):
            samples = from_pcm(pcm, 1)
            padded = np.pad(samples, (0, -len(samples) % size), mode="edge").reshape(-1, size)
            power = np.var(padded, axis=1, dtype=np.float64)
            parts.append((10 * np.log10(power + 1e-10)).astype(np.float32))
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def noise_and_words_db(levels: Levels) -> tuple[float, float]:
    """The level of the noise, and that of the loud parts of the words, while the microphone is on. Words are what is
    above the noise, however little of the recording they are; where nothing is, all of it."""
    heard = levels[levels > NOTHING_DB]
    if not len(heard):
        return NOTHING_DB, NOTHING_DB
    floor = np.percentile(heard, 10)
    above = heard[heard > floor + ABOVE_NOISE_DB]
    return float(floor), float(np.percentile(above if len(above) else heard, 95))


def is_silent(levels: Levels) -> bool:
    """Whether there is nothing in it that could be a word."""
    return bool(np.count_nonzero(levels > SILENT_DB) * WINDOW_S < SHORTEST_SAID_S)


def silence_db(levels: Levels) -> float:
    """Below this a window is a pause of this recording."""
    floor_db, words_db = noise_and_words_db(levels)
    softest_db, pause_db = (words_db - below for below in BELOW_WORDS_DB)
    return max(SILENT_DB, min(max(floor_db + ABOVE_NOISE_DB, softest_db), pause_db))


def loud_runs(levels: Levels, threshold_db: float) -> list[Span]:
    """Where it is louder than the threshold, as (start, end) in seconds."""
    loud = np.concatenate([[False], levels > threshold_db, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(loud)).reshape(-1, 2)
    return [(float(start) * WINDOW_S, float(end) * WINDOW_S) for start, end in edges]


def hushes_of(levels: Levels) -> list[float]:
    """The middle of the quietest HUSH_S of each HUSH_EVERY_S: where to cut if nobody pauses."""
    size, every = round(HUSH_S / WINDOW_S), round(HUSH_EVERY_S / WINDOW_S)
    hushes = []
    for first in range(0, len(levels) - size + 1, every):
        power = 10 ** (levels[first : first + every].astype(np.float64) / 10)
        at = first + int(np.argmin(np.convolve(power, np.ones(size), mode="valid")))
        hushes.append((at + size / 2) * WINDOW_S)
    return hushes


def pauses_between(runs: list[Span]) -> list[Span]:
    """The pauses between what is loud, without those around it."""
    gaps = ((before[1], after[0]) for before, after in itertools.pairwise(runs))
    return [(start_s, end_s) for start_s, end_s in gaps if end_s - start_s >= SHORTEST_PAUSE_S]


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A stretch in which nobody speaks, and how loud it is there."""

    start_s: float
    end_s: float
    level_db: float


def noise_of(levels: Levels) -> Noise | None:
    """The stretch of PROFILE_S in which only the noise is heard, and evenly; None if there is none, or none to hear."""
    size = round(PROFILE_S / WINDOW_S)
    if len(levels) <= size:
        return None
    floor_db, words_db = noise_and_words_db(levels)
    nearest_db, farthest_db = NOISE_BELOW_WORDS_DB
    sums = np.concatenate([[0.0], np.cumsum(10 ** (levels.astype(np.float64) / 10))])
    means_db = 10 * np.log10((sums[size:] - sums[:-size]) / size + 1e-10)
    muted = np.concatenate([[0], np.cumsum(levels < NOTHING_DB)])
    means_db[(muted[size:] - muted[:-size]) > 0] = np.inf
    at = int(np.argmin(means_db))
    below_db = words_db - float(means_db[at])
    if not nearest_db <= below_db <= farthest_db or means_db[at] > max(floor_db, SILENT_DB) + ABOVE_NOISE_DB:
        return None
    return Noise(start_s=at * WINDOW_S, end_s=(at + size) * WINDOW_S, level_db=round(float(means_db[at]), 1))
