"""Transcription by faster-whisper, with the model that also times words. Optional: package faster-whisper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidgend.errors import StepError
from vidgend.models import Word
from vidgend.pipeline.transcriber.port import Transcript
from vidgend.pipeline.vocabulary import is_wide
from vidgend.pipeline.whisper.languages import code_of, tag_of
from vidgend.pipeline.whisper.service import WhisperService


class WhisperTranscriber:
    """Implements Transcriber."""

    name = "whisper"

    def __init__(self, service: WhisperService) -> None:
        self.identity = service.identity
        self.label = service.label
        self.languages: tuple[str, ...] | None = ("en",) if service.model.english_only else None
        self._service = service

    def hears(self, language: str) -> bool:
        """See Transcriber."""
        code = code_of(language)
        return code is not None and (self.languages is None or code in self.languages)

    async def transcribe(
        self, wav: Path, *, start_s: float, end_s: float, language: str | None, timeout_s: float
    ) -> Transcript:
        """See Transcriber. Raises: StepError, StepTimeout."""
        if language is not None and not self.hears(language):
            does = "hears English only" if self.languages is not None else "does not know that language"
            raise StepError(f"Whisper {self._service.model.name} {does}, and the recording is in {language}")
        wanted = code_of(language) if language is not None else None
        heard = await self._service.hear(
            wav,
            start_s=start_s,
            end_s=end_s,
            language=self.languages[0] if self.languages is not None else wanted,
            careful=True,
            timeout_s=timeout_s,
        )
        return Transcript(
            words=in_order(heard.words, start_s, end_s),
            language=language or tag_of(heard.language),
            reason=heard.reason,
        )

    async def aclose(self) -> None:
        await self._service.aclose()


def in_order(heard: Sequence[tuple[str, float, float, float]], from_s: float, to_s: float) -> tuple[Word, ...]:
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
                glued=not text[:1].isspace() and (bool(words) or is_wide(text[:1])),
            )
        )
    return tuple(words)
