"""The sessions of the older revision: so many for each caller that none takes all the places, or locks itself out.

Clients often leave without ending theirs. One more than a caller may have ends the one that it used longest ago;
whoever still has that one is told 404, and begins anew, as the protocol says.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from vidgend.mcp.bridge import Asgi, Message

MOST_OF_CALLER = 100
_ID = b"mcp-session-id"


@dataclass(kw_only=True)
class _Session:
    caller: str
    scope: Message
    used_s: float
    under_way: int = 0


class Sessions:
    """`serve`, the SDK's, with what it lacks. A caller is the id that `scope["user"]` has. It may have `most` sessions;
    `idle_s` is how long `serve` keeps one that nobody uses."""

    def __init__(
        self,
        serve: Asgi,
        *,
        idle_s: float,
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._serve = serve
        self._idle_s = idle_s
        self._most = most
        self._clock = clock
        self._open: dict[str, _Session] = {}

    def __len__(self) -> int:
        return len(self._open)

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """An application of ASGI."""
        told = _header(scope.get("headers", ()))
        caller = str(scope["user"].access_token.client_id)
        session = self._open.get(told)
        if session is not None and session.caller != caller:
            session = None

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answered(told, caller, scope, message)
            await send(message)

        if session is None:
            await self._serve(scope, receive, watched)
            await self._end_some_of(caller)
            return
        session.under_way += 1
        session.used_s = self._clock()
        try:
            await self._serve(scope, receive, watched)
        finally:
            session.under_way -= 1
            session.used_s = self._clock()

    async def close(self) -> None:
        """End all. The SDK would wait seconds for each question that a client has not answered."""
        await self._end([*self._open])

    def _answered(self, told: str, caller: str, scope: Message, message: Message) -> None:
        """Note what an answer begins and ends."""
        given, refused = _header(message.get("headers", ())), message["status"] >= 400
        if not told and given and not refused:
            self._open[given] = _Session(caller=caller, scope=scope, used_s=self._clock())
            return
        mine = told in self._open and self._open[told].caller == caller
        if mine and (message["status"] == 404 or (scope["method"] == "DELETE" and not refused)):
            del self._open[told]

    async def _end_some_of(self, caller: str) -> None:
        """Where a caller has too many: those with no request under way first, the ones used longest ago."""
        longest_ago = self._clock() - self._idle_s
        for one in [one for one, seen in self._open.items() if not seen.under_way and seen.used_s < longest_ago]:
            del self._open[one]
        mine = [one for one, seen in self._open.items() if seen.caller == caller]
        mine.sort(key=lambda one: (self._open[one].under_way > 0, self._open[one].used_s))
        await self._end(mine[: max(0, len(mine) - self._most)])

    async def _end(self, session_ids: list[str]) -> None:
        """Those that are still there when it is their turn: while one ends, others end by other requests."""
        for one in session_ids:
            if (session := self._open.pop(one, None)) is not None:
                headers = [(_ID, one.encode()), (b"accept", b"application/json, text/event-stream")]
                await self._serve({**session.scope, "method": "DELETE", "headers": headers}, _nothing, _unheard)


def _header(headers: Any) -> str:
    return next((bytes(value).decode("latin-1") for name, value in headers if bytes(name).lower() == _ID), "")


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _unheard(message: Message) -> None: ...
