from __future__ import annotations

import json

from standins.daemon_standin import DaemonStandin

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


def test_styles_are_all_listed_with_their_description(vidgend) -> None:
    lines = vidgend("styles").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(STYLES)
    assert all(style.description in line for style, line in zip(STYLES.values(), lines, strict=True))
    answer = json.loads(vidgend("styles", "--json").stdout)
    assert [style["name"] for style in answer["styles"]] == list(STYLES)
