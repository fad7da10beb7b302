"""What the tools work on: the operations of the API, here in the daemon or over HTTP from a desktop host."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

MAX_PICTURE_BYTES = 100_000
"""A picture goes into the conversation as text, a third larger, and costs the model what it costs."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A small picture, whole."""

    content: bytes
    content_type: str


class Backend(Protocol):
    """One client's view of vidgend: its own things and nobody else's."""

    async def call(
        self,
        operation_id: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The JSON of an operation's answer. Raises: VidgendError, as the operation does."""
        ...

    async def picture(self, url: str, digest: str = "") -> Picture | None:
        """A picture that an answer names; None if it is larger than MAX_PICTURE_BYTES, gone or out of reach. `digest`
        where the address does not end with it. Raises: VidgendError."""
        ...


CURRENT: ContextVar[Backend] = ContextVar("backend")
"""The backend of the request that is being answered; set by the server for each."""


def backend() -> Backend:
    return CURRENT.get()
