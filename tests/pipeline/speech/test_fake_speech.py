from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from vidgend.errors import SpeechFailed
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.fake import LEAD_S, SECONDS_PER_CHAR, FakeSpeech


async def test_the_fakes_words_sound_exactly_where_it_says(tmp_path: Path) -> None:
    spoken = await FakeSpeech().synthesize(
        "One two, three.", voice="fake_a", language="en-US", speed=1.0, path=tmp_path / "a.wav", timeout_s=1
    )
    assert spoken.words[0].start_s == pytest.approx(LEAD_S)
    assert spoken.words[2].end_s - spoken.words[2].start_s == pytest.approx(6 * SECONDS_PER_CHAR, abs=1e-3)
    samples, rate_hz = sound.read_wav(tmp_path / "a.wav")
    pauses = sound.pauses(samples, rate_hz, 0.03)
    for word, (before, behind) in zip(spoken.words, pairwise(pauses), strict=True):
        assert word.start_s == pytest.approx(before[1], abs=0.011)
        assert word.end_s == pytest.approx(behind[0], abs=0.011)


async def test_the_fake_can_fail_and_can_lack_word_times(tmp_path: Path) -> None:
    failing = FakeSpeech(fail="out of voice")
    with pytest.raises(SpeechFailed, match="out of voice"):
        await failing.synthesize(
            "Hi", voice="fake_a", language="en-US", speed=1.0, path=tmp_path / "a.wav", timeout_s=1
        )
    assert failing.requests == 1
    wordless = await FakeSpeech(gives_words=False).synthesize(
        "Hi", voice="fake_a", language="en-US", speed=1.0, path=tmp_path / "a.wav", timeout_s=1
    )
    assert wordless.words == ()
