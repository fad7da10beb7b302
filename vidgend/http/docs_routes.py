"""What the API says of itself: the OpenAPI document and the page that shows it, and the page about errors that every
problem's `type` leads to."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from aiohttp import web
from pydantic import Field

from vidgend.errors import NotFound, VidgendError
from vidgend.http.answers import JSON_HEADERS
from vidgend.http.body import parameters
from vidgend.http.docs_page import SCRIPT_PATH, docs_page, docs_script
from vidgend.http.errors_page import POLICY, errors_html, wants_html
from vidgend.http.fields import Body
from vidgend.http.openapi import DOCUMENTS
from vidgend.http.operation import Media, Operations
from vidgend.http.services import SERVICES
from vidgend.http.views.problem import DOCS_PATH

PLACES = (
    Path(__file__).parents[1] / "data" / "errors.md",
    Path(__file__).parents[2] / "docs" / "errors.md",
)
"""In a wheel, and in a checkout."""

operations = Operations("docs")
_HTML = Media(content_type="text/html")


class ScriptQuery(Body):
    v: str | None = Field(None, description="The version, as the page names it.")


@operations.raw("GET", "/docs", id="docs", scope=None, answer=(_HTML,))
async def docs(request: web.Request) -> web.Response:
    """The API to read and to try, in a browser."""
    parameters(request)
    return await docs_page()


@operations.raw(
    "GET", SCRIPT_PATH, id="docs_script", scope=None, answer=(Media(content_type="text/javascript"),),
    query=ScriptQuery, also={304: "It has not changed."},
)  # fmt: skip
async def script(request: web.Request) -> web.Response:
    """What draws the page /docs."""
    return await docs_script(request, parameters(request, "v").get("v"))


@operations.raw(
    "GET", DOCS_PATH, id="errors", scope=None, answer=(Media(content_type="text/markdown"), _HTML), errors=(NotFound,)
)
async def errors_page(request: web.Request) -> web.Response:
    """What every error code means, and what to do about it. A page for those who accept HTML, which browsers do."""
    text = await asyncio.to_thread(_read)
    headers = {**JSON_HEADERS, "Vary": "Accept"}
    if wants_html(request.headers.get("Accept", "")):
        text = await asyncio.to_thread(errors_html, text)
        return web.Response(
            text=text, content_type="text/html", charset="utf-8", headers={**headers, "Content-Security-Policy": POLICY}
        )
    return web.Response(text=text, content_type="text/markdown", charset="utf-8", headers=headers)


@operations.raw("GET", "/openapi.json", id="openapi", scope=None, answer=(Media(content_type="application/json"),))
async def openapi(request: web.Request) -> web.Response:
    """This document. It says whether a key is asked for now."""
    try:
        asked = await request.app[SERVICES].keyring.required()
    except (VidgendError, sqlite3.Error):
        asked = True  # the database does not tell
    return web.Response(body=request.app[DOCUMENTS][asked], content_type="application/json", headers=JSON_HEADERS)


def _read() -> str:
    for path in PLACES:
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise NotFound("this installation lacks the page")
