"""The bed of music, listened to: no seam where one piece gives way to the next."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tunes import levels_db, tune

from vidgend.pipeline.music.arrangement import Piece, arrange
from vidgend.pipeline.music.bed import DecodedTrack, lay
from vidgend.pipeline.music.parts import TrackParts, find_parts
from vidgend.timebase import SAMPLE_RATE_HZ as HZ


def decoded(path: Path, sound: np.ndarray) -> tuple[DecodedTrack, TrackParts]:
    np.repeat((sound * 32767).astype("<i2")[:, None], 2, axis=1).tofile(path)
    found = find_parts(lambda: iter([sound[::4].copy()]))
    assert found is not None
    return DecodedTrack(path=path, gain=1.0), found


def bed(tracks: list[tuple[DecodedTrack, TrackParts]], seconds: float) -> tuple[np.ndarray, tuple[Piece, ...]]:
    samples = round(seconds * HZ)
    pieces = arrange([parts for _, parts in tracks], samples, seed=0)
    assert len(pieces) > 1
    sound = np.concatenate(list(lay([track for track, _ in tracks], list(pieces))))
    assert sound.shape == (samples, 2)
    return sound, pieces


def check_seamless(sound: np.ndarray, pieces: tuple[Piece, ...], *, within_db: float) -> None:
    """Around each seam the level stays as it is elsewhere, and no wave jumps."""
    levels = levels_db(sound, 0.4)
    steps = np.abs(np.diff(sound[:, 0]))
    near = np.zeros(len(levels), bool)
    for piece in pieces[1:]:
        near[max(0, round((piece.at / HZ - 0.5) / 0.05)) : round(((piece.at + piece.fade) / HZ + 0.1) / 0.05)] = True
    assert levels[near].min() > levels[~near].min() - within_db
    assert levels[near].max() < levels[~near].max() + within_db
    for piece in pieces[1:]:
        for edge in (piece.at, piece.at + piece.fade):
            assert steps[edge - 5 : edge + 5].max() <= np.percentile(steps, 99.9) * 1.5


@pytest.mark.parametrize("bpm", [100.0, 128.0, None])
def test_a_short_track_goes_on_without_a_seam(tmp_path: Path, bpm: float | None) -> None:
    sound, pieces = bed([decoded(tmp_path / "a", tune(20.3, bpm=bpm))], 50)
    check_seamless(sound, pieces, within_db=1.5)


def test_its_beats_go_on_as_well(tmp_path: Path) -> None:
    sound, pieces = bed([decoded(tmp_path / "a", tune(20.3, bpm=120, level=0.05))], 50)
    drums = np.abs(sound[:, 0]) > np.abs(sound[:, 0]).max() * 0.6
    times_s = np.flatnonzero(drums) / HZ
    beats_s = times_s[np.diff(times_s, prepend=-1) > 0.2]
    assert len(pieces) >= 3 and len(beats_s) > 90
    assert np.abs(np.diff(beats_s) - 0.5).max() < 0.03


def test_one_track_gives_way_to_another_without_a_seam(tmp_path: Path) -> None:
    tracks = [decoded(tmp_path / str(seed), tune(15 + seed, bpm=90 + 20 * seed, seed=seed)) for seed in range(3)]
    sound, pieces = bed(tracks, 60)
    assert [piece.track for piece in pieces[:3]] == [0, 1, 2]
    check_seamless(sound, pieces, within_db=2.0)


def test_waves_that_would_cancel_each_other_do_not(tmp_path: Path) -> None:
    """A pure tone that comes again half a wave late."""
    at = np.arange(round(10.0023 * HZ)) / HZ
    sound, pieces = bed([decoded(tmp_path / "a", (np.sin(2 * np.pi * 220 * at) * 0.3).astype(np.float32))], 25)
    levels = levels_db(sound, 0.05)
    assert levels.max() - levels.min() < 1.0
    assert len(pieces) >= 3


def test_a_track_of_another_length_than_was_said_is_filled_up_with_silence(tmp_path: Path) -> None:
    track, _ = decoded(tmp_path / "a", tune(2))
    pieces = [Piece(track=0, start=0, samples=3 * HZ, at=0)]
    sound = np.concatenate(list(lay([track], pieces)))
    assert sound.shape == (3 * HZ, 2)
    assert np.abs(sound[2 * HZ :]).max() == 0
