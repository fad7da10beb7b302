"""Transcription by faster-whisper, with the models that also time words. Optional: package faster-whisper.

Its model lives in a child of its own: a job with a voice-over transcribes and has no words to time, and any other job
the other way round.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vidgend.children import JsonService
from vidgend.errors import StepError
from vidgend.models import Word
from vidgend.pipeline.aligner.whisper_model_files import LocalModel
from vidgend.pipeline.executor.port import Label
from vidgend.pipeline.transcriber.port import Transcript


class WhisperTranscriber:
    """Implements Transcriber. `model` is a folder that is already here (see `find_model`); nothing is downloaded.

    `device` is `cpu` (8-bit) or `cuda` (16-bit floats); `threads` counts on the CPU, 0 means all cores.
    """

    name = "whisper"

    def __init__(self, *, model: LocalModel, device: str = "cpu", threads: int = 0) -> None:
        self.identity = f"whisper:{model.name}:{model.size_bytes}:{device}"
        self.label: Label = "gpu" if device == "cuda" else "cpu"
        self.languages: tuple[str, ...] | None = ("en",) if model.english_only else None
        self._model = model
        self._service = JsonService(
            (
                *(sys.executable, "-m", "vidgend.pipeline.transcriber.child"),
                *("--model", str(model.folder.absolute())),
                *("--device", device),
                *("--threads", str(threads)),
            ),
            name="transcriber whisper",
            failure=StepError,
        )

    async def transcribe(
        self, wav: Path, *, start_s: float, end_s: float, language: str | None, timeout_s: float
    ) -> Transcript:
        """See Transcriber. Raises: StepError, StepTimeout."""
        wanted = language.lower().replace("_", "-").split("-")[0] if language else None
        if self.languages is not None and (wanted or "en") not in self.languages:
            raise StepError(f"Whisper {self._model.name} hears English only, and the recording is in {language}")
        asked = self.languages[0] if self.languages is not None else wanted
        request = {"path": str(wav.absolute()), "start_s": start_s, "end_s": end_s, "language": asked}
        answer = await self._service.request(request, timeout_s=timeout_s)
        return Transcript(
            words=in_order(answer["words"], start_s, end_s),
            language=language or answer["language"],
            reason=self._model.reason,
        )

    async def aclose(self) -> None:
        await self._service.aclose()


def in_order(heard: Sequence[Sequence[Any]], from_s: float, to_s: float) -> tuple[Word, ...]:
    """Whisper's words (text with the space before it, start, end, probability; times from `from_s` on), which overlap
    and overrun a little, as words that do not, between `from_s` and `to_s`. Pure."""
    words: list[Word] = []
    clock = from_s
    for text, start_s, end_s, probability in heard:
        if not text.strip():
            continue
        start = min(max(clock, from_s + start_s), to_s)
        clock = min(max(start, from_s + end_s), to_s)
        words.append(
            Word(
                text=text.strip(),
                start_s=start,
                end_s=clock,
                confidence=min(max(probability, 0.0), 1.0),
                glued=bool(words) and not text[:1].isspace(),
            )
        )
    return tuple(words)
