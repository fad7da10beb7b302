"""What can be heard to be wrong with a spoken sentence, without understanding it. Pure."""

from __future__ import annotations

import unicodedata

import numpy as np

from vidgend.pipeline.speech.sound import Samples
from vidgend.pipeline.speech.speakable import speakable

SHORTEST_S_PER_CHAR, LONGEST_S_PER_CHAR = 0.035, 0.3
"""At speed 1, for a letter as it is said: a voice that swallowed half of the text, or that stutters. Real voices need
0.07 to 0.17 (Kokoro and espeak-ng; ten texts, eight voices)."""
SLACK_S = 1.5
"""For the margins and the pauses of a short one."""
LONGEST_SILENCE_S = 2.0
SILENT_SHARE = 0.8
"""Of speech that is too short for such a silence."""
CLIPPED_SHARE = 0.002
_FLAT_SAMPLES = 4
_LOUD = 0.5


def flaw_of(letters: float, samples: Samples, rate_hz: int, *, silent_s: float, speed: float) -> str:
    """What is wrong with `samples` that are to say so much (`letters_said`); "" for nothing. `silent_s` is the longest
    silence in them."""
    if not letters:
        return ""
    length_s = len(samples) / rate_hz
    if silent_s > silence_limit_s(length_s):
        return f"{silent_s:.1f} of its {length_s:.1f} s are silent"
    spoken_s = length_s * speed
    if spoken_s < SHORTEST_S_PER_CHAR * letters:
        return f"{length_s:.1f} s are too short for its {letters:.0f} letters"
    if spoken_s > LONGEST_S_PER_CHAR * letters + SLACK_S:
        return f"{length_s:.1f} s are too long for its {letters:.0f} letters"
    clipped = _clipped(samples)
    return f"{100 * clipped:.1f} % of it are clipped" if clipped > CLIPPED_SHARE else ""


def silence_limit_s(length_s: float) -> float:
    """The longest silence that spoken text of that length may have in it."""
    return round(min(LONGEST_SILENCE_S, SILENT_SHARE * length_s), 3)


def letters_said(text: str, language: str) -> float:
    """How much there is to be said, in letters: numbers as they are said, what the voice cannot read as nothing."""
    said = " ".join(one.text for one in speakable(text.split(), language))
    total = 0.0
    for char in said:
        if char.isdecimal():  # a language without rules
            total += 3.0
        elif char.isalpha():
            # A letter of a script without spaces stands for a syllable or more.
            total += 3.0 if unicodedata.east_asian_width(char) in "WF" else 1.0
    return total


def _clipped(samples: Samples) -> float:
    """The share of samples in flat tops: some in a row of the same large value. A limiter behind the clipping keeps
    them flat."""
    if len(samples) <= _FLAT_SAMPLES:
        return 0.0
    same = (np.abs(np.diff(samples)) < 1e-6) & (np.abs(samples[1:]) > _LOUD)
    runs = np.convolve(same.astype(np.int32), np.ones(_FLAT_SAMPLES - 1, np.int32), "valid")
    return float(np.count_nonzero(runs == _FLAT_SAMPLES - 1)) / len(samples)
