"""A model in a child process, with what to do when its memory is not enough: the same with less, then on the CPU."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vidgend.children import JsonService
from vidgend.errors import OutOfMemory


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One way to run the model. `reason` says why it is not the first one, or is ""."""

    service: JsonService
    reason: str = ""


class ModelLadder:
    """Asks the first way; the next one, from then on, when a request does not fit into memory. After `aclose` the first
    one is tried again: somebody else may have left the memory."""

    def __init__(self, rungs: Sequence[Rung]) -> None:
        self._rungs = tuple(rungs)
        self._at = 0
        self._one_by_one = asyncio.Lock()

    @property
    def service(self) -> JsonService:
        """The process that answers now."""
        return self._rungs[self._at].service

    async def request(self, message: dict[str, Any], *, timeout_s: float) -> tuple[dict[str, Any], str]:
        """The answer, and why it was not made in the first way, or "". Raises: as JsonService.request."""
        async with self._one_by_one:  # or a request that waited would start again what was closed for its memory
            while True:
                rung = self._rungs[self._at]
                try:
                    return await rung.service.request(message, timeout_s=timeout_s), rung.reason
                except OutOfMemory:
                    if self._at + 1 == len(self._rungs):
                        raise
                    await rung.service.aclose()  # so that its memory is free for the next one
                    self._at += 1

    async def aclose(self) -> None:
        self._at = 0
        for rung in self._rungs:
            await rung.service.aclose()
