"""Speech as a whole job has it: said by the dictionary, written by the script, by a server while there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from standins.speech_standin import SpeechStandin
from workshop import Heard, clips, fake_footage, make, result, settings_for, workshop

from vidgend.pipeline.aligner.fake import FakeAligner
from vidgend.pipeline.aligner.proportional import CONFIDENCE, Proportional
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.pipeline.speech.port import Voice
from vidgend.pipeline.speech.speech_server import SpeechServer

SCRIPT = "Nginx runs on the sea. The waves do not mind."


async def test_words_are_said_as_the_dictionary_says_and_written_as_the_script_does(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    files, speech = clips(ffmpeg.path, tmp_path / "clips", 2), Heard()
    settings = settings_for(tmp_path / "data", VIDGEND_SPEECH__PRONUNCIATIONS='{ nginx = "engine ex" }')
    parts: dict[str, Any] = {"settings": settings, "providers": (fake_footage(files),), "engines": (speech,)}
    async with workshop(tmp_path / "data", **parts) as runtime:
        made = result(await make(runtime, script=SCRIPT, quality="draft"))
        words = json.loads((await runtime.assets.local(made.files["words"].digest)).read_text())["words"]
    assert "engine ex" in " ".join(speech.texts) and "Nginx" not in " ".join(speech.texts)
    assert " ".join(word["word"] for word in words) == SCRIPT
    assert made.report["words_source"] == ["engine"], "the engine's own times, given back to the word that is written"
    assert words[0]["end"] - words[0]["start"] > 0.06 * len("engineex"), "as long as both of its words together"


async def test_a_server_speaks_and_when_it_is_gone_the_next_engine_does_and_that_is_said(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    async with SpeechStandin() as server:
        engines = (
            SpeechServer(
                base_url=server.base_url, model="m", voices=("fake_a",), language="en-US", retry_wait_s=0.01
            ),
            FakeSpeech(),
        )  # fmt: skip
        parts: dict[str, Any] = {"providers": (fake_footage(files),), "engines": engines}
        async with workshop(tmp_path / "data", **parts) as runtime:
            made = result(await make(runtime, script=SCRIPT, quality="draft"))
            assert [entry for entry in made.degraded if entry.stage == "narrating"] == []
            assert made.report["words_source"] == ["proportional"]
            assert {request["voice"] for request in server.requests} == {"fake_a"}
            await server.__aexit__()
            again = result(await make(runtime, script="Other words of the sea.", quality="draft"))
    (entry,) = [entry for entry in again.degraded if entry.stage == "narrating"]
    assert entry.used.startswith("fake") and "speech server" in entry.reason


async def test_the_next_aligner_takes_over_and_one_that_does_not_hear_the_language_is_not_asked(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    deaf = FakeAligner(fail="deaf", english_only=True)
    german = Voice(id="fake_de", engine="fake", language="de-DE", gender="female", tags=("de-DE-female",))
    voices = (*FakeSpeech().voices(), german)
    parts: dict[str, Any] = {
        "providers": (fake_footage(clips(ffmpeg.path, tmp_path / "clips", 2)),),
        "engines": (FakeSpeech(voices=voices, gives_words=False),),
        "aligners": (deaf, Proportional()),
    }
    async with workshop(tmp_path / "data", **parts) as runtime:
        made = result(await make(runtime, script=SCRIPT, quality="draft"))
        (entry,) = [entry for entry in made.degraded if entry.stage == "aligning"]
        assert (entry.wanted, entry.used, entry.reason) == ("fake", "proportional", "deaf")
        assert (made.report["words_source"], made.report["words_confidence"]) == (["proportional"], CONFIDENCE)
        asked = deaf.requests
        made = result(await make(runtime, script="Das Meer ist tief.", language="de", voice="fake_de", quality="draft"))
    assert made.report["words_source"] == ["proportional"]
    assert [entry for entry in made.degraded if entry.stage == "aligning"] == []
    assert deaf.requests == asked > 0
