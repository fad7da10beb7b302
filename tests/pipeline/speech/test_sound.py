from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from vidgend.pipeline.speech import sound

RATE = 24_000


def tone(seconds: float, level: float = 0.5) -> sound.Samples:
    time_s = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)


def padded(*parts: float) -> sound.Samples:
    """Silence and tone by turns, silence first; lengths in seconds."""
    return sound.join([sound.silence(s, RATE) if i % 2 == 0 else tone(s) for i, s in enumerate(parts)])


def test_trimming_leaves_the_known_margins() -> None:
    kept, cut = sound.trim(padded(0.4, 1.0, 0.6), RATE)
    assert cut / RATE == pytest.approx(0.4 - sound.LEAD_S, abs=0.006)
    assert len(kept) / RATE == pytest.approx(1.0 + sound.LEAD_S + sound.TAIL_S, abs=0.012)


def test_silence_alone_is_left_as_it_is() -> None:
    kept, cut = sound.trim(sound.silence(0.5, RATE), RATE)
    assert (len(kept), cut) == (RATE // 2, 0)


def test_pauses_are_found_between_the_silences_around() -> None:
    found = sound.pauses(padded(0.2, 0.5, 0.1, 0.5, 0.03, 0.5, 0.3), RATE, 0.06)
    assert [pytest.approx(span, abs=0.006) for span in [(0.0, 0.2), (0.7, 0.8), (1.83, 2.13)]] == found


@pytest.mark.parametrize("parts", [(0.0, 0.5), (0.0, 0.5, 0.2), (0.2, 0.5), (0.5,)])
def test_there_is_always_a_first_and_a_last_pause(parts: tuple[float, ...]) -> None:
    samples = padded(*parts)
    found = sound.pauses(samples, RATE, 0.06)
    assert len(found) == 2
    assert found[0][0] == 0.0
    assert found[-1][1] == pytest.approx(len(samples) / RATE)


def test_limiting_keeps_what_is_quiet_and_bends_what_is_loud() -> None:
    samples = np.array([0.0, 0.5, -0.79, 0.9, -1.5, 8.0], dtype=np.float32)
    limited = sound.limit(samples)
    assert np.array_equal(limited[:3], samples[:3])
    assert 0.8 < limited[3] < 0.9
    assert np.abs(limited).max() <= sound.CEILING
    assert list(np.sign(limited)) == list(np.sign(samples))
    assert limited.dtype == np.float32


def test_a_wav_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    sound.write_wav(tmp_path / "a.wav", tone(0.1), RATE)
    back, rate_hz = sound.read_wav(tmp_path / "a.wav")
    assert rate_hz == RATE
    assert np.abs(back - tone(0.1)).max() < 1e-4


def test_two_channels_are_averaged(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "s.wav"), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.array([[1000, 3000]] * 4, dtype="<i2").tobytes())
    back, _ = sound.read_wav(tmp_path / "s.wav")
    assert list(back) == pytest.approx([2000 / 32768] * 4)


def test_a_file_that_is_no_wav_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no sound at all")
    with pytest.raises(ValueError, match="not a PCM WAV"):
        sound.read_wav(tmp_path / "a.wav")


def test_wavs_are_joined_with_their_silences_and_only_if_they_fit(tmp_path: Path) -> None:
    one, two, other = tmp_path / "1.wav", tmp_path / "2.wav", tmp_path / "3.wav"
    sound.write_wav(one, np.full(100, 0.5, np.float32), 1000)
    sound.write_wav(two, np.full(2500, -0.5, np.float32), 1000)
    sound.write_wav(other, np.full(10, 0.5, np.float32), 2000)
    sound.join_wavs([one, two], [0.05, 1.2], 0.3, tmp_path / "all.wav")
    samples, rate_hz = sound.read_wav(tmp_path / "all.wav")
    assert rate_hz == 1000 and len(samples) == 50 + 100 + 1200 + 2500 + 300 == sound.wav_samples(tmp_path / "all.wav")
    assert [float(samples[at]) > 0.4 for at in (49, 50, 149, 150)] == [False, True, True, False]
    assert float(samples[1350]) < -0.4 and not samples[-300:].any()
    with pytest.raises(ValueError, match="formats"):
        sound.join_wavs([one, other], [0, 0], 0, tmp_path / "all.wav")
