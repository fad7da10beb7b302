"""A speech server as an engine: what it sends is taken, what it gets wrong is called by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from standins.speech_standin import SpeechStandin, Step, said

from vidgend.errors import SpeechFailed, StepTimeout
from vidgend.pipeline.speech import speech_server
from vidgend.pipeline.speech.port import Utterance
from vidgend.pipeline.speech.select import build_engines
from vidgend.pipeline.speech.sound import read_wav
from vidgend.pipeline.speech.speech_server import SpeechServer, read_streamed_wav
from vidgend.settings.pipeline import SpeechServerSettings

TEXT = "The sea is deep."


async def spoken(server: SpeechStandin, path: Path, *, timeout_s: float = 20) -> Utterance:
    engine = SpeechServer(
        base_url=server.base_url, model="kokoro", voices=("af_heart", "nova"), language="de-DE", api_key="secret",
        retry_wait_s=0.01,
    )  # fmt: skip
    try:
        return await engine.synthesize(
            TEXT, voice="nova", language="de-DE", speed=1.5, path=path / "said.wav", timeout_s=timeout_s
        )
    finally:
        await engine.aclose()


@pytest.mark.parametrize("step", ["good", "streamed", "stereo"])
async def test_what_the_server_says_is_kept_as_a_sound_wav_whatever_its_head_says(step: Step, tmp_path: Path) -> None:
    async with SpeechStandin(script=[step]) as server:
        made = await spoken(server, tmp_path)
    samples, rate_hz = read_wav(made.path)
    assert (made.samples, made.rate_hz, made.words) == (len(samples), rate_hz, ())
    assert made.samples == len(read_streamed_wav(said(TEXT, speed=1.5))[0]) and abs(samples).max() > 0.2
    assert server.requests == [
        {"model": "kokoro", "input": TEXT, "voice": "nova", "speed": 1.5, "response_format": "wav"}
    ]
    assert server.keys_seen == ["Bearer secret"]


async def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    async with SpeechStandin(script=["busy", "drop", "good"]) as server:
        assert (await spoken(server, tmp_path)).samples
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("step", "says", "calls"),
    [
        ("unauthorized", "refused the key", 1),
        ("limited_long", "quota is used up", 1),
        ("garbage", "did not send a WAV", 1),
        ("mp3", "did not send a WAV", 1),
        ("empty", "sent no sound", 1),
        ("busy", "HTTP 503", 3),
    ],
)
async def test_what_is_no_speech_is_called_by_its_name(step: Step, says: str, calls: int, tmp_path: Path) -> None:
    async with SpeechStandin(script=[step]) as server:
        with pytest.raises(SpeechFailed, match=says) as failed:
            await spoken(server, tmp_path)
    assert len(server.requests) == calls and "secret" not in str(failed.value)
    assert not (tmp_path / "said.wav").exists()


async def test_a_server_that_takes_the_request_and_says_nothing_is_given_up_and_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_server, "LEAST_PATIENCE_S", 0.2)
    monkeypatch.setattr(speech_server, "CHARS_A_SECOND", 1000.0)
    async with SpeechStandin(script=["slow"]) as server:
        with pytest.raises(SpeechFailed, match="in time"):
            await spoken(server, tmp_path)
    assert len(server.requests) == 1


async def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    async with SpeechStandin(script=["slow"]) as server:
        with pytest.raises((StepTimeout, SpeechFailed)):
            await spoken(server, tmp_path, timeout_s=0.3)


@pytest.mark.parametrize("cut", [0, 4, 12, 20, 30, 43])
def test_a_head_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(ValueError):
        read_streamed_wav(said(TEXT)[:cut])


def test_a_server_that_was_set_up_comes_first_and_its_kokoro_voices_say_their_language(tmp_path: Path) -> None:
    server = SpeechServerSettings(base_url="http://127.0.0.1:9/v1", voices=("ff_siwis", "nova"), language="de-DE")
    engines = build_engines("auto", models_dir=tmp_path, hub_dir=tmp_path, server=server)
    assert engines[0].name == "server" and len(engines) > 1, "the others stand behind it"
    assert [(voice.id, voice.language) for voice in engines[0].voices()] == [("ff_siwis", "fr-FR"), ("nova", "de-DE")]
    (named,) = build_engines("server", models_dir=tmp_path, hub_dir=tmp_path, server=server)
    assert named.label == "net"
