"""The page about errors, which the `type` of every problem points into."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from vidgend.errors import NotFound
from vidgend.http.answers import JSON_HEADERS
from vidgend.http.problems import DOCS_PATH

PLACES = (
    Path(__file__).parents[1] / "data" / "errors.md",
    Path(__file__).parents[2] / "docs" / "errors.md",
)
"""In a wheel, and in a checkout."""

routes = web.RouteTableDef()


@routes.get(DOCS_PATH)
async def errors_page(request: web.Request) -> web.Response:
    text = await asyncio.to_thread(_read)
    return web.Response(text=text, content_type="text/markdown", charset="utf-8", headers=JSON_HEADERS)


def _read() -> str:
    for path in PLACES:
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise NotFound("this installation lacks the page")
