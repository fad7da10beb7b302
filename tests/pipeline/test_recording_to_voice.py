"""A recording is decoded, its noise taken away, and its pauses found: the real ffmpeg on tones in noise."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from studio import Studio, open_studio

from vidgend.errors import NothingSaid
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.recording_args import clean_args, decode_args
from vidgend.pipeline.recording_levels import (
    Noise,
    hushes_of,
    is_silent,
    levels_of,
    loud_runs,
    noise_and_words_db,
    noise_of,
    pauses_between,
    silence_db,
)
from vidgend.pipeline.recording_to_voice import RecordingStep
from vidgend.pipeline.speech import sound
from vidgend.timebase import SAMPLE_RATE_HZ

BURSTS = [(1.0, 1.8), (2.4, 3.0), (3.05, 3.6), (5.0, 6.0)]
LENGTH_S = 7.3
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, capture_output=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs a program and tells its memory in KiB. A child of this process would seem as large as the process is."""


def recording(path: Path, *, noise: float) -> np.ndarray:
    """Bursts of a sound with the partials of a voice, and noise all the time."""
    chance = np.random.default_rng(3)
    time_s = np.arange(round(LENGTH_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    voice = sum(np.sin(2 * np.pi * 140 * n * time_s) / n for n in range(1, 12)) * 0.15
    spoken = np.zeros_like(time_s)
    for start_s, end_s in BURSTS:
        spoken[(time_s >= start_s) & (time_s < end_s)] = 1
    samples = (voice * spoken + noise * chance.standard_normal(len(time_s))).astype(np.float32)
    sound.write_wav(path, samples, SAMPLE_RATE_HZ)
    return samples


@pytest.fixture(scope="module")
def noisy(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with raw.wav, and voice.wav that was made of it."""
    folder = tmp_path_factory.mktemp("noisy")
    recording(folder / "raw.wav", noise=0.006)
    noise = noise_of(levels_of(folder / "raw.wav"))
    assert noise is not None
    asyncio.run(ffmpeg.run(clean_args(noise), cwd=folder, timeout_s=60))
    return folder


def test_noise_is_softer_and_the_voice_is_where_it_was(noisy: Path) -> None:
    raw, _ = sound.read_wav(noisy / "raw.wav")
    voice, rate_hz = sound.read_wav(noisy / "voice.wav")
    assert (len(voice), rate_hz) == (len(raw), SAMPLE_RATE_HZ), "sample for sample"
    twice = 2 * len(raw)
    product = np.fft.irfft(np.fft.rfft(voice, twice) * np.conj(np.fft.rfft(raw, twice)))
    shift = int(np.argmax(product))
    # A high-pass moves low partials by a tenth of a millisecond; the delay of `afftdn` would be 25.
    assert min(shift, twice - shift) <= 24, "the delay of the filter is taken off again"
    before, after = levels_of(noisy / "raw.wav"), levels_of(noisy / "voice.wav")
    quiet, loud = slice(400, 480), slice(510, 590)
    assert float(np.mean(before[quiet] - after[quiet])) > 9
    assert abs(float(np.mean(before[loud] - after[loud]))) < 1


def test_pauses_are_found_by_the_recordings_own_noise(noisy: Path) -> None:
    for name in ("raw.wav", "voice.wav"):
        levels = levels_of(noisy / name)
        runs = loud_runs(levels, silence_db(levels))
        assert (runs[0][0], runs[-1][1]) == pytest.approx((1.0, 6.0), abs=0.03)
        assert pauses_between(runs) == [pytest.approx(pause, abs=0.03) for pause in [(1.8, 2.4), (3.6, 5.0)]]


def test_what_is_clean_or_all_words_or_switched_off_has_no_noise_to_learn(tmp_path: Path) -> None:
    recording(tmp_path / "clean.wav", noise=0.0)
    assert noise_of(levels_of(tmp_path / "clean.wav")) is None
    recording(tmp_path / "drowned.wav", noise=0.2)
    assert noise_of(levels_of(tmp_path / "drowned.wav")) is None
    samples = recording(tmp_path / "muted.wav", noise=0.006)
    samples[: round(0.9 * SAMPLE_RATE_HZ)] = 0
    sound.write_wav(tmp_path / "muted.wav", samples, SAMPLE_RATE_HZ)
    found = noise_of(levels_of(tmp_path / "muted.wav"))
    assert found is not None and found.start_s >= 0.9 and found.end_s - found.start_s == pytest.approx(0.4)
    assert noise_of(np.zeros(10, np.float32)) is None


async def test_all_channels_and_rates_become_one(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "recording.media"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22_050)
        tone = (np.sin(np.arange(22_050) * 0.1) * 8000).astype("<i2")
        file.writeframes(np.stack([tone, tone], axis=1).tobytes())
    await ffmpeg.run(decode_args(["-f", "wav"], longest_s=0.5), cwd=tmp_path, timeout_s=30)
    samples, rate_hz = sound.read_wav(tmp_path / "raw.wav")
    assert (len(samples), rate_hz) == (24_000, SAMPLE_RATE_HZ)
    await ffmpeg.run(clean_args(None), cwd=tmp_path, timeout_s=30)
    assert len(sound.read_wav(tmp_path / "voice.wav")[0]) == 24_000
    floor_db, words_db = noise_and_words_db(levels_of(tmp_path / "voice.wav"))
    assert abs(floor_db - words_db) < 3


def test_the_noise_is_learnt_where_it_lies_without_holding_what_is_before_it(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    minutes = np.random.default_rng(3).standard_normal(300 * SAMPLE_RATE_HZ, np.float32) * 0.006
    sound.write_wav(tmp_path / "raw.wav", minutes, SAMPLE_RATE_HZ)
    noise = Noise(start_s=299.6, end_s=300.0, level_db=-44.4)
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, ffmpeg.path, *clean_args(noise)], cwd=tmp_path, capture_output=True, check=True
    )
    assert int(ran.stdout) < 80 * 1024, "KiB"
    voice, _ = sound.read_wav(tmp_path / "voice.wav")
    assert len(voice) == len(minutes)
    assert 20 * np.log10(np.std(voice[-SAMPLE_RATE_HZ:]) / 0.006) < -9, "up to the end"


def hum(hertz: float, level: float, *, offset: float = 0.0) -> np.ndarray:
    time_s = np.arange(3 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    return (level * np.sin(2 * np.pi * hertz * time_s) + offset).astype(np.float32)


@pytest.mark.parametrize(
    "samples",
    [hum(20, 0.01), hum(50, 0.0018), hum(50, 0.0005), hum(440, 0.0, offset=0.3), hum(50, 0.0005, offset=-0.9)],
    ids=["20 Hz", "50 Hz", "soft", "offset", "both"],
)
async def test_nothing_is_said_in_a_hum_or_an_offset(ffmpeg: Ffmpeg, tmp_path: Path, samples: np.ndarray) -> None:
    sound.write_wav(tmp_path / "hum.wav", samples, SAMPLE_RATE_HZ)
    async with open_studio(ffmpeg, tmp_path) as studio:
        with pytest.raises(NothingSaid):
            await heard(studio, tmp_path / "hum.wav")


def test_an_offset_of_the_recorder_changes_nothing(tmp_path: Path) -> None:
    samples = recording(tmp_path / "even.wav", noise=0.003)
    sound.write_wav(tmp_path / "offset.wav", (samples * 0.5 + 0.3).astype(np.float32), SAMPLE_RATE_HZ)
    levels = levels_of(tmp_path / "offset.wav")
    noise = noise_of(levels)
    assert noise is not None and noise.level_db == pytest.approx(-56.5, abs=1)
    assert pauses_between(loud_runs(levels, silence_db(levels))) == [
        pytest.approx(pause, abs=0.03) for pause in [(1.8, 2.4), (3.6, 5.0)]
    ]


def test_few_words_in_a_long_silence_are_words() -> None:
    levels = np.full(6200, -70.0, np.float32)
    levels[3000:3200] = -17
    assert not is_silent(levels)
    assert noise_and_words_db(levels) == pytest.approx((-70, -17))
    assert loud_runs(levels, silence_db(levels)) == [pytest.approx((30.0, 32.0))]
    noise = noise_of(levels)
    assert noise is not None and noise.level_db == pytest.approx(-70, abs=0.1)
    levels[3005:] = -70
    assert is_silent(levels), "a click"


def test_the_quietest_moment_of_each_minute_is_known() -> None:
    levels = np.full(15_050, -20.0, np.float32)
    levels[3000:3005], levels[9000:9010], levels[15_000:15_010] = -80, -40, -40
    levels[4000:4012] = -35
    assert hushes_of(levels) == [pytest.approx(at, abs=0.06) for at in (40.06, 90.05, 150.05)]
    assert hushes_of(levels[:6005])[1:] == [], "less than a moment"
    assert hushes_of(levels[:5]) == []


async def heard(studio: Studio, path: Path, *, keep_background: bool = False) -> dict[str, object]:
    step = RecordingStep(FfmpegTool(), studio.assets)
    args = {"asset": await studio.assets.put(path), "keep_background": keep_background}
    return (await step(args, studio.run())).output
