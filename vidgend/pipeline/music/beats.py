"""Where the beats of a piece of music are, told from its onsets. Pure and cheap: a second for an hour of music.

Good enough to join music in time, not to transcribe it: half or double the tempo that a person would tap joins as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

RATE_HZ = 12_000
"""Of the sound that is listened to, mono: beats are heard below 6 kHz."""
HOP = 120
"""Samples from one look to the next: 10 ms."""
WINDOW = 480
DELAY_S = WINDOW / RATE_HZ
"""What begins is seen as soon as the window touches it, and a window counts from its start."""
HOPS_PER_S = RATE_HZ // HOP
SLOWEST_S, FASTEST_S, USUAL_S = 1.0, 0.33, 0.57
"""Seconds from beat to beat: 60 to 180 a minute, most likely 105."""
CLEAR = 4.0
"""How much stronger onsets must be on the beats than in the mean, to call it a beat at all. The packaged tracks have 6
to 18, noise has 2 (measured)."""
FAINT = 0.5
"""Onsets that are weaker than this in the mean are no music with a beat, but a hum. Packaged tracks have 4 to 16."""
NEAR_S = 8.0
"""How far around a place its beats are looked at: live music does not keep its tempo for longer."""
_BLOCK = 4096


@dataclass(frozen=True, kw_only=True)
class Beats:
    """`onsets` is the strength of what begins, one value for each hop. `period_s` is from beat to beat."""

    period_s: float
    onsets: Array

    def nearest(self, at_s: float) -> float:
        """The beat nearest to a place, both in seconds. Beats are looked for around there."""
        first = max(0, round((at_s - NEAR_S) * HOPS_PER_S))
        near = self.onsets[first : round((at_s + NEAR_S) * HOPS_PER_S)]
        phase, _ = _phase(near, self.period_s * HOPS_PER_S)
        phase_s = (first + phase) / HOPS_PER_S + DELAY_S
        return phase_s + round((at_s - phase_s) / self.period_s) * self.period_s


def find_beats(blocks: Iterator[Array]) -> Beats | None:
    """`blocks` are mono sound at RATE_HZ, -1..1, each of any length. None if there is no clear beat."""
    onsets = _onsets(blocks)
    if len(onsets) < 6 * HOPS_PER_S or onsets.mean() < FAINT:
        return None
    shortest, longest = round(FASTEST_S * HOPS_PER_S), round(SLOWEST_S * HOPS_PER_S)
    alike = _alike(onsets, longest * 4 + 2)
    lags = np.arange(shortest, longest + 1)
    # A beat is heard again after one, two and four of them; one that is after three is a third of a longer one. Right,
    # half or double for 22 of the 28 packaged tracks, whose tempos are known; the others come out as 3:4 or 3:2.
    score = alike[lags] + 0.5 * alike[2 * lags] - 0.3 * alike[3 * lags] + alike[4 * lags]
    score *= np.exp(-0.5 * (np.log2(lags / (USUAL_S * HOPS_PER_S)) / 0.7) ** 2)
    rough = float(lags[np.argmax(score)])
    heard = onsets[: 120 * HOPS_PER_S]
    periods = np.linspace(rough * 0.97, rough * 1.03, 61)
    # Finer only as far as the beats of half a minute tell: over more, a player's tempo wanders.
    window = heard[: 30 * HOPS_PER_S]
    strengths = [_phase(window, float(period))[1] for period in periods]
    period = float(periods[int(np.argmax(strengths))])
    if max(strengths) < CLEAR * float(window.mean() + 1e-9):
        return None
    return Beats(period_s=period / HOPS_PER_S, onsets=onsets)


def _onsets(blocks: Iterator[Array]) -> Array:
    """Growth of the spectrum from hop to hop, on a logarithmic scale, less what is usual around there."""
    taper = np.hanning(WINDOW).astype(np.float32)
    flux: list[Array] = []
    before: Array | None = None
    for frames in _frames(blocks):
        loud = np.log1p(100 * np.abs(np.fft.rfft(frames * taper, axis=1))[:, 2:180]).astype(np.float32)
        # Bands that widen with the pitch, so that a cymbal does not outvote the drum.
        loud = np.add.reduceat(loud, [0, 2, 4, 8, 16, 32, 64, 120], axis=1)
        both = loud if before is None else np.concatenate([before, loud])
        flux.append(np.maximum(0, np.diff(both, axis=0)).sum(axis=1).astype(np.float32))
        before = loud[-1:]
    if not flux:
        return np.zeros(0, np.float32)
    strength = np.concatenate(flux)
    wide = np.ones(HOPS_PER_S, np.float32) / HOPS_PER_S
    usual = np.convolve(strength, wide, "same") if len(strength) >= len(wide) else strength
    return np.maximum(0, strength - usual).astype(np.float32)


def _frames(blocks: Iterator[Array]) -> Iterator[Array]:
    """Windows of WINDOW samples, HOP apart, some thousand at once, across the edges of blocks."""
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        count = (len(rest) - WINDOW) // HOP + 1
        if count <= 0:
            continue
        views = np.lib.stride_tricks.sliding_window_view(rest, WINDOW)[::HOP][:count]
        for first in range(0, count, _BLOCK):
            yield views[first : first + _BLOCK]
        rest = rest[count * HOP :].copy()


def _alike(onsets: Array, lags: int) -> Array:
    """How alike the onsets are to themselves, `lags` hops later at most; 1 at lag 0."""
    size = 1 << (len(onsets) + lags).bit_length()
    centred = onsets - onsets.mean()
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    found = np.fft.irfft(power)[:lags]
    return (found / max(float(found[0]), 1e-9)).astype(np.float32)


def _phase(onsets: Array, period: float) -> tuple[float, float]:
    """(hops to the first beat, mean strength on the beats) of the best place for beats `period` hops apart."""
    beats = max(1, int((len(onsets) - 1) / period))
    starts = np.arange(0.0, period)
    at = starts[:, None] + np.arange(beats) * period
    low = np.clip(at.astype(int), 0, len(onsets) - 2)
    share = (at - low).astype(np.float32)
    # A drum is as wide as two or three hops.
    strength = (onsets[low] * (1 - share) + onsets[low + 1] * share).mean(axis=1)
    best = int(np.argmax(strength))
    return float(starts[best]), float(strength[best])
