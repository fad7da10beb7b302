"""What the API says of itself: the OpenAPI document, and the page about errors that every problem's `type` leads to."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from vidgend.errors import NotFound
from vidgend.http.answers import JSON_HEADERS
from vidgend.http.openapi import DOCUMENT
from vidgend.http.operation import Media, Operations
from vidgend.http.views.problem import DOCS_PATH

PLACES = (
    Path(__file__).parents[1] / "data" / "errors.md",
    Path(__file__).parents[2] / "docs" / "errors.md",
)
"""In a wheel, and in a checkout."""

operations = Operations("docs")


@operations.raw(
    "GET", DOCS_PATH, id="errors", scope=None, answer=(Media(content_type="text/markdown"),), errors=(NotFound,)
)
async def errors_page(request: web.Request) -> web.Response:
    """What every error code means, and what to do about it."""
    text = await asyncio.to_thread(_read)
    return web.Response(text=text, content_type="text/markdown", charset="utf-8", headers=JSON_HEADERS)


@operations.raw("GET", "/openapi.json", id="openapi", scope=None, answer=(Media(content_type="application/json"),))
async def openapi(request: web.Request) -> web.Response:
    """This document."""
    return web.Response(body=request.app[DOCUMENT], content_type="application/json", headers=JSON_HEADERS)


def _read() -> str:
    for path in PLACES:
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise NotFound("this installation lacks the page")
