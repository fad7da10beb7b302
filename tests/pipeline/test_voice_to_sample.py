"""Samples of voices: in the voice's language, one at a time, and only while no job wants the place."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from vidgend.errors import NotFound, ToolMissing, UnknownVoice, VidgendError, VoiceBusy, VoiceUnavailable
from vidgend.pipeline import sample_texts
from vidgend.pipeline.executor.port import Load, StepEvent, StepSpec
from vidgend.pipeline.sample_texts import sample_text
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.pipeline.speech.port import Voice
from vidgend.pipeline.speech.sentences import sentences
from vidgend.pipeline.speech.voice_tables import ALL
from vidgend.pipeline.voice_to_sample import LONGEST_NAME, MOST_WAITING, VoiceSamples, speaker

DIGEST = "d" * 64
PIPELINE = Path(sample_texts.__file__).parent


class Executor:
    """Ends steps when `go` is set, and is as busy as `busy` says."""

    slots = {"cpu": 1, "ffmpeg": 2, "net": 4}  # noqa: RUF012

    def __init__(self) -> None:
        self.busy = {"cpu": Load(0, 0, 1), "ffmpeg": Load(0, 0, 2), "net": Load(0, 0, 4)}
        self.errors: list[VidgendError | None] = []
        """How the next steps end."""
        self.submitted: list[StepSpec] = []
        self.cancelled: list[str] = []
        self.go = asyncio.Event()
        self.go.set()

    async def load(self) -> dict[str, Load]:
        return self.busy

    async def submit(self, spec: StepSpec, progress: Any = None) -> str:
        self.submitted.append(spec)
        return spec.key

    async def wait(self, ref: str) -> StepEvent:
        await self.go.wait()
        if self.errors and (error := self.errors.pop(0)):
            return StepEvent(ref=ref, key=ref, state="failed", error=error)
        return StepEvent(ref=ref, key=ref, state="done", output={"digest": DIGEST, "heard": True})

    async def cancel(self, ref: str) -> None:
        self.cancelled.append(ref)

    def kinds(self) -> list[str]:
        return [spec.kind for spec in self.submitted]


def samples(executor: Any, *, deadline_s: float = 5.0, engine: FakeSpeech | None = None) -> VoiceSamples:
    async def is_done(key: str) -> bool:
        return False

    engines = [engine or FakeSpeech()]
    return VoiceSamples(engines=engines, executor=executor, is_done=is_done, speed=1.0, deadline_s=deadline_s)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgend.pipeline.voice_to_sample._LOOK_S", 0.005)


async def test_a_sample_is_spoken_after_everything_of_jobs() -> None:
    executor = Executor()
    assert await samples(executor).make("en-US-male") == DIGEST
    speech, joined = executor.submitted
    assert (speech.kind, speech.label, speech.args["voice"]) == ("speech", "cpu", "fake_b")
    assert speech.args["text"] == sample_text("en-US")
    assert joined.kind == "narration"
    assert speech.priority < -100_000 and speech.job_id == "", "the last scene of a job comes before"


@pytest.mark.parametrize(
    ("busy", "waits"),
    [
        ({"cpu": Load(0, 0, 0), "ffmpeg": Load(0, 1, 0)}, True),  # no place for the model, whoever has them all
        ({"ffmpeg": Load(1, 1, 0)}, True),  # they would want the model's
        ({"cpu": Load(1, 1, 0)}, True),
        ({"cpu": Load(0, 1, 0)}, True),
        ({"ffmpeg": Load(0, 2, 0)}, False),  # the model has its own
        ({"net": Load(3, 4, 0)}, False),
    ],
)
async def test_it_is_begun_only_while_no_job_wants_the_place(busy: dict[str, Load], waits: bool) -> None:
    executor = Executor()
    executor.busy |= busy
    asked = asyncio.create_task(samples(executor).make("fake_a"))
    await asyncio.sleep(0.05)
    assert (executor.submitted == []) == waits
    executor.busy |= {"ffmpeg": Load(0, 0, 2), "cpu": Load(0, 0, 1)}
    assert await asked == DIGEST


async def test_a_machine_that_stays_busy_is_told_in_time() -> None:
    executor = Executor()
    executor.busy["ffmpeg"] = Load(5, 2, 0)
    with pytest.raises(VoiceBusy, match=r"within 0\.05 s"):
        await samples(executor, deadline_s=0.05).make("fake_a")
    assert executor.submitted == []


async def test_one_is_spoken_at_a_time_and_few_wait() -> None:
    executor = Executor()
    executor.go.clear()
    voices = tuple(Voice(id=f"v{n}", engine="fake", language="en-US", gender="male") for n in range(9))
    maker = samples(executor, engine=FakeSpeech(voices=voices))
    asked = [asyncio.create_task(maker.make(f"v{number}")) for number in range(MOST_WAITING + 1)]
    await asyncio.sleep(0.02)
    assert executor.kinds() == ["speech"]
    with pytest.raises(VoiceBusy, match="asked for already"):
        await maker.make("v8")
    asked.append(asyncio.create_task(maker.make("v4")))  # the same again is none more
    for one in asked[:2]:
        one.cancel()
    await asyncio.wait(asked[:2])
    assert executor.cancelled == [], "the one that is being spoken is spoken to its end"
    executor.go.set()
    assert await asyncio.gather(*asked[2:]) == [DIGEST] * MOST_WAITING
    assert [spec.args["voice"] for spec in executor.submitted if spec.kind == "speech"] == ["v0", "v2", "v3", "v4"]
    assert await maker.make("v8") == DIGEST


async def test_what_nobody_wants_any_more_ends_with_its_time_or_with_the_daemon() -> None:
    for ends_by in ("time", "daemon"):
        executor = Executor()
        executor.go.clear()
        maker = samples(executor, deadline_s=0.2)
        asked = asyncio.create_task(maker.make("fake_a"))
        await asyncio.sleep(0.02)
        asked.cancel()
        await asyncio.wait({asked})
        assert (executor.kinds(), executor.cancelled) == (["speech"], [])
        if ends_by == "daemon":
            await maker.aclose()
        async with asyncio.timeout(5):
            while not executor.cancelled:
                await asyncio.sleep(0.01)


async def test_whoever_still_has_time_is_not_told_that_anothers_is_up() -> None:
    executor = Executor()
    executor.go.clear()
    maker = samples(executor, deadline_s=0.3)
    first = asyncio.create_task(maker.make("fake_a"))
    await asyncio.sleep(0.15)
    second = asyncio.create_task(maker.make("fake_a"))
    with pytest.raises(VoiceBusy, match=r"within 0\.3 s"):
        await first
    executor.go.set()
    assert await second == DIGEST


async def test_those_who_wait_while_it_stops_are_told() -> None:
    executor = Executor()
    executor.go.clear()
    maker = samples(executor)
    asked = [asyncio.create_task(maker.make(name)) for name in ("fake_a", "fake_b")]
    await asyncio.sleep(0.02)
    await maker.aclose()
    for one in asked:
        with pytest.raises(VoiceBusy, match="is stopping"):
            await one


async def test_a_sentence_that_goes_between_two_steps_is_spoken_again_once() -> None:
    executor = Executor()
    executor.errors = [None, NotFound("no asset")]
    assert await samples(executor).make("fake_a") == DIGEST
    assert executor.kinds() == ["speech", "narration"] * 2
    executor.errors = [None, NotFound("no asset"), None, NotFound("no asset")]
    with pytest.raises(VoiceBusy, match="went while it was made: no asset"):
        await samples(executor).make("fake_a")


async def test_a_program_that_is_missing_makes_it_unavailable() -> None:
    executor = Executor()
    executor.errors = [None, ToolMissing("no usable ffmpeg")]
    with pytest.raises(VoiceUnavailable, match="no usable ffmpeg") as caught:
        await samples(executor).make("fake_a")
    assert caught.value.hint == ToolMissing.hint


def test_nobody_speaks_in_anothers_stead() -> None:
    engines = [FakeSpeech()]
    assert speaker("en-US", engines).voice.id == "fake_a"
    for name in ("af_heart", "fr", "fr-CA-male", "fake_a+fake_b"):  # this engine does not blend
        with pytest.raises(VoiceUnavailable):
            speaker(name, engines)
    for name in ("nobody", "", "en-AU-male", "fake_a+", "a" * (LONGEST_NAME + 1)):
        with pytest.raises(UnknownVoice):
            speaker(name, engines)
    with pytest.raises(VoiceUnavailable):
        speaker("af_heart", [])


@pytest.mark.parametrize("language", sorted({voice.language for voice in ALL}))
def test_every_language_of_a_voice_has_a_sentence_that_is_said_as_it_is_written(language: str) -> None:
    text = sample_text(language)
    assert text and not any(char.isdigit() for char in text)
    (one,) = sentences(text, language=language, pronunciations={}).sentences
    assert one.said == text


def test_other_sentences_for_samples_do_not_change_the_key_of_any_speech() -> None:
    """That key holds a hash over the code of the whole folder `speech`: see `code_version.py`."""
    for file in (PIPELINE / "speech").rglob("*.py"):
        assert sample_text("de") not in file.read_text(encoding="utf-8"), file
