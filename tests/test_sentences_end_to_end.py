"""A narration sentence by sentence in whole jobs: what is kept, what a crash costs, what the markup does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

from workshop import Heard, clips, fake_footage, make, result, settings_for, workshop

from vidgend.models import Result, Word
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.pipeline.speech.kokoro_onnx import KokoroOnnx
from vidgend.pipeline.speech.port import Utterance
from vidgend.pipeline.transcriber.fake import FakeTranscriber
from vidgend.pipeline.transcriber.port import Transcript

PLAIN = {"quality": "draft", "music": "none"}
SENTENCES = (
    "The harbour wakes up before the sun does.",
    "Boats leave one after the other for the bay.",
    "Nobody says a word until the nets are out.",
)


def cpu_ticks(pid: int) -> int:
    """What a process has worked so far, all its threads together, in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


async def words_of(runtime: Any, made: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((await runtime.assets.local(made.files["words"].digest)).read_text())[
        "words"
    ]
    return found


async def test_an_edit_speaks_only_the_sentence_that_changed(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files, voice = clips(ffmpeg.path, tmp_path / "clips", 1), Heard()
    async with workshop(tmp_path / "data", providers=(fake_footage(files),), engines=(voice,)) as runtime:
        result(await make(runtime, scenes=[{"narration": " ".join(SENTENCES), "query": "sea"}], **PLAIN))
        assert sorted(voice.texts) == sorted(SENTENCES)
        changed = (SENTENCES[0], "Boats come back one after the other at night.", SENTENCES[2])
        made = result(await make(runtime, scenes=[{"narration": " ".join(changed), "query": "sea"}], **PLAIN))
        assert voice.texts[3:] == [changed[1]]
        words = await words_of(runtime, made)
    assert [word["word"] for word in words] == " ".join(changed).split()
    starts = [word["start"] for word in words]
    assert starts == sorted(starts)


async def test_markup_is_heard_and_not_seen(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files, voice = clips(ffmpeg.path, tmp_path / "clips", 1), Heard()
    script = (
        'The <say-as interpret-as="characters">RAF</say-as> left at dawn.<break time="1500ms"/> Nobody <b>saw</b> them.'
    )
    async with workshop(tmp_path / "data", providers=(fake_footage(files),), engines=(voice,)) as runtime:
        made = result(await make(runtime, script=script, **PLAIN))
        words = await words_of(runtime, made)
    assert voice.texts == ["The R ay F left at dawn.", "Nobody <b>saw</b> them."]
    assert [word["word"] for word in words] == "The RAF left at dawn. Nobody <b>saw</b> them.".split()
    assert words[5]["start"] - words[4]["end"] > 1.5
    assert made.degraded == ()


async def test_a_voice_that_is_killed_in_the_middle_of_a_sentence_costs_that_sentence(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    """The real one: Kokoro's process gets SIGKILL while it speaks the second sentence."""
    files = clips(ffmpeg.path, tmp_path / "clips", 1)

    class Watched(KokoroOnnx):
        begun: list[str] = []  # noqa: RUF012

        async def synthesize(self, text: str, **more: Any) -> Utterance:
            self.begun.append(text)
            speaking = asyncio.create_task(super().synthesize(text, **more))
            if text == SENTENCES[1] and self.begun.count(text) == 1:
                child = self._model.service._child
                assert child is not None, "it spoke the first one"
                worked = cpu_ticks(child.process.pid)
                while cpu_ticks(child.process.pid) < worked + 5:
                    assert not speaking.done(), "a sentence takes longer than that"
                    await asyncio.sleep(0)
                os.kill(child.process.pid, signal.SIGKILL)
            return await speaking

    voice = Watched(models_dir=tmp_path / "models")
    engines: Any = (voice, FakeSpeech())
    async with workshop(tmp_path / "data", providers=(fake_footage(files),), engines=engines) as runtime:
        scenes = [{"narration": " ".join(SENTENCES), "query": "sea"}]
        made = result(await make(runtime, scenes=scenes, voice="af_heart", **PLAIN))
    assert [voice.begun.count(text) for text in SENTENCES] == [1, 2, 1]
    assert made.report["voice"] == ["kokoro-onnx af_heart"] and made.degraded == ()


class Mumbler(FakeSpeech):
    """Says something else when it is asked for the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    async def synthesize(self, text: str, **more: Any) -> Utterance:
        self.texts.append(text)
        said = "Hm. " * len(text.split()) if self.texts.count(text) == 1 else text
        return await super().synthesize(said, **more)


class Ear(FakeTranscriber):
    """Hears other words in the first thing that it is given."""

    async def transcribe(self, wav: Path, **more: Any) -> Transcript:
        heard = await super().transcribe(wav, **more)
        return heard if len(self.requests) > 1 else replace(heard, words=())


async def test_with_listening_a_sentence_that_says_something_else_is_spoken_again(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    files, voice = clips(ffmpeg.path, tmp_path / "clips", 1), Mumbler()
    ear = Ear([Word(text=text, start_s=n * 0.3, end_s=n * 0.3 + 0.2) for n, text in enumerate(SENTENCES[0].split())])
    settings = settings_for(tmp_path / "data", VIDGEND_SPEECH__LISTEN="true")
    parts: Any = {"providers": (fake_footage(files),), "engines": (voice,), "settings": settings, "transcriber": ear}
    async with workshop(tmp_path / "data", **parts) as runtime:
        made = result(await make(runtime, scenes=[{"narration": SENTENCES[0], "query": "sea"}], **PLAIN))
        assert voice.texts == [SENTENCES[0]] * 2 and made.degraded == ()
        again = result(await make(runtime, scenes=[{"narration": SENTENCES[1], "query": "sea"}], **PLAIN))
    assert voice.texts[2:] == [SENTENCES[1]] * 2
    (told,) = again.degraded
    assert told.scene == 1 and "% of its words are heard" in told.reason
