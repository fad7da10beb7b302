"""What every speech engine promises. Real models: Kokoro of the base install, Piper and espeak-ng where they are."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
import wave
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from vidgend.errors import SpeechFailed, StepTimeout, ToolMissing
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.pipeline.speech.port import SpeechEngine, Utterance
from vidgend.pipeline.speech.select import build_engines
from vidgend.pipeline.speech.sound import Samples, read_wav

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = "Dr. Lee, “the diver”, paid $2,000 in 1999 🌊 — and saw 50% more."
SHORT = "The sea is deep."
LONG = "Below two hundred meters, sunlight fades, and the water turns cold, dark and still. " * 40
IN_CHILD = ("kokoro-onnx", "piper")
LOAD_S = 120


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """An engine, a folder for its files, and what it made of TEXT."""

    engine: SpeechEngine
    folder: Path
    spoken: Utterance

    async def say(self, text: str, name: str, *, speed: float = 1.0, voice: str = "") -> Utterance:
        return await self.engine.synthesize(
            text,
            voice=voice or self.engine.voices()[0].id,
            language="en-US",
            speed=speed,
            path=self.folder / f"{name}.wav",
            timeout_s=LOAD_S,
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["fake", "kokoro-onnx", "piper", "espeak-ng"])
async def speaker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Speaker]:
    folder = tmp_path_factory.mktemp(request.param)
    engine: SpeechEngine
    if request.param == "fake":
        engine = FakeSpeech()
    else:
        try:
            engine = build_engines(request.param, models_dir=folder, hub_dir=folder)[0]
        except ToolMissing as error:
            pytest.skip(error.detail)
    voice = engine.voices()[0].id
    try:
        spoken = await engine.synthesize(
            TEXT, voice=voice, language="en-US", speed=1.0, path=folder / "text.wav", timeout_s=LOAD_S
        )
        yield Speaker(engine=engine, folder=folder, spoken=spoken)
    finally:
        await engine.aclose()


def loaded(path: Path) -> Samples:
    return read_wav(path)[0]


async def test_the_sound_is_a_mono_16_bit_wav_of_the_length_it_says(speaker: Speaker) -> None:
    with wave.open(str(speaker.spoken.path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        assert (file.getnframes(), file.getframerate()) == (speaker.spoken.samples, speaker.spoken.rate_hz)
    assert speaker.spoken.samples / speaker.spoken.rate_hz > 1.5


async def test_the_sound_is_neither_silent_nor_clipped(speaker: Speaker) -> None:
    samples = loaded(speaker.spoken.path)
    assert float(np.abs(samples).max()) < 1.0
    assert 20 * np.log10(np.sqrt(np.mean(np.square(samples)))) > -40


async def test_words_are_the_texts_own_words_in_order_and_inside_the_sound(speaker: Speaker) -> None:
    words = speaker.spoken.words
    if speaker.engine.name == "espeak-ng":
        assert words == ()
        return
    assert [word.text for word in words] == TEXT.split()
    flat = [0.0, *(at for word in words for at in (word.start_s, word.end_s))]
    assert flat == sorted(flat)
    assert flat[-1] <= speaker.spoken.samples / speaker.spoken.rate_hz


async def test_words_that_are_spoken_take_time_and_the_money_takes_most(speaker: Speaker) -> None:
    lengths = {word.text: word.end_s - word.start_s for word in speaker.spoken.words}
    if not lengths:
        assert speaker.engine.name == "espeak-ng"
        return
    assert all(seconds > 0.02 for text, seconds in lengths.items() if text not in ("🌊", "—"))
    if speaker.engine.name in IN_CHILD:
        assert lengths["$2,000"] > 2 * lengths["paid"]
        assert lengths["🌊"] == 0


async def test_the_same_text_sounds_the_same_every_time(speaker: Speaker) -> None:
    first, second = await speaker.say(SHORT, "one"), await speaker.say(SHORT, "two")
    assert np.array_equal(loaded(first.path), loaded(second.path))
    assert first.words == second.words


async def test_faster_speech_is_shorter(speaker: Speaker) -> None:
    normal, fast = await speaker.say(SHORT, "normal"), await speaker.say(SHORT, "fast", speed=1.6)
    assert fast.samples < 0.85 * normal.samples


async def test_every_voice_belongs_to_the_engine_and_has_a_tag_of_its_language(speaker: Speaker) -> None:
    for voice in speaker.engine.voices():
        assert voice.engine == speaker.engine.name
        assert any(tag.startswith(voice.language) for tag in voice.tags)


async def test_what_cannot_be_spoken_is_refused(speaker: Speaker) -> None:
    with pytest.raises(SpeechFailed, match="no voice"):
        await speaker.say(SHORT, "bad", voice="nobody")
    with pytest.raises(SpeechFailed, match="no text"):
        await speaker.say(" \n", "bad")
    with pytest.raises(SpeechFailed, match="speed"):
        await speaker.say(SHORT, "bad", speed=5.0)
    assert not (speaker.folder / "bad.wav").exists()


async def test_a_lone_emoji_is_a_moment_of_sound_and_not_an_error(speaker: Speaker) -> None:
    spoken = await speaker.say("🌊", "emoji")
    assert spoken.samples > 0
    assert [word.text for word in spoken.words] in (["🌊"], [])


async def test_too_little_time_is_a_timeout(speaker: Speaker) -> None:
    if speaker.engine.name in ("fake", "espeak-ng"):
        pytest.skip("finishes at once")
    with pytest.raises(StepTimeout):
        await speaker.engine.synthesize(
            LONG,
            voice=speaker.engine.voices()[0].id,
            language="en-US",
            speed=1.0,
            path=speaker.folder / "late.wav",
            timeout_s=0.05,
        )


async def test_cancelling_leaves_no_process_behind_and_the_engine_still_speaks(speaker: Speaker) -> None:
    task = asyncio.create_task(speaker.say(LONG, "cancelled"))
    pids = await until(children, task)
    task.cancel()
    began = time.monotonic()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 3
    assert not set(pids) & set(children())
    assert (await speaker.say(SHORT, "after")).samples > 0


async def test_a_killed_child_is_an_error_and_the_next_request_works(speaker: Speaker) -> None:
    if speaker.engine.name not in IN_CHILD:
        pytest.skip("has no child that stays")
    task = asyncio.create_task(speaker.say(LONG, "killed"))
    for pid in await until(children, task):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(SpeechFailed, match="ended unexpectedly"):
        await task
    assert (await speaker.say(SHORT, "revived")).samples > 0


def children() -> list[int]:
    """Processes that this one started and that still run a speech engine."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            command = (stat.parent / "cmdline").read_bytes()
            ours = int(fields[1]) == os.getpid() and fields[0] != "Z"
            if ours and (b"speech.child" in command or b"espeak" in command):
                found.append(int(stat.parent.name))
    return found


async def until(look: Callable[[], list[int]], task: asyncio.Task[Utterance]) -> list[int]:
    """What `look` finds while `task` runs, or nothing if it ends first."""
    await asyncio.sleep(0)  # it has begun: the process may be there from before
    while not (found := look()):
        done, _ = await asyncio.wait({task}, timeout=0.02)
        if done:
            return []
    return found
