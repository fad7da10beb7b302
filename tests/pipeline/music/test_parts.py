"""Where music is heard, where it is strong, and where its beats are."""

from __future__ import annotations

import numpy as np
import pytest
from tunes import tune

from vidgend.pipeline.music.beats import RATE_HZ, find_beats
from vidgend.pipeline.music.parts import PART_S, TrackParts, find_parts, halved
from vidgend.timebase import SAMPLE_RATE_HZ


def parts(sound: np.ndarray) -> TrackParts:
    found = find_parts(lambda: iter(np.array_split(sound, 7)))
    assert found is not None
    return found


def seconds(samples: float) -> float:
    return samples / SAMPLE_RATE_HZ


@pytest.mark.parametrize("bpm", [70.0, 96.0, 128.0, 150.0])
def test_the_beat_of_music_with_drums_is_found(bpm: float) -> None:
    beats = find_beats(iter([tune(30, bpm=bpm, rate=RATE_HZ)]))
    assert beats is not None
    ratio = 60 / bpm / beats.period_s
    assert min(abs(ratio / whole - 1) for whole in (0.5, 1, 2)) < 0.01
    # Beats lie on the drums, or between two of them.
    for at_s in (3.1, 12.4, 25.7):
        off = (beats.nearest(at_s) / (60 / bpm)) % 0.5
        assert min(off, 0.5 - off) < 0.06


def test_music_without_a_beat_is_cut_anywhere_but_not_in_its_ends() -> None:
    found = parts(tune(30, bpm=None, rate=RATE_HZ))
    assert found.beat is None
    assert seconds(found.cuts[0]) == pytest.approx(0, abs=0.1) and seconds(found.cuts[-1]) == pytest.approx(30, abs=0.1)


def test_silence_around_a_track_is_left_out() -> None:
    quiet = np.random.default_rng(0).standard_normal(3 * RATE_HZ).astype(np.float32) * 1e-4
    found = parts(np.concatenate([quiet, tune(20, rate=RATE_HZ), quiet]))
    assert seconds(found.first) == pytest.approx(3.0, abs=0.06)
    assert seconds(found.last) == pytest.approx(23.0, abs=0.06)
    assert found.first <= found.cuts[0] and found.cuts[-1] <= found.last


def test_no_other_music_is_joined_on_where_a_track_fades_out() -> None:
    sound = tune(40, rate=RATE_HZ)
    sound[-6 * RATE_HZ :] *= np.linspace(1, 0, 6 * RATE_HZ, dtype=np.float32)
    found = parts(sound)
    assert 30 < seconds(found.cuts[-1]) < 38
    assert seconds(found.last) > 39


def test_nor_where_it_has_a_hole() -> None:
    sound = tune(30, rate=RATE_HZ)
    sound[28 * RATE_HZ : 29 * RATE_HZ] *= 0.05
    cut_s = seconds(parts(sound).cuts[-1])
    assert 20 < cut_s <= 28.1


def test_parts_of_a_long_track_begin_on_its_beats() -> None:
    found = parts(tune(200, bpm=120, rate=RATE_HZ))
    assert len(found.cuts) - 1 == round(200 / PART_S)
    for cut in found.cuts:
        off = seconds(cut) % 0.5
        assert min(off, 0.5 - off) < 0.03


def test_a_track_that_is_played_alone_has_two_parts_if_it_is_long_enough() -> None:
    once = parts(tune(30, rate=RATE_HZ))
    assert (len(once.cuts), len(halved(once).cuts)) == (2, 3)
    jingle = parts(tune(6, rate=RATE_HZ))
    assert halved(jingle) == jingle


def test_silence_is_no_music() -> None:
    assert find_parts(lambda: iter([np.zeros(5 * RATE_HZ, np.float32)])) is None
    assert find_parts(lambda: iter([])) is None
