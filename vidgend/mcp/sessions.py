"""Sessions of the older revision: each owner has some, so that nobody's client takes them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vidgend.mcp.bridge import Asgi, Message, Receive, Send

PER_OWNER = 64
"""A client has one. Those that never end theirs lose the one that was idle longest, and begin another."""
_HEADER = b"mcp-session-id"


@dataclass(kw_only=True)
class _Session:
    user: Any
    open_requests: int = 0


@dataclass
class Sessions:
    """An application around the SDK's, whose requests have the `owner` and the `user` in their scope."""

    inner: Asgi
    _owners: dict[str, dict[bytes, _Session]] = field(default_factory=dict)
    """The sessions of each owner, those used last at the end."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        owned = self._owners.setdefault(scope["owner"], {})
        used = next((value for name, value in scope["headers"] if name == _HEADER), b"")
        session = owned.pop(used, None)
        if session is not None:
            owned[used] = session
            session.open_requests += 1

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 404 or scope["method"] == "DELETE":
                    owned.pop(used, None)
                begun = next((value for name, value in message["headers"] if name.lower() == _HEADER), b"")
                if begun and not used and message["status"] < 400:
                    owned[begun] = _Session(user=scope["user"])
            await send(message)

        try:
            if not used:
                await self._make_room(owned)
            await self.inner(scope, receive, watch)
        finally:
            if session is not None:
                session.open_requests -= 1
            if not owned:
                self._owners.pop(scope["owner"], None)

    async def _make_room(self, owned: dict[bytes, _Session]) -> None:
        while len(owned) >= PER_OWNER:
            oldest = next((name for name, one in owned.items() if not one.open_requests), next(iter(owned)))
            session = owned.pop(oldest)
            await self.inner(_end(oldest, session.user), _nothing, _forget)


def _end(session_id: bytes, user: Any) -> Message:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "DELETE", "scheme": "http",
        "path": "/mcp", "raw_path": b"/mcp", "query_string": b"", "root_path": "", "headers": [(_HEADER, session_id)],
        "client": ("", 0), "server": None, "user": user,
    }  # fmt: skip


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _forget(message: Message) -> None:
    pass
