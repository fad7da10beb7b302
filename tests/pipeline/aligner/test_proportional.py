from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgend.errors import StepError
from vidgend.pipeline.aligner.fake import FakeAligner
from vidgend.pipeline.aligner.map_words import spoken_length
from vidgend.pipeline.aligner.proportional import Proportional, spread
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.fake import FakeSpeech

TEXT = "The sea is deep, and cold. Nobody has seen most of it; not yet, at least. We will go."


async def test_words_are_found_close_to_where_they_sound(tmp_path: Path) -> None:
    engine = FakeSpeech(rate_hz=48_000)
    truth = await engine.synthesize(
        TEXT, voice="fake_a", language="en-US", speed=1.0, path=tmp_path / "a.wav", timeout_s=5
    )
    found = await Proportional().align(tmp_path / "a.wav", tuple(TEXT.split()), language="en-US", timeout_s=5)
    assert found.source == "proportional"
    assert [word.text for word in found.words] == TEXT.split()
    for word, true in zip(found.words, truth.words, strict=True):
        assert word.start_s == pytest.approx(true.start_s, abs=0.15)


async def test_a_sentence_starts_right_after_its_pause(tmp_path: Path) -> None:
    engine = FakeSpeech(rate_hz=48_000)
    truth = await engine.synthesize(
        TEXT, voice="fake_a", language="en-US", speed=1.0, path=tmp_path / "a.wav", timeout_s=5
    )
    found = await Proportional().align(tmp_path / "a.wav", tuple(TEXT.split()), language="en-US", timeout_s=5)
    nobody = TEXT.split().index("Nobody")
    assert found.words[nobody].start_s == pytest.approx(truth.words[nobody].start_s, abs=0.011)
    assert found.words[nobody - 1].end_s == pytest.approx(truth.words[nobody - 1].end_s, abs=0.011)


async def test_silence_alone_is_shared_out(tmp_path: Path) -> None:
    sound.write_wav(tmp_path / "s.wav", sound.silence(2.0, 48_000), 48_000)
    found = await Proportional().align(tmp_path / "s.wav", ("a", "b"), language="en", timeout_s=5)
    assert found.words[0].start_s == 0.0
    assert found.words[-1].end_s == pytest.approx(2.0)


async def test_a_file_that_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"nothing")
    with pytest.raises(StepError, match="cannot read the speech"):
        await Proportional().align(tmp_path / "a.wav", ("a",), language="en", timeout_s=5)


async def test_the_fake_gives_equal_slots(tmp_path: Path) -> None:
    sound.write_wav(tmp_path / "s.wav", sound.silence(2.0, 48_000), 48_000)
    found = await FakeAligner().align(tmp_path / "s.wav", ("a", "b"), language="en", timeout_s=5)
    assert [(word.start_s, word.end_s) for word in found.words] == [(0.0, 1.0), (1.0, 2.0)]
    with pytest.raises(StepError, match="deaf"):
        await FakeAligner(fail="deaf").align(tmp_path / "s.wav", ("a",), language="en", timeout_s=5)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.text(alphabet="abc1.,!?—", min_size=1, max_size=8), max_size=30),
    st.lists(st.floats(0.001, 3), min_size=2, max_size=21),
)
def test_times_are_always_ordered_and_inside(words: list[str], lengths: list[float]) -> None:
    edges = [0.0]
    for length in lengths:
        edges.append(edges[-1] + length)
    if len(edges) % 2:
        edges.pop()
    pauses = list(zip(edges[::2], edges[1::2], strict=True))
    if len(pauses) < 2:
        pauses = [(0.0, 0.0), (edges[-1], edges[-1])]
    length_s = pauses[-1][1]
    found = spread(words, [spoken_length(word) for word in words], pauses, length_s)
    assert [word.text for word in found] == words
    flat = [0.0, *(at for word in found for at in (word.start_s, word.end_s)), length_s]
    for earlier, later in pairwise(flat):
        assert earlier <= later + 1e-6
