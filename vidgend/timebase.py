"""Exact time: seconds, frames and samples on Fraction. The only module that rounds."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

SAMPLE_RATE_HZ = 48_000
"""The one sample rate of the sound timeline."""

_NTSC = {
    Fraction("23.976"): Fraction(24000, 1001),
    Fraction("23.98"): Fraction(24000, 1001),
    Fraction("29.97"): Fraction(30000, 1001),
    Fraction("59.94"): Fraction(60000, 1001),
}
_MOST_NUMERATOR = 240_000
"""Beyond what any camera or player uses; ffmpeg rounds time bases of very large numbers."""


def parse_fps(text: str | int | float) -> Fraction:
    """Frame rate in frames per second from `30`, `"30000/1001"` or the usual short forms such as `29.97`.

    Decimals are rounded to a denominator of at most 1001, so that 23.976023976 is 24000/1001.

    Raises: ValueError outside 1..120, and for fractions of very large numbers.
    """
    raw = str(text).strip()
    try:
        fps = Fraction(raw)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"not a frame rate: {raw!r}") from None
    if "/" not in raw:
        fps = fps.limit_denominator(1001)
    fps = _NTSC.get(fps, fps)
    if not 1 <= fps <= 120:
        raise ValueError(f"frame rate {raw} is outside 1..120")
    if fps.numerator > _MOST_NUMERATOR:
        raise ValueError(f"frame rate {raw}: the numerator is above {_MOST_NUMERATOR}")
    return fps


def fps_text(fps: Fraction) -> str:
    """`30` or `30000/1001`, as ffmpeg reads it."""
    return str(fps.numerator) if fps.denominator == 1 else f"{fps.numerator}/{fps.denominator}"


def frames_to_s(frames: int, fps: Fraction) -> Fraction:
    """Length of `frames` in seconds, exact."""
    return Fraction(frames) / fps


def s_to_frames(seconds: float | Fraction, fps: Fraction) -> int:
    """Smallest number of frames that lasts at least `seconds`."""
    return ceil(Fraction(seconds) * fps)


def frames_to_samples(frames: int, fps: Fraction, rate_hz: int = SAMPLE_RATE_HZ) -> int:
    """Samples that `frames` last, rounded to the nearest sample."""
    return floor(Fraction(frames) / fps * rate_hz + Fraction(1, 2))


def s_to_samples(seconds: float | Fraction, rate_hz: int = SAMPLE_RATE_HZ) -> int:
    """Nearest number of samples to `seconds`."""
    return floor(Fraction(seconds) * rate_hz + Fraction(1, 2))


def to_us(seconds: Fraction) -> int:
    """Microseconds, rounded to nearest: the unit of ffmpeg's concat lists."""
    return floor(seconds * 1_000_000 + Fraction(1, 2))


def clock(seconds: float, separator: str = ".") -> str:
    """`00:01:02.345` for logs and subtitles."""
    ms = floor(Fraction(seconds) * 1000 + Fraction(1, 2))
    hours, ms = divmod(ms, 3_600_000)
    minutes, ms = divmod(ms, 60_000)
    whole, ms = divmod(ms, 1000)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{separator}{ms:03d}"
