"""A transcriber for tests: it hears what it is told. Deterministic, never a default."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidgend.errors import StepError
from vidgend.models import Word
from vidgend.pipeline.executor.port import Label
from vidgend.pipeline.speech.voices import primary
from vidgend.pipeline.transcriber.port import Transcript


class FakeTranscriber:
    """`words` are what it hears in every recording, as far as it is asked, in any language but those of `unknown`.
    With `fail` each request raises StepError with that detail; `requests` are the languages that it was asked for."""

    name = "fake"
    identity = "fake"
    label: Label = "io"

    def __init__(
        self,
        words: Sequence[Word] = (),
        *,
        language: str = "en",
        languages: tuple[str, ...] | None = None,
        unknown: tuple[str, ...] = (),
        fail: str = "",
    ) -> None:
        self.languages = languages
        self.requests: list[str | None] = []
        self._words = tuple(words)
        self._language = language
        self._unknown = unknown
        self._fail = fail

    def hears(self, language: str) -> bool:
        """See Transcriber."""
        own = primary(language)
        return own not in self._unknown and (self.languages is None or own in self.languages)

    async def transcribe(
        self, wav: Path, *, start_s: float, end_s: float, language: str | None, timeout_s: float
    ) -> Transcript:
        """See Transcriber. Raises: StepError."""
        self.requests.append(language)
        if self._fail:
            raise StepError(self._fail)
        words = tuple(word for word in self._words if start_s <= word.start_s < end_s)
        return Transcript(words=words, language=language or self._language)

    async def aclose(self) -> None:
        """Nothing to close."""
