"""Tells long answers (event streams, MCP) that the server is about to stop, so that they end first."""

from __future__ import annotations

import asyncio

from aiohttp import web

CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)


def add_closing(app: web.Application) -> None:
    app[CLOSING] = asyncio.Event()

    async def close(_: web.Application) -> None:
        app[CLOSING].set()

    app.on_shutdown.append(close)
