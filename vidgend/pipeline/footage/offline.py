"""A provider without a network: what was found and fetched before is found in the store, and nothing else is asked."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from vidgend.errors import NotPrefetched
from vidgend.models import Candidate
from vidgend.pipeline.footage.port import FootageProvider, FootageQuery


class OfflineFootage:
    """Stands for `provider`, with the same name and the same keys, so that its finished steps are found. It never
    asks it."""

    def __init__(self, provider: FootageProvider) -> None:
        self._provider = provider
        self.name = provider.name
        self.identity = provider.identity
        self.kinds = provider.kinds

    async def search(self, query: FootageQuery) -> tuple[Candidate, ...]:
        """Raises: NotPrefetched."""
        self._refuse(f"{query.text!r} was not prefetched")

    async def fetch(self, candidate: Candidate, *, width_px: int, height_px: int, path: Path) -> None:
        """Raises: NotPrefetched."""
        self._refuse(f"{candidate.id} was not prefetched in this size")

    async def preview(self, candidate: Candidate, *, path: Path) -> Path:
        """Raises: NotPrefetched."""
        self._refuse(f"{candidate.id} was not prefetched")

    async def aclose(self) -> None:
        await self._provider.aclose()

    @staticmethod
    def _refuse(what: str) -> NoReturn:
        raise NotPrefetched(f"footage.offline is set, and {what}")
