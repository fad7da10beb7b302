"""A speech engine for tests: each word is a tone of known length. Deterministic, never a default."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Literal

import numpy as np

from vidgend.errors import SpeechFailed
from vidgend.models import Word
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.in_child import check_request
from vidgend.pipeline.speech.port import Utterance, Voice

SECONDS_PER_CHAR = 0.06
LEAD_S = 0.05
WORD_GAP_S = 0.04
CLAUSE_GAP_S = 0.2
SENTENCE_GAP_S = 0.4


class FakeSpeech:
    """A word of n characters sounds for 0.06 n seconds at a pitch made from its letters, with the gaps of speech.

    `voices` replaces the two it has. With `fail` every request raises SpeechFailed with that detail; `requests`
    counts them. With `gives_words=False` it is an engine without word times.
    """

    name = "fake"
    label: Literal["cpu"] = "cpu"
    blends = False

    def __init__(
        self,
        *,
        voices: tuple[Voice, ...] | None = None,
        rate_hz: int = 24_000,
        gives_words: bool = True,
        fail: str = "",
    ) -> None:
        self.identity = f"fake:{rate_hz}:{gives_words}"
        self.requests = 0
        self._rate_hz = rate_hz
        self._gives_words = gives_words
        self._fail = fail
        self._voices = voices or (_voice("fake_a", "female", "neutral"), _voice("fake_b", "male"))

    def voices(self) -> tuple[Voice, ...]:
        return self._voices

    async def synthesize(
        self, text: str, *, voice: str, language: str, speed: float, path: Path, timeout_s: float
    ) -> Utterance:
        """See SpeechEngine. Raises: SpeechFailed."""
        self.requests += 1
        if self._fail:
            raise SpeechFailed(self._fail)
        check_request(self.name, self._voices, text, voice=voice, speed=speed)
        return await asyncio.to_thread(self._synthesize, text, voice, speed, path)

    def _synthesize(self, text: str, voice: str, speed: float, path: Path) -> Utterance:
        rate_hz = self._rate_hz
        parts = [sound.silence(LEAD_S, rate_hz)]
        words: list[Word] = []
        at = len(parts[0])
        for text_word in text.split():
            tone = _tone(text_word, voice, SECONDS_PER_CHAR * len(text_word) / speed, rate_hz)
            words.append(Word(text=text_word, start_s=at / rate_hz, end_s=(at + len(tone)) / rate_hz))
            gap = SENTENCE_GAP_S if text_word[-1] in ".!?" else CLAUSE_GAP_S if text_word[-1] in ",;:" else WORD_GAP_S
            parts += [tone, sound.silence(gap / speed, rate_hz)]
            at += len(tone) + len(parts[-1])
        samples = sound.join(parts)
        sound.write_wav(path, samples, rate_hz)
        return Utterance(
            path=path, samples=len(samples), rate_hz=rate_hz, words=tuple(words) if self._gives_words else ()
        )

    async def aclose(self) -> None:
        """Nothing to close."""


def _voice(name: str, gender: str, *more: str) -> Voice:
    tags = tuple(f"en-US-{tag}" for tag in (gender, *more))
    return Voice(id=name, engine="fake", language="en-US", gender=gender, tags=tags)


def _tone(word: str, voice: str, seconds: float, rate_hz: int) -> sound.Samples:
    pitch_hz = 110 + hashlib.sha256(f"{voice} {word}".encode()).digest()[0]
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    shape = np.minimum(1, np.minimum(time_s, time_s[::-1]) / 0.01)
    return (0.3 * shape * np.sin(2 * np.pi * pitch_hz * time_s)).astype(np.float32)
