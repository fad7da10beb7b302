"""Requests that are being answered, by key: the long ones (streams, downloads) end when their key does, and those
without one when one is asked for from now on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

from aiohttp import web

from vidgend.errors import VidgendError
from vidgend.http.caller import NOBODY, Caller
from vidgend.http.keyring import Keyring

LOOK_EVERY_S = 0.7
"""With what the keyring remembers, who would not be let in any more is cut off within two seconds."""


class OpenRequests:
    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._by_key: dict[str, set[asyncio.Transport]] = {}

    @contextmanager
    def during(self, request: web.Request, caller: Caller) -> Iterator[None]:
        """While a request is answered."""
        transport = request.transport  # a connection answers one request at a time
        if transport is None or caller is NOBODY:
            yield
            return
        mine = self._by_key.setdefault(caller.key_id, set())
        mine.add(transport)
        try:
            yield
        finally:
            mine.discard(transport)
            if not mine and self._by_key.get(caller.key_id) is mine:
                del self._by_key[caller.key_id]

    async def watched(self, _: web.Application) -> AsyncIterator[None]:
        """For `cleanup_ctx`: look while the application runs."""
        task = asyncio.create_task(self._watch(), name="open requests")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for key_id in [*self._by_key]:
                with suppress(VidgendError, sqlite3.Error):  # a database that cannot be read says nothing against a key
                    if not await self._keyring.holds(key_id):
                        self._cut(key_id)

    def _cut(self, key_id: str) -> None:
        """As if the client had gone."""
        for transport in [*self._by_key.get(key_id, ())]:
            transport.abort()
