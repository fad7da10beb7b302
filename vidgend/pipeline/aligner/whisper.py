"""Word times by faster-whisper, for voices that give none of their own. Optional: package faster-whisper.

It hears the words and the script's words take their times; see `map_words`. Against the durations of Kokoro and Piper
over six paragraphs, tied to the pauses, tiny.en's starts come 15 to 28 ms late, off by 55 to 66 ms in the mean; base's
come 86 to 112 ms early, off by 104 to 143.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from vidgend.children import JsonService
from vidgend.errors import StepError
from vidgend.models import Words
from vidgend.pipeline.aligner.map_words import Heard, map_words
from vidgend.pipeline.aligner.onsets import SHORTEST_PAUSE_S
from vidgend.pipeline.aligner.whisper_model_files import LocalModel
from vidgend.pipeline.executor.port import Label
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.word_times import Span

LEAST_CONFIDENCE = 0.4
"""Mean of the words. Measured: texts that were understood have 0.49 or more, also with numbers, code and a robot's
voice; the one that was not has 0.26, and its words were off by 5 s in the median."""


class Whisper:
    """Implements Aligner. `model` is a folder that is already here (see `find_model`); nothing is downloaded.

    `device` is `cpu` (8-bit) or `cuda` (16-bit floats); `threads` counts on the CPU, 0 means all cores.
    """

    name = "whisper"

    def __init__(self, *, model: LocalModel, device: str = "cpu", threads: int = 0) -> None:
        self.identity = f"whisper:{model.name}:{model.size_bytes}:{device}"
        self.label: Label = "gpu" if device == "cuda" else "cpu"
        self._model = model
        self._service = JsonService(
            (
                *(sys.executable, "-m", "vidgend.pipeline.aligner.child"),
                *("--model", str(model.folder.absolute())),
                *("--device", device),
                *("--threads", str(threads)),
            ),
            name="aligner whisper",
            failure=StepError,
        )

    def hears(self, language: str) -> bool:
        """Always asked: of a model that hears English only, the result has to say that a larger one would do better."""
        return True

    async def align(self, wav: Path, words: tuple[str, ...], *, language: str, timeout_s: float) -> Words:
        """See Aligner. `Words.reason` tells of a smaller model than asked for. Raises: StepError (also if it heard
        something else than the text), StepTimeout."""
        primary = language.lower().replace("_", "-").split("-")[0]
        if self._model.english_only and primary != "en":
            raise StepError(f"Whisper {self._model.name} hears English only, and the speech is {language}")
        answer = await self._service.request({"path": str(wav.absolute()), "language": primary}, timeout_s=timeout_s)
        heard = [
            Heard(text=text, start_s=start_s, end_s=end_s, probability=probability)
            for text, start_s, end_s, probability in answer["words"]
        ]
        pauses = await asyncio.to_thread(_pauses, wav)
        timed = await asyncio.to_thread(
            map_words, words, heard, answer["length_s"], english=primary == "en", pauses=pauses
        )
        sure = sum(word.confidence for word in timed) / len(timed) if timed else 1.0
        if sure < LEAST_CONFIDENCE:
            raise StepError(f"Whisper {self._model.name} heard something else than the text (confidence {sure:.2f})")
        return Words(source="whisper", words=timed, reason=self._model.reason)

    async def aclose(self) -> None:
        await self._service.aclose()


def _pauses(wav: Path) -> list[Span]:
    try:
        samples, rate_hz = sound.read_wav(wav)
    except (OSError, ValueError) as error:
        raise StepError(f"cannot read the speech to align: {error}") from error
    return sound.pauses(samples, rate_hz, SHORTEST_PAUSE_S)
