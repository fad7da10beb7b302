"""What can be heard to be wrong with a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from vidgend.pipeline.speech.sound import Samples, limit
from vidgend.pipeline.speech.speech_checks import flaw_of, letters_said

RATE_HZ = 24_000
TEXT = letters_said("The deep ocean is the largest habitat on Earth.", "en")
"""39 letters: about 3 s."""


def tone(seconds: float, peak: float = 0.4) -> Samples:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (peak * np.sin(2 * np.pi * 173.3 * time_s)).astype(np.float32)


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_speech_of_a_likely_length_is_right_at_any_speed(speed: float) -> None:
    assert flaw_of(TEXT, tone(3.0 / speed), RATE_HZ, silent_s=0.1, speed=speed) == ""


@pytest.mark.parametrize(
    ("samples", "silent_s", "flaw"),
    [
        (tone(0.8), 0.1, "too short"),
        (tone(20.0), 0.1, "too long"),
        (tone(3.0), 2.2, "are silent"),
        (tone(0.5), 0.45, "are silent"),
        (np.clip(tone(3.0, peak=1.6), -1, 1), 0.1, "clipped"),
        (limit(np.clip(tone(3.0, peak=1.6), -1, 1)), 0.1, "clipped"),
    ],
)
def test_what_is_wrong_is_named(samples: Samples, silent_s: float, flaw: str) -> None:
    assert flaw in flaw_of(TEXT, samples, RATE_HZ, silent_s=silent_s, speed=1.0)


def test_loud_speech_through_the_limiter_is_not_clipped_and_nothing_to_say_may_be_silent() -> None:
    assert flaw_of(TEXT, limit(tone(3.0, peak=1.2)), RATE_HZ, silent_s=0.1, speed=1.0) == ""
    assert flaw_of(letters_said("🙂 …", "en"), np.zeros(12_000, np.float32), RATE_HZ, silent_s=0.5, speed=1.0) == ""


@pytest.mark.parametrize(
    ("text", "language", "letters"),
    [
        ("$1,000,000,000,000.", "en", 18),
        ("10 000 000 000 €", "fr", 20),
        ("He said 你好世界 to me.", "en", 10),
        ("今天好。", "zh", 9),
        ("กลอน 12", "th", 9),
    ],
)
def test_how_much_there_is_to_say(text: str, language: str, letters: int) -> None:
    assert letters_said(text, language) == pytest.approx(letters, abs=2)
