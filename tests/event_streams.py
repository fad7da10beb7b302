"""A client of event streams, as a browser is one."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True, kw_only=True)
class Event:
    name: str
    data: dict[str, Any]
    id: int | None = None


class Stream:
    """The events of an answer, one after the other; its comments beside them."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.comments: list[str] = []
        self.retry_ms = 0
        self.last_id = ""
        self.ended = False

    async def next(self, within_s: float = 5.0) -> Event | None:
        """None at the end of the stream."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(within_s):
            while line := await self.answer.content.readline():
                text = line.decode().rstrip("\n")
                if not text:
                    if "data" in fields:
                        number = int(fields["id"]) if "id" in fields else None
                        return Event(name=fields["event"], data=json.loads(fields["data"]), id=number)
                    continue
                name, _, value = text.partition(": ")
                if not name:
                    self.comments.append(value)
                elif name == "retry":
                    self.retry_ms = int(value)
                else:
                    fields[name] = value
                    if name == "id":
                        self.last_id = value
        self.ended = True
        return None

    async def upto(self, name: str, within_s: float = 5.0, **data: Any) -> list[Event]:
        """The events up to one that is called so and says so."""
        found: list[Event] = []
        async with asyncio.timeout(within_s):
            while one := await self.next(within_s):
                found.append(one)
                if one.name == name and data.items() <= one.data.items():
                    return found
        raise AssertionError(f"the stream ended before {name} {data}: {found}")

    async def rest(self, within_s: float = 5.0) -> list[Event]:
        """All until the stream ends."""
        found = []
        async with asyncio.timeout(within_s):
            while one := await self.next(within_s):
                found.append(one)
        return found


@contextlib.asynccontextmanager
async def open_stream(http: Any, path: str, *, last: int | str | None = None, **more: Any) -> AsyncIterator[Stream]:
    headers = {"Accept": "text/event-stream"} | ({} if last is None else {"Last-Event-ID": str(last)})
    async with http.get(path, headers=headers, timeout=aiohttp.ClientTimeout(total=None), **more) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        yield Stream(answer)


def kept(events: list[Event]) -> list[Event]:
    """Those that have a place in the feed; a snapshot has that of what it contains."""
    return [one for one in events if one.id is not None and one.name != "snapshot"]


def words(events: list[Event]) -> list[str]:
    """`status completed`, `log accepted`, `storyboard 1`."""
    shown = []
    for one in events:
        if one.name in ("status", "log", "storyboard", "deleted"):
            what = one.data.get("status") or one.data.get("line") or one.data.get("version") or ""
            shown.append(f"{one.name} {what}".strip())
    return shown
