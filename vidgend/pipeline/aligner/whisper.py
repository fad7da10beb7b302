"""Word times by faster-whisper, for voices that give none of their own. Optional: package faster-whisper.

It hears the words and the script's words take their times; see `map_words`. Against the durations of Kokoro and Piper
over six paragraphs, tied to the pauses, tiny.en's starts come 15 to 28 ms late, off by 55 to 66 ms in the mean; base's
come 86 to 112 ms early, off by 104 to 143.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from vidgend.errors import StepError
from vidgend.models import Words
from vidgend.pipeline.aligner.map_words import Heard, map_words
from vidgend.pipeline.aligner.onsets import SHORTEST_PAUSE_S
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.word_times import Span
from vidgend.pipeline.whisper.languages import code_of
from vidgend.pipeline.whisper.service import WhisperService

LEAST_CONFIDENCE = 0.4
"""Mean of the words. Measured: texts that were understood have 0.49 or more, also with numbers, code and a robot's
voice; the one that was not has 0.26, and its words were off by 5 s in the median."""


class Whisper:
    """Implements Aligner."""

    name = "whisper"

    def __init__(self, service: WhisperService) -> None:
        self.identity = service.identity
        self.label = service.label
        self._service = service

    def hears(self, language: str) -> bool:
        """What Whisper knows is asked of a model that hears English only too: the result has to say that a larger one
        would do better."""
        return code_of(language) is not None

    async def align(self, wav: Path, words: tuple[str, ...], *, language: str, timeout_s: float) -> Words:
        """See Aligner. `Words.reason` tells of a smaller model than asked for. Raises: StepError (also if it heard
        something else than the text), StepTimeout."""
        code, model = code_of(language), self._service.model
        if code is None:
            raise StepError(f"Whisper does not know the language {language}")
        if model.english_only and code != "en":
            raise StepError(f"Whisper {model.name} hears English only, and the speech is {language}")
        sound_heard = await self._service.hear(wav, language=code, careful=False, timeout_s=timeout_s)
        heard = [
            Heard(text=text.strip(), start_s=start_s, end_s=end_s, probability=probability)
            for text, start_s, end_s, probability in sound_heard.words
        ]
        pauses = await asyncio.to_thread(_pauses, wav)
        timed = await asyncio.to_thread(map_words, words, heard, sound_heard.length_s, language=language, pauses=pauses)
        sure = sum(word.confidence for word in timed) / len(timed) if timed else 1.0
        if sure < LEAST_CONFIDENCE:
            raise StepError(f"Whisper {model.name} heard something else than the text (confidence {sure:.2f})")
        return Words(source="whisper", words=timed, reason=sound_heard.reason)

    async def aclose(self) -> None:
        await self._service.aclose()


def _pauses(wav: Path) -> list[Span]:
    try:
        samples, rate_hz = sound.read_wav(wav)
    except (OSError, ValueError) as error:
        raise StepError(f"cannot read the speech to align: {error}") from error
    return sound.pauses(samples, rate_hz, SHORTEST_PAUSE_S)
