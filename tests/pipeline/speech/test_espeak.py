"""What espeak-ng is given to say. The program is a script here that keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidgend.pipeline.speech.espeak import EspeakNg

PROGRAM = """#!/usr/bin/env python3
import sys, wave
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
open({kept!r}, "w").write(open(given["-f"], encoding="utf-8").read())
with wave.open(given["-w"], "wb") as file:
    file.setnchannels(1); file.setsampwidth(2); file.setframerate(22050)
    file.writeframes(b"\\x00\\x20\\x00\\xe0" * 11025)
"""


@pytest.mark.parametrize(
    ("language", "voice", "text", "said"),
    [
        ("de-DE", "de", "Es war am 3. Oktober 1990 um 14:30 Uhr.",
         "Es war am dritten Oktober neunzehnhundertneunzig um vierzehn Uhr dreißig."),
        ("de-DE", "de", "Das kostet 1.250,50 € 🎉 *wirklich*.",
         "Das kostet eintausendzweihundertfünfzig Euro fünfzig wirklich."),
        ("pl-PL", "pl", "To kosztuje 5 zł 🎉.", "To kosztuje 5 zł."),
        ("en-US", "en-us", "Say Привет for $2 🎉.", "Say Привет for two dollars"),
    ],
)  # fmt: skip
async def test_it_is_given_words_and_no_emoji(language: str, voice: str, text: str, said: str, tmp_path: Path) -> None:
    kept, program = tmp_path / "kept", tmp_path / "espeak"
    program.write_text(PROGRAM.format(kept=str(kept)))
    program.chmod(0o755)
    engine = EspeakNg(program=str(program))
    made = await engine.synthesize(
        text, voice=voice, language=language, speed=1.0, path=tmp_path / "a.wav", timeout_s=30
    )
    assert kept.read_text(encoding="utf-8").strip() == said
    kept.unlink()
    alone = await engine.synthesize(
        "🎉", voice=voice, language=language, speed=1.0, path=tmp_path / "b.wav", timeout_s=30
    )
    assert not kept.exists() and made.samples > alone.samples > 0
