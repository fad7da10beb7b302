"""A footage provider for tests: candidates and files as given, calls remembered."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

from vidgend.errors import ProviderError, StepError
from vidgend.models import Candidate
from vidgend.pipeline.footage.port import FootageQuery, SearchKind
from vidgend.pipeline.part_file import finish, part_path


class FakeFootage:
    """`answers` maps a search text to its candidates, `*` to those for any other text; `files` maps ids to files,
    which are their previews as well.

    `error`, when set, is raised by search, `preview_error` by preview; they may be changed between calls.
    """

    def __init__(
        self,
        answers: Mapping[str, tuple[Candidate, ...]] | None = None,
        files: Mapping[str, Path] | None = None,
        *,
        name: str = "fake",
        error: StepError | None = None,
    ) -> None:
        self.name = name
        self.kinds: tuple[SearchKind, ...] = ("any",)
        self.identity = f"{name}:1"
        self.error = error
        self.preview_error: StepError | None = None
        self.queries: list[FootageQuery] = []
        self.fetched: list[str] = []
        self.previewed: list[str] = []
        self._answers = dict(answers or {})
        self._files = dict(files or {})

    async def search(self, query: FootageQuery) -> tuple[Candidate, ...]:
        """Raises: `error`."""
        self.queries.append(query)
        if self.error is not None:
            raise self.error
        return self._answers.get(query.text, self._answers.get("*", ()))[: query.limit]

    async def fetch(self, candidate: Candidate, *, width_px: int, height_px: int, path: Path) -> None:
        """Raises: ProviderError for an id without a file."""
        self.fetched.append(candidate.id)
        source = self._files.get(candidate.id)
        if source is None:
            raise ProviderError(f"{self.name} has no file for {candidate.id!r}")
        part = part_path(path)
        await asyncio.to_thread(shutil.copyfile, source, part)
        await asyncio.to_thread(finish, part, path)

    async def preview(self, candidate: Candidate, *, path: Path) -> Path:
        """The file itself. Raises: `preview_error`, ProviderError for an id without a file."""
        self.previewed.append(candidate.id)
        if self.preview_error is not None:
            raise self.preview_error
        source = self._files.get(candidate.id)
        if source is None:
            raise ProviderError(f"{self.name} has no file for {candidate.id!r}")
        return source

    async def aclose(self) -> None:
        """Nothing is held."""
